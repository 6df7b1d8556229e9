//! `report`: one run, for people, for programs, and to hand over.

use std::io::Write;
use std::path::{Path, PathBuf};

use url::Url;

use crate::journal::RunReader;
use crate::model::disclosure::shown_path;
use crate::model::{count, number};
use crate::report::{Format, ReportError, ShownUsers, write_run, write_users};

use super::App;
use super::args::ReportArgs;
use super::connect::store;
use super::error::CliError;
use super::exit::Exit;
use super::printer::{Printer, STANDARD_OUTPUT};
use super::resume::print_lost_log;

pub(super) fn report(app: &App, args: &ReportArgs) -> Result<Exit, CliError> {
    let output = args.output.as_deref();
    let output = output.filter(|path| path.as_os_str() != STANDARD_OUTPUT);
    let format = format(app.output.format, output, args.open)?;
    let store = store(&app.output, None)?;
    let run = RunReader::open(&store.find(&args.run)?)?.of_store(&store);
    print_lost_log(app, &run);
    let choice = args.users.choice();
    if !choice.is_everyone() && format == Format::Html {
        // Before a file is made.
        return Err(ReportError::UsersAsHtml.into());
    }
    let page = match output {
        None if args.open => Some(page_of(&run)?),
        _ => None,
    };
    let file = page.as_deref().or(output);
    let out = match &page {
        // It was made just now, for nobody else.
        Some(path) => Printer::result_again_in(path),
        None => Printer::result_in(output),
    };
    let mut out = out.map_err(|source| CliError::File {
        name: shown_path(file.unwrap_or(Path::new(STANDARD_OUTPUT)), "the file"),
        source,
    })?;
    let style = app.printer.style();
    let users = if choice.is_everyone() {
        write_run(&mut out, &run, format, style)?;
        ShownUsers::default()
    } else {
        write_users(&mut out, &run, &choice, format, style)?
    };
    out.flush().map_err(CliError::Output)?;
    drop(out);
    if users.left_out > 0 {
        app.printer.status_line(&format!(
            "--limit leaves out {} of {}",
            number(users.left_out),
            count(users.shown + users.left_out, "user")
        ));
    }
    if let Some(file) = file.filter(|_| args.open) {
        open(app, file);
    }
    Ok(Exit::Done)
}

/// The format that was asked for, else that of the name of the file.
fn format(asked: Option<Format>, output: Option<&Path>, opens: bool) -> Result<Format, CliError> {
    let named = output.and_then(of_name);
    match asked.or(named) {
        Some(format) if opens && format != Format::Html => Err(CliError::Usage(format!(
            "--open shows a page in the browser, and {format} is none; leave out --format, or name the file .html"
        ))),
        Some(format) => Ok(format),
        None if opens => Ok(Format::Html),
        None => Ok(Format::Table),
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
        _ => return None,
    })
}

/// A file for a page that is shown once. It stays, because the browser reads it later.
fn page_of(run: &RunReader) -> Result<PathBuf, CliError> {
    let page = tempfile::Builder::new()
        .prefix(&format!("syncfilters-{}-", run.header.id.short()))
        .suffix(".html")
        .tempfile();
    let page = page.map_err(|source| CliError::File {
        name: "a temporary file".to_owned(),
        source,
    })?;
    let kept = page.into_temp_path().keep();
    kept.map_err(|error| CliError::File {
        name: "a temporary file".to_owned(),
        source: error.error,
    })
}

/// Shows a page in the browser. Where there is none, the file is named: the page is there all the same.
fn open(app: &App, page: &Path) {
    let whole = std::fs::canonicalize(page).ok();
    let address = whole.and_then(|path| Url::from_file_path(path).ok());
    let shown = address.is_some_and(|address| webbrowser::open(address.as_str()).is_ok());
    let path = shown_path(page, "the page");
    if shown {
        app.printer
            .status_line(&format!("The page is in the browser, and in {path}."));
    } else {
        Printer::warn(&format!(
            "warning: no browser could be started. The page is in {path}."
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_asked_for_else_that_of_the_name_of_the_file() {
        let of = |asked, name: &str, opens| format(asked, Some(Path::new(name)), opens).ok();
        assert_eq!(of(None, "a.HTML", false), Some(Format::Html));
        assert_eq!(of(None, "a.csv", false), Some(Format::Csv));
        assert_eq!(of(None, "a.md", false), Some(Format::Markdown));
        assert_eq!(of(None, "a.txt", false), Some(Format::Table));
        assert_eq!(of(None, "a", true), Some(Format::Html));
        assert_eq!(of(Some(Format::Json), "a.csv", false), Some(Format::Json));
        assert_eq!(of(None, "a.csv", true), None);
        assert_eq!(format(None, None, true).ok(), Some(Format::Html));
    }
}
