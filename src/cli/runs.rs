//! `runs` and `report`: what the run files say.

use std::io::Write;
use std::path::Path;

use crate::journal::RunReader;
use crate::model::disclosure::shown_path;
use crate::model::{count, number};
use crate::report::{Format, ReportError, ShownUsers, write_run, write_runs, write_users};

use super::App;
use super::args::ReportArgs;
use super::connect::store;
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::resume::print_lost_log;

pub(super) fn runs(app: &App) -> Result<Exit, CliError> {
    let (runs, unreadable) = store(&app.output, None)?.list()?;
    let mut out = Printer::result();
    let (format, style) = (app.printer.format, app.printer.style());
    write_runs(&mut out, &runs, &unreadable, format, style)?;
    out.flush().map_err(CliError::Output)?;
    Ok(Exit::Done)
}

pub(super) fn report(app: &App, args: &ReportArgs) -> Result<Exit, CliError> {
    let store = store(&app.output, None)?;
    let run = RunReader::open(&store.find(&args.run)?)?.of_store(&store);
    print_lost_log(app, &run);
    let choice = args.users.choice();
    if !choice.is_everyone() && app.printer.format == Format::Html {
        // Before a file is made.
        return Err(ReportError::UsersAsHtml.into());
    }
    let out = Printer::result_in(args.output.as_deref());
    let mut out = out.map_err(|source| CliError::File {
        name: shown_path(args.output.as_deref().unwrap_or(Path::new("-")), "the file"),
        source,
    })?;
    let (format, style) = (app.printer.format, app.printer.style());
    let users = if choice.is_everyone() {
        write_run(&mut out, &run, format, style)?;
        ShownUsers::default()
    } else {
        write_users(&mut out, &run, &choice, format, style)?
    };
    out.flush().map_err(CliError::Output)?;
    if users.left_out > 0 {
        app.printer.status_line(&format!(
            "--limit leaves out {} of {}",
            number(users.left_out),
            count(users.shown + users.left_out, "user")
        ));
    }
    Ok(Exit::Done)
}
