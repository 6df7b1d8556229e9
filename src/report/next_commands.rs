//! The lines that show the next commands.

use super::ReportError;
use super::paint::Tone;
use super::writer::{StyledWrite, paint_line};

/// The width of a line, in columns: that of the smallest terminal in use.
const LINE: usize = 80;

/// Columns of space around a command and its purpose.
const GAPS: usize = 4;

/// Commands with their purposes, which are below a command where one line is too short, because a command is never
/// broken.
pub(super) fn write_commands(
    out: &mut dyn StyledWrite,
    commands: &[(String, &str)],
) -> Result<(), ReportError> {
    let length = |command: &str| command.chars().count();
    let fits = |command: &str, why: &str| length(command) + why.len() + GAPS <= LINE;
    let longest_reason = commands.iter().map(|(_, why)| why.len()).max();
    // Purposes beside commands start in one column, if the longest purpose leaves room.
    let room = LINE.saturating_sub(longest_reason.unwrap_or(0) + GAPS);
    let lengths = commands.iter().map(|(command, _)| length(command));
    let column = lengths.filter(|length| *length <= room).max().unwrap_or(0);
    for (command, why) in commands {
        if fits(command, why) {
            write!(out, "  {command:<column$}  ")?;
        } else {
            writeln!(out, "  {command}")?;
            write!(out, "      ")?;
        }
        paint_line(out, Tone::Dimmed, why)?;
    }
    Ok(())
}
