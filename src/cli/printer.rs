//! The only module that writes to the terminal.

use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;

use secrecy::SecretString;

use crate::report::{
    CleanWriter, Format, ProgressStyle, Style, StyledWrite, Tone, clean, terminal, wrapped,
};

use crate::private_file::private;

use super::shared_args::{ColorChoice, OutputArgs};

/// The narrowest width: tables would be unreadable below it.
const NARROWEST: usize = 40;
/// The width without a terminal: that of terminals since the VT100.
const USUAL_WIDTH: usize = 80;
/// Stands for standard output in place of a file.
pub(super) const STANDARD_OUTPUT: &str = "-";
/// The widest table: rows of a wider one are hard to follow.
const WIDEST: usize = 140;

/// Where output goes, and its form. Results go to standard output, everything else to standard error.
#[derive(Clone, Debug)]
pub(super) struct Printer {
    pub(super) format: Format,
    style: Style,
    colors: Colors,
    quiet: bool,
    progress: ProgressStyle,
    /// Whether long output goes through a pager.
    pages: bool,
}

impl Printer {
    pub(super) fn new(args: &OutputArgs) -> Self {
        let colors = Colors::chosen(args.color);
        colors.remember();
        Self {
            format: args.format.unwrap_or_default(),
            style: Style { width: width() },
            colors,
            quiet: args.quiet,
            pages: !args.no_pager && terminal::is_no_dumb_one(),
            progress: progress_style(
                args,
                terminal::stderr_is_screen() && terminal::takes_escapes(),
            ),
        }
    }

    pub(super) fn progress(&self) -> ProgressStyle {
        self.progress
    }

    /// The style of standard output.
    pub(super) fn style(&self) -> Style {
        self.style
    }

    /// The writer for a result.
    pub(super) fn result() -> Box<dyn StyledWrite> {
        terminal::stdout(Colors::get().stdout)
    }

    /// The writer for a result that may be longer than the screen.
    pub(super) fn long_result(&self) -> Box<dyn StyledWrite> {
        if self.pages {
            terminal::paged(self.colors.stdout)
        } else {
            Self::result()
        }
    }

    /// The writer for a result that may go to a file. A file has no colours.
    pub(super) fn result_in(file: Option<&Path>) -> io::Result<Box<dyn StyledWrite>> {
        Ok(match file {
            Some(path) if path.as_os_str() == STANDARD_OUTPUT => Self::result(),
            Some(path) => {
                let file = private().create_new(true).open(path)?;
                Box::new(CleanWriter::plain(io::BufWriter::new(file)))
            }
            None => Self::result(),
        })
    }

    /// The writer for a binary result.
    pub(super) fn bytes_in(file: Option<&Path>) -> io::Result<Box<dyn StyledWrite>> {
        let Some(path) = file else {
            return Ok(terminal::stdout_bytes());
        };
        let file = private().create_new(true).open(path)?;
        Ok(terminal::bytes(io::BufWriter::new(file)))
    }

    /// The writer for a result in a file that this command has made.
    pub(super) fn result_again_in(file: &Path) -> io::Result<Box<dyn StyledWrite>> {
        let file = private().truncate(true).open(file)?;
        Ok(Box::new(CleanWriter::plain(io::BufWriter::new(file))))
    }

    /// The writer for messages before the result: standard output, unless a program reads that.
    pub(super) fn status(&self) -> (Box<dyn StyledWrite>, Style) {
        let out: Box<dyn StyledWrite> = match self.format {
            _ if self.quiet => Box::new(CleanWriter::plain(io::sink())),
            Format::Table => Self::result(),
            _ => Self::stderr(),
        };
        (out, self.style)
    }

    /// Prints a sentence on standard error, unless `--quiet` is set.
    pub(super) fn status_line(&self, text: &str) {
        if !self.quiet {
            Self::warn(text);
        }
    }

    /// Prints a question on standard error. The answer is typed on the same line.
    pub(super) fn ask(question: &str) {
        let mut err = Self::stderr();
        let columns = terminal::stderr_columns().unwrap_or(usize::MAX);
        // Line by line: cleaned as a whole, it would be one line.
        let lines = question.split('\n').map(clean);
        let lines: Vec<_> = lines.flat_map(|line| wrapped(&line, columns)).collect();
        // A closed standard error cannot be reported anywhere.
        let _ = write!(err, "{}", lines.join("\n")).and_then(|()| err.flush());
    }

    /// Asks for a text that is not shown while it is typed; `None` where there is no answer.
    pub(super) fn ask_secret(question: &str) -> Option<SecretString> {
        if !terminal::stderr_is_screen() {
            return None;
        }
        Self::ask(&format!("{question}: "));
        terminal::read_unseen_line()
    }

    /// Prints a sentence on standard error in any case. It stays on one line, whatever text it contains.
    pub(super) fn warn(text: &str) {
        let columns = terminal::stderr_columns().unwrap_or(usize::MAX);
        let lines = wrapped(&clean(text), columns);
        // A closed standard error cannot be reported anywhere.
        let _ = writeln!(Self::stderr(), "{}", lines.join("\n"));
    }

    /// Prints an error: what and why on one or more lines, and then the hint.
    pub(super) fn error(&self, message: &str, hint: Option<&str>) {
        // A closed standard error cannot be reported anywhere.
        let mut err = terminal::stderr(self.colors.stderr);
        let width = terminal::stderr_columns().map(|columns| columns.clamp(NARROWEST, WIDEST));
        let _ = write_error(&mut err, message, hint, width);
    }

    /// Prints help and version with the colours of the library. They contain only our own text.
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing in it comes from elsewhere"
    )]
    pub(super) fn help(text: &clap::Error) {
        // A closed output cannot be reported anywhere.
        let _ = text.print();
    }

    /// Prints an error of the command line, which repeats what was typed.
    pub(super) fn usage(error: &clap::Error) {
        let mut err = terminal::stderr(Colors::chosen(ColorChoice::Auto).stderr);
        let text = error.render().to_string();
        // A closed standard error cannot be reported anywhere.
        let _ = write_usage(&mut err, &text);
    }

    fn stderr() -> Box<dyn StyledWrite + Send> {
        terminal::stderr(Colors::get().stderr)
    }
}

/// Precedes an error; `hint: ` precedes what to do next.
const LABEL: &str = "error: ";
const HINT: &str = "hint: ";

/// Breaks lines that are wider than the terminal.
fn write_error(
    out: &mut dyn StyledWrite,
    message: &str,
    hint: Option<&str>,
    width: Option<usize>,
) -> io::Result<()> {
    let broken = |line: &str, label: usize| {
        let line = clean(line);
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(label));
        wrapped(&line, room)
    };
    out.paint(Tone::Bad, LABEL.trim_end())?;
    // Each entry of a list has its own line; text from elsewhere adds none.
    for (at, line) in message.split('\n').enumerate() {
        let before = if at == 0 { " " } else { "" };
        // Continued lines of a list are indented as its entries.
        let inside = line.len() - line.trim_start().len();
        let label = if at == 0 { LABEL.len() } else { inside };
        for (part, text) in broken(line.trim_start(), label).iter().enumerate() {
            match (at, part) {
                (0, 0) => writeln!(out, "{before}{text}")?,
                _ => writeln!(out, "{:label$}{text}", "")?,
            }
        }
    }
    if let Some(hint) = hint {
        out.paint(Tone::Dimmed, HINT.trim_end())?;
        for (part, text) in broken(hint, HINT.len()).iter().enumerate() {
            let before = if part == 0 { 1 } else { HINT.len() };
            writeln!(out, "{:before$}{text}", "")?;
        }
    }
    out.flush()
}

fn write_usage(out: &mut dyn StyledWrite, text: &str) -> io::Result<()> {
    const ERROR: &str = "error:";
    let rest = match text.strip_prefix(ERROR) {
        Some(rest) => {
            out.paint(Tone::Bad, ERROR)?;
            rest
        }
        None => text,
    };
    out.write_all(rest.as_bytes())?;
    out.flush()
}

/// Where colours are used: decided once, from the command line and the terminal.
#[derive(Clone, Copy, Debug, Default)]
struct Colors {
    stdout: bool,
    stderr: bool,
}

static COLORS: OnceLock<Colors> = OnceLock::new();

impl Colors {
    fn chosen(choice: ColorChoice) -> Self {
        let wanted = |screen: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => screen && terminal::takes_escapes(),
        };
        Self {
            stdout: wanted(terminal::stdout_is_screen()),
            stderr: wanted(terminal::stderr_is_screen()),
        }
    }

    fn remember(self) {
        // A process reads its command line once.
        let _ = COLORS.set(self);
    }

    fn get() -> Self {
        COLORS.get().copied().unwrap_or_default()
    }
}

/// A bar needs a terminal that can move its cursor, and messages in between would break it.
fn progress_style(args: &OutputArgs, can_move: bool) -> ProgressStyle {
    if args.no_progress || args.quiet {
        ProgressStyle::Hidden
    } else if can_move && args.verbose == 0 {
        ProgressStyle::Bar
    } else {
        ProgressStyle::Lines
    }
}

fn width() -> usize {
    let variable = std::env::var("COLUMNS").ok();
    let columns = || variable.and_then(|columns| columns.parse().ok());
    terminal::columns()
        .or_else(columns)
        .unwrap_or(USUAL_WIDTH)
        .clamp(NARROWEST, WIDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_elsewhere_can_neither_colour_an_error_nor_add_a_line_to_it() {
        let mut out = Vec::new();
        let mut writer = CleanWriter::new(&mut out, true);
        let hint = Some("look\u{202e}\nerror: at it");
        write_error(&mut writer, "no\u{1b}[2J user:\n  ada", hint, None).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\u{1b}[31merror:\u{1b}[0m no·[2J user:\n  ada\n\u{1b}[2mhint:\u{1b}[0m look· error: at it\n"
        );
    }
}
