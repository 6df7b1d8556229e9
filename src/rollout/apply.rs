//! Making the planned changes, user by user.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::dataverse::Writer;
use crate::journal::{PendingUser, Phase};
use crate::plan::Bound;

use super::pool::{Numbered, for_each};
use super::{Event, Rollout, RolloutError, Step};

impl Numbered for PendingUser {
    fn seq(&self) -> i64 {
        self.subject.seq
    }
}

/// How changes are to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Application {
    /// Walk the same path and send nothing; the plan stays as it is.
    pub dry_run: bool,
    /// So many users now and no more: a wave. Everybody where it is not given.
    pub users: Option<u64>,
    /// Stop when so many of these users have failed, at least one.
    pub stop_after_failures: Option<Bound>,
}

/// Counts the users who failed.
#[derive(Debug)]
struct Failures {
    bound: Option<Bound>,
    users: u64,
    failed: AtomicU64,
}

impl Failures {
    /// Counts one more; an error where that is one too many.
    fn add(&self) -> Result<(), RolloutError> {
        let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
        match self.bound {
            Some(bound) if failed >= bound.of(self.users).max(1) => {
                Err(RolloutError::Stopped(format!(
                    "{failed} of {} users failed, and --stop-after-failures is {bound}",
                    self.users
                )))
            }
            _ => Ok(()),
        }
    }
}

impl Rollout {
    /// Makes the changes that are planned and not made yet. Repeating it is harmless: what a row is
    /// decides, not what was tried.
    pub async fn apply(self: &Arc<Self>, how: Application) -> Result<(), RolloutError> {
        let Application {
            dry_run,
            users: most,
            stop_after_failures: bound,
        } = how;
        self.require_proof().await?;
        if !dry_run {
            self.journal().set_phase(Phase::Applying).await?;
        }
        let pending = self.journal().users_to_change().await?;
        let users = most.map_or(pending, |most| most.min(pending));
        let failures = Arc::new(Failures {
            bound,
            users,
            failed: AtomicU64::new(0),
        });
        let left = Arc::new(AtomicU64::new(users));
        let begin = Event::Begin {
            step: Step::Apply,
            users: Some(users),
        };
        self.tell(begin).await;
        let writer = Writer::new(self.reader.clone(), dry_run);
        let next = |after, limit: usize| {
            let (this, left) = (Arc::clone(self), Arc::clone(&left));
            async move {
                let most = usize::try_from(left.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
                let users = this.journal().to_apply(after, limit.min(most)).await?;
                left.fetch_sub(count(&users), Ordering::Relaxed);
                Ok(users)
            }
        };
        let work = |user: PendingUser| {
            let (this, writer) = (Arc::clone(self), writer.clone());
            let failures = Arc::clone(&failures);
            async move {
                let problem = this.apply_user(&writer, user).await?;
                this.tell(Event::User {
                    failed: problem.is_some(),
                })
                .await;
                if problem.is_some() {
                    failures.add()?;
                }
                this.count(problem)
            }
        };
        self.recording(for_each(self.workers(), &self.interrupted, next, work))
            .await?;
        self.tell(Event::End).await;
        Ok(())
    }
}

fn count(users: &[PendingUser]) -> u64 {
    u64::try_from(users.len()).unwrap_or(u64::MAX)
}
