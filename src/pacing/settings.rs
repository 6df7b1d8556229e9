//! The settings of the pacing.

use std::time::Duration;

use super::{BreakerSettings, RetryPolicy};

/// How fast a run may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The most requests at once. 52 is the platform's documented limit (Microsoft: "Service protection API limits").
    pub max_concurrency: u32,
    /// Requests at once before the server has sent its recommendation.
    pub initial_concurrency: u32,
    /// Exactly this number of requests at once, whatever the server recommends.
    pub fixed_concurrency: Option<u32>,
    /// The most requests in one `budget_window`, which is five minutes unless it is set. For runs beside other
    /// integrations of the same user.
    pub max_requests_per_5m: Option<u32>,
    /// The time over which the server counts its budgets: five minutes (Microsoft: "Service protection API limits"),
    /// less only where a test server imitates them in less time. Everything that is learnt and waited for scales with
    /// it.
    pub budget_window: Duration,
    /// When to try again.
    pub retry: RetryPolicy,
    /// When to stop the run.
    pub breaker: BreakerSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_concurrency: 52,
            // Few, because nothing is known of the server yet; a recommendation replaces it with the first answer.
            initial_concurrency: 4,
            fixed_concurrency: None,
            max_requests_per_5m: None,
            budget_window: Duration::from_mins(5),
            retry: RetryPolicy::default(),
            breaker: BreakerSettings::default(),
        }
    }
}
