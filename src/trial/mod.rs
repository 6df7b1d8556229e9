//! Properties of a server that no document states, and that a trial finds out: the facts, the conclusions from what was
//! observed, and where they are kept.
//!
//! A fact chooses the first attempt of later runs. It never replaces a proof.

mod choice;
mod conclude;
mod document;
mod facts;
mod store;

pub use choice::{Candidate, Harmless, TrialFilter, choose_filter};
pub use conclude::{
    BudgetSeen, Counted, StaleSeen, StatusSeen, WriteSeen, accepted_with_status, budget,
    representation, same_rows, servers, stale_version, version_moves, yes_or_no,
};
pub use document::{FactRow, FactsDocument};
pub use facts::{Answer, Detail, Fact, Findings};
pub use store::FactStore;
