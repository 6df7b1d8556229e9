//! `doctor`: from the address to the privileges, one check at a time. It writes nothing to the CRM.

use std::io::Write;

use crate::connect::{Checklist, ConnectError, environments};
use crate::report::ErrorReport;
use crate::settings::SettingsError;

use super::App;
use super::args::DoctorArgs;
use super::checklist::write_checklist;
use super::conclude::Conclusion;
use super::connect::{connector, options};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::site::Ending;
use super::support::last_error;
use super::support_report::{ReportedEnvironment, begin, write};

/// Checks everything that a run depends on, in all environments: first, one after the other, those where a user may be
/// asked; then the others in parallel.
pub(super) async fn doctor(app: &App, args: &DoctorArgs) -> Result<Exit, CliError> {
    let (mut report, environments) = match environments(&options(&args.connection)) {
        Ok(environments) => {
            let report = args.report.as_deref().map(begin).transpose()?;
            (report, environments)
        }
        Err(error) => return without_environments(app, args, &error),
    };
    let mut lists = connector(app)
        .examine_all(
            &environments,
            args.several.environments_at_once,
            &args.purpose.needs(),
        )
        .await;
    if let Some(out) = &mut report {
        let checked = environments.iter().zip(&lists);
        let checked = checked.map(|(one, list)| match list {
            Ok(list) => ReportedEnvironment::new(one, list.checks(), None),
            Err(error) => ReportedEnvironment::new(one, &[], Some(error.to_string())),
        });
        write_report(app, args, &Ok(checked.collect()), out)?;
    }
    if lists.len() == 1 {
        let list = lists.remove(0)?;
        let mut out = Printer::result();
        write_checklist(&mut out, list.checks(), app.printer.format)?;
        out.flush().map_err(CliError::Output)?;
        return Ok(exit_of(&list));
    }
    let mut conclusion = Conclusion::new(app)?;
    for (one, list) in environments.iter().zip(lists) {
        let name = &*one.name;
        let list = match list {
            Ok(list) => list,
            Err(error) => {
                let ending = Ending::badly(&error.into());
                ending.print_status(app, Some(name));
                conclusion.without_result(name, &ending)?;
                continue;
            }
        };
        let mut out = conclusion.begin(name, None)?;
        write_checklist(&mut out, list.checks(), app.printer.format)?;
        drop(out);
        let exit = exit_of(&list);
        let word = if list.has_failed() { "failed" } else { "ok" };
        conclusion.end(Ending::well(word, exit).line(name)?, exit)?;
    }
    conclusion.finish()
}

/// Without an environment, or with wrong settings, the report contains what is known without one.
fn without_environments(
    app: &App,
    args: &DoctorArgs,
    error: &ConnectError,
) -> Result<Exit, CliError> {
    if let Some(path) = &args.report {
        write_report(app, args, &Err(error.to_string()), &mut begin(path)?)?;
        if matches!(error, ConnectError::Settings(SettingsError::NoEnvironment)) {
            let said = "No environment was checked, because none is named; --environment or --url names one.";
            app.printer.status_line(said);
            return Ok(Exit::Done);
        }
    }
    Err(CliError::Reported(ErrorReport::from(error)))
}

/// Writes the report for support, and prints where it is.
fn write_report(
    app: &App,
    args: &DoctorArgs,
    environments: &Result<Vec<ReportedEnvironment>, String>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let last = last_error(app.output.state_dir.as_deref());
    let config = args.connection.config.as_deref();
    write(out, config, environments, last.as_ref())?;
    app.printer.status_line(
        "The report is written. It has no secrets; it has addresses and names: look through it before you send it.",
    );
    Ok(())
}

/// The exit code for the checks.
fn exit_of(list: &Checklist) -> Exit {
    if list.has_failed() {
        Exit::SignIn
    } else {
        Exit::Done
    }
}
