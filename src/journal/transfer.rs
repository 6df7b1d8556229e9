//! Moves runs from one computer to another, and deletes runs.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::contents::harden;
use super::end_log::end_log;
use super::error::failed;
use super::file::unfinished;
use super::history::{self, HistoryEntry, HistoryKind};
use super::{LockedRun, OpenError, RunPath, RunReader, RunRef, RunStore, discard};
use crate::model::RunId;

/// A run file to be imported into the own store. Its address is not trusted until a user has named it here.
#[derive(Debug)]
pub struct ForeignRun {
    reader: RunReader,
    /// Held until the copy is made; none where no lock can be made beside the file, as on a read-only disk.
    lock: Option<LockedRun>,
}

impl ForeignRun {
    /// Opens a run file to import it, with the checks of every file from elsewhere.
    ///
    /// # Errors
    /// Where it is not a run file, and where a process drives its run.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        match LockedRun::take(path, None) {
            Ok((lock, reader)) => Ok(Self {
                reader,
                lock: Some(lock),
            }),
            Err(OpenError::Io { .. }) => Ok(Self {
                reader: RunReader::open(path)?,
                lock: None,
            }),
            Err(error) => Err(error),
        }
    }

    /// Reads the file.
    pub fn reader(&self) -> &RunReader {
        &self.reader
    }
}

impl RunStore {
    /// Writes a run that no process drives to a new file, complete and without a log. The run stays here, too.
    ///
    /// # Errors
    /// Where a process drives the run, and where there is a file of that name.
    pub fn export(&self, run: &RunPath, to: &Path) -> Result<RunReader, OpenError> {
        let (_lock, reader) = LockedRun::take(run, Some(self))?;
        copy(&reader, to, None)?;
        Ok(reader)
    }

    /// Imports a run into this store. From then on it counts as an own run, so the caller has to make
    /// sure that a user has named its address here.
    ///
    /// # Errors
    /// Where the store has a run with this id.
    pub fn import(&self, run: ForeignRun) -> Result<RunRef, OpenError> {
        let ForeignRun { reader, lock } = run;
        let id = reader.header.id.clone();
        let to = self.path_for(&id)?;
        if to.symlink_metadata().is_ok() {
            return Err(OpenError::Stored {
                run: Box::new(self.reference(&to, &id)),
                undone_by: reader.view(|view| view.undone_by())?,
            });
        }
        let entry = HistoryEntry::now(HistoryKind::Imported, None);
        copy(&reader, &to, Some(&entry))?;
        drop(lock);
        Ok(self.reference(&to, &id))
    }

    /// Deletes a run of this store that no process drives.
    ///
    /// # Errors
    /// Where a process drives it, and where the file cannot be deleted.
    pub fn remove(&self, run: &RunId) -> Result<(), OpenError> {
        let path: PathBuf = self.find(run.as_str())?.to_path_buf();
        let (lock, reader) = LockedRun::take(&path, Some(self))?;
        drop(reader);
        discard(&path);
        drop(lock);
        match path.symlink_metadata() {
            Err(_) => Ok(()),
            Ok(_) => Err(OpenError::Io {
                path,
                source: std::io::Error::other("the file could not be deleted"),
            }),
        }
    }
}

/// Makes a copy with a new name, which only its owner may read.
fn copy(run: &RunReader, to: &Path, entry: Option<&HistoryEntry>) -> Result<(), OpenError> {
    if to.symlink_metadata().is_ok() {
        return Err(OpenError::Exists(to.to_owned()));
    }
    let unfinished = unfinished(to)?;
    let source = run.copied()?;
    let fill = || {
        let mut copy = Connection::open(&unfinished)?;
        Backup::new(&source, &mut copy)?.step(-1)?;
        harden(&copy)?;
        if let Some(entry) = entry {
            history::add(&copy, entry)?;
        }
        end_log(&copy)
    };
    fill().map_err(|error: rusqlite::Error| failed(to, &error))?;
    unfinished
        .persist_noclobber(to)
        .map_err(|error| OpenError::Io {
            path: to.to_owned(),
            source: error.error,
        })
}
