//! The decision about one row.

use crate::model::{Problem, RowOutcome, RowStamp};

use super::Change;

/// What to do with one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowDecision {
    /// Write this change.
    Write(Change),
    /// Nothing is to be written, with the result.
    Done(RowResult),
}

/// The result of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowResult {
    /// The outcome.
    pub outcome: RowOutcome,
    /// The last seen state of the row; for a row that the run changed, the state that its write left.
    pub stamp: Option<RowStamp>,
    /// False where a write of this run may have been done, and that cannot be found out.
    pub proved: bool,
    /// The problem, if there is one.
    pub problem: Option<Problem>,
}

impl RowResult {
    /// A proved result without a problem.
    pub const fn new(outcome: RowOutcome, stamp: Option<RowStamp>) -> Self {
        Self {
            outcome,
            stamp,
            proved: true,
            problem: None,
        }
    }

    /// The same result, where it is not known whether a write of this run was done.
    #[must_use]
    pub const fn unproved(mut self) -> Self {
        self.proved = false;
        self
    }

    /// The same result with a problem.
    #[must_use]
    pub fn with(mut self, problem: Option<Problem>) -> Self {
        self.problem = problem;
        self
    }
}
