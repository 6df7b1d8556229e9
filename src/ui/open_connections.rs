//! The connections that are open: those of browsers that were let in, and those of others, which make room.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Connections at once: a browser opens six for each tab and one for what follows a run.
const CONNECTIONS: usize = 64;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct OpenConnection {
    /// Whether a request came over it from a browser that was let in.
    is_in: AtomicBool,
    /// Cancelled when it has to make room.
    pub(super) closed: CancellationToken,
}

impl OpenConnection {
    /// Keeps its place from now on.
    pub(super) fn let_in(&self) {
        self.is_in.store(true, Ordering::Relaxed);
    }
}

/// The open connections, the oldest first.
///
/// Every account of the machine reaches this address. Whoever was not let in can take no place from those who were, not
/// by many connections and not by answers that nobody reads.
#[derive(Debug, Default)]
pub(super) struct OpenConnections(Mutex<VecDeque<Arc<OpenConnection>>>);

impl OpenConnections {
    fn all(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<OpenConnection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for another one. Where there is none, the oldest of those that were not let in is closed; none where all
    /// were.
    pub(super) fn open(&self) -> Option<Arc<OpenConnection>> {
        let mut all = self.all();
        if all.len() >= CONNECTIONS {
            let stranger = all
                .iter()
                .position(|one| !one.is_in.load(Ordering::Relaxed))?;
            all.remove(stranger)?.closed.cancel();
        }
        let opened = Arc::new(OpenConnection::default());
        all.push_back(Arc::clone(&opened));
        Some(opened)
    }

    /// It is over.
    pub(super) fn close(&self, one: &Arc<OpenConnection>) {
        self.all().retain(|other| !Arc::ptr_eq(other, one));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_not_let_in_makes_room_and_nobody_else_does() {
        let open = OpenConnections::default();
        let first = open.open().unwrap();
        first.let_in();
        let strangers: Vec<_> = (1..CONNECTIONS).map(|_| open.open().unwrap()).collect();
        let person = open.open().unwrap();
        assert!(strangers[0].closed.is_cancelled() && !strangers[1].closed.is_cancelled());
        assert!(!first.closed.is_cancelled() && !person.closed.is_cancelled());
        for one in strangers.iter().chain([&person]) {
            one.let_in();
        }
        assert!(open.open().is_none());
        open.close(&person);
        assert!(open.open().is_some());
    }
}
