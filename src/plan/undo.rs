//! What undo does with each row that a run changed.

use crate::model::{Filter, FilterId, StateAndStatus};

use super::Change;

/// One row that a run changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The row.
    pub filter: FilterId,
    /// What it was before.
    pub before: StateAndStatus,
    /// What the run left behind.
    pub after: StateAndStatus,
}

/// What undo does with one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoStep {
    /// Put back what was before.
    PutBack(Change),
    /// Somebody has put it back already.
    Already,
    /// Somebody changed its state since; it is left alone.
    Left {
        /// What it is now.
        now: StateAndStatus,
    },
    /// There is no such row any more.
    Gone,
}

/// Decides about one row: it is put back only where it still is what the run left behind.
pub fn undo_step(done: &Done, seen: Option<&Filter>) -> UndoStep {
    match seen {
        None => UndoStep::Gone,
        Some(seen) if seen.now == done.before => UndoStep::Already,
        Some(seen) if seen.now != done.after => UndoStep::Left { now: seen.now },
        Some(seen) => UndoStep::PutBack(Change {
            filter: done.filter,
            from: seen.now,
            to: done.before,
            etag: seen.etag.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{State, Status};
    use crate::plan::change::tests::filter;

    fn done() -> Done {
        let mut before = State::Active.with_default_status();
        before.status = Status(Some(3));
        Done {
            filter: filter(1, "appointment", State::Active).id,
            before,
            after: State::Inactive.with_default_status(),
        }
    }

    #[test]
    fn an_untouched_row_gets_back_its_state_and_its_status() {
        let row = filter(1, "appointment", State::Inactive);
        let UndoStep::PutBack(change) = undo_step(&done(), Some(&row)) else {
            panic!("put back");
        };
        assert_eq!(change.to, done().before);
        assert_eq!(change.etag, row.etag);
    }

    #[test]
    fn a_row_whose_state_somebody_changed_is_left_alone() {
        let row = filter(1, "appointment", State::Active);
        assert_eq!(
            undo_step(&done(), Some(&row)),
            UndoStep::Left { now: row.now }
        );
    }

    #[test]
    fn a_row_that_is_as_before_needs_nothing() {
        let mut row = filter(1, "appointment", State::Active);
        row.now = done().before;
        assert_eq!(undo_step(&done(), Some(&row)), UndoStep::Already);
        assert_eq!(undo_step(&done(), None), UndoStep::Gone);
    }
}
