//! Decides who changed a row.

use crate::model::{Filter, RowOutcome, UserId, is_same_version};

use super::{Change, RowResult};

/// Whether a write of this run was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKnown {
    /// None was sent, or it was refused.
    No,
    /// One was sent, and its result is not known.
    Maybe,
    /// The server reported success, without the row.
    Yes,
}

/// The facts that decide who brought a row into the wanted state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// The users who signed in when the run began, and now.
    pub callers: [UserId; 2],
    /// The owner of the filter.
    pub user: UserId,
    /// Whether a write of this run was done.
    pub wrote: WriteKnown,
    /// Whether this server was seen to record the caller in `modifiedonbehalfby`.
    pub records_on_behalf: bool,
    /// Whether a later run wrote this row.
    pub rewritten: bool,
}

/// Who changed a row last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    Us,
    Other,
    /// The row does not say.
    Unknown,
}

impl Attribution {
    /// The result for a row in the wanted state.
    pub(super) fn credit(self, change: &Change, seen: &Filter) -> RowResult {
        let stamp = Some(seen.stamp());
        match (self.wrote, self.author(change, seen)) {
            (_, Author::Us) | (WriteKnown::Yes, Author::Unknown) => {
                RowResult::new(RowOutcome::Changed, stamp)
            }
            // This run changed it, and somebody changed it afterwards: its state is not the one that this run left.
            (WriteKnown::Yes, Author::Other) => RowResult::new(RowOutcome::Changed, None),
            (_, Author::Other) => RowResult::new(RowOutcome::Already, stamp),
            (_, Author::Unknown) => RowResult::new(RowOutcome::Already, stamp).unproved(),
        }
    }

    /// Who brought the row into its state, where a write of this run required the version of the change.
    fn author(self, change: &Change, seen: &Filter) -> Author {
        let unmoved = is_same_version(change.etag.as_deref(), seen.etag.as_deref()) == Some(true);
        if self.wrote == WriteKnown::No || unmoved || self.rewritten {
            return Author::Other;
        }
        self.last_modified_by(seen)
    }

    /// Who made the last change. With impersonation the user is in `modifiedby` and the real caller in
    /// `modifiedonbehalfby` (Microsoft: "Impersonate another user using the Web API"); impersonating oneself leaves no
    /// trace.
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
