//! Reading a run: totals, problems, users and changes.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::Serialize;

use crate::model::{
    FilterId, Kind, Modification, ProblemKind, RowOutcome, RowsOfUser, Stage, StateAndStatus,
    UserId, UserOutcome,
};

use super::codes::{ALREADY, CHANGED, FAILED, OPEN, READ};
use super::commit::Journal;
use super::head::{self, time};
use super::rows::{filter_id, modification, state_and_status, unit_name, user_id};
use super::{Head, JournalError, Phase};

mod digest;
mod evidence;
mod findings;
mod impact;
mod lookup;
mod states;
mod timeline;

pub use evidence::UserRow;
pub use findings::{Finding, Several};
pub use impact::{Impact, ImpactOfType, ImpactOfUser, ImpactRow, Mailboxes, UnknownGroup};
pub use lookup::{PutBackBefore, StaysPutBack};
pub use states::States;
pub use timeline::{Stretch, Timeline};

/// What can be read of a run.
#[derive(Debug)]
pub struct View<'a>(&'a Connection, Option<&'a Path>);

/// Users of a run: `selected` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UserTotals {
    /// All of them.
    pub selected: u64,
    /// With at least one changed filter, and none that failed.
    pub changed: u64,
    /// With nothing that had to change.
    pub unchanged: u64,
    /// Left out before any request.
    pub skipped: u64,
    /// Not surveyed, or with a filter that could not be changed.
    pub failed: u64,
    /// With changes still to be made, or not yet surveyed.
    pub planned: u64,
}

/// Filters of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FilterTotals {
    /// Read.
    pub surveyed: u64,
    /// That the run is about.
    pub matching: u64,
    /// Changed by the run.
    pub changed: u64,
    /// In the wanted state without us.
    pub already: u64,
    /// Left alone: somebody changed them since, or they are gone.
    pub left: u64,
    /// That could not be changed.
    pub failed: u64,
    /// Still to be changed.
    pub planned: u64,
}

/// Matching filters of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeTotals {
    /// The type's logical name.
    #[serde(rename = "type")]
    pub filter_type: String,
    /// Users who have one.
    pub users: u64,
    /// Filters.
    pub filters: u64,
    /// Active at the survey.
    pub active: u64,
    /// Inactive at the survey.
    pub inactive: u64,
    /// To be changed, or changed.
    pub changes: u64,
}

/// Problems of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemGroup {
    /// The kind.
    pub kind: ProblemKind,
    /// Users who have it.
    pub users: u64,
    /// One of them.
    pub example: String,
    /// What was said of that one.
    pub message: String,
}

/// One problem, with its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemRow {
    /// How the user is named.
    pub user: String,
    /// `systemuserid`.
    pub id: UserId,
    /// The filter, where it is about one.
    pub filter: Option<FilterId>,
    /// The part of the run.
    pub stage: Stage,
    /// The kind.
    pub kind: ProblemKind,
    /// The server's error code.
    pub code: Option<String>,
    /// What was said.
    pub message: String,
    /// The server's id of the request.
    pub request_id: Option<String>,
    /// The user's business unit, by its name where that is known; none where the run file does not tell.
    pub unit: Option<String>,
    /// Whether it is over: what it was about was tried again since, and settled.
    pub over: bool,
}

/// One change, with its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// How the user is named.
    pub user: String,
    /// `systemuserid`.
    pub user_id: UserId,
    /// `userqueryid`.
    pub filter: FilterId,
    /// The filter's name; empty where it is gone.
    pub name: String,
    /// The filter's type; empty where it is gone.
    pub filter_type: String,
    /// What it was before.
    pub before: StateAndStatus,
    /// What it was to be.
    pub wanted: StateAndStatus,
    /// How the change ended.
    pub outcome: RowOutcome,
    /// When it ended.
    pub at: Option<Timestamp>,
    /// The user's business unit, as for problems.
    pub unit: Option<String>,
}

/// One filter of a listed user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFilter {
    /// `userqueryid`.
    pub id: FilterId,
    /// Its name.
    pub name: String,
    /// Its type.
    pub filter_type: String,
    /// Its kind.
    pub kind: Kind,
    /// Its state and status.
    pub now: StateAndStatus,
    /// Who changed it last, and when.
    pub modified: Modification,
}

/// One user with the filters that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The user's number in the run.
    pub seq: i64,
    /// How the user is named.
    pub user: String,
    /// `systemuserid`.
    pub id: UserId,
    /// The filters.
    pub filters: Vec<ListedFilter>,
    /// Why there is nothing to list, or what is odd.
    pub problem: Option<ProblemRow>,
}

/// Every change, for [`change_row`].
const CHANGES: &str = "
SELECT u.label, u.id, c.filter, coalesce(f.name, ''), coalesce(f.type, ''),
       c.from_state, c.from_status, c.to_state, c.to_status, c.stage, c.settled, u.unit, n.name
FROM change AS c JOIN user AS u ON u.seq = c.user LEFT JOIN unit AS n ON n.id = u.unit
LEFT JOIN filter AS f ON f.user = c.user AND f.id = c.filter";

/// Every problem, for [`problem_row`].
///
/// It is over where its filter was settled after it showed, or where the user who could not be read was read since,
/// or failed again, which is then what there is to say.
/// What a survey says of a single filter, as undo does of one that it leaves alone, does not pass with that.
fn problems() -> String {
    format!(
        "
SELECT label, id, filter, stage, kind, code, message, request_id, unit, unit_name, over, user, seq
FROM (SELECT u.label, u.id, p.filter, p.stage, p.kind, p.code, p.message, p.request_id, u.unit,
             n.name AS unit_name, p.user, p.seq,
             iif(p.stage = 'survey',
                 p.kind NOT IN ('changed-since', 'gone') AND (u.{READ} OR EXISTS (SELECT 1 FROM problem AS later
                     WHERE later.user = p.user AND later.stage = 'survey' AND later.seq > p.seq)),
                 coalesce(NOT c.{OPEN} AND p.at < c.settled, 0)) AS over
      FROM problem AS p JOIN user AS u ON u.seq = p.user LEFT JOIN unit AS n ON n.id = u.unit
      LEFT JOIN change AS c ON c.user = p.user AND c.filter = p.filter) AS p"
    )
}

/// What [`user_outcome`] needs, as the first columns of a query of users and their changes, user by user.
fn user_rows() -> String {
    format!(
        "u.survey, coalesce(max(c.{FAILED}), 0), coalesce(max(c.{OPEN}), 0), coalesce(max(c.{CHANGED}), 0)"
    )
}

fn type_totals() -> String {
    format!(
        "
SELECT f.type, count(DISTINCT f.user), count(*), sum(f.state = 0), sum(f.state = 1), count(c.filter)
FROM filter AS f LEFT JOIN change AS c ON c.user = f.user AND c.filter = f.id AND NOT c.{ALREADY}
WHERE f.matching GROUP BY f.type ORDER BY f.type"
    )
}

impl<'a> View<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self(connection, None)
    }

    /// The same of a run that is read from a copy of this file.
    pub(super) fn of_file(connection: &'a Connection, path: &'a Path) -> Self {
        Self(connection, Some(path))
    }

    pub(super) const fn connection(&self) -> &Connection {
        self.0
    }

    /// What the run is, as it stands now.
    pub fn head(&self) -> rusqlite::Result<Head> {
        head::read(self.0)
    }

    /// How many users, by what became of them.
    pub fn users(&self) -> rusqlite::Result<UserTotals> {
        let mut query = self.0.prepare_cached(&format!(
            "SELECT *, count(*) FROM (SELECT {} FROM user AS u LEFT JOIN change AS c ON c.user = u.seq GROUP BY u.seq)
             GROUP BY 1, 2, 3, 4",
            user_rows()
        ))?;
        let mut rows = query.query([])?;
        let mut totals = UserTotals::default();
        while let Some(row) = rows.next()? {
            let users: u64 = row.get(4)?;
            totals.selected += users;
            *match user_outcome(row)? {
                UserOutcome::Planned => &mut totals.planned,
                UserOutcome::Changed => &mut totals.changed,
                UserOutcome::Unchanged => &mut totals.unchanged,
                UserOutcome::Skipped => &mut totals.skipped,
                UserOutcome::Failed => &mut totals.failed,
            } += users;
        }
        Ok(totals)
    }

    /// How many filters, by what became of them.
    pub fn filters(&self) -> rusqlite::Result<FilterTotals> {
        let count = |sql| self.0.query_row(sql, [], |row| row.get::<_, u64>(0));
        let surveyed = count("SELECT count(*) FROM filter")?;
        let to_undo = count("SELECT count(*) FROM undo")?;
        let matching = match to_undo {
            0 => count("SELECT count(*) FROM filter WHERE matching")?,
            rows => rows,
        };
        let mut totals = FilterTotals {
            surveyed,
            matching,
            ..FilterTotals::default()
        };
        let mut changes: u64 = 0;
        let mut query = self
            .0
            .prepare_cached("SELECT stage, count(*) FROM change GROUP BY stage")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let filters: u64 = row.get(1)?;
            changes += filters;
            *match row.get(0)? {
                RowOutcome::Planned | RowOutcome::Sent => &mut totals.planned,
                RowOutcome::Changed => &mut totals.changed,
                RowOutcome::Already => &mut totals.already,
                RowOutcome::ChangedSince | RowOutcome::Gone => &mut totals.left,
                RowOutcome::Failed => &mut totals.failed,
                RowOutcome::LeftOut => continue,
            } += filters;
        }
        if to_undo == 0 {
            totals.already += matching.saturating_sub(changes);
        }
        Ok(totals)
    }

    /// Matching filters by type.
    pub fn types(&self) -> rusqlite::Result<Vec<TypeTotals>> {
        let mut query = self.0.prepare_cached(&type_totals())?;
        let row = |row: &Row<'_>| {
            Ok(TypeTotals {
                filter_type: row.get(0)?,
                users: row.get(1)?,
                filters: row.get(2)?,
                active: row.get(3)?,
                inactive: row.get(4)?,
                changes: row.get(5)?,
            })
        };
        query.query_map([], row)?.collect()
    }

    /// Users who have changes to be made.
    pub fn users_to_change(&self) -> rusqlite::Result<u64> {
        let sql = format!("SELECT count(DISTINCT user) FROM change WHERE {OPEN}");
        self.0.query_row(&sql, [], |row| row.get(0))
    }

    /// Whether a write left behind something else than was meant.
    pub fn has_verify_problems(&self) -> rusqlite::Result<bool> {
        let sql = format!(
            "SELECT EXISTS ({} WHERE p.stage = ?1 AND NOT over)",
            problems()
        );
        self.0.query_row(&sql, [Stage::Verify], |row| row.get(0))
    }

    /// Problems that still stand by kind, the most frequent first.
    pub fn problem_groups(&self) -> rusqlite::Result<Vec<ProblemGroup>> {
        let mut query = self.0.prepare_cached(&format!(
            "SELECT kind, count(DISTINCT user), min(label), message FROM ({} WHERE NOT over)
             GROUP BY kind ORDER BY 2 DESC, 1",
            problems()
        ))?;
        let row = |row: &Row<'_>| {
            Ok(ProblemGroup {
                kind: row.get(0)?,
                users: row.get(1)?,
                example: row.get(2)?,
                message: row.get(3)?,
            })
        };
        query.query_map([], row)?.collect()
    }

    /// Hands every problem to `each`, those that are over included, in the order in which they showed.
    pub fn each_problem<E>(
        &self,
        mut each: impl FnMut(ProblemRow) -> Result<(), E>,
    ) -> rusqlite::Result<Result<(), E>> {
        let mut query = self.0.prepare(&format!("{} ORDER BY p.seq", problems()))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            if let Err(error) = each(problem_row(row)?) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// Hands every change to `each`, user by user.
    pub fn each_change<E>(
        &self,
        mut each: impl FnMut(ChangeRow) -> Result<(), E>,
    ) -> rusqlite::Result<Result<(), E>> {
        let mut query = self
            .0
            .prepare(&format!("{CHANGES} ORDER BY c.user, c.filter"))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            if let Err(error) = each(change_row(row)?) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// The next users whose number is above `after`, at most `limit`, each with the matching filters.
    pub fn listed(&self, after: i64, limit: usize) -> rusqlite::Result<Vec<ListedUser>> {
        let mut query = self.0.prepare_cached(
            "SELECT seq, label, id FROM user WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let row = |row: &Row<'_>| {
            let seq = row.get(0)?;
            Ok(ListedUser {
                seq,
                user: row.get(1)?,
                id: user_id(row, 2)?,
                filters: self.filters_of(seq)?,
                problem: self.problem_of(seq)?,
            })
        };
        query.query_map(params![after, limit], row)?.collect()
    }

    /// The matching filters of one user, as they were when they were read.
    pub fn filters_of(&self, seq: i64) -> rusqlite::Result<Vec<ListedFilter>> {
        let mut query = self.0.prepare_cached(
            "SELECT id, name, type, kind, state, status, modified, modified_by, modified_on_behalf FROM filter
             WHERE user = ?1 AND matching ORDER BY type, name, id",
        )?;
        let row = |row: &Row<'_>| {
            Ok(ListedFilter {
                id: filter_id(row, 0)?,
                name: row.get(1)?,
                filter_type: row.get(2)?,
                kind: row.get(3)?,
                now: state_and_status(row, 4)?,
                modified: modification(row, 6)?,
            })
        };
        query.query_map([seq], row)?.collect()
    }

    fn problem_of(&self, seq: i64) -> rusqlite::Result<Option<ProblemRow>> {
        let mut query = self.0.prepare_cached(&format!(
            "{} WHERE p.user = ?1 AND NOT over ORDER BY p.seq LIMIT 1",
            problems()
        ))?;
        query.query_map([seq], problem_row)?.next().transpose()
    }
}

impl Journal {
    /// How many users, by what became of them.
    pub async fn user_totals(&self) -> Result<UserTotals, JournalError> {
        self.run(|connection| View::new(connection).users()).await
    }

    /// How many filters, by what became of them.
    pub async fn filter_totals(&self) -> Result<FilterTotals, JournalError> {
        self.run(|connection| View::new(connection).filters()).await
    }

    /// How far the run has come.
    pub async fn phase(&self) -> Result<Phase, JournalError> {
        Ok(self.run(head::read).await?.phase)
    }

    /// How many users have changes to be made.
    pub async fn users_to_change(&self) -> Result<u64, JournalError> {
        self.run(|connection| View::new(connection).users_to_change())
            .await
    }

    /// Reads from a run that is being driven.
    pub async fn view<T, F>(&self, read: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.run(move |connection| read(&View::new(connection)))
            .await
    }
}

/// From the columns of [`user_rows`].
fn user_outcome(row: &Row<'_>) -> rusqlite::Result<UserOutcome> {
    let rows = RowsOfUser {
        failed: row.get(1)?,
        open: row.get(2)?,
        changed: row.get(3)?,
    };
    Ok(UserOutcome::of(row.get(0)?, rows))
}

fn problem_row(row: &Row<'_>) -> rusqlite::Result<ProblemRow> {
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

fn change_row(row: &Row<'_>) -> rusqlite::Result<ChangeRow> {
    Ok(ChangeRow {
        user: row.get(0)?,
        user_id: user_id(row, 1)?,
        filter: filter_id(row, 2)?,
        name: row.get(3)?,
        filter_type: row.get(4)?,
        before: state_and_status(row, 5)?,
        wanted: state_and_status(row, 7)?,
        outcome: row.get(9)?,
        at: row.get::<_, Option<i64>>(10)?.map(time).transpose()?,
        unit: unit_name(row, 11)?,
    })
}

impl ProblemRow {
    /// Whether the user was left out before any request: no failure.
    pub fn is_skip(&self) -> bool {
        self.stage == Stage::Survey && self.kind.is_skip()
    }
}
