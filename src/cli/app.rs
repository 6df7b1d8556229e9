//! The data that every command needs.

use std::path::Path;
use std::sync::Once;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::journal::is_on_another_machine;
use crate::report::Watch;
use crate::rollout::{RunHandle, StopReason};

use super::interrupt::DrivenRuns;
use super::printer::Printer;
use super::shared_args::OutputArgs;
use super::until::reached;

/// How to print, and what stops a command.
pub(super) struct App {
    pub(super) output: OutputArgs,
    /// The name of the command.
    pub(super) command: &'static str,
    pub(super) printer: Printer,
    pub(super) interrupted: CancellationToken,
    pub(super) under_way: DrivenRuns,
    /// Whether later commands can name the run.
    pub(super) keeps_runs: bool,
    /// Whether a plan is shown with all its facts.
    pub(super) details: bool,
    /// Set when the user was told that run files are on another machine, which a command says once only.
    pub(super) said_remote: Once,
    /// When the work is to stop, if a time was given.
    pub(super) until: Option<Timestamp>,
}

impl App {
    /// Shows a run while work on it continues.
    pub(super) fn during<T>(
        &self,
        watch: &Watch,
        run: RunHandle,
        work: impl Future<Output = T>,
    ) -> impl Future<Output = T> {
        if let Some(path) = &run.path {
            self.warn_of_remote(path);
        }
        // The work of a whole run is a large future, so it is on the heap.
        let work = Box::pin(work);
        async move {
            let reference = run.reference.clone();
            self.under_way.begin(reference.clone());
            let control = run.control.clone();
            let alarm = self.until.map(|at| {
                tokio::spawn(async move {
                    reached(at).await;
                    control.stop_because(StopReason::TimeReached);
                })
            });
            let done = watch.during(run, work).await;
            if let Some(alarm) = alarm {
                alarm.abort();
            }
            self.under_way.end(&reference);
            done
        }
    }

    fn warn_of_remote(&self, run_file: &Path) {
        if !is_on_another_machine(run_file) {
            return;
        }
        self.said_remote.call_once(|| {
            Printer::warn(&format!(
                "The run file {} is on another machine. SQLite's log works there only as long as one machine uses \
                 the file; name a folder on a disk of this machine with --state-dir (for a plan, with --out).",
                run_file.display()
            ));
        });
    }

    /// Whether the time at which the work is to stop has come.
    pub(super) fn is_time_up(&self) -> bool {
        self.until.is_some_and(|at| Timestamp::now() >= at)
    }

    /// Returns at that time; never if none was given.
    pub(super) async fn time_is_up(&self) {
        match self.until {
            Some(at) => reached(at).await,
            None => std::future::pending().await,
        }
    }
}
