//! All runs that this process drives or did.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::journal::RunRef;
use crate::model::RunId;

use super::driver::{Driver, DriverContext};
use super::live::{LiveRun, LiveState, RunStart};

/// Runs that have ended and whose end is still known: somebody who comes back after a day sees what became of theirs.
const ENDED_RUNS: usize = 50;

/// Every run that this process drives or did, in the order in which they were begun.
#[derive(Debug, Default)]
pub(super) struct LiveRuns(Mutex<VecDeque<Arc<LiveRun>>>);

impl LiveRuns {
    fn all(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<LiveRun>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: &RunId) -> Option<Arc<LiveRun>> {
        let all = self.all();
        all.iter().find(|run| run.handle.id == *id).cloned()
    }

    /// The run that is driven to undo this one.
    pub(super) fn undo_of(&self, source: &RunId) -> Option<RunId> {
        let all = self.all();
        let mut driven = all.iter().filter(|run| run.is_driven());
        let undo = driven.find(|run| run.undoes.as_ref() == Some(source));
        undo.map(|run| run.handle.id.clone())
    }

    /// Whether any run is driven.
    pub(super) fn any_driven(&self) -> bool {
        self.all().iter().any(|run| run.is_driven())
    }

    /// The run that is driven to undo this one.
    pub(super) fn driven_undo_of(&self, run: &RunId) -> Option<RunId> {
        let all = self.all();
        let mut undos = all.iter().filter(|live| live.undoes.as_ref() == Some(run));
        let driven = undos.find(|live| live.is_driven());
        driven.map(|live| live.handle.id.clone())
    }

    /// Drives a run from now on.
    pub(super) fn start(&self, environment: String, start: RunStart, with: DriverContext) -> RunId {
        let (state, seen) = watch::channel(LiveState::Working);
        let (live, received) = LiveRun::new(environment.clone(), &start, seen);
        let handle = live.handle.clone();
        self.add(Arc::new(live));
        let stopped = handle.control.token().clone();
        let of_run = (environment, handle.reference, stopped);
        let driver = Driver::new(of_run, state, received, with);
        tokio::spawn(driver.drive(start));
        handle.id
    }

    fn add(&self, live: Arc<LiveRun>) {
        let mut all = self.all();
        // A run that is resumed is driven anew.
        all.retain(|run| run.handle.id != live.handle.id);
        let ended = all.iter().filter(|run| !run.is_driven()).count();
        if ended >= ENDED_RUNS
            && let Some(oldest) = all.iter().position(|run| !run.is_driven())
        {
            all.remove(oldest);
        }
        all.push_back(live);
    }

    /// The runs that the end of the process cut short.
    pub(super) fn cut_short(&self) -> Vec<RunRef> {
        let all = self.all();
        let cut = all.iter().filter(
            |run| matches!(&*run.state.borrow(), LiveState::Over(over) if over.is_cut_short),
        );
        cut.map(|run| run.handle.reference.clone()).collect()
    }

    /// Waits until no run is driven: each leaves its file as `resume` needs it.
    pub(super) async fn all_over(&self) {
        let all: Vec<_> = self.all().iter().cloned().collect();
        for run in all {
            run.over().await;
        }
    }
}
