//! Runs on a simulated clock: the real decisions against a model of the server.
//!
//! Each file in `tests/pacing` is one [`scenario`]: the [`server`] and its budgets, the work, the faults, and
//! the ranges in which the [`figures`] of the [`run`] have to lie.

mod figures;
mod properties;
mod run;
mod scenario;
mod server;
mod suite;
