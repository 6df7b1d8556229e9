//! `--dry-run`: reads what would be changed, sends no change, and leaves the run file as it is.

use std::sync::{Arc, Mutex, PoisonError};

use crate::journal::PendingUser;
use crate::plan::{Change, is_as_wanted, is_current};

use super::RolloutError;
use super::phases::Planned;
use super::progress::RunStep;
use super::user_filters::UserFilters;

/// The result of a dry run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DryRunResult {
    /// Users whose filters would be changed.
    pub users: u64,
    /// Filters that would be changed.
    pub filters: u64,
    /// Filters that are in the wanted state already.
    pub unchanged: u64,
    /// Templates that would be changed.
    pub templates: u64,
    /// Users whose filters differ from the plan: a decision would be made about each row again.
    pub drifted: u64,
    /// Users who could not be read.
    pub unread: u64,
}

impl Planned {
    /// Proves impersonation and reads all users who would be changed again.
    pub async fn rehearse(&self) -> Result<DryRunResult, RolloutError> {
        let rollout = &self.rollout;
        let templates = rollout.journal().open_templates().await?;
        if !templates.is_empty() {
            return Ok(DryRunResult {
                templates: u64::try_from(templates.len()).unwrap_or(u64::MAX),
                ..DryRunResult::default()
            });
        }
        let left = rollout.journal().users_to_change().await?;
        if left == 0 {
            return Ok(DryRunResult::default());
        }
        rollout.require_proof().await?;
        rollout.progress.begin(RunStep::Check, Some(left));
        let found = Arc::new(Mutex::new(DryRunResult::default()));
        let next = |after, limit| {
            let rollout = Arc::clone(rollout);
            async move { Ok(rollout.journal().to_apply(after, limit).await?) }
        };
        let work = |user: PendingUser| {
            let (rollout, found) = (Arc::clone(rollout), Arc::clone(&found));
            async move {
                let filters = rollout.read_user(&user.run_user).await?;
                let planned: Vec<_> = user.changes.into_iter().map(|one| one.change).collect();
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                match filters {
                    UserFilters::Read(filters) => {
                        let as_wanted = |change: &&Change| {
                            let mut filters = filters.iter();
                            filters.any(|f| f.id == change.filter && is_as_wanted(change, f))
                        };
                        let already = planned.iter().filter(as_wanted).count();
                        let left = planned.len() - already;
                        found.users += u64::from(left > 0);
                        found.filters += u64::try_from(left).unwrap_or(u64::MAX);
                        found.unchanged += u64::try_from(already).unwrap_or(u64::MAX);
                        found.drifted += u64::from(!is_current(&planned, &[], &filters));
                    }
                    UserFilters::Failed(_) => found.unread += 1,
                }
                drop(found);
                rollout.progress.user(false);
                Ok(())
            }
        };
        rollout.pool().for_each(next, work).await?;
        rollout.progress.end();
        let found = found.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(*found)
    }
}
