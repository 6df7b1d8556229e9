//! The data that an undo reads of the run that it undoes.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::codes::CHANGED;
use super::rows::{blob, filter_id, state_and_status, time, unit_id};
use super::survey::{RunUser, run_user};
use super::templates::all;
use super::undo::left;
use super::{JournalError, RunReader};
use crate::model::{TemplateId, UnitId};
use crate::plan::{TemplateChange, UndoRow};

/// The time in which a run wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WritingTime {
    /// The first intent.
    pub from: Timestamp,
    /// The last intent or answer, or the end of the run.
    pub until: Timestamp,
}

impl RunReader {
    /// The next users whose rows this run changed or may have changed, with these rows; `after` and `limit`
    /// as in a survey.
    pub fn done(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(RunUser, Vec<UndoRow>)>, JournalError> {
        self.read(|connection| done(connection, after, limit))
    }

    /// When this run wrote; the time when it began, where it never did.
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

    /// The changes that undo what this run did, or may have done, to templates; with the time of each write.
    pub fn templates_done(&self) -> Result<Vec<(TemplateChange, Timestamp)>, JournalError> {
        let mut done = Vec::new();
        for change in self.read(all)? {
            let Some(undone) = change.undone() else {
                continue;
            };
            let written = self.read(|connection| written(connection, change.template.id))?;
            let written = written.map_or(self.header.started, |(intended, _)| intended);
            done.push((undone, written));
        }
        Ok(done)
    }

    /// The state in which this run left a template, and when it wrote it last; none where it did not.
    pub(super) fn template_written(
        &self,
        id: TemplateId,
    ) -> Result<Option<(TemplateChange, Timestamp)>, JournalError> {
        self.read(|connection| {
            let Some((_, last)) = written(connection, id)? else {
                return Ok(None);
            };
            let mut all = all(connection)?.into_iter();
            let change = all.find(|change| change.template.id == id);
            Ok(change.map(|change| (change, last)))
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
        let run_user = run_user(row, 0)?;
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
            Some((last, rows)) if last.seq == run_user.seq => rows.push(done),
            _ => users.push((run_user, vec![done])),
        }
    }
    Ok(users)
}

/// When a template was written: the time of the intent, and the last known time.
fn written(
    connection: &Connection,
    id: TemplateId,
) -> rusqlite::Result<Option<(Timestamp, Timestamp)>> {
    let sql = "SELECT intended, max(coalesce(settled, 0), intended) FROM template
               WHERE id = ?1 AND intended IS NOT NULL";
    let times = connection.query_row(sql, [blob(id.0)], |row| {
        Ok((time(row.get(0)?)?, time(row.get(1)?)?))
    });
    times.optional()
}
