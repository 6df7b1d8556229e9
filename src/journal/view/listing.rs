//! Users with their filters, page by page.

use rusqlite::{Row, params};

use crate::journal::codes::OPEN;
use crate::journal::rows::{filter_id, filter_type, modification, state_and_status, user_id};
use crate::model::{FilterId, FilterKind, FilterType, Modification, StateAndStatus, UserId};

use super::changes::{ProblemRow, problem_row, problems};
use super::{ReadError, View};

/// One filter of a listed user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFilter {
    /// `userqueryid`.
    pub id: FilterId,
    /// Its name.
    pub name: String,
    /// Its type.
    pub filter_type: FilterType,
    /// Its kind.
    pub kind: FilterKind,
    /// Its state and status.
    pub now: StateAndStatus,
    /// Who changed it last, and when.
    pub modified: Modification,
}

/// A user with the matching filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The user's number in the run.
    pub seq: i64,
    /// The user's name in output.
    pub user: String,
    /// `systemuserid`.
    pub id: UserId,
    /// The filters.
    pub filters: Vec<ListedFilter>,
    /// Why there is nothing to list, or an observation.
    pub problem: Option<ProblemRow>,
}

impl View<'_> {
    /// The next users whose number is above `after`, at most `limit`, each with the matching filters.
    pub fn listed(&self, after: i64, limit: usize) -> Result<Vec<ListedUser>, ReadError> {
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
        Ok(query
            .query_map(params![after, limit], row)?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// The numbers of all users, ordered by name.
    pub fn users_by_name(&self) -> Result<Vec<i64>, ReadError> {
        let mut query = self
            .0
            .prepare_cached("SELECT seq FROM user ORDER BY label COLLATE NOCASE, seq")?;
        Ok(query
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// The users with these numbers, in this order, each with the matching filters.
    pub fn listed_users(&self, numbers: &[i64]) -> Result<Vec<ListedUser>, ReadError> {
        let mut query = self
            .0
            .prepare_cached("SELECT seq, label, id FROM user WHERE seq = ?1")?;
        let mut users = Vec::with_capacity(numbers.len());
        for number in numbers {
            users.push(query.query_row([number], |row| {
                let seq = row.get(0)?;
                Ok(ListedUser {
                    seq,
                    user: row.get(1)?,
                    id: user_id(row, 2)?,
                    filters: self.filters_of(seq)?,
                    problem: self.problem_of(seq)?,
                })
            })?);
        }
        Ok(users)
    }

    /// The names of some users with changes, in order.
    pub fn some_to_change(&self, most: u32) -> Result<Vec<String>, ReadError> {
        let mut query = self.0.prepare_cached(&format!(
            "SELECT label FROM user WHERE seq IN (SELECT user FROM change WHERE {OPEN})
             ORDER BY label COLLATE NOCASE LIMIT ?1"
        ))?;
        Ok(query
            .query_map([most], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// The matching filters of one user, as they were read.
    pub fn filters_of(&self, seq: i64) -> Result<Vec<ListedFilter>, ReadError> {
        let mut query = self.0.prepare_cached(
            "SELECT id, name, type, kind, state, status, modified, modified_by, modified_on_behalf FROM filter
             WHERE user = ?1 AND matching ORDER BY type, name, id",
        )?;
        let row = |row: &Row<'_>| {
            Ok(ListedFilter {
                id: filter_id(row, 0)?,
                name: row.get(1)?,
                filter_type: filter_type(row, 2)?,
                kind: row.get(3)?,
                now: state_and_status(row, 4)?,
                modified: modification(row, 6)?,
            })
        };
        Ok(query
            .query_map([seq], row)?
            .collect::<rusqlite::Result<_>>()?)
    }

    fn problem_of(&self, seq: i64) -> Result<Option<ProblemRow>, ReadError> {
        let mut query = self.0.prepare_cached(&format!(
            "{} WHERE p.user = ?1 AND NOT over ORDER BY p.seq LIMIT 1",
            problems()
        ))?;
        Ok(query.query_map([seq], problem_row)?.next().transpose()?)
    }
}
