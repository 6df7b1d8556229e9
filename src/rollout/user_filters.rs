//! Reads the filters of one user.

use crate::dataverse::{self, Impersonated, ServerFault, fault_problem};
use crate::journal::RunUser;
use crate::model::{Filter, Problem, ProblemKind, Stage};
use crate::plan::foreign_row;

use super::RolloutError;
use super::session::Rollout;

/// The result of reading one user's filters.
pub(super) enum UserFilters {
    /// They were read and belong to this user.
    Read(Vec<Filter>),
    /// They cannot be read; the run continues with other users.
    Failed(Problem),
}

impl Rollout {
    /// Reads a user's filters and checks that they belong to this user.
    pub(super) async fn read_user(&self, run_user: &RunUser) -> Result<UserFilters, RolloutError> {
        let who = Impersonated::from(run_user);
        let mut filters = Vec::new();
        for &kind in self.header().criteria.kinds() {
            match self.reader.filters(&who, kind, self.columns()).await {
                Ok(more) => filters.extend(more),
                Err(error) => return Ok(UserFilters::Failed(self.user_problem(run_user, error)?)),
            }
        }
        if let Some(row) = foreign_row(&filters, run_user.id) {
            let message = format!(
                "the answer held filter {} of another owner, {}",
                row.id, row.owner
            );
            let problem = Problem::seen(Stage::Survey, ProblemKind::ForeignRow, message);
            return Ok(UserFilters::Failed(problem.about(row.id)));
        }
        if filters.is_empty() && run_user.filters_populated {
            return self.explain_nothing(&who, run_user).await;
        }
        Ok(UserFilters::Read(filters))
    }

    /// For a user who has filters of which none was seen: checks whether the user was really impersonated.
    async fn explain_nothing(
        &self,
        who: &Impersonated,
        run_user: &RunUser,
    ) -> Result<UserFilters, RolloutError> {
        let problem = match self.proof().acting_as(&self.reader, who).await {
            Ok(user) if user == run_user.id => return Ok(UserFilters::Read(Vec::new())),
            Ok(user) => {
                let message = format!("asked as this user, the server answered as {user}");
                let kind = ProblemKind::ImpersonationDropped;
                Problem::seen(Stage::Survey, kind, message)
            }
            Err(error) => self.user_problem(run_user, error)?,
        };
        Ok(UserFilters::Failed(problem))
    }

    /// The error of one user becomes that user's problem; any other error stops the run.
    fn user_problem(
        &self,
        run_user: &RunUser,
        error: dataverse::Error,
    ) -> Result<Problem, RolloutError> {
        if error.is_fatal() {
            return Err(error.into());
        }
        let dropped = error
            .fault()
            .is_some_and(|fault| self.is_dropped(run_user, fault));
        let mut problem = error.into_problem(Stage::Survey);
        if dropped {
            problem.kind = ProblemKind::ImpersonationDropped;
        }
        Ok(problem)
    }

    fn is_dropped(&self, run_user: &RunUser, fault: &ServerFault) -> bool {
        let caller = self.reader.identity().caller.id;
        fault.is_impersonation_dropped(run_user.id, caller)
    }

    /// The refusal of a request of one user, as that user's problem.
    pub(super) fn refusal(&self, run_user: &RunUser, stage: Stage, fault: &ServerFault) -> Problem {
        let mut problem = fault_problem(stage, fault);
        if self.is_dropped(run_user, fault) {
            problem.kind = ProblemKind::ImpersonationDropped;
        }
        problem
    }
}
