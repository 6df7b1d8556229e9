//! What may be told to the pacing.

use super::{BreakerSettings, RetryPolicy};

/// How fast a run may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Requests at once, at most. 52 is the platform's documented limit (Microsoft: "Service protection API limits").
    pub max_concurrency: u32,
    /// Requests at once, before the server has said what it recommends.
    pub initial_concurrency: u32,
    /// Requests at once, no more and no fewer, whatever the server recommends.
    pub fixed_concurrency: Option<u32>,
    /// Requests in five minutes, at most; for runs beside other integrations of the same user.
    pub max_requests_per_5m: Option<u32>,
    /// When to try again.
    pub retry: RetryPolicy,
    /// When to stop.
    pub breaker: BreakerSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_concurrency: 52,
            initial_concurrency: 4,
            fixed_concurrency: None,
            max_requests_per_5m: None,
            retry: RetryPolicy::default(),
            breaker: BreakerSettings::default(),
        }
    }
}
