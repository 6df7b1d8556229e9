//! The permitted values of each column of a run file. A file from elsewhere is checked when it is opened, so that no
//! sum of its numbers, no time and no code in it can make a reader fail.

#![expect(
    clippy::match_same_arms,
    clippy::unnested_or_patterns,
    reason = "the rules are read table by table"
)]

use std::fmt;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::model::{FilterKind, ProblemKind, ReadState, RowOutcome, Stage, State};

use super::history::HistoryKind;
use super::pace;

/// The longest name that is stored, in characters: four times the longest one of Dataverse (a user's `domainname`,
/// 1,024), because a user is named by several columns.
pub(super) const NAME: usize = 4_096;
/// The longest message that is stored, in characters. Those of the server have a few thousand at most.
pub(super) const MESSAGE: usize = 16_384;
/// The most bytes of one character in UTF-8.
const BYTES: usize = 4;
/// The longest document that only this program writes, in bytes: one user, one problem, the settings of a run.
const DOCUMENT: usize = 1 << 20;
/// The largest number of requests, items, users or rows: a thousand per second for thirty years. The sum of millions
/// of such numbers still fits.
const COUNT: i64 = 1_000_000_000_000;
/// The last time of this program's own clock, the beginning of the year 9000: adding a time span gives a valid time.
const LAST: i64 = 221_845_392_000_000;
/// The longest time bucket, a century in milliseconds: six hundred of them are stored.
const LONGEST_SPAN: i64 = 3_155_760_000_000;
/// All times that can be represented, in milliseconds: times of the server are not restricted further.
const SHOWN: (i64, i64) = (-377_705_023_201_000, 253_402_207_200_999);

/// The permitted values of a column.
#[derive(Debug)]
enum Rule {
    /// An integer from a least to a largest value.
    Number(i64, i64),
    Code(Vec<i64>),
    Word(Vec<&'static str>),
    /// An id of the server.
    Id,
    /// This number of hexadecimal digits.
    Digits(usize),
    /// A text of at most this number of bytes.
    Text(usize),
    /// Checked as a whole when the header of the run is read.
    Head,
}

impl Rule {
    /// The condition on a value that is not null.
    fn sql(&self, column: &str) -> String {
        let listed = |words: &[String]| words.join(", ");
        match self {
            Self::Number(from, to) => {
                format!("typeof({column}) = 'integer' AND {column} BETWEEN {from} AND {to}")
            }
            Self::Code(codes) => {
                let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
                let codes = listed(&codes);
                format!("typeof({column}) = 'integer' AND {column} IN ({codes})")
            }
            Self::Word(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
                let words = listed(&words);
                format!("typeof({column}) = 'text' AND {column} IN ({words})")
            }
            Self::Id => format!("typeof({column}) = 'blob' AND length({column}) = 16"),
            Self::Digits(digits) => format!(
                "typeof({column}) = 'text' AND length(CAST({column} AS BLOB)) = {digits}
                 AND {column} NOT GLOB '*[^0-9a-f]*'"
            ),
            // In bytes, because the length of a text ends at its first NUL.
            Self::Text(most) => {
                format!("typeof({column}) = 'text' AND length(CAST({column} AS BLOB)) <= {most}")
            }
            Self::Head => "1".to_owned(),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(from, to) => write!(f, "a whole number from {from} to {to}"),
            Self::Code(codes) => write!(f, "one of the codes {codes:?}"),
            Self::Word(_) => f.write_str("one of the words of its format"),
            Self::Id => f.write_str("an id of 16 bytes"),
            Self::Digits(digits) => write!(f, "{digits} hexadecimal digits in lower case"),
            Self::Text(most) => write!(f, "a text of at most {most} bytes"),
            Self::Head => f.write_str("as the format has it"),
        }
    }
}

/// The permitted values of a column, in any format; none for a column that no format has.
fn rule(table: &str, column: &str) -> Option<Rule> {
    let name = Rule::Text(NAME * BYTES);
    let message = Rule::Text(MESSAGE * BYTES);
    let count = Rule::Number(0, COUNT);
    let row = Rule::Number(1, COUNT);
    let flag = Rule::Code(vec![0, 1]);
    let own_time = Rule::Number(0, LAST);
    let server_time = Rule::Number(SHOWN.0, SHOWN.1);
    Some(match (table, column) {
        ("run", "requests" | "throttled" | "retried" | "server_major" | "server_minor") => count,
        ("run", "stretch") => Rule::Number(1, LONGEST_SPAN),
        ("run", "started" | "finished") => own_time,
        ("run", "stamps") => flag,
        // The identity of the file.
        ("run", "in_use") => Rule::Number(0, i64::MAX),
        ("run", "digest") | ("history", "digest") => Rule::Digits(16),
        ("run", "environment" | "tool" | "batch") => name,
        ("run", "organization" | "caller" | "criteria" | "settings" | "undo") => {
            Rule::Text(DOCUMENT)
        }
        // Words, ids and the list of users in the header, which have the general bound of every text.
        ("run", _) => Rule::Head,
        ("foresight", "one") => Rule::Code(vec![1]),
        ("foresight", _) => Rule::Text(DOCUMENT),
        ("template", "problem") => Rule::Text(DOCUMENT),
        ("pace", "start") | ("problem" | "history", "at") => own_time,
        ("undo", "put_back_at") | (_, "intended" | "settled") => own_time,
        (_, "modified" | "after_modified" | "left_modified") => server_time,
        ("pace", _) | ("history", "users" | "filters") | ("impact", "items") => count,
        ("user" | "problem" | "history", "seq") => row,
        ("mark", "user") => Rule::Id,
        (_, "user") => row,
        ("undo", "put_back_by" | "rewritten_by") => Rule::Digits(12),
        ("history", "kind") => Rule::Word(HistoryKind::ALL.iter().map(|it| it.as_str()).collect()),
        ("history", "detail") | (_, "message") => message,
        ("problem", "stage") => Rule::Word(vec![
            Stage::Survey.as_str(),
            Stage::Apply.as_str(),
            Stage::Verify.as_str(),
        ]),
        ("problem", "kind") => Rule::Word(ProblemKind::ALL.iter().map(|it| it.as_str()).collect()),
        ("problem", "code" | "request_id") | ("impact", "kind" | "type") => name,
        ("impact", "bound") => Rule::Code(vec![0, 1, 2, 3]),
        ("mark", "mark") => Rule::Code(vec![0, 1, 2]),
        ("change", "wave") => Rule::Number(0, i32::MAX.into()),
        ("user", "survey") => codes(ReadState::ALL.iter().map(|it| it.code())),
        ("change" | "template", "stage") => codes(RowOutcome::ALL.iter().map(|it| it.code())),
        ("filter" | "template", "kind") => codes(
            [FilterKind::Outlook, FilterKind::Offline]
                .map(FilterKind::code)
                .into_iter(),
        ),
        (_, "state" | "from_state" | "to_state" | "before_state" | "after_state")
        | ("template", "left_state") => codes(
            [State::Active, State::Inactive]
                .map(State::code)
                .into_iter(),
        ),
        (_, "status" | "from_status" | "to_status" | "before_status" | "after_status")
        | ("template", "left_status") => Rule::Number(i32::MIN.into(), i32::MAX.into()),
        ("user", "populated")
        | ("filter", "matching")
        | ("change" | "template", "maybe")
        | ("undo", "certain")
        | (
            "template",
            "from_default" | "to_default" | "after_default" | "left_default" | "left_proved",
        ) => flag,
        (
            _,
            "name" | "label" | "login" | "email" | "type" | "etag" | "after_etag" | "left_etag",
        ) => name,
        (_, "id" | "object_id" | "unit" | "filter" | "template")
        | (_, "modified_by" | "modified_on_behalf")
        | (_, "after_modified_by" | "after_modified_on_behalf")
        | (_, "left_modified_by" | "left_modified_on_behalf") => Rule::Id,
        _ => return None,
    })
}

fn codes(codes: impl Iterator<Item = i32>) -> Rule {
    Rule::Code(codes.map(i64::from).collect())
}

/// Describes the first value that is not permitted; none where there is none. Each table is read once.
pub(super) fn first_fault(connection: &Connection) -> rusqlite::Result<Option<String>> {
    for table in names(
        connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND ?1 = ''",
        "",
    )? {
        let columns = names(connection, "SELECT name FROM pragma_table_info(?1)", &table)?;
        if let Some(fault) = fault_in(connection, &table, &columns)? {
            return Ok(Some(fault));
        }
    }
    let most = pace::MOST;
    let rows: u64 = connection.query_row("SELECT count(*) FROM run", [], |row| row.get(0))?;
    if rows != 1 {
        return Ok(Some(format!("table \"run\" has {rows} rows, not one")));
    }
    let has_pace = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'pace')";
    if connection.query_row(has_pace, [], |row| row.get(0))? {
        let rows: u64 = connection.query_row("SELECT count(*) FROM pace", [], |row| row.get(0))?;
        if rows > most {
            return Ok(Some(format!(
                "table \"pace\" has {rows} rows; it has at most {most}"
            )));
        }
    }
    Ok(None)
}

/// The first value of a table that is not permitted, with its column and its row, counted from 1.
fn fault_in(
    connection: &Connection,
    table: &str,
    columns: &[String],
) -> rusqlite::Result<Option<String>> {
    let cases: String = columns
        .iter()
        .enumerate()
        .filter_map(|(at, column)| {
            let ok = rule(table, column)?.sql(column);
            Some(format!(
                " WHEN {column} IS NOT NULL AND NOT ({ok}) THEN {at}"
            ))
        })
        .collect();
    let all = columns.join(", ");
    let mut query = connection.prepare(&format!("SELECT {all}, CASE{cases} END FROM {table}"))?;
    let mut rows = query.query([])?;
    let mut number = 0_u64;
    while let Some(row) = rows.next()? {
        number += 1;
        let of = |column: &str| format!("column {column:?} of table {table:?}, row {number},");
        if let Some(at) = row.get::<_, Option<usize>>(columns.len())? {
            let column = &columns[at];
            let rule = rule(table, column).map_or_else(String::new, |rule| rule.to_string());
            return Ok(Some(format!(
                "{} holds a value that has no place there: it has to be {rule}",
                of(column)
            )));
        }
        for (at, column) in columns.iter().enumerate() {
            if let ValueRef::Text(text) = row.get_ref(at)?
                && let Err(error) = std::str::from_utf8(text)
            {
                let of = of(column);
                return Ok(Some(format!("{of} holds a text that is no UTF-8: {error}")));
            }
        }
    }
    Ok(None)
}

fn names(connection: &Connection, sql: &str, of: &str) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare(sql)?;
    query.query_map([of], |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;

    #[test]
    fn every_column_of_a_run_file_has_a_rule() {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        let sql =
            "SELECT t.name || '.' || c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
                   WHERE t.type = 'table' AND ?1 = ''";
        let columns = names(&connection, sql, "").unwrap();
        assert!(columns.len() > 80, "{columns:?}");
        for column in columns {
            let (table, name) = column.split_once('.').unwrap();
            assert!(rule(table, name).is_some(), "{column}");
        }
    }
}
