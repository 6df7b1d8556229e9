//! How the pacing stands, in numbers and words.

use std::fmt;
use std::time::Duration;

use super::signal::Budget;
use super::trouble::TroubleCount;

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
    /// The last requests were not answered, or not as they should be.
    Trouble {
        /// How, and how many.
        trouble: TroubleCount,
        /// For how much longer nothing is sent, where everybody waits.
        left: Option<Duration>,
    },
    /// Nothing that is under way has been answered for a while.
    Silence {
        /// For how long.
        length: Duration,
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
                let seconds = whole_seconds(*left);
                write!(f, "throttled by the server, retrying in {seconds} s{why}")
            }
            Self::Trouble { trouble, left } => {
                write!(f, "{trouble}")?;
                match left {
                    Some(left) => write!(f, "; retrying in {} s", whole_seconds(*left)),
                    None => f.write_str("; retrying"),
                }
            }
            Self::Silence { length } => {
                write!(f, "no answer from the server for {} s", length.as_secs())
            }
            Self::Rate => f.write_str("limited by the request rate"),
            Self::Concurrency => f.write_str("limited by the number of requests at once"),
            Self::Answers => f.write_str("waiting for the server's answers"),
        }
    }
}

impl Limiting {
    /// Whether something is wrong, which is told at once.
    pub fn is_trouble(&self) -> bool {
        matches!(self, Self::Trouble { .. } | Self::Silence { .. })
    }
}

/// Rounded up.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
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
