//! Rows of CSV, each with its line. Quotation marks are read strictly: where the CSV reader would guess, the list is
//! refused.

use super::error::{ListFault, OnLine};
use super::name::is_definite;
use super::visible::{is_empty, shown};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListRow {
    /// The line on which it begins, counted from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

impl ListRow {
    /// Whether all of its cells are empty.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| is_empty(cell))
    }

    /// A name that a quoted cell over several lines takes from the rows below, or from the rest of its own row: a sign
    /// that a quotation mark is missing. Notes and addresses over several lines have no name in the place of one, and
    /// not as many cells as a row.
    pub(super) fn swallowed(&self, column: usize, delimiter: char) -> Option<String> {
        for (at, cell) in self.cells.iter().enumerate() {
            let mut lines = cell.split('\n');
            let own = lines.next().zip(column.checked_sub(at));
            let own = own.filter(|(_, behind)| *behind > 0 && cell.contains('\n'));
            let mut places = own.into_iter().chain(lines.map(|line| (line, column)));
            let found = places.find_map(|(line, column)| {
                let part = line.split(delimiter).nth(column)?;
                let is_row =
                    cell.contains('\n') && line.split(delimiter).count() >= self.cells.len();
                (is_definite(part) || is_row && !is_empty(part)).then(|| shown(part))
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// The rows of a text, one after the other, without empty lines.
pub(super) struct ListRows<'t> {
    text: &'t str,
    reader: csv::Reader<&'t [u8]>,
    delimiter: char,
    line: usize,
}

impl<'t> ListRows<'t> {
    /// The rows of a text that begins on this line, with cells separated by this ASCII character.
    pub(super) fn new(text: &'t str, line: usize, delimiter: char) -> Self {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(u8::try_from(delimiter).unwrap_or(b','))
            .from_reader(text.as_bytes());
        Self {
            text,
            reader,
            delimiter,
            line,
        }
    }

    pub(super) const fn delimiter(&self) -> char {
        self.delimiter
    }

    /// The number of bytes read so far.
    fn read(&self) -> usize {
        usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX)
    }
}

impl Iterator for ListRows<'_> {
    type Item = OnLine<ListRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let from = self.read();
        let mut record = csv::StringRecord::new();
        let there = match self.reader.read_record(&mut record) {
            Ok(there) => there,
            Err(error) => return Some(Err((self.line, ListFault::Csv(error.to_string())))),
        };
        let raw = self.text.get(from..self.read()).unwrap_or_default();
        let passed_over = raw.len() - raw.trim_start_matches('\n').len();
        let line = self.line + passed_over;
        self.line += raw.matches('\n').count();
        if !there {
            return None;
        }
        if let Err(fault) = check_quotes(&raw[passed_over..], self.delimiter) {
            return Some(Err((line, fault)));
        }
        let cells = record.iter().map(str::to_owned).collect();
        Some(Ok(ListRow { line, cells }))
    }
}

/// Checks that each quotation mark that opens a cell is closed at the end of that cell.
fn check_quotes(raw: &str, delimiter: char) -> Result<(), ListFault> {
    enum Within {
        Start,
        Bare,
        Quoted,
        Closed,
    }
    let mut within = Within::Start;
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        within = match (within, c) {
            (Within::Quoted, '"') if chars.next_if_eq(&'"').is_some() => Within::Quoted,
            (Within::Quoted, '"') => Within::Closed,
            (Within::Quoted, _) => Within::Quoted,
            (_, c) if c == delimiter || c == '\n' => Within::Start,
            (Within::Start, '"') => Within::Quoted,
            (Within::Closed, c) if is_empty(c.encode_utf8(&mut [0; 4])) => Within::Closed,
            (Within::Closed, _) => return Err(ListFault::TextAfterQuote),
            (Within::Start | Within::Bare, _) => Within::Bare,
        };
    }
    match within {
        Within::Quoted => Err(ListFault::UnclosedQuote),
        Within::Start | Within::Bare | Within::Closed => Ok(()),
    }
}
