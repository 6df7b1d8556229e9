//! Reads the filters of every user and plans the changes.

use std::sync::Arc;

use crate::journal::{Phase, RunUser, Surveyed, UndoFinding};
use crate::model::Filter;
use crate::plan::{Change, RowDecision, UserPlan, plan_user};

use super::administrator::AdministratorProof;
use super::pool::Numbered;
use super::progress::RunStep;
use super::session::Rollout;
use super::user_filters::UserFilters;
use super::{RolloutError, SurveyMode, SurveyedAs};

impl Numbered for RunUser {
    fn seq(&self) -> i64 {
        self.seq
    }
}

/// The plan for one user: every filter that was read, whether it matches the run's criteria, and what
/// to do with it.
pub(super) enum SurveyedFilters {
    /// Deactivate and reactivate.
    Changes(Surveyed),
    /// Undo.
    Undo(Vec<(Filter, bool)>, Vec<UndoFinding>),
}

impl SurveyedFilters {
    pub(super) fn changes(&self) -> Vec<Change> {
        match self {
            Self::Changes(surveyed) => surveyed.changes.clone(),
            Self::Undo(_, findings) => findings
                .iter()
                .filter_map(|(_, decision)| match decision {
                    RowDecision::Write(change) => Some(change.clone()),
                    RowDecision::Done(_) => None,
                })
                .collect(),
        }
    }
}

impl Rollout {
    /// Compares the users of a run from elsewhere, proves impersonation, and reads.
    pub(super) async fn prove_and_survey(self: &Arc<Self>) -> Result<SurveyedAs, RolloutError> {
        self.check_users().await?;
        self.prove().await?;
        self.ask_for_versions().await?;
        self.survey().await
    }

    /// Reads the filters of all users who were not surveyed yet, and plans their changes.
    ///
    /// Where the administrator's survey was asked for and does not see the same as the users, each user is read by
    /// impersonation instead, and the result says why.
    pub(super) async fn survey(self: &Arc<Self>) -> Result<SurveyedAs, RolloutError> {
        let users = self.journal().user_totals().await?.planned;
        self.progress.begin(RunStep::Survey, Some(users));
        self.read_impact_context().await?;
        let surveyed_as = match self.settings.survey {
            SurveyMode::Impersonation => {
                self.reading(self.survey_as_each_user()).await?;
                SurveyedAs::Asked
            }
            SurveyMode::Administrator => match self.prove_administrator().await? {
                AdministratorProof::Agrees(columns) => {
                    self.reading(self.survey_as_administrator(columns)).await?;
                    SurveyedAs::Asked
                }
                AdministratorProof::FallBack(why) => {
                    self.reading(self.survey_as_each_user()).await?;
                    SurveyedAs::FellBack(why)
                }
            },
        };
        self.journal().record_digest().await?;
        self.journal().set_phase(Phase::Planned).await?;
        self.record_requests().await?;
        self.progress.end();
        Ok(surveyed_as)
    }

    async fn survey_as_each_user(self: &Arc<Self>) -> Result<(), RolloutError> {
        let next = |after, limit| {
            let this = Arc::clone(self);
            async move { Ok(this.journal().to_survey(after, limit).await?) }
        };
        let work = |run_user: RunUser| {
            let this = Arc::clone(self);
            async move { this.survey_user(&run_user).await }
        };
        self.pool().for_each(next, work).await
    }

    pub(super) async fn survey_user(&self, run_user: &RunUser) -> Result<(), RolloutError> {
        let found = self.read_user(run_user).await?;
        self.record(run_user, found).await
    }

    /// Records the filters of one user, and the plan for them.
    pub(super) async fn record(
        &self,
        run_user: &RunUser,
        found: UserFilters,
    ) -> Result<(), RolloutError> {
        let problem = match found {
            UserFilters::Read(filters) => {
                self.plan_and_record(run_user, filters).await?;
                None
            }
            UserFilters::Failed(problem) => {
                let kind = problem.kind;
                self.journal().survey_failed(run_user.seq, problem).await?;
                Some(kind)
            }
        };
        let failed = problem.is_some();
        self.progress.user(failed);
        self.count(problem)
    }

    async fn plan_and_record(
        &self,
        run_user: &RunUser,
        filters: Vec<Filter>,
    ) -> Result<(), RolloutError> {
        let (journal, seq) = (self.journal(), run_user.seq);
        match self.plan_one(run_user, filters).await? {
            SurveyedFilters::Changes(surveyed) => journal.surveyed(surveyed).await?,
            SurveyedFilters::Undo(filters, findings) => {
                journal.undo_surveyed(seq, filters, findings).await?;
            }
        }
        Ok(())
    }

    /// The plan for one user's filters.
    pub(super) async fn plan_one(
        &self,
        run_user: &RunUser,
        filters: Vec<Filter>,
    ) -> Result<SurveyedFilters, RolloutError> {
        let Some(wanted) = self.header().operation.wanted() else {
            return self.plan_undo(run_user, &filters).await;
        };
        let criteria = &self.header().criteria;
        let UserPlan { changes, .. } = plan_user(&filters, criteria, wanted);
        self.count_impact(run_user, &filters, &changes).await?;
        let marked = filters.into_iter().map(|filter| {
            let matching = criteria.matches(&filter);
            (filter, matching)
        });
        Ok(SurveyedFilters::Changes(Surveyed {
            seq: run_user.seq,
            filters: marked.collect(),
            changes,
        }))
    }
}
