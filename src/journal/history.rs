//! What was planned, agreed to and ended, in order; and how the run is carried out.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::RunId;
use crate::plan::{PlanDigest, RunSettings};

use super::JournalError;
use super::commit::Journal;
use super::rows::{time, unknown, unreadable};

/// What happened to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryKind {
    /// Its plan was completed, or made anew.
    Planned,
    /// Users were taken out of the plan.
    Narrowed,
    /// Somebody agreed to a wave.
    Agreed,
    /// A wave ended, and users are left.
    WaveOver,
    /// It was left before its end.
    Stopped,
    /// It ended.
    Ended,
    /// Another run began to undo it.
    UndoBegun,
    /// How it is carried out was changed.
    SettingsChanged,
    /// Its file was taken over from elsewhere, or its users were.
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
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: HistoryKind,
    /// The digest of what was left.
    pub digest: Option<PlanDigest>,
    /// Users that were left.
    pub users: Option<u64>,
    /// Filters that were left.
    pub filters: Option<u64>,
    /// More, by kind: of an agreement who agreed and how (JSON); of an undo the run; of a stop the reason.
    pub detail: Option<String>,
}

impl HistoryEntry {
    /// An entry of now without numbers.
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

    /// How the run is carried out; none in a file from before that was kept.
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

/// Every entry, in order.
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

/// The run that began to undo this one last.
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
