//! The recent pace of a run.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The time over which the pace is measured: long enough to be steady, short enough to show a pause.
const WINDOW: Duration = Duration::from_secs(10);
/// The least time between two samples, so that there are at most forty in the window.
const SPACING: Duration = Duration::from_millis(250);
/// The shortest time that is measured.
const SHORTEST: Duration = Duration::from_secs(1);

/// The pace over about the last ten seconds. The caller passes the time.
#[derive(Debug, Default)]
pub(super) struct RecentRate {
    samples: VecDeque<(Instant, u64)>,
}

impl RecentRate {
    /// Records the number done at this time.
    pub(super) fn record(&mut self, done: u64, now: Instant) {
        let fresh = |(at, _): &(Instant, u64)| now.saturating_duration_since(*at) < SPACING;
        if !self.samples.back().is_some_and(fresh) {
            self.samples.push_back((now, done));
        }
        self.forget(now);
    }

    /// Keeps one sample from before the window, as the start of the measurement.
    fn forget(&mut self, now: Instant) {
        let old = |at: Instant| now.saturating_duration_since(at) >= WINDOW;
        while self.samples.get(1).is_some_and(|(at, _)| old(*at)) {
            self.samples.pop_front();
        }
    }

    /// The number per second; none before there is enough data.
    pub(super) fn per_second(&mut self, done: u64, now: Instant) -> Option<f64> {
        self.forget(now);
        let (since, before) = *self.samples.front()?;
        let time = now.saturating_duration_since(since);
        if time < SHORTEST {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a rate is shown with few digits"
        )]
        let more = done.saturating_sub(before) as f64;
        Some(more / time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn there_is_no_telling_in_the_first_second() {
        let (mut rate, start) = (RecentRate::default(), Instant::now());
        assert_eq!(rate.per_second(0, start), None);
        rate.record(0, start);
        assert_eq!(rate.per_second(50, after(start, 900)), None);
        assert_eq!(rate.per_second(50, after(start, 1000)), Some(50.0));
    }

    #[test]
    fn what_was_long_ago_does_not_count() {
        let (mut rate, start) = (RecentRate::default(), Instant::now());
        for second in 0..=60_u64 {
            // Fast for half a minute, then slow.
            let done = if second <= 30 {
                second * 100
            } else {
                3000 + (second - 30) * 2
            };
            rate.record(done, after(start, second * 1000));
        }
        let recent = rate.per_second(3060, after(start, 60_000));
        assert_eq!(recent, Some(2.0));
    }

    #[test]
    fn a_standstill_shows_as_one() {
        let (mut rate, start) = (RecentRate::default(), Instant::now());
        rate.record(0, start);
        rate.record(100, after(start, 1000));
        assert_eq!(rate.per_second(100, after(start, 2000)), Some(50.0));
        assert_eq!(rate.per_second(100, after(start, 60_000)), Some(0.0));
    }

    #[test]
    fn however_much_happens_few_samples_are_kept() {
        let (mut rate, start) = (RecentRate::default(), Instant::now());
        for n in 0..100_000 {
            rate.record(n, after(start, n));
        }
        assert!(rate.samples.len() <= 42);
    }
}
