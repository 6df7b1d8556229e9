//! How far a run is: a value that any number of readers can look at.
//!
//! A late or slow reader sees the present; the engine never waits for one.

use std::time::Instant;

use tokio::sync::watch;

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStep {
    /// Collecting the users.
    Gather,
    /// Proving that impersonation is honoured.
    Prove,
    /// Reading the users' filters.
    Survey,
    /// Reading again what a saved plan is about.
    Check,
    /// Setting states.
    Apply,
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepProgress {
    /// Its number in this process, from 1.
    pub number: u64,
    /// The step.
    pub step: RunStep,
    /// Users ahead at its beginning, where that is known.
    pub total: Option<u64>,
    /// Users that are done, or found.
    pub done: u64,
    /// Users with whom something went wrong.
    pub failed: u64,
    /// When it began.
    pub began: Instant,
    /// When it ended; none while it is under way.
    pub ended: Option<Instant>,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunActivity {
    /// It works.
    #[default]
    Working,
    /// It finishes the users under way, and then pauses.
    Pausing {
        /// Users under way.
        under_way: u64,
    },
    /// It waits to be told to go on: nothing is under way.
    Paused,
    /// It finishes the users under way, and then stops.
    Stopping,
}

/// How far a run is. What it counts is committed to the run file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// One more with every change.
    pub revision: u64,
    /// The step under way.
    pub step: Option<StepProgress>,
    /// Steps that have ended, the last ones.
    pub ended: Vec<StepProgress>,
    /// What it is doing.
    pub activity: RunActivity,
    /// Steps that have begun.
    pub steps: u64,
}

/// Steps that have ended and are kept: a run has five, and each wave one more; a reader that misses thirty has other
/// troubles.
const KEPT: usize = 32;

/// Where progress is written.
#[derive(Debug, Default)]
pub(super) struct ProgressSender(watch::Sender<Progress>);

impl ProgressSender {
    pub(super) fn subscribe(&self) -> watch::Receiver<Progress> {
        self.0.subscribe()
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        self.0.send_modify(|progress| {
            change(progress);
            progress.revision += 1;
        });
    }

    /// A step begins; `total` users are ahead, where that is known.
    pub(super) fn begin(&self, step: RunStep, total: Option<u64>) {
        self.change(|progress| {
            progress.steps += 1;
            progress.step = Some(StepProgress {
                number: progress.steps,
                step,
                total,
                done: 0,
                failed: 0,
                began: Instant::now(),
                ended: None,
            });
        });
    }

    /// More users were found.
    pub(super) fn found(&self, users: u64) {
        self.change(|progress| {
            if let Some(step) = &mut progress.step {
                step.done += users;
            }
        });
    }

    /// The step is done with one user.
    pub(super) fn user(&self, failed: bool) {
        self.change(|progress| {
            if let Some(step) = &mut progress.step {
                step.done += 1;
                step.failed += u64::from(failed);
            }
        });
    }

    pub(super) fn end(&self) {
        self.change(|progress| {
            let Some(mut step) = progress.step.take() else {
                return;
            };
            step.ended = Some(Instant::now());
            if progress.ended.len() == KEPT {
                progress.ended.remove(0);
            }
            progress.ended.push(step);
        });
    }

    /// What the run is doing.
    pub(super) fn activity(&self, activity: RunActivity) {
        self.0.send_if_modified(|progress| {
            let changes = progress.activity != activity;
            if changes {
                progress.activity = activity;
                progress.revision += 1;
            }
            changes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_comes_late_sees_the_present() {
        let sender = ProgressSender::default();
        sender.begin(RunStep::Gather, None);
        sender.found(5);
        sender.end();
        sender.begin(RunStep::Survey, Some(5));
        sender.user(true);
        let late = sender.subscribe();
        let seen = late.borrow();
        assert_eq!(seen.ended.len(), 1);
        let step = seen.step.as_ref().unwrap();
        assert_eq!((step.step, step.done, step.failed), (RunStep::Survey, 1, 1));
    }

    #[test]
    fn two_readers_see_the_same_and_neither_is_waited_for() {
        let sender = ProgressSender::default();
        let (one, two) = (sender.subscribe(), sender.subscribe());
        for _ in 0..100_000 {
            sender.begin(RunStep::Apply, Some(1));
            sender.user(false);
            sender.end();
        }
        assert_eq!(*one.borrow(), *two.borrow());
        assert_eq!(one.borrow().ended.len(), KEPT);
    }
}
