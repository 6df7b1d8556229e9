//! Creating and opening run files.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::lock::{RunLock, lock_path};
use super::{Head, Journal, JournalError, OpenError, View, head, schema};

/// How long a reader waits for a moment in which the file is not being written.
const BUSY: Duration = Duration::from_secs(10);

/// A run file opened to be driven: this process, and no other, may write it.
#[derive(Debug)]
pub struct RunFile {
    /// What was written so far, and the way to write more.
    pub journal: Journal,
    /// What the run is.
    pub head: Head,
    /// Held for as long as the run is driven; none for a run that leaves no file.
    lock: Option<RunLock>,
    copy: bool,
}

/// Pages that are copied at a time: 4 MiB.
const PAGES: i32 = 1024;

impl RunFile {
    /// A new run file. Never overwrites.
    pub fn create(path: &Path, head: Head) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(OpenError::Exists(path.to_owned()));
            }
            Err(error) => return Err(io(error)),
        }
        let lock = RunLock::take(path, &head.id)?;
        let connection = Connection::open(path).map_err(|e| failed(path, &e))?;
        Self::fill(path, connection, head, Some(lock))
    }

    /// A run that leaves no file: for commands that only look. SQLite keeps it in a nameless file of
    /// its own, so that it takes no more memory than a run that is kept.
    pub fn temporary(head: Head) -> Result<Self, OpenError> {
        let path = Path::new("(temporary)");
        let connection = Connection::open("").map_err(|e| failed(path, &e))?;
        Self::fill(path, connection, head, None)
    }

    fn fill(
        path: &Path,
        connection: Connection,
        head: Head,
        lock: Option<RunLock>,
    ) -> Result<Self, OpenError> {
        prepare(&connection)
            .and_then(|()| schema::create(&connection))
            .and_then(|()| head::insert(&connection, &head))
            .map_err(|e| failed(path, &e))?;
        Ok(Self {
            journal: Journal::start(path, connection)?,
            head,
            lock,
            copy: false,
        })
    }

    /// Where the file is; none for a run that leaves no file.
    pub fn path(&self) -> Option<&Path> {
        (self.lock.is_some() || self.copy).then(|| self.journal.path())
    }

    /// A copy of a run that leaves no file: for whoever wants to see what would happen. The file stays as it is.
    pub fn copy(path: &Path) -> Result<Self, OpenError> {
        let (source, _) = read_only(path)?;
        let mut connection = Connection::open("").map_err(|e| failed(path, &e))?;
        let copied = Backup::new(&source, &mut connection)
            .and_then(|backup| backup.run_to_completion(PAGES, Duration::ZERO, None));
        copied
            .and_then(|()| schema::upgrade(&connection))
            .and_then(|()| prepare(&connection))
            .map_err(|e| failed(path, &e))?;
        let head = head::read(&connection).map_err(|e| failed(path, &e))?;
        Ok(Self {
            journal: Journal::start(path, connection)?,
            head,
            lock: None,
            copy: true,
        })
    }

    /// Whether this is a copy of a run.
    pub const fn is_copy(&self) -> bool {
        self.copy
    }

    /// Opens a run to drive it on; refuses while another process does.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (_, head) = read_only(path)?;
        let lock = RunLock::take(path, &head.id)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| failed(path, &e))?;
        prepare(&connection).map_err(|e| failed(path, &e))?;
        // Read again now that nobody else can have written in between.
        let head = head::read(&connection).map_err(|e| failed(path, &e))?;
        Ok(Self {
            journal: Journal::start(path, connection)?,
            head,
            lock: Some(lock),
            copy: false,
        })
    }
}

/// Removes the file of a run that came to nothing. What cannot be removed does no harm.
pub fn discard(path: &Path) {
    let _ = std::fs::remove_file(path);
    let _ = std::fs::remove_file(lock_path(path));
}

/// Opens a run file to read it, also while another process drives it.
pub(super) fn read_only(path: &Path) -> Result<(Connection, Head), OpenError> {
    let not_ours = |why: Option<String>| OpenError::NotARunFile {
        path: path.to_owned(),
        why,
    };
    if let Err(source) = std::fs::File::open(path) {
        return Err(OpenError::Io {
            path: path.to_owned(),
            source,
        });
    }
    // Not strictly read-only: a run that was killed leaves a log beside its file that the next reader folds in.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .or_else(|_| {
            Connection::open_with_flags(
                path,
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )
        })
        .map_err(|e| failed(path, &e))?;
    connection
        .busy_timeout(BUSY)
        .map_err(|e| failed(path, &e))?;
    let (application, format) =
        schema::identify(&connection).map_err(|e| not_ours(Some(e.to_string())))?;
    if application != schema::APPLICATION_ID {
        return Err(not_ours(None));
    }
    if format > schema::FORMAT {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found: format,
            known: schema::FORMAT,
        });
    }
    schema::upgrade(&connection).map_err(|e| failed(path, &e))?;
    let head = head::read(&connection).map_err(|e| not_ours(Some(e.to_string())))?;
    Ok((connection, head))
}

/// Write-ahead logging, so that readers never block the run; and every commit waits for the disk, so that
/// an intent outlives a power failure.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

pub(super) fn failed(path: &Path, error: &rusqlite::Error) -> JournalError {
    JournalError {
        path: path.to_owned(),
        why: error.to_string(),
    }
}

/// A run file opened to be read, also while another process drives the run.
#[derive(Debug)]
pub struct RunReader {
    /// What the run is.
    pub head: Head,
    path: std::path::PathBuf,
    connection: Connection,
    _lock: Option<RunLock>,
}

impl RunReader {
    /// Opens a run file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (connection, head) = read_only(path)?;
        Ok(Self {
            head,
            path: path.to_owned(),
            connection,
            _lock: None,
        })
    }

    /// Opens a run file that nobody may drive while it is being read.
    pub fn open_at_rest(path: &Path) -> Result<Self, OpenError> {
        let reader = Self::open(path)?;
        let lock = RunLock::take(path, &reader.head.id)?;
        // Read again now that nobody else can have written in between.
        Ok(Self {
            _lock: Some(lock),
            ..Self::open(path)?
        })
    }

    /// Reads from the run.
    pub fn view<T>(
        &self,
        read: impl FnOnce(&View<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        self.read(|connection| read(&View::new(connection)))
    }

    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        read(&self.connection).map_err(|error| failed(&self.path, &error))
    }
}
