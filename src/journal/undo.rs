//! Recording an undo: what another run changed, and what becomes of each row.

use rusqlite::{Connection, params};

use crate::model::{Filter, Problem, StateAndStatus, UnitId};
use crate::plan::{Done, UndoStep};

use super::apply::{ALREADY, GONE, LEFT, PLANNED, settle_at_once};
use super::commit::Journal;
use super::rows::{blob, filter_id, state_and_status, unit_id};
use super::survey::{self, Subject, Surveyed, add_change, add_problem, now, subject};
use super::{JournalError, RunReader};

/// What undo found of one row: the row, what to do, and what there is to say.
pub type UndoFinding = (Done, UndoStep, Option<Problem>);

impl RunReader {
    /// The next users of whom this run changed rows, or may have, with those rows; `after` and `limit`
    /// as in a survey.
    pub fn done(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(Subject, Vec<Done>)>, JournalError> {
        self.read(|connection| done(connection, after, limit))
    }

    /// The names of the business units of this run's users.
    pub fn units(&self) -> Result<Vec<(UnitId, String)>, JournalError> {
        self.read(|connection| {
            let mut query = connection.prepare("SELECT id, name FROM unit")?;
            let mut rows = query.query([])?;
            let mut units = Vec::new();
            while let Some(row) = rows.next()? {
                units.extend(unit_id(row, 0)?.zip(row.get(1)?));
            }
            Ok(units)
        })
    }
}

fn done(
    connection: &Connection,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(Subject, Vec<Done>)>> {
    let mut query = connection.prepare_cached(
        "SELECT u.seq, u.id, u.object_id, u.label, u.populated, u.unit,
                c.filter, c.from_state, c.from_status,
                coalesce(c.after_state, c.to_state), iif(c.stage = 2, c.after_status, c.to_status), c.stage = 2
         FROM (SELECT DISTINCT user FROM change WHERE (stage = 2 OR maybe) AND user > ?1 ORDER BY user LIMIT ?2) AS next
         JOIN user AS u ON u.seq = next.user
         JOIN change AS c ON c.user = next.user AND (c.stage = 2 OR c.maybe)
         ORDER BY u.seq, c.filter",
    )?;
    let mut rows = query.query(params![after, limit])?;
    let mut users: Vec<(Subject, Vec<Done>)> = Vec::new();
    while let Some(row) = rows.next()? {
        let subject = subject(row, 0)?;
        let done = Done {
            filter: filter_id(row, 6)?,
            before: state_and_status(row, 7)?,
            after: state_and_status(row, 9)?,
            certain: row.get(11)?,
        };
        match users.last_mut() {
            Some((last, rows)) if last.seq == subject.seq => rows.push(done),
            _ => users.push((subject, vec![done])),
        }
    }
    Ok(users)
}

impl Journal {
    /// Adds users of whom another run changed rows, with those rows.
    pub async fn add_undo(&self, users: Vec<(Subject, Vec<Done>)>) -> Result<(), JournalError> {
        self.run(move |connection| {
            for (subject, rows) in &users {
                add_subject(connection, subject, rows)?;
            }
            Ok(())
        })
        .await
    }

    /// The rows of one user that are to be put back.
    pub async fn to_undo(&self, seq: i64) -> Result<Vec<Done>, JournalError> {
        self.run(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT filter, before_state, before_status, after_state, after_status, certain
                 FROM undo WHERE user = ?1 ORDER BY filter",
            )?;
            query
                .query_map([seq], |row| {
                    Ok(Done {
                        filter: filter_id(row, 0)?,
                        before: state_and_status(row, 1)?,
                        after: state_and_status(row, 3)?,
                        certain: row.get(5)?,
                    })
                })?
                .collect()
        })
        .await
    }

    /// Records what becomes of each row of one user.
    pub async fn undo_surveyed(
        &self,
        seq: i64,
        filters: Vec<(Filter, bool)>,
        findings: Vec<UndoFinding>,
    ) -> Result<(), JournalError> {
        self.run(move |connection| record(connection, seq, filters, &findings))
            .await
    }

    /// Puts what becomes of each row of one user in the place of what was to become of it before; nothing was
    /// changed meanwhile.
    pub async fn undo_replanned(
        &self,
        seq: i64,
        filters: Vec<(Filter, bool)>,
        findings: Vec<UndoFinding>,
    ) -> Result<(), JournalError> {
        self.run(move |connection| {
            survey::forget_plan(connection, seq)?;
            record(connection, seq, filters, &findings)
        })
        .await
    }
}

fn record(
    connection: &Connection,
    seq: i64,
    filters: Vec<(Filter, bool)>,
    findings: &[UndoFinding],
) -> rusqlite::Result<()> {
    let surveyed = Surveyed {
        seq,
        filters,
        changes: Vec::new(),
    };
    survey::record(connection, &surveyed)?;
    for (done, step, problem) in findings {
        record_step(connection, seq, done, step)?;
        if let Some(problem) = problem {
            add_problem(connection, seq, problem, now())?;
        }
    }
    Ok(())
}

fn add_subject(connection: &Connection, subject: &Subject, rows: &[Done]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO user (id, object_id, label, populated, survey, unit) VALUES (?1, ?2, ?3, ?4, 0, ?5)",
        )?
        .execute(params![
            blob(subject.id.0),
            subject.object_id.map(|id| blob(id.0)),
            subject.label,
            subject.filters_populated,
            subject.unit.map(|id| blob(id.0)),
        ])?;
    let seq = connection.last_insert_rowid();
    for done in rows {
        connection
            .prepare_cached("INSERT INTO undo (user, filter, before_state, before_status, after_state, after_status, certain)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute(params![
                seq,
                blob(done.filter.0),
                done.before.state.code(),
                done.before.status.0,
                done.after.state.code(),
                done.after.status.0,
                done.certain,
            ])?;
    }
    Ok(())
}

fn record_step(
    connection: &Connection,
    seq: i64,
    done: &Done,
    step: &UndoStep,
) -> rusqlite::Result<()> {
    let at_once = |from: StateAndStatus, stage| {
        settle_at_once(connection, seq, done.filter, (from, done.before), stage)
    };
    match step {
        UndoStep::PutBack(change) => add_change(connection, seq, change, PLANNED),
        UndoStep::Already => at_once(done.before, ALREADY),
        UndoStep::Left { now } => at_once(*now, LEFT),
        UndoStep::Gone => at_once(done.after, GONE),
    }
}
