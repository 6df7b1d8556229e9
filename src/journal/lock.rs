//! Locks a run, so that one process drives it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::private_file::private;

use super::file_facts::has_this_name;
use super::place::FoundFile;
use crate::model::RunId;

/// How long to wait for a lock: a process that only reads holds it for less.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two attempts in that time: a hundred attempts, with a delay that nobody notices.
const PAUSE: Duration = Duration::from_millis(20);

/// Held while a process drives a run, or keeps others from driving it. The system releases it when the process ends,
/// in any way.
///
/// The locks are separate files, because locks on the run file itself are SQLite's. One is named after the identity of
/// the file, whatever its name; one is named after the run, so that a copy is not driven at the same time.
#[derive(Debug)]
pub(super) struct RunLock(Vec<LockFile>);

/// Why a lock could not be taken.
#[derive(Debug)]
pub(super) enum LockError {
    /// Another process has it.
    Taken,
    Io {
        path: PathBuf,
        source: io::Error,
    },
}

impl RunLock {
    /// Takes the lock of a file, to drive its run or to keep others from it.
    pub(super) fn take(file: &FoundFile) -> Result<Self, LockError> {
        let lock = LockFile::take(file.lock_path(), File::try_lock, PATIENCE)?;
        Ok(Self(vec![lock]))
    }

    /// Also takes the lock of a run in this folder.
    pub(super) fn add(&mut self, folder: &Path, run: &RunId) -> Result<(), LockError> {
        let path = folder.join(format!(".{run}.run.lock"));
        if self.0.iter().any(|lock| lock.path == path) {
            return Ok(());
        }
        self.0.push(LockFile::take(path, File::try_lock, PATIENCE)?);
        Ok(())
    }

    /// Keeps others from driving the run while it is read. Several processes may read at once.
    pub(super) fn share(file: &FoundFile) -> Result<Self, LockError> {
        let lock = LockFile::take(file.lock_path(), File::try_lock_shared, Duration::ZERO)?;
        Ok(Self(vec![lock]))
    }
}

/// Whether a process drives the run in this file, on this computer.
pub fn is_in_use(path: &Path) -> bool {
    let Ok(file) = FoundFile::at(path) else {
        return false;
    };
    // Without the file of the lock nobody has it. Nobody waits for this look: whoever locks tries for a while.
    let lock = File::open(file.lock_path());
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// One locked file, removed when it is released.
#[derive(Debug)]
struct LockFile {
    path: PathBuf,
    file: File,
}

impl LockFile {
    fn take(
        path: PathBuf,
        lock: fn(&File) -> Result<(), TryLockError>,
        patience: Duration,
    ) -> Result<Self, LockError> {
        let begun = Instant::now();
        loop {
            let opened = private().create(true).truncate(false).open(&path);
            let tried = opened.and_then(|file| match lock(&file) {
                Ok(()) => Ok(Some(file)),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            });
            match tried {
                // Another process may have released and removed it after it was opened here.
                Ok(Some(file)) if has_this_name(&file, &path) => return Ok(Self { path, file }),
                Ok(Some(_)) => {}
                // Windows refuses to open a removed file that another process still has open.
                Err(error) if cfg!(windows) && is_denied(&error) && begun.elapsed() < patience => {
                    std::thread::sleep(PAUSE);
                }
                Ok(None) if begun.elapsed() >= patience => return Err(LockError::Taken),
                Ok(None) => std::thread::sleep(PAUSE),
                Err(source) => return Err(LockError::Io { path, source }),
            }
        }
    }
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Windows does not give a lock to a process that has it already.
        let _ = self.file.unlock();
        if self.file.try_lock().is_ok() && has_this_name(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &tempfile::TempDir, name: &str) -> FoundFile {
        let path = folder.path().join(name);
        std::fs::write(&path, "").unwrap();
        FoundFile::at(&path).unwrap()
    }

    #[test]
    fn a_run_is_driven_once_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let found = file(&folder, "a.run");
        assert!(!is_in_use(found.path()));
        let first = RunLock::take(&found).unwrap();
        assert!(is_in_use(found.path()));
        assert!(matches!(RunLock::take(&found), Err(LockError::Taken)));
        assert!(matches!(RunLock::share(&found), Err(LockError::Taken)));
        drop(first);
        assert!(!is_in_use(found.path()));
        assert!(RunLock::take(&found).is_ok());
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "only the run file is left");
    }

    #[test]
    fn several_may_read_a_run_that_nobody_drives_and_the_last_removes_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let found = file(&folder, "a.run");
        let (first, second) = (RunLock::share(&found), RunLock::share(&found));
        drop(first.unwrap());
        assert!(matches!(RunLock::take(&found), Err(LockError::Taken)));
        drop(second.unwrap());
        assert!(RunLock::take(&found).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn the_lock_holds_for_a_file_that_was_renamed_and_for_a_copy_of_its_run() {
        let folder = tempfile::tempdir().unwrap();
        let (found, run) = (file(&folder, "a.run"), RunId::random());
        let mut first = RunLock::take(&found).unwrap();
        first.add(folder.path(), &run).unwrap();
        let other = folder.path().join("b.run");
        std::fs::rename(found.path(), &other).unwrap();
        let renamed = FoundFile::at(&other).unwrap();
        assert!(matches!(RunLock::take(&renamed), Err(LockError::Taken)));
        let mut copy = RunLock::take(&file(&folder, "copy.run")).unwrap();
        assert!(matches!(
            copy.add(folder.path(), &run),
            Err(LockError::Taken)
        ));
    }
}
