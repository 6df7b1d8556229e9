//! Where a result goes, and in which format.

use std::path::{Path, PathBuf};

use crate::model::disclosure::shown_path;
use crate::report::{Format, StyledWrite, terminal};

use super::App;
use super::error::CliError;
use super::printer::{Printer, STANDARD_OUTPUT};

/// A file, or standard output; and the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) format: Format,
    pub(super) file: Option<PathBuf>,
    /// Whether this command has made the file, so that it is there already.
    pub(super) is_made: bool,
}

impl Destination {
    /// What the command line says: the format that was asked for, else that of the name of the file.
    pub(super) fn new(app: &App, output: Option<&Path>) -> Self {
        let file = output.filter(|path| path.as_os_str() != STANDARD_OUTPUT);
        let named = file.and_then(of_name);
        Self {
            format: app.output.format.or(named).unwrap_or_default(),
            file: file.map(Path::to_owned),
            is_made: false,
        }
    }

    /// Refuses what cannot be written there, before anything is asked of a server.
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

    /// Where to write. A file that is there already is never overwritten.
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
}

/// The format of a file by the end of its name.
fn of_name(path: &Path) -> Option<Format> {
    let end = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match &*end {
        "json" => Format::Json,
        "csv" => Format::Csv,
        "md" | "markdown" => Format::Markdown,
        "html" | "htm" => Format::Html,
        "xlsx" => Format::Xlsx,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_tells_its_format() {
        let of = |name: &str| of_name(Path::new(name));
        assert_eq!(of("a.HTML"), Some(Format::Html));
        assert_eq!(of("a.b.csv"), Some(Format::Csv));
        assert_eq!(of("a.xlsx"), Some(Format::Xlsx));
        assert_eq!([of("a"), of("a.txt"), of(".csv")], [None; 3]);
    }
}
