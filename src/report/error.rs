//! Why something could not be shown.

use std::io;

use crate::journal::JournalError;

/// Why something could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The run file could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Where it was to be written cannot be written.
    #[error("the output cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The same, while writing CSV.
    #[error("the output cannot be written as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// The same, while writing JSON.
    #[error("the output cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}
