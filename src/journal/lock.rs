//! One process drives a run.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::OpenError;
use crate::model::RunId;

/// Held while a process drives a run; the system lets go of it when the process ends, however it ends.
///
/// A file of its own beside the run file, because locks on the run file itself are SQLite's.
#[derive(Debug)]
pub(super) struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock, or says that somebody has it.
    pub(super) fn take(run_file: &Path, run: &RunId) -> Result<Self, OpenError> {
        let path = lock_path(run_file);
        let io = |source| OpenError::Io {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Busy { run: run.clone() }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

pub(super) fn lock_path(run_file: &Path) -> PathBuf {
    let name = run_file.file_name().unwrap_or_default().to_string_lossy();
    run_file.with_file_name(format!(".{name}.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_driven_once_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.run");
        let run = RunId::random();
        let first = RunLock::take(&path, &run).unwrap();
        let second = RunLock::take(&path, &run);
        assert!(matches!(second, Err(OpenError::Busy { .. })));
        drop(first);
        assert!(RunLock::take(&path, &run).is_ok());
    }
}
