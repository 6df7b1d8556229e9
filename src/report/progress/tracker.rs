//! Derives what is displayed from the progress of a run.

use std::time::{Duration, Instant};

use crate::rollout::{Progress, RunStep, StepProgress};

use super::rate::RecentRate;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::report) struct Standing {
    pub(in crate::report) step: RunStep,
    /// Users that are done, or found.
    pub(in crate::report) done: u64,
    /// Users in all, where that is known.
    pub(in crate::report) total: Option<u64>,
    pub(in crate::report) failed: u64,
    /// Recent users per second.
    pub(in crate::report) per_second: Option<f64>,
    /// Time since the step began.
    pub(in crate::report) spent: Duration,
}

impl Standing {
    /// The approximate remaining time, where it can be estimated.
    pub(in crate::report) fn left(&self) -> Option<Duration> {
        let ahead = self.total?.saturating_sub(self.done);
        let rate = self.per_second.filter(|rate| *rate > 0.0)?;
        #[expect(clippy::cast_precision_loss, reason = "it is an estimate")]
        let seconds = ahead as f64 / rate;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// Follows the steps of a run from its creation.
#[derive(Debug)]
pub(in crate::report) struct Tracker {
    /// The last step whose end was reported.
    reported: u64,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    step: StepProgress,
    rate: RecentRate,
}

impl Tracker {
    /// Steps that have already ended are not reported.
    pub(in crate::report) fn new(progress: &Progress, now: Instant) -> Self {
        let reported = progress.ended.last().map_or(0, |step| step.number);
        let mut tracker = Self {
            reported,
            current: None,
        };
        tracker.update(progress, now);
        tracker
    }

    /// Takes in the progress. Returns the steps that have ended since, in their final state.
    pub(in crate::report) fn update(&mut self, progress: &Progress, now: Instant) -> Vec<Standing> {
        let ended = progress
            .ended
            .iter()
            .filter(|step| step.number > self.reported);
        let ended: Vec<_> = ended.map(|step| standing(step, None, now)).collect();
        self.reported = progress
            .ended
            .last()
            .map_or(self.reported, |step| step.number);
        self.current = progress.step.as_ref().map(|step| {
            let known = self.current.take();
            let known = known.filter(|known| known.step.number == step.number);
            let mut rate = known.map_or_else(
                || {
                    let mut rate = RecentRate::default();
                    rate.record(0, step.began);
                    rate
                },
                |known| known.rate,
            );
            rate.record(step.done, now);
            Current {
                step: step.clone(),
                rate,
            }
        });
        ended
    }

    /// The progress of the present step; none between two steps.
    pub(in crate::report) fn standing(&mut self, now: Instant) -> Option<Standing> {
        let Current { step, rate } = self.current.as_mut()?;
        let per_second = rate.per_second(step.done, now);
        Some(standing(step, per_second, now))
    }
}

fn standing(step: &StepProgress, per_second: Option<f64>, now: Instant) -> Standing {
    Standing {
        step: step.step,
        done: step.done,
        total: step.total,
        failed: step.failed,
        per_second,
        spent: step
            .ended
            .unwrap_or(now)
            .saturating_duration_since(step.began),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u64, began: Instant) -> StepProgress {
        StepProgress {
            number,
            step: RunStep::Apply,
            total: Some(100),
            done: 0,
            failed: 0,
            began,
            ended: None,
        }
    }

    fn under_way(step: StepProgress) -> Progress {
        Progress {
            step: Some(step),
            ..Progress::default()
        }
    }

    #[test]
    fn it_tells_how_far_a_step_is_and_when_it_will_be_done() {
        let start = Instant::now();
        let mut now = under_way(step(1, start));
        let mut tracker = Tracker::new(&now, start);
        for n in 1..=20 {
            if let Some(step) = &mut now.step {
                (step.done, step.failed) = (n, 1);
            }
            tracker.update(&now, start + Duration::from_millis(n * 100));
        }
        let at = start + Duration::from_secs(2);
        let standing = tracker.standing(at).unwrap();
        assert_eq!((standing.done, standing.failed), (20, 1));
        assert_eq!(standing.left(), Some(Duration::from_secs(8)));
    }

    #[test]
    fn a_step_that_has_ended_is_told_once() {
        let start = Instant::now();
        let mut now = under_way(step(1, start));
        let mut tracker = Tracker::new(&now, start);
        let mut ended = step(1, start);
        ended.ended = Some(start + Duration::from_secs(2));
        now = Progress {
            ended: vec![ended],
            ..Progress::default()
        };
        let at = start + Duration::from_secs(9);
        let reported = tracker.update(&now, at);
        assert_eq!(reported.len(), 1);
        assert_eq!(reported[0].spent, Duration::from_secs(2));
        assert!(tracker.update(&now, at).is_empty());
        assert_eq!(tracker.standing(at), None);
        assert!(Tracker::new(&now, at).update(&now, at).is_empty());
    }

    #[test]
    fn at_a_standstill_nobody_can_tell_how_long_it_will_take() {
        let standing = Standing {
            step: RunStep::Apply,
            done: 1,
            total: Some(9),
            failed: 0,
            per_second: Some(0.0),
            spent: Duration::from_mins(1),
        };
        assert_eq!(standing.left(), None);
    }
}
