//! The checks of environments that were begun.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::connect::Check;
use crate::report::ErrorReport;

/// A check that was begun.
#[derive(Clone, Debug)]
pub(super) struct BegunCheck {
    pub(super) seen: watch::Receiver<Vec<Check>>,
    /// How it ended, once it has.
    pub(super) ended: watch::Receiver<Option<Result<(), ErrorReport>>>,
}

/// The checks, by the key of the environment.
#[derive(Debug, Default)]
pub(super) struct Checks(Mutex<HashMap<String, BegunCheck>>);

impl Checks {
    /// The check of an environment; `examine` begins one where there is none, or where another
    /// is asked for.
    pub(super) fn of<F>(
        &self,
        key: &str,
        again: bool,
        examine: impl FnOnce(watch::Sender<Vec<Check>>) -> F,
    ) -> BegunCheck
    where
        F: Future<Output = Result<(), ErrorReport>> + Send + 'static,
    {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = |check: &BegunCheck| check.ended.borrow().is_none();
        if let Some(begun) = all.get(key).filter(|check| !again || under_way(check)) {
            return begun.clone();
        }
        let (seen, seen_by) = watch::channel(Vec::new());
        let (ended, ended_by) = watch::channel(None);
        let begun = BegunCheck {
            seen: seen_by,
            ended: ended_by,
        };
        let check = examine(seen);
        tokio::spawn(async move {
            ended.send_replace(Some(check.await));
        });
        all.insert(key.to_owned(), begun.clone());
        begun
    }
}
