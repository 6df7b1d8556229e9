//! Reading the filters of every user, and what that means for the plan.

use std::sync::Arc;

use crate::dataverse::{self, Impersonated, ServerFault, fault_problem};
use crate::journal::{Phase, RunUser, Surveyed, UndoFinding};
use crate::model::{Filter, Problem, ProblemKind, Stage};
use crate::plan::{Change, RowDecision, UserPlan, foreign_row, plan_user};

use super::pool::Numbered;
use super::progress::RunStep;
use super::session::Rollout;
use super::{RolloutError, SurveyMode, SurveyedAs};

impl Numbered for RunUser {
    fn seq(&self) -> i64 {
        self.seq
    }
}

/// What one user's filters mean for the plan: every filter that was read, whether the run is about it, and what is
/// to become of it.
pub(super) enum SurveyedFilters {
    /// Deactivate and reactivate.
    Changes(Surveyed),
    /// Undo.
    Undo(Vec<(Filter, bool)>, Vec<UndoFinding>),
}

impl SurveyedFilters {
    /// The changes to make.
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
    /// Proves impersonation, and reads.
    pub(super) async fn prove_and_survey(self: &Arc<Self>) -> Result<SurveyedAs, RolloutError> {
        self.prove().await?;
        self.ask_for_versions().await?;
        self.survey().await
    }

    /// Reads the filters of every user who was not surveyed yet, and plans each user's changes.
    ///
    /// Where the administrator's survey was asked for and does not see what the users see, each user is asked
    /// as himself after all, and the answer says why.
    pub(super) async fn survey(self: &Arc<Self>) -> Result<SurveyedAs, RolloutError> {
        let users = self.journal().user_totals().await?.planned;
        self.progress.begin(RunStep::Survey, Some(users));
        self.read_impact_context().await?;
        let surveyed_as = match self.settings.survey {
            SurveyMode::Impersonation => {
                self.recording(self.survey_as_each_user()).await?;
                SurveyedAs::Asked
            }
            SurveyMode::Administrator => match self.prove_administrator().await? {
                Ok(columns) => {
                    self.recording(self.survey_as_administrator(columns))
                        .await?;
                    SurveyedAs::Asked
                }
                Err(why) => {
                    self.recording(self.survey_as_each_user()).await?;
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
        let work = |subject: RunUser| {
            let this = Arc::clone(self);
            async move { this.survey_user(&subject).await }
        };
        self.pool().for_each(next, work).await
    }

    pub(super) async fn survey_user(&self, subject: &RunUser) -> Result<(), RolloutError> {
        let found = self.read_user(subject).await?;
        self.record(subject, found).await
    }

    /// Records what was found of one user, and what that means for the plan.
    pub(super) async fn record(
        &self,
        subject: &RunUser,
        found: Result<Vec<Filter>, Problem>,
    ) -> Result<(), RolloutError> {
        let problem = match found {
            Ok(filters) => {
                self.plan_and_record(subject, filters).await?;
                None
            }
            Err(problem) => {
                let kind = problem.kind;
                self.journal().survey_failed(subject.seq, problem).await?;
                Some(kind)
            }
        };
        let failed = problem.is_some();
        self.progress.user(failed);
        self.count(problem)
    }

    /// A user's filters, checked to be this user's own; or the problem that this user has.
    pub(super) async fn read_user(
        &self,
        subject: &RunUser,
    ) -> Result<Result<Vec<Filter>, Problem>, RolloutError> {
        let who = Impersonated::from(subject);
        let mut filters = Vec::new();
        for &kind in self.header().criteria.kinds() {
            match self.reader.filters(&who, kind, self.columns()).await {
                Ok(more) => filters.extend(more),
                Err(error) => return self.user_problem(subject, error),
            }
        }
        if let Some(row) = foreign_row(&filters, subject.id) {
            let message = format!(
                "the answer held filter {} of another owner, {}",
                row.id, row.owner
            );
            let problem = Problem::seen(Stage::Survey, ProblemKind::ForeignRow, message);
            return Ok(Err(problem.about(row.id)));
        }
        if filters.is_empty() && subject.filters_populated {
            return self.explain_nothing(&who, subject).await;
        }
        Ok(Ok(filters))
    }

    /// A user who is said to have filters, and of whom none was seen: was it really asked as this user?
    async fn explain_nothing(
        &self,
        who: &Impersonated,
        subject: &RunUser,
    ) -> Result<Result<Vec<Filter>, Problem>, RolloutError> {
        match self.proof().acting_as(&self.reader, who).await {
            Ok(user) if user == subject.id => Ok(Ok(Vec::new())),
            Ok(user) => {
                let message = format!("asked as this user, the server answered as {user}");
                let kind = ProblemKind::ImpersonationDropped;
                Ok(Err(Problem::seen(Stage::Survey, kind, message)))
            }
            Err(error) => self.user_problem(subject, error),
        }
    }

    /// An error of one user is that user's problem; any other stops the run.
    fn user_problem<T>(
        &self,
        subject: &RunUser,
        error: dataverse::Error,
    ) -> Result<Result<T, Problem>, RolloutError> {
        if error.is_fatal() {
            return Err(error.into());
        }
        let dropped = error
            .fault()
            .is_some_and(|fault| self.is_dropped(subject, fault));
        let mut problem = error.into_problem(Stage::Survey);
        if dropped {
            problem.kind = ProblemKind::ImpersonationDropped;
        }
        Ok(Err(problem))
    }

    fn is_dropped(&self, subject: &RunUser, fault: &ServerFault) -> bool {
        let caller = self.reader.identity().caller.id;
        fault.is_impersonation_dropped(subject.id, caller)
    }

    /// A refusal as a problem of one user, whose own request it was.
    pub(super) fn refusal(&self, subject: &RunUser, stage: Stage, fault: &ServerFault) -> Problem {
        let mut problem = fault_problem(stage, fault);
        if self.is_dropped(subject, fault) {
            problem.kind = ProblemKind::ImpersonationDropped;
        }
        problem
    }

    async fn plan_and_record(
        &self,
        subject: &RunUser,
        filters: Vec<Filter>,
    ) -> Result<(), RolloutError> {
        let (journal, seq) = (self.journal(), subject.seq);
        match self.plan_one(subject, filters).await? {
            SurveyedFilters::Changes(surveyed) => journal.surveyed(surveyed).await?,
            SurveyedFilters::Undo(filters, findings) => {
                journal.undo_surveyed(seq, filters, findings).await?;
            }
        }
        Ok(())
    }

    /// What one user's filters mean for the plan.
    pub(super) async fn plan_one(
        &self,
        subject: &RunUser,
        filters: Vec<Filter>,
    ) -> Result<SurveyedFilters, RolloutError> {
        let Some(wanted) = self.header().operation.wanted() else {
            return self.plan_undo(subject, &filters).await;
        };
        let criteria = &self.header().criteria;
        let UserPlan { changes, .. } = plan_user(&filters, criteria, wanted);
        self.count_impact(subject, &filters, &changes).await?;
        let marked = filters.into_iter().map(|filter| {
            let matching = criteria.matches(&filter);
            (filter, matching)
        });
        Ok(SurveyedFilters::Changes(Surveyed {
            seq: subject.seq,
            filters: marked.collect(),
            changes,
        }))
    }
}
