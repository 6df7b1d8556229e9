//! `runs export` and `runs import`: move a run to another computer.

use crate::journal::ForeignRun;
use crate::model::shell::path_argument;
use crate::model::shell::quoted;
use crate::report::{RunCommand, run_argument};
use crate::settings::RunAddress;

use super::App;
use super::connect::{environment_of_run, store};
use super::error::CliError;
use super::exit::Exit;
use super::printer::STANDARD_OUTPUT;
use super::resume::print_lost_log;
use super::run_choice::{find_run, named_in};
use super::runs_args::{ExportArgs, ImportArgs};

pub(super) fn export(app: &App, args: &ExportArgs) -> Result<Exit, CliError> {
    if args.file.as_os_str() == STANDARD_OUTPUT {
        let why = "a run is a database, which cannot be written to standard output; name a file";
        return Err(CliError::Usage(why.into()));
    }
    let store = store(&app.output, None)?;
    let exported = store.export(
        &find_run(&store, &args.run, named_in(&args.which)?.as_ref())?,
        &args.file,
    )?;
    print_lost_log(app, &exported);
    app.printer.status_line(&format!(
        "Run {} is in {}, which names people. On the other computer: `syncfilters runs import {} --url {}`.",
        exported.header.id.short(),
        path_argument(&args.file),
        path_argument(&args.file),
        quoted(&exported.header.environment.to_string()),
    ));
    Ok(Exit::Done)
}

/// The file is from elsewhere, so its address has to be named here, as for every command with such a file.
pub(super) fn import(app: &App, args: &ImportArgs) -> Result<Exit, CliError> {
    let store = store(&app.output, Some(&args.connection))?;
    let run = ForeignRun::open(&args.file)?;
    print_lost_log(app, run.reader());
    let address = RunAddress {
        claimed: &run.reader().header.environment,
        is_own: false,
    };
    environment_of_run(&args.connection, address)?;
    let run = store.import(run)?;
    app.printer.status_line(&format!(
        "Run {} is a run of this computer now: `{}` shows it, `{}` undoes it.",
        run_argument(&run),
        RunCommand::Report.of(&run),
        RunCommand::Undo.of(&run),
    ));
    Ok(Exit::Done)
}
