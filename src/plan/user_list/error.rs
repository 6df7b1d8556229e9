//! Why a list of users is refused.

use crate::model::number;

use super::known::KNOWN;
use super::visible::shown;

/// A fault with its line, counted from 1.
pub(super) type OnLine<T> = Result<T, (usize, ListFault)>;

/// Why a list of users is refused, and where.
#[derive(Debug, thiserror::Error)]
#[error("{path}{}: {fault}", line.map_or_else(String::new, |line| format!(":{line}")))]
pub struct UserListError {
    /// The path of the list.
    pub path: String,
    /// The line, counted from 1; none for the whole list.
    pub line: Option<usize>,
    /// What is wrong.
    pub fault: Box<ListFault>,
}

impl UserListError {
    /// Whether the column with the names has to be given.
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
    /// It contains no name.
    #[error("there is nobody in this list")]
    Empty,
    /// It has more bytes than the limit.
    #[error("this list is longer than {} MiB; keep only the column with the names", .0 / (1024 * 1024))]
    TooLong(usize),
    /// It has more names than the limit.
    #[error("this list has more than {} different names; split it", number(u64::try_from(*.0).unwrap_or(u64::MAX)))]
    TooManyNames(usize),
    /// It is a file of another kind, recognised by its first bytes.
    #[error("this is {0}, not a text file; save the list as CSV (UTF-8) and give that file")]
    NotText(&'static str),
    /// It is JSON that contains no list of users.
    #[error(
        "this is JSON, and no list of users as `report`, `list` and `check` print it; give CSV, with a header such as `UPN`"
    )]
    OtherJson,
    /// It is a table that a command printed for people.
    #[error(
        "this is a table for people, in which names can be cut; print the list with --format csv and give that"
    )]
    Table,
    /// It is a page for a browser, such as `report --format html` writes it.
    #[error(
        "this is a page for a browser (HTML) and no list; print the list with --format csv and give that"
    )]
    Page,
    /// It contains a character that does not occur in text.
    #[error("this line has the control character U+{:04X}, so this is not a text file; save the list as CSV (UTF-8)", *.0 as u32)]
    Control(char),
    /// It contains bytes that are invalid in the encoding of the file.
    #[error("the text is not valid {0}; save the list as CSV (UTF-8)")]
    Encoding(&'static str),
    /// A quotation mark has no closing one.
    #[error("a quotation mark is opened and never closed; close it or remove it")]
    UnclosedQuote,
    /// Text follows a quoted cell.
    #[error(
        "there is text between a closing quotation mark and the next separator; a quotation mark is missing or is one too many"
    )]
    TextAfterQuote,
    /// A quoted cell contains the name of another row.
    #[error(
        "a quoted cell goes over several lines and includes the name `{0}`; a quotation mark is missing"
    )]
    SwallowedName(String),
    /// A cell or line is not exactly one name.
    #[error(
        "`{0}` is not exactly one name; write each UPN, e-mail address, DOMAIN\\name or id on a line of its own, or give CSV with a header such as `UPN`"
    )]
    NotOneName(String),
    /// A row has no name.
    #[error(
        "this row names nobody: its cell `{column}` is empty or missing; fill it in or remove the row"
    )]
    NoName {
        /// The title of the column.
        column: String,
    },
    /// A row is longer than the header.
    #[error(
        "this row has more cells than the header; a separator in a cell needs quotation marks around the cell"
    )]
    TooManyCells,
    /// The header has no known column.
    #[error("no column of this list is known to hold names. Found: {}. Known: {}", titles(found), KNOWN_TITLES.join(", "))]
    NoKnownColumn {
        /// The titles of the header.
        found: Vec<String>,
    },
    /// The header lacks the requested column.
    #[error("this list has no column `{wanted}`. Found: {}", titles(found))]
    NoSuchColumn {
        /// The requested title.
        wanted: String,
        /// The titles of the header.
        found: Vec<String>,
    },
    /// Two columns have the same title.
    #[error("several columns of this list are called `{0}`; rename all but one")]
    SeveralColumns(String),
    /// Two columns with the same meaning contain different names in one row.
    #[error("the columns `{}` and `{}` name different people in this row; choose one", columns[0], columns[1])]
    TwoNames {
        /// Their titles.
        columns: [String; 2],
    },
    /// The CSV reader refuses it.
    #[error("this is not CSV: {0}")]
    Csv(String),
    /// A file that begins like a workbook is not one.
    #[error("this begins like an Excel workbook (.xlsx) and cannot be read as one: {0}")]
    Workbook(String),
    /// It unpacks to more bytes than the limit.
    #[error("this workbook unpacks to more than {} MiB; keep only the sheet and the column with the names", .0 / (1024 * 1024))]
    UnpacksTooLarge(u64),
    /// It has more cells than the limit.
    #[error(
        "this workbook has more than {} cells; keep only the sheet and the column with the names",
        number(u64::try_from(*.0).unwrap_or(u64::MAX))
    )]
    TooManyFilledCells(usize),
    /// The formula in a cell has an error as its value.
    #[error("a cell of this row holds the error {0}; mend its formula, or paste values")]
    CellError(String),
    /// A formula was never computed, so its value is not known.
    #[error(
        "a cell of this row holds a formula without a value; open the workbook in Excel and save it, or paste values"
    )]
    NotComputed,
    /// The cells are not in order.
    #[error("a cell stands behind one that it belongs before, so this workbook is damaged")]
    CellOrder,
    /// Only a hidden sheet contains names.
    #[error("this sheet is hidden in the workbook; show it, or give it as CSV")]
    HiddenSheet,
    /// Another sheet contains a list of users, too.
    #[error(
        "the sheet `{sheet}` lists `{name}`, whom the sheet with the names does not have; keep one of the sheets, or give one as CSV"
    )]
    OtherSheet {
        /// The name of the other sheet.
        sheet: String,
        /// A name in that list.
        name: String,
    },
    /// Several sheets have such a column.
    #[error(
        "several sheets of this workbook have a column that can hold the names: {0}; keep one of them, or give the sheet as CSV"
    )]
    SeveralSheets(String),
    /// `sep=` names a character that cannot separate cells.
    #[error("`sep=` names no separator; use a comma, a semicolon or a tab")]
    NoSeparator,
}

/// Titles in messages: one of those with the same meaning.
const KNOWN_TITLES: [&str; KNOWN.len()] = {
    let mut titles = [""; KNOWN.len()];
    let mut at = 0;
    while at < titles.len() {
        titles[at] = KNOWN[at].title;
        at += 1;
    }
    titles
};

/// The most titles in a message: as many as an error shows of any list.
const TITLES: usize = 20;
fn titles(found: &[String]) -> String {
    let mut shown: Vec<_> = found.iter().take(TITLES).map(|t| shown(t)).collect();
    if found.len() > TITLES {
        shown.push(format!("and {} more", found.len() - TITLES));
    }
    shown.join(", ")
}
