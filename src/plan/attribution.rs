//! Whose work a row is.

use crate::model::{Filter, RowOutcome, UserId, is_same_version};

use super::{Change, RowResult};

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

impl Attribution {
    /// The result for a row that is as wanted.
    pub(super) fn credit(self, change: &Change, seen: &Filter) -> RowResult {
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
