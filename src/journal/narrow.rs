//! Removes users from a plan, and adds them again. Nothing was or will be sent for removed users,
//! neither by `resume` nor when failed users are tried again.

use rusqlite::{Connection, Row, params};

use crate::model::{ObjectId, ReadState, RowOutcome, UserId};
use crate::plan::PlanDigest;

use super::codes::{LEFT_OUT, NOT_READ, OPEN, PLANNED, SKIPPED, TAKEN_OUT, TO_READ};
use super::commit::Journal;
use super::history::{self, HistoryEntry, HistoryKind};
use super::rows::{object_id, user_id};
use super::view::View;
use super::{JournalError, ReadError};

/// A user of a run, with all names in the run file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanUser {
    /// The user's number in this run.
    pub seq: i64,
    /// `systemuserid`.
    pub id: UserId,
    /// The Entra object id.
    pub object_id: Option<ObjectId>,
    /// The name in output.
    pub label: String,
    /// The login; none where it is empty or not in the run file.
    pub login: Option<String>,
    /// The e-mail address; none where it is not in the run file.
    pub email: Option<String>,
    /// Whether the user was skipped, for example because of being disabled.
    pub skipped: bool,
    /// What the plan contains for the user.
    pub standing: PlanStanding,
}

/// What a plan contains for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanStanding {
    /// Something to change or to read again. Nothing was sent yet.
    ToDo,
    /// The user was removed, and can be added again.
    LeftOut,
    /// A change of the user was sent, and others are left: the user cannot be removed.
    Begun,
    /// Nothing.
    Nothing,
}

/// Users to remove from a plan and to add again, by their numbers in the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanEdit {
    /// To remove, if nothing was sent for them.
    pub out: Vec<i64>,
    /// To add again, if they were removed.
    pub back: Vec<i64>,
}

/// The result of narrowing a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Narrowed {
    /// The plan was changed.
    Done {
        /// Users who were removed.
        out: u64,
        /// Users who were added again.
        back: u64,
        /// The digest of what is left.
        digest: PlanDigest,
        /// Users left.
        users: u64,
        /// Filters left.
        filters: u64,
    },
    /// The digest of what would be left is not the expected one. The plan is unchanged.
    OtherPlan(PlanDigest),
    /// No user would be left. The plan is unchanged.
    NobodyLeft,
}

impl View<'_> {
    /// Passes every user to `each`, in the order of the run.
    pub fn each_plan_user<E: From<ReadError>>(
        &self,
        mut each: impl FnMut(PlanUser) -> Result<(), E>,
    ) -> Result<(), E> {
        let of = |condition| {
            format!("EXISTS (SELECT 1 FROM change AS c WHERE c.user = u.seq AND {condition})")
        };
        let is_open = format!("u.{NOT_READ} OR u.{TO_READ} OR {}", of(format!("c.{OPEN}")));
        let is_begun = of(format!("NOT c.{PLANNED} AND NOT c.{LEFT_OUT}"));
        let sql = format!(
            "SELECT u.seq, u.id, u.object_id, u.label, u.login, u.email, u.{SKIPPED}, u.{TAKEN_OUT}, {is_open}, {is_begun}
             FROM user AS u ORDER BY u.seq",
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
                standing: match (row.get(7)?, row.get(8)?, row.get(9)?) {
                    (true, _, _) => PlanStanding::LeftOut,
                    (_, true, true) => PlanStanding::Begun,
                    (_, true, false) => PlanStanding::ToDo,
                    (_, false, _) => PlanStanding::Nothing,
                },
            })
        };
        self.each(&sql, user, &mut each)
    }
}

impl Journal {
    /// Removes users from the plan and adds users again. `detail` says in the history how they were chosen. Where the
    /// digest of what is left is not the expected one, or nothing is left, the plan stays as it was.
    pub async fn narrow(
        &self,
        edit: PlanEdit,
        expected: Option<PlanDigest>,
        detail: String,
    ) -> Result<Narrowed, JournalError> {
        self.run(move |connection| {
            connection.execute_batch("SAVEPOINT narrow")?;
            let narrowed = narrow(connection, &edit, expected.as_ref(), detail)?;
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
    edit: &PlanEdit,
    expected: Option<&PlanDigest>,
    detail: String,
) -> rusqlite::Result<Narrowed> {
    let (mut out, mut back) = (0, 0);
    for &seq in &edit.out {
        out += u64::from(take_out(connection, seq)?);
    }
    for &seq in &edit.back {
        back += u64::from(take_back(connection, seq)?);
    }
    let view = View::new(connection);
    let digest = view.digest()?;
    if expected.is_some_and(|expected| *expected != digest) {
        return Ok(Narrowed::OtherPlan(digest));
    }
    let (users, filters) = (view.users_to_change()?, view.filters()?.planned);
    if filters == 0 {
        return Ok(Narrowed::NobodyLeft);
    }
    if out > 0 || back > 0 {
        connection.execute("UPDATE run SET digest = ?1", [digest.to_string()])?;
        let entry = HistoryEntry {
            digest: Some(digest.clone()),
            users: Some(users),
            filters: Some(filters),
            ..HistoryEntry::now(HistoryKind::Narrowed, Some(detail))
        };
        history::add(connection, &entry)?;
    }
    Ok(Narrowed::Done {
        out,
        back,
        digest,
        users,
        filters,
    })
}

/// Removes a user. Returns false where something was sent, or nothing was to be done.
fn take_out(connection: &Connection, seq: i64) -> rusqlite::Result<bool> {
    let gone = connection
        .prepare_cached(&format!(
            "UPDATE user AS u SET survey = ?2 WHERE seq = ?1 AND NOT u.{SKIPPED} AND NOT u.{TAKEN_OUT}
             AND (u.{NOT_READ} OR u.{TO_READ} OR EXISTS (SELECT 1 FROM change AS c WHERE c.user = ?1 AND c.{PLANNED}))
             AND NOT EXISTS (SELECT 1 FROM change AS c WHERE c.user = ?1 AND NOT c.{PLANNED} AND NOT c.{LEFT_OUT})"
        ))?
        .execute(params![seq, ReadState::LeftOut])?;
    if gone > 0 {
        connection
            .prepare_cached(&format!(
                "UPDATE change SET stage = ?2, wave = NULL WHERE user = ?1 AND {PLANNED}"
            ))?
            .execute(params![seq, RowOutcome::LeftOut])?;
    }
    Ok(gone > 0)
}

/// Adds a removed user again, with what was planned, or to be read again where that had failed.
fn take_back(connection: &Connection, seq: i64) -> rusqlite::Result<bool> {
    let planned = connection
        .prepare_cached(&format!(
            "UPDATE change SET stage = ?2 WHERE user = ?1 AND {LEFT_OUT}
             AND EXISTS (SELECT 1 FROM user AS u WHERE u.seq = ?1 AND u.{TAKEN_OUT})"
        ))?
        .execute(params![seq, RowOutcome::Planned])?;
    let read = if planned > 0 {
        ReadState::Read
    } else {
        ReadState::Failed
    };
    let back = connection
        .prepare_cached(&format!(
            "UPDATE user SET survey = ?2 WHERE seq = ?1 AND {TAKEN_OUT}"
        ))?
        .execute(params![seq, read])?;
    Ok(back > 0)
}
