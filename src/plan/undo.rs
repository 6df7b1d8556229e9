//! What undo does with each row that a run changed.

use crate::model::{Filter, FilterId, StateAndStatus};

use super::{Attribution, Change};

/// One row that a run changed, or may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The row.
    pub filter: FilterId,
    /// What it was before.
    pub before: StateAndStatus,
    /// What the run left behind.
    pub after: StateAndStatus,
    /// False where no answer to the write came back.
    pub certain: bool,
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

/// Decides about one row: it is put back only where it still is what the run left behind, and where
/// that is the run's doing.
pub fn undo_step(done: &Done, seen: Option<&Filter>, attribution: Attribution) -> UndoStep {
    let Some(seen) = seen else {
        return UndoStep::Gone;
    };
    if seen.now == done.before {
        return UndoStep::Already;
    }
    let ours = done.certain || attribution.is_ours(seen);
    if seen.now != done.after || !ours {
        return UndoStep::Left { now: seen.now };
    }
    UndoStep::PutBack(Change {
        filter: done.filter,
        from: seen.now,
        to: done.before,
        etag: seen.etag.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{State, Status};
    use crate::plan::Wrote;
    use crate::plan::change::tests::{filter, user_id};

    fn done() -> Done {
        let mut before = State::Active.with_default_status();
        before.status = Status(Some(3));
        Done {
            filter: filter(1, "appointment", State::Active).id,
            before,
            after: State::Inactive.with_default_status(),
            certain: true,
        }
    }

    /// A write without an answer, and the row as it bears the stamp of this caller.
    fn lost(on_behalf: Option<u128>) -> (Attribution, Filter) {
        let attribution = Attribution {
            callers: [user_id(5); 2],
            user: user_id(1),
            wrote: Wrote::Maybe,
            stamps: true,
        };
        let mut row = filter(1, "appointment", State::Inactive);
        row.modified.on_behalf = on_behalf.map(user_id);
        (attribution, row)
    }

    #[test]
    fn a_row_whose_write_was_never_answered_is_put_back_only_where_it_was_ours() {
        let done = Done {
            certain: false,
            ..done()
        };
        let (attribution, row) = lost(Some(5));
        let step = undo_step(&done, Some(&row), attribution);
        assert!(matches!(step, UndoStep::PutBack(_)));
        let (attribution, row) = lost(None);
        let step = undo_step(&done, Some(&row), attribution);
        assert_eq!(step, UndoStep::Left { now: row.now });
    }

    #[test]
    fn an_untouched_row_gets_back_its_state_and_its_status() {
        let row = filter(1, "appointment", State::Inactive);
        let UndoStep::PutBack(change) = undo_step(&done(), Some(&row), lost(None).0) else {
            panic!("put back");
        };
        assert_eq!(change.to, done().before);
        assert_eq!(change.etag, row.etag);
    }

    #[test]
    fn a_row_whose_state_somebody_changed_is_left_alone() {
        let row = filter(1, "appointment", State::Active);
        assert_eq!(
            undo_step(&done(), Some(&row), lost(None).0),
            UndoStep::Left { now: row.now }
        );
    }

    #[test]
    fn a_row_that_is_as_before_needs_nothing() {
        let mut row = filter(1, "appointment", State::Active);
        row.now = done().before;
        assert_eq!(
            undo_step(&done(), Some(&row), lost(None).0),
            UndoStep::Already
        );
        assert_eq!(undo_step(&done(), None, lost(None).0), UndoStep::Gone);
    }
}
