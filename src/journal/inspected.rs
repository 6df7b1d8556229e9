//! Run files in which every value was looked at, so that whoever reads one again and again need not look at all of them
//! each time.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::place::FoundFile;

/// Run files whose values were found to be what their columns may hold, as they were then.
#[derive(Debug, Default)]
pub struct InspectedFiles(Mutex<HashMap<PathBuf, FileStamp>>);

/// What changes with the content of a file.
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

/// A file that is to be opened, and the files that need no second look.
#[derive(Clone, Debug)]
pub(super) struct Inspection<'a> {
    of: Option<(&'a InspectedFiles, FileStamp)>,
    is_known: bool,
}

impl<'a> Inspection<'a> {
    /// Every value is looked at.
    pub(super) const WHOLE: Self = Self {
        of: None,
        is_known: false,
    };

    /// Values are looked at where they were not before, or where the file is another since. A file that is driven
    /// changes all the time, but only by whoever holds its lock, which looked at all of it before: it need only be the
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

    /// Whether no value has to be looked at.
    pub(super) const fn is_known(&self) -> bool {
        self.is_known
    }

    /// The file was found right, as it was when this was made.
    pub(super) fn passed(self) {
        if let Some((files, stamp)) = self.of {
            let mut known = files.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(stamp.file.path().to_owned(), stamp);
        }
    }
}
