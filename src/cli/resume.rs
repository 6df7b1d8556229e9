//! `apply` and `resume`: going on with a run that has a file.

use crate::journal::{Journal, Phase, RunFile, RunReader};
use crate::model::{Operation, Outcome};
use crate::plan::PlanDigest;
use crate::rollout::{RolloutError, SurveyMode};

use super::App;
use super::args::{ApplyArgs, SavedPlanArgs};
use super::connect::{connect, store, target};
use super::consent::{self, Consent};
use super::driver::Driver;
use super::error::CliError;
use super::exit::Exit;

/// Applies a saved plan, where it still fits.
pub(super) async fn apply(app: &App, args: &SavedPlanArgs) -> Result<Exit, CliError> {
    let run = &args.run.run;
    let path = store(&app.output)?.find(run)?;
    match RunReader::open(&path)?.head.phase {
        Phase::Gathering | Phase::Surveying => Err(CliError::Usage(format!(
            "the plan of run {run} is not complete; `syncfilters resume {run}` completes it"
        ))),
        Phase::Applying => Err(CliError::Usage(format!(
            "run {run} has begun to make changes; `syncfilters resume {run}` goes on"
        ))),
        Phase::Planned | Phase::Finished => {
            let saved = Saved {
                replan: args.replan,
                expect: args.expect.as_ref(),
            };
            go_on(app, &args.run, &saved).await
        }
    }
}

/// Goes on from wherever the run was left.
pub(super) async fn resume(app: &App, args: &ApplyArgs) -> Result<Exit, CliError> {
    go_on(app, args, &Saved::default()).await
}

/// What is demanded of a saved plan.
#[derive(Default)]
struct Saved<'a> {
    /// Whether to plan anew where it no longer fits.
    replan: bool,
    /// The digest that it has to have when it is applied.
    expect: Option<&'a PlanDigest>,
}

impl Saved<'_> {
    /// Refuses a plan with another digest; `found` is read only where it matters.
    async fn check(&self, journal: &Journal) -> Result<(), CliError> {
        let Some(expected) = self.expect else {
            return Ok(());
        };
        let found = journal.digest().await?;
        if found == *expected {
            return Ok(());
        }
        Err(CliError::OtherPlan {
            found,
            expected: expected.clone(),
        })
    }
}

async fn go_on(app: &App, args: &ApplyArgs, saved: &Saved<'_>) -> Result<Exit, CliError> {
    let path = store(&app.output)?.find(&args.run)?;
    let file = RunFile::open(&path)?;
    let (phase, outcome) = (file.head.phase, file.head.outcome);
    let target = target(&args.connection, Some(&file.head.environment))?;
    let consent = Consent::new(&args.consent, target.guards.clone());
    let finished = phase == Phase::Finished;
    if finished && outcome != Some(Outcome::Partial) {
        return Ok(nothing_left(app, outcome));
    }
    if finished || phase < Phase::Applying {
        consent::foresee(&consent, false)?;
    }
    if !saved.replan {
        // Before anything is asked of the server.
        saved.check(&file.journal).await?;
    }
    let reader = connect(target, &app.interrupted).await?;
    let driver = Driver::new(&app.printer, reader, file, &app.interrupted)?;
    let planned = match phase {
        Phase::Gathering => {
            gather(app, &driver).await?;
            driver.survey(SurveyMode::Impersonation).await
        }
        Phase::Surveying => driver.survey(SurveyMode::Impersonation).await,
        Phase::Planned if saved.replan => driver.replan().await?,
        Phase::Planned => driver.stretch(driver.rollout().check_fits()).await,
        Phase::Applying => return driver.apply(&consent).await,
        Phase::Finished => match driver.rollout().journal().set_back_failed().await? {
            0 => return Ok(nothing_left(app, outcome)),
            users => {
                let plural = if users == 1 { "" } else { "s" };
                app.printer
                    .say(&format!("Trying again {users} user{plural} who failed."));
                driver.survey(SurveyMode::Impersonation).await
            }
        },
    };
    match planned {
        Ok(()) => {
            saved.check(driver.rollout().journal()).await?;
            driver.agree_and_apply(&consent).await
        }
        stopped => driver.end(stopped).await,
    }
}

fn nothing_left(app: &App, outcome: Option<Outcome>) -> Exit {
    app.printer
        .say("This run is finished; nothing is left to do.");
    Exit::of_outcome(outcome.unwrap_or(Outcome::Complete))
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
