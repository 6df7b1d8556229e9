//! Lists of users: one name per line, CSV with a header, or a sheet of an Excel workbook. No line is ignored silently:
//! it contains a name, is blank or a comment, or the list is refused with the number of that line.

mod error;
mod header;
mod json;
mod known;
mod name;
mod plain;
mod rows;
mod text;
mod visible;
mod workbook;

use std::collections::HashSet;

use self::header::{NameColumn, Start, start};
use self::rows::{ListRow, ListRows};
use self::text::decode;
use super::selection::key;
use super::{NameSource, UserRef};
use crate::model::count;

use self::error::OnLine;
pub use self::error::{ListFault, UserListError};
pub use self::text::LONGEST_LIST;

/// The most different names: more than the largest organisations have users.
const MOST_NAMES: usize = 500_000;

/// Reads a list of users: a name per line, or CSV whose header has a known column, such as `User principal name` or
/// `user_id`, or the requested column. A repeated name counts once, at its first line.
///
/// `path` is the name of the list in errors. `column` is the title of the column with the names; a list
/// without that column is refused.
pub fn parse_user_list(
    path: &str,
    bytes: &[u8],
    column: Option<&str>,
) -> Result<Vec<UserRef>, UserListError> {
    Ok(read_user_list(path, bytes, column)?.users)
}

/// The contents of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserList {
    /// The users, each once.
    pub users: Vec<UserRef>,
    /// How many of them are in rows that Excel does not show, for example because of a filter.
    pub hidden: u64,
}

impl UserList {
    /// What whoever looked at the workbook has to know; none where nobody is hidden. `shown` names the workbook.
    pub fn hidden_words(&self, shown: &str) -> Option<String> {
        let (stand, are) = match self.hidden {
            0 => return None,
            1 => ("stands in a row", "is"),
            _ => ("stand in rows", "are"),
        };
        Some(format!(
            "{} of {shown} {stand} that Excel hides, as a filter does, and {are} read, too.",
            count(self.hidden, "user")
        ))
    }

    const fn of_text(users: Vec<UserRef>) -> Self {
        Self { users, hidden: 0 }
    }
}

/// As [`parse_user_list`], with the number of users in hidden rows.
pub fn read_user_list(
    path: &str,
    bytes: &[u8],
    column: Option<&str>,
) -> Result<UserList, UserListError> {
    let refuse = |line, fault| UserListError {
        path: path.to_owned(),
        line,
        fault: Box::new(fault),
    };
    if workbook::is_workbook(bytes) {
        return parse_workbook(path, bytes, column);
    }
    let text = decode(bytes).map_err(|(line, fault)| refuse(line, fault))?;
    let mut list = Names::default();
    read(&text, column, &mut list).map_err(|(line, fault)| refuse(Some(line), fault))?;
    if list.names.is_empty() {
        return Err(refuse(None, ListFault::Empty));
    }
    let named = list.names.into_iter().map(|(line, name)| UserRef {
        name,
        place: NameSource::Line(path.to_owned(), line),
    });
    Ok(UserList::of_text(named.collect()))
}

/// The same for an Excel workbook. Errors and sources of names contain the name of the sheet.
fn parse_workbook(
    path: &str,
    bytes: &[u8],
    column: Option<&str>,
) -> Result<UserList, UserListError> {
    let in_sheet = |sheet: Option<String>| match sheet {
        Some(sheet) => format!("{path}[{}]", visible::shown(&sheet)),
        None => path.to_owned(),
    };
    let refuse = |sheet, line, fault| UserListError {
        path: in_sheet(sheet),
        line,
        fault: Box::new(fault),
    };
    let mut list = Names::default();
    let sheet = workbook::read(bytes, column, &mut list)
        .map_err(|(sheet, (line, fault))| refuse(sheet, line, fault))?;
    if list.names.is_empty() {
        return Err(refuse(Some(sheet), None, ListFault::Empty));
    }
    let rows = workbook::hidden_rows(bytes, &sheet);
    let hidden = list.names.iter().filter(|(line, _)| rows.contains(line));
    let hidden = u64::try_from(hidden.count()).unwrap_or(u64::MAX);
    let path = in_sheet(Some(sheet));
    let named = list.names.into_iter().map(|(line, name)| UserRef {
        name,
        place: NameSource::Line(path.clone(), line),
    });
    Ok(UserList {
        users: named.collect(),
        hidden,
    })
}

/// Reads a name that was given alone, without the characters that mail programs and spreadsheets add.
///
/// # Errors
/// Where it is not exactly one name.
pub fn one_name(text: &str) -> Result<String, ListFault> {
    let nothing = || ListFault::NotOneName(visible::shown(text));
    name::name_in(text)?.ok_or_else(nothing)
}

/// The names of a list, each once, with its first line.
#[derive(Default)]
struct Names {
    names: Vec<(usize, String)>,
    seen: HashSet<String>,
}

impl Names {
    fn has(&self, name: &str) -> bool {
        self.seen.contains(&key(name))
    }

    fn add(&mut self, line: usize, name: String) -> OnLine<()> {
        if self.seen.insert(key(&name)) {
            if self.names.len() == MOST_NAMES {
                return Err((line, ListFault::TooManyNames(MOST_NAMES)));
            }
            self.names.push((line, name));
        }
        Ok(())
    }
}

fn read(text: &str, column: Option<&str>, list: &mut Names) -> OnLine<()> {
    if json::is_json(text) {
        return json::read(text, column, list);
    }
    if is_page(text) {
        return Err((1, ListFault::Page));
    }
    if is_table_for_people(text) {
        return Err((1, ListFault::Table));
    }
    match start(text, column)? {
        Start::Nothing => Ok(()),
        Start::Plain { at, line } => plain::read(&text[at..], line, list),
        Start::Table {
            header,
            column,
            rows,
        } => read_table(&header, &column, *rows, list),
    }
}

fn is_page(text: &str) -> bool {
    let text = text.trim_start();
    let begins = |with: &str| {
        let begin = text.get(..with.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(with))
    };
    begins("<!doctype html") || begins("<html")
}

/// Whether a text is output of a command for people: a title, or columns separated by spaces only.
fn is_table_for_people(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let Some(first) = lines.next() else {
        return false;
    };
    let words = first.trim_start_matches("# ");
    let mut words = words.split(' ');
    let is_title = matches!(words.next(), Some("Run" | "Plan"))
        && words.next().is_some_and(|id| {
            let digits = id.trim_end_matches(':');
            digits.len() == 6 && digits.bytes().all(|c| c.is_ascii_hexdigit())
        });
    let cells = first.trim().split("  ").filter(|cell| !cell.is_empty());
    let is_row = !first.contains([',', ';', '\t']) && cells.count() > 2;
    is_title || is_row && name::name_in(first).is_err()
}

/// The rows below a header, in which there are no comments.
fn read_table(
    header: &ListRow,
    column: &NameColumn,
    rows: ListRows<'_>,
    list: &mut Names,
) -> OnLine<()> {
    let title = |at: usize| visible::shown(&header.cells[at]);
    let delimiter = rows.delimiter();
    for row in rows {
        let row = row?;
        if row.is_blank() {
            continue;
        }
        let refuse = |fault| (row.line, fault);
        if row
            .cells
            .iter()
            .skip(header.cells.len())
            .any(|c| !visible::is_empty(c))
        {
            return Err(refuse(ListFault::TooManyCells));
        }
        if let Some(name) = row.swallowed(column.at, delimiter) {
            return Err(refuse(ListFault::SwallowedName(name)));
        }
        let cell = |at: usize| row.cells.get(at).map_or("", String::as_str);
        let name = name_of_row(column, cell, title).map_err(refuse)?;
        list.add(row.line, name)?;
    }
    Ok(())
}

/// The name in a row. No column with the same meaning may contain another name.
fn name_of_row<'r>(
    column: &NameColumn,
    cell: impl Fn(usize) -> &'r str,
    title: impl Fn(usize) -> String,
) -> Result<String, ListFault> {
    let Some(name) = name::name_in(cell(column.at))? else {
        let column = title(column.at);
        return Err(ListFault::NoName { column });
    };
    let names_another = |at: &&usize| match name::name_in(cell(**at)) {
        Ok(Some(other)) => key(&other) != key(&name),
        Ok(None) | Err(_) => false,
    };
    match column.same.iter().find(names_another) {
        Some(other) => Err(ListFault::TwoNames {
            columns: [title(column.at), title(*other)],
        }),
        None => Ok(name),
    }
}

#[cfg(test)]
mod tests;
