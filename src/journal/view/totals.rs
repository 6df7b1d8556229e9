//! Numbers of users, filters and problems of a run.

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

/// Users of a run; `selected` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UserTotals {
    /// All users.
    pub selected: u64,
    /// At least one filter was changed, and none failed.
    pub changed: u64,
    /// Nothing had to be changed.
    pub unchanged: u64,
    /// Nothing was changed, and a filter was left alone or no longer exists.
    pub left: u64,
    /// Removed from the plan.
    pub left_out: u64,
    /// Skipped before any request.
    pub skipped: u64,
    /// Not surveyed, or a filter could not be changed.
    pub failed: u64,
    /// With changes that are not made yet, or not yet surveyed.
    pub planned: u64,
}

/// Filters of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FilterTotals {
    /// Filters that were read.
    pub surveyed: u64,
    /// Filters that match the run's criteria.
    pub matching: u64,
    /// Changed by the run.
    pub changed: u64,
    /// In the wanted state without the run.
    pub already: u64,
    /// Left alone, because somebody changed them since or they no longer exist.
    pub left: u64,
    /// Could not be changed.
    pub failed: u64,
    /// Not changed yet.
    pub planned: u64,
    /// Removed from the plan.
    pub left_out: u64,
}

/// Matching filters of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeTotals {
    /// The type's logical name.
    #[serde(rename = "type")]
    pub filter_type: FilterType,
    /// Users who have at least one.
    pub users: u64,
    /// Filters.
    pub filters: u64,
    /// Active at the survey.
    pub active: u64,
    /// Inactive at the survey.
    pub inactive: u64,
    /// To be changed, or changed.
    pub changes: u64,
    /// Not changed yet.
    #[serde(skip)]
    pub planned: u64,
}

/// Problems of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemGroup {
    /// The kind.
    pub kind: ProblemKind,
    /// Users who have the problem.
    pub users: u64,
    /// The name of one of them.
    pub example: String,
    /// The message for that user.
    pub message: String,
}

/// The number of columns of [`user_rows`].
pub(super) const USER_ROWS: usize = 5;

/// The first columns of a query of users and their changes, for [`user_outcome`], user by user.
pub(super) fn user_rows() -> String {
    format!(
        "u.survey AS was_read, coalesce(max(c.{FAILED}), 0) AS any_failed, coalesce(max(c.{OPEN}), 0) AS any_open,
         coalesce(max(c.{CHANGED}), 0) AS any_changed, coalesce(max(c.{LEFT}), 0) AS any_left"
    )
}

fn type_totals() -> String {
    format!(
        "
SELECT f.type, count(DISTINCT f.user), count(*), sum(f.state = 0), sum(f.state = 1), count(c.filter), coalesce(sum(c.{OPEN}), 0)
FROM filter AS f LEFT JOIN change AS c ON c.user = f.user AND c.filter = f.id AND NOT c.{ALREADY} AND NOT c.{LEFT_OUT}
WHERE f.matching GROUP BY f.type ORDER BY f.type"
    )
}

impl Journal {
    /// The number of users with each outcome.
    pub async fn user_totals(&self) -> Result<UserTotals, JournalError> {
        self.run(|connection| Ok(View::new(connection).users()?))
            .await
    }

    /// The number of filters with each outcome.
    pub async fn filter_totals(&self) -> Result<FilterTotals, JournalError> {
        self.run(|connection| Ok(View::new(connection).filters()?))
            .await
    }
}

impl View<'_> {
    /// The number of users with each outcome.
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

    /// The number of filters with each outcome.
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
                planned: row.get(6)?,
            })
        };
        Ok(query.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
    }

    /// The types of the matching filters.
    pub fn type_names(&self) -> Result<Vec<FilterType>, ReadError> {
        let mut query = self
            .0
            .prepare_cached("SELECT DISTINCT type FROM filter WHERE matching ORDER BY type")?;
        let names = query.query_map([], |row| filter_type(row, 0))?;
        Ok(names.collect::<rusqlite::Result<_>>()?)
    }

    /// The number of users with a matching filter in another state, and the number of such filters.
    pub fn not_in_state(&self, wanted: State) -> Result<(u64, u64), ReadError> {
        let sql =
            "SELECT count(DISTINCT user), count(*) FROM filter WHERE matching AND state <> ?1";
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(self.0.query_row(sql, [wanted.code()], row)?)
    }

    /// The number of users with changes that are not made yet.
    pub fn users_to_change(&self) -> Result<u64, ReadError> {
        let sql = format!("SELECT count(DISTINCT user) FROM change WHERE {OPEN}");
        Ok(self.0.query_row(&sql, [], |row| row.get(0))?)
    }

    /// Whether a write had another result than intended.
    pub fn has_verify_problems(&self) -> Result<bool, ReadError> {
        let sql = format!(
            "SELECT EXISTS ({} WHERE p.stage = ?1 AND NOT over)",
            problems()
        );
        Ok(self.0.query_row(&sql, [Stage::Verify], |row| row.get(0))?)
    }

    /// Problems that are not over, by kind: failures before skipped users, and the most frequent first.
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

/// Reads the columns of [`user_rows`].
pub(super) fn user_outcome(row: &Row<'_>) -> rusqlite::Result<UserOutcome> {
    let rows = RowsOfUser {
        failed: row.get(1)?,
        open: row.get(2)?,
        changed: row.get(3)?,
        left: row.get(4)?,
    };
    Ok(UserOutcome::of(row.get(0)?, rows))
}
