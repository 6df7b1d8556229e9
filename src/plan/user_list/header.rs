//! Finds where a list begins, and the column with the names.

use super::error::{ListFault, OnLine};
use super::known::KNOWN;
use super::name::{is_definite, name_in};
use super::rows::{ListRow, ListRows};
use super::visible::{is_empty, visible};

/// Characters that separate cells if no `sep=` names one: those that spreadsheets and `PowerShell` write.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// The beginning of a list.
pub(super) enum Start<'t> {
    Nothing,
    /// Without a header: names begin at this byte, on this line.
    Plain {
        at: usize,
        line: usize,
    },
    Table {
        header: ListRow,
        column: NameColumn,
        rows: Box<ListRows<'t>>,
    },
}

#[derive(Clone)]
pub(super) struct NameColumn {
    pub(super) at: usize,
    /// Other columns with the same meaning.
    pub(super) same: Vec<usize>,
}

/// Whether a line of a plain list, or before a header, is a comment. `#TYPE`, which `PowerShell` writes, is one.
pub(super) fn is_comment(line: &str) -> bool {
    visible(line).starts_with('#')
}

/// Finds the first line that is neither blank nor a comment, and its kind.
pub(super) fn start<'t>(text: &'t str, wanted: Option<&str>) -> OnLine<Start<'t>> {
    let mut at = 0;
    let mut separator = None;
    for (number, line) in (1..).zip(text.split('\n')) {
        let here = at;
        at += line.len() + 1;
        let blank =
            |c: char| SEPARATORS.contains(&c) || c == '"' || is_empty(c.encode_utf8(&mut [0; 4]));
        if line.chars().all(blank) {
            continue;
        }
        // A column of row numbers is often called `#`.
        let numbered = SEPARATORS
            .iter()
            .any(|s| line.trim_start().starts_with(&format!("#{s}")));
        if is_comment(line) && !numbered {
            continue;
        }
        if let (None, Some(named)) = (separator, separator_line(line)) {
            separator = Some(named.ok_or((number, ListFault::NoSeparator))?);
            continue;
        }
        return first_line(&text[here..], (here, number), wanted, separator);
    }
    Ok(Start::Nothing)
}

/// The separator that a line such as `sep=;` names; none where it is no such line.
#[expect(
    clippy::option_option,
    reason = "a line that names a separator may name none"
)]
fn separator_line(line: &str) -> Option<Option<char>> {
    let line = line.trim_matches(['"', ' ']);
    let start = line
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("sep="))?;
    // Excel repeats the separator to fill the row.
    let mut named = line[start.len()..].chars();
    Some(named.next().filter(|c| SEPARATORS.contains(c) || *c == '|'))
}

/// The line is a header if it has a requested or known column; else it is the first name.
fn first_line<'t>(
    text: &'t str,
    (at, line): (usize, usize),
    wanted: Option<&str>,
    separator: Option<char>,
) -> OnLine<Start<'t>> {
    let candidates = separator.map_or(&SEPARATORS[..], |_| &[]).iter().copied();
    let mut widest: Option<ListRow> = None;
    let mut best: Option<(ListRow, NameColumn, ListRows<'t>)> = None;
    let mut unread = None;
    for separator in candidates.chain(separator) {
        let mut rows = ListRows::new(text, line, separator);
        let header = match rows.next() {
            Some(Ok(header)) => header,
            Some(Err(fault)) => {
                unread = Some(fault);
                continue;
            }
            None => continue,
        };
        let column = column_of(&header, wanted).map_err(|fault| (line, fault))?;
        let wider =
            |than: Option<&ListRow>| than.is_none_or(|row| row.cells.len() < header.cells.len());
        if let Some(column) = column
            && wider(best.as_ref().map(|(row, ..)| row))
        {
            best = Some((header.clone(), column, rows));
        }
        if wider(widest.as_ref()) {
            widest = Some(header);
        }
    }
    if let Some((header, column, rows)) = best {
        return Ok(Start::Table {
            header,
            column,
            rows: Box::new(rows),
        });
    }
    let found = match (widest, unread) {
        (Some(row), _) => row.cells,
        (None, Some(fault)) => return Err(fault),
        (None, None) => Vec::new(),
    };
    if let Some(wanted) = wanted {
        let wanted = wanted.to_owned();
        return Err((line, ListFault::NoSuchColumn { wanted, found }));
    }
    let titles = found.iter().filter(|cell| !is_empty(cell)).count();
    let no_name = match &found[..] {
        [only] => name_in(only).is_err(),
        _ => titles > 1 || separator.is_some(),
    };
    if no_name && !found.iter().any(|cell| is_definite(cell)) {
        return Err((line, ListFault::NoKnownColumn { found }));
    }
    Ok(Start::Plain { at, line })
}

/// The requested column, or the first of the known ones.
pub(super) fn column_of(
    header: &ListRow,
    wanted: Option<&str>,
) -> Result<Option<NameColumn>, ListFault> {
    let titles: Vec<_> = header.cells.iter().map(|cell| simple(cell)).collect();
    if let Some(wanted) = wanted {
        let exact = visible(wanted).to_lowercase();
        let exact = |cell: &String| visible(cell).to_lowercase() == exact;
        let exactly = header.cells.iter().filter(|cell| exact(cell)).count();
        let alone = |at| NameColumn { at, same: vec![] };
        if exactly == 1 {
            return Ok(header.cells.iter().position(exact).map(alone));
        }
        let wanted = simple(wanted);
        let found = titles
            .iter()
            .map(|title| !wanted.is_empty() && *title == wanted);
        return Ok(one(header, found)?.map(alone));
    }
    for known in &KNOWN {
        for title in known.titles {
            if let Some(at) = one(header, titles.iter().map(|found| found == title))? {
                let means_the_same = |other: &usize| known.titles.contains(&&*titles[*other]);
                let same = (0..titles.len()).filter(|other| *other != at);
                let same = same.filter(means_the_same).collect();
                return Ok(Some(NameColumn { at, same }));
            }
        }
    }
    Ok(None)
}

/// The only column for which this is true.
fn one(header: &ListRow, mut so: impl Iterator<Item = bool>) -> Result<Option<usize>, ListFault> {
    let first = so.by_ref().position(|so| so);
    match first {
        Some(at) if so.any(|so| so) => Err(ListFault::SeveralColumns(super::visible::shown(
            &header.cells[at],
        ))),
        found => Ok(found),
    }
}

/// A title without case, spaces and punctuation.
fn simple(title: &str) -> String {
    let bare = visible(title);
    let bare = bare.chars().filter(|c| c.is_alphanumeric());
    bare.flat_map(char::to_lowercase).collect()
}
