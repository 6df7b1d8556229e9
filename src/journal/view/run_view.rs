//! What every reading of a run begins with.

use std::path::Path;

use rusqlite::Connection;

use super::ReadError;
use crate::journal::commit::Journal;
use crate::journal::{JournalError, Phase, RunHeader, run_header};

/// What can be read of a run.
#[derive(Debug)]
pub struct View<'a>(pub(super) &'a Connection, pub(super) Option<&'a Path>);

impl<'a> View<'a> {
    pub(in crate::journal) fn new(connection: &'a Connection) -> Self {
        Self(connection, None)
    }

    /// The same of a run that is read from a copy of this file.
    pub(in crate::journal) fn of_file(connection: &'a Connection, path: &'a Path) -> Self {
        Self(connection, Some(path))
    }

    pub(in crate::journal) const fn connection(&self) -> &Connection {
        self.0
    }

    /// What the run is, as it stands now.
    pub fn header(&self) -> Result<RunHeader, ReadError> {
        Ok(run_header::read(self.0)?)
    }
}

impl Journal {
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
