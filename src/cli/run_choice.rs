//! Finds the run that the argument RUN names.

use crate::connect::{config_file, process_environment};
use crate::journal::{LATEST, RunPath, RunStore};

use super::error::CliError;
use super::runs::EnvironmentNames;
use super::runs_args::WhichRunsArgs;
use super::shared_args::ConnectionArgs;

/// Finds the named run; `latest` is the last one of the named environments, if there are any.
pub(super) fn find_run(
    store: &RunStore,
    run: &str,
    names: Option<&EnvironmentNames>,
) -> Result<RunPath, CliError> {
    let Some(names) = names.filter(|_| run == LATEST) else {
        return Ok(store.find(run)?);
    };
    let found = store.find_latest(|run| names.is_asked_for(run));
    names.refuse_unknown()?;
    Ok(found?)
}

/// The environments that a command about a run names, by flag or by variable; none where it names none.
pub(super) fn named_by(args: &ConnectionArgs) -> Result<Option<EnvironmentNames>, CliError> {
    let asked = if args.environment.is_empty() && args.url.is_none() {
        let variable = process_environment().variable;
        let has_address = variable("SYNCFILTERS_URL").is_some();
        let named = variable("SYNCFILTERS_ENVIRONMENT").filter(|_| !has_address);
        named.into_iter().collect()
    } else {
        args.environment.clone()
    };
    if asked.is_empty() {
        return Ok(None);
    }
    let file = config_file(args.config.as_deref())?;
    Ok(Some(EnvironmentNames::new(&file, &asked)))
}

/// As [`named_by`], for a command without requests to a server.
pub(super) fn named_in(which: &WhichRunsArgs) -> Result<Option<EnvironmentNames>, CliError> {
    if which.environment.is_empty() {
        return Ok(None);
    }
    EnvironmentNames::read(which).map(Some)
}
