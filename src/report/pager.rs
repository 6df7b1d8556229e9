//! Shows long output in a pager if it is on a terminal.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The options of `less` if the user has set none: show colours, and leave the output on the screen.
const LESS: &str = "RX";

/// Holds output back until it is longer than the screen; then it goes to the pager, otherwise to `out`.
pub(super) struct Paged<W: Write> {
    out: W,
    /// Lines that fit on the screen besides the prompt.
    rows: usize,
    pagers: Vec<Command>,
    state: State,
}

enum State {
    /// The output that is held back, and its number of lines.
    Holding(Vec<u8>, usize),
    Paging(Child),
    Plain,
}

impl<W: Write> Paged<W> {
    /// For a screen with this many rows. The first pager that exists is used.
    pub(super) const fn new(out: W, rows: usize, pagers: Vec<Command>) -> Self {
        Self {
            out,
            rows,
            pagers,
            state: State::Holding(Vec::new(), 0),
        }
    }

    /// Without a pager the output is printed.
    fn begin(&mut self) -> io::Result<()> {
        let State::Holding(held, _) = std::mem::replace(&mut self.state, State::Plain) else {
            return Ok(());
        };
        for pager in &mut self.pagers {
            if let Ok(child) = pager.stdin(Stdio::piped()).spawn() {
                self.state = State::Paging(child);
                break;
            }
        }
        self.write_all(&held)
    }
}

impl<W: Write> Write for Paged<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Holding(held, lines) => {
                held.extend_from_slice(bytes);
                *lines += bytes.split(|byte| *byte == b'\n').count() - 1;
                if *lines >= self.rows {
                    self.begin()?;
                }
                Ok(bytes.len())
            }
            State::Paging(child) => match &mut child.stdin {
                // A user who has read enough closes the pager.
                Some(pipe) => match pipe.write(bytes) {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
                    other => other,
                },
                None => Ok(bytes.len()),
            },
            State::Plain => self.out.write(bytes),
        }
    }

    /// Writes nothing while output is held back, because more may follow.
    fn flush(&mut self) -> io::Result<()> {
        match &self.state {
            State::Plain => self.out.flush(),
            State::Holding(..) | State::Paging(_) => Ok(()),
        }
    }
}

impl<W: Write> Drop for Paged<W> {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.state, State::Plain) {
            State::Holding(held, _) => {
                // A closed output cannot be reported anywhere.
                let _ = self.out.write_all(&held).and_then(|()| self.out.flush());
            }
            State::Paging(mut child) => {
                drop(child.stdin.take());
                let _ = child.wait();
            }
            State::Plain => {
                let _ = self.out.flush();
            }
        }
    }
}

/// The pagers to try, in order: the one in `PAGER`, else those of common systems. None where `PAGER` is empty.
pub(super) fn pagers(variable: Option<OsString>, has_less_options: bool) -> Vec<Command> {
    let mut pagers = match variable {
        Some(named) if named.is_empty() => Vec::new(),
        Some(named) if cfg!(unix) && is_there(&named) => {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(named);
            vec![shell]
        }
        Some(named) if cfg!(windows) => vec![Command::new(named), Command::new("more")],
        None if cfg!(windows) => vec![Command::new("more")],
        // A shell would start, fail to find the program, and lose the output.
        Some(_) | None => vec![Command::new("less"), Command::new("more")],
    };
    if !has_less_options {
        for pager in &mut pagers {
            pager.env("LESS", LESS);
        }
    }
    pagers
}

/// Whether the program of a command line exists, judged by its first word.
fn is_there(command: &OsStr) -> bool {
    let text = command.to_string_lossy();
    let word = text.split_whitespace().next().unwrap_or_default();
    if word.contains(['=', '"', '\'', '$', '\\', '(']) {
        return true;
    }
    if word.contains('/') {
        return Path::new(word).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(word).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_pager_that_is_not_there_loses_nothing() {
        let first = |named: &str| pagers(Some(named.into()), true)[0].get_program().to_owned();
        assert_eq!(first("sh -c cat"), "sh");
        assert_eq!(first("/nowhere/pager -R"), "less");
        assert_eq!(first("no-such-pager"), "less");
        assert_eq!(first("LESS=R less"), "sh");
        assert!(pagers(Some("".into()), true).is_empty());
    }

    fn written(rows: usize, pagers: Vec<Command>, text: &str) -> String {
        let mut out = Vec::new();
        let mut paged = Paged::new(&mut out, rows, pagers);
        for line in text.split_inclusive('\n') {
            paged.write_all(line.as_bytes()).unwrap();
            paged.flush().unwrap();
        }
        drop(paged);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_fits_the_screen_and_what_has_no_pager_is_printed() {
        let missing = || vec![Command::new("/does/not/exist")];
        assert_eq!(written(3, missing(), "a\nb\n"), "a\nb\n");
        assert_eq!(written(3, missing(), "a\nb\nc\nd\n"), "a\nb\nc\nd\n");
        assert_eq!(written(3, Vec::new(), "a\nb\nc\nd\n"), "a\nb\nc\nd\n");
        assert_eq!(written(3, missing(), "no line break"), "no line break");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_longer_goes_to_the_pager_whole_and_leaving_it_early_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let to_file = pagers(Some(format!("cat > {}", seen.display()).into()), false);
        assert_eq!(written(2, to_file, "a\nb\nc\n"), "");
        assert_eq!(std::fs::read_to_string(&seen).unwrap(), "a\nb\nc\n");
        let leaves = pagers(Some("true".into()), false);
        let long = "a line\n".repeat(50_000);
        assert_eq!(written(2, leaves, &long), "");
        assert!(pagers(Some(OsString::new()), false).is_empty());
    }
}
