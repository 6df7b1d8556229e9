//! What switching filters off can do to calendars.

use std::io::Write;

use crate::journal::Head;

use super::{Look, ReportError};

/// Whether carrying out this run can delete entries from calendars.
pub fn warns_of_calendar_loss(head: &Head) -> bool {
    let _ = head;
    false
}

/// Says what can be lost from calendars and how to avoid it; nothing where nothing can be.
pub fn write_calendar_warning(
    out: &mut dyn Write,
    head: &Head,
    look: Look,
) -> Result<(), ReportError> {
    let _ = (out, head, look);
    Ok(())
}
