//! Lists in Excel workbooks (`.xlsx`). A workbook comes from elsewhere: its unpacked size and the number of its cells
//! are limited, and only values are read, never formulas.

use std::io::{Cursor, Read, copy, sink};

use calamine::{DataRef, Reader, SheetVisible, Xlsx, XlsxCellReader, XlsxError};

use crate::model::text::NAMES_IN_MESSAGE;

use super::error::{ListFault, OnLine};
use super::header::{NameColumn, column_of};
use super::name::{is_definite, name_in};
use super::rows::ListRow;
use super::text::LONGEST_LIST;
use super::visible::{is_empty, shown};
use super::{Names, name_of_row};

mod hidden;

pub(super) use self::hidden::hidden_rows;

/// The first bytes of a ZIP archive, which a workbook is.
const ZIP: &[u8] = b"PK\x03\x04";
/// The largest unpacked size, in bytes: an export of 130,000 users with a dozen columns. Its texts are in memory
/// together, and empty ones take five times their size in the file.
const MOST_UNPACKED: u64 = 128 * 1024 * 1024;
/// The most parts of an archive: a workbook has a few for each sheet, and pictures.
const MOST_PARTS: usize = 4_000;
/// The most cells of all sheets together: 130,000 users with 38 columns.
const MOST_CELLS: usize = 5_000_000;
/// The most titles above the header of a sheet: what it is, of when, of whom.
const TITLES: usize = 5;

/// Whether a file is a workbook, or another archive of this kind.
pub(super) fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(ZIP)
}

/// Reads the names of a workbook into `list`. Returns the sheet with the names.
pub(super) fn read(
    bytes: &[u8],
    wanted: Option<&str>,
    list: &mut Names,
) -> Result<String, (Option<String>, OnLineFault)> {
    let whole = |fault| (None, (None, fault));
    check_size(bytes).map_err(whole)?;
    let mut book: Xlsx<_> =
        Xlsx::new(Cursor::new(bytes)).map_err(|error| whole(damaged(&error)))?;
    let mut cells = Budget(MOST_CELLS);
    let (sheet, start) =
        choose(&mut book, wanted, &mut cells).map_err(|(sheet, line, fault)| {
            let line = (line > 0).then_some(line);
            (sheet, (line, fault))
        })?;
    let of_sheet = |(line, fault): (usize, ListFault)| {
        let line = (line > 0).then_some(line);
        (Some(sheet.clone()), (line, fault))
    };
    let mut rows = SheetRows::open(&mut book, &sheet)
        .map_err(of_sheet)?
        .ok_or_else(|| whole(ListFault::Empty))?;
    read_sheet(&mut rows, &start, &mut cells, list).map_err(of_sheet)?;
    drop(rows);
    let hidden = |of: &calamine::Sheet| of.name == sheet && of.visible != SheetVisible::Visible;
    if book.sheets_metadata().iter().any(hidden) {
        return Err((Some(sheet), (None, ListFault::HiddenSheet)));
    }
    // A requested column also selects the sheet.
    let others = if wanted.is_some() {
        Vec::new()
    } else {
        book.sheet_names()
    };
    for other in others {
        if other != sheet
            && let Some(name) =
                listed_elsewhere(&mut book, &other, &mut cells, list).map_err(|(line, fault)| {
                    (Some(other.clone()), ((line > 0).then_some(line), fault))
                })?
        {
            let fault = ListFault::OtherSheet {
                sheet: shown(&other),
                name: shown(&name),
            };
            return Err((Some(sheet), (None, fault)));
        }
    }
    Ok(sheet)
}

/// A name that another sheet lists and that is not among the names. A sheet counts as such a list if it has one column,
/// with names below a title or without one; tables with other columns contain other data.
fn listed_elsewhere(
    book: &mut Xlsx<Cursor<&[u8]>>,
    sheet: &str,
    cells: &mut Budget,
    list: &Names,
) -> OnLine<Option<String>> {
    let Some(mut rows) = SheetRows::open(book, sheet)? else {
        return Ok(None);
    };
    let mut missing = None;
    while let Some(row) = rows.next_filled(cells)? {
        let [(_, text)] = &row.cells[..] else {
            return Ok(None);
        };
        let known = || {
            let name = name_in(text).ok().flatten();
            name.is_some_and(|name| list.has(&name))
        };
        if missing.is_none() && is_definite(text) && !known() {
            missing = Some(text.clone());
        }
    }
    Ok(missing)
}

/// A fault, with its row where it has one.
pub(super) type OnLineFault = (Option<usize>, ListFault);

/// Where the names of a sheet begin.
struct SheetStart {
    /// The row of the header, or of the first name, counted from 1.
    line: usize,
    /// The titles; none where there is no header.
    header: Option<ListRow>,
    column: NameColumn,
}

/// The number of cells that may still be read.
struct Budget(usize);

impl Budget {
    fn take(&mut self) -> Result<(), ListFault> {
        self.0 = self
            .0
            .checked_sub(1)
            .ok_or(ListFault::TooManyFilledCells(MOST_CELLS))?;
        Ok(())
    }
}

/// Measures the unpacked size, because the size that an archive states may be wrong.
fn check_size(bytes: &[u8]) -> Result<(), ListFault> {
    if bytes.len() > LONGEST_LIST {
        return Err(ListFault::TooLong(LONGEST_LIST));
    }
    let not_read = |error: zip::result::ZipError| ListFault::Workbook(shown(&error.to_string()));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(not_read)?;
    if archive.len() > MOST_PARTS {
        return Err(ListFault::UnpacksTooLarge(MOST_UNPACKED));
    }
    let mut left = MOST_UNPACKED;
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(not_read)?;
        let read = copy(&mut part.take(left.saturating_add(1)), &mut sink());
        let read = read.map_err(|error| ListFault::Workbook(shown(&error.to_string())))?;
        left = left
            .checked_sub(read)
            .ok_or(ListFault::UnpacksTooLarge(MOST_UNPACKED))?;
    }
    Ok(())
}

fn damaged(error: &XlsxError) -> ListFault {
    ListFault::Workbook(shown(&error.to_string()))
}

/// The header of a sheet: its first row with text, or one below rows that are titles. A title is alone in its row and
/// names nobody, and is followed by an empty row or by more than one cell: with less, it could be a name.
fn header_of(
    rows: &mut SheetRows<'_, '_>,
    first: ListRow,
    wanted: Option<&str>,
    cells: &mut Budget,
) -> OnLine<Option<SheetStart>> {
    let mut above: Option<ListRow> = None;
    let mut next = Some(first);
    for _ in 0..=TITLES {
        let Some(row) = next else { break };
        let filled = || row.cells.iter().filter(|cell| !is_empty(cell));
        let is_apart = |above: &ListRow| filled().count() > 1 || row.line > above.line + 1;
        if above.as_ref().is_none_or(is_apart) {
            let line = row.line;
            let column = column_of(&row, wanted).map_err(|fault| (line, fault))?;
            if let Some(column) = column {
                let header = Some(row);
                return Ok(Some(SheetStart {
                    line,
                    header,
                    column,
                }));
            }
        }
        let names_somebody = filled().any(|cell| is_definite(cell));
        if filled().count() > 1 || names_somebody {
            break;
        }
        above = Some(row);
        next = rows.next_filled(cells)?.map(SheetRow::dense);
    }
    Ok(None)
}

/// The only sheet whose header has the requested column, or a known one; else the only sheet that is not empty,
/// if it begins with a name.
fn choose(
    book: &mut Xlsx<Cursor<&[u8]>>,
    wanted: Option<&str>,
    cells: &mut Budget,
) -> Result<(String, SheetStart), (Option<String>, usize, ListFault)> {
    let (mut with_column, mut firsts) = (Vec::new(), Vec::new());
    for sheet in book.sheet_names() {
        let failed = |(line, fault)| (Some(sheet.clone()), line, fault);
        let Some(mut rows) = SheetRows::open(book, &sheet).map_err(failed)? else {
            continue;
        };
        let Some(first) = rows.next_filled(cells).map_err(failed)? else {
            continue;
        };
        let first = first.dense();
        let start = header_of(&mut rows, first.clone(), wanted, cells).map_err(failed)?;
        match start {
            Some(start) => with_column.push((sheet, start)),
            None => firsts.push((sheet, first)),
        }
    }
    match with_column.len() {
        0 => without_header(firsts, wanted),
        1 => Ok(with_column.remove(0)),
        _ => {
            let names = with_column.iter().take(NAMES_IN_MESSAGE);
            let names: Vec<_> = names.map(|(sheet, _)| shown(sheet)).collect();
            Err((None, 0, ListFault::SeveralSheets(names.join(", "))))
        }
    }
}

fn without_header(
    mut firsts: Vec<(String, ListRow)>,
    wanted: Option<&str>,
) -> Result<(String, SheetStart), (Option<String>, usize, ListFault)> {
    if firsts.is_empty() {
        return Err((None, 0, ListFault::Empty));
    }
    let several = firsts.len() > 1;
    let (sheet, first) = firsts.remove(0);
    let found: Vec<_> = first.cells.clone();
    let mut filled = (0..).zip(&found).filter(|(_, cell)| !is_empty(cell));
    let only = filled.next().filter(|_| filled.next().is_none());
    match (wanted, only) {
        (Some(wanted), _) => {
            let wanted = wanted.to_owned();
            Err((
                Some(sheet),
                first.line,
                ListFault::NoSuchColumn { wanted, found },
            ))
        }
        (None, Some((column, cell))) if !several && is_definite(cell) => Ok((
            sheet,
            SheetStart {
                line: first.line,
                header: None,
                column: NameColumn {
                    at: column,
                    same: vec![],
                },
            },
        )),
        (None, _) => Err((Some(sheet), first.line, ListFault::NoKnownColumn { found })),
    }
}

fn read_sheet(
    rows: &mut SheetRows<'_, '_>,
    start: &SheetStart,
    cells: &mut Budget,
    list: &mut Names,
) -> OnLine<()> {
    let title = |at: usize| {
        let titles = start.header.as_ref();
        titles.map_or_else(|| (at + 1).to_string(), |header| shown(&header.cells[at]))
    };
    let width = start
        .header
        .as_ref()
        .map_or(start.column.at + 1, |header| header.cells.len());
    while let Some(row) = rows.next_filled(cells)? {
        let line = row.line;
        if start.header.is_some() && line <= start.line {
            continue;
        }
        let refuse = |fault| (line, fault);
        if row.cells.iter().any(|(column, _)| *column >= width) {
            return Err(refuse(ListFault::TooManyCells));
        }
        let cell = |at: usize| {
            let found = row.cells.iter().find(|(column, _)| *column == at);
            found.map_or("", |(_, text)| text.as_str())
        };
        list.add(
            line,
            name_of_row(&start.column, cell, title).map_err(refuse)?,
        )?;
    }
    Ok(())
}

/// The cells of a row that have text, each with its column from 0.
struct SheetRow {
    line: usize,
    cells: Vec<(usize, String)>,
}

impl SheetRow {
    fn dense(self) -> ListRow {
        let width = self.cells.iter().map(|(at, _)| at + 1).max().unwrap_or(0);
        let mut cells = vec![String::new(); width];
        for (at, text) in self.cells {
            cells[at] = text;
        }
        ListRow {
            line: self.line,
            cells,
        }
    }
}

/// The rows of a sheet, one after the other; empty cells take no memory.
struct SheetRows<'b, 'd> {
    cells: XlsxCellReader<'b, Cursor<&'d [u8]>>,
    /// The first cell of the next row.
    held: Option<(usize, usize, String)>,
    /// The position of the last cell.
    last: Option<(usize, usize)>,
    /// Whether the last cell was read, after which the reader must not be called again.
    has_ended: bool,
}

impl<'b, 'd> SheetRows<'b, 'd> {
    /// None for a chart or another sheet without cells.
    fn open(
        book: &'b mut Xlsx<Cursor<&'d [u8]>>,
        sheet: &str,
    ) -> Result<Option<Self>, (usize, ListFault)> {
        match book.worksheet_cells_reader(sheet) {
            Ok(cells) => Ok(Some(Self {
                cells,
                held: None,
                last: None,
                has_ended: false,
            })),
            Err(XlsxError::NotAWorksheet(_)) => Ok(None),
            Err(error) => Err((0, damaged(&error))),
        }
    }

    /// The next row with a visible cell.
    fn next_filled(&mut self, budget: &mut Budget) -> OnLine<Option<SheetRow>> {
        let mut row: Option<SheetRow> = None;
        loop {
            let next = match self.held.take() {
                Some(held) => Some(held),
                None => self.next_cell(row.as_ref().map_or(0, |row| row.line), budget)?,
            };
            match (next, &mut row) {
                (None, _) => return Ok(row),
                (Some((line, column, text)), Some(row)) if row.line == line => {
                    row.cells.push((column, text));
                }
                (held @ Some(_), Some(_)) => {
                    self.held = held;
                    return Ok(row);
                }
                (Some((line, column, text)), None) => {
                    row = Some(SheetRow {
                        line,
                        cells: vec![(column, text)],
                    });
                }
            }
        }
    }

    /// The next visible cell: its row from 1, its column from 0, and its text.
    fn next_cell(
        &mut self,
        near: usize,
        budget: &mut Budget,
    ) -> OnLine<Option<(usize, usize, String)>> {
        while !self.has_ended {
            let cell = self.cells.next_cell_with_formula_metadata();
            let Some(cell) = cell.map_err(|error| (near, damaged(&error)))? else {
                self.has_ended = true;
                break;
            };
            budget.take().map_err(|fault| (near, fault))?;
            let (line, column) = cell.pos;
            let place = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
            let (line, column) = (place(line).saturating_add(1), place(column));
            if self.last.replace((line, column)) >= Some((line, column)) {
                return Err((line, ListFault::CellOrder));
            }
            if cell.formula.is_some() && matches!(cell.value, DataRef::Empty) {
                return Err((line, ListFault::NotComputed));
            }
            let text = text(&cell.value).map_err(|fault| (line, fault))?;
            if !is_empty(&text) {
                return Ok(Some((line, column, text)));
            }
        }
        Ok(None)
    }
}

/// The text of a cell; for a formula, its value when the workbook was saved.
fn text(value: &DataRef<'_>) -> Result<String, ListFault> {
    Ok(match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(value) => value.to_string().to_uppercase(),
        DataRef::DateTime(time) => time.as_f64().to_string(),
        DataRef::Error(error) => return Err(ListFault::CellError(error.to_string())),
    })
}

#[cfg(test)]
mod tests;
