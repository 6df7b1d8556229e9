//! Documents of single environments within one document.

use std::io::{self, Write};

use super::{ReportError, StyledWrite};

/// Indents every line after the first, and omits the last line break. JSON strings contain no line
/// break.
pub(super) struct IndentWriter<'a> {
    out: &'a mut dyn Write,
    columns: usize,
    /// Whether a line has ended and the next one has not begun.
    ended: bool,
}

impl<'a> IndentWriter<'a> {
    pub(super) fn new(out: &'a mut dyn Write, columns: usize) -> Self {
        Self {
            out,
            columns,
            ended: false,
        }
    }
}

/// JSON and CSV have no colours.
impl StyledWrite for IndentWriter<'_> {}
impl StyledWrite for CsvWithEnvironment<'_> {}

impl Write for IndentWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.ended {
                write!(self.out, "\n{:1$}", "", self.columns)?;
            }
            self.ended = piece.ends_with(b"\n");
            let line = piece.strip_suffix(b"\n").unwrap_or(piece);
            self.out.write_all(line)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Puts a column with the name of the environment before every line of CSV, and writes the titles once.
pub(super) struct CsvWithEnvironment<'a> {
    out: &'a mut dyn Write,
    /// The name as a cell.
    name: Vec<u8>,
    /// Whether to write the titles.
    titles: bool,
    line: u64,
    at_start: bool,
    /// Whether the position is in quotation marks, where a line break does not end a line.
    quoted: bool,
}

impl<'a> CsvWithEnvironment<'a> {
    pub(super) fn new(
        out: &'a mut dyn Write,
        name: &str,
        titles: bool,
    ) -> Result<Self, ReportError> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record([super::cell::cell(name), String::new()])?;
        let line = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
        Ok(Self {
            out,
            name: line.trim_ascii_end().to_vec(),
            titles,
            line: 0,
            at_start: true,
            quoted: false,
        })
    }
}

impl Write for CsvWithEnvironment<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let title = self.line == 0;
            let wanted = !title || self.titles;
            if self.at_start && wanted {
                let first: &[u8] = if title { b"environment," } else { &self.name };
                self.out.write_all(first)?;
            }
            if wanted {
                self.out.write_all(piece)?;
            }
            self.quoted ^= piece.iter().fold(false, |odd, byte| odd ^ (*byte == b'"'));
            self.at_start = piece.ends_with(b"\n") && !self.quoted;
            self.line += u64::from(self.at_start);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_quotation_marks_ends_no_line() {
        let mut out = Vec::new();
        let mut named = CsvWithEnvironment::new(&mut out, "a", true).unwrap();
        for piece in ["x,y\n1,\"tw", "o\nlines\"\n3,", "4\n"] {
            named.write_all(piece.as_bytes()).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "environment,x,y\na,1,\"two\nlines\"\na,3,4\n");
    }

    #[test]
    fn lines_are_moved_in_however_they_are_cut() {
        let mut out = Vec::new();
        let mut inward = IndentWriter::new(&mut out, 2);
        for piece in ["{\n  \"a", "\": 1\n", "}\n"] {
            inward.write_all(piece.as_bytes()).unwrap();
        }
        assert_eq!(out, b"{\n    \"a\": 1\n  }");
    }
}
