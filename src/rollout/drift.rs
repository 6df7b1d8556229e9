//! Whether a saved plan still matches the environment, and planning again where it does not.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::journal::PendingUser;
use crate::model::{Filter, FilterType};
use crate::plan::{Change, DriftKind, find_drift, is_current};

use super::RolloutError;
use super::drifted::DriftedFilter;
use super::progress::RunStep;
use super::session::Rollout;
use super::survey::SurveyedFilters;
use super::user_filters::UserFilters;

/// Drifted filters that a refusal shows; all are counted. With its other lines it fits a terminal of 24 lines.
const REFUSAL: usize = 10;
/// Drifted filters that are shown after planning again; all are counted. The run file contains the others.
const REPLAN: usize = 100;

/// How a plan differs from the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Users with a filter that differs.
    pub users: u64,
    /// Filters with another state or status.
    pub other: u64,
    /// Filters that no longer exist.
    pub gone: u64,
    /// Filters that are not in the plan.
    pub new: u64,
    /// Users who could not be read again: their part of the plan is unchanged.
    pub unread: u64,
    /// Examples of the filters.
    pub examples: Vec<DriftedFilter>,
}

/// What to do with a user whose filters were read again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Compare,
    Replan,
}

impl Purpose {
    const fn examples(self) -> usize {
        match self {
            Self::Compare => REFUSAL,
            Self::Replan => REPLAN,
        }
    }
}

impl Rollout {
    /// Reads all users of the plan again. A user who can no longer be read is not drift:
    /// applying the plan will report that.
    ///
    /// # Errors
    /// [`RolloutError::Stale`] where a filter has another state or status than in the plan, no longer exists, or
    /// is new and would have been in the plan.
    pub(super) async fn check_drift(self: &Arc<Self>) -> Result<(), RolloutError> {
        self.check_users().await?;
        let drift = self.read_again(Purpose::Compare).await?;
        match drift.total() {
            0 => Ok(()),
            count => Err(RolloutError::Stale {
                count,
                examples: drift.examples,
            }),
        }
    }

    /// Reads all users of the plan again, and plans them again. No other user is read, and
    /// nothing is written. The plan of a user who can no longer be read stays.
    pub(super) async fn replan(self: &Arc<Self>) -> Result<Drift, RolloutError> {
        self.check_users().await?;
        // Without impersonation no filter would be seen, and all would seem to be gone.
        self.require_proof().await?;
        self.read_again(Purpose::Replan).await
    }

    async fn read_again(self: &Arc<Self>, purpose: Purpose) -> Result<Drift, RolloutError> {
        let users = self.journal().users_to_change().await?;
        self.progress.begin(RunStep::Check, Some(users));
        let found = Arc::new(Mutex::new(Drift::default()));
        let next = |after, limit| {
            let this = Arc::clone(self);
            async move { Ok(this.journal().to_apply(after, limit).await?) }
        };
        let work = |user: PendingUser| {
            let (this, found) = (Arc::clone(self), Arc::clone(&found));
            async move {
                let drifted = this.read_user_again(user, purpose).await?;
                found
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .add(drifted, purpose.examples());
                this.progress.user(false);
                Ok(())
            }
        };
        self.reading(self.pool().for_each(next, work)).await?;
        self.journal().record_digest().await?;
        self.record_requests().await?;
        let found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
        let named = self.name_changers(found).await?;
        self.progress.end();
        Ok(named)
    }

    /// `None` where the user could not be read.
    async fn read_user_again(
        &self,
        user: PendingUser,
        purpose: Purpose,
    ) -> Result<Option<Vec<DriftedFilter>>, RolloutError> {
        let PendingUser { run_user, changes } = user;
        let UserFilters::Read(filters) = self.read_user(&run_user).await? else {
            return Ok(None);
        };
        let planned: Vec<_> = changes.into_iter().map(|pending| pending.change).collect();
        let anew = self.plan_one(&run_user, filters.clone()).await?;
        let drifted = if is_current(&planned, &anew.changes(), &filters) {
            Vec::new()
        } else {
            let (seq, changes) = (run_user.seq, anew.changes());
            let found = self
                .drifted_filters(seq, &planned, &changes, &filters)
                .await?;
            let label = |drifted| DriftedFilter {
                user: run_user.label.clone(),
                ..drifted
            };
            found.into_iter().map(label).collect()
        };
        if purpose == Purpose::Replan {
            let (journal, seq) = (self.journal(), run_user.seq);
            match anew {
                SurveyedFilters::Changes(surveyed) => journal.replanned(surveyed).await?,
                SurveyedFilters::Undo(filters, findings) => {
                    journal.undo_replanned(seq, filters, findings).await?;
                }
            }
        }
        Ok(Some(drifted))
    }

    async fn drifted_filters(
        &self,
        seq: i64,
        planned: &[Change],
        anew: &[Change],
        filters: &[Filter],
    ) -> Result<Vec<DriftedFilter>, RolloutError> {
        let before = self
            .journal()
            .view(move |view| view.filters_of(seq))
            .await?;
        let states: Vec<_> = before.iter().map(|f| (f.id, f.now)).collect();
        let found = find_drift(planned, anew, filters, &states);
        let drifted = |(id, kind)| {
            let seen: Option<&Filter> = filters.iter().find(|filter| filter.id == id);
            let of_type = seen.map(|filter| &filter.filter_type);
            let known = before.iter().find(|filter| filter.id == id);
            let of_type = of_type.or(known.map(|filter| &filter.filter_type));
            DriftedFilter {
                user: String::new(),
                filter: id,
                filter_type: of_type.cloned().unwrap_or_else(|| FilterType::new("")),
                kind,
                modified: seen.map(|filter| filter.modified).unwrap_or_default(),
                changed_by: None,
            }
        };
        Ok(found.into_iter().map(drifted).collect())
    }

    async fn name_changers(&self, mut found: Drift) -> Result<Drift, RolloutError> {
        let users: BTreeSet<_> = found
            .examples
            .iter()
            .filter_map(DriftedFilter::changer)
            .collect();
        if users.is_empty() {
            return Ok(found);
        }
        let names = self.names_of(users).await?;
        for filter in &mut found.examples {
            filter.changed_by = filter.changer().map(|user| {
                let name = names.get(&user).cloned();
                name.unwrap_or_else(|| user.to_string())
            });
        }
        found
            .examples
            .sort_by(|a, b| (&a.user, a.filter).cmp(&(&b.user, b.filter)));
        Ok(found)
    }
}

impl Drift {
    /// The number of filters that differ.
    pub const fn total(&self) -> u64 {
        self.other + self.gone + self.new
    }

    /// Adds the differences of one user; `None` for one who could not be read.
    fn add(&mut self, drifted: Option<Vec<DriftedFilter>>, most: usize) {
        let Some(drifted) = drifted else {
            self.unread += 1;
            return;
        };
        self.users += u64::from(!drifted.is_empty());
        for filter in drifted {
            match filter.kind {
                DriftKind::Other { .. } => self.other += 1,
                DriftKind::Gone { .. } => self.gone += 1,
                DriftKind::New { .. } => self.new += 1,
            }
            if self.examples.len() < most {
                self.examples.push(filter);
            }
        }
    }
}
