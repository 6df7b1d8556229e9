//! What a run is about to do.

use std::io::Write;

use crate::journal::RunReader;

use super::{Look, ReportError};

/// Writes the plan of a run, for people, to be read before anything is written.
pub fn write_plan(out: &mut dyn Write, run: &RunReader, look: Look) -> Result<(), ReportError> {
    let _ = (out, run, look);
    Ok(())
}
