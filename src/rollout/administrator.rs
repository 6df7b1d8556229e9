//! The faster survey, for callers who may see other users' filters: many users in one request, without
//! impersonation. It is proved on a sample before it is used; writes are impersonated nevertheless.

use std::fmt;
use std::sync::Arc;

use crate::dataverse::{self, Columns};
use crate::journal::RunUser;
use crate::model::{Filter, UserId};
use crate::plan::foreign_row;

use super::RolloutError;
use super::pool::Numbered;
use super::session::Rollout;
use super::user_filters::UserFilters;

/// Users in one request. Microsoft advises to start with small batches ("Service protection API limits"),
/// because their operations are executed one after the other.
const USERS_AT_ONCE: usize = 20;
/// The number of users with filters on which both surveys have to agree. If the administrator's view hides rows of many
/// users, five show it; if of few, each row is still read again as its user before it is written.
const SAMPLE: usize = 5;
/// The number of users who are read to find the sample: enough where only one in five has filters. As in `prove`.
const TRIES: usize = 25;

/// How the filters were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SurveyedAs {
    /// In the mode that was asked for.
    Asked,
    /// As each user, although the administrator's survey was asked for.
    FellBack(FallBack),
}

/// Why the administrator's survey cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FallBack {
    /// There was no user with filters to compare.
    NoSample,
    /// The caller sees other rows than a user.
    Differs {
        /// The name of that user.
        user: String,
    },
    /// The server refused.
    Refused(String),
}

/// The result of comparing both surveys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AdministratorProof {
    /// Both surveys see the same with these columns.
    Agrees(Columns),
    /// The users have to be read one by one.
    FallBack(FallBack),
}

impl fmt::Display for FallBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSample => f.write_str("no user with filters was found to compare with"),
            Self::Differs { user } => {
                write!(f, "of {user} the caller sees other filters than the user")
            }
            Self::Refused(why) => f.write_str(why),
        }
    }
}

impl Numbered for Vec<RunUser> {
    fn seq(&self) -> i64 {
        self.last().map_or(0, |run_user| run_user.seq)
    }
}

impl Rollout {
    /// Whether, and with which columns, the administrator's survey sees the same as the users.
    pub(super) async fn prove_administrator(&self) -> Result<AdministratorProof, RolloutError> {
        let sample = self.sample().await?;
        let mut why = FallBack::NoSample;
        if sample.is_empty() {
            return Ok(AdministratorProof::FallBack(why));
        }
        for columns in [self.columns(), Columns::All] {
            match self.compare(&sample, columns).await? {
                None => return Ok(AdministratorProof::Agrees(columns)),
                Some(differs) => why = differs,
            }
        }
        Ok(AdministratorProof::FallBack(why))
    }

    /// Some users with the filters that they see.
    async fn sample(&self) -> Result<Vec<(RunUser, Vec<Filter>)>, RolloutError> {
        let caller = self.reader.identity().caller.id;
        let mut sample = Vec::new();
        for run_user in self.journal().to_survey(0, TRIES).await? {
            if run_user.id == caller {
                continue;
            }
            if let UserFilters::Read(filters) = self.read_user(&run_user).await?
                && !filters.is_empty()
            {
                sample.push((run_user, filters));
            }
            if sample.len() == SAMPLE {
                break;
            }
        }
        Ok(sample)
    }

    /// How the administrator's survey differs from the sample; `None` where it does not.
    async fn compare(
        &self,
        sample: &[(RunUser, Vec<Filter>)],
        columns: Columns,
    ) -> Result<Option<FallBack>, RolloutError> {
        let run_users: Vec<_> = sample
            .iter()
            .map(|(run_user, _)| run_user.clone())
            .collect();
        let seen = match self.read_as_administrator(&run_users, columns).await {
            Ok(seen) => seen,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => return Ok(Some(FallBack::Refused(error.to_string()))),
        };
        let differs = sample.iter().zip(seen).find(|((_, own), seen)| {
            let seen = seen.as_deref().unwrap_or_default();
            sorted(own) != sorted(seen)
        });
        Ok(differs.map(|((run_user, _), _)| FallBack::Differs {
            user: run_user.label.clone(),
        }))
    }

    /// The filters of all kinds that match the run's criteria; `None` where a user has to be read by impersonation.
    async fn read_as_administrator(
        &self,
        run_users: &[RunUser],
        columns: Columns,
    ) -> Result<Vec<Option<Vec<Filter>>>, dataverse::Error> {
        let users: Vec<UserId> = run_users.iter().map(|run_user| run_user.id).collect();
        let mut all: Vec<Option<Vec<Filter>>> = vec![Some(Vec::new()); users.len()];
        for &kind in self.header().criteria.kinds() {
            let more = self
                .reader
                .filters_as_administrator(&users, kind, columns)
                .await?;
            for (all, more) in all.iter_mut().zip(more) {
                *all = all.take().zip(more).map(|(mut all, more)| {
                    all.extend(more);
                    all
                });
            }
        }
        Ok(all)
    }

    /// Reads all users who were not surveyed yet, several in a request.
    pub(super) async fn survey_as_administrator(
        self: &Arc<Self>,
        columns: Columns,
    ) -> Result<(), RolloutError> {
        let next = |after, limit| {
            let this = Arc::clone(self);
            async move {
                let run_users = this.journal().to_survey(after, limit).await?;
                let groups = run_users.chunks(USERS_AT_ONCE).map(<[RunUser]>::to_vec);
                Ok(groups.collect())
            }
        };
        let work = |run_users: Vec<RunUser>| {
            let this = Arc::clone(self);
            async move { this.survey_group(run_users, columns).await }
        };
        self.pool().for_each(next, work).await
    }

    async fn survey_group(
        &self,
        run_users: Vec<RunUser>,
        columns: Columns,
    ) -> Result<(), RolloutError> {
        let seen = match self.read_as_administrator(&run_users, columns).await {
            Ok(seen) => seen,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(_) => vec![None; run_users.len()],
        };
        for (run_user, filters) in run_users.into_iter().zip(seen) {
            match filters {
                Some(filters) if is_plausible(&run_user, &filters) => {
                    self.record(&run_user, UserFilters::Read(filters)).await?;
                }
                // Anything unusual is read again, as the user.
                Some(_) | None => self.survey_user(&run_user).await?,
            }
        }
        Ok(())
    }
}

fn is_plausible(run_user: &RunUser, filters: &[Filter]) -> bool {
    let empty = filters.is_empty() && run_user.filters_populated;
    !empty && foreign_row(filters, run_user.id).is_none()
}

/// Sorts by id, without the queries, which are not always read.
fn sorted(filters: &[Filter]) -> Vec<Filter> {
    let without = |filter: &Filter| Filter {
        query: None,
        ..filter.clone()
    };
    let mut filters: Vec<_> = filters.iter().map(without).collect();
    filters.sort_by_key(|filter| filter.id);
    filters
}
