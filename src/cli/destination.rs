//! The output of a result, and its format.

use std::path::{Path, PathBuf};

use crate::model::disclosure::shown_path;
use crate::report::{Format, StyledWrite, terminal};

use super::App;
use super::error::CliError;
use super::formats;
use super::printer::{Printer, STANDARD_OUTPUT};

/// A file or standard output, with the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) format: Format,
    pub(super) file: Option<PathBuf>,
    /// Whether this command has made the file, so that it exists already.
    pub(super) is_made: bool,
}

impl Destination {
    /// The output from the command line, with the format that was asked for, else that of the file's extension.
    ///
    /// # Errors
    /// Where the extension is unknown and no format was asked for, and where the command does not support the format.
    pub(super) fn new(app: &App, output: Option<&Path>) -> Result<Self, CliError> {
        let file = output.filter(|path| path.as_os_str() != STANDARD_OUTPUT);
        let format = match (app.output.format, file) {
            (Some(asked), _) => asked,
            (None, Some(path)) => of_name(path)?,
            (None, None) => Format::default(),
        };
        formats::check_name(app.command, format)?;
        Ok(Self {
            format,
            file: file.map(Path::to_owned),
            is_made: false,
        })
    }

    /// Refuses an output that cannot be written, before any request.
    pub(super) fn check(&self, environments: usize) -> Result<(), CliError> {
        let is_one = environments == 1;
        if !is_one && (self.file.is_some() || self.format == Format::Xlsx) {
            let why = "a file or a workbook holds one environment; give the command once for each";
            return Err(CliError::Usage(why.into()));
        }
        if self.format == Format::Xlsx && self.file.is_none() && terminal::stdout_is_screen() {
            let why = "a workbook is no text for a terminal; name a file with --output list.xlsx";
            return Err(CliError::Usage(why.into()));
        }
        Ok(())
    }

    /// Opens the output. An existing file is never overwritten.
    pub(super) fn open(&self, app: &App) -> Result<Box<dyn StyledWrite>, CliError> {
        let file = self.file.as_deref();
        let out = match (file, self.format) {
            (_, Format::Xlsx) => Printer::bytes_in(file),
            (None, _) => Ok(app.printer.long_result()),
            (Some(path), _) if self.is_made => Printer::result_again_in(path),
            _ => Printer::result_in(file),
        };
        out.map_err(|source| CliError::File {
            name: shown_path(file.unwrap_or(Path::new(STANDARD_OUTPUT)), "the file"),
            source,
        })
    }

    /// Removes the file of an output that could not be written to its end, because it would look whole. To be called
    /// with an output that was opened, and is closed: on some systems an open file cannot be removed.
    pub(super) fn keep_whole<T>(&self, written: Result<T, CliError>) -> Result<T, CliError> {
        if let (Err(_), Some(file)) = (&written, &self.file) {
            // What failed is reported; a file that stays is the smaller trouble.
            let _ = std::fs::remove_file(file);
        }
        written
    }
}

/// Extensions with their formats.
const ENDINGS: [(&str, Format); 8] = [
    ("json", Format::Json),
    ("csv", Format::Csv),
    ("md", Format::Markdown),
    ("markdown", Format::Markdown),
    ("html", Format::Html),
    ("htm", Format::Html),
    ("xlsx", Format::Xlsx),
    ("txt", Format::Table),
];

/// The format for the extension of a file; a table where it has none.
fn of_name(path: &Path) -> Result<Format, CliError> {
    let Some(end) = path.extension() else {
        return Ok(Format::Table);
    };
    let end = end.to_string_lossy().to_ascii_lowercase();
    let known = ENDINGS.iter().find(|(ending, _)| *ending == end);
    known.map(|(_, format)| *format).ok_or_else(|| {
        let endings: Vec<_> = ENDINGS.iter().map(|(end, _)| format!(".{end}")).collect();
        CliError::Usage(format!(
            "the name of the --output file has the ending of no format; give --format, or one of these endings: {}",
            endings.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_tells_its_format() {
        let of = |name: &str| of_name(Path::new(name)).ok();
        assert_eq!(of("a.HTML"), Some(Format::Html));
        assert_eq!(of("a.b.csv"), Some(Format::Csv));
        assert_eq!(of("a.xlsx"), Some(Format::Xlsx));
        assert_eq!([of("a"), of("a.txt"), of(".csv")], [Some(Format::Table); 3]);
    }

    #[test]
    fn an_ending_of_no_format_is_refused_and_the_others_are_named() {
        let why = of_name(Path::new("a.docx")).unwrap_err().to_string();
        for (ending, _) in ENDINGS {
            assert!(why.contains(&format!(".{ending}")), "{why}");
        }
    }
}
