//! Taking users out of a plan. Nothing was sent for them yet, and nothing will be: neither when the run is resumed, nor
//! when users who failed are tried again.

use rusqlite::{Connection, Row, params};

use crate::model::{ObjectId, ReadState, RowOutcome, UserId};
use crate::plan::PlanDigest;

use super::codes::{NOT_READ, OPEN, SKIPPED, TO_READ};
use super::commit::Journal;
use super::history::{self, HistoryEntry, HistoryKind};
use super::rows::{object_id, user_id};
use super::view::View;
use super::{JournalError, ReadError};

/// A user of a run, with every name that the run has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanUser {
    /// The user's number in this run.
    pub seq: i64,
    /// `systemuserid`.
    pub id: UserId,
    /// The Entra object id.
    pub object_id: Option<ObjectId>,
    /// How the user is named in output.
    pub label: String,
    /// The login; none where it is empty, or the run file does not have it.
    pub login: Option<String>,
    /// The e-mail address; none where the run file does not have it.
    pub email: Option<String>,
    /// Whether the user was skipped, as one who is disabled.
    pub skipped: bool,
    /// Whether the run has something to do for the user: to change, or to read again.
    pub is_in_plan: bool,
}

/// What became of a plan that was to be narrowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Narrowed {
    /// It was.
    Done {
        /// The digest of what is left.
        digest: PlanDigest,
        /// Users who are left.
        users: u64,
        /// Filters that are left.
        filters: u64,
    },
    /// What would be left has another digest than was expected; the plan is as it was.
    OtherPlan(PlanDigest),
    /// Nobody would be left; the plan is as it was.
    NobodyLeft,
}

impl View<'_> {
    /// Hands every user to `each`, in the order of the run.
    pub fn each_plan_user<E: From<ReadError>>(
        &self,
        mut each: impl FnMut(PlanUser) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!(
            "SELECT u.seq, u.id, u.object_id, u.label, u.login, u.email, u.{SKIPPED},
                    u.{NOT_READ} OR u.{TO_READ} OR EXISTS (SELECT 1 FROM change AS c WHERE c.user = u.seq AND c.{OPEN})
             FROM user AS u ORDER BY u.seq"
        );
        let user = |row: &Row<'_>| {
            Ok(PlanUser {
                seq: row.get(0)?,
                id: user_id(row, 1)?,
                object_id: object_id(row, 2)?,
                label: row.get(3)?,
                login: row.get(4)?,
                email: row.get(5)?,
                skipped: row.get(6)?,
                is_in_plan: row.get(7)?,
            })
        };
        self.each(&sql, user, &mut each)
    }
}

impl Journal {
    /// Takes these users out of the plan, by their numbers in the run. `detail` says in the history how they were
    /// chosen. Where what is left is not what is expected, or nothing is left, the plan stays as it was.
    pub async fn narrow(
        &self,
        users: Vec<i64>,
        expected: Option<PlanDigest>,
        detail: String,
    ) -> Result<Narrowed, JournalError> {
        self.run(move |connection| {
            connection.execute_batch("SAVEPOINT narrow")?;
            let narrowed = narrow(connection, &users, expected.as_ref(), detail)?;
            if !matches!(narrowed, Narrowed::Done { .. }) {
                connection.execute_batch("ROLLBACK TO narrow")?;
            }
            connection.execute_batch("RELEASE narrow")?;
            Ok(narrowed)
        })
        .await
    }
}

fn narrow(
    connection: &Connection,
    users: &[i64],
    expected: Option<&PlanDigest>,
    detail: String,
) -> rusqlite::Result<Narrowed> {
    for &seq in users {
        take_out(connection, seq)?;
    }
    let view = View::new(connection);
    let digest = view.digest()?;
    if expected.is_some_and(|expected| *expected != digest) {
        return Ok(Narrowed::OtherPlan(digest));
    }
    let (left, filters) = (view.users_to_change()?, view.filters()?.planned);
    if filters == 0 {
        return Ok(Narrowed::NobodyLeft);
    }
    if !users.is_empty() {
        connection.execute("UPDATE run SET digest = ?1", [digest.to_string()])?;
        let entry = HistoryEntry {
            digest: Some(digest.clone()),
            users: Some(left),
            filters: Some(filters),
            ..HistoryEntry::now(HistoryKind::Narrowed, Some(detail))
        };
        history::add(connection, &entry)?;
    }
    Ok(Narrowed::Done {
        digest,
        users: left,
        filters,
    })
}

/// What the user would have lost is not lost any more.
fn take_out(connection: &Connection, seq: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!(
            "UPDATE change SET stage = ?2, wave = NULL WHERE user = ?1 AND {OPEN}"
        ))?
        .execute(params![seq, RowOutcome::LeftOut])?;
    connection
        .prepare_cached("DELETE FROM impact WHERE user = ?1")?
        .execute([seq])?;
    connection
        .prepare_cached("UPDATE user SET survey = ?2 WHERE seq = ?1")?
        .execute(params![seq, ReadState::LeftOut])?;
    Ok(())
}
