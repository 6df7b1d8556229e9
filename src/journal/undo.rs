//! Recording an undo: what another run changed, and what becomes of each row.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::model::{Filter, Modification, ReadState, RowOutcome, RowStamp, RunId, UnitId};
use crate::plan::{Change, PutBack, RowDecision, UndoRow, UndoTerms};

use super::apply::settle_at_once;
use super::codes::CHANGED;
use super::commit::Journal;
use super::rows::{blob, filter_id, modification, state_and_status, unit_id, unreadable};
use super::run_header::time;
use super::survey::{self, RunUser, Surveyed, add_change, subject};
use super::{JournalError, RunReader};

/// What undo found of one row: the row, and what to do.
pub type UndoFinding = (UndoRow, RowDecision);

/// The span of time in which a run wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WritingTime {
    /// The first intent.
    pub from: Timestamp,
    /// The last intent or answer, or the end of the run.
    pub until: Timestamp,
}

impl RunReader {
    /// The next users of whom this run changed rows, or may have, with those rows; `after` and `limit`
    /// as in a survey.
    pub fn done(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(RunUser, Vec<UndoRow>)>, JournalError> {
        self.read(|connection| done(connection, after, limit))
    }

    /// When this run wrote; the time of its begin where it never did.
    pub fn writing_time(&self) -> Result<WritingTime, JournalError> {
        self.read(|connection| {
            let sql = "SELECT min(intended), max(max(coalesce(settled, 0), intended))
                       FROM (SELECT intended, settled FROM change UNION ALL SELECT intended, settled FROM template)
                       WHERE intended IS NOT NULL";
            let (first, last) = connection.query_row(sql, [], |row| {
                Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
            })?;
            let first = first.map(time).transpose()?;
            let last = last.map(time).transpose()?;
            let from = first.unwrap_or(self.header.started);
            let last = last.unwrap_or(from);
            let until = self.header.finished.map_or(last, |ended| ended.max(last));
            Ok(WritingTime { from, until })
        })
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
) -> rusqlite::Result<Vec<(RunUser, Vec<UndoRow>)>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT u.seq, u.id, u.object_id, u.label, u.populated, u.unit,
                c.filter, c.from_state, c.from_status, c.{CHANGED}, c.to_state, c.to_status,
                c.after_state, c.after_status, c.after_etag, c.after_modified, c.after_modified_by,
                c.after_modified_on_behalf, c.intended
         FROM (SELECT DISTINCT user FROM change WHERE ({CHANGED} OR maybe) AND user > ?1 ORDER BY user LIMIT ?2) AS next
         JOIN user AS u ON u.seq = next.user
         JOIN change AS c ON c.user = next.user AND (c.{CHANGED} OR c.maybe)
         ORDER BY u.seq, c.filter"
    ))?;
    let mut rows = query.query(params![after, limit])?;
    let mut users: Vec<(RunUser, Vec<UndoRow>)> = Vec::new();
    while let Some(row) = rows.next()? {
        let subject = subject(row, 0)?;
        let proved: bool = row.get(9)?;
        let written = row.get::<_, Option<i64>>(18)?;
        let done = UndoRow {
            filter: filter_id(row, 6)?,
            before: state_and_status(row, 7)?,
            left: left(row, 10, proved)?,
            proved,
            written: written.map(time).transpose()?,
            put_back: None,
            rewritten_by: None,
        };
        match users.last_mut() {
            Some((last, rows)) if last.seq == subject.seq => rows.push(done),
            _ => users.push((subject, vec![done])),
        }
    }
    Ok(users)
}

/// What the run left, from eight columns next to each other: what it saw after its write; where it is not proved that it
/// wrote the row, what it wrote.
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
    /// Records what holds for every row of this undo; before its rows are added.
    pub async fn set_undo_terms(&self, terms: UndoTerms) -> Result<(), JournalError> {
        let text = serde_json::to_string(&terms);
        self.run(move |connection| {
            let text = text.map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
            connection.execute("UPDATE run SET undo = ?1", [text])?;
            Ok(())
        })
        .await
    }

    /// What holds for every row of this undo; none where its file is older than that.
    pub async fn undo_terms(&self) -> Result<Option<UndoTerms>, JournalError> {
        self.run(terms).await
    }

    /// Adds users of whom another run changed rows, with those rows.
    pub async fn add_undo(&self, users: Vec<(RunUser, Vec<UndoRow>)>) -> Result<(), JournalError> {
        self.run(move |connection| {
            for (subject, rows) in &users {
                add_subject(connection, subject, rows)?;
            }
            Ok(())
        })
        .await
    }

    /// The rows of one user that are to be put back.
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

/// What holds for every row of an undo; none in a run that is none.
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

fn add_subject(
    connection: &Connection,
    subject: &RunUser,
    rows: &[UndoRow],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO user (id, object_id, label, populated, survey, unit) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            blob(subject.id.0),
            subject.object_id.map(|id| blob(id.0)),
            subject.label,
            subject.filters_populated,
            ReadState::ToRead,
            subject.unit.map(|id| blob(id.0)),
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
