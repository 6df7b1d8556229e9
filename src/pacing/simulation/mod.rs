//! Runs on a clock that nobody waits for: the real decisions against a model of the server.
//!
//! Each file in `tests/pacing` is one [`scenario`]: the [`server`] and its budgets, the work, what goes wrong, and
//! the ranges that the [`figures`] of the [`run`] have to lie in.

mod figures;
mod properties;
mod run;
mod scenario;
mod server;
mod suite;
