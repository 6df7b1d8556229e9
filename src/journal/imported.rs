//! Imported runs: their files were written elsewhere, and may be wrong about users.

use rusqlite::{Connection, params};

use crate::model::{Problem, ReadState, RowOutcome, Stage};

use super::JournalError;
use super::codes::{OPEN, TO_READ};
use super::commit::Journal;
use super::rows::filter_id;
use super::survey::{add_problem, now};

impl Journal {
    /// Fails these users, by their numbers in the run: nothing of them is read or changed, and their losses
    /// are not counted. `resume` tries them again.
    pub async fn refuse_users(&self, users: Vec<(i64, Problem)>) -> Result<(), JournalError> {
        self.run(move |connection| {
            let at = now();
            users
                .iter()
                .try_for_each(|(seq, problem)| refuse(connection, *seq, problem, at))
        })
        .await
    }
}

fn refuse(connection: &Connection, seq: i64, problem: &Problem, at: i64) -> rusqlite::Result<()> {
    let open =
        format!("SELECT filter FROM change WHERE user = ?1 AND {OPEN} ORDER BY filter LIMIT 1");
    let mut query = connection.prepare_cached(&open)?;
    let first = query.query_map([seq], |row| filter_id(row, 0))?.next();
    let problem = match first.transpose()? {
        // It is over once that filter is settled.
        Some(filter) => Problem {
            stage: Stage::Apply,
            ..problem.clone().about(filter)
        },
        None => problem.clone(),
    };
    connection
        .prepare_cached(&format!(
            "UPDATE change SET stage = ?2, settled = ?3 WHERE user = ?1 AND {OPEN}"
        ))?
        .execute(params![seq, RowOutcome::Failed, at])?;
    connection
        .prepare_cached("DELETE FROM impact WHERE user = ?1")?
        .execute([seq])?;
    connection
        .prepare_cached(&format!(
            "UPDATE user SET survey = ?2 WHERE seq = ?1 AND {TO_READ}"
        ))?
        .execute(params![seq, ReadState::Failed])?;
    add_problem(connection, seq, &problem, at)
}
