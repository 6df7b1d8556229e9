//! Opens a run to continue it.

use std::sync::Arc;

use crate::journal::{Phase, RunFile, undone_beside};
use crate::plan::RunSettings;

use super::drift::Drift;
use super::phases::{Created, Finished, Gathered, Planned, Retry, SavedPlan, states};
use super::run::{EndedRun, Halted, Run};
use super::session::{Connection, Rollout};
use super::{RolloutError, SurveyedAs};

/// An opened run, by the phase in which it was left.
#[derive(Debug)]
pub enum Opened {
    /// Not all users are collected.
    Created(Created),
    /// Not all users are read.
    Gathered(Gathered),
    /// The plan is complete and nothing was changed.
    Saved(SavedPlan),
    /// Changes have begun.
    Begun(Planned),
    /// It has ended.
    Finished(Finished),
}

/// Opens a run to continue it; `flags` are the settings of this command.
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

/// What to do with a saved plan that differs from the environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drifted {
    /// Refuse it.
    #[default]
    Refuse,
    /// Plan the users whose filters differ again.
    Replan,
}

/// The plan of an opened run, or that there is none.
#[derive(Debug)]
pub enum IntoPlan {
    /// The plan, and its drift where it was planned again.
    Planned(Box<Planned>, Option<Drift>),
    /// The run has ended, and no user failed in it.
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

    /// For showing and controlling the run.
    pub fn handle(&self) -> super::RunHandle {
        self.run()
    }

    /// Leads a run of any phase to its plan, so that no caller has to know the order.
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
