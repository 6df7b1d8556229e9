//! What undo does with each row that a run changed: it restores rows that nobody has changed since.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{
    Filter, FilterId, RowOutcome, RowStamp, RunId, StateAndStatus, UserId, is_same_version,
};

use super::attribution::Author;
use super::{Attribution, Change, RowDecision, RowResult, WriteKnown};

/// The limits of undo. Shown before a deactivation is agreed to, and with every undo.
pub const UNDO_CANNOT: &str = "Undo cannot recall cancellations that were sent to attendees, and cannot bring back items \
     that Exchange has deleted meanwhile.";

/// How far the clocks of two machines of one domain may differ (the default tolerance of Kerberos).
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(5);

/// One row that a run changed or may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoRow {
    /// The id of the row.
    pub filter: FilterId,
    /// Its state before that run.
    pub before: StateAndStatus,
    /// The state that the run left. Where it is not proved that the run wrote it, only the wanted state and status.
    pub left: RowStamp,
    /// Whether it is proved that the run wrote it.
    pub proved: bool,
    /// When the run wrote it last; known only while the rows are copied.
    pub written: Option<Timestamp>,
    /// The earlier undo that restored it, and when.
    pub put_back: Option<PutBack>,
    /// The later run that wrote it.
    pub rewritten_by: Option<RunId>,
}

/// An earlier undo of the same run restored a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBack {
    /// That undo.
    pub by: RunId,
    /// The time of its write.
    pub at: Timestamp,
}

/// The conditions for every row of an undo, stored in its run file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoTerms {
    /// The user who signed in to the undone run.
    pub caller: UserId,
    /// When that run wrote first.
    pub from: Timestamp,
    /// When it wrote last.
    pub until: Timestamp,
}

impl UndoTerms {
    /// Whether the undone run can have written at this time, by the server's clock.
    pub(super) fn covers(&self, on: Timestamp) -> bool {
        on.duration_since(self.from) >= -CLOCKS_APART
            && self.until.duration_since(on) >= -CLOCKS_APART
    }
}

/// A row that is written if it is still as the undone run left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsLeft<'a> {
    /// The row as that run left it.
    pub row: &'a UndoRow,
    /// The conditions for every row.
    pub terms: &'a UndoTerms,
    /// The owner of the filter.
    pub user: UserId,
    /// Whether rows that somebody changed since are restored too, if their state is still the one that the run set.
    pub include_changed: bool,
}

impl UndoRow {
    /// The change that restores it.
    pub fn change(&self) -> Change {
        Change {
            filter: self.filter,
            from: self.left.now,
            to: self.before,
            etag: self.left.etag.clone(),
        }
    }

    fn is_state_as_left(&self, seen: &Filter) -> bool {
        seen.now.means_the_same_as(self.left.now)
    }
}

impl AsLeft<'_> {
    /// Decides about a row that is not as it was before the run.
    pub(super) fn judge(self, change: &Change, seen: &Filter) -> RowDecision {
        let done = |outcome| RowDecision::Done(RowResult::new(outcome, Some(seen.stamp())));
        if self.row.put_back.is_some() {
            return done(RowOutcome::Already);
        }
        let included = self.include_changed && self.row.is_state_as_left(seen);
        if self.is_untouched(seen) || included {
            return RowDecision::Write(change.on(seen));
        }
        done(RowOutcome::ChangedSince)
    }

    /// Whether nobody wrote the row after the run. An upgrade of the platform changes versions but not the stamps.
    fn is_untouched(self, seen: &Filter) -> bool {
        let UndoRow { left, proved, .. } = self.row;
        if !proved {
            return self.is_written_by_run(seen);
        }
        match is_same_version(left.etag.as_deref(), seen.etag.as_deref()) {
            Some(true) => true,
            Some(false) | None => {
                self.row.rewritten_by.is_none()
                    && self.row.is_state_as_left(seen)
                    && left.modified.is_known()
                    && left.modified == seen.modified
            }
        }
    }

    /// Whether a row with an unproved write has a stamp of the run's caller, from the time of the run.
    fn is_written_by_run(self, seen: &Filter) -> bool {
        let caller = self.terms.caller;
        let in_time = seen.modified.on.is_some_and(|on| self.terms.covers(on));
        let attribution = Attribution {
            callers: [caller; 2],
            user: self.user,
            wrote: WriteKnown::Maybe,
            // Without a stamp the row is not attributed to the run, whatever the server usually records.
            records_on_behalf: false,
            rewritten: self.row.rewritten_by.is_some(),
        };
        in_time
            && !attribution.rewritten
            && self.row.is_state_as_left(seen)
            && attribution.last_modified_by(seen) == Author::Us
    }
}

/// Who changed a row last, and when, where that is known.
pub(super) fn last_change(who: Option<&str>, on: Option<Timestamp>) -> String {
    match (who, on) {
        (Some(who), Some(on)) => format!("last changed by {who} at {on}"),
        (Some(who), None) => format!("last changed by {who}"),
        (None, Some(on)) => format!("last changed at {on}"),
        (None, None) => "the server does not tell who changed it last".to_owned(),
    }
}

/// Why a row was left alone; `who` is the name of the user who changed it last, where known.
pub fn changed_since(row: &UndoRow, seen: &Filter, who: Option<&str>) -> String {
    let last = last_change(who, seen.modified.on);
    let left = row.left.now;
    let what = if !row.proved {
        format!(
            "the run's write was not answered, and the row does not show that it was the run's; it is {}",
            seen.now
        )
    } else if !row.is_state_as_left(seen) {
        format!("the run left it {left}, and it is {}", seen.now)
    } else if row.left.etag.is_none() && !row.left.modified.is_known() {
        format!("it is still {left}, and it cannot be told whether that is what the run left")
    } else {
        format!("its state is still {left}, but the row was changed since")
    };
    let by = row.rewritten_by.as_ref();
    let by = by.map_or_else(String::new, |run| format!("; run {run} wrote it after"));
    format!("left alone: {last}; {what}{by}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Modification, State, Status};
    use crate::plan::change::tests::{filter, user_id};
    use crate::plan::{WriteCondition, judge};

    const CALLER: u128 = 5;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_529_040 + second).unwrap()
    }

    /// The row as the run's write showed it.
    fn as_left() -> Filter {
        let mut row = filter(1, "appointment", State::Inactive);
        row.etag = Some("W/\"50\"".into());
        row.modified = Modification {
            on: Some(at(0)),
            by: Some(user_id(1)),
            on_behalf: Some(user_id(CALLER)),
        };
        row
    }

    fn row() -> UndoRow {
        let mut before = State::Active.with_default_status();
        before.status = Status(Some(3));
        UndoRow {
            filter: as_left().id,
            before,
            left: as_left().stamp(),
            proved: true,
            written: None,
            put_back: None,
            rewritten_by: None,
        }
    }

    fn unproved() -> UndoRow {
        let left = RowStamp {
            now: State::Inactive.with_default_status(),
            etag: None,
            modified: Modification::default(),
        };
        UndoRow {
            left,
            proved: false,
            ..row()
        }
    }

    fn terms() -> UndoTerms {
        UndoTerms {
            caller: user_id(CALLER),
            from: at(-60),
            until: at(60),
        }
    }

    fn decide(row: &UndoRow, seen: Option<&Filter>, include_changed: bool) -> RowDecision {
        let terms = terms();
        let as_left = AsLeft {
            row,
            terms: &terms,
            user: user_id(1),
            include_changed,
        };
        // Who undoes need not be who ran what is undone.
        let attribution = Attribution {
            callers: [user_id(6); 2],
            user: user_id(1),
            wrote: WriteKnown::No,
            records_on_behalf: true,
            rewritten: false,
        };
        judge(
            &row.change(),
            WriteCondition::AsLeft(as_left),
            seen,
            attribution,
        )
    }

    /// The outcome where nothing is written; none where the row is put back.
    fn outcome(row: &UndoRow, seen: &Filter, include_changed: bool) -> Option<RowOutcome> {
        match decide(row, Some(seen), include_changed) {
            RowDecision::Done(result) => Some(result.outcome),
            RowDecision::Write(change) => {
                assert_eq!((change.to, &change.etag), (row.before, &seen.etag));
                None
            }
        }
    }

    fn both(row: &UndoRow, seen: &Filter) -> [Option<RowOutcome>; 2] {
        [outcome(row, seen, false), outcome(row, seen, true)]
    }

    const SINCE: Option<RowOutcome> = Some(RowOutcome::ChangedSince);
    const ALREADY: Option<RowOutcome> = Some(RowOutcome::Already);
    const WRITTEN: Option<RowOutcome> = None;

    fn edited(mut seen: Filter) -> Filter {
        seen.etag = Some("W/\"51\"".into());
        seen.modified = Modification {
            on: Some(at(10)),
            by: Some(user_id(1)),
            on_behalf: None,
        };
        seen
    }

    #[test]
    fn a_row_that_is_not_there_is_gone() {
        let gone = RowDecision::Done(RowResult::new(RowOutcome::Gone, None));
        assert_eq!(decide(&row(), None, true), gone);
    }

    #[test]
    fn the_version_that_was_left_is_put_back_with_that_version_demanded() {
        assert_eq!(both(&row(), &as_left()), [WRITTEN; 2]);
    }

    #[test]
    fn a_moved_version_with_the_stamps_of_our_write_is_put_back() {
        let mut seen = as_left();
        seen.etag = Some("W/\"99\"".into());
        assert_eq!(both(&row(), &seen), [WRITTEN; 2]);
    }

    #[test]
    fn a_row_that_an_earlier_undo_put_back_is_not_touched_again() {
        let put_back = Some(PutBack {
            by: RunId::random(),
            at: at(20),
        });
        let row = UndoRow { put_back, ..row() };
        assert_eq!(both(&row, &edited(as_left())), [ALREADY; 2]);
    }

    #[test]
    fn a_row_that_means_the_same_as_before_needs_nothing() {
        let mut seen = edited(as_left());
        let mut row = row();
        row.before = State::Active.with_default_status();
        seen.now = row.before;
        seen.now.status = Status(None);
        assert_eq!(both(&row, &seen), [ALREADY; 2]);
    }

    #[test]
    fn a_row_with_the_state_of_the_run_and_another_version_is_put_back_only_where_that_was_asked() {
        assert_eq!(both(&row(), &edited(as_left())), [SINCE, WRITTEN]);
    }

    #[test]
    fn a_row_with_another_state_is_always_left_alone() {
        let mut seen = edited(as_left());
        seen.now = State::Active.with_default_status();
        assert_eq!(both(&row(), &seen), [SINCE; 2]);
    }

    #[test]
    fn without_versions_the_stamps_decide_and_without_either_the_row_is_left() {
        let mut row = row();
        row.left.etag = None;
        let mut seen = as_left();
        seen.etag = None;
        assert_eq!(both(&row, &seen), [WRITTEN; 2]);
        let mut other = edited(as_left());
        other.etag = None;
        assert_eq!(both(&row, &other), [SINCE, WRITTEN]);
        row.left.modified = Modification::default();
        assert_eq!(both(&row, &seen), [SINCE, WRITTEN]);
        seen.modified = Modification::default();
        assert_eq!(both(&row, &seen), [SINCE, WRITTEN]);
    }

    #[test]
    fn a_write_that_was_never_proved_is_the_runs_by_its_stamp_from_the_time_of_the_run() {
        assert_eq!(both(&unproved(), &as_left()), [WRITTEN; 2]);
        assert_eq!(both(&unproved(), &edited(as_left())), [SINCE, WRITTEN]);
        let mut later = as_left();
        later.modified.on = Some(at(3600));
        assert_eq!(both(&unproved(), &later), [SINCE, WRITTEN]);
        let mut by_another = as_left();
        by_another.modified.on_behalf = Some(user_id(6));
        assert_eq!(both(&unproved(), &by_another), [SINCE, WRITTEN]);
        let rewritten = UndoRow {
            rewritten_by: Some(RunId::random()),
            ..unproved()
        };
        assert_eq!(both(&rewritten, &as_left()), [SINCE, WRITTEN]);
    }

    #[test]
    fn a_row_that_was_never_written_is_as_before() {
        let mut seen = edited(as_left());
        seen.now = row().before;
        assert_eq!(both(&unproved(), &seen), [ALREADY; 2]);
    }

    #[test]
    fn what_is_said_of_a_row_names_who_and_when() {
        let said = changed_since(&row(), &edited(as_left()), Some("ada@contoso.example"));
        assert!(
            said.contains("last changed by ada@contoso.example at 20"),
            "{said}"
        );
        assert!(said.contains("its state is still inactive"), "{said}");
        let mut seen = edited(as_left());
        seen.now = State::Active.with_default_status();
        let said = changed_since(&row(), &seen, None);
        assert!(said.contains("and it is active (status 1)"), "{said}");
    }
}
