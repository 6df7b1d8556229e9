//! What may be told to the pacing.

use std::time::Duration;

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
    /// Requests in one `budget_window`, five minutes unless it is set, at most; for runs beside other
    /// integrations of the same user.
    pub max_requests_per_5m: Option<u32>,
    /// Over how long the server counts its budgets: five minutes (Microsoft: "Service protection API limits"),
    /// and less only where a server imitates them in less time. What is learnt and waited for scales with it.
    pub budget_window: Duration,
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
            budget_window: Duration::from_mins(5),
            retry: RetryPolicy::default(),
            breaker: BreakerSettings::default(),
        }
    }
}
