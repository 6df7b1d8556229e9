//! `report`: one run, for people, programs and auditors.

use std::path::{Path, PathBuf};

use url::Url;

use crate::journal::RunReader;
use crate::model::disclosure::shown_path;
use crate::model::{count, number};
use crate::report::{Format, ShownUsers, Style, StyledWrite, UserChoice, write_run, write_users};

use super::App;
use super::args::ReportArgs;
use super::connect::store;
use super::destination::Destination;
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::resume::print_lost_log;
use super::run_choice::{find_run, named_in};

pub(super) fn report(app: &App, args: &ReportArgs) -> Result<Exit, CliError> {
    let mut to = Destination::new(app, args.output.as_deref())?;
    if args.open {
        to.format = page_format(app.output.format, &to)?;
    }
    to.check(1)?;
    let store = store(&app.output, None)?;
    let run = RunReader::open(&find_run(
        &store,
        &args.run,
        named_in(&args.which)?.as_ref(),
    )?)?;
    let run = run.of_store(&store);
    print_lost_log(app, &run);
    let choice = args.users.choice();
    if args.open && to.file.is_none() {
        // This command made the file, and nobody else uses it.
        to.file = Some(page_of(&run)?);
        to.is_made = true;
    }
    let mut out = to.open(app)?;
    let written = write(&mut *out, &run, &choice, (to.format, app.printer.style()));
    drop(out);
    let users = to.keep_whole(written)?;
    if users.left_out > 0 {
        app.printer.status_line(&format!(
            "--limit leaves out {} of {}",
            number(users.left_out),
            count(users.shown + users.left_out, "user")
        ));
    }
    if let Some(file) = to.file.filter(|_| args.open) {
        open(app, &file);
    }
    Ok(Exit::Done)
}

fn write(
    out: &mut dyn StyledWrite,
    run: &RunReader,
    choice: &UserChoice,
    (format, style): (Format, Style),
) -> Result<ShownUsers, CliError> {
    let users = if choice.is_everyone() {
        write_run(out, run, format, style)?;
        ShownUsers::default()
    } else {
        write_users(out, run, choice, format, style)?
    };
    out.flush().map_err(CliError::Output)?;
    Ok(users)
}

/// The format of the page. A browser shows HTML; another format or extension is refused.
fn page_format(asked: Option<Format>, to: &Destination) -> Result<Format, CliError> {
    match (asked, &to.file, to.format) {
        (_, _, Format::Html) | (None, None, _) => Ok(Format::Html),
        (_, _, format) => Err(CliError::Usage(format!(
            "--open shows a page in the browser, and {format} is none; leave out --format, or name the file .html"
        ))),
    }
}

/// A file for a page that is shown once. It is not deleted, because the browser reads it later.
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

/// Shows a page in the browser. If that fails, prints the path of the page.
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
