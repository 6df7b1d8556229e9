//! `status`: the progress of each environment, over all of its runs.

use crate::report::{NamedStanding, write_standings};

use super::App;
use super::connect::store;
use super::error::CliError;
use super::exit::Exit;
use super::runs::EnvironmentNames;
use super::runs_args::StatusArgs;

pub(super) fn status(app: &App, args: &StatusArgs) -> Result<Exit, CliError> {
    let names = EnvironmentNames::read(&args.which)?;
    let store = store(&app.output, None)?;
    let (standings, unreadable) = store.standings(|run| names.is_asked_for(&run.header))?;
    names.refuse_unknown()?;
    let environments: Vec<_> = standings
        .into_iter()
        .map(|standing| NamedStanding {
            name: names.of(&standing.header),
            standing,
        })
        .collect();
    let mut out = app.printer.long_result();
    let (format, style) = (app.printer.format, app.printer.style());
    write_standings(&mut out, &environments, &unreadable, format, style)?;
    out.flush().map_err(CliError::Output)?;
    Ok(Exit::Done)
}
