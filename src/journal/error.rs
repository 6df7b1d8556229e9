//! Errors of run files.

use std::path::{Path, PathBuf};

use super::{RunContext, RunRef};
use crate::model::RunId;
use crate::model::disclosure::{is_run_id, shown_path};

/// A run file could not be written or read. The run cannot continue, because nothing may be sent unrecorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// It cannot be written or read.
    #[error("the run file {} cannot be used: {why}", path.display())]
    Unusable {
        /// The run file.
        path: PathBuf,
        /// The error of SQLite or the file system.
        why: String,
    },
    /// Its file system does not support SQLite's log.
    #[error(
        "the run file {} cannot be used: its folder does not allow a write-ahead log (SQLite uses `{mode}` there)",
        path.display()
    )]
    NoLog {
        /// The run file.
        path: PathBuf,
        /// The journal mode that SQLite used instead.
        mode: String,
    },
    /// It no longer has its name. Nothing is written to the environment without a record that can be found.
    #[error("the run file {} was moved, linked, replaced, cut or deleted while the run was under way", path.display())]
    RunFileGone {
        /// Its former path.
        path: PathBuf,
    },
}

/// A run could not be read. [`ReadError::in_file`] adds the path.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ReadError(#[from] rusqlite::Error);

impl ReadError {
    /// The error with the path of the run file.
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
    /// There is no run of this name.
    #[error(
        "there is no run {} in {}",
        shown_name(name),
        shown_path(place, "the folder of run files")
    )]
    NoSuchRun {
        /// The name that was given.
        name: String,
        /// The folder that was searched.
        place: PathBuf,
        /// Options that later commands about these runs need.
        context: RunContext,
    },
    /// There is no latest run.
    #[error("there is no run{}", if *is_of_some { " of the named environments" } else { " yet" })]
    NoRuns {
        /// Whether only the runs of some environments were looked for.
        is_of_some: bool,
        /// Options that later commands about these runs need.
        context: RunContext,
    },
    /// A file that cannot be read may be the newest run.
    #[error("which run is `latest` is not known, because a run file cannot be read: {why}")]
    LatestUnknown {
        /// Why it cannot be read.
        why: Box<Self>,
        /// Options that later commands about these runs need.
        context: RunContext,
    },
    /// A prefix of several run ids.
    #[error("`{name}` could be any of these runs: {}", listed(candidates))]
    Ambiguous {
        /// The prefix that was given.
        name: String,
        /// The runs that it matches.
        candidates: Vec<RunId>,
    },
    /// The file is not a run file.
    #[error("{} is not a run file{}", shown_path(path, "the file"), why.as_ref().map_or_else(String::new, |w| format!(": {w}")))]
    NotARunFile {
        /// The path.
        path: PathBuf,
        /// The error of SQLite, if there is one.
        why: Option<String>,
    },
    /// A newer version of this program wrote the file.
    #[error("{} was written by a newer syncfilters (format {found}; this one knows {known})", path.display())]
    Newer {
        /// The run file.
        path: PathBuf,
        /// Its format.
        found: i32,
        /// The newest format that this version supports.
        known: i32,
    },
    /// It was copied without the log, which contains the latest writes.
    #[error("{} is not whole: it was in use when it was copied, and its log {} is missing", path.display(), log.display())]
    LogMissing {
        /// The run file.
        path: PathBuf,
        /// The path where the log has to be.
        log: PathBuf,
    },
    /// Other users can write to the folder of run files, or to a run file in it.
    #[error("{} cannot be trusted: {why}", path.display())]
    OpenToOthers {
        /// The folder or file.
        path: PathBuf,
        /// What other users can do.
        why: &'static str,
        /// How to correct it.
        remedy: String,
    },
    /// Another process drives the run.
    #[error("run {run} is in use by another process right now")]
    Busy {
        /// The run.
        run: RunId,
    },
    /// The run to be imported is in the own store already.
    #[error("run {} is in the folder of run files of this computer already; it is not overwritten", run.id)]
    Stored {
        /// The run in the store.
        run: Box<RunRef>,
        /// The run that undid it, according to the file to be imported.
        undone_by: Option<RunId>,
    },
    /// There is already a file of this name.
    #[error("{} exists already; it is not overwritten", .0.display())]
    Exists(PathBuf),
    /// The file system failed.
    #[error("{}: {source}", shown_path(path, "the file"))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The run file could not be written or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The name for messages. A text in place of a run may be a secret.
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

/// The error of SQLite; for a value of the wrong kind only the reason, without the position in the query's result.
pub(super) fn said(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, why) => why.to_string(),
        error => error.to_string(),
    }
}
