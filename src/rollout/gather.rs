//! Collecting the users of a run.

use crate::journal::{Found, Phase, RunReader};
use crate::plan::{Selector, ineligible};

use super::session::belongs_together;
use super::{Event, Rollout, RolloutError, Step};

/// Users taken from another run at a time.
const CHUNK: usize = 500;

impl Rollout {
    /// Collects the selected users, page by page, into the run file.
    ///
    /// A name that leads to nobody, or to several, is an error before anything else is asked.
    pub async fn gather(&self) -> Result<(), RolloutError> {
        self.tell(Event::Begin {
            step: Step::Gather,
            users: None,
        })
        .await;
        self.journal().forget_users().await?;
        let mut selector = Selector::new(&self.head().selection);
        let mut pages = self.reader.users();
        while let Some(users) = pages.next().await? {
            let selected = users.iter().filter(|user| selector.offer(user));
            let found: Vec<_> = selected
                .map(|user| Found::new(user, ineligible(user)))
                .collect();
            let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
            self.journal().add_users(found).await?;
            self.tell(Event::Found { users: count }).await;
        }
        let mismatches = selector.mismatches();
        if !mismatches.is_empty() {
            return Err(RolloutError::Selection(mismatches));
        }
        self.gathered().await
    }

    /// Collects the users of whom another run changed rows, with those rows.
    ///
    /// # Errors
    /// [`RolloutError::OtherOrganization`] where that run belongs to another organisation.
    pub async fn gather_undo(&self, source: &RunReader) -> Result<(), RolloutError> {
        belongs_together(&source.head.organization, &self.head().organization)?;
        self.tell(Event::Begin {
            step: Step::Gather,
            users: None,
        })
        .await;
        self.journal().forget_users().await?;
        let mut after = 0;
        loop {
            let users = source.done(after, CHUNK)?;
            let Some((last, _)) = users.last() else {
                break;
            };
            after = last.seq;
            let count = u64::try_from(users.len()).unwrap_or(u64::MAX);
            self.journal().add_undo(users).await?;
            self.tell(Event::Found { users: count }).await;
        }
        self.gathered().await
    }

    async fn gathered(&self) -> Result<(), RolloutError> {
        self.journal().set_phase(Phase::Surveying).await?;
        self.tell(Event::End).await;
        Ok(())
    }
}
