//! A run that cannot be driven while another one undoes it. Its file changes only by the entry about this undo, and
//! stays one file.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::contents::{harden, inspect};
use super::end_log::end_log;
use super::error::failed;
use super::file::{unfinished, writable};
use super::history::{self, HistoryEntry, HistoryKind};
use super::lock::RunLock;
use super::place::{FoundFile, make_private};
use super::reader::{at_rest, not_taken, refused};
use super::{JournalError, OpenError, RunReader, RunStore, schema};
use crate::model::RunId;

/// The lock of a run whose file is not open.
#[derive(Debug)]
pub struct LockedRun {
    file: FoundFile,
    _lock: RunLock,
}

impl LockedRun {
    /// Keeps a run from being driven, and opens its file for reading. The file may be in this store, or a copy of one
    /// in it.
    ///
    /// # Errors
    /// Where another process drives the run, and where the file is not a run file.
    pub fn take(path: &Path, store: Option<&RunStore>) -> Result<(Self, RunReader), OpenError> {
        let file = FoundFile::at(path)?;
        let mut lock = RunLock::take(&file).map_err(|error| refused(&file, error))?;
        let mut reader = RunReader::of_file(&file, None)?;
        let stored = store.and_then(RunStore::real_folder);
        for folder in [file.path().parent(), stored.as_deref()]
            .into_iter()
            .flatten()
        {
            lock.add(folder, &reader.header.id)
                .map_err(|error| not_taken(error, &reader.header))?;
        }
        if let Some(store) = store {
            reader = reader.of_store(store);
        }
        Ok((Self { file, _lock: lock }, reader))
    }

    /// Records in the file that another run begins to undo this one.
    ///
    /// A file without a log is replaced in one step by one with that entry, so that it is complete without other files
    /// at every moment. The log of a killed run is merged first. No part of this process may have the file open.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn record_undo(&self, by: &RunId) -> Result<(), JournalError> {
        let entry = HistoryEntry::now(HistoryKind::UndoBegun, Some(by.as_str().to_owned()));
        let recorded = if self.file.has_nothing_beside() {
            self.replace(&entry)
        } else {
            self.fold_in(&entry)
        };
        recorded.map_err(|error| match error {
            OpenError::Journal(error) => error,
            error => JournalError::Unusable {
                path: self.file.path().to_owned(),
                why: error.to_string(),
            },
        })
    }

    fn replace(&self, entry: &HistoryEntry) -> Result<(), OpenError> {
        let path = self.file.path();
        let unfinished = unfinished(path)?;
        let (source, _) = at_rest(&self.file)?;
        let copy = || {
            let mut copy = Connection::open(&unfinished)?;
            Backup::new(&source, &mut copy)?.step(-1)?;
            harden(&copy)?;
            schema::upgrade(&copy)?;
            history::add(&copy, entry)
        };
        copy().map_err(|e| failed(path, &e))?;
        drop(source);
        unfinished.persist(path).map_err(|error| OpenError::Io {
            path: path.to_owned(),
            source: error.error,
        })
    }

    fn fold_in(&self, entry: &HistoryEntry) -> Result<(), OpenError> {
        let path = self.file.path();
        make_private(path);
        let connection = writable(path)?;
        inspect(&connection, path)?;
        let fold_in = || {
            schema::upgrade(&connection)?;
            end_log(&connection)?;
            history::add(&connection, entry)
        };
        fold_in().map_err(|e| failed(path, &e).into())
    }
}
