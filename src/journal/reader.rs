//! Reads a run without changing its file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use url::Url;

use super::contents::{BUSY, harden, in_use, inspect, inspect_unknown};
use super::error::{failed, said};
use super::inspected::Inspection;
use super::lock::{LockError, RunLock};
use super::place::{FoundFile, beside};
use super::{
    InspectedFiles, JournalError, OpenError, ReadError, RunHeader, RunLocation, RunRef, View,
    run_header, schema,
};

/// The pause before another attempt to be the only reader: shorter than copying a small file takes.
const TURN: Duration = Duration::from_millis(5);

/// A run file opened for reading, also while another process drives the run. Neither the file nor the files beside it
/// are changed.
#[derive(Debug)]
pub struct RunReader {
    /// The header of the run.
    pub header: RunHeader,
    /// The name of the run in commands.
    pub reference: RunRef,
    /// Whether its process was killed and the log no longer exists: merged by the last process that closed the file, or
    /// deleted.
    pub lost_log: bool,
    path: PathBuf,
    // Closed before the lock is released.
    connection: Connection,
    _lock: Option<RunLock>,
}

impl RunReader {
    /// Opens a run file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_file(&FoundFile::at(path)?, None)
    }

    /// As [`Self::open`], for files that are opened repeatedly: values are checked again only where a file was changed
    /// by a process that does not drive it.
    pub fn open_again(path: &Path, files: &InspectedFiles) -> Result<Self, OpenError> {
        Self::open_file(&FoundFile::at(path)?, Some(files))
    }

    fn open_file(file: &FoundFile, files: Option<&InspectedFiles>) -> Result<Self, OpenError> {
        let inspection = |is_driven| {
            files.map_or(Inspection::WHOLE, |files| {
                Inspection::of(files, file, is_driven)
            })
        };
        match RunLock::share(file) {
            Ok(lock) => Self::resting(file, Some(lock), inspection(false)),
            Err(LockError::Taken) => Self::driven(file, inspection(true)),
            // Where no lock can be made, no process can drive the run either.
            Err(LockError::Io { .. }) => Self::resting(file, None, inspection(false)),
        }
    }

    /// The run file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A copy of the run in a file without a name.
    pub(super) fn copied(&self) -> Result<Connection, OpenError> {
        upgraded_copy(&self.path, &self.connection)
    }

    /// Whether the run is in the own store and was made there, so that this computer read its data about users.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn is_of_this_computer(&self) -> Result<bool, JournalError> {
        Ok(self.reference.location == RunLocation::Store
            && !self.view(|view| view.is_imported())?)
    }

    /// Reads from the run.
    pub fn view<T>(
        &self,
        read: impl FnOnce(&View<'_>) -> Result<T, ReadError>,
    ) -> Result<T, JournalError> {
        self.stream(read).map_err(|error| error.in_file(&self.path))
    }

    /// As [`Self::view`], with the caller's own error type, such as errors of its output.
    pub fn stream<T, E: From<ReadError>>(
        &self,
        read: impl FnOnce(&View<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        read(&View::of_file(&self.connection, &self.path))
    }

    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        read(&self.connection).map_err(|error| failed(&self.path, &error))
    }

    /// A run that no process drives. The lock is needed as long as the file itself is read.
    pub(super) fn of_file(file: &FoundFile, lock: Option<RunLock>) -> Result<Self, OpenError> {
        Self::resting(file, lock, Inspection::WHOLE)
    }

    fn resting(
        file: &FoundFile,
        lock: Option<RunLock>,
        inspection: Inspection<'_>,
    ) -> Result<Self, OpenError> {
        let (connection, is_copy) = at_rest_unknown(file, &inspection)?;
        inspection.passed();
        let lock = lock.filter(|_| !is_copy);
        Self::of(file, connection, lock)
    }

    /// A run that another process drives now.
    fn driven(file: &FoundFile, inspection: Inspection<'_>) -> Result<Self, OpenError> {
        if file.length_beside("-wal").is_none() {
            // It is about to be driven, or kept from being driven.
            return Self::of_file(file, None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = opened(file.path(), flags)?;
        let format = inspect_unknown(&connection, file.path(), &inspection)?;
        inspection.passed();
        match format {
            schema::FORMAT => Self::of(file, connection, None),
            _ => Self::of(file, upgraded_copy(file.path(), &connection)?, None),
        }
    }

    fn of(
        file: &FoundFile,
        connection: Connection,
        lock: Option<RunLock>,
    ) -> Result<Self, OpenError> {
        let header = run_header::read(&connection).map_err(|error| OpenError::NotARunFile {
            path: file.path().to_owned(),
            why: Some(said(&error)),
        })?;
        let in_use = in_use(&connection).map_err(|e| failed(file.path(), &e))?;
        Ok(Self {
            reference: RunRef::elsewhere(&header.id, file.path()),
            lost_log: in_use != 0 && file.length_beside("-wal").is_none(),
            header,
            path: file.path().to_owned(),
            connection,
            _lock: lock,
        })
    }
}

/// Why a file cannot be opened, with the id of its run.
pub(super) fn refused(file: &FoundFile, error: LockError) -> OpenError {
    match error {
        LockError::Taken => match RunReader::open(file.path()) {
            Ok(reader) => not_taken(LockError::Taken, &reader.header),
            Err(error) => error,
        },
        LockError::Io { path, source } => OpenError::Io { path, source },
    }
}

pub(super) fn not_taken(error: LockError, header: &RunHeader) -> OpenError {
    match error {
        LockError::Taken => OpenError::Busy {
            run: header.id.clone(),
        },
        LockError::Io { path, source } => OpenError::Io { path, source },
    }
}

fn opened(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, flags).map_err(|e| failed(path, &e))?;
    harden(&connection).map_err(|e| failed(path, &e))?;
    Ok(connection)
}

/// Opens a file that no process drives. Also returns whether it is a copy.
///
/// # Errors
/// Where the file is not a run file, and where its log is missing, and with it the latest writes.
pub(super) fn at_rest(file: &FoundFile) -> Result<(Connection, bool), OpenError> {
    at_rest_unknown(file, &Inspection::WHOLE)
}

/// As [`at_rest`], for a file that may have been inspected.
fn at_rest_unknown(
    file: &FoundFile,
    inspection: &Inspection<'_>,
) -> Result<(Connection, bool), OpenError> {
    let path = file.path();
    if file
        .length_beside("-journal")
        .is_some_and(|length| length > 0)
    {
        return Ok((with_journal(file)?, true));
    }
    let log = file.length_beside("-wal");
    let has_log = log.is_some_and(|length| length > 0);
    let connection = if has_log {
        with_log(path)?
    } else {
        unchanging(path)?
    };
    let format = inspect_unknown(&connection, path, inspection)?;
    // The column exists since format 6.
    if log.is_none() && format >= 6 && !is_whole(file, &connection)? {
        return Err(OpenError::LogMissing {
            path: path.to_owned(),
            log: file.beside("-wal"),
        });
    }
    if has_log || format < schema::FORMAT {
        return Ok((upgraded_copy(path, &connection)?, true));
    }
    Ok((connection, false))
}

/// Whether a file without a log is complete: it needs none, or it is the same file that had one. The last process that
/// closes such a file merges the log and removes it with its index.
fn is_whole(file: &FoundFile, connection: &Connection) -> Result<bool, OpenError> {
    let in_use = in_use(connection).map_err(|e| failed(file.path(), &e))?;
    Ok(in_use == 0 || in_use == file.mark() && file.length_beside("-shm").is_none())
}

/// A file during a change of the whole file. If that was interrupted, the previous contents count: they are restored in
/// a copy, so that the file and the files beside it stay as they are.
#[expect(
    clippy::disallowed_methods,
    reason = "the copies are in a folder that nobody else may enter"
)]
fn with_journal(file: &FoundFile) -> Result<Connection, OpenError> {
    let path = file.path();
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = opened(path, read_only)?;
    if inspect(&connection, path).is_ok() {
        // The process that changes it is still running.
        return upgraded_copy(path, &connection);
    }
    drop(connection);
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let folder = tempfile::tempdir().map_err(io)?;
    let copy = folder.path().join("copy");
    std::fs::copy(path, &copy).map_err(io)?;
    std::fs::copy(file.beside("-journal"), beside(&copy, "-journal")).map_err(io)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = opened(&copy, flags)?;
    inspect(&connection, path)?;
    upgraded_copy(path, &connection)
}

/// A file without a log that no process changes: SQLite creates nothing beside it.
fn unchanging(path: &Path) -> Result<Connection, OpenError> {
    let mut uri = Url::from_file_path(path).map_err(|()| OpenError::NotARunFile {
        path: path.to_owned(),
        why: Some("it has no full path".into()),
    })?;
    uri.set_query(Some("immutable=1"));
    let uri = sqlite_uri(&uri);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    opened(Path::new(&uri), flags).map_err(|error| match error {
        OpenError::Journal(JournalError::Unusable { why, .. }) => {
            OpenError::Journal(JournalError::Unusable {
                path: path.to_owned(),
                why,
            })
        }
        error => error,
    })
}

/// The URI in SQLite's form: the server in a Windows path becomes part of the path.
fn sqlite_uri(uri: &Url) -> String {
    match uri.host_str() {
        Some(server) => uri.as_str().replacen(
            &format!("file://{server}/"),
            &format!("file:////{server}/"),
            1,
        ),
        None => uri.to_string(),
    }
}

/// A file with its log, as a killed process leaves them: both are read, and both stay as they are. The
/// index of the log is made in memory, which SQLite does for an exclusive user of the file, and the log is not merged.
///
/// Several readers take turns: one that waited with the file open would keep the others from being alone.
fn with_log(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let begun = Instant::now();
    loop {
        let connection = opened(path, flags)?;
        match alone(&connection) {
            Ok(()) => return Ok(connection),
            Err(error) if is_busy(&error) && begun.elapsed() < BUSY => {
                drop(connection);
                std::thread::sleep(TURN);
            }
            Err(error) => return Err(failed(path, &error).into()),
        }
    }
}

/// Makes a connection the only one of its file.
fn alone(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    connection.busy_timeout(Duration::ZERO)?;
    // The first look at the file takes it.
    match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        Err(error) if is_busy(&error) => Err(error),
        // What else is wrong is found by whoever reads it.
        _ => connection.busy_timeout(BUSY),
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let busy = [ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked];
    error
        .sqlite_error_code()
        .is_some_and(|code| busy.contains(&code))
}

/// A copy of the run in a file without a name, in the present format.
fn upgraded_copy(path: &Path, from: &Connection) -> Result<Connection, OpenError> {
    let copy = || {
        let mut copy = Connection::open("")?;
        {
            let backup = Backup::new(from, &mut copy)?;
            // In one step, because no process writes meanwhile.
            while !matches!(backup.step(-1)?, StepResult::Done) {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        harden(&copy)?;
        schema::upgrade(&copy)?;
        Ok(copy)
    };
    copy().map_err(|e: rusqlite::Error| failed(path, &e).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_on_a_share_is_named_to_sqlite_without_an_authority() {
        for (uri, expected) in [
            (
                "file://files/profiles$/a%20b.run?immutable=1",
                "file:////files/profiles$/a%20b.run?immutable=1",
            ),
            ("file:///C:/a.run", "file:///C:/a.run"),
            ("file:///home/anna/a.run", "file:///home/anna/a.run"),
        ] {
            assert_eq!(sqlite_uri(&Url::parse(uri).unwrap()), expected);
        }
    }
}
