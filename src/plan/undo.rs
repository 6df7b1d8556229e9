//! What undo does with each row that a run changed: it puts back what nobody touched since.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{
    Filter, FilterId, RowOutcome, RowStamp, RunId, StateAndStatus, UserId, is_same_version,
};

use super::again::Author;
use super::{Attribution, Change, RowDecision, RowResult, Wrote};

/// What an undo can do nothing about; said before a deactivation is agreed to, and with every undo.
pub const UNDO_CANNOT: &str = "Undo cannot recall cancellations that were sent to attendees, and cannot bring back items \
     that Exchange has deleted meanwhile.";

/// How far the clocks of two machines of one domain may be apart (the tolerance of Kerberos by default).
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(5);

/// One row that a run changed, or may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoRow {
    /// The row.
    pub filter: FilterId,
    /// What it was before.
    pub before: StateAndStatus,
    /// What the run left. Where it is not proved that the run wrote it, only the state and the status that it was to
    /// have.
    pub left: RowStamp,
    /// Whether it is known that the run wrote it.
    pub proved: bool,
    /// When the run wrote it last; known only while the rows are taken over.
    pub written: Option<Timestamp>,
    /// The earlier undo that put it back, and when.
    pub put_back: Option<PutBack>,
    /// The later run that wrote it.
    pub rewritten_by: Option<RunId>,
}

/// An earlier undo of the same run put a row back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBack {
    /// The run that did.
    pub by: RunId,
    /// When.
    pub at: Timestamp,
}

/// What holds for every row of an undo; kept in its run file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoTerms {
    /// Who signed in to the run that is undone.
    pub caller: UserId,
    /// When that run began to write.
    pub from: Timestamp,
    /// When it wrote last.
    pub until: Timestamp,
}

/// A row that is written where it still is what the undone run left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsLeft<'a> {
    /// The row.
    pub row: &'a UndoRow,
    /// What holds for every row.
    pub terms: &'a UndoTerms,
    /// Whose filter it is.
    pub user: UserId,
    /// Whether to put back also what somebody changed since, where its state is still what the run set.
    pub include_changed: bool,
}

impl UndoRow {
    /// The change that puts it back.
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

    /// Whether nobody wrote the row after the run. An upgrade of the platform moves versions and leaves the stamps.
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

    /// Whether a row whose write was never proved bears the stamp of the run's caller, from the time of the run.
    fn is_written_by_run(self, seen: &Filter) -> bool {
        let UndoTerms {
            caller,
            from,
            until,
            ..
        } = *self.terms;
        let in_time = seen.modified.on.is_some_and(|on| {
            on.duration_since(from) >= -CLOCKS_APART && until.duration_since(on) >= -CLOCKS_APART
        });
        let attribution = Attribution {
            callers: [caller; 2],
            user: self.user,
            wrote: Wrote::Maybe,
            // Without a stamp it is not taken for the run's, whatever the server was seen to do.
            stamps: false,
            rewritten: self.row.rewritten_by.is_some(),
        };
        in_time
            && !attribution.rewritten
            && self.row.is_state_as_left(seen)
            && attribution.last_modified_by(seen) == Author::Us
    }
}

/// Why a row was left alone; `who` is who changed it last, where that is known by name.
pub fn changed_since(row: &UndoRow, seen: &Filter, who: Option<&str>) -> String {
    let last = match (who, seen.modified.on) {
        (Some(who), Some(on)) => format!("last changed by {who} at {on}"),
        (Some(who), None) => format!("last changed by {who}"),
        (None, Some(on)) => format!("last changed at {on}"),
        (None, None) => "the server does not tell who changed it last".to_owned(),
    };
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
