//! Records the changes of a run: intents before their requests, results after.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::model::{FilterId, Modification, Outcome, RowOutcome, RowStamp, State, UserId};
use crate::plan::{Change, RowResult};

use super::codes::{CHANGED, OPEN};
use super::commit::Journal;
use super::rows::{blob, filter_id, state_and_status, time, user_id};
use super::survey::{RunUser, add_change, add_problem, now, run_user};
use super::{JournalError, Requests, pace, run_header};

/// A change that is not settled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingChange {
    /// The change to make.
    pub change: Change,
    /// Whether a write may have been done without an answer. The row then has to be read
    /// before anything is written.
    pub maybe_written: bool,
}

/// A user with changes that are not settled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingUser {
    /// The user.
    pub run_user: RunUser,
    /// The changes.
    pub changes: Vec<PendingChange>,
}

/// The result of one change of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledChange {
    /// The change, with the state of the row just before.
    pub change: Change,
    /// The result.
    pub result: RowResult,
}

/// A write that an earlier process sent and never proved. Its row has to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unproved {
    /// The owner of the filter.
    pub user: UserId,
    /// The filter.
    pub filter: FilterId,
    /// When the request was to be sent.
    pub intended: Timestamp,
}

/// A row that the run wrote or may have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenRow {
    /// The owner of the filter.
    pub user: UserId,
    /// The filter.
    pub filter: FilterId,
    /// When the request was to be sent.
    pub intended: Timestamp,
}

impl Journal {
    /// All rows that the run wrote or may have written.
    pub async fn written(&self) -> Result<Vec<WrittenRow>, JournalError> {
        self.run(|connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT u.id, c.filter, c.intended FROM change AS c JOIN user AS u ON u.seq = c.user
                 WHERE (c.{CHANGED} OR c.maybe) AND NOT c.{OPEN} AND c.intended IS NOT NULL"
            ))?;
            let row = |row: &Row<'_>| {
                Ok(WrittenRow {
                    user: user_id(row, 0)?,
                    filter: filter_id(row, 1)?,
                    intended: time(row.get(2)?)?,
                })
            };
            query.query_map([], row)?.collect()
        })
        .await
    }

    /// The unproved writes of changes that are not settled.
    pub async fn unproved(&self) -> Result<Vec<Unproved>, JournalError> {
        self.run(|connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT u.id, c.filter, c.intended FROM change AS c JOIN user AS u ON u.seq = c.user
                 WHERE c.{OPEN} AND c.maybe AND c.intended IS NOT NULL"
            ))?;
            let row = |row: &Row<'_>| {
                Ok(Unproved {
                    user: user_id(row, 0)?,
                    filter: filter_id(row, 1)?,
                    intended: time(row.get(2)?)?,
                })
            };
            query.query_map([], row)?.collect()
        })
        .await
    }

    /// The next users with unsettled changes whose number is above `after`, at most `limit`, in order.
    pub async fn to_apply(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<PendingUser>, JournalError> {
        self.run(move |connection| pending(connection, None, after, limit))
            .await
    }

    /// As [`Self::to_apply`], for one wave.
    pub async fn to_apply_in_wave(
        &self,
        wave: u64,
        after: i64,
        limit: usize,
    ) -> Result<Vec<PendingUser>, JournalError> {
        self.run(move |connection| pending(connection, Some(wave), after, limit))
            .await
    }

    /// Records the intent to make these changes of one user, with the version that the write will require. When this
    /// returns, the requests may be sent.
    pub async fn intend(&self, seq: i64, changes: Vec<Change>) -> Result<(), JournalError> {
        let now = Timestamp::now().as_millisecond();
        self.run_intent(move |connection| {
            for change in &changes {
                connection
                    .prepare_cached(
                        "UPDATE change SET stage = ?3, maybe = 1, from_state = ?4, from_status = ?5, etag = ?6, intended = ?7
                         WHERE user = ?1 AND filter = ?2",
                    )?
                    .execute(params![
                        seq,
                        blob(change.filter.0),
                        RowOutcome::Sent,
                        change.from.state.code(),
                        change.from.status.0,
                        change.etag,
                        now,
                    ])?;
            }
            Ok(())
        })
        .await
    }

    /// Records the results of a user's changes. `stamps` says that one of them proved that this server names the real
    /// caller in `modifiedonbehalfby`.
    pub async fn settle(
        &self,
        seq: i64,
        settled: Vec<SettledChange>,
        stamps: bool,
    ) -> Result<(), JournalError> {
        let now = Timestamp::now().as_millisecond();
        self.run(move |connection| {
            if stamps {
                run_header::set_records_on_behalf(connection)?;
            }
            for one in &settled {
                settle_one(connection, seq, one, now)?;
                if let Some(problem) = &one.result.problem {
                    // After settling, because otherwise the problem would count as over.
                    add_problem(connection, seq, problem, now)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Whether any change that is not made yet deactivates a filter.
    pub async fn deactivates(&self) -> Result<bool, JournalError> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM change WHERE {OPEN} AND to_state = ?1)");
        let inactive = State::Inactive.code();
        self.run(move |connection| connection.query_row(&sql, [inactive], |row| row.get(0)))
            .await
    }

    /// Records that this server names the real caller in `modifiedonbehalfby`.
    pub async fn record_on_behalf_proved(&self) -> Result<(), JournalError> {
        self.run(run_header::set_records_on_behalf).await
    }

    /// Adds requests that were made around a time.
    pub async fn add_requests(&self, more: Requests, at: Timestamp) -> Result<(), JournalError> {
        self.run(move |connection| pace::add(connection, more, at))
            .await
    }

    /// Records how the run ended, or how it was left.
    pub async fn set_outcome(&self, outcome: Outcome) -> Result<(), JournalError> {
        self.run(move |connection| run_header::set_outcome(connection, outcome, Timestamp::now()))
            .await
    }
}

fn pending(
    connection: &Connection,
    wave: Option<u64>,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<PendingUser>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT u.seq, u.id, u.object_id, u.label, u.populated, u.unit,
                c.filter, c.from_state, c.from_status, c.to_state, c.to_status, c.etag, c.maybe
         FROM (SELECT DISTINCT user FROM change WHERE {OPEN} AND user > ?1 AND (?3 IS NULL OR wave = ?3)
               ORDER BY user LIMIT ?2) AS next
         JOIN user AS u ON u.seq = next.user
         JOIN change AS c ON c.user = next.user AND c.{OPEN} AND (?3 IS NULL OR c.wave = ?3)
         ORDER BY u.seq, c.filter"
    ))?;
    let mut rows = query.query(params![after, limit, wave])?;
    let mut users: Vec<PendingUser> = Vec::new();
    while let Some(row) = rows.next()? {
        let run_user = run_user(row, 0)?;
        let change = pending_change(row, 6)?;
        match users.last_mut() {
            Some(last) if last.run_user.seq == run_user.seq => last.changes.push(change),
            _ => users.push(PendingUser {
                run_user,
                changes: vec![change],
            }),
        }
    }
    Ok(users)
}

fn pending_change(row: &Row<'_>, at: usize) -> rusqlite::Result<PendingChange> {
    Ok(PendingChange {
        change: Change {
            filter: filter_id(row, at)?,
            from: state_and_status(row, at + 1)?,
            to: state_and_status(row, at + 3)?,
            etag: row.get(at + 5)?,
        },
        maybe_written: row.get(at + 6)?,
    })
}

fn settle_one(
    connection: &Connection,
    seq: i64,
    settled: &SettledChange,
    now: i64,
) -> rusqlite::Result<()> {
    let Change {
        filter,
        from,
        to: _,
        etag: _,
    } = &settled.change;
    let RowResult {
        outcome,
        stamp,
        proved,
        problem: _,
    } = &settled.result;
    connection
        .prepare_cached(
            "UPDATE change SET stage = ?3, from_state = ?4, from_status = ?5, settled = ?6, maybe = maybe AND NOT ?7
             WHERE user = ?1 AND filter = ?2",
        )?
        .execute(params![
            seq,
            blob(filter.0),
            outcome,
            from.state.code(),
            from.status.0,
            now,
            proved,
        ])?;
    set_after(connection, seq, *filter, stamp.as_ref())
}

/// Records the last seen state of the row.
fn set_after(
    connection: &Connection,
    seq: i64,
    filter: FilterId,
    stamp: Option<&RowStamp>,
) -> rusqlite::Result<()> {
    let modified = stamp.map(|stamp| stamp.modified).unwrap_or_default();
    let Modification { on, by, on_behalf } = modified;
    connection
        .prepare_cached(
            "UPDATE change SET after_state = ?3, after_status = ?4, after_etag = ?5, after_modified = ?6,
                               after_modified_by = ?7, after_modified_on_behalf = ?8
             WHERE user = ?1 AND filter = ?2",
        )?
        .execute(params![
            seq,
            blob(filter.0),
            stamp.map(|stamp| stamp.now.state.code()),
            stamp.and_then(|stamp| stamp.now.status.0),
            stamp.and_then(|stamp| stamp.etag.as_ref()),
            on.map(Timestamp::as_millisecond),
            by.map(|id| blob(id.0)),
            on_behalf.map(|id| blob(id.0)),
        ])?;
    Ok(())
}

/// Records a change that needs no request, as undo finds them.
pub(super) fn settle_at_once(
    connection: &Connection,
    seq: i64,
    change: &Change,
    result: &RowResult,
) -> rusqlite::Result<()> {
    add_change(connection, seq, change, result.outcome)?;
    set_after(connection, seq, change.filter, result.stamp.as_ref())?;
    match &result.problem {
        Some(problem) => add_problem(connection, seq, problem, now()),
        None => Ok(()),
    }
}
