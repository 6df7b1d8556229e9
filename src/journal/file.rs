//! Creates run files, and opens them to drive their runs.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::contents::{harden, inspect};
use super::error::{failed, said};
use super::lock::RunLock;
use super::place::{BESIDE, FoundFile, beside, make_private};
use super::reader::{at_rest, not_taken, refused};
use super::{
    ImpactOptions, Journal, JournalError, OpenError, RunHeader, RunReader, RunRef, RunStore,
    history, impact, run_header, schema, templates,
};
use crate::plan::{RunSettings, TemplateChange};
use rusqlite::{Connection, OpenFlags};

/// A run file opened to be driven. Only this process may write it.
#[derive(Debug)]
pub struct RunFile {
    /// Reads and writes the file. It holds the lock.
    pub journal: Journal,
    /// The header of the run.
    pub header: RunHeader,
    /// The name of the run in commands.
    pub reference: RunRef,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Kept,
    Temporary,
    /// A copy in a file without a name.
    Copy,
}

impl RunFile {
    /// Creates a run file that only its owner may read. Never overwrites.
    ///
    /// It is filled under another name, so that a process that is killed meanwhile leaves no incomplete run.
    pub fn create(
        path: &Path,
        header: RunHeader,
        first: &FirstContents,
    ) -> Result<Self, OpenError> {
        let io = |source: std::io::Error| match source.kind() {
            ErrorKind::AlreadyExists => OpenError::Exists(path.to_owned()),
            _ => OpenError::Io {
                path: path.to_owned(),
                source,
            },
        };
        if path.symlink_metadata().is_ok() {
            return Err(OpenError::Exists(path.to_owned()));
        }
        let unfinished = unfinished(path)?;
        let fill = || {
            let connection = writable(&unfinished)?;
            filled(&connection, &header, first).map_err(|e| failed(path, &e).into())
        };
        fill().inspect_err(|_: &OpenError| discard(&unfinished))?;
        unfinished
            .persist_noclobber(path)
            .map_err(|error| io(error.error))?;
        Self::begin_new(path, header).inspect_err(|_| discard(path))
    }

    fn begin_new(path: &Path, header: RunHeader) -> Result<Self, OpenError> {
        let file = FoundFile::at(path)?;
        let mut lock = RunLock::take(&file).map_err(|error| not_taken(error, &header))?;
        lock.add(folder(&file), &header.id)
            .map_err(|error| not_taken(error, &header))?;
        let connection = writable(file.path())?;
        begin_log(&connection, &file)?;
        Ok(Self {
            reference: RunRef::elsewhere(&header.id, file.path()),
            journal: Journal::start(file, connection, lock)?,
            header,
            kind: Kind::Kept,
        })
    }

    /// A run without a file of its own, for commands that only read. SQLite keeps it in a file without a name,
    /// so that it takes no more memory than other runs.
    pub fn temporary(header: RunHeader, first: &FirstContents) -> Result<Self, OpenError> {
        let path = Path::new("(temporary)");
        let fill = || {
            let connection = Connection::open("")?;
            harden(&connection)?;
            filled(&connection, &header, first)?;
            Ok(connection)
        };
        let connection = fill().map_err(|e: rusqlite::Error| failed(path, &e))?;
        Ok(Self {
            reference: RunRef::stored(&header.id),
            journal: Journal::nameless(path, connection)?,
            header,
            kind: Kind::Temporary,
        })
    }

    /// A copy of a run that leaves no file, to find out what would happen. The file stays as it is.
    pub fn copy(path: &Path) -> Result<Self, OpenError> {
        let source = RunReader::open(path)?;
        Ok(Self {
            journal: Journal::nameless(source.path(), source.copied()?)?,
            reference: source.reference,
            header: source.header,
            kind: Kind::Copy,
        })
    }

    /// Whether this is a copy of a run.
    pub const fn is_copy(&self) -> bool {
        matches!(self.kind, Kind::Copy)
    }

    /// The path of the file, or of the file that was copied; none for a run that leaves no file.
    pub fn path(&self) -> Option<&Path> {
        (self.kind != Kind::Temporary).then(|| self.journal.path())
    }

    /// Opens a run to drive it; refuses while another process does. A file of an older format is upgraded to
    /// the present one.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, None)
    }

    /// As [`Self::open`], for a file that may be in this store, or a copy of one: a run is not driven in two files at
    /// once.
    pub fn open_in(store: &RunStore, path: &Path) -> Result<Self, OpenError> {
        Ok(Self::open_with(path, Some(store))?.of_store(store))
    }

    /// The same run, named by its id where its file is in this store.
    pub fn of_store(self, store: &RunStore) -> Self {
        Self {
            reference: store.reference(self.journal.path(), &self.header.id),
            ..self
        }
    }

    fn open_with(path: &Path, store: Option<&RunStore>) -> Result<Self, OpenError> {
        let file = FoundFile::at(path)?;
        let mut lock = RunLock::take(&file).map_err(|error| refused(&file, error))?;
        // Checked before SQLite may change anything.
        let known = {
            let (connection, _) = at_rest(&file)?;
            run_header::read(&connection).map_err(|error| OpenError::NotARunFile {
                path: path.to_owned(),
                why: Some(said(&error)),
            })?
        };
        let stored = store.and_then(RunStore::real_folder);
        for folder in [Some(folder(&file)), stored.as_deref()]
            .into_iter()
            .flatten()
        {
            lock.add(folder, &known.id)
                .map_err(|error| not_taken(error, &known))?;
        }
        make_private(file.path());
        let connection = writable(file.path())?;
        inspect(&connection, file.path())?;
        schema::upgrade(&connection).map_err(|e| failed(path, &e))?;
        begin_log(&connection, &file)?;
        let header = run_header::read(&connection).map_err(|e| failed(path, &e))?;
        Ok(Self {
            reference: RunRef::elsewhere(&header.id, file.path()),
            journal: Journal::start(file, connection, lock)?,
            header,
            kind: Kind::Kept,
        })
    }
}

/// Prefix and suffix of files that are not complete yet. The dot hides them, and they are not taken for run files.
const UNFINISHED: (&str, &str) = (".syncfilters-", ".new");
/// An incomplete file that is older belongs to a process that was killed: filling one takes seconds.
const ABANDONED: Duration = Duration::from_hours(1);

/// A file beside the path of the future run file, removed if it does not become one. Only its owner may read it.
/// Also removes those of killed processes.
pub(super) fn unfinished(path: &Path) -> Result<tempfile::TempPath, OpenError> {
    let folder = path.parent().filter(|folder| folder != &Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    remove_abandoned(folder);
    let (prefix, suffix) = UNFINISHED;
    let file = tempfile::Builder::new()
        .prefix(prefix)
        .suffix(suffix)
        .tempfile_in(folder);
    // Closed before SQLite opens it, because closing it later would drop SQLite's locks.
    let file = file.map(tempfile::NamedTempFile::into_temp_path);
    file.map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Errors are ignored, because such a file does no harm.
fn remove_abandoned(folder: &Path) {
    let (prefix, suffix) = UNFINISHED;
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for file in files {
        let name = file.file_name();
        let name = name.to_string_lossy();
        let age = file.metadata().and_then(|about| about.modified());
        let age = age.ok().and_then(|at| at.elapsed().ok());
        if name.starts_with(prefix)
            && name.contains(suffix)
            && age.is_some_and(|age| age > ABANDONED)
        {
            let _ = std::fs::remove_file(file.path());
        }
    }
}

/// The first contents of a run file, besides its header.
#[derive(Clone, Debug, Default)]
pub struct FirstContents {
    /// How the run is carried out.
    pub settings: RunSettings,
    /// What to find out before the user agrees.
    pub asked: ImpactOptions,
    /// The templates to set: they complete the plan.
    pub templates: Option<Vec<TemplateChange>>,
}

fn filled(
    connection: &Connection,
    header: &RunHeader,
    first: &FirstContents,
) -> rusqlite::Result<()> {
    schema::create(connection)?;
    run_header::insert(connection, header)?;
    history::keep(connection, &first.settings)?;
    if !first.asked.is_nothing() {
        impact::ask(connection, &first.asked)?;
    }
    match &first.templates {
        Some(templates) => templates::plan(connection, templates),
        None => Ok(()),
    }
}

fn folder(file: &FoundFile) -> &Path {
    file.path().parent().unwrap_or(Path::new("."))
}

pub(super) fn writable(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        harden(&connection)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|e: rusqlite::Error| failed(path, &e).into())
}

/// Enables write-ahead logging, so that readers never block the run; every commit waits for the disk, so that an intent
/// survives a power failure.
///
/// From here on the file is complete only with its log, and is marked so. The mark is merged into the file before
/// anything else is written.
fn begin_log(connection: &Connection, file: &FoundFile) -> Result<(), JournalError> {
    let failed = |error| failed(file.path(), &error);
    log_ahead(connection, file.path())?;
    connection
        .execute("UPDATE run SET in_use = ?1", [file.mark()])
        .map_err(failed)?;
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(failed)
}

/// Checks the mode: SQLite keeps the old one, without an error, where the file system does not support the new one.
fn log_ahead(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let mode = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
        .map_err(|error| failed(path, &error))?;
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    Err(JournalError::NoLog {
        path: path.to_owned(),
        mode,
    })
}

/// Removes a closed run file without changes, with the files beside it. Errors are ignored, because
/// a remaining file does no harm.
pub fn discard(path: &Path) {
    let _ = std::fs::remove_file(path);
    for suffix in BESIDE {
        let _ = std::fs::remove_file(beside(path, suffix));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn a_file_system_that_allows_no_write_ahead_log_is_refused() {
        // In memory SQLite keeps its own mode, as it does on a file system without shared memory.
        let connection = Connection::open_in_memory().unwrap();
        let error = log_ahead(&connection, Path::new("a.run")).unwrap_err();
        assert!(error.to_string().contains("`memory`"), "{error}");
    }

    #[test]
    fn what_a_killed_process_left_unfinished_goes_with_the_next_run_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - ABANDONED - Duration::from_secs(1);
        for (name, at) in [
            (".syncfilters-a1b2c3.new", old),
            (".syncfilters-a1b2c3.new-journal", old),
            (".syncfilters-d4e5f6.new", SystemTime::now()),
            (".other.new", old),
            ("0123456789ab.run", old),
        ] {
            #[expect(
                clippy::disallowed_methods,
                reason = "an empty file in a folder of its own"
            )]
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(at).unwrap();
        }
        drop(unfinished(&folder.path().join("b.run")).unwrap());
        let left = std::fs::read_dir(folder.path()).unwrap();
        let mut left: Vec<_> = left.map(|file| file.unwrap().file_name()).collect();
        left.sort();
        let expected = [".other.new", ".syncfilters-d4e5f6.new", "0123456789ab.run"];
        assert_eq!(left, expected);
    }
}
