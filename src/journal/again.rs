//! Trying again what failed in a run that is finished.

use rusqlite::{Connection, params};

use crate::model::{ReadState, RowOutcome};

use super::commit::Journal;
use super::{JournalError, Phase, run_header, templates};

impl Journal {
    /// Sets back what failed: users who could not be read are to be read again, and changes that could not be made
    /// to be made. Answers how many users and templates that concerns; where there is none, nothing is touched.
    ///
    /// Problems stay; they are over once what they are about is settled.
    pub async fn requeue_failed(&self) -> Result<u64, JournalError> {
        self.run(requeue_failed).await
    }

    /// Whether any request that changes something may have left.
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
