//! `apply` and `resume`: going on with a run that has a file.

use crate::journal::{Phase, RunFile, RunReader};
use crate::model::{Operation, Outcome};
use crate::rollout::{RolloutError, SurveyMode};

use super::App;
use super::args::ApplyArgs;
use super::connect::{connect, store, target};
use super::consent::{self, Consent};
use super::driver::Driver;
use super::error::CliError;
use super::exit::Exit;

/// Applies a saved plan, where it still fits.
pub(super) async fn apply(app: &App, args: &ApplyArgs) -> Result<Exit, CliError> {
    let path = store(&app.output)?.find(&args.run)?;
    let run = &args.run;
    match RunReader::open(&path)?.head.phase {
        Phase::Gathering | Phase::Surveying => Err(CliError::Usage(format!(
            "the plan of run {run} is not complete; `syncfilters resume {run}` completes it"
        ))),
        Phase::Applying => Err(CliError::Usage(format!(
            "run {run} has begun to make changes; `syncfilters resume {run}` goes on"
        ))),
        Phase::Planned | Phase::Finished => resume(app, args).await,
    }
}

/// Goes on from wherever the run was left.
pub(super) async fn resume(app: &App, args: &ApplyArgs) -> Result<Exit, CliError> {
    let path = store(&app.output)?.find(&args.run)?;
    let file = RunFile::open(&path)?;
    let (phase, outcome) = (file.head.phase, file.head.outcome);
    let target = target(&args.connection, Some(&file.head.environment))?;
    let consent = Consent::new(&args.consent, target.guards.clone());
    if phase < Phase::Applying {
        consent::foresee(&consent, false)?;
    }
    if phase == Phase::Finished {
        app.printer
            .say("This run is finished; nothing is left to do.");
        return Ok(Exit::of_outcome(outcome.unwrap_or(Outcome::Complete)));
    }
    let reader = connect(target, &app.interrupted).await?;
    let driver = Driver::new(&app.printer, reader, file, &app.interrupted)?;
    let planned = match phase {
        Phase::Gathering => {
            gather(app, &driver).await?;
            driver.survey(SurveyMode::Impersonation).await
        }
        Phase::Surveying => driver.survey(SurveyMode::Impersonation).await,
        Phase::Planned => driver.stretch(driver.rollout().check_fits()).await,
        Phase::Applying | Phase::Finished => {
            return driver.apply(&consent).await;
        }
    };
    match planned {
        Ok(()) => driver.agree_and_apply(&consent).await,
        stopped => driver.end(stopped).await,
    }
}

/// Collects the users again, from the environment or from the run that is being undone.
async fn gather(app: &App, driver: &Driver<'_>) -> Result<(), CliError> {
    let rollout = driver.rollout();
    let gathered: Result<(), RolloutError> = match &rollout.head().undoes {
        Some(undone) => {
            debug_assert_eq!(rollout.head().operation, Operation::Undo);
            let path = store(&app.output)?.find(undone.as_str())?;
            let source = RunReader::open_at_rest(&path)?;
            driver.stretch(rollout.gather_undo(&source)).await
        }
        None => driver.stretch(rollout.gather()).await,
    };
    Ok(gathered?)
}
