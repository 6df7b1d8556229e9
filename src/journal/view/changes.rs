//! All changes and all problems of a run, row by row.

use jiff::Timestamp;
use rusqlite::Row;

use crate::journal::codes::{OPEN, READ, TAKEN_OUT};
use crate::journal::rows::{filter_id, filter_type, state_and_status, time, unit_name, user_id};
use crate::model::{FilterId, FilterType, ProblemKind, RowOutcome, Stage, StateAndStatus, UserId};

use super::{ReadError, View};

/// One problem, with its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemRow {
    /// The user's name in output.
    pub user: String,
    /// `systemuserid`.
    pub id: UserId,
    /// The filter, where it concerns one.
    pub filter: Option<FilterId>,
    /// The part of the run.
    pub stage: Stage,
    /// The kind.
    pub kind: ProblemKind,
    /// The server's error code.
    pub code: Option<String>,
    /// What the server said, or what was observed.
    pub message: String,
    /// The server's request id, for Microsoft's support.
    pub request_id: Option<String>,
    /// The user's business unit, by its name where that is known; none where it is not in the run file.
    pub unit: Option<String>,
    /// Whether it is over: its user or filter was tried again and settled.
    pub over: bool,
}

/// One change, with its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// The user's name in output.
    pub user: String,
    /// `systemuserid`.
    pub user_id: UserId,
    /// `userqueryid`.
    pub filter: FilterId,
    /// The filter's name; empty where it no longer exists.
    pub name: String,
    /// The filter's type; empty where it no longer exists.
    pub filter_type: FilterType,
    /// State and status before the change.
    pub before: StateAndStatus,
    /// The wanted state and status.
    pub wanted: StateAndStatus,
    /// How the change ended.
    pub outcome: RowOutcome,
    /// When it was settled.
    pub at: Option<Timestamp>,
    /// The user's business unit, as for problems.
    pub unit: Option<String>,
}

impl ProblemRow {
    /// Whether the user was skipped before any request, which is not a failure.
    pub fn is_skip(&self) -> bool {
        self.stage == Stage::Survey && self.kind.is_skip()
    }
}

/// All changes, for [`change_row`].
pub(super) const CHANGES: &str = "
SELECT u.label, u.id, c.filter, coalesce(f.name, ''), coalesce(f.type, ''),
       c.from_state, c.from_status, c.to_state, c.to_status, c.stage, c.settled, u.unit, n.name
FROM change AS c JOIN user AS u ON u.seq = c.user LEFT JOIN unit AS n ON n.id = u.unit
LEFT JOIN filter AS f ON f.user = c.user AND f.id = c.filter";

/// All problems, for [`problem_row`].
///
/// A problem is over where its filter was settled later, or where the user who could not be read was read later
/// or failed again, which is then reported instead.
/// A problem of a single filter from a survey, such as an undo that leaves it alone, does not end in this way.
pub(super) fn problems() -> String {
    format!(
        "
SELECT label, id, filter, stage, kind, code, message, request_id, unit, unit_name, over, user, seq
FROM (SELECT u.label, u.id, p.filter, p.stage, p.kind, p.code, p.message, p.request_id, u.unit,
             n.name AS unit_name, p.user, p.seq,
             iif(p.stage = 'survey',
                 p.kind NOT IN ('changed-since', 'gone') AND (u.{READ} OR u.{TAKEN_OUT} OR EXISTS (SELECT 1 FROM problem AS later
                     WHERE later.user = p.user AND later.stage = 'survey' AND later.seq > p.seq)),
                 coalesce(NOT c.{OPEN} AND p.at < c.settled, 0)) AS over
      FROM problem AS p JOIN user AS u ON u.seq = p.user LEFT JOIN unit AS n ON n.id = u.unit
      LEFT JOIN change AS c ON c.user = p.user AND c.filter = p.filter) AS p"
    )
}

impl View<'_> {
    /// Passes all problems to `each`, including those that are over, in the order in which they occurred.
    pub fn each_problem<E: From<ReadError>>(
        &self,
        mut each: impl FnMut(ProblemRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!("{} ORDER BY p.seq", problems());
        self.each(&sql, problem_row, &mut each)
    }

    /// Passes all changes to `each`, user by user.
    pub fn each_change<E: From<ReadError>>(
        &self,
        mut each: impl FnMut(ChangeRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!("{CHANGES} ORDER BY u.label COLLATE NOCASE, c.user, c.filter");
        self.each(&sql, change_row, &mut each)
    }

    /// Passes the rows of a query to `each`, one at a time, until the last one or the first error.
    pub(in crate::journal) fn each<T, E: From<ReadError>>(
        &self,
        sql: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        each: &mut dyn FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut query = self.0.prepare(sql).map_err(ReadError::from)?;
        let mut rows = query.query([]).map_err(ReadError::from)?;
        while let Some(row) = rows.next().map_err(ReadError::from)? {
            each(read(row).map_err(ReadError::from)?)?;
        }
        Ok(())
    }
}

pub(super) fn problem_row(row: &Row<'_>) -> rusqlite::Result<ProblemRow> {
    let filter = match row.get::<_, Option<[u8; 16]>>(2)? {
        Some(_) => Some(filter_id(row, 2)?),
        None => None,
    };
    Ok(ProblemRow {
        user: row.get(0)?,
        id: user_id(row, 1)?,
        filter,
        stage: row.get(3)?,
        kind: row.get(4)?,
        code: row.get(5)?,
        message: row.get(6)?,
        request_id: row.get(7)?,
        unit: unit_name(row, 8)?,
        over: row.get(10)?,
    })
}

pub(super) fn change_row(row: &Row<'_>) -> rusqlite::Result<ChangeRow> {
    Ok(ChangeRow {
        user: row.get(0)?,
        user_id: user_id(row, 1)?,
        filter: filter_id(row, 2)?,
        name: row.get(3)?,
        filter_type: filter_type(row, 4)?,
        before: state_and_status(row, 5)?,
        wanted: state_and_status(row, 7)?,
        outcome: row.get(9)?,
        at: row.get::<_, Option<i64>>(10)?.map(time).transpose()?,
        unit: unit_name(row, 11)?,
    })
}
