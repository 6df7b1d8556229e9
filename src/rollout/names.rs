//! Names of users who are known by their id only.

use std::collections::{BTreeSet, HashMap};

use crate::model::UserId;

use super::RolloutError;
use super::run::Run;
use super::session::Rollout;

impl<S> Run<S> {
    /// The names of these users, where they are known.
    ///
    /// # Errors
    /// Where the run file cannot be read.
    pub async fn names_of(
        &self,
        users: BTreeSet<UserId>,
    ) -> Result<HashMap<UserId, String>, RolloutError> {
        self.rollout.names_of(users).await
    }
}

impl Rollout {
    /// The names of these users from the run, else from the server. Users without a known name are missing, also where
    /// the server does not answer, because a missing name should not fail a run.
    ///
    /// # Errors
    /// Where the run file cannot be read.
    pub(super) async fn names_of(
        &self,
        users: BTreeSet<UserId>,
    ) -> Result<HashMap<UserId, String>, RolloutError> {
        let wanted: Vec<_> = users.iter().copied().collect();
        let known = self.journal().view(move |view| view.labels(&wanted));
        let mut names: HashMap<_, _> = known.await?.into_iter().collect();
        for caller in [&self.header().caller, &self.reader.identity().caller] {
            names.insert(caller.id, caller.user.clone());
        }
        let unknown = users.iter().filter(|user| !names.contains_key(user));
        let unknown: Vec<_> = unknown.copied().collect();
        // A missing name should not fail a run.
        if let Ok(labels) = self.reader.labels(&unknown).await {
            names.extend(labels);
        }
        Ok(names)
    }
}
