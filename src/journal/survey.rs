//! Records a survey: the users, and the filters of each.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::model::{
    Filter, Modification, ObjectId, Problem, ProblemKind, ReadState, RowOutcome, Stage, UnitId,
    User, UserId,
};
use crate::plan::Change;

use super::codes::TO_READ;
use super::commit::Journal;
use super::rows::{blob, kept, object_id, unit_id, user_id};
use super::values::{MESSAGE, NAME};
use super::{JournalError, Phase, run_header};

/// A selected user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedUser {
    /// `systemuserid`.
    pub id: UserId,
    /// The Entra object id.
    pub object_id: Option<ObjectId>,
    /// The name in output.
    pub label: String,
    /// The login; none where it is empty.
    pub login: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the user's default filters were created.
    pub filters_populated: bool,
    /// The user's business unit.
    pub unit: Option<UnitId>,
    /// Why the user is skipped, if so.
    pub skipped: Option<ProblemKind>,
}

impl SelectedUser {
    /// A user, with the reason to skip the user, if there is one.
    pub fn new(user: &User, skipped: Option<ProblemKind>) -> Self {
        Self {
            id: user.id,
            object_id: user.object_id,
            label: user.label(),
            login: (!user.login.is_empty()).then(|| user.login.clone()),
            email: user.email.clone(),
            filters_populated: user.filters_populated,
            unit: user.unit,
            skipped,
        }
    }
}

/// A user of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunUser {
    /// The user's number in this run, in the order of the survey.
    pub seq: i64,
    /// `systemuserid`.
    pub id: UserId,
    /// The Entra object id.
    pub object_id: Option<ObjectId>,
    /// The name in output.
    pub label: String,
    /// Whether the user's default filters were created.
    pub filters_populated: bool,
    /// The user's business unit; none where the run file is older than that column.
    pub unit: Option<UnitId>,
}

/// The survey of one user.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// The user's number in this run.
    pub seq: i64,
    /// Every filter that was read, and whether it matches the run's criteria.
    pub filters: Vec<(Filter, bool)>,
    /// The changes to make.
    pub changes: Vec<Change>,
}

impl Journal {
    /// Adds selected users, including those to be skipped.
    pub async fn add_users(&self, users: Vec<SelectedUser>) -> Result<(), JournalError> {
        self.run(move |connection| users.iter().try_for_each(|user| add_user(connection, user)))
            .await
    }

    /// Adds the names of business units.
    pub async fn add_units(&self, units: Vec<(UnitId, String)>) -> Result<(), JournalError> {
        self.run(move |connection| {
            let mut query =
                connection.prepare_cached("INSERT OR REPLACE INTO unit VALUES (?1, ?2)")?;
            for (id, name) in &units {
                query.execute(params![blob(id.0), kept(name, NAME)])?;
            }
            Ok(())
        })
        .await
    }

    /// Removes the collected users, because the collection was interrupted and begins again.
    pub async fn forget_users(&self) -> Result<(), JournalError> {
        self.run(|connection| {
            connection.execute_batch(
                "DELETE FROM problem; DELETE FROM undo; DELETE FROM impact; DELETE FROM mark; DELETE FROM user;
                 DELETE FROM unit;",
            )
        })
        .await
    }

    /// The next users to survey whose number is above `after`, at most `limit`, in order.
    pub async fn to_survey(&self, after: i64, limit: usize) -> Result<Vec<RunUser>, JournalError> {
        self.run(move |connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT seq, id, object_id, label, populated, unit FROM user
                 WHERE {TO_READ} AND seq > ?1 ORDER BY seq LIMIT ?2"
            ))?;
            query
                .query_map(params![after, limit], |row| run_user(row, 0))?
                .collect()
        })
        .await
    }

    /// Records the survey of one user.
    pub async fn surveyed(&self, surveyed: Surveyed) -> Result<(), JournalError> {
        self.run(move |connection| record(connection, &surveyed))
            .await
    }

    /// Replaces the survey of one user. Only where nothing was changed meanwhile.
    pub async fn replanned(&self, surveyed: Surveyed) -> Result<(), JournalError> {
        self.run(move |connection| {
            forget_plan(connection, surveyed.seq)?;
            record(connection, &surveyed)
        })
        .await
    }

    /// Records that a user could not be surveyed.
    pub async fn survey_failed(&self, seq: i64, problem: Problem) -> Result<(), JournalError> {
        self.run(move |connection| {
            add_problem(connection, seq, &problem, now())?;
            set_survey(connection, seq, ReadState::Failed)
        })
        .await
    }

    /// Records an observation about a user that is not a failure.
    pub async fn note(&self, seq: i64, problem: Problem) -> Result<(), JournalError> {
        self.run(move |connection| add_problem(connection, seq, &problem, now()))
            .await
    }

    /// Records how far the run has come.
    pub async fn set_phase(&self, phase: Phase) -> Result<(), JournalError> {
        self.run(move |connection| run_header::set_phase(connection, phase))
            .await
    }
}

/// Removes the survey of one user.
pub(super) fn forget_plan(connection: &Connection, seq: i64) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM change WHERE user = ?1",
        "DELETE FROM problem WHERE user = ?1",
        "DELETE FROM filter WHERE user = ?1",
        "DELETE FROM impact WHERE user = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([seq])?;
    }
    Ok(())
}

pub(super) fn record(connection: &Connection, surveyed: &Surveyed) -> rusqlite::Result<()> {
    let Surveyed {
        seq,
        filters,
        changes,
    } = surveyed;
    for (filter, matching) in filters {
        add_filter(connection, *seq, filter, *matching)?;
    }
    for change in changes {
        add_change(connection, *seq, change, RowOutcome::Planned)?;
    }
    set_survey(connection, *seq, ReadState::Read)
}

fn add_user(connection: &Connection, user: &SelectedUser) -> rusqlite::Result<()> {
    let survey = if user.skipped.is_some() {
        ReadState::Skipped
    } else {
        ReadState::ToRead
    };
    // A server may list a user on two pages.
    let added = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO user (id, object_id, label, populated, survey, unit, login, email)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            blob(user.id.0),
            user.object_id.map(|id| blob(id.0)),
            kept(&user.label, NAME),
            user.filters_populated,
            survey,
            user.unit.map(|id| blob(id.0)),
            user.login.as_deref().map(|login| kept(login, NAME)),
            user.email.as_deref().map(|email| kept(email, NAME)),
        ])?;
    if let Some(kind) = user.skipped.filter(|_| added == 1) {
        let seq = connection.last_insert_rowid();
        let problem = Problem::seen(Stage::Survey, kind, "skipped: no request was made");
        add_problem(connection, seq, &problem, now())?;
    }
    Ok(())
}

pub(super) fn run_user(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<RunUser> {
    Ok(RunUser {
        seq: row.get(at)?,
        id: user_id(row, at + 1)?,
        object_id: object_id(row, at + 2)?,
        label: row.get(at + 3)?,
        filters_populated: row.get(at + 4)?,
        unit: unit_id(row, at + 5)?,
    })
}

fn set_survey(connection: &Connection, seq: i64, survey: ReadState) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE user SET survey = ?2 WHERE seq = ?1")?
        .execute(params![seq, survey])?;
    Ok(())
}

fn add_filter(
    connection: &Connection,
    seq: i64,
    filter: &Filter,
    matching: bool,
) -> rusqlite::Result<()> {
    let Modification { on, by, on_behalf } = filter.modified;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO filter (user, id, name, type, kind, state, status, etag, matching,
                                            modified, modified_by, modified_on_behalf, template)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            seq,
            blob(filter.id.0),
            kept(&filter.name, NAME),
            filter.filter_type.as_str(),
            filter.kind.code(),
            filter.now.state.code(),
            filter.now.status.0,
            filter.etag,
            matching,
            on.map(Timestamp::as_millisecond),
            by.map(|id| blob(id.0)),
            on_behalf.map(|id| blob(id.0)),
            filter.template.map(blob),
        ])?;
    Ok(())
}

pub(super) fn add_change(
    connection: &Connection,
    seq: i64,
    change: &Change,
    outcome: RowOutcome,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO change (user, filter, from_state, from_status, etag, to_state, to_status, stage)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            seq,
            blob(change.filter.0),
            change.from.state.code(),
            change.from.status.0,
            change.etag,
            change.to.state.code(),
            change.to.status.0,
            outcome,
        ])?;
    Ok(())
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

pub(super) fn add_problem(
    connection: &Connection,
    seq: i64,
    problem: &Problem,
    at: i64,
) -> rusqlite::Result<()> {
    let Problem {
        stage,
        kind,
        filter,
        code,
        message,
        request_id,
    } = problem;
    connection
        .prepare_cached(
            "INSERT INTO problem (user, filter, stage, kind, code, message, request_id, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            seq,
            filter.map(|id| blob(id.0)),
            stage,
            kind,
            code.as_deref().map(|code| kept(code, NAME)),
            kept(message, MESSAGE),
            request_id.as_deref().map(|id| kept(id, NAME)),
            at,
        ])?;
    Ok(())
}
