//! Where a run stands, from its events.

use std::time::{Duration, Instant};

use crate::rollout::{Event, Step};

use super::rate::RecentRate;

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) step: Step,
    /// Users that are done, or found.
    pub(super) done: u64,
    /// Users in all, where that is known.
    pub(super) total: Option<u64>,
    /// Users with whom something went wrong.
    pub(super) failed: u64,
    /// Users a second, lately.
    pub(super) per_second: Option<f64>,
    /// Time since the step began.
    pub(super) spent: Duration,
}

impl Standing {
    /// About how long it will still take, where that can be told.
    pub(super) fn left(&self) -> Option<Duration> {
        let ahead = self.total?.saturating_sub(self.done);
        let rate = self.per_second.filter(|rate| *rate > 0.0)?;
        #[expect(clippy::cast_precision_loss, reason = "it is an estimate")]
        let seconds = ahead as f64 / rate;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// Keeps count of the step under way.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    step: Step,
    done: u64,
    total: Option<u64>,
    failed: u64,
    began: Instant,
    rate: RecentRate,
}

impl Tracker {
    /// Takes note of an event; a step that has ended, as it stood at its end.
    pub(super) fn take(&mut self, event: &Event, now: Instant) -> Option<Standing> {
        match event {
            Event::Begin { step, users } => {
                let mut rate = RecentRate::default();
                rate.record(0, now);
                self.current = Some(Current {
                    step: *step,
                    done: 0,
                    total: *users,
                    failed: 0,
                    began: now,
                    rate,
                });
                None
            }
            Event::Found { users } => self.more(*users, false, now),
            Event::User { failed } => self.more(1, *failed, now),
            Event::End => {
                let ended = self.standing(now);
                self.current = None;
                ended
            }
        }
    }

    fn more(&mut self, users: u64, failed: bool, now: Instant) -> Option<Standing> {
        if let Some(current) = &mut self.current {
            current.done += users;
            current.failed += u64::from(failed);
            current.rate.record(current.done, now);
        }
        None
    }

    /// How far the step under way is; none between two steps.
    pub(super) fn standing(&mut self, now: Instant) -> Option<Standing> {
        let current = self.current.as_mut()?;
        Some(Standing {
            step: current.step,
            done: current.done,
            total: current.total,
            failed: current.failed,
            per_second: current.rate.per_second(current.done, now),
            spent: now.saturating_duration_since(current.began),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_users_and_failures_and_tells_when_it_will_be_done() {
        let (mut tracker, start) = (Tracker::default(), Instant::now());
        let begin = Event::Begin {
            step: Step::Apply,
            users: Some(100),
        };
        assert_eq!(tracker.take(&begin, start), None);
        for n in 0..20 {
            let event = Event::User { failed: n == 0 };
            tracker.take(&event, start + Duration::from_millis(n * 100));
        }
        let now = start + Duration::from_secs(2);
        let standing = tracker.standing(now).unwrap();
        assert_eq!((standing.done, standing.failed), (20, 1));
        assert_eq!(standing.left(), Some(Duration::from_secs(8)));
        let ended = tracker.take(&Event::End, now).unwrap();
        assert_eq!(ended.spent, Duration::from_secs(2));
        assert_eq!(tracker.standing(now), None);
    }

    #[test]
    fn what_comes_outside_of_any_step_is_not_counted() {
        let (mut tracker, now) = (Tracker::default(), Instant::now());
        assert_eq!(tracker.take(&Event::Found { users: 3 }, now), None);
        assert_eq!(tracker.take(&Event::End, now), None);
    }

    #[test]
    fn at_a_standstill_nobody_can_tell_how_long_it_will_take() {
        let standing = Standing {
            step: Step::Apply,
            done: 1,
            total: Some(9),
            failed: 0,
            per_second: Some(0.0),
            spent: Duration::from_mins(1),
        };
        assert_eq!(standing.left(), None);
    }
}
