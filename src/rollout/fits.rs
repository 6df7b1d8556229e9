//! Whether a saved plan still is about what is there.

use std::sync::{Arc, Mutex, PoisonError};

use crate::journal::PendingUser;
use crate::model::{Filter, FilterId};
use crate::plan::plan_user;

use super::pool::for_each;
use super::{Event, Rollout, RolloutError, Step};

/// Misfits that are shown; all are counted.
const EXAMPLES: usize = 10;

/// A filter that is not as it was when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Whose filter.
    pub user: String,
    /// Which.
    pub filter: FilterId,
    /// What is different.
    pub why: String,
}

#[derive(Default)]
struct Misfits {
    count: u64,
    examples: Vec<Misfit>,
}

impl Rollout {
    /// Reads again every user that the plan changes. A user who cannot be read any more is no misfit:
    /// the application will say so.
    ///
    /// # Errors
    /// [`RolloutError::Stale`] where a filter has another state or status than the plan says, is gone, or
    /// is new and would have been in the plan.
    pub async fn check_fits(self: &Arc<Self>) -> Result<(), RolloutError> {
        let users = self.journal().users_to_change().await?;
        let begin = Event::Begin {
            step: Step::Check,
            users: Some(users),
        };
        self.tell(begin).await;
        let misfits = Arc::new(Mutex::new(Misfits::default()));
        let next = |after, limit| {
            let this = Arc::clone(self);
            async move { Ok(this.journal().to_apply(after, limit).await?) }
        };
        let work = |user: PendingUser| {
            let (this, misfits) = (Arc::clone(self), Arc::clone(&misfits));
            async move {
                if let Ok(filters) = this.read_user(&user.subject).await? {
                    let found = this.misfits(&user, &filters);
                    misfits
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .add(found);
                }
                this.tell(Event::User { failed: false }).await;
                Ok(())
            }
        };
        for_each(self.workers(), &self.interrupted, next, work).await?;
        self.tell(Event::End).await;
        let mut misfits = misfits.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::take(&mut *misfits) {
            Misfits { count: 0, .. } => Ok(()),
            Misfits { count, examples } => Err(RolloutError::Stale { count, examples }),
        }
    }

    fn misfits(&self, user: &PendingUser, filters: &[Filter]) -> Vec<Misfit> {
        let misfit = |filter, why| Misfit {
            user: user.subject.label.clone(),
            filter,
            why,
        };
        let mut found = Vec::new();
        for pending in &user.changes {
            let change = &pending.change;
            match filters.iter().find(|filter| filter.id == change.filter) {
                None => found.push(misfit(change.filter, "it is gone".into())),
                Some(row) if row.now != change.from => {
                    let why = format!("the plan says {}, and it is {}", change.from, row.now);
                    found.push(misfit(change.filter, why));
                }
                Some(_) => {}
            }
        }
        if let Some(wanted) = self.head().operation.wanted() {
            let now = plan_user(filters, &self.head().criteria, wanted);
            let planned = |filter| user.changes.iter().any(|p| p.change.filter == filter);
            let new = now.changes.iter().filter(|change| !planned(change.filter));
            found.extend(new.map(|c| misfit(c.filter, "it is new, or was switched since".into())));
        }
        found
    }
}

impl Misfits {
    fn add(&mut self, found: Vec<Misfit>) {
        self.count += u64::try_from(found.len()).unwrap_or(u64::MAX);
        let room = EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(found.into_iter().take(room));
    }
}
