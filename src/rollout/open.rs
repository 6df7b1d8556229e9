//! Opening a run to go on with it.

use std::sync::Arc;

use crate::journal::{Phase, RunFile, undone_beside};
use crate::plan::RunSettings;

use super::drift::Drift;
use super::phases::{Created, Finished, Gathered, Planned, Retry, SavedPlan, states};
use super::run::{EndedRun, Halted, Run};
use super::session::{Connection, Rollout};
use super::{RolloutError, SurveyedAs};

/// A run that was opened, by the phase in which it was left.
#[derive(Debug)]
pub enum Opened {
    /// Its users are not all collected.
    Created(Created),
    /// Its users are not all read.
    Gathered(Gathered),
    /// Its plan is complete and nothing was changed.
    Saved(SavedPlan),
    /// Changes were begun.
    Begun(Planned),
    /// It has ended.
    Finished(Finished),
}

/// Opens a run to go on with it; `flags` is what this command says of how it is carried out.
///
/// # Errors
/// Where the run belongs to another organisation.
pub async fn open(
    file: RunFile,
    on: &Connection,
    flags: RunSettings,
) -> Result<Opened, RolloutError> {
    let mut rollout = Rollout::new(on, file, flags)?;
    rollout.is_new = false;
    rollout.undone_beside = undone_beside(rollout.journal().path(), rollout.header())?;
    let kept = rollout.journal().settings().await?;
    let begun = rollout.header().phase > Phase::Planned;
    rollout.settings_unknown = begun && kept.is_none();
    let mut settings = kept.unwrap_or_default().overridden_by(&rollout.flags);
    if !rollout.flags.waves.is_empty() {
        settings.first_wave = rollout.journal().next_wave_number().await?;
    }
    rollout.settings = settings;
    let (phase, outcome) = (rollout.header().phase, rollout.header().outcome);
    let rollout = Arc::new(rollout);
    Ok(match phase {
        Phase::Gathering => Opened::Created(Run {
            rollout,
            state: states::Created,
        }),
        Phase::Surveying => Opened::Gathered(Run {
            rollout,
            state: states::Gathered,
        }),
        Phase::Planned => Opened::Saved(Run {
            rollout,
            state: states::SavedPlan,
        }),
        Phase::Applying => Opened::Begun(Run {
            rollout,
            state: states::Planned(SurveyedAs::Asked),
        }),
        Phase::Finished => Opened::Finished(Run {
            rollout,
            state: states::Finished(outcome),
        }),
    })
}

/// What to do with a saved plan that is not as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drifted {
    /// Refuse it.
    #[default]
    Refuse,
    /// Plan anew the users whose filters differ.
    Replan,
}

/// What leads an opened run to its plan, or that there is nothing to lead on.
#[derive(Debug)]
pub enum IntoPlan {
    /// The plan, and how it differs from the one that was saved, where that was asked for.
    Planned(Box<Planned>, Option<Drift>),
    /// The run has ended, and nobody failed in it.
    Nothing(EndedRun),
}

impl Opened {
    fn run(&self) -> super::RunHandle {
        match self {
            Self::Created(run) => run.handle(),
            Self::Gathered(run) => run.handle(),
            Self::Saved(run) => run.handle(),
            Self::Begun(run) => run.handle(),
            Self::Finished(run) => run.handle(),
        }
    }

    /// Shows and steers the run.
    pub fn handle(&self) -> super::RunHandle {
        self.run()
    }

    /// Leads any run to its plan, whatever it was left in: no caller has to know the order.
    pub async fn into_plan(self, drifted: Drifted) -> Result<IntoPlan, Halted> {
        let planned = match self {
            Self::Created(created) => created.gather().await?.survey().await?,
            Self::Gathered(gathered) => gathered.survey().await?,
            Self::Begun(planned) => planned.with_checked_users().await?,
            Self::Saved(saved) if drifted == Drifted::Replan => {
                let (planned, differences) = saved.replan().await?;
                return Ok(IntoPlan::Planned(Box::new(planned), Some(differences)));
            }
            Self::Saved(saved) => saved.compare().await?,
            Self::Finished(finished) => match finished.retry_failed().await? {
                Retry::Again(gathered) => gathered.survey().await?,
                Retry::NobodyFailed(ended) => return Ok(IntoPlan::Nothing(ended)),
            },
        };
        Ok(IntoPlan::Planned(Box::new(planned), None))
    }
}
