//! Ctrl-C: once to finish the changes under way and stop, twice to stop at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::journal::RunRef;
use crate::report::RunCommand;

use super::exit::Exit;
use super::printer::Printer;

/// A token that the first Ctrl-C cancels, as do a termination by the system and closing the terminal.
///
/// The second one ends the process at once. That is safe: every intent is on disk before its
/// request is sent, so `resume` can find out the result.
pub(super) fn listen(under_way: DrivenRuns) -> CancellationToken {
    let interrupted = CancellationToken::new();
    let token = interrupted.clone();
    let signals = Signals::listen();
    tokio::spawn(async move {
        let Some(mut signals) = signals else { return };
        signals.next().await;
        under_way.note();
        token.cancel();
        // On a new line, after what the terminal shows of the keys.
        Printer::warn("");
        Printer::warn(
            "Stopping: changes that are under way are finished first. Press Ctrl-C again to stop at once.",
        );
        signals.again().await;
        Printer::warn("");
        Printer::warn(&under_way.stopped());
        exit_now();
    });
    interrupted
}

/// The runs that are being driven, for the message when the process ends at once.
#[derive(Clone, Debug, Default)]
pub(super) struct DrivenRuns(Arc<Mutex<Vec<RunRef>>>, Arc<AtomicBool>);

impl DrivenRuns {
    /// Whether a run was being driven when the work was to end.
    pub(super) fn had_any(&self) -> bool {
        self.1.load(Ordering::Relaxed)
    }

    /// Records whether a run is being driven, now that the work is to end.
    fn note(&self) {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.1.store(!runs.is_empty(), Ordering::Relaxed);
    }

    pub(super) fn begin(&self, run: RunRef) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.push(run);
    }

    pub(super) fn end(&self, run: &RunRef) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|other| other.id != run.id);
    }

    fn stopped(&self) -> String {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let resume = |run: &RunRef| format!("`{}`", RunCommand::Resume.of(run));
        let resume: Vec<_> = runs.iter().map(resume).collect();
        match &resume[..] {
            [] => "Stopped at once.".to_owned(),
            [one] => {
                format!("Stopped at once. {one} finds out what became of the last requests.")
            }
            all => format!(
                "Stopped at once. These find out what became of the last requests: {}.",
                all.join(", ")
            ),
        }
    }
}

#[expect(
    clippy::exit,
    reason = "the second Ctrl-C is there for when nothing else works"
)]
fn exit_now() {
    std::process::exit(Exit::Interrupted as i32);
}

/// The signals that end a run early, from the moment at which this is made.
#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    /// None where the system does not allow listening; then it ends the process by itself.
    fn listen() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let of = |kind| signal(kind).ok();
        Some(Self([
            of(SignalKind::interrupt())?,
            of(SignalKind::terminate())?,
            of(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    /// Waits for the second signal.
    async fn again(&mut self) {
        self.next().await;
    }
}

/// The events that end a run early: the keys, closing the window, logging off and shutting down.
#[cfg(windows)]
struct Signals {
    keys: tokio::signal::windows::CtrlC,
    pause_key: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    log_off: tokio::signal::windows::CtrlLogoff,
    shut_down: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    /// None where the system does not allow listening; then it ends the process by itself.
    fn listen() -> Option<Self> {
        use tokio::signal::windows;
        Some(Self {
            keys: windows::ctrl_c().ok()?,
            pause_key: windows::ctrl_break().ok()?,
            close: windows::ctrl_close().ok()?,
            log_off: windows::ctrl_logoff().ok()?,
            shut_down: windows::ctrl_shutdown().ok()?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.keys.recv() => {}
            _ = self.pause_key.recv() => {}
            _ = self.close.recv() => {}
            _ = self.log_off.recv() => {}
            _ = self.shut_down.recv() => {}
        }
    }

    /// Waits for the keys only: Windows reports logging off and shutting down more than once, and ends the process some
    /// seconds after the first report.
    async fn again(&mut self) {
        tokio::select! {
            _ = self.keys.recv() => {}
            _ = self.pause_key.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_stops_at_once_is_told_how_to_go_on_with_each_run_that_was_under_way() {
        let run = |id: &str| RunRef::stored(&id.parse().unwrap());
        let (one, other) = (run("3f2a9c0d1b7e"), run("77aa00bb11cc"));
        let under_way = DrivenRuns::default();
        assert_eq!(under_way.stopped(), "Stopped at once.");
        under_way.begin(one.clone());
        under_way.begin(other.clone());
        let both = under_way.stopped();
        assert!(
            both.contains("`syncfilters resume 3f2a9c`, `syncfilters resume 77aa00`"),
            "{both}"
        );
        under_way.end(&one);
        let left = under_way.stopped();
        assert!(
            left.contains("`syncfilters resume 77aa00` finds out"),
            "{left}"
        );
    }
}
