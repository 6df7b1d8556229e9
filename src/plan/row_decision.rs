//! Decides what to do with a row that was read: in the survey of an undo, and wherever the answer to a write does not
//! give the result. Only the state of the row decides, never the number of attempts.

use crate::model::{Filter, RowOutcome, StateAndStatus};

use super::undo::AsLeft;
use super::{Attribution, Change, RowDecision, RowResult};

/// When a row is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteCondition<'a> {
    /// Deactivate and reactivate: if its state differs; other changes of the row do not matter.
    StateDiffers,
    /// Undo: if it is still as the undone run left it.
    AsLeft(AsLeft<'a>),
}

/// Decides about a row; `seen` is `None` where it does not exist.
pub fn judge(
    change: &Change,
    condition: WriteCondition<'_>,
    seen: Option<&Filter>,
    attribution: Attribution,
) -> RowDecision {
    let Some(seen) = seen else {
        return RowDecision::Done(RowResult::new(RowOutcome::Gone, None));
    };
    if condition.is_reached(change.to, seen.now) {
        return RowDecision::Done(attribution.credit(change, seen));
    }
    match condition {
        WriteCondition::StateDiffers => RowDecision::Write(change.on(seen)),
        WriteCondition::AsLeft(left) => left.judge(change, seen),
    }
}

impl WriteCondition<'_> {
    fn is_reached(self, wanted: StateAndStatus, now: StateAndStatus) -> bool {
        match self {
            Self::StateDiffers => now.state == wanted.state,
            Self::AsLeft(_) => now.means_the_same_as(wanted),
        }
    }
}

impl Change {
    /// The same change of the row as it is now.
    pub(super) fn on(&self, seen: &Filter) -> Self {
        Self {
            filter: self.filter,
            from: seen.now,
            to: self.to,
            etag: seen.etag.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Modification, State, Status, UserId};
    use crate::plan::WriteKnown;
    use crate::plan::change::tests::{change, filter, user_id};

    fn seen(state: State, on_behalf: Option<u128>) -> Filter {
        let mut row = filter(1, "appointment", state);
        row.etag = Some("W/\"77\"".into());
        row.modified = Modification {
            on: None,
            by: Some(user_id(1)),
            on_behalf: on_behalf.map(user_id),
        };
        row
    }

    const REFUSED: Attribution = Attribution {
        callers: [UserId(uuid::Uuid::from_u128(5)); 2],
        user: UserId(uuid::Uuid::from_u128(1)),
        wrote: WriteKnown::No,
        records_on_behalf: true,
        rewritten: false,
    };
    const LOST: Attribution = Attribution {
        wrote: WriteKnown::Maybe,
        ..REFUSED
    };
    const SILENT: Attribution = Attribution {
        wrote: WriteKnown::Yes,
        ..REFUSED
    };

    fn result(row: &Filter, attribution: Attribution) -> RowResult {
        match judge(
            &change(),
            WriteCondition::StateDiffers,
            Some(row),
            attribution,
        ) {
            RowDecision::Done(result) => result,
            RowDecision::Write(change) => panic!("{change:?}"),
        }
    }

    fn outcome(row: &Filter, attribution: Attribution) -> (RowOutcome, bool) {
        let result = result(row, attribution);
        (result.outcome, result.proved)
    }

    #[test]
    fn a_row_that_is_gone_is_gone() {
        let gone = judge(&change(), WriteCondition::StateDiffers, None, LOST);
        let expected = RowResult::new(RowOutcome::Gone, None);
        assert_eq!(gone, RowDecision::Done(expected));
    }

    #[test]
    fn a_row_that_somebody_edited_is_tried_again_with_its_new_version() {
        let mut row = seen(State::Active, None);
        row.now.status = Status(Some(3));
        let decision = judge(&change(), WriteCondition::StateDiffers, Some(&row), REFUSED);
        let RowDecision::Write(again) = decision else {
            panic!("tried again");
        };
        assert_eq!(again.etag, row.etag);
        assert_eq!(
            again.from.status,
            Status(Some(3)),
            "undo puts back the newest status"
        );
    }

    #[test]
    fn a_lost_write_that_took_effect_is_ours_by_its_stamp() {
        let row = seen(State::Inactive, Some(5));
        assert_eq!(result(&row, LOST).outcome, RowOutcome::Changed);
        assert_eq!(result(&row, LOST).stamp, Some(row.stamp()));
    }

    #[test]
    fn what_somebody_else_switched_off_in_that_moment_is_not_ours() {
        let mut by_another = seen(State::Inactive, Some(5));
        by_another.modified.by = Some(user_id(9));
        let rows = [
            seen(State::Inactive, None),
            seen(State::Inactive, Some(6)),
            by_another,
        ];
        for row in rows {
            assert_eq!(outcome(&row, LOST), (RowOutcome::Already, true), "{row:?}");
        }
    }

    #[test]
    fn a_server_that_was_never_seen_to_name_the_caller_leaves_the_lost_write_unproved() {
        let row = seen(State::Inactive, None);
        let unstamped = Attribution {
            records_on_behalf: false,
            ..LOST
        };
        assert_eq!(outcome(&row, unstamped), (RowOutcome::Already, false));
    }

    #[test]
    fn a_write_that_the_server_said_was_done_is_ours_unless_the_row_was_written_after_it() {
        let row = seen(State::Inactive, None);
        let unstamped = Attribution {
            records_on_behalf: false,
            ..SILENT
        };
        assert_eq!(result(&row, unstamped).stamp, Some(row.stamp()));
        let written_after = result(&row, SILENT);
        assert_eq!(written_after.outcome, RowOutcome::Changed);
        assert_eq!(written_after.stamp, None, "not what we left");
    }

    #[test]
    fn a_refused_write_is_never_ours() {
        let row = seen(State::Inactive, Some(5));
        assert_eq!(outcome(&row, REFUSED), (RowOutcome::Already, true));
    }

    #[test]
    fn a_row_of_which_the_version_did_not_move_was_not_written() {
        let mut row = seen(State::Inactive, Some(5));
        row.etag = change().etag;
        assert_eq!(outcome(&row, LOST), (RowOutcome::Already, true));
    }

    #[test]
    fn a_row_that_a_later_run_wrote_is_that_runs() {
        let row = seen(State::Inactive, Some(5));
        let rewritten = Attribution {
            rewritten: true,
            ..LOST
        };
        assert_eq!(outcome(&row, rewritten), (RowOutcome::Already, true));
    }

    #[test]
    fn impersonating_oneself_leaves_no_stamp_and_is_ours() {
        let row = seen(State::Inactive, None);
        let own = Attribution {
            callers: [user_id(1); 2],
            ..LOST
        };
        assert_eq!(result(&row, own).outcome, RowOutcome::Changed);
    }
}
