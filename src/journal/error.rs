//! What can be wrong with a run file.

use std::path::{Path, PathBuf};

use super::{RunContext, RunRef};
use crate::model::RunId;
use crate::model::disclosure::{is_run_id, shown_path};

/// Writing or reading a run file failed; the run cannot go on, because nothing may happen unrecorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// It cannot be written or read.
    #[error("the run file {} cannot be used: {why}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite or the file system said.
        why: String,
    },
    /// Its file system does not have what SQLite's log needs.
    #[error(
        "the run file {} cannot be used: its folder does not allow a write-ahead log (SQLite uses `{mode}` there)",
        path.display()
    )]
    NoLog {
        /// The file.
        path: PathBuf,
        /// The journal mode that SQLite fell back to.
        mode: String,
    },
    /// It does not have its name any more. Nothing is written to the environment that nobody could find afterwards.
    #[error("the run file {} was moved, linked, replaced, cut or deleted while the run was driven", path.display())]
    RunFileGone {
        /// Where it was.
        path: PathBuf,
    },
}

/// Reading a run failed. [`ReadError::in_file`] adds which file it was.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ReadError(#[from] rusqlite::Error);

impl ReadError {
    /// The same, of this run file.
    pub fn in_file(&self, path: &Path) -> JournalError {
        failed(path, &self.0)
    }
}

impl From<ReadError> for rusqlite::Error {
    fn from(error: ReadError) -> Self {
        error.0
    }
}

/// Why a run cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No run of that name.
    #[error(
        "there is no run {} in {}",
        shown_name(name),
        shown_path(place, "the folder of run files")
    )]
    NoSuchRun {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        place: PathBuf,
        /// What a command about the runs there needs.
        context: RunContext,
    },
    /// A file that cannot be read may be the newest run.
    #[error("which run is `latest` is not known, because a run file cannot be read: {why}")]
    LatestUnknown {
        /// Why it cannot be read.
        why: Box<Self>,
        /// What a command about the runs there needs.
        context: RunContext,
    },
    /// A prefix of several run ids.
    #[error("`{name}` could be any of these runs: {}", listed(candidates))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The runs it could be.
        candidates: Vec<RunId>,
    },
    /// Something else.
    #[error("{} is not a run file{}", shown_path(path, "the file"), why.as_ref().map_or_else(String::new, |w| format!(": {w}")))]
    NotARunFile {
        /// The file.
        path: PathBuf,
        /// What SQLite said, if it said anything.
        why: Option<String>,
    },
    /// Written by a newer version of the tool.
    #[error("{} was written by a newer syncfilters (format {found}; this one knows {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i32,
        /// The newest format known here.
        known: i32,
    },
    /// It was copied without the log of what was written last.
    #[error("{} is not whole: it was in use when it was copied, and its log {} is missing", path.display(), log.display())]
    LogMissing {
        /// The file.
        path: PathBuf,
        /// Where the log has to be.
        log: PathBuf,
    },
    /// A folder of run files, or a run file in it, that others can write to.
    #[error("{} cannot be trusted: {why}", path.display())]
    OpenToOthers {
        /// The folder or file.
        path: PathBuf,
        /// What others can do.
        why: &'static str,
        /// What to do about it.
        remedy: String,
    },
    /// Another process drives it.
    #[error("run {run} is in use by another process right now")]
    Busy {
        /// The run.
        run: RunId,
    },
    /// The run that is to be taken over is in the own store.
    #[error("run {} is in the folder of run files of this computer already; it is not overwritten", run.id)]
    Stored {
        /// The run here.
        run: Box<RunRef>,
        /// The run that undid it, as the file says that is to be taken over.
        undone_by: Option<RunId>,
    },
    /// There is a file of that name already.
    #[error("{} exists already; it is not overwritten", .0.display())]
    Exists(PathBuf),
    /// The file system.
    #[error("{}: {source}", shown_path(path, "the file"))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// What was given in the place of a run may be a secret.
fn shown_name(name: &str) -> String {
    if is_run_id(name) {
        format!("`{name}`")
    } else {
        "of that name (it is not shown, because it is no id of a run and may be a secret)"
            .to_owned()
    }
}

fn listed(runs: &[RunId]) -> String {
    let runs: Vec<_> = runs.iter().map(RunId::as_str).collect();
    runs.join(", ")
}

pub(super) fn failed(path: &Path, error: &rusqlite::Error) -> JournalError {
    JournalError::Unusable {
        path: path.to_owned(),
        why: said(error),
    }
}

/// What SQLite said; of a value that is not what its column holds, why, without where SQLite found it among its answers.
pub(super) fn said(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, why) => why.to_string(),
        error => error.to_string(),
    }
}
