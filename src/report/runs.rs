//! Earlier runs, as `runs` shows them.

use std::io::Write;

use crate::journal::{OpenError, Summary};

use super::{Format, Look, ReportError};

/// Writes earlier runs, in the order given, and what could not be read.
pub fn write_runs(
    out: &mut dyn Write,
    runs: &[Summary],
    unreadable: &[OpenError],
    format: Format,
    look: Look,
) -> Result<(), ReportError> {
    let _ = (out, runs, unreadable, format, look);
    Ok(())
}
