//! The templates of a run: their states before, the wanted states, and the outcomes.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use uuid::Uuid;

use crate::model::{Modification, RowOutcome, Template, TemplateId, TemplateStamp, TemplateState};
use crate::plan::{NewUsers, TemplateChange, TemplateLeft};

use super::codes::{CHANGED, FAILED, OPEN};
use super::commit::Journal;
use super::outcome_counts::{ChangedRows, OutcomeCounts};
use super::rows::{blob, filter_type, kept, modification, state_and_status, unreadable};
use super::values::NAME;
use super::view::View;
use super::{JournalError, Phase, ReadError, run_header};

/// The number of a run's templates with each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TemplateTotals {
    /// All templates.
    pub selected: u64,
    /// Changed by the run.
    pub changed: u64,
    /// In the wanted state without the run.
    pub already: u64,
    /// Left alone, because somebody changed them since or they no longer exist.
    pub left: u64,
    /// Could not be changed.
    pub failed: u64,
    /// Not changed yet.
    pub planned: u64,
}

const COLUMNS: &str = "id, name, type, kind, from_default, from_state, from_status, etag,
    to_default, to_state, to_status, stage, maybe,
    after_default, after_state, after_status, after_etag,
    after_modified, after_modified_by, after_modified_on_behalf,
    left_default, left_state, left_status, left_etag,
    left_modified, left_modified_by, left_modified_on_behalf, left_proved, problem";

impl Journal {
    /// Adds the templates of a run, which completes its plan.
    pub async fn plan_templates(&self, changes: Vec<TemplateChange>) -> Result<(), JournalError> {
        self.run(move |connection| plan(connection, &changes)).await
    }

    /// Adds templates that another run changed. They are to be read.
    pub async fn add_templates(&self, changes: Vec<TemplateChange>) -> Result<(), JournalError> {
        self.run(move |connection| changes.iter().try_for_each(|one| put(connection, one)))
            .await
    }

    /// The templates that are not changed yet, in the order of their ids.
    pub async fn open_templates(&self) -> Result<Vec<TemplateChange>, JournalError> {
        self.run(|connection| select(connection, &format!("WHERE {OPEN} ORDER BY id")))
            .await
    }

    /// Records the intent to make this change. When this returns, the request may be sent.
    pub async fn intend_template(&self, mut change: TemplateChange) -> Result<(), JournalError> {
        let now = Timestamp::now().as_millisecond();
        change.outcome = RowOutcome::Sent;
        change.maybe_written = true;
        self.run_intent(move |connection| {
            put(connection, &change)?;
            let sql = "UPDATE template SET intended = ?2 WHERE id = ?1";
            connection.execute(sql, params![blob(change.template.id.0), now])?;
            Ok(())
        })
        .await
    }

    /// Records the outcome of a template.
    pub async fn settle_template(&self, change: TemplateChange) -> Result<(), JournalError> {
        let now = Timestamp::now().as_millisecond();
        self.run(move |connection| {
            put(connection, &change)?;
            let sql = "UPDATE template SET settled = ?2 WHERE id = ?1";
            connection.execute(sql, params![blob(change.template.id.0), now])?;
            Ok(())
        })
        .await
    }

    /// How many filters and templates are not changed yet.
    pub async fn items_to_change(&self) -> Result<u64, JournalError> {
        self.run(|connection| {
            let sql = format!(
                "SELECT (SELECT count(*) FROM change WHERE {OPEN}) + (SELECT count(*) FROM template WHERE {OPEN})"
            );
            connection.query_row(&sql, [], |row| row.get(0))
        })
        .await
    }
}

/// Stores the templates of a run, which completes its plan.
pub(super) fn plan(connection: &Connection, changes: &[TemplateChange]) -> rusqlite::Result<()> {
    for change in changes {
        put(connection, change)?;
    }
    let digest = View::new(connection).digest()?;
    connection.execute("UPDATE run SET digest = ?1", [digest.to_string()])?;
    run_header::set_phase(connection, Phase::Planned)
}

/// Requeues the templates that could not be changed. Returns how many.
pub(super) fn requeue_failed(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = format!("UPDATE template SET stage = ?1, problem = NULL WHERE {FAILED}");
    let templates = connection.execute(&sql, [RowOutcome::Planned])?;
    Ok(u64::try_from(templates).unwrap_or(u64::MAX))
}

/// Templates left; those changed, possibly changed or left; and all.
pub(super) fn left(connection: &Connection) -> rusqlite::Result<(u64, u64, u64)> {
    let sql = format!(
        "SELECT coalesce(sum({OPEN}), 0), coalesce(sum({OPEN} OR {CHANGED} OR maybe), 0), count(*) FROM template"
    );
    connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// The templates that are not changed yet, for the digest.
pub(super) fn open(connection: &Connection) -> rusqlite::Result<Vec<TemplateChange>> {
    select(connection, &format!("WHERE {OPEN} ORDER BY id"))
}

/// All templates of the run, in the order of their ids.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<TemplateChange>> {
    select(connection, "ORDER BY id")
}

impl View<'_> {
    /// The templates of the run, by kind, type and name.
    pub fn templates(&self) -> Result<Vec<TemplateChange>, ReadError> {
        Ok(select(self.connection(), "ORDER BY kind, type, name, id")?)
    }

    /// Templates that new users get additionally, or no longer, when the rest is changed.
    pub fn new_users(&self) -> Result<NewUsers, ReadError> {
        let (mut more, mut fewer) = (0, 0);
        for change in open(self.connection())? {
            let (was, will) = (change.template.default, change.wanted.default);
            more += u64::from(will && !was);
            fewer += u64::from(was && !will);
        }
        Ok(NewUsers { more, fewer })
    }

    /// The number of templates with each outcome.
    pub fn template_totals(&self) -> Result<TemplateTotals, ReadError> {
        let counts = OutcomeCounts::read(self.connection(), ChangedRows::Templates)?;
        Ok(TemplateTotals {
            selected: counts.all,
            changed: counts.changed,
            already: counts.already,
            left: counts.left,
            failed: counts.failed,
            planned: counts.planned,
        })
    }
}

fn select(connection: &Connection, which: &str) -> rusqlite::Result<Vec<TemplateChange>> {
    let mut query =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM template {which}"))?;
    query.query_map([], change)?.collect()
}

fn change(row: &Row<'_>) -> rusqlite::Result<TemplateChange> {
    let before = state(row, 4)?;
    let left = match row.get::<_, Option<bool>>(27)? {
        Some(proved) => Some(TemplateLeft {
            stamp: stamp(row, 20)?,
            proved,
        }),
        None => None,
    };
    let after = row.get::<_, Option<bool>>(13)?;
    let problem: Option<String> = row.get(28)?;
    let problem = problem
        .map(|text| serde_json::from_str(&text).map_err(|error| unreadable(28, "problem", error)));
    Ok(TemplateChange {
        template: Template {
            id: TemplateId(Uuid::from_bytes(row.get(0)?)),
            name: row.get(1)?,
            filter_type: filter_type(row, 2)?,
            kind: row.get(3)?,
            default: before.default,
            now: before.now(),
            etag: row.get(7)?,
            modified: Modification::default(),
        },
        wanted: state(row, 8)?,
        outcome: row.get(11)?,
        maybe_written: row.get(12)?,
        after: after.map(|_| stamp(row, 13)).transpose()?,
        problem: problem.transpose()?,
        left,
    })
}

/// Default flag, state and status, from three adjacent columns.
fn state(row: &Row<'_>, at: usize) -> rusqlite::Result<TemplateState> {
    let now = state_and_status(row, at + 1)?;
    Ok(TemplateState {
        default: row.get(at)?,
        state: now.state,
        status: now.status,
    })
}

/// The same, followed by the version and three columns of the last change.
fn stamp(row: &Row<'_>, at: usize) -> rusqlite::Result<TemplateStamp> {
    Ok(TemplateStamp {
        state: state(row, at)?,
        etag: row.get(at + 3)?,
        modified: modification(row, at + 4)?,
    })
}

/// Writes a whole row, except for the times of intent and result.
fn put(connection: &Connection, change: &TemplateChange) -> rusqlite::Result<()> {
    let TemplateChange {
        template,
        wanted,
        outcome,
        maybe_written,
        after,
        problem,
        left,
    } = change;
    let problem = problem.as_ref().map(serde_json::to_string).transpose();
    let problem = problem.map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    let after = after.as_ref();
    let stamp = left.as_ref().map(|left| &left.stamp);
    let on = |stamp: Option<&TemplateStamp>| stamp?.modified.on.map(Timestamp::as_millisecond);
    let by = |stamp: Option<&TemplateStamp>| stamp?.modified.by.map(|id| blob(id.0));
    let behalf = |stamp: Option<&TemplateStamp>| stamp?.modified.on_behalf.map(|id| blob(id.0));
    let columns = COLUMNS.split(',').map(str::trim);
    let updates: Vec<_> = columns
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    let sql = format!(
        "INSERT INTO template ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                 ?23, ?24, ?25, ?26, ?27, ?28, ?29)
         ON CONFLICT (id) DO UPDATE SET {}",
        updates.join(", ")
    );
    connection.prepare_cached(&sql)?.execute(params![
        blob(template.id.0),
        kept(&template.name, NAME),
        template.filter_type.as_str(),
        template.kind,
        template.default,
        template.now.state.code(),
        template.now.status.0,
        template.etag,
        wanted.default,
        wanted.state.code(),
        wanted.status.0,
        outcome,
        maybe_written,
        after.map(|it| it.state.default),
        after.map(|it| it.state.state.code()),
        after.and_then(|it| it.state.status.0),
        after.and_then(|it| it.etag.as_ref()),
        on(after),
        by(after),
        behalf(after),
        stamp.map(|it| it.state.default),
        stamp.map(|it| it.state.state.code()),
        stamp.and_then(|it| it.state.status.0),
        stamp.and_then(|it| it.etag.as_ref()),
        on(stamp),
        by(stamp),
        behalf(stamp),
        left.as_ref().map(|left| left.proved),
        problem,
    ])?;
    Ok(())
}
