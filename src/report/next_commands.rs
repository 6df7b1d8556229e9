//! The lines that name the next commands.

use super::ReportError;
use super::paint::Tone;
use super::writer::{StyledWrite, paint_line};

/// The columns of a line: those of the smallest terminal in use.
const LINE: usize = 80;

/// A command, and what it is for: below it where one line has no place for both, since a command is never broken.
pub(super) fn write_command(
    out: &mut dyn StyledWrite,
    command: &str,
    why: &str,
) -> Result<(), ReportError> {
    if command.chars().count() + why.len() + 4 > LINE {
        writeln!(out, "  {command}")?;
        write!(out, "      ")?;
    } else {
        write!(out, "  {command:<27}  ")?;
    }
    Ok(paint_line(out, Tone::Dimmed, why)?)
}
