//! The progress of a run: a value for any number of readers.
//!
//! A late or slow reader sees the present state; the engine never waits for one.

use std::time::Instant;

use tokio::sync::watch;

/// A step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStep {
    /// Collecting the users.
    Gather,
    /// Proving that the server honours impersonation.
    Prove,
    /// Reading the users' filters.
    Survey,
    /// Reading the filters of a saved plan again.
    Check,
    /// Setting states.
    Apply,
}

/// The progress of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepProgress {
    /// Its number in this process, from 1.
    pub number: u64,
    /// The step.
    pub step: RunStep,
    /// Users to be processed, where that is known at the start.
    pub total: Option<u64>,
    /// Users that are done, or found.
    pub done: u64,
    /// Users that failed.
    pub failed: u64,
    /// When it began.
    pub began: Instant,
    /// When it ended; none while it continues.
    pub ended: Option<Instant>,
}

/// The activity of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunActivity {
    /// Working.
    #[default]
    Working,
    /// Finishing the users under way before a pause.
    Pausing {
        /// Users under way.
        under_way: u64,
    },
    /// Waiting for the signal to continue. No user is under way.
    Paused,
    /// Finishing the users under way before the end.
    Stopping,
}

/// The progress of a run. What it counts is committed to the run file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Increases with every change.
    pub revision: u64,
    /// The step under way.
    pub step: Option<StepProgress>,
    /// The last steps that have ended, the oldest first.
    pub ended: Vec<StepProgress>,
    /// The present activity.
    pub activity: RunActivity,
    /// The number of steps that have begun.
    pub steps: u64,
}

/// Ended steps that are kept: a run has five, and each wave adds one. A reader that is 32 steps late is not worth more
/// memory.
const KEPT: usize = 32;

/// Publishes the progress.
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

    /// Begins a step; `total` is the number of users, where known.
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

    /// One user of the step is done.
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
