//! The start of every read of a run.

use std::path::Path;

use rusqlite::Connection;

use super::ReadError;
use crate::journal::commit::Journal;
use crate::journal::{JournalError, Phase, RunHeader, run_header};

/// Reads a run.
#[derive(Debug)]
pub struct View<'a>(pub(super) &'a Connection, pub(super) Option<&'a Path>);

impl<'a> View<'a> {
    pub(in crate::journal) fn new(connection: &'a Connection) -> Self {
        Self(connection, None)
    }

    /// As above, for a run that is read from a copy of this file.
    pub(in crate::journal) fn of_file(connection: &'a Connection, path: &'a Path) -> Self {
        Self(connection, Some(path))
    }

    pub(in crate::journal) const fn connection(&self) -> &Connection {
        self.0
    }

    /// The header of the run as it is now.
    pub fn header(&self) -> Result<RunHeader, ReadError> {
        Ok(run_header::read(self.0)?)
    }
}

impl Journal {
    /// How far the run is.
    pub async fn phase(&self) -> Result<Phase, JournalError> {
        Ok(self.run(run_header::read).await?.phase)
    }

    /// How many users have changes that are not made yet.
    pub async fn users_to_change(&self) -> Result<u64, JournalError> {
        self.run(|connection| Ok(View::new(connection).users_to_change()?))
            .await
    }

    /// Reads a run that is being driven.
    pub async fn view<T, F>(&self, read: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, ReadError> + Send + 'static,
    {
        self.run(move |connection| Ok(read(&View::new(connection))?))
            .await
    }
}
