//! Tries whether the server grants more than is known.

use std::time::{Duration, Instant};

/// The pause after a trial that was refused, as a multiple of the wait that the server asked for.
/// The server knows when it grants more: where it asks for a second only, the learnt budget is worth little.
const REST: u32 = 3;
/// The longest such pause, in windows: twenty minutes of the documented five, so that a run of an hour tries three
/// times.
const LONGEST_REST: f64 = 4.0;
/// As a share of the budget: after a trial that found this much more, the next one need not wait.
/// A smaller find only waits for the rest above.
const WORTH_IT: f64 = 1.0 / 16.0;

/// The search for a higher budget: one request more, then two, four, ... as long as they are granted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    step: u32,
    raised: Option<Instant>,
    granted: bool,
    /// How long to wait after it was refused.
    rest: Duration,
    not_before: Option<Instant>,
    ended: Option<Instant>,
}

impl Trial {
    pub(super) fn is_on(&self) -> bool {
        self.raised.is_some()
    }

    pub(super) fn ended(&self) -> Option<Instant> {
        self.ended
    }

    /// When the next trial may begin, if that is later than now.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        self.not_before.filter(|at| *at > now)
    }

    pub(super) fn new() -> Self {
        Self {
            step: 1,
            raised: None,
            granted: false,
            rest: Duration::ZERO,
            not_before: None,
            ended: None,
        }
    }

    /// Whether to ask for more: a trial begins if it is worth a try, and continues as long as it is granted.
    pub(super) fn may_raise(&self, worth_a_try: bool, now: Instant) -> bool {
        let due = self.not_before.is_none_or(|at| at <= now);
        match self.raised {
            Some(_) => self.granted,
            None => due && worth_a_try,
        }
    }

    /// Returns by how many requests the budget is raised now.
    pub(super) fn raise(&mut self, now: Instant) -> u32 {
        let step = self.step;
        self.step = step.saturating_mul(2);
        self.raised = Some(now);
        self.granted = false;
        step
    }

    /// A request sent at `sent` was granted.
    pub(super) fn granted(&mut self, sent: Instant) {
        self.granted |= self.raised.is_some_and(|raised| sent >= raised);
    }

    /// A budget is used up, and the server asks for this wait: a trial under way has failed, and the
    /// next one has to wait.
    pub(super) fn refused(&mut self, window: Duration, wait: Duration, now: Instant) {
        if self.raised.is_some() {
            let longest = window.mul_f64(LONGEST_REST);
            self.rest = (self.rest * 2).max(wait * REST).min(longest);
            self.not_before = Some(now + self.rest);
        }
        self.end(now);
    }

    /// The shortage is over: ends a trial that began longer ago than `after`.
    pub(super) fn end_if_over(&mut self, after: Duration, budget: u32, now: Instant) {
        if self.raised.is_some_and(|raised| now > raised + after) {
            if f64::from(self.step) > f64::from(budget) * WORTH_IT {
                self.rest = Duration::ZERO;
            }
            self.end(now);
        }
    }

    fn end(&mut self, now: Instant) {
        self.step = 1;
        self.raised = None;
        self.granted = false;
        self.ended = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_mins(5);

    #[test]
    fn it_waits_for_the_answer_before_it_asks_for_more() {
        let (mut trial, now) = (Trial::new(), Instant::now());
        assert!(trial.may_raise(true, now));
        assert_eq!(trial.raise(now), 1);
        assert!(!trial.may_raise(true, now));
        trial.granted(now);
        assert!(trial.may_raise(false, now));
        assert_eq!(trial.raise(now), 2);
    }

    #[test]
    fn refused_it_rests_longer_each_time_until_one_was_worth_it() {
        let (mut trial, mut now) = (Trial::new(), Instant::now());
        let mut rests = Vec::new();
        for _ in 0..3 {
            trial.raise(now);
            trial.refused(WINDOW, Duration::from_mins(3), now);
            let next = trial.next(now).unwrap();
            rests.push((next - now).as_secs() / 60);
            now = next;
        }
        assert_eq!(rests, [9, 18, 20]);
        for _ in 0..8 {
            trial.raise(now);
        }
        trial.end_if_over(WINDOW, 1000, now + WINDOW * 2);
        trial.raise(now);
        trial.refused(WINDOW, Duration::from_secs(1), now);
        assert_eq!(trial.next(now), Some(now + Duration::from_secs(3)));
    }
}
