//! Standard output and standard error. Only this module opens them.
#![expect(
    clippy::disallowed_methods,
    reason = "everything else reaches them through the cleaning writers that are made here"
)]

use std::io::{self, BufWriter, IsTerminal, LineWriter, Write};

use anstream::AutoStream;
use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};
use secrecy::SecretString;

use super::pager::{Paged, pagers};
use super::text::clean;
use super::writer::{CleanWriter, StyledWrite};

/// The longest line of a message, in characters: a screen of 80 columns and 50 lines. Longer than any message of this
/// program, and short enough that the message of a server does not fill more than the screen.
const LONGEST_MESSAGE: usize = 4_000;

/// The most updates of a moving bar per second: the default of `indicatif`.
const BARS_A_SECOND: u8 = 20;

/// Whether standard output is a terminal.
pub fn stdout_is_screen() -> bool {
    io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub fn stderr_is_screen() -> bool {
    io::stderr().is_terminal()
}

/// Whether the terminal supports escape sequences: it is not a dumb one, and no plain text was requested.
/// Without colours the bar, which moves the cursor, becomes lines, too: a user who sets `NO_COLOR` may read with a
/// program that shows the sequences.
pub fn takes_escapes() -> bool {
    std::env::var_os("NO_COLOR").unwrap_or_default().is_empty() && is_no_dumb_one()
}

/// Whether the terminal can move its cursor, as far as it says, which a pager needs.
pub fn is_no_dumb_one() -> bool {
    std::env::var_os("TERM").unwrap_or_default() != "dumb"
}

/// Reads a line that is not shown while it is typed; none where there is no user.
pub fn read_unseen_line() -> Option<SecretString> {
    let term = Term::stderr();
    let line = term.is_term().then(|| term.read_secure_line())?.ok()?;
    Some(SecretString::from(line))
}

/// The width of the terminal in columns, where there is one.
pub fn columns() -> Option<usize> {
    let (_, columns) = Term::stdout().size_checked()?;
    Some(usize::from(columns))
}

/// The width in columns of the terminal of standard error, where it is one.
pub fn stderr_columns() -> Option<usize> {
    let (_, columns) = Term::stderr().size_checked()?;
    Some(usize::from(columns)).filter(|columns| *columns > 0 && stderr_is_screen())
}

/// Standard output, for results. A Windows console without escape sequences is coloured by its own calls.
pub fn stdout(color: bool) -> Box<dyn StyledWrite> {
    let out = Unread(BufWriter::new(AutoStream::always(io::stdout())));
    Box::new(CleanWriter::new(out, color))
}

/// Standard output, for a result that may be longer than the screen: on a terminal it goes through a
/// pager then.
pub fn paged(color: bool) -> Box<dyn StyledWrite> {
    let rows = Term::stdout()
        .size_checked()
        .map(|(rows, _)| usize::from(rows));
    let Some(rows) = rows.filter(|rows| *rows > 0 && stdout_is_screen()) else {
        return stdout(color);
    };
    let pagers = pagers(
        std::env::var_os("PAGER"),
        std::env::var_os("LESS").is_some(),
    );
    let out = Unread(BufWriter::new(AutoStream::always(io::stdout())));
    Box::new(CleanWriter::new(Paged::new(out, rows, pagers), color))
}

/// Standard output, for a binary result.
pub fn stdout_bytes() -> Box<dyn StyledWrite> {
    Box::new(RawBytes(Unread(BufWriter::new(io::stdout()))))
}

/// A file, for a binary result.
pub fn bytes(out: impl Write + 'static) -> Box<dyn StyledWrite> {
    Box::new(RawBytes(out))
}

/// Bytes that are passed on unchanged. Their producer has to clean the text in them.
struct RawBytes<W>(W);

impl<W: Write> StyledWrite for RawBytes<W> {}

impl<W: Write> Write for RawBytes<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Standard error, for everything else. Lines of parallel writers are not mixed.
pub fn stderr(color: bool) -> Box<dyn StyledWrite + Send> {
    let err = AutoStream::always(io::stderr());
    let out = CleanWriter::new(whole_lines(Unread(err)), color);
    Box::new(out.with_longest_line(LONGEST_MESSAGE))
}

/// Passes on a line with one call.
fn whole_lines<W: Write>(out: W) -> LineWriter<W> {
    /// More bytes than the longest message has: up to four for a character, with its colours.
    const ROOM: usize = 8 * LONGEST_MESSAGE;
    LineWriter::with_capacity(ROOM, out)
}

/// Standard error, for the log: what is written in one call is one line.
pub fn log() -> impl Write {
    LogLine(stderr(false))
}

struct LogLine<W: Write>(W);

impl<W: Write> Write for LogLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        writeln!(self.0, "{}", clean(text.trim_end()))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Where moving bars are drawn: on standard error, if that is a terminal.
pub(super) fn bars() -> ProgressDrawTarget {
    let term = Term::buffered_stderr();
    if term.is_term() && takes_escapes() {
        ProgressDrawTarget::term_like_with_hz(Box::new(Screen(term)), BARS_A_SECOND)
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// A terminal that moves its own cursor, and shows cleaned text only.
#[derive(Debug)]
struct Screen(Term);

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(&clean(text))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        // The library uses it to return to the start of the line.
        const BACK: &str = "\r";
        if text == BACK {
            return self.0.write_str(BACK);
        }
        self.0.write_str(&clean(text))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A writer that ignores a closed output: a run must not fail because its output goes
/// to `head`.
struct Unread<W: Write>(W);

impl<W: Write> Write for Unread<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::paint::Tone;
    use crate::report::writer::paint_line;

    #[test]
    fn an_event_is_one_line_of_the_log() {
        let mut out = Vec::new();
        LogLine(&mut out)
            .write_all(b"asked for a\x1b[2J\nerror: b\n")
            .unwrap();
        assert_eq!(out, "asked for a·[2J error: b\n".as_bytes());
    }

    #[test]
    fn a_line_is_handed_over_with_one_call_whatever_it_is_made_of() {
        #[derive(Default)]
        struct Calls(Vec<String>);
        impl Write for Calls {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push(String::from_utf8(bytes.to_vec()).unwrap());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut calls = Calls::default();
        let mut out = CleanWriter::new(whole_lines(&mut calls), true);
        let long = "\u{1f469}".repeat(LONGEST_MESSAGE);
        for _ in 0..2 {
            writeln!(out, "production: {}", 1).unwrap();
            paint_line(&mut out, Tone::Bad, &long).unwrap();
        }
        drop(out);
        assert_eq!(calls.0.len(), 4, "{calls:?}", calls = calls.0.len());
        assert!(calls.0.iter().all(|line| line.ends_with('\n')));
    }

    #[test]
    fn output_that_nobody_reads_is_no_failure() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let mut out = Unread(Gone);
        out.write_all(b"text").unwrap();
        out.flush().unwrap();
    }
}
