//! What is decided about one row.

use crate::model::{Problem, RowOutcome, RowStamp};

use super::Change;

/// What to do with one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowDecision {
    /// Write it.
    Write(Change),
    /// There is nothing to write.
    Done(RowResult),
}

/// How one row ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowResult {
    /// What became of it.
    pub outcome: RowOutcome,
    /// The row as it was seen last; of a row that the run changed, what its write left.
    pub stamp: Option<RowStamp>,
    /// False where a write of ours may have been done, and it cannot be told whether it was.
    pub proved: bool,
    /// What there is to say of it.
    pub problem: Option<Problem>,
}

impl RowResult {
    /// A result that needs no proof and of which there is nothing to say.
    pub const fn new(outcome: RowOutcome, stamp: Option<RowStamp>) -> Self {
        Self {
            outcome,
            stamp,
            proved: true,
            problem: None,
        }
    }

    /// The same result, where it cannot be told whether a write of ours was done.
    #[must_use]
    pub const fn unproved(mut self) -> Self {
        self.proved = false;
        self
    }

    /// The same result, with what there is to say of it.
    #[must_use]
    pub fn with(mut self, problem: Option<Problem>) -> Self {
        self.problem = problem;
        self
    }
}
