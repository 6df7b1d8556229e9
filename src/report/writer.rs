//! The one writer through which everything passes that is printed or written to a file.

use std::fmt;
use std::io::{self, Write};

use super::paint::Tone;
use super::text::{CUT, SHOWN, is_unsafe};

/// A writer that may support colours.
pub trait StyledWrite: Write {
    /// Writes a text in a tone. A writer without colours writes the text only.
    fn paint(&mut self, _: Tone, text: &str) -> io::Result<()> {
        self.write_all(text.as_bytes())
    }
}

/// In memory there are no colours.
impl StyledWrite for Vec<u8> {}

impl<W: StyledWrite + ?Sized> StyledWrite for &mut W {
    fn paint(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        (**self).paint(tone, text)
    }
}

impl<W: StyledWrite + ?Sized> StyledWrite for Box<W> {
    fn paint(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        (**self).paint(tone, text)
    }
}

/// Writes a line in a tone.
pub fn paint_line(out: &mut dyn StyledWrite, tone: Tone, text: &str) -> io::Result<()> {
    out.paint(tone, text)?;
    writeln!(out)
}

/// Cleans all text on its way to a terminal or a file, from any source.
///
/// Line breaks and tabs pass. Every other control character, characters that change the direction of a line, and
/// invalid UTF-8 become a visible character. A text therefore cannot contain colours: only [`StyledWrite::paint`] makes
/// them, and only where this writer has colours.
pub struct CleanWriter<W: Write> {
    out: W,
    color: bool,
    /// The most characters of a line that are written.
    line: Option<usize>,
    /// The characters of this line so far.
    column: usize,
    /// The first bytes of an incomplete character; three at most.
    begun: Vec<u8>,
}

impl<W: Write> CleanWriter<W> {
    /// A writer without colours, for a document.
    pub const fn plain(out: W) -> Self {
        Self::new(out, false)
    }

    /// A writer with or without colours.
    pub const fn new(out: W, color: bool) -> Self {
        Self {
            out,
            color,
            line: None,
            column: 0,
            begun: Vec::new(),
        }
    }

    /// The same writer with a limit on the characters of a line, and a mark where it is cut.
    pub fn with_longest_line(self, characters: usize) -> Self {
        Self {
            line: Some(characters),
            ..self
        }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        if self.line.is_none() && !text.chars().any(is_replaced) {
            return self.out.write_all(text.as_bytes());
        }
        let mut shown = String::with_capacity(text.len());
        for c in text.chars() {
            if c == '\n' {
                self.column = 0;
            } else if let Some(longest) = self.line {
                self.column = self.column.saturating_add(1);
                if self.column > longest {
                    if self.column == longest + 1 {
                        shown.push(CUT);
                    }
                    continue;
                }
            }
            shown.push(if is_replaced(c) { SHOWN } else { c });
        }
        self.out.write_all(shown.as_bytes())
    }

    /// Writes bytes that may end within a character.
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.text(chunk.valid())?;
            let invalid = chunk.invalid();
            if invalid.is_empty() {
                continue;
            }
            let may_go_on = chunks.peek().is_none()
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if may_go_on {
                self.begun = invalid.to_vec();
            } else {
                self.text(char::REPLACEMENT_CHARACTER.encode_utf8(&mut [0; 4]))?;
            }
        }
        Ok(())
    }

    /// Replaces a character that was never completed.
    fn end_character(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.begun).is_empty() {
            return Ok(());
        }
        self.text(char::REPLACEMENT_CHARACTER.encode_utf8(&mut [0; 4]))
    }
}

/// Whether a character is replaced; line breaks have been handled already.
fn is_replaced(c: char) -> bool {
    is_unsafe(c) && !matches!(c, '\n' | '\t')
}

impl<W: Write> Write for CleanWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.begun.is_empty() {
            self.bytes(bytes)?;
        } else {
            let mut all = std::mem::take(&mut self.begun);
            all.extend_from_slice(bytes);
            self.bytes(&all)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.end_character()?;
        self.out.flush()
    }
}

impl<W: Write> StyledWrite for CleanWriter<W> {
    fn paint(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        if !self.color || tone == Tone::Plain || text.is_empty() {
            return self.write_all(text.as_bytes());
        }
        self.end_character()?;
        let style = tone.style();
        write!(self.out, "{style}")?;
        self.write_all(text.as_bytes())?;
        self.end_character()?;
        write!(self.out, "{style:#}")
    }
}

impl<W: Write> fmt::Debug for CleanWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CleanWriter")
            .field("color", &self.color)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(color: bool, write: impl FnOnce(&mut dyn StyledWrite) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        let mut writer = CleanWriter::new(&mut out, color);
        write(&mut writer).unwrap();
        writer.flush().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_that_steers_a_terminal_passes_and_lines_stay_lines() {
        let text = "a\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\r\n\tZoë 東京 👩\u{200d}💻\u{7}";
        let shown = written(true, |out| out.write_all(text.as_bytes()));
        assert_eq!(shown, "a·[2J·31m···\n\tZoë 東京 👩\u{200d}💻·");
    }

    #[test]
    fn only_the_writer_itself_colours_and_only_where_it_has_colours() {
        let write = |out: &mut dyn StyledWrite| out.paint(Tone::Bad, "\u{1b}[32mfailed\u{1b}[0m");
        assert_eq!(written(false, write), "·[32mfailed·[0m");
        assert_eq!(written(true, write), "\u{1b}[31m·[32mfailed·[0m\u{1b}[0m");
    }

    #[test]
    fn what_is_no_text_is_shown_as_such() {
        let shown = written(false, |out| out.write_all(b"a\xffb\xc3"));
        assert_eq!(shown, "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn a_line_is_cut_where_it_is_bounded_and_the_next_is_whole() {
        let mut out = Vec::new();
        let mut writer = CleanWriter::plain(&mut out).with_longest_line(3);
        writer.write_all("äbcdef\nabc\n".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "äbc…\nabc\n");
    }

    proptest! {
        #[test]
        fn text_is_cleaned_alike_however_it_is_cut(text in any::<String>(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
            let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            places.sort_unstable();
            let whole = written(false, |out| out.write_all(text.as_bytes()));
            let pieces = written(false, |out| {
                let mut last = 0;
                for at in places.into_iter().chain([text.len()]) {
                    out.write_all(&text.as_bytes()[last..at])?;
                    last = at;
                }
                Ok(())
            });
            prop_assert_eq!(&pieces, &whole);
            prop_assert!(!whole.chars().any(is_replaced));
            prop_assert_eq!(whole.chars().count(), text.chars().count());
        }
    }
}
