//! Repeats what failed in a finished run.

use rusqlite::{Connection, params};

use crate::model::{ReadState, RowOutcome};

use super::commit::Journal;
use super::{JournalError, Phase, run_header, templates};

impl Journal {
    /// Requeues what failed: users who could not be read are read again, and changes that failed are
    /// made again. Returns how many users and templates this concerns; if none, nothing changes.
    ///
    /// Problems stay. They are over once their filter or user is settled.
    pub async fn requeue_failed(&self) -> Result<u64, JournalError> {
        self.run(requeue_failed).await
    }

    /// Whether any request that writes may have been sent.
    pub async fn has_written(&self) -> Result<bool, JournalError> {
        self.view(|view| view.has_written()).await
    }
}

fn requeue_failed(connection: &Connection) -> rusqlite::Result<u64> {
    let users: u64 = connection.query_row(
        "SELECT count(*) FROM user
         WHERE survey = ?1 OR seq IN (SELECT user FROM change WHERE stage = ?2)",
        params![ReadState::Failed, RowOutcome::Failed],
        |row| row.get(0),
    )?;
    if users > 0 {
        connection.execute(
            "UPDATE user SET survey = ?1 WHERE survey = ?2",
            [ReadState::ToRead, ReadState::Failed],
        )?;
        connection.execute(
            "UPDATE change SET stage = ?1, wave = NULL WHERE stage = ?2",
            [RowOutcome::Planned, RowOutcome::Failed],
        )?;
    }
    let items = users + templates::requeue_failed(connection)?;
    if items > 0 {
        run_header::set_phase(connection, Phase::Surveying)?;
        run_header::forget_outcome(connection)?;
    }
    Ok(items)
}
