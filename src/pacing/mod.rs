//! How fast, how many at once, and when to try again.
//!
//! Plain values decide ([`classify`], [`RetryState`], the controller, [`Breaker`]) and get the time as an argument.
//! One asynchronous gate, [`Pacer`], surrounds them and is shared by all workers.

mod breaker;
mod controller;
mod cooldown;
mod gate;
mod health;
mod limiter;
mod rate;
mod remaining;
mod request_rate;
mod retry;
mod settings;
mod signal;
#[cfg(test)]
mod simulation;
mod status;
mod trial;
mod trouble;
mod window;

pub use breaker::{Breaker, BreakerOutcome, BreakerSettings, Tripped};
pub use gate::{Pacer, Permit};
pub use retry::{GiveUp, Repeat, RetryDecision, RetryPolicy, RetryState};
pub use settings::Settings;
pub use signal::{Budget, Facts, Failure, LONGEST_WAIT, Observation, Signal, classify};
pub use status::{Limiting, PacingStatus};
pub use trouble::{Trouble, TroubleCount};
