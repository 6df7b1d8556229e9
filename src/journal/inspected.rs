//! Remembers the run files whose values were all checked, so that a file that is read repeatedly need not be checked
//! each time.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::place::FoundFile;

/// Run files whose values were found to be permitted, with the state in which they were checked.
#[derive(Debug, Default)]
pub struct InspectedFiles(Mutex<HashMap<PathBuf, FileStamp>>);

/// The facts about a file that change with its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileStamp {
    pub(super) file: FoundFile,
    pub(super) modified: Option<SystemTime>,
}

impl FileStamp {
    fn of(file: &FoundFile) -> Self {
        let about = std::fs::symlink_metadata(file.path());
        Self {
            file: file.clone(),
            modified: about.and_then(|about| about.modified()).ok(),
        }
    }
}

/// A file to be opened, with the files that need no second check.
#[derive(Clone, Debug)]
pub(super) struct Inspection<'a> {
    of: Option<(&'a InspectedFiles, FileStamp)>,
    is_known: bool,
}

impl<'a> Inspection<'a> {
    /// Checks every value.
    pub(super) const WHOLE: Self = Self {
        of: None,
        is_known: false,
    };

    /// Checks values that were not checked before, or whose file has changed since. A file that is being driven changes
    /// continually, but only through the process that holds its lock and has checked all of it. It only needs to be the
    /// same file.
    pub(super) fn of(files: &'a InspectedFiles, file: &FoundFile, is_driven: bool) -> Self {
        let stamp = FileStamp::of(file);
        let known = files.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = known
            .get(file.path())
            .is_some_and(|before| file.is_same_as(&before.file) && (is_driven || *before == stamp));
        drop(known);
        Self {
            of: Some((files, stamp)),
            is_known,
        }
    }

    /// Whether no value has to be checked.
    pub(super) const fn is_known(&self) -> bool {
        self.is_known
    }

    /// Records that the file was found right in the state in which this was made.
    pub(super) fn passed(self) {
        if let Some((files, stamp)) = self.of {
            let mut known = files.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(stamp.file.path().to_owned(), stamp);
        }
    }
}
