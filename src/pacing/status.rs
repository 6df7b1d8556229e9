//! The state of the pacing, in numbers and words.

use std::fmt;
use std::time::Duration;

use super::signal::Budget;
use super::trouble::TroubleCount;

/// What limits the speed of a run now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limiting {
    /// The server has asked for a wait.
    Cooldown {
        /// The time that is left.
        left: Duration,
        /// The budget that is used up, where the server named one.
        budget: Option<Budget>,
    },
    /// The last requests failed.
    Trouble {
        /// The kind and number of failures.
        trouble: TroubleCount,
        /// The time for which no request is sent, where all workers wait.
        left: Option<Duration>,
    },
    /// No request under way has been answered for a while.
    Silence {
        /// Since when, as a length of time.
        length: Duration,
    },
    /// The rate that the server grants, or that was configured.
    Rate,
    /// The limit of requests at once.
    Concurrency,
    /// The time to the server's answers, and the work itself.
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
    /// Whether it is a failure, which is shown at once.
    pub fn is_trouble(&self) -> bool {
        matches!(self, Self::Trouble { .. } | Self::Silence { .. })
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// A snapshot of the pacing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PacingStatus {
    /// The most requests at once.
    pub limit: u32,
    /// Requests under way.
    pub in_flight: u32,
    /// The most requests per second on average, where there is a limit.
    pub rate_per_second: Option<f64>,
    /// What limits the speed.
    pub limiting: Limiting,
    /// Requests sent, every attempt counted.
    pub requests: u64,
    /// Requests refused because of a limit.
    pub throttled: u64,
    /// Attempts after the first.
    pub retried: u64,
}
