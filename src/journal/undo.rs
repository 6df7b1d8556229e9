//! Records an undo: the changes of another run, and the outcome of each row.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::model::{Filter, Modification, ReadState, RowOutcome, RowStamp, RunId};
use crate::plan::{Change, PutBack, RowDecision, UndoRow, UndoTerms};

use super::JournalError;
use super::apply::settle_at_once;
use super::commit::Journal;
use super::rows::{blob, filter_id, modification, state_and_status, time, unreadable};
use super::survey::{self, RunUser, Surveyed, add_change};

/// The result of an undo's survey of one row: the row, and what to do.
pub type UndoFinding = (UndoRow, RowDecision);

/// The state that the run left, from eight adjacent columns: what it saw after its write; where its write is not
/// proved, what it wrote.
pub(super) fn left(row: &Row<'_>, from: usize, proved: bool) -> rusqlite::Result<RowStamp> {
    let seen = proved && row.get::<_, Option<i32>>(from + 2)?.is_some();
    if !seen {
        return Ok(RowStamp {
            now: state_and_status(row, from)?,
            etag: None,
            modified: Modification::default(),
        });
    }
    Ok(RowStamp {
        now: state_and_status(row, from + 2)?,
        etag: row.get(from + 4)?,
        modified: modification(row, from + 5)?,
    })
}

impl Journal {
    /// Records the conditions for every row of this undo. Call it before its rows are added.
    pub async fn set_undo_terms(&self, terms: UndoTerms) -> Result<(), JournalError> {
        let text = serde_json::to_string(&terms);
        self.run(move |connection| {
            let text = text.map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
            connection.execute("UPDATE run SET undo = ?1", [text])?;
            Ok(())
        })
        .await
    }

    /// The conditions for every row of this undo; none where its file is older.
    pub async fn undo_terms(&self) -> Result<Option<UndoTerms>, JournalError> {
        self.run(terms).await
    }

    /// Adds users whose rows another run changed, with these rows.
    pub async fn add_undo(&self, users: Vec<(RunUser, Vec<UndoRow>)>) -> Result<(), JournalError> {
        self.run(move |connection| {
            for (run_user, rows) in &users {
                add_run_user(connection, run_user, rows)?;
            }
            Ok(())
        })
        .await
    }

    /// The rows of one user that are to be restored.
    pub async fn to_undo(&self, seq: i64) -> Result<Vec<UndoRow>, JournalError> {
        self.run(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT filter, before_state, before_status, after_state, after_status, certain, left_etag,
                        left_modified, left_modified_by, left_modified_on_behalf, put_back_by, put_back_at,
                        rewritten_by
                 FROM undo WHERE user = ?1 ORDER BY filter",
            )?;
            query.query_map([seq], undo_row)?.collect()
        })
        .await
    }

    /// Records what to do with each row of one user.
    pub async fn undo_surveyed(
        &self,
        seq: i64,
        filters: Vec<(Filter, bool)>,
        findings: Vec<UndoFinding>,
    ) -> Result<(), JournalError> {
        self.run(move |connection| record(connection, seq, filters, &findings))
            .await
    }

    /// Replaces what to do with each row of one user. Only where nothing was
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

/// The conditions for every row of an undo; none in other runs.
pub(super) fn terms(connection: &Connection) -> rusqlite::Result<Option<UndoTerms>> {
    let text: Option<String> =
        connection.query_row("SELECT undo FROM run", [], |row| row.get(0))?;
    let read =
        |text: String| serde_json::from_str(&text).map_err(|error| unreadable(0, "undo", error));
    text.map(read).transpose()
}

fn undo_row(row: &Row<'_>) -> rusqlite::Result<UndoRow> {
    let put_back_by = run_id(row, 10)?;
    let put_back_at = row.get::<_, Option<i64>>(11)?.map(time).transpose()?;
    Ok(UndoRow {
        filter: filter_id(row, 0)?,
        before: state_and_status(row, 1)?,
        left: RowStamp {
            now: state_and_status(row, 3)?,
            etag: row.get(6)?,
            modified: modification(row, 7)?,
        },
        proved: row.get(5)?,
        written: None,
        put_back: put_back_by
            .zip(put_back_at)
            .map(|(by, at)| PutBack { by, at }),
        rewritten_by: run_id(row, 12)?,
    })
}

fn run_id(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<RunId>> {
    let text: Option<String> = row.get(at)?;
    let read = |text: String| {
        let run = text.parse::<RunId>();
        run.map_err(|error| unreadable(at, "the id of a run", error))
    };
    text.map(read).transpose()
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
    for (row, decision) in findings {
        match decision {
            RowDecision::Write(change) => {
                add_change(connection, seq, change, RowOutcome::Planned)?;
            }
            RowDecision::Done(result) => {
                let seen = result.stamp.as_ref().map(|stamp| stamp.now);
                let change = Change {
                    from: seen.unwrap_or(row.left.now),
                    etag: None,
                    ..row.change()
                };
                settle_at_once(connection, seq, &change, result)?;
            }
        }
    }
    Ok(())
}

fn add_run_user(
    connection: &Connection,
    run_user: &RunUser,
    rows: &[UndoRow],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO user (id, object_id, label, populated, survey, unit) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            blob(run_user.id.0),
            run_user.object_id.map(|id| blob(id.0)),
            run_user.label,
            run_user.filters_populated,
            ReadState::ToRead,
            run_user.unit.map(|id| blob(id.0)),
        ])?;
    let seq = connection.last_insert_rowid();
    rows.iter()
        .try_for_each(|row| add_undo_row(connection, seq, row))
}

fn add_undo_row(connection: &Connection, seq: i64, row: &UndoRow) -> rusqlite::Result<()> {
    let UndoRow {
        filter,
        before,
        left,
        proved,
        written: _,
        put_back,
        rewritten_by,
    } = row;
    let Modification { on, by, on_behalf } = left.modified;
    connection
        .prepare_cached(
            "INSERT INTO undo (user, filter, before_state, before_status, after_state, after_status, certain, left_etag,
                               left_modified, left_modified_by, left_modified_on_behalf, put_back_by, put_back_at,
                               rewritten_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            seq,
            blob(filter.0),
            before.state.code(),
            before.status.0,
            left.now.state.code(),
            left.now.status.0,
            proved,
            left.etag,
            on.map(Timestamp::as_millisecond),
            by.map(|id| blob(id.0)),
            on_behalf.map(|id| blob(id.0)),
            put_back.as_ref().map(|it| it.by.as_str()),
            put_back.as_ref().map(|it| it.at.as_millisecond()),
            rewritten_by.as_ref().map(RunId::as_str),
        ])?;
    Ok(())
}
