//! Recording an application: intents before their requests, outcomes after.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::model::{FilterId, Outcome, Problem, State, StateAndStatus};
use crate::plan::Change;

use super::commit::Journal;
use super::rows::{blob, filter_id, state_and_status};
use super::survey::{Subject, add_problem, subject};
use super::{JournalError, Requests, head, pace};

/// `change.stage`.
pub(super) const PLANNED: i32 = 0;
pub(super) const INTENDED: i32 = 1;
pub(super) const CHANGED: i32 = 2;
pub(super) const ALREADY: i32 = 3;
pub(super) const LEFT: i32 = 4;
pub(super) const GONE: i32 = 5;
pub(super) const FAILED: i32 = 6;

/// A change that is not settled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingChange {
    /// What to change.
    pub change: Change,
    /// Whether a write may have been done without an answer having come back. The row has to be read
    /// before anything is written.
    pub maybe_written: bool,
}

/// A user with changes that are not settled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingUser {
    /// The user.
    pub subject: Subject,
    /// The changes.
    pub changes: Vec<PendingChange>,
}

/// How a change ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// We changed it; this is what it is now.
    Changed {
        /// State and status as the server showed them.
        now: StateAndStatus,
        /// The version, for undo.
        etag: Option<String>,
    },
    /// It was as wanted already.
    Already,
    /// Somebody changed it; it was left alone.
    Left,
    /// The row is gone.
    Gone,
    /// It could not be changed.
    Failed {
        /// Whether a write may have been done all the same.
        maybe_written: bool,
    },
    /// Nothing was sent this time; it is still to be done.
    Withdrawn {
        /// Whether a write may have been done at an earlier time.
        maybe_written: bool,
    },
}

/// How one change of a user ended, and what there is to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The change, with the state that the row had right before.
    pub change: Change,
    /// How it ended.
    pub settlement: Settlement,
    /// What there is to say of it.
    pub problem: Option<Problem>,
}

impl Journal {
    /// The next users with unsettled changes whose number is above `after`, at most `limit`, in order.
    pub async fn to_apply(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<PendingUser>, JournalError> {
        self.run(move |connection| pending(connection, None, after, limit))
            .await
    }

    /// The same, of one wave only.
    pub async fn to_apply_in_wave(
        &self,
        wave: u64,
        after: i64,
        limit: usize,
    ) -> Result<Vec<PendingUser>, JournalError> {
        self.run(move |connection| pending(connection, Some(wave), after, limit))
            .await
    }

    /// Commits to making these changes of one user, with the version that will be demanded. When this
    /// returns, the requests may leave.
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
                        INTENDED,
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

    /// Records how changes of one user ended.
    pub async fn settle(&self, seq: i64, settled: Vec<Settled>) -> Result<(), JournalError> {
        let now = Timestamp::now().as_millisecond();
        self.run(move |connection| {
            for one in &settled {
                settle_one(connection, seq, one, now)?;
                if let Some(problem) = &one.problem {
                    // Not before it was settled, or it would seem to be over.
                    add_problem(connection, seq, problem, now)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Whether any change that is still to be made deactivates a filter.
    pub async fn deactivates(&self) -> Result<bool, JournalError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM change WHERE stage < 2 AND to_state = ?1)";
        let inactive = State::Inactive.code();
        self.run(move |connection| connection.query_row(sql, [inactive], |row| row.get(0)))
            .await
    }

    /// Records that this server names the real caller in `modifiedonbehalfby`.
    pub async fn server_stamps(&self) -> Result<(), JournalError> {
        self.run(head::set_stamps).await
    }

    /// Adds what was asked of the server around a time.
    pub async fn add_requests(&self, more: Requests, at: Timestamp) -> Result<(), JournalError> {
        self.run(move |connection| pace::add(connection, more, at))
            .await
    }

    /// Records how the run ended, or was left.
    pub async fn set_outcome(&self, outcome: Outcome) -> Result<(), JournalError> {
        self.run(move |connection| head::set_outcome(connection, outcome, Timestamp::now()))
            .await
    }
}

fn pending(
    connection: &Connection,
    wave: Option<u64>,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<PendingUser>> {
    let mut query = connection.prepare_cached(
        "SELECT u.seq, u.id, u.object_id, u.label, u.populated, u.unit,
                c.filter, c.from_state, c.from_status, c.to_state, c.to_status, c.etag, c.maybe
         FROM (SELECT DISTINCT user FROM change WHERE stage < 2 AND user > ?1 AND (?3 IS NULL OR wave = ?3)
               ORDER BY user LIMIT ?2) AS next
         JOIN user AS u ON u.seq = next.user
         JOIN change AS c ON c.user = next.user AND c.stage < 2 AND (?3 IS NULL OR c.wave = ?3)
         ORDER BY u.seq, c.filter",
    )?;
    let mut rows = query.query(params![after, limit, wave])?;
    let mut users: Vec<PendingUser> = Vec::new();
    while let Some(row) = rows.next()? {
        let subject = subject(row, 0)?;
        let change = pending_change(row, 6)?;
        match users.last_mut() {
            Some(last) if last.subject.seq == subject.seq => last.changes.push(change),
            _ => users.push(PendingUser {
                subject,
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
    settled: &Settled,
    now: i64,
) -> rusqlite::Result<()> {
    let (stage, maybe) = match &settled.settlement {
        Settlement::Changed { .. } => (CHANGED, false),
        Settlement::Already => (ALREADY, false),
        Settlement::Left => (LEFT, false),
        Settlement::Gone => (GONE, false),
        Settlement::Failed { maybe_written } => (FAILED, *maybe_written),
        Settlement::Withdrawn { maybe_written } => (PLANNED, *maybe_written),
    };
    let (after, after_status, etag) = match &settled.settlement {
        Settlement::Changed { now, etag } => (Some(now.state.code()), now.status.0, etag.as_ref()),
        _ => (None, None, None),
    };
    let Change {
        filter,
        from,
        to: _,
        etag: _,
    } = &settled.change;
    connection
        .prepare_cached(
            "UPDATE change SET stage = ?3, from_state = ?4, from_status = ?5, after_state = ?6, after_status = ?7,
                               after_etag = ?8, settled = ?9, maybe = maybe AND ?10
             WHERE user = ?1 AND filter = ?2",
        )?
        .execute(params![
            seq,
            blob(filter.0),
            stage,
            from.state.code(),
            from.status.0,
            after,
            after_status,
            etag,
            now,
            maybe,
        ])?;
    Ok(())
}

/// Records a change that needs no request, as undo finds them.
pub(super) fn settle_at_once(
    connection: &Connection,
    seq: i64,
    filter: FilterId,
    states: (StateAndStatus, StateAndStatus),
    stage: i32,
) -> rusqlite::Result<()> {
    let (from, to) = states;
    let change = Change {
        filter,
        from,
        to,
        etag: None,
    };
    super::survey::add_change(connection, seq, &change, stage)
}
