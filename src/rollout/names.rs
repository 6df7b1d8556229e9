//! How users are named who are known by their id only.

use std::collections::{BTreeSet, HashMap};

use crate::model::UserId;

use super::RolloutError;
use super::run::Run;
use super::session::Rollout;

impl<S> Run<S> {
    /// How these users are named, as far as that is known.
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
    /// How these users are named: as the run names them, else as the server does.
    /// Whom nobody knows is absent, and so is everybody whom the server does not tell: a name is not worth a failure.
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
        // A name is not worth a failure.
        if let Ok(labels) = self.reader.labels(&unknown).await {
            names.extend(labels);
        }
        Ok(names)
    }
}
