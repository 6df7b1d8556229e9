//! The history of a run: what was planned, agreed to and ended, in order; and the settings of the run.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::RunId;
use crate::plan::{PlanDigest, RunSettings};

use super::JournalError;
use super::commit::Journal;
use super::rows::{time, unknown, unreadable};

/// An event of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryKind {
    /// The plan was completed, or made again.
    Planned,
    /// Users were removed from the plan.
    Narrowed,
    /// The user agreed to a wave.
    Agreed,
    /// A wave ended, with users left.
    WaveOver,
    /// The run was left before its end.
    Stopped,
    /// It ended.
    Ended,
    /// Another run began to undo it.
    UndoBegun,
    /// The settings of the run were changed.
    SettingsChanged,
    /// Its file, or its list of users, was imported.
    Imported,
}

impl HistoryKind {
    pub(super) const ALL: [Self; 9] = [
        Self::Planned,
        Self::Narrowed,
        Self::Agreed,
        Self::WaveOver,
        Self::Stopped,
        Self::Ended,
        Self::UndoBegun,
        Self::SettingsChanged,
        Self::Imported,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Narrowed => "narrowed",
            Self::Agreed => "agreed",
            Self::WaveOver => "wave-over",
            Self::Stopped => "stopped",
            Self::Ended => "ended",
            Self::UndoBegun => "undo-begun",
            Self::SettingsChanged => "settings-changed",
            Self::Imported => "imported",
        }
    }
}

/// One entry of a run's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The time of the event.
    pub at: Timestamp,
    /// The event.
    pub kind: HistoryKind,
    /// The digest of what was left.
    pub digest: Option<PlanDigest>,
    /// The number of users left.
    pub users: Option<u64>,
    /// The number of filters left.
    pub filters: Option<u64>,
    /// Details by kind: for an agreement who agreed and how (JSON); for an undo its run; for a stop the reason.
    pub detail: Option<String>,
}

impl HistoryEntry {
    /// An entry with the present time and without numbers.
    pub fn now(kind: HistoryKind, detail: Option<String>) -> Self {
        Self {
            at: Timestamp::now(),
            kind,
            digest: None,
            users: None,
            filters: None,
            detail,
        }
    }
}

impl Journal {
    /// Adds an entry to the history.
    pub async fn add_history(&self, entry: HistoryEntry) -> Result<(), JournalError> {
        self.run(move |connection| add(connection, &entry)).await
    }

    /// The settings of the run; none in a file of an older format without them.
    pub async fn settings(&self) -> Result<Option<RunSettings>, JournalError> {
        self.run(settings).await
    }
}

pub(super) fn add(connection: &Connection, entry: &HistoryEntry) -> rusqlite::Result<()> {
    let HistoryEntry {
        at,
        kind,
        digest,
        users,
        filters,
        detail,
    } = entry;
    connection.execute(
        "INSERT INTO history (at, kind, digest, users, filters, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            at.as_millisecond(),
            kind.as_str(),
            digest.as_ref().map(ToString::to_string),
            users,
            filters,
            detail
        ],
    )?;
    Ok(())
}

/// All entries, in order.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<HistoryEntry>> {
    let mut query = connection.prepare_cached(
        "SELECT at, kind, digest, users, filters, detail FROM history ORDER BY seq",
    )?;
    query.query_map([], entry)?.collect()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<HistoryEntry> {
    let word: String = row.get(1)?;
    let kind = HistoryKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word);
    let digest: Option<String> = row.get(2)?;
    let digest = digest.map(|text| text.parse::<PlanDigest>());
    Ok(HistoryEntry {
        at: time(row.get(0)?)?,
        kind: kind.ok_or_else(|| unknown(1, &word))?,
        digest: digest
            .transpose()
            .map_err(|error| unreadable(2, "digest", error))?,
        users: row.get(3)?,
        filters: row.get(4)?,
        detail: row.get(5)?,
    })
}

/// The last run that began to undo this one.
pub(super) fn undone_by(connection: &Connection) -> rusqlite::Result<Option<RunId>> {
    let sql = "SELECT detail FROM history WHERE kind = ?1 ORDER BY seq DESC LIMIT 1";
    let by = connection.query_row(sql, [HistoryKind::UndoBegun.as_str()], |row| {
        row.get::<_, Option<String>>(0)
    });
    Ok(by.optional()?.flatten().and_then(|run| run.parse().ok()))
}

pub(super) fn keep(connection: &Connection, settings: &RunSettings) -> rusqlite::Result<()> {
    let text = serde_json::to_string(settings)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection.execute("UPDATE run SET settings = ?1", [text])?;
    Ok(())
}

pub(super) fn settings(connection: &Connection) -> rusqlite::Result<Option<RunSettings>> {
    let text: Option<String> =
        connection.query_row("SELECT settings FROM run", [], |row| row.get(0))?;
    let read = |text: String| {
        serde_json::from_str(&text).map_err(|error| unreadable(0, "settings", error))
    };
    text.map(read).transpose()
}
