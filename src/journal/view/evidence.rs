//! What a report for handing over needs: states before and after, changes over time, user by user.

use rusqlite::Row;

use crate::journal::rows::user_id;
use crate::model::UserId;

use super::{ChangeRow, ProblemRow, View, change_row, problem_row};

/// Filters of one type, as the run found them and as far as it knows them now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatesOfType {
    /// The type's logical name; empty where the filter was never read.
    pub filter_type: String,
    /// Active before.
    pub active_before: u64,
    /// Inactive before.
    pub inactive_before: u64,
    /// Active after.
    pub active_after: u64,
    /// Inactive after.
    pub inactive_after: u64,
    /// Deleted meanwhile.
    pub gone: u64,
    /// Left to somebody else's change, or written without an answer.
    pub unknown: u64,
}

/// One user and what became of him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFate {
    /// The number in the run file.
    pub seq: i64,
    /// How the user is named.
    pub user: String,
    /// `systemuserid`.
    pub id: UserId,
    /// As in the totals: `failed`, `skipped`, `changed`, `unchanged`, `planned`.
    pub fate: &'static str,
}

/// Changes that ended, counted in stretches of equal length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Throughput {
    /// Milliseconds since 1970 at which the first change ended.
    pub first: i64,
    /// The same of the last.
    pub last: i64,
    /// Milliseconds of one stretch.
    pub stretch: i64,
    /// Changes made in each stretch.
    pub counts: Vec<u64>,
}

const STATES: &str = "
WITH known AS (
    SELECT coalesce(f.type, '') AS type, coalesce(c.from_state, f.state) AS before,
           CASE WHEN c.stage IS NULL THEN f.state
                WHEN c.stage IN (2, 3) THEN coalesce(c.after_state, c.to_state)
                WHEN c.stage = 4 THEN c.after_state
                WHEN c.stage = 5 THEN -1
                WHEN c.stage = 1 OR c.maybe THEN NULL
                ELSE c.from_state END AS after
    FROM (SELECT user, id FROM filter WHERE matching UNION SELECT user, filter FROM change) AS k
    LEFT JOIN filter AS f ON f.user = k.user AND f.id = k.id
    LEFT JOIN change AS c ON c.user = k.user AND c.filter = k.id)
SELECT type, sum(before = 0), sum(before = 1), coalesce(sum(after = 0), 0), coalesce(sum(after = 1), 0),
       coalesce(sum(after = -1), 0), sum(after IS NULL)
FROM known GROUP BY type ORDER BY type";

const FATES: &str = "
SELECT u.seq, u.label, u.id, u.survey, coalesce(sum(c.stage = 6), 0), coalesce(sum(c.stage < 2), 0),
       coalesce(sum(c.stage = 2), 0)
FROM user AS u LEFT JOIN change AS c ON c.user = u.seq GROUP BY u.seq ORDER BY u.seq";

impl View<'_> {
    /// States before and after by type of filter.
    pub fn states_by_type(&self) -> rusqlite::Result<Vec<StatesOfType>> {
        let mut query = self.0.prepare(STATES)?;
        let row = |row: &Row<'_>| {
            Ok(StatesOfType {
                filter_type: row.get(0)?,
                active_before: row.get(1)?,
                inactive_before: row.get(2)?,
                active_after: row.get(3)?,
                inactive_after: row.get(4)?,
                gone: row.get(5)?,
                unknown: row.get(6)?,
            })
        };
        query.query_map([], row)?.collect()
    }

    /// Changes made over time, in at most so many stretches of at least a second; none where nothing changed.
    pub fn throughput(&self, most: u32) -> rusqlite::Result<Option<Throughput>> {
        let span = "SELECT min(settled), max(settled) FROM change WHERE stage = 2";
        let ends = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (Some(first), Some(last)): (Option<i64>, Option<i64>) =
            self.0.query_row(span, [], ends)?
        else {
            return Ok(None);
        };
        let seconds = last.saturating_sub(first) / 1000 / i64::from(most.max(1)) + 1;
        let stretch = seconds * 1000;
        let stretches = last.saturating_sub(first) / stretch + 1;
        let mut counts = vec![0; usize::try_from(stretches).unwrap_or(0)];
        let mut query = self.0.prepare(
            "SELECT (settled - ?1) / ?2, count(*) FROM change WHERE stage = 2 AND settled IS NOT NULL GROUP BY 1",
        )?;
        let mut rows = query.query([first, stretch])?;
        while let Some(row) = rows.next()? {
            let at = usize::try_from(row.get::<_, i64>(0)?).unwrap_or(usize::MAX);
            if let Some(count) = counts.get_mut(at) {
                *count = row.get(1)?;
            }
        }
        Ok(Some(Throughput {
            first,
            last,
            stretch,
            counts,
        }))
    }

    /// Hands every user to `each`, in the order in which they were found.
    pub fn each_user<E>(
        &self,
        mut each: impl FnMut(UserFate) -> rusqlite::Result<Result<(), E>>,
    ) -> rusqlite::Result<Result<(), E>> {
        let mut query = self.0.prepare(FATES)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let user = UserFate {
                seq: row.get(0)?,
                user: row.get(1)?,
                id: user_id(row, 2)?,
                fate: fate(row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?),
            };
            if let Err(error) = each(user)? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// The changes of one user.
    pub fn changes_of(&self, seq: i64) -> rusqlite::Result<Vec<ChangeRow>> {
        let mut query = self.0.prepare_cached(
            "SELECT u.label, u.id, c.filter, coalesce(f.name, ''), coalesce(f.type, ''),
                    c.from_state, c.from_status, c.to_state, c.to_status, c.stage, c.settled
             FROM change AS c JOIN user AS u ON u.seq = c.user
             LEFT JOIN filter AS f ON f.user = c.user AND f.id = c.filter
             WHERE c.user = ?1 ORDER BY f.type, f.name, c.filter",
        )?;
        query.query_map([seq], change_row)?.collect()
    }

    /// The problems of one user, in the order in which they showed.
    pub fn problems_of(&self, seq: i64) -> rusqlite::Result<Vec<ProblemRow>> {
        let mut query = self.0.prepare_cached(
            "SELECT u.label, u.id, p.filter, p.stage, p.kind, p.code, p.message, p.request_id
             FROM problem AS p JOIN user AS u ON u.seq = p.user WHERE p.user = ?1 ORDER BY p.seq",
        )?;
        query.query_map([seq], problem_row)?.collect()
    }
}

/// What became of a user, by the same rules as the totals.
const fn fate(survey: i64, failed: u64, pending: u64, changed: u64) -> &'static str {
    match (survey, failed, pending, changed) {
        (3, ..) | (_, 1.., ..) => "failed",
        (2, ..) => "skipped",
        (1, 0, 0, 0) => "unchanged",
        (1, 0, 0, _) => "changed",
        _ => "planned",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;
    use rusqlite::Connection;

    #[test]
    fn a_state_that_nobody_knows_is_not_claimed() {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        connection
            .execute_batch(
                "INSERT INTO user (seq, id, label, populated, survey) VALUES (1, x'01', 'ada', 1, 1);
                 INSERT INTO filter (user, id, name, type, kind, state, status, etag, matching)
                 VALUES (1, x'01', 'n', 'task', 256, 0, 1, NULL, 1), (1, x'02', 'n', 'task', 256, 0, 1, NULL, 1),
                        (1, x'03', 'n', 'task', 256, 0, 1, NULL, 1), (1, x'04', 'n', 'task', 256, 1, 2, NULL, 1);
                 INSERT INTO change (user, filter, from_state, to_state, stage, settled)
                 VALUES (1, x'01', 0, 1, 2, 5000), (1, x'02', 0, 1, 1, NULL), (1, x'03', 0, 1, 5, 7000);",
            )
            .unwrap();
        let view = View::new(&connection);
        let expected = StatesOfType {
            filter_type: "task".into(),
            active_before: 3,
            inactive_before: 1,
            active_after: 0,
            inactive_after: 2,
            gone: 1,
            unknown: 1,
        };
        assert_eq!(view.states_by_type().unwrap(), [expected]);
        let made = view.throughput(60).unwrap().unwrap();
        assert_eq!(
            (made.first, made.last, &made.counts[..]),
            (5000, 5000, &[1][..])
        );
    }
}
