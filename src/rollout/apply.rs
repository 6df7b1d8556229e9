//! Makes the changes of one wave, user by user.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::dataverse::Writer;
use crate::journal::{NextWave, PendingUser};
use crate::plan::UserLimit;

use super::pool::Numbered;
use super::progress::RunStep;
use super::session::Rollout;
use super::{RolloutError, StopReason};

impl Numbered for PendingUser {
    fn seq(&self) -> i64 {
        self.run_user.seq
    }
}

/// Counts the failed users of a wave.
#[derive(Debug)]
pub(super) struct Failures {
    bound: Option<UserLimit>,
    users: u64,
    failed: AtomicU64,
}

impl Failures {
    /// Stops when this number or share of these users have failed, at least one.
    pub(super) fn new(bound: Option<UserLimit>, users: u64) -> Self {
        Self {
            bound,
            users,
            failed: AtomicU64::new(0),
        }
    }

    /// Counts one more; an error where that exceeds the limit.
    fn add(&self) -> Result<(), RolloutError> {
        let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
        let users = self.users;
        match self.bound {
            Some(bound) if failed >= bound.of(users).max(1) => {
                Err(RolloutError::Stopped(StopReason::TooManyFailures {
                    failed,
                    users,
                    bound,
                }))
            }
            _ => Ok(()),
        }
    }
}

impl Rollout {
    /// Makes the remaining changes of a wave. Repeating it is harmless, because the state of a row decides, and not
    /// what was attempted.
    pub(super) async fn apply_wave(
        self: &Arc<Self>,
        writer: Writer,
        wave: NextWave,
        failures: Arc<Failures>,
    ) -> Result<(), RolloutError> {
        self.progress.begin(RunStep::Apply, Some(wave.users));
        let next = |after, limit: usize| {
            let this = Arc::clone(self);
            async move {
                let journal = this.journal();
                Ok(journal.to_apply_in_wave(wave.number, after, limit).await?)
            }
        };
        let work = |user: PendingUser| {
            let (this, writer) = (Arc::clone(self), writer.clone());
            let failures = Arc::clone(&failures);
            async move {
                let problem = this.apply_user(&writer, user).await?;
                this.progress.user(problem.is_some());
                if problem.is_some() {
                    failures.add()?;
                }
                this.count(problem)
            }
        };
        self.recording(self.pool().for_each(next, work)).await?;
        self.progress.end();
        Ok(())
    }

    /// Records in the file of the undone run that it is being undone, before anything is restored.
    pub(super) fn record_undo(&self) -> Result<(), RolloutError> {
        let undone = self.undone.lock();
        let undone = undone.unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*undone {
            Some(run) => Ok(run.record_undo(&self.header().id)?),
            None => Ok(()),
        }
    }
}
