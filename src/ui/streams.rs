//! The streams of events that are open.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Streams that are open at once. A browser has six connections to one address for all its windows together, and forms
/// need some of them. Where more windows follow runs, they take turns: a stream that was ended is asked for again.
const STREAMS: usize = 4;

/// The streams that are open, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<VecDeque<CancellationToken>>);

impl Streams {
    /// Opens another, and ends the oldest where that is one too many.
    pub(super) fn open(&self) -> CancellationToken {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|stream| !stream.is_cancelled());
        if open.len() >= STREAMS
            && let Some(oldest) = open.pop_front()
        {
            oldest.cancel();
        }
        let stream = CancellationToken::new();
        open.push_back(stream.clone());
        stream
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_keeps_connections_for_its_forms_however_many_windows_follow_runs() {
        let streams = Streams::default();
        let mut open: Vec<_> = (0..STREAMS).map(|_| streams.open()).collect();
        assert!(open.iter().all(|stream| !stream.is_cancelled()));
        let another = streams.open();
        assert!(open[0].is_cancelled() && !another.is_cancelled());
        // One that was closed makes room.
        open.remove(1).cancel();
        streams.open();
        assert!(open[1..].iter().all(|stream| !stream.is_cancelled()));
    }
}
