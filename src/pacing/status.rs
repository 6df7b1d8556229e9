//! How the pacing stands, in numbers and words.

use std::fmt;
use std::time::Duration;

use super::signal::Budget;

/// What keeps a run from being faster right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limiting {
    /// The server has asked for a wait.
    Cooldown {
        /// For how much longer.
        left: Duration,
        /// Which budget was used up, if it was one.
        budget: Option<Budget>,
    },
    /// The rate that the server grants, or that was set.
    Rate,
    /// The number of requests at once.
    Concurrency,
    /// The server's answers, and the work at hand.
    Answers,
}

impl fmt::Display for Limiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cooldown { left, budget } => {
                let why = match budget {
                    Some(Budget::Requests) => " (request limit)",
                    Some(Budget::Time) => " (execution time limit)",
                    None => "",
                };
                let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
                write!(f, "throttled by the server, retrying in {seconds} s{why}")
            }
            Self::Rate => f.write_str("limited by the request rate"),
            Self::Concurrency => f.write_str("limited by requests at once"),
            Self::Answers => f.write_str("limited by the server's answers"),
        }
    }
}

/// How the pacing stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PacingStatus {
    /// Requests at once, at most.
    pub limit: u32,
    /// Requests under way.
    pub in_flight: u32,
    /// Requests a second at most on average, where there is a most.
    pub rate_per_second: Option<f64>,
    /// What keeps the run from being faster.
    pub limiting: Limiting,
    /// Requests that have left, every attempt counted.
    pub requests: u64,
    /// Requests refused because of a limit.
    pub throttled: u64,
    /// Attempts after the first.
    pub retried: u64,
}
