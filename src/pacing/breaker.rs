//! When to stop a run because the server fails.

use std::collections::VecDeque;
use std::fmt;

/// The limits that stop a run. Units are users.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerSettings {
    /// Failures in a row.
    pub in_a_row: u32,
    /// Share of failures, from 0 to 1.
    pub share: f64,
    /// The number of last users over which the share is counted. The share does not count before that many users.
    pub window: usize,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            // If half of all users fail by chance, 25 given users all fail once in 33 million cases.
            in_a_row: 25,
            // Below it most users succeed, and the failed ones can be tried again by themselves.
            share: 0.5,
            // With a quarter of the users failing by chance, half of 100 lies more than five standard deviations away.
            window: 100,
        }
    }
}

/// Whether the server failed for one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerOutcome {
    /// The server answered, refusals included.
    Fine,
    /// The server failed.
    Failed,
}

/// Why the run stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tripped {
    /// This many users failed in a row.
    InARow(u32),
    /// Too large a share of the last users failed.
    Share {
        /// Users that failed.
        failed: usize,
        /// Users that were counted.
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

/// Counts the users for which the server failed.
#[derive(Clone, Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    in_a_row: u32,
    last: VecDeque<bool>,
    failed: usize,
}

impl Breaker {
    /// Starts with no users counted.
    pub fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            in_a_row: 0,
            last: VecDeque::with_capacity(settings.window),
            failed: 0,
        }
    }

    /// Counts one user. Returns the reason to stop, if there is one now.
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
