//! The header of a run: the one row of table `run`.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::rows::{time, unreadable};
use crate::model::{
    Caller, ClaimedAddress, Operation, Organization, Outcome, RunId, ServerVersion, Target,
};
use crate::plan::{Criteria, Selection};

/// The progress of a run. It decides what `resume` does first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The users are being collected.
    Gathering,
    /// Their filters are being read.
    Surveying,
    /// The plan is complete and not agreed to yet.
    Planned,
    /// Agreed to; changes are being made.
    Applying,
    /// Nothing is left to do.
    Finished,
}

/// The number of requests of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// All attempts.
    pub total: u64,
    /// Answered with "too many requests".
    pub throttled: u64,
    /// Repeated requests.
    pub retried: u64,
}

/// Identity, subject and progress of a run.
#[derive(Clone, Debug)]
pub struct RunHeader {
    /// The run's id.
    pub id: RunId,
    /// What it does.
    pub operation: Operation,
    /// What it changes: filters or templates.
    pub target: Target,
    /// The run that it undoes, if it is an undo.
    pub undoes: Option<RunId>,
    /// The address of the environment, as the file says it.
    pub environment: ClaimedAddress,
    /// The organisation there.
    pub organization: Organization,
    /// The version of the server.
    pub version: ServerVersion,
    /// The user who signed in.
    pub caller: Caller,
    /// Which users it is about.
    pub selection: Selection,
    /// Which of their filters it is about.
    pub criteria: Criteria,
    /// When it was created.
    pub started: Timestamp,
    /// How far it is.
    pub phase: Phase,
    /// When it ended, or was last left.
    pub finished: Option<Timestamp>,
    /// How it ended, or was last left.
    pub outcome: Option<Outcome>,
    /// Whether this server was seen to name the caller in `modifiedonbehalfby`.
    pub records_on_behalf: bool,
    /// Its requests up to now.
    pub requests: Requests,
}

pub(super) fn insert(connection: &Connection, header: &RunHeader) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO run (one, id, operation, undoes, environment, organization, server_major, server_minor,
                          caller, selection, criteria, tool, started, phase, target)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            header.id.as_str(),
            word(&header.operation)?,
            header.undoes.as_ref().map(RunId::as_str),
            header.environment.to_string(),
            json(&header.organization)?,
            header.version.major,
            header.version.minor,
            json(&header.caller)?,
            json(&header.selection)?,
            json(&header.criteria)?,
            env!("CARGO_PKG_VERSION"),
            header.started.as_millisecond(),
            word(&header.phase)?,
            word(&header.target)?,
        ],
    )?;
    Ok(())
}

pub(super) fn read(connection: &Connection) -> rusqlite::Result<RunHeader> {
    connection.query_row("SELECT * FROM run", [], |row| {
        Ok(RunHeader {
            id: run_id(row, "id")?,
            operation: from_word(row, "operation")?,
            target: from_word(row, "target")?,
            undoes: match row.get::<_, Option<String>>("undoes")? {
                Some(_) => Some(run_id(row, "undoes")?),
                None => None,
            },
            environment: text(row, "environment", |t| {
                t.parse::<ClaimedAddress>().map_err(|e| e.to_string())
            })?,
            organization: from_json(row, "organization")?,
            version: ServerVersion {
                major: row.get("server_major")?,
                minor: row.get("server_minor")?,
            },
            caller: from_json(row, "caller")?,
            selection: from_json(row, "selection")?,
            criteria: from_json(row, "criteria")?,
            started: time(row.get("started")?)?,
            phase: from_word(row, "phase")?,
            finished: row
                .get::<_, Option<i64>>("finished")?
                .map(time)
                .transpose()?,
            outcome: match row.get::<_, Option<String>>("outcome")? {
                Some(_) => Some(from_word(row, "outcome")?),
                None => None,
            },
            records_on_behalf: row.get("stamps")?,
            requests: Requests {
                total: row.get("requests")?,
                throttled: row.get("throttled")?,
                retried: row.get("retried")?,
            },
        })
    })
}

pub(super) fn set_phase(connection: &Connection, phase: Phase) -> rusqlite::Result<()> {
    connection.execute("UPDATE run SET phase = ?1", [word(&phase)?])?;
    Ok(())
}

pub(super) fn set_records_on_behalf(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE run SET stamps = 1 WHERE stamps = 0", [])?;
    Ok(())
}

/// Adds the requests of a part of the run.
pub(super) fn add_requests(connection: &Connection, more: Requests) -> rusqlite::Result<()> {
    let Requests {
        total,
        throttled,
        retried,
    } = more;
    connection.execute(
        "UPDATE run SET requests = requests + ?1, throttled = throttled + ?2, retried = retried + ?3",
        params![total, throttled, retried],
    )?;
    Ok(())
}

pub(super) fn set_outcome(
    connection: &Connection,
    outcome: Outcome,
    at: Timestamp,
) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE run SET outcome = ?1, finished = ?2",
        params![word(&outcome)?, at.as_millisecond()],
    )?;
    Ok(())
}

/// The run continues after its end.
pub(super) fn forget_outcome(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE run SET outcome = NULL, finished = NULL", [])?;
    Ok(())
}

fn run_id(row: &Row<'_>, column: &str) -> rusqlite::Result<RunId> {
    text(row, column, |t| {
        t.parse::<RunId>().map_err(|e| e.to_string())
    })
}

fn json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

/// A value that is one word in JSON, without its quotation marks.
fn word<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    Ok(json(value)?.trim_matches('"').to_owned())
}

fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    text(row, column, |t| {
        serde_json::from_str(t).map_err(|e| e.to_string())
    })
}

fn from_word<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let value = |t: &str| serde_json::from_value(t.into()).map_err(|e| e.to_string());
    text(row, column, value)
}

fn text<T>(
    row: &Row<'_>,
    column: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> rusqlite::Result<T> {
    let at = row.as_ref().column_index(column)?;
    let text: String = row.get(at)?;
    read(&text).map_err(|why| unreadable(at, column, why))
}
