//! The typed codes of the run file: how they are stored, and the SQL conditions on them.
//!
//! No SQL contains such a number literally. A condition follows a table's alias: `c.{OPEN}`.

use std::fmt;

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::model::{FilterKind, ProblemKind, ReadState, RowOutcome, Stage};

macro_rules! as_number {
    ($($type:ty),*) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.code().into())
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Self::try_from(i32::column_result(value)?).map_err(FromSqlError::other)
            }
        }
    )*};
}

macro_rules! as_word {
    ($($type:ty, $what:literal);*) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let text = value.as_str()?;
                text.parse()
                    .map_err(|()| FromSqlError::other(UnknownWord { what: $what, word: text.to_owned() }))
            }
        }
    )*};
}

as_number!(RowOutcome, ReadState, FilterKind);
as_word!(Stage, "stage"; ProblemKind, "kind of problem");

/// A word in a run file that this program does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {word:?}")]
struct UnknownWord {
    what: &'static str,
    word: String,
}

/// A condition on `change.stage` or `user.survey`, as SQL.
#[derive(Clone, Copy, Debug)]
pub(super) enum SqlCondition {
    Is(RowOutcome),
    /// Every outcome with a lower number, in the form of the index on open changes.
    Below(RowOutcome),
    Either(RowOutcome, RowOutcome),
    /// Whether a user was read.
    Read(ReadState),
}

impl fmt::Display for SqlCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Is(outcome) => write!(f, "stage = {}", outcome.code()),
            Self::Below(outcome) => write!(f, "stage < {}", outcome.code()),
            Self::Either(a, b) => write!(f, "stage IN ({}, {})", a.code(), b.code()),
            Self::Read(read) => write!(f, "survey = {}", read.code()),
        }
    }
}

/// Not done yet, or not known: the rows of the index `unfinished_change`.
pub(super) const OPEN: SqlCondition = SqlCondition::Below(RowOutcome::Changed);
pub(super) const SENT: SqlCondition = SqlCondition::Is(RowOutcome::Sent);
pub(super) const CHANGED: SqlCondition = SqlCondition::Is(RowOutcome::Changed);
pub(super) const ALREADY: SqlCondition = SqlCondition::Is(RowOutcome::Already);
pub(super) const CHANGED_SINCE: SqlCondition = SqlCondition::Is(RowOutcome::ChangedSince);
pub(super) const GONE: SqlCondition = SqlCondition::Is(RowOutcome::Gone);
/// Left alone, because somebody changed it since or it no longer exists.
pub(super) const LEFT: SqlCondition =
    SqlCondition::Either(RowOutcome::ChangedSince, RowOutcome::Gone);
pub(super) const FAILED: SqlCondition = SqlCondition::Is(RowOutcome::Failed);
/// Removed from the plan: such a row is no change of the run.
pub(super) const LEFT_OUT: SqlCondition = SqlCondition::Is(RowOutcome::LeftOut);
/// In the wanted state, by the run or without it.
pub(super) const AS_WANTED: SqlCondition =
    SqlCondition::Either(RowOutcome::Changed, RowOutcome::Already);
/// Planned, and nothing was sent for it.
pub(super) const PLANNED: SqlCondition = SqlCondition::Is(RowOutcome::Planned);
pub(super) const TO_READ: SqlCondition = SqlCondition::Read(ReadState::ToRead);
pub(super) const READ: SqlCondition = SqlCondition::Read(ReadState::Read);
pub(super) const SKIPPED: SqlCondition = SqlCondition::Read(ReadState::Skipped);
pub(super) const TAKEN_OUT: SqlCondition = SqlCondition::Read(ReadState::LeftOut);
/// The user could not be read; `resume` tries again.
pub(super) const NOT_READ: SqlCondition = SqlCondition::Read(ReadState::Failed);

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn every_code_goes_through_sql_and_back_and_an_unknown_one_is_an_error() {
        let connection = Connection::open_in_memory().unwrap();
        let back = |outcome: &dyn ToSql| {
            connection.query_row("SELECT ?1", [outcome], |row| row.get::<_, RowOutcome>(0))
        };
        for outcome in RowOutcome::ALL {
            assert_eq!(back(outcome).unwrap(), *outcome);
        }
        let error = back(&8).unwrap_err().to_string();
        assert!(error.contains("unknown stage 8"), "{error}");
        assert!(back(&"2").is_err());
        let word = |word: &str| {
            connection.query_row("SELECT ?1", [word], |row| row.get::<_, ProblemKind>(0))
        };
        for kind in ProblemKind::ALL {
            assert_eq!(word(kind.as_str()).unwrap(), *kind);
        }
        let error = word("nonsense").unwrap_err().to_string();
        assert!(error.contains("unknown kind of problem"), "{error}");
    }

    /// The one place with numbers is the text of the tables, which never changes.
    #[test]
    fn no_sql_names_a_stage_or_a_survey_by_its_number() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = vec![folder];
        let mut checked = 0;
        while let Some(path) = files.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).unwrap();
                files.extend(entries.map(|entry| entry.unwrap().path()));
                continue;
            }
            let is_schema = path.ends_with("journal/schema.rs");
            if is_schema || path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            checked += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            // Tests write what no version writes.
            let program = text.split("#[cfg(test)]").next().unwrap();
            for (number, line) in program.lines().enumerate() {
                for column in ["stage", "survey"] {
                    assert!(
                        !compares_with_number(line, column),
                        "{}:{}: {line}",
                        path.display(),
                        number + 1
                    );
                }
            }
        }
        assert!(checked > 100, "{checked}");
    }

    fn compares_with_number(line: &str, column: &str) -> bool {
        line.match_indices(column).any(|(at, _)| {
            let rest = line[at + column.len()..].trim_start();
            let after = ["IN (", "<>", ">=", "<=", "=", "<", ">"]
                .iter()
                .find_map(|operator| rest.strip_prefix(operator));
            after.is_some_and(|value| value.trim_start().starts_with(|c: char| c.is_ascii_digit()))
        })
    }

    #[test]
    fn a_number_behind_a_stage_is_found() {
        let with = |text: &str| format!("SELECT 1 WHERE c.{text}");
        let at = |number: u8| with(&format!("stage {} {number}", '<'));
        assert!(compares_with_number(&at(2), "stage"));
        assert!(!compares_with_number(&with("stage = ?1"), "stage"));
    }
}
