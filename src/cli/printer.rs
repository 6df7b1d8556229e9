//! The only place from which anything reaches the terminal.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use crate::report::{Format, Look, ProgressStyle};

use super::args::{ColorChoice, OutputArgs};

/// Narrower than this, tables would be unreadable.
const NARROWEST: usize = 40;
/// Where there is no terminal to ask.
const USUAL_WIDTH: usize = 80;
/// A table any wider is hard to follow with the eye.
const WIDEST: usize = 140;

/// Where output goes, and how it looks. Results go to standard output, all else to standard error.
#[derive(Clone, Debug)]
pub(super) struct Printer {
    pub(super) format: Format,
    stdout_look: Look,
    stderr_look: Look,
    quiet: bool,
    progress: ProgressStyle,
}

impl Printer {
    pub(super) fn new(args: &OutputArgs) -> Self {
        let width = width();
        let color = |terminal: bool| match args.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            }
        };
        let on_screen = io::stderr().is_terminal();
        Self {
            format: args.format,
            stdout_look: Look {
                width,
                color: color(io::stdout().is_terminal()),
            },
            stderr_look: Look {
                width,
                color: color(on_screen),
            },
            quiet: args.quiet,
            progress: progress_style(args, on_screen),
        }
    }

    /// How progress is shown.
    pub(super) fn progress(&self) -> ProgressStyle {
        self.progress
    }

    /// How what goes to standard output looks.
    pub(super) fn look(&self) -> Look {
        self.stdout_look
    }

    /// Where the result goes.
    pub(super) fn result() -> Box<dyn Write> {
        Box::new(Unread(io::BufWriter::new(io::stdout())))
    }

    /// Where a result goes that may be wanted in a file.
    pub(super) fn result_in(file: Option<&Path>) -> io::Result<Box<dyn Write>> {
        Ok(match file {
            Some(path) => Box::new(io::BufWriter::new(std::fs::File::create_new(path)?)),
            None => Self::result(),
        })
    }

    /// Where people read what leads to the result: on standard output with it, unless a program reads there.
    pub(super) fn talk(&self) -> (Box<dyn Write>, Look) {
        match self.format {
            Format::Table if self.quiet => (Box::new(io::sink()), self.stdout_look),
            Format::Table => (Self::result(), self.stdout_look),
            _ if self.quiet => (Box::new(io::sink()), self.stderr_look),
            _ => (Box::new(Unread(io::stderr())), self.stderr_look),
        }
    }

    /// Says a sentence on standard error, unless it was asked to be quiet.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            Self::warn(text);
        }
    }

    /// Asks on standard error; the answer is typed on the same line.
    pub(super) fn ask(question: &str) {
        let mut err = io::stderr();
        // There is nowhere left to say that standard error is closed.
        let _ = write!(err, "{question}").and_then(|()| err.flush());
    }

    /// Says a sentence on standard error in any case.
    pub(super) fn warn(text: &str) {
        // There is nowhere left to say that standard error is closed.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// An error in its three parts: what and why, and what next.
    pub(super) fn error(&self, message: &str, hint: Option<&str>) {
        let (red, dim, plain) = if self.stderr_look.color {
            ("\u{1b}[1;31m", "\u{1b}[36m", "\u{1b}[0m")
        } else {
            ("", "", "")
        };
        Self::warn(&format!("{red}error:{plain} {message}"));
        if let Some(hint) = hint {
            Self::warn(&format!("{dim}hint:{plain} {hint}"));
        }
    }
}

/// A bar needs a screen, and would be torn apart by messages in between.
fn progress_style(args: &OutputArgs, on_screen: bool) -> ProgressStyle {
    if args.no_progress || args.quiet {
        ProgressStyle::Hidden
    } else if on_screen && args.verbose == 0 {
        ProgressStyle::Bar
    } else {
        ProgressStyle::Lines
    }
}

fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    let terminal = || console_width();
    terminal()
        .or(columns)
        .unwrap_or(USUAL_WIDTH)
        .clamp(NARROWEST, WIDEST)
}

fn console_width() -> Option<usize> {
    let terminal = console::Term::stdout();
    let (_, columns) = terminal.size_checked()?;
    Some(usize::from(columns))
}

/// A writer that does not mind that nobody reads any more: a run is not to fail because its output goes
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
