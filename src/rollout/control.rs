//! Pauses, continues and stops a run from outside.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::progress::{ProgressSender, RunActivity};
use super::{RolloutError, StopReason};

/// Pauses, continues or stops a run. Cheap to clone.
///
/// It acts where users are distributed to workers: users under way are finished, and then no more requests are sent.
#[derive(Clone, Debug)]
pub struct Control(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    paused: watch::Sender<bool>,
    /// Why the run was stopped, if it was.
    stopped: Mutex<Option<StopReason>>,
    /// The run's own token: cancelling it ends no other run and no sign-in.
    token: CancellationToken,
}

impl Control {
    pub(super) fn new(token: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            paused: watch::Sender::new(false),
            stopped: Mutex::new(None),
            token,
        }))
    }

    /// Finishes the users under way, and then waits. The run keeps its file, its sign-in and its agreement.
    pub fn pause(&self) {
        self.0.paused.send_replace(true);
    }

    /// Continues after a pause.
    pub fn go_on(&self) {
        self.0.paused.send_replace(false);
    }

    /// Finishes the users under way, and then leaves the run for `resume`.
    pub fn stop(&self) {
        self.stop_because(StopReason::Requested);
    }

    /// As [`Self::stop`], with this reason; the first reason counts.
    pub fn stop_because(&self, why: StopReason) {
        let mut stopped = self
            .0
            .stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        stopped.get_or_insert(why);
        drop(stopped);
        self.0.token.cancel();
    }

    /// The run's own token, which is cancelled when the run is to end.
    pub fn token(&self) -> &CancellationToken {
        &self.0.token
    }

    /// Why the run ends; none while it continues.
    pub(super) fn ended(&self) -> Option<RolloutError> {
        if !self.0.token.is_cancelled() {
            return None;
        }
        let stopped = self
            .0
            .stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Some(match &*stopped {
            Some(why) => RolloutError::Stopped(why.clone()),
            None => RolloutError::Interrupted,
        })
    }

    /// Whether the run is to pause, or has.
    pub fn is_paused(&self) -> bool {
        *self.0.paused.borrow()
    }

    /// Waits until the run may continue, or ends. No user may be under way.
    pub(super) async fn wait(&self, progress: &ProgressSender) {
        progress.activity(RunActivity::Paused);
        let mut paused = self.0.paused.subscribe();
        tokio::select! {
            () = self.0.token.cancelled() => progress.activity(RunActivity::Stopping),
            // The sender lives as long as this value.
            _ = paused.wait_for(|paused| !paused) => progress.activity(RunActivity::Working),
        }
    }
}
