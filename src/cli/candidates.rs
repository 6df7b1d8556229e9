//! Values that the shell offers for completion: those that this computer knows, without a request to a server.

use std::path::PathBuf;

use clap::{Arg, Command};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;
use jiff::tz::TimeZone;

use crate::connect::config_file;
use crate::journal::{LATEST, RunStore};
use crate::model::CALENDAR_TYPES;
use crate::settings::state_dir;

use super::command_line;
use super::error::CliError;

/// The variable through which the shell asks. Not the usual `COMPLETE`, which can be set for other reasons.
const VARIABLE: &str = "SYNCFILTERS_COMPLETE";
/// The name of the program.
const PROGRAM: &str = "syncfilters";
/// The most runs that are offered, the newest first: a few screens.
const RUNS: usize = 50;
/// Types besides those of the calendar for which there are Outlook filters (Microsoft: "Offline and Outlook filters and
/// templates").
const OTHER_TYPES: [&str; 7] = [
    "all",
    "contact",
    "task",
    "letter",
    "fax",
    "phonecall",
    "activitypointer",
];

/// Answers a question of the shell, and ends the process then.
pub(super) fn answer() {
    CompleteEnv::with_factory(command_line::command)
        .var(VARIABLE)
        .complete();
}

/// The script that a shell reads once, so that it asks this program.
pub(super) fn registration(shell: clap_complete::Shell) -> Result<Vec<u8>, CliError> {
    let (shells, name) = (Shells::builtins(), shell.to_string());
    let Some(completer) = shells.completer(&name) else {
        return Err(CliError::Unexpected(
            "there are no completions for this shell".into(),
        ));
    };
    let mut text = Vec::new();
    completer
        .write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut text)
        .map_err(CliError::Output)?;
    Ok(text)
}

/// The command line with values for each option, by its name.
pub(super) fn with_candidates(command: Command) -> Command {
    command.mut_args(with_own).mut_subcommands(with_candidates)
}

fn with_own(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "run" => arg.add(ArgValueCandidates::new(runs)),
        "environment" | "confirm_environment" => arg.add(ArgValueCandidates::new(environments)),
        "types" => arg.add(ArgValueCandidates::new(types)),
        #[cfg(feature = "sandbox")]
        "switches" => arg.add(ArgValueCandidates::new(switches)),
        #[cfg(feature = "sandbox")]
        "fault" => arg.add(ArgValueCandidates::new(faults)),
        _ => arg,
    }
}

/// The value of a variable. Options of the line being typed are not known here.
fn variable(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name)?;
    (!value.is_empty()).then(|| PathBuf::from(value))
}

/// Ids of runs, each with its operation. Names from elsewhere are not included, because the terminal would show them.
fn runs() -> Vec<CompletionCandidate> {
    let folder = state_dir(variable("SYNCFILTERS_STATE_DIR").as_deref());
    let listed = folder
        .ok()
        .and_then(|folder| RunStore::new(&folder).list().ok());
    let zone = TimeZone::system();
    let newest = listed.into_iter().flat_map(|(runs, _)| runs).take(RUNS);
    let runs = newest.map(|run| {
        let header = run.header;
        let began = header.started.to_zoned_datetime(zone.clone());
        let what = format!("{}, {}", header.operation, began.strftime("%Y-%m-%d %H:%M"));
        CompletionCandidate::new(header.id.short()).help(Some(what.into()))
    });
    let latest = CompletionCandidate::new(LATEST).help(Some("the run that was begun last".into()));
    std::iter::once(latest).chain(runs).collect()
}

/// Names of the configuration file.
fn environments() -> Vec<CompletionCandidate> {
    let file = config_file(variable("SYNCFILTERS_CONFIG").as_deref());
    let names = file.into_iter().flat_map(|file| file.environments);
    names
        .map(|(name, _)| CompletionCandidate::new(name))
        .collect()
}

fn types() -> Vec<CompletionCandidate> {
    let all = CALENDAR_TYPES.iter().chain(&OTHER_TYPES);
    all.map(|name| CompletionCandidate::new(*name)).collect()
}

#[cfg(feature = "sandbox")]
fn switches() -> Vec<CompletionCandidate> {
    let all = crate::sandbox::Switch::ALL.iter();
    all.map(|switch| CompletionCandidate::new(switch.to_string()))
        .collect()
}

#[cfg(feature = "sandbox")]
fn faults() -> Vec<CompletionCandidate> {
    let all = crate::sandbox::Fault::ALL.iter();
    let faults = all.map(|fault| CompletionCandidate::new(format!("{fault}=")));
    std::iter::once(CompletionCandidate::new("standard"))
        .chain(faults)
        .collect()
}
