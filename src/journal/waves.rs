//! What is left of a run, and the waves in which it is changed.
//!
//! The wave of a row is recorded when the wave begins, so that an interrupted wave is finished with
//! the same users.

use rusqlite::{Connection, params};

use crate::model::{RunId, State};
use crate::plan::{PlanDigest, RunSettings};

use super::codes::{CHANGED, FAILED, OPEN};
use super::commit::Journal;
use super::history::{self, HistoryEntry, HistoryKind};
use super::view::View;
use super::{JournalError, Phase, run_header, templates};

/// What is left of a run, for the question to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The digest of what is left.
    pub digest: PlanDigest,
    /// Filters or templates left.
    pub filters: u64,
    /// Users left.
    pub users: u64,
    /// Users or templates that were changed, may have been changed, or are left; each once.
    pub touched: u64,
    /// Users or templates that were selected.
    pub selected: u64,
    /// Whether any filter left is to be deactivated.
    pub deactivates: bool,
    /// The wave that comes next.
    pub wave: NextWave,
    /// The run that began to undo this one.
    pub undone_by: Option<RunId>,
}

/// The wave that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextWave {
    /// Its number, from 1.
    pub number: u64,
    /// Its filters.
    pub filters: u64,
    /// Its users.
    pub users: u64,
    /// Users in the wave after it.
    pub next_users: u64,
}

/// The users of the wave ?1, at most ?2: those of an interrupted wave, else the next ones left.
pub(super) fn users_of_wave() -> String {
    format!(
        "SELECT user FROM change WHERE {OPEN} AND wave = ?1
         UNION SELECT user FROM (SELECT DISTINCT user FROM change WHERE {OPEN} ORDER BY user LIMIT ?2)
         WHERE NOT EXISTS (SELECT 1 FROM change WHERE {OPEN} AND wave = ?1)"
    )
}

/// The outcomes of a wave's users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaveTotals {
    /// The wave's number, from 1.
    pub number: u64,
    /// Users with a changed filter, and none that failed.
    pub changed: u64,
    /// Users with a filter that could not be changed.
    pub failed: u64,
}

fn wave_totals() -> String {
    format!(
        "SELECT coalesce(sum(changed AND NOT failed), 0), coalesce(sum(failed), 0)
         FROM (SELECT max({CHANGED}) AS changed, max({FAILED}) AS failed FROM change WHERE wave = ?1 GROUP BY user)"
    )
}

impl Journal {
    /// What is left, in waves of these sizes.
    pub async fn left(&self, settings: RunSettings) -> Result<Left, JournalError> {
        self.run(move |connection| left(connection, &settings))
            .await
    }

    /// Begins the next wave and records the agreement. Returns false and records nothing where something else
    /// is left than was agreed to.
    pub async fn begin_wave(
        &self,
        agreed: Left,
        settings: RunSettings,
        entry: HistoryEntry,
    ) -> Result<bool, JournalError> {
        self.run(move |connection| {
            if left(connection, &settings)? != agreed {
                return Ok(false);
            }
            assign(connection, agreed.wave)?;
            keep_settings(connection, &settings)?;
            run_header::set_phase(connection, Phase::Applying)?;
            run_header::forget_outcome(connection)?;
            history::add(connection, &entry)?;
            Ok(true)
        })
        .await
    }

    /// The outcomes of the last wave that was begun.
    pub async fn last_wave(&self) -> Result<WaveTotals, JournalError> {
        self.run(|connection| {
            let number = last_wave(connection)?.unwrap_or(0);
            connection.query_row(&wave_totals(), [number], |row| {
                Ok(WaveTotals {
                    number,
                    changed: row.get(0)?,
                    failed: row.get(1)?,
                })
            })
        })
        .await
    }

    /// The number of the wave after the last one that was begun.
    pub async fn next_wave_number(&self) -> Result<u64, JournalError> {
        self.run(|connection| Ok(last_wave(connection)?.unwrap_or(0) + 1))
            .await
    }
}

/// Stores the settings of the run; records in the history where they are new.
fn keep_settings(connection: &Connection, settings: &RunSettings) -> rusqlite::Result<()> {
    let kept = history::settings(connection)?;
    if kept.as_ref() == Some(settings) {
        return Ok(());
    }
    history::keep(connection, settings)?;
    let changed = HistoryEntry::now(HistoryKind::SettingsChanged, None);
    match kept {
        Some(_) => history::add(connection, &changed),
        None => Ok(()),
    }
}

fn last_wave(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    connection.query_row("SELECT max(wave) FROM change", [], |row| row.get(0))
}

fn left(connection: &Connection, settings: &RunSettings) -> rusqlite::Result<Left> {
    let view = View::new(connection);
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u64>(0));
    let deactivates = connection.query_row(
        &format!("SELECT EXISTS (SELECT 1 FROM change WHERE {OPEN} AND to_state = ?1)"),
        [State::Inactive.code()],
        |row| row.get(0),
    )?;
    let users = view.users_to_change()?;
    let (templates, templates_touched, templates_selected) = templates::left(connection)?;
    Ok(Left {
        digest: view.digest()?,
        filters: count(&format!("SELECT count(*) FROM change WHERE {OPEN}"))? + templates,
        users,
        touched: count(&format!(
            "SELECT count(DISTINCT user) FROM change WHERE {OPEN} OR {CHANGED} OR maybe"
        ))? + templates_touched,
        selected: count("SELECT count(*) FROM user")? + templates_selected,
        deactivates,
        wave: next_wave(connection, settings, users)?,
        undone_by: history::undone_by(connection)?,
    })
}

/// Finishes an interrupted wave before another begins, unless other waves were asked for since.
fn next_wave(
    connection: &Connection,
    settings: &RunSettings,
    left: u64,
) -> rusqlite::Result<NextWave> {
    let last = last_wave(connection)?;
    let cut = connection.query_row(
        &format!("SELECT count(DISTINCT user), count(*) FROM change WHERE {OPEN} AND wave = ?1"),
        [last],
        |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)),
    )?;
    let (number, users, filters) = match (last, cut) {
        (Some(last), (users @ 1.., filters)) if last >= settings.first_wave => {
            (last, users, filters)
        }
        (last, _) => {
            let number = (last.unwrap_or(0) + 1).max(settings.first_wave);
            let users = settings.wave(number).users(left);
            let filters = connection.query_row(
                &format!(
                    "SELECT count(*) FROM change WHERE {OPEN} AND user IN ({})",
                    users_of_wave()
                ),
                [number, users],
                |row| row.get(0),
            )?;
            (number, users, filters)
        }
    };
    Ok(NextWave {
        number,
        filters,
        users,
        next_users: settings.wave(number + 1).users(left.saturating_sub(users)),
    })
}

fn assign(connection: &Connection, wave: NextWave) -> rusqlite::Result<()> {
    let NextWave { number, users, .. } = wave;
    connection.execute(
        &format!(
            "UPDATE change SET wave = ?1 WHERE {OPEN} AND user IN ({})",
            users_of_wave()
        ),
        params![number, users],
    )?;
    Ok(())
}
