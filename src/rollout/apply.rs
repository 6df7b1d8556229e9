//! Making the planned changes, user by user.

use std::sync::Arc;

use crate::dataverse::Writer;
use crate::journal::{PendingUser, Phase};

use super::pool::{Numbered, for_each};
use super::{Event, Rollout, RolloutError, Step};

impl Numbered for PendingUser {
    fn seq(&self) -> i64 {
        self.subject.seq
    }
}

impl Rollout {
    /// Makes every change that is planned and not made yet. Repeating it is harmless: what a row is
    /// decides, not what was tried.
    ///
    /// With `dry_run` the same path is walked and nothing is sent; the plan stays as it is.
    pub async fn apply(self: &Arc<Self>, dry_run: bool) -> Result<(), RolloutError> {
        self.require_proof().await?;
        if !dry_run {
            self.journal().set_phase(Phase::Applying).await?;
        }
        let users = self.journal().users_to_change().await?;
        let begin = Event::Begin {
            step: Step::Apply,
            users: Some(users),
        };
        self.tell(begin).await;
        let writer = Writer::new(self.reader.clone(), dry_run);
        let next = |after, limit| {
            let this = Arc::clone(self);
            async move { Ok(this.journal().to_apply(after, limit).await?) }
        };
        let work = |user: PendingUser| {
            let (this, writer) = (Arc::clone(self), writer.clone());
            async move {
                let problem = this.apply_user(&writer, user).await?;
                this.tell(Event::User {
                    failed: problem.is_some(),
                })
                .await;
                this.count(problem)
            }
        };
        for_each(self.workers(), &self.interrupted, next, work).await?;
        self.record_requests().await?;
        self.tell(Event::End).await;
        Ok(())
    }
}
