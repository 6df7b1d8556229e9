//! When to stop, because going on would not help.

use std::collections::VecDeque;
use std::fmt;

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerSettings {
    /// So many failures in a row stop the run.
    pub in_a_row: u32,
    /// The share of failures, from 0 to 1, that stops the run.
    pub share: f64,
    /// Over how many of the last users the share is taken; it does not count before there are as many.
    pub window: usize,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            in_a_row: 25,
            share: 0.5,
            window: 100,
        }
    }
}

/// What became of one user, as far as the server is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerOutcome {
    /// The server did its part.
    Fine,
    /// It did not.
    Failed,
}

/// Why the run stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tripped {
    /// Too many in a row.
    InARow(u32),
    /// Too many of the last.
    Share {
        /// Failures.
        failed: usize,
        /// Of so many.
        of: usize,
    },
}

impl fmt::Display for Tripped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InARow(n) => write!(f, "the server failed for {n} users in a row"),
            Self::Share { failed, of } => {
                write!(f, "the server failed for {failed} of the last {of} users")
            }
        }
    }
}

/// Counts failures.
#[derive(Clone, Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    in_a_row: u32,
    last: VecDeque<bool>,
    failed: usize,
}

impl Breaker {
    /// Before the first user.
    pub fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            in_a_row: 0,
            last: VecDeque::with_capacity(settings.window),
            failed: 0,
        }
    }

    /// Counts one user; says why to stop, if there is a reason now.
    pub fn record(&mut self, outcome: BreakerOutcome) -> Option<Tripped> {
        let failed = outcome == BreakerOutcome::Failed;
        self.in_a_row = if failed { self.in_a_row + 1 } else { 0 };
        if self.last.len() == self.settings.window && self.last.pop_front() == Some(true) {
            self.failed -= 1;
        }
        self.last.push_back(failed);
        self.failed += usize::from(failed);
        if self.in_a_row >= self.settings.in_a_row {
            return Some(Tripped::InARow(self.in_a_row));
        }
        let of = self.last.len();
        #[expect(clippy::cast_precision_loss, reason = "a window is small")]
        let share = self.failed as f64 / of as f64;
        let enough = of >= self.settings.window;
        (enough && failed && share > self.settings.share).then_some(Tripped::Share {
            failed: self.failed,
            of,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::BreakerOutcome::{Failed, Fine};
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new(BreakerSettings {
            in_a_row: 5,
            share: 0.5,
            window: 10,
        })
    }

    #[test]
    fn failures_in_a_row_stop_the_run_and_a_success_between_starts_anew() {
        let mut breaker = breaker();
        for outcome in [Failed, Failed, Failed, Failed, Fine, Failed, Failed, Failed] {
            assert_eq!(breaker.record(outcome), None);
        }
        breaker.record(Fine);
        let last = (0..5).filter_map(|_| breaker.record(Failed)).next_back();
        assert!(last.is_some());
    }

    #[test]
    fn a_high_share_of_failures_stops_the_run_once_there_are_enough_users() {
        let mut breaker = breaker();
        let mut tripped = Vec::new();
        for n in 0..12 {
            let outcome = if n % 3 == 0 { Fine } else { Failed };
            tripped.push(breaker.record(outcome));
        }
        assert!(tripped[..9].iter().all(Option::is_none));
        assert!(
            tripped[9..]
                .iter()
                .any(|t| matches!(t, Some(Tripped::Share { .. })))
        );
    }

    #[test]
    fn now_and_then_a_failure_is_no_reason_to_stop() {
        let mut breaker = breaker();
        assert!((0..1000).all(|n| {
            breaker
                .record(if n % 4 == 0 { Failed } else { Fine })
                .is_none()
        }));
    }
}
