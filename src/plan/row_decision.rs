//! Deciding what to do with a row that was read: in the survey of an undo, and wherever the answer to a write does not
//! say what became of it. What the row *is* decides, never how often something was tried.

use crate::model::{Filter, RowOutcome, StateAndStatus, UserId, is_same_version};

use super::undo::AsLeft;
use super::{Change, RowDecision, RowResult};

/// When a row is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteCondition<'a> {
    /// Deactivate and reactivate: where its state is another; whatever else somebody changed is no obstacle.
    StateDiffers,
    /// Undo: where it still is what the undone run left.
    AsLeft(AsLeft<'a>),
}

/// Whether a write of ours was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKnown {
    /// None was, or it was refused.
    No,
    /// One was sent, and no answer says what came of it.
    Maybe,
    /// The server said so, without showing the row.
    Yes,
}

/// Whose work a row in the wanted state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// Who signed in when the run began, and who did now.
    pub callers: [UserId; 2],
    /// Whose filter it is.
    pub user: UserId,
    /// Whether a write of ours was done.
    pub wrote: WriteKnown,
    /// Whether this server was seen to put the caller into `modifiedonbehalfby`.
    pub records_on_behalf: bool,
    /// Whether a later run wrote this row.
    pub rewritten: bool,
}

/// Who changed a row last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    Us,
    Other,
    /// The row does not tell.
    Unknown,
}

/// Decides about a row; `seen` is `None` where it was not there.
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
    /// The same change of the row as it was seen now.
    pub(super) fn on(&self, seen: &Filter) -> Self {
        Self {
            filter: self.filter,
            from: seen.now,
            to: self.to,
            etag: seen.etag.clone(),
        }
    }
}

impl Attribution {
    /// The result for a row that is as wanted.
    fn credit(self, change: &Change, seen: &Filter) -> RowResult {
        let stamp = Some(seen.stamp());
        match (self.wrote, self.author(change, seen)) {
            (_, Author::Us) | (WriteKnown::Yes, Author::Unknown) => {
                RowResult::new(RowOutcome::Changed, stamp)
            }
            // We changed it, and somebody changed it after us: what it is now is not what we left.
            (WriteKnown::Yes, Author::Other) => RowResult::new(RowOutcome::Changed, None),
            (_, Author::Other) => RowResult::new(RowOutcome::Already, stamp),
            (_, Author::Unknown) => RowResult::new(RowOutcome::Already, stamp).unproved(),
        }
    }

    /// Who made the row what it is, where a write of this run demanded the version of the change.
    fn author(self, change: &Change, seen: &Filter) -> Author {
        let unmoved = is_same_version(change.etag.as_deref(), seen.etag.as_deref()) == Some(true);
        if self.wrote == WriteKnown::No || unmoved || self.rewritten {
            return Author::Other;
        }
        self.last_modified_by(seen)
    }

    /// A change made by impersonation carries the user in `modifiedby` and the real caller in `modifiedonbehalfby`
    /// (Microsoft: "Impersonate another user using the Web API"); impersonating oneself leaves no trace of it.
    pub(super) fn last_modified_by(self, seen: &Filter) -> Author {
        let by_user = seen.modified.by.map(|by| by == self.user);
        if by_user == Some(false) {
            return Author::Other;
        }
        match seen.modified.on_behalf {
            Some(caller) if self.callers.contains(&caller) => Author::Us,
            Some(_) => Author::Other,
            None if self.callers.contains(&self.user) && by_user.is_some() => Author::Us,
            None if self.records_on_behalf => Author::Other,
            None => Author::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Modification, State, Status};
    use crate::plan::change::tests::{filter, user_id};

    fn change() -> Change {
        let row = filter(1, "appointment", State::Active);
        Change {
            filter: row.id,
            from: row.now,
            to: State::Inactive.with_default_status(),
            etag: row.etag,
        }
    }

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
