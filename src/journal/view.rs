//! Reading a run: totals, problems, users and changes.

use std::path::Path;

use rusqlite::Connection;

use super::commit::Journal;
use super::{JournalError, Phase, ReadError, RunHeader, run_header};

mod changes;
mod digest;
mod evidence;
mod findings;
mod impact;
mod listing;
mod lookup;
mod states;
mod timeline;
mod totals;

pub use changes::{ChangeRow, ProblemRow};
pub use evidence::EvidenceUser;
pub use findings::{CountWithExample, Finding};
pub use impact::{Impact, ImpactOfType, ImpactOfUser, ImpactRow, Mailboxes, UnknownGroup};
pub use listing::{ListedFilter, ListedUser};
pub use lookup::{PutBackBefore, StaysPutBack};
pub use states::States;
pub use timeline::{TimeBucket, Timeline};
pub use totals::{FilterTotals, ProblemGroup, TypeTotals, UserTotals};

/// What can be read of a run.
#[derive(Debug)]
pub struct View<'a>(&'a Connection, Option<&'a Path>);

impl<'a> View<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self(connection, None)
    }

    /// The same of a run that is read from a copy of this file.
    pub(super) fn of_file(connection: &'a Connection, path: &'a Path) -> Self {
        Self(connection, Some(path))
    }

    pub(super) const fn connection(&self) -> &Connection {
        self.0
    }

    /// What the run is, as it stands now.
    pub fn header(&self) -> Result<RunHeader, ReadError> {
        Ok(run_header::read(self.0)?)
    }
}

impl Journal {
    /// How many users, by what became of them.
    pub async fn user_totals(&self) -> Result<UserTotals, JournalError> {
        self.run(|connection| Ok(View::new(connection).users()?))
            .await
    }

    /// How many filters, by what became of them.
    pub async fn filter_totals(&self) -> Result<FilterTotals, JournalError> {
        self.run(|connection| Ok(View::new(connection).filters()?))
            .await
    }

    /// How far the run has come.
    pub async fn phase(&self) -> Result<Phase, JournalError> {
        Ok(self.run(run_header::read).await?.phase)
    }

    /// How many users have changes to be made.
    pub async fn users_to_change(&self) -> Result<u64, JournalError> {
        self.run(|connection| Ok(View::new(connection).users_to_change()?))
            .await
    }

    /// Reads from a run that is being driven.
    pub async fn view<T, F>(&self, read: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, ReadError> + Send + 'static,
    {
        self.run(move |connection| Ok(read(&View::new(connection))?))
            .await
    }
}
