//! The phases of a run, in their only order.

use std::time::Duration;

use crate::journal::{HistoryEntry, HistoryKind};
use crate::model::{Outcome, Target};
use crate::plan::{CriteriaError, RunSettings};

use super::drift::Drift;
use super::run::{EndedRun, Halted, Run};
use super::{RolloutError, SurveyedAs};

/// A new run, whose users are not collected yet.
pub type Created = Run<states::Created>;
/// A run whose users are collected and not all read.
pub type Gathered = Run<states::Gathered>;
/// A run that was read and leaves no file. It cannot lead to a write.
pub type ReadOnlySurvey = Run<states::ReadOnlySurvey>;
/// A plan that was made earlier and has to be compared with the environment.
pub type SavedPlan = Run<states::SavedPlan>;
/// A run with a plan, or with what is left of one.
pub type Planned = Run<states::Planned>;
/// A run that has ended, and is still open.
pub type Finished = Run<states::Finished>;

/// The data of each phase, besides the run.
pub(super) mod states {
    use crate::model::Outcome;
    use crate::rollout::SurveyedAs;

    /// See [`super::Created`].
    #[derive(Debug)]
    pub struct Created;
    /// See [`super::Gathered`].
    #[derive(Debug)]
    pub struct Gathered;
    /// See [`super::ReadOnlySurvey`].
    #[derive(Debug)]
    pub struct ReadOnlySurvey(pub(crate) SurveyedAs);
    /// See [`super::SavedPlan`].
    #[derive(Debug)]
    pub struct SavedPlan;
    /// See [`super::Planned`].
    #[derive(Debug)]
    pub struct Planned(pub(crate) SurveyedAs);
    /// See [`super::Finished`].
    #[derive(Debug)]
    pub struct Finished(pub(crate) Option<Outcome>);
}

impl Created {
    /// Collects the users.
    pub async fn gather(self) -> Result<Gathered, Halted> {
        let gathered = match &self.header().undoes {
            // The rows of an undo are copied when it is created, so there is nothing to continue with.
            Some(undoes) => Err(RolloutError::UndoNotBegun {
                undoes: undoes.clone(),
            }),
            None if self.header().target == Target::Templates => {
                Err(RolloutError::TemplatesNotPlanned)
            }
            None => self.rollout.gather().await,
        };
        self.then(gathered, |()| states::Gathered).await
    }
}

impl Gathered {
    /// Proves that the server honours impersonation, reads the filters, and plans.
    pub async fn survey(self) -> Result<Planned, Halted> {
        let surveyed = match self.header().target {
            Target::Filters => self.rollout.prove_and_survey().await,
            Target::Templates => {
                let surveyed = Box::pin(self.rollout.survey_templates()).await;
                surveyed.map(|()| SurveyedAs::Asked)
            }
        };
        self.then(surveyed, states::Planned).await
    }
}

impl SavedPlan {
    /// Compares the plan with the environment.
    ///
    /// # Errors
    /// [`RolloutError::Stale`] or [`RolloutError::StaleTemplates`] where something differs. The plan is kept.
    pub async fn compare(self) -> Result<Planned, Halted> {
        let compared = match self.header().target {
            Target::Filters => self.rollout.check_drift().await,
            Target::Templates => self.rollout.check_template_drift().await,
        };
        self.then(compared, |()| states::Planned(SurveyedAs::Asked))
            .await
    }

    /// Plans the users whose filters differ again.
    pub async fn replan(self) -> Result<(Planned, Drift), Halted> {
        let replanned = match self.header().target {
            Target::Filters => self.rollout.replan().await,
            Target::Templates => {
                let surveyed = Box::pin(self.rollout.survey_templates()).await;
                surveyed.map(|()| Drift::default())
            }
        };
        match replanned {
            Ok(differences) => {
                let state = states::Planned(SurveyedAs::Asked);
                Ok((self.into_phase(state), differences))
            }
            Err(why) => Err(self.halt(why).await),
        }
    }
}

impl Planned {
    /// How the filters were read.
    pub fn surveyed_as(&self) -> &SurveyedAs {
        &self.state.0
    }

    /// Keeps the plan for later; if nothing is to be changed, the run ends.
    pub async fn keep(self) -> Result<EndedRun, Halted> {
        let left = match self.journal().items_to_change().await {
            Ok(left) => left,
            Err(error) => return Err(self.halt(error.into()).await),
        };
        if left == 0 {
            return self.finish().await;
        }
        let begun = match self.journal().has_written().await {
            Ok(begun) => begun,
            Err(error) => return Err(self.halt(error.into()).await),
        };
        let outcome = if begun {
            Outcome::Stopped
        } else {
            Outcome::Planned
        };
        match self.leave(outcome, HistoryKind::Planned, None).await {
            Ok(()) => Ok(self.close(outcome, false)),
            Err(why) => Err(self.halt(why).await),
        }
    }

    /// Closes a run that was only shown: a new plan is removed, and an opened one stays as it was.
    pub async fn set_aside(self) -> Result<EndedRun, Halted> {
        if self.rollout.file.is_copy() {
            let outcome = self.header().outcome.unwrap_or(Outcome::Planned);
            return Ok(self.close(outcome, false));
        }
        let mut run = self.keep().await?;
        run.forget();
        Ok(run)
    }

    /// The settings that hold: those in the file, overridden by this command.
    pub fn settings(&self) -> &RunSettings {
        &self.rollout.settings
    }

    /// The pause between two waves; none where the user is asked about each.
    pub fn wave_pause(&self) -> Option<Duration> {
        self.rollout.settings.wave_pause
    }
}

/// An ended run, after requeuing its failed users.
#[derive(Debug)]
pub enum Retry {
    /// Users who failed are read and changed again.
    Again(Gathered),
    /// It stays ended, because no user failed.
    NobodyFailed(EndedRun),
}

impl Finished {
    /// Requeues what failed, so that it is tried again.
    pub async fn retry_failed(self) -> Result<Retry, Halted> {
        let outcome = self.state.0.unwrap_or(Outcome::Complete);
        if outcome != Outcome::Partial {
            return Ok(Retry::NobodyFailed(self.close(outcome, false)));
        }
        match self.journal().requeue_failed().await {
            Ok(0) => Ok(Retry::NobodyFailed(self.close(outcome, false))),
            Ok(_) => Ok(Retry::Again(self.into_phase(states::Gathered))),
            Err(error) => Err(self.halt(error.into()).await),
        }
    }
}

impl From<CriteriaError> for RolloutError {
    fn from(error: CriteriaError) -> Self {
        // The criteria of a run file were checked when it was written.
        Self::Stopped(super::StopReason::Defect(error.to_string()))
    }
}

/// An entry of the history with the numbers of what is left.
pub(super) fn entry(
    kind: HistoryKind,
    left: &crate::journal::Left,
    detail: Option<String>,
) -> HistoryEntry {
    HistoryEntry {
        digest: Some(left.digest.clone()),
        users: Some(left.users),
        filters: Some(left.filters),
        ..HistoryEntry::now(kind, detail)
    }
}
