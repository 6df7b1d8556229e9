//! Users, filters and problems of a run, counted.

use rusqlite::Row;
use serde::Serialize;

use crate::journal::JournalError;
use crate::journal::codes::{ALREADY, CHANGED, FAILED, LEFT, LEFT_OUT, OPEN};
use crate::journal::commit::Journal;
use crate::journal::outcome_counts::{ChangedRows, OutcomeCounts};
use crate::journal::rows::filter_type;
use crate::model::{FilterType, ProblemKind, RowsOfUser, Stage, State, UserOutcome};

use super::changes::problems;
use super::{ReadError, View};

/// Users of a run: `selected` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UserTotals {
    /// All of them.
    pub selected: u64,
    /// With at least one changed filter, and none that failed.
    pub changed: u64,
    /// With nothing that had to change.
    pub unchanged: u64,
    /// With nothing changed, and a filter that was left alone or is gone.
    pub left: u64,
    /// Taken out of the plan.
    pub left_out: u64,
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
    /// Taken out of the plan.
    pub left_out: u64,
}

/// Matching filters of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeTotals {
    /// The type's logical name.
    #[serde(rename = "type")]
    pub filter_type: FilterType,
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

/// How many columns [`user_rows`] has.
pub(super) const USER_ROWS: usize = 5;

/// What [`user_outcome`] needs, as the first columns of a query of users and their changes, user by user.
pub(super) fn user_rows() -> String {
    format!(
        "u.survey AS was_read, coalesce(max(c.{FAILED}), 0) AS any_failed, coalesce(max(c.{OPEN}), 0) AS any_open,
         coalesce(max(c.{CHANGED}), 0) AS any_changed, coalesce(max(c.{LEFT}), 0) AS any_left"
    )
}

fn type_totals() -> String {
    format!(
        "
SELECT f.type, count(DISTINCT f.user), count(*), sum(f.state = 0), sum(f.state = 1), count(c.filter)
FROM filter AS f LEFT JOIN change AS c ON c.user = f.user AND c.filter = f.id AND NOT c.{ALREADY} AND NOT c.{LEFT_OUT}
WHERE f.matching GROUP BY f.type ORDER BY f.type"
    )
}

impl Journal {
    /// How many users, by what became of them.
    pub async fn user_totals(&self) -> Result<UserTotals, JournalError> {
        self.run(|connection| Ok(View::new(connection).users()?))
            .await
    }

    /// How many filters, by what became of them.
    pub async fn filter_totals(&self) -> Result<FilterTotals, JournalError> {
        self.run(|connection| Ok(View::new(connection).filters()?))
            .await
    }
}

impl View<'_> {
    /// How many users, by what became of them.
    pub fn users(&self) -> Result<UserTotals, ReadError> {
        let mut query = self.0.prepare_cached(&format!(
            "SELECT *, count(*) FROM (SELECT {} FROM user AS u LEFT JOIN change AS c ON c.user = u.seq GROUP BY u.seq)
             GROUP BY 1, 2, 3, 4, 5",
            user_rows()
        ))?;
        let mut rows = query.query([])?;
        let mut totals = UserTotals::default();
        while let Some(row) = rows.next()? {
            let users: u64 = row.get(USER_ROWS)?;
            totals.selected += users;
            *match user_outcome(row)? {
                UserOutcome::Planned => &mut totals.planned,
                UserOutcome::Changed => &mut totals.changed,
                UserOutcome::Unchanged => &mut totals.unchanged,
                UserOutcome::Left => &mut totals.left,
                UserOutcome::LeftOut => &mut totals.left_out,
                UserOutcome::Skipped => &mut totals.skipped,
                UserOutcome::Failed => &mut totals.failed,
            } += users;
        }
        Ok(totals)
    }

    /// How many filters, by what became of them.
    pub fn filters(&self) -> Result<FilterTotals, ReadError> {
        let count = |sql| self.0.query_row(sql, [], |row| row.get::<_, u64>(0));
        let surveyed = count("SELECT count(*) FROM filter")?;
        let to_undo = count("SELECT count(*) FROM undo")?;
        let matching = match to_undo {
            0 => count("SELECT count(*) FROM filter WHERE matching")?,
            rows => rows,
        };
        let counts = OutcomeCounts::read(self.0, ChangedRows::Filters)?;
        let unplanned = match to_undo {
            0 => matching.saturating_sub(counts.all),
            _ => 0,
        };
        Ok(FilterTotals {
            surveyed,
            matching,
            changed: counts.changed,
            already: counts.already + unplanned,
            left: counts.left,
            failed: counts.failed,
            planned: counts.planned,
            left_out: counts.left_out,
        })
    }

    /// Matching filters by type.
    pub fn types(&self) -> Result<Vec<TypeTotals>, ReadError> {
        let mut query = self.0.prepare_cached(&type_totals())?;
        let row = |row: &Row<'_>| {
            Ok(TypeTotals {
                filter_type: filter_type(row, 0)?,
                users: row.get(1)?,
                filters: row.get(2)?,
                active: row.get(3)?,
                inactive: row.get(4)?,
                changes: row.get(5)?,
            })
        };
        Ok(query.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Users of whom a matching filter was read in another state, and how many such filters there are.
    pub fn not_in_state(&self, wanted: State) -> Result<(u64, u64), ReadError> {
        let sql =
            "SELECT count(DISTINCT user), count(*) FROM filter WHERE matching AND state <> ?1";
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(self.0.query_row(sql, [wanted.code()], row)?)
    }

    /// Users who have changes to be made.
    pub fn users_to_change(&self) -> Result<u64, ReadError> {
        let sql = format!("SELECT count(DISTINCT user) FROM change WHERE {OPEN}");
        Ok(self.0.query_row(&sql, [], |row| row.get(0))?)
    }

    /// Whether a write left behind something else than was meant.
    pub fn has_verify_problems(&self) -> Result<bool, ReadError> {
        let sql = format!(
            "SELECT EXISTS ({} WHERE p.stage = ?1 AND NOT over)",
            problems()
        );
        Ok(self.0.query_row(&sql, [Stage::Verify], |row| row.get(0))?)
    }

    /// Problems that still stand, by kind: failures before skipped users, of each the most frequent first.
    pub fn problem_groups(&self) -> Result<Vec<ProblemGroup>, ReadError> {
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
        let mut groups: Vec<ProblemGroup> =
            query.query_map([], row)?.collect::<rusqlite::Result<_>>()?;
        groups.sort_by_key(|group| group.kind.is_skip());
        Ok(groups)
    }
}

/// From the columns of [`user_rows`].
pub(super) fn user_outcome(row: &Row<'_>) -> rusqlite::Result<UserOutcome> {
    let rows = RowsOfUser {
        failed: row.get(1)?,
        open: row.get(2)?,
        changed: row.get(3)?,
        left: row.get(4)?,
    };
    Ok(UserOutcome::of(row.get(0)?, rows))
}
