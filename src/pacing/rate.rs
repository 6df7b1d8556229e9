//! How many requests a second, once that is known.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The window over which the platform counts (Microsoft: "Service protection API limits").
pub(super) const WINDOW: Duration = Duration::from_mins(5);
/// Slices in which the past is counted.
const SLICES: u32 = 300;
/// How close to what was granted the rate is kept.
const JUST_UNDER: f64 = 0.97;
/// How much faster the rate may become by itself in one window, so that a limit that was raised is found.
const REGROWTH: f64 = 1.05;
/// The slowest rate that is learnt, a second: something has to get through to learn from.
const SLOWEST: f64 = 0.2;

/// A rate that is learnt when a budget is hit: before that there is none, because the first window's
/// budget may be spent as fast as it goes.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    past: Past,
    learnt: Option<Learnt>,
    fixed: Option<f64>,
    next: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Learnt {
    per_second: f64,
    at: Instant,
}

impl Rate {
    pub(super) fn new(max_requests_per_window: Option<u32>) -> Self {
        Self {
            past: Past::default(),
            learnt: None,
            fixed: max_requests_per_window.map(|n| f64::from(n.max(1)) / WINDOW.as_secs_f64()),
            next: None,
        }
    }

    /// Requests a second at most, if there is a most.
    pub(super) fn per_second(&self, now: Instant) -> Option<f64> {
        let learnt = self.learnt.map(|learnt| {
            let windows =
                now.saturating_duration_since(learnt.at).as_secs_f64() / WINDOW.as_secs_f64();
            learnt.per_second * REGROWTH.powf(windows.min(10.0))
        });
        match (learnt, self.fixed) {
            (Some(learnt), Some(fixed)) => Some(learnt.min(fixed)),
            (learnt, fixed) => learnt.or(fixed),
        }
    }

    /// When the next request may leave; `None` is at once.
    pub(super) fn wait_until(&self, now: Instant) -> Option<Instant> {
        self.next.filter(|next| *next > now)
    }

    /// A request leaves.
    pub(super) fn spend(&mut self, now: Instant) {
        if let Some(per_second) = self.per_second(now) {
            let from = self.next.map_or(now, |next| next.max(now));
            self.next = Some(from + Duration::from_secs_f64(1.0 / per_second));
        }
    }

    /// A request was granted.
    pub(super) fn granted(&mut self, now: Instant) {
        self.past.add(now);
    }

    /// A budget is used up: what was granted in the last window is what a window grants.
    pub(super) fn learn(&mut self, now: Instant) {
        let granted = self.past.sum(now) * JUST_UNDER / WINDOW.as_secs_f64();
        self.learnt = Some(Learnt {
            per_second: granted.max(SLOWEST),
            at: now,
        });
    }
}

/// Counts of the last window, in slices.
#[derive(Clone, Debug, Default)]
struct Past {
    start: Option<Instant>,
    slices: VecDeque<(u64, u32)>,
}

impl Past {
    fn slice(&mut self, now: Instant) -> u64 {
        let start = *self.start.get_or_insert(now);
        let width = WINDOW.as_secs_f64() / f64::from(SLICES);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds since the start"
        )]
        let slice = (now.saturating_duration_since(start).as_secs_f64() / width) as u64;
        while self
            .slices
            .front()
            .is_some_and(|(at, _)| at + u64::from(SLICES) <= slice)
        {
            self.slices.pop_front();
        }
        slice
    }

    fn add(&mut self, now: Instant) {
        let slice = self.slice(now);
        match self.slices.back_mut() {
            Some((at, count)) if *at == slice => *count += 1,
            _ => self.slices.push_back((slice, 1)),
        }
    }

    fn sum(&mut self, now: Instant) -> f64 {
        self.slice(now);
        self.slices.iter().map(|(_, count)| f64::from(*count)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: f64) -> Duration {
        Duration::from_secs_f64(n)
    }

    #[test]
    fn there_is_no_rate_before_a_budget_is_hit() {
        let mut rate = Rate::new(None);
        let now = Instant::now();
        for _ in 0..6000 {
            assert_eq!(rate.wait_until(now), None);
            rate.spend(now);
            rate.granted(now);
        }
        assert_eq!(rate.per_second(now), None);
    }

    #[test]
    fn the_rate_learnt_is_just_under_what_a_window_grants() {
        let mut rate = Rate::new(None);
        let start = Instant::now();
        for n in 0..6000 {
            rate.granted(start + seconds(f64::from(n) / 60.0));
        }
        let refused = start + seconds(100.0);
        rate.learn(refused);
        let learnt = rate.per_second(refused).unwrap();
        assert!((19.0..20.0).contains(&learnt), "{learnt}");
    }

    #[test]
    fn requests_flow_at_the_rate() {
        let mut rate = Rate::new(Some(600));
        let mut now = Instant::now();
        let start = now;
        for _ in 0..100 {
            if let Some(at) = rate.wait_until(now) {
                now = at;
            }
            rate.spend(now);
        }
        let took = (now - start).as_secs_f64();
        assert!((49.0..50.0).contains(&took), "two a second: {took}");
    }

    #[test]
    fn what_lies_a_window_back_is_forgotten() {
        let mut rate = Rate::new(None);
        let start = Instant::now();
        (0..1000).for_each(|_| rate.granted(start));
        rate.learn(start + seconds(301.0));
        let learnt = rate.per_second(start + seconds(301.0)).unwrap();
        assert!(learnt <= SLOWEST);
    }

    #[test]
    fn a_polite_budget_holds_from_the_beginning() {
        assert_eq!(Rate::new(Some(300)).per_second(Instant::now()), Some(1.0));
    }
}
