//! Single facts about a run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use crate::journal::codes::{CHANGED, CHANGED_SINCE, LEFT_OUT, OPEN};
use crate::journal::history::{self, HistoryEntry, HistoryKind};
use crate::journal::rows::{blob, time};
use crate::model::{FilterId, FilterKind, Operation, Outcome, RunId, State, UserId};
use crate::plan::RunSettings;

use super::changes::{ProblemRow, problem_row, problems};
use super::timeline::PAUSE;
use super::{ReadError, View};

/// What an earlier undo of the same run had restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBackBefore {
    /// The id of the earlier undo.
    pub by: String,
    /// When it last restored one.
    pub at: Timestamp,
    /// The number of filters.
    pub filters: u64,
}

/// The sum of the times between events, without the time before an agreement: that is a pause between two waves, a
/// question, or a run that was left.
const WORKING_TIME: &str = "
SELECT coalesce(sum(step), 0)
FROM (SELECT at - lag(at) OVER (ORDER BY at, begins DESC) AS step, begins
      FROM (SELECT intended AS at, 0 AS begins FROM change WHERE intended IS NOT NULL
            UNION ALL SELECT settled, 0 FROM change WHERE settled IS NOT NULL
            UNION ALL SELECT at, 1 FROM history WHERE kind = ?2))
WHERE step <= ?1 AND NOT begins";

/// The part of an agreement that is about undos.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
struct AgreedAfterUndo {
    undone_by: Option<RunId>,
    #[serde(default)]
    put_back: u64,
}

/// What undos had restored when the run was continued. It stays restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaysPutBack {
    /// The last undo that was begun.
    pub by: RunId,
    /// The number of filters.
    pub filters: u64,
}

impl View<'_> {
    /// The path of the run file; none for a run that leaves no file.
    pub fn path(&self) -> Option<PathBuf> {
        let path = self.0.path().filter(|path| !path.is_empty());
        self.1.or(path.map(Path::new)).map(PathBuf::from)
    }

    /// Makes several reads at the same state of the file, also while the run continues.
    pub fn at_one_instant<T, E: From<ReadError>>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        // Nothing is written, so it does not matter how it ends.
        let _instant = self.0.unchecked_transaction().map_err(ReadError::from)?;
        read(self)
    }

    /// How long changes were being made, without the time between a stop and `resume`.
    pub fn working_time(&self) -> Result<Duration, ReadError> {
        let read = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        let begins = HistoryKind::Agreed.as_str();
        let spent = self
            .0
            .query_row(WORKING_TIME, params![PAUSE, begins], read)?;
        Ok(Duration::from_millis(u64::try_from(spent).unwrap_or(0)))
    }

    /// Filters that were to be changed, exist, and are not in the wanted state, without those that
    /// failed.
    pub fn not_as_wanted(&self) -> Result<u64, ReadError> {
        let sql = format!("SELECT count(*) FROM change WHERE {OPEN} OR {CHANGED_SINCE}");
        Ok(self.0.query_row(&sql, [], |row| row.get(0))?)
    }

    /// Filters that were left alone because somebody changed them since.
    pub fn changed_since(&self) -> Result<u64, ReadError> {
        let sql = format!("SELECT count(*) FROM change WHERE {CHANGED_SINCE}");
        Ok(self.0.query_row(&sql, [], |row| row.get(0))?)
    }

    /// Filters whose status was null and is now the state's own, by that status. The platform treats null the same.
    pub fn null_statuses(&self) -> Result<Vec<(i32, u64)>, ReadError> {
        let mut query = self.0.prepare_cached(&format!(
            "SELECT after_status, count(*) FROM change
             WHERE {CHANGED} AND to_status IS NULL AND after_status IS NOT NULL GROUP BY 1 ORDER BY 1"
        ))?;
        Ok(query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// Filters that an earlier undo had restored, by that run, with the time of the last one.
    pub fn put_back_before(&self) -> Result<Vec<PutBackBefore>, ReadError> {
        let mut query = self.0.prepare_cached(
            "SELECT put_back_by, max(put_back_at), count(*) FROM undo WHERE put_back_by IS NOT NULL GROUP BY 1 ORDER BY 2",
        )?;
        let row = |row: &rusqlite::Row<'_>| {
            Ok(PutBackBefore {
                by: row.get(0)?,
                at: time(row.get(1)?)?,
                filters: row.get(2)?,
            })
        };
        Ok(query.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
    }

    /// What undos had restored of this run when it was continued; none where nothing was.
    pub fn stays_put_back(&self) -> Result<Option<StaysPutBack>, ReadError> {
        let sql = "SELECT detail FROM history WHERE kind = ?1 ORDER BY seq DESC LIMIT 1";
        let agreed = HistoryKind::Agreed.as_str();
        let detail: Option<Option<String>> = self
            .0
            .query_row(sql, [agreed], |row| row.get(0))
            .optional()?;
        let Some(detail) = detail.flatten() else {
            return Ok(None);
        };
        // An earlier version did not record it.
        let Ok(agreed) = serde_json::from_str::<AgreedAfterUndo>(&detail) else {
            return Ok(None);
        };
        let stays = |by| StaysPutBack {
            by,
            filters: agreed.put_back,
        };
        Ok(agreed.undone_by.filter(|_| agreed.put_back > 0).map(stays))
    }

    /// The history of the run, in order.
    pub fn history(&self) -> Result<Vec<HistoryEntry>, ReadError> {
        Ok(history::read(self.0)?)
    }

    /// The last run that began to undo this one; none where none did, according to this file.
    pub fn undone_by(&self) -> Result<Option<RunId>, ReadError> {
        Ok(history::undone_by(self.0)?)
    }

    /// Whether the run, or the one whose users it took over, was imported.
    pub fn is_imported(&self) -> Result<bool, ReadError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM history WHERE kind = ?1)";
        let kind = HistoryKind::Imported.as_str();
        Ok(self.0.query_row(sql, [kind], |row| row.get(0))?)
    }

    /// How the run ended, or that something is left; and whether it is without effect: no user has filters
    /// that were changed, are to be changed, or failed.
    pub fn outcome(&self) -> Result<(Outcome, bool), ReadError> {
        let (users, filters) = (self.users()?, self.filters()?);
        let templates = self.template_totals()?;
        let outcome = if users.planned + templates.planned > 0 {
            Outcome::Stopped
        } else if users.failed + templates.failed + templates.left > 0
            || self.has_verify_problems()?
            || self.changed_since()? > 0
            // A filter that no longer exists cannot be restored.
            || filters.left > 0 && self.header()?.operation == Operation::Undo
            || self.stays_put_back()?.is_some()
        {
            Outcome::Partial
        } else if filters.changed + templates.changed > 0 {
            Outcome::Complete
        } else {
            Outcome::Nothing
        };
        Ok((outcome, outcome == Outcome::Nothing))
    }

    /// Whether any request that writes may have been sent.
    pub fn has_written(&self) -> Result<bool, ReadError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM change WHERE intended IS NOT NULL
                                  UNION ALL SELECT 1 FROM template WHERE intended IS NOT NULL)";
        Ok(self.0.query_row(sql, [], |row| row.get(0))?)
    }

    /// The number of rows that were to be changed.
    pub fn changes(&self) -> Result<u64, ReadError> {
        let sql = format!("SELECT count(*) FROM change WHERE NOT {LEFT_OUT}");
        Ok(self.0.query_row(&sql, [], |row| row.get(0))?)
    }

    /// Whether what is left can delete items from Exchange, by the organisation's setting when it was read.
    pub fn can_lose_items(&self) -> Result<bool, ReadError> {
        let deactivates = self.0.query_row(
            &format!("SELECT EXISTS (SELECT 1 FROM change WHERE {OPEN} AND to_state = ?1)"),
            [State::Inactive.code()],
            |row| row.get::<_, bool>(0),
        )?;
        Ok(deactivates && self.header()?.organization.distinct_deletes != Some(true))
    }

    /// The settings of the run; none in a file of an older format without them.
    pub fn settings(&self) -> Result<Option<RunSettings>, ReadError> {
        Ok(history::settings(self.0)?)
    }

    /// The last problem of a filter that is not over.
    pub fn problem_about(
        &self,
        user: UserId,
        filter: FilterId,
    ) -> Result<Option<ProblemRow>, ReadError> {
        let mut query = self.0.prepare_cached(&format!(
            "{} WHERE p.id = ?1 AND p.filter = ?2 AND NOT over ORDER BY p.seq DESC LIMIT 1",
            problems()
        ))?;
        Ok(query
            .query_row(params![blob(user.0), blob(filter.0)], problem_row)
            .optional()?)
    }

    /// The names of those of these users who are in the run.
    pub fn labels(&self, users: &[UserId]) -> Result<Vec<(UserId, String)>, ReadError> {
        let mut query = self
            .0
            .prepare_cached("SELECT label FROM user WHERE id = ?1")?;
        let mut labels = Vec::new();
        for &user in users {
            let label = query.query_row([blob(user.0)], |row| row.get(0));
            labels.extend(label.optional()?.map(|label| (user, label)));
        }
        Ok(labels)
    }

    /// Whether a change of this filter was planned.
    pub fn has_change(&self, user: UserId, filter: FilterId) -> Result<bool, ReadError> {
        let mut query = self.0.prepare_cached(
            "SELECT 1 FROM change AS c JOIN user AS u ON u.seq = c.user WHERE u.id = ?1 AND c.filter = ?2",
        )?;
        Ok(query.exists(params![blob(user.0), blob(filter.0)])?)
    }

    /// The kind of a filter; none where it was not read.
    pub fn kind_of(&self, user: UserId, filter: FilterId) -> Result<Option<FilterKind>, ReadError> {
        let mut query = self.0.prepare_cached(
            "SELECT f.kind FROM filter AS f JOIN user AS u ON u.seq = f.user WHERE u.id = ?1 AND f.id = ?2",
        )?;
        Ok(query
            .query_row(params![blob(user.0), blob(filter.0)], |row| row.get(0))
            .optional()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;
    use rusqlite::Connection;

    #[test]
    fn the_time_between_being_stopped_and_resumed_is_no_work() {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        connection
            .execute_batch(
                "INSERT INTO user (seq, id, label, populated, survey) VALUES (1, x'01', 'ada', 1, 1);
                 INSERT INTO change (user, filter, from_state, to_state, stage, intended, settled)
                 VALUES (1, x'01', 0, 1, 2, 1000, 3000), (1, x'02', 0, 1, 2, 4000, 5000),
                        (1, x'03', 0, 1, 2, 90000000, 90002000), (1, x'04', 0, 1, 0, NULL, NULL);",
            )
            .unwrap();
        let view = View::new(&connection);
        assert_eq!(view.working_time().unwrap(), Duration::from_secs(6));
    }

    #[test]
    fn only_users_of_the_run_are_named() {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        let (ada, other) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        connection
            .execute(
                "INSERT INTO user (seq, id, label, populated, survey) VALUES (1, ?1, 'ada', 1, 1)",
                [blob(ada)],
            )
            .unwrap();
        let view = View::new(&connection);
        let labels = view.labels(&[UserId(other), UserId(ada)]).unwrap();
        assert_eq!(labels, [(UserId(ada), "ada".to_owned())]);
    }

    #[test]
    fn a_pause_between_two_waves_is_no_working_time() {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        connection
            .execute_batch(
                "INSERT INTO user (seq, id, label, populated, survey) VALUES (1, zeroblob(16), 'ada', 1, 1);
                 INSERT INTO history (at, kind) VALUES (1000, 'agreed'), (3000, 'wave-over'), (300000, 'agreed');
                 INSERT INTO change (user, filter, from_state, to_state, stage, intended, settled)
                 VALUES (1, x'00', 0, 1, 2, 1100, 2000), (1, x'01', 0, 1, 2, 300100, 301000);",
            )
            .unwrap();
        let worked = View::new(&connection).working_time().unwrap();
        assert_eq!(worked, Duration::from_secs(2));
    }
}
