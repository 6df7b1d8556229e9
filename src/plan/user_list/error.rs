//! Why a list of users is refused.

use crate::model::number;

use super::known::KNOWN;
use super::visible::shown;

/// What goes wrong on a line.
pub(super) type OnLine<T> = Result<T, (usize, ListFault)>;

/// Why a list of users is refused, and where.
#[derive(Debug, thiserror::Error)]
#[error("{path}{}: {fault}", line.map_or_else(String::new, |line| format!(":{line}")))]
pub struct UserListError {
    /// The list.
    pub path: String,
    /// The line, counted from 1; none where the whole list is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub fault: Box<ListFault>,
}

impl UserListError {
    /// Whether the column that holds the names has to be told.
    pub fn wants_column(&self) -> bool {
        matches!(
            *self.fault,
            ListFault::NoKnownColumn { .. }
                | ListFault::NoSuchColumn { .. }
                | ListFault::TwoNames { .. }
        )
    }
}

/// What is wrong with a list of users.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// No name in it.
    #[error("there is nobody in this list")]
    Empty,
    /// More bytes than are read.
    #[error("this list is longer than {} MiB; keep only the column with the names", .0 / (1024 * 1024))]
    TooLong(usize),
    /// More names than are read.
    #[error("this list has more than {} different names; split it", number(u64::try_from(*.0).unwrap_or(u64::MAX)))]
    TooManyNames(usize),
    /// A file of another kind, known by its first bytes.
    #[error("this is {0}, not a text file; save the list as CSV (UTF-8) and give that file")]
    NotText(&'static str),
    /// JSON that lists no users.
    #[error(
        "this is JSON, and no list of users as `report`, `list` and `check` print it; give CSV, with a header such as `UPN`"
    )]
    OtherJson,
    /// A table that a command printed for people.
    #[error(
        "this is a table for people, in which names can be cut; print the list with --format csv and give that"
    )]
    Table,
    /// A character that no text has.
    #[error("this line has the control character U+{:04X}, so this is not a text file; save the list as CSV (UTF-8)", *.0 as u32)]
    Control(char),
    /// Bytes that are no text in the encoding of the file.
    #[error("the text is not valid {0}; save the list as CSV (UTF-8)")]
    Encoding(&'static str),
    /// A quotation mark without its second.
    #[error("a quotation mark is opened and never closed; close it or remove it")]
    UnclosedQuote,
    /// Text behind a quoted cell.
    #[error(
        "there is text between a closing quotation mark and the next separator; a quotation mark is missing or is one too many"
    )]
    TextAfterQuote,
    /// A quoted cell that takes in the name of another row.
    #[error(
        "a quoted cell goes over several lines and includes the name `{0}`; a quotation mark is missing"
    )]
    SwallowedName(String),
    /// Something that is not exactly one name.
    #[error(
        "`{0}` is not exactly one name; write each UPN, e-mail address, DOMAIN\\name or id on a line of its own, or give CSV with a header such as `UPN`"
    )]
    NotOneName(String),
    /// A row without a name.
    #[error(
        "this row names nobody: its cell `{column}` is empty or missing; fill it in or remove the row"
    )]
    NoName {
        /// The title of the column.
        column: String,
    },
    /// A row that is longer than the header.
    #[error(
        "this row has more cells than the header; a separator in a cell needs quotation marks around the cell"
    )]
    TooManyCells,
    /// A header without a known column.
    #[error("no column of this list is known to hold names. Found: {}. Known: {}", titles(found), KNOWN_TITLES.join(", "))]
    NoKnownColumn {
        /// The titles.
        found: Vec<String>,
    },
    /// A header without the column that was asked for.
    #[error("this list has no column `{wanted}`. Found: {}", titles(found))]
    NoSuchColumn {
        /// The title that was asked for.
        wanted: String,
        /// The titles.
        found: Vec<String>,
    },
    /// Two columns with one title.
    #[error("several columns of this list are called `{0}`; rename all but one")]
    SeveralColumns(String),
    /// Two columns whose titles mean the same name different people in a row.
    #[error("the columns `{}` and `{}` name different people in this row; choose one", columns[0], columns[1])]
    TwoNames {
        /// Their titles.
        columns: [String; 2],
    },
    /// What the CSV reader does not take.
    #[error("this is not CSV: {0}")]
    Csv(String),
    /// A file that begins like a workbook and is none.
    #[error("this begins like an Excel workbook (.xlsx) and cannot be read as one: {0}")]
    Workbook(String),
    /// More bytes than a workbook may unpack to.
    #[error("this workbook unpacks to more than {} MiB; keep only the sheet and the column with the names", .0 / (1024 * 1024))]
    UnpacksTooLarge(u64),
    /// More cells than are read.
    #[error(
        "this workbook has more than {} cells; keep only the sheet and the column with the names",
        number(u64::try_from(*.0).unwrap_or(u64::MAX))
    )]
    TooManyFilledCells(usize),
    /// A cell whose formula came to nothing.
    #[error("a cell of this row holds the error {0}; mend its formula, or paste values")]
    CellError(String),
    /// A formula that was never computed, so that nobody knows what it shows.
    #[error(
        "a cell of this row holds a formula without a value; open the workbook in Excel and save it, or paste values"
    )]
    NotComputed,
    /// Cells that do not follow one another.
    #[error("a cell stands behind one that it belongs before, so this workbook is damaged")]
    CellOrder,
    /// Only a sheet that nobody sees has the names.
    #[error("this sheet is hidden in the workbook; show it, or give it as CSV")]
    HiddenSheet,
    /// A list in another sheet.
    #[error(
        "the sheet `{sheet}` lists `{name}`, whom the sheet with the names does not have; keep one of the sheets, or give one as CSV"
    )]
    OtherSheet {
        /// The other sheet.
        sheet: String,
        /// One who is listed there.
        name: String,
    },
    /// Two sheets with such a column.
    #[error(
        "several sheets of this workbook have a column that can hold the names: {0}; keep one of them, or give the sheet as CSV"
    )]
    SeveralSheets(String),
    /// `sep=` with something that separates nothing.
    #[error("`sep=` names no separator; use a comma, a semicolon or a tab")]
    NoSeparator,
}

/// Titles that are told: one of each that means the same.
const KNOWN_TITLES: [&str; KNOWN.len()] = {
    let mut titles = [""; KNOWN.len()];
    let mut at = 0;
    while at < titles.len() {
        titles[at] = KNOWN[at].title;
        at += 1;
    }
    titles
};

/// Titles that a message names: as many as an error lists.
const TITLES: usize = 20;
fn titles(found: &[String]) -> String {
    let mut shown: Vec<_> = found.iter().take(TITLES).map(|t| shown(t)).collect();
    if found.len() > TITLES {
        shown.push(format!("and {} more", found.len() - TITLES));
    }
    shown.join(", ")
}
