//! A workbook whose rows are written as they come. Rows are kept in temporary files, not in memory.

use std::io::{self, Seek, Write, copy};

use rust_xlsxwriter::{Format as CellFormat, Workbook, Worksheet, XlsxError};

use crate::report::ReportError;
use crate::report::text::clean;

/// The most rows of a sheet (Microsoft: "Excel specifications and limits").
const ROWS: u32 = 1_048_576;
/// The most characters of a cell (the same page).
const LONGEST: usize = 32_767;

/// The contents of a cell. There are no formulas: text from elsewhere stays text, whatever it begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    Number(u64),
    Empty,
}

impl Cell {
    pub(super) fn text(text: impl AsRef<str>) -> Self {
        match text.as_ref() {
            "" => Self::Empty,
            text => Self::Text(clean(text).into_owned()),
        }
    }

    pub(super) fn maybe(value: Option<impl ToString>) -> Self {
        value.map_or(Self::Empty, |value| Self::text(value.to_string()))
    }

    pub(super) fn number(number: Option<u64>) -> Self {
        number.map_or(Self::Empty, Self::Number)
    }
}

/// The title of a column, and its width in characters.
pub(super) type Title = (&'static str, u16);

/// A sheet of a workbook. It continues in another worksheet if it is too long for one.
#[derive(Debug)]
pub(super) struct Sheet {
    name: &'static str,
    titles: &'static [Title],
    /// The present worksheet.
    at: usize,
    parts: u32,
    next_row: u32,
}

/// A workbook that is being written.
pub(super) struct Book {
    workbook: Workbook,
    title: CellFormat,
    worksheets: usize,
    rows: u32,
}

impl Book {
    pub(super) fn new() -> Self {
        Self::with_rows(ROWS)
    }

    /// With this many rows in a sheet.
    fn with_rows(rows: u32) -> Self {
        Self {
            workbook: Workbook::new(),
            title: CellFormat::new().set_bold(),
            worksheets: 0,
            rows,
        }
    }

    /// Adds a sheet with its titles, which stay visible when it is scrolled.
    pub(super) fn sheet(
        &mut self,
        name: &'static str,
        titles: &'static [Title],
    ) -> Result<Sheet, ReportError> {
        let at = self.begin(name, titles)?;
        Ok(Sheet {
            name,
            titles,
            at,
            parts: 1,
            next_row: 1,
        })
    }

    fn begin(&mut self, name: &str, titles: &[Title]) -> Result<usize, ReportError> {
        let title = self.title.clone();
        let worksheet = self
            .workbook
            .add_worksheet_with_constant_memory()
            .map_err(written)?;
        worksheet.set_name(name).map_err(written)?;
        worksheet.set_freeze_panes(1, 0).map_err(written)?;
        for (column, (text, width)) in (0..).zip(titles) {
            worksheet
                .set_column_width(column, *width)
                .and_then(|sheet| sheet.write_string_with_format(0, column, *text, &title))
                .map_err(written)?;
        }
        self.worksheets += 1;
        Ok(self.worksheets - 1)
    }

    /// Adds a row for each name with its value.
    pub(super) fn facts(
        &mut self,
        sheet: &mut Sheet,
        facts: impl IntoIterator<Item = (&'static str, Cell)>,
    ) -> Result<(), ReportError> {
        facts
            .into_iter()
            .try_for_each(|(name, value)| self.row(sheet, &[Cell::text(name), value]))
    }

    pub(super) fn row(&mut self, sheet: &mut Sheet, cells: &[Cell]) -> Result<(), ReportError> {
        if sheet.next_row == self.rows {
            self.end(sheet)?;
            sheet.parts += 1;
            let name = format!("{} {}", sheet.name, sheet.parts);
            sheet.at = self.begin(&name, sheet.titles)?;
            sheet.next_row = 1;
        }
        let worksheet = self.worksheet(sheet.at)?;
        for (column, cell) in (0..).zip(cells) {
            match cell {
                Cell::Text(text) => {
                    let end = text.char_indices().nth(LONGEST).map(|(at, _)| at);
                    let text = &text[..end.unwrap_or(text.len())];
                    worksheet.write_string(sheet.next_row, column, text)
                }
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "Excel knows no other numbers, and counts are below 2^53"
                )]
                Cell::Number(number) => {
                    worksheet.write_number(sheet.next_row, column, *number as f64)
                }
                Cell::Empty => continue,
            }
            .map_err(written)?;
        }
        sheet.next_row += 1;
        Ok(())
    }

    fn worksheet(&mut self, at: usize) -> Result<&mut Worksheet, ReportError> {
        self.workbook.worksheet_from_index(at).map_err(written)
    }

    /// Finishes a worksheet: its columns can be filtered.
    fn end(&mut self, sheet: &Sheet) -> Result<(), ReportError> {
        let last = u16::try_from(sheet.titles.len().saturating_sub(1)).unwrap_or(0);
        let last_row = sheet.next_row.saturating_sub(1);
        let worksheet = self.worksheet(sheet.at)?;
        worksheet
            .autofilter(0, 0, last_row, last)
            .map(drop)
            .map_err(written)
    }

    /// Writes the workbook with these sheets, which have to be all of its sheets.
    pub(super) fn finish(
        mut self,
        sheets: &[&Sheet],
        out: &mut dyn Write,
    ) -> Result<(), ReportError> {
        for sheet in sheets {
            self.end(sheet)?;
        }
        let mut file = tempfile::tempfile()?;
        self.workbook
            .save_to_writer(io::BufWriter::new(&mut file))
            .map_err(written)?;
        file.rewind()?;
        copy(&mut file, out)?;
        Ok(out.flush()?)
    }
}

fn written(error: XlsxError) -> ReportError {
    match error {
        XlsxError::IoError(error) => error.into(),
        error => io::Error::other(error).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::{Data, Reader, Xlsx};
    use std::io::Cursor;

    const TITLES: &[Title] = &[("What", 10), ("How many", 8)];

    #[test]
    fn text_stays_text_and_what_is_more_than_a_sheet_goes_on_in_the_next() {
        let mut book = Book::with_rows(3);
        let mut sheet = book.sheet("Rows", TITLES).unwrap();
        let mut other = book.sheet("Other", TITLES).unwrap();
        for (text, number) in [("=1+1", 1), ("@SUM(A1)", 2), ("-1\u{1b}[2J", 3)] {
            let cells = [Cell::text(text), Cell::Number(number)];
            book.row(&mut sheet, &cells).unwrap();
            book.row(&mut other, &[Cell::Empty]).unwrap();
        }
        let mut bytes = Vec::new();
        book.finish(&[&sheet, &other], &mut bytes).unwrap();
        let mut read: Xlsx<_> = Xlsx::new(Cursor::new(&bytes[..])).unwrap();
        assert_eq!(read.sheet_names(), ["Rows", "Other", "Rows 2", "Other 2"]);
        let first = read.worksheet_range("Rows").unwrap();
        assert_eq!(first.get((1, 0)), Some(&Data::String("=1+1".into())));
        assert_eq!(first.get((2, 1)), Some(&Data::Float(2.0)));
        let next = read.worksheet_range("Rows 2").unwrap();
        assert_eq!(next.get((0, 0)), Some(&Data::String("What".into())));
        assert_eq!(next.get((1, 0)), Some(&Data::String("-1·[2J".into())));
        let formulas = read.worksheet_formula("Rows").unwrap();
        assert!(formulas.is_empty());
    }

    #[test]
    fn a_text_that_is_too_long_for_a_cell_is_cut() {
        let mut book = Book::new();
        let mut sheet = book.sheet("Rows", TITLES).unwrap();
        let long = "ü".repeat(LONGEST + 10);
        book.row(&mut sheet, &[Cell::text(&long)]).unwrap();
        let mut bytes = Vec::new();
        book.finish(&[&sheet], &mut bytes).unwrap();
        assert!(!bytes.is_empty());
    }
}
