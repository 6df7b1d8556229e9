//! What the page has at hand.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::journal::{Phase, RunReader, RunRef, RunStore};
use crate::model::RunId;
use crate::report::ErrorReport;

use super::checks::Checks;
use super::connections::Connections;
use super::environments::{Environments, SignInLines};
use super::live::{LiveState, RunObserver};
use super::live_runs::LiveRuns;
use super::run_files::RunFiles;
use super::session::{Sessions, random};
use super::streams::Streams;

/// Without a request and without a run for so long, the page ends: nobody is there.
const IDLE: Duration = Duration::from_mins(30);

/// What the page has at hand, for every request.
pub(super) type SharedSite = Arc<Site>;

/// Runs that are about to be driven, by their id or by the form that makes them. A second request for the same one waits
/// for the first, and finds what it began.
#[derive(Debug, Default)]
pub(super) struct StartLocks(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl StartLocks {
    /// Waits until nobody else begins this run.
    pub(super) async fn lock(&self, run: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let of_run = {
            let mut all = locked(&self.0);
            all.retain(|_, waiting| waiting.strong_count() > 0);
            all.get(run).and_then(Weak::upgrade).unwrap_or_else(|| {
                let first = Arc::default();
                all.insert(run.to_owned(), Arc::downgrade(&first));
                first
            })
        };
        of_run.lock_owned().await
    }
}

/// What the page has at hand: its environments, its runs, and who was let in.
#[derive(Debug)]
pub struct Site {
    pub(super) sessions: Sessions,
    pub(super) environments: Arc<dyn Environments>,
    pub(super) store: RunStore,
    pub(super) files: Arc<RunFiles>,
    /// Runs that are about to be driven.
    pub(super) start_locks: StartLocks,
    pub(super) runs: LiveRuns,
    pub(super) connections: Connections,
    pub(super) checks: Checks,
    pub(super) streams: Streams,
    /// What is said while signing in.
    pub(super) sign_in_lines: SignInLines,
    pub(super) observer: Arc<dyn RunObserver>,
    /// What went wrong with what somebody wanted of a run, until the page to which the answer leads is asked for.
    kept_problems: Mutex<VecDeque<(String, ErrorReport)>>,
    /// The new runs, each with the form that began it.
    begun: Mutex<VecDeque<(String, RunId)>>,
    /// What whoever gave the list of a run has to know, by the run.
    list_warnings: Mutex<VecDeque<(RunId, String)>>,
    /// Held while a plan is edited: edits come one after another, as they were sent.
    pub(super) edits: tokio::sync::Mutex<()>,
    /// Cancelled when the page is to end.
    pub(super) stop: CancellationToken,
    asked: Mutex<Instant>,
}

/// Problems and warnings that are kept: each belongs to a page that somebody is about to look at, or to a run.
const KEPT: usize = 100;

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds one, and forgets the oldest one of too many.
fn put<T>(kept: &Mutex<VecDeque<T>>, one: T) {
    let mut kept = locked(kept);
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back(one);
}

impl Site {
    /// Whether the runs are there when the page is started again.
    pub fn keeps_runs(&self) -> bool {
        self.environments.keep_runs()
    }

    /// A page about these environments and the runs of this store. It ends when `stop` is cancelled.
    pub fn new(
        environments: Arc<dyn Environments>,
        store: RunStore,
        (sign_in_lines, observer, stop): (SignInLines, Arc<dyn RunObserver>, CancellationToken),
    ) -> Self {
        Self {
            sessions: Sessions::new(),
            environments,
            files: Arc::new(RunFiles::new(store.clone())),
            store,
            start_locks: StartLocks::default(),
            runs: LiveRuns::default(),
            connections: Connections::default(),
            checks: Checks::default(),
            streams: Streams::default(),
            sign_in_lines,
            observer,
            kept_problems: Mutex::default(),
            begun: Mutex::default(),
            list_warnings: Mutex::default(),
            edits: tokio::sync::Mutex::default(),
            stop,
            asked: Mutex::new(Instant::now()),
        }
    }

    /// Opens a run to read it.
    pub(super) fn read(&self, id: &RunId) -> Result<RunReader, ErrorReport> {
        self.files.read(id)
    }

    /// An address that leads in once, within a minute.
    pub fn address(&self, port: u16) -> String {
        let ticket = self.sessions.ticket(Instant::now());
        format!("http://127.0.0.1:{port}/?token={ticket}")
    }

    /// Takes note that somebody asked for something.
    pub(super) fn touch(&self) {
        *locked(&self.asked) = Instant::now();
    }

    /// Keeps what went wrong for the page to which the answer leads: what its address has to carry as `problem`. No other
    /// page takes it.
    pub(super) fn keep_problem(&self, problem: ErrorReport) -> String {
        let key = random();
        put(&self.kept_problems, (key.clone(), problem));
        key
    }

    /// What went wrong, once: what the address carries as `problem`.
    pub(super) fn take_problem(&self, key: &str) -> Option<ErrorReport> {
        let mut kept = locked(&self.kept_problems);
        let at = kept.iter().position(|(of, _)| of == key)?;
        kept.remove(at).map(|(_, problem)| problem)
    }

    /// Keeps which form began a new run.
    pub(super) fn keep_begun(&self, form: String, run: RunId) {
        put(&self.begun, (form, run));
    }

    /// The run that the same form began, while that is at work: a form that is sent twice means one run.
    pub(super) fn begun_by(&self, form: &str) -> Option<RunId> {
        let begun = locked(&self.begun);
        let (_, run) = begun.iter().rev().find(|(of, _)| of == form)?;
        let live = self.runs.get(run)?;
        let is_at_work = matches!(*live.state.borrow(), LiveState::Working);
        is_at_work.then(|| run.clone())
    }

    /// Keeps what whoever gave the list of a run has to know.
    pub(super) fn warn_of_list(&self, run: RunId, warning: String) {
        put(&self.list_warnings, (run, warning));
    }

    /// What whoever gave the list of a run has to know.
    pub(super) fn list_warning(&self, run: &RunId) -> Option<String> {
        let warnings = locked(&self.list_warnings);
        let own = warnings.iter().find(|(of, _)| of == run);
        own.map(|(_, warning)| warning.clone())
    }

    /// The runs that were under way or waited for an answer when the page was to end, and can be resumed.
    ///
    /// Call it when the page has ended.
    pub fn unfinished(&self) -> Vec<RunRef> {
        let mut cut_short = self.runs.cut_short();
        // One that came to its end meanwhile needs nothing; one that cannot be read is looked at by whoever resumes it.
        cut_short.retain(|run| {
            self.files
                .read(&run.id)
                .is_ok_and(|read| read.header.phase != Phase::Finished)
        });
        cut_short
    }

    fn is_idle(&self, now: Instant) -> bool {
        is_over((*locked(&self.asked), now), self.runs.any_driven())
    }

    /// Returns when nobody has asked for anything for half an hour, and no run is at work.
    pub(super) async fn idle(&self) {
        // Half a minute more or less makes no difference.
        let mut ticks = tokio::time::interval(Duration::from_secs(30));
        loop {
            ticks.tick().await;
            if self.is_idle(Instant::now()) {
                return;
            }
        }
    }
}

/// Whether nobody is there: no request came since the first of these times, and no run is driven.
fn is_over((asked, now): (Instant, Instant), is_driving: bool) -> bool {
    now.duration_since(asked) >= IDLE && !is_driving
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_ends_after_half_an_hour_without_a_request_and_without_a_run() {
        let asked = Instant::now();
        let just_before = asked + IDLE.saturating_sub(Duration::from_secs(1));
        assert!(!is_over((asked, just_before), false));
        assert!(is_over((asked, asked + IDLE), false));
        assert!(!is_over((asked, asked + IDLE * 2), true));
        // A clock that went back is no reason to end.
        assert!(!is_over((asked + IDLE, asked), false));
    }
}
