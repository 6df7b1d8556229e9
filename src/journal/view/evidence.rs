//! The data of a report for auditors, user by user.

use rusqlite::Row;

use crate::journal::rows::{unit_name, user_id};
use crate::model::{UserId, UserOutcome};

use super::changes::{CHANGES, ChangeRow, ProblemRow, change_row, problem_row, problems};
use super::totals::{USER_ROWS, user_outcome, user_rows};
use super::{ReadError, UserGroup, View};

/// One user and the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceUser {
    /// The number in the run file.
    pub seq: i64,
    /// The user's name in output.
    pub user: String,
    /// `systemuserid`.
    pub id: UserId,
    /// The business unit, by its name where that is known; none where it is not in the run file.
    pub unit: Option<String>,
    /// The outcome of the user.
    pub outcome: UserOutcome,
    /// The groups to which the user belongs.
    pub groups: Vec<UserGroup>,
}

impl View<'_> {
    /// Passes every user to `each`, by name.
    pub fn each_user<E: From<ReadError>>(
        &self,
        mut each: impl FnMut(EvidenceUser) -> Result<(), E>,
    ) -> Result<(), E> {
        let groups = self.groups()?;
        let conditions: Vec<_> = groups
            .iter()
            .map(|group| format!("({})", group.condition()))
            .collect();
        let sql = format!(
            "SELECT {rows}, u.seq, u.label, u.id, u.unit, n.name, {conditions}
             FROM user AS u LEFT JOIN change AS c ON c.user = u.seq LEFT JOIN unit AS n ON n.id = u.unit
             GROUP BY u.seq ORDER BY u.label COLLATE NOCASE, u.seq",
            rows = user_rows(),
            conditions = conditions.join(", ")
        );
        let user = |row: &Row<'_>| {
            Ok(EvidenceUser {
                seq: row.get(USER_ROWS)?,
                user: row.get(USER_ROWS + 1)?,
                id: user_id(row, USER_ROWS + 2)?,
                unit: unit_name(row, USER_ROWS + 3)?,
                outcome: user_outcome(row)?,
                groups: groups_of(row, &groups)?,
            })
        };
        self.each(&sql, user, &mut each)
    }

    /// Passes the number, name and id of every user to `each`.
    pub fn each_user_name<E: From<ReadError>>(
        &self,
        mut each: impl FnMut(i64, &str, UserId) -> Result<(), E>,
    ) -> Result<(), E> {
        let user = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?, user_id(row, 2)?));
        let sql = "SELECT seq, label, id FROM user ORDER BY seq";
        self.each(sql, user, &mut |(seq, label, id)| each(seq, &label, id))
    }

    /// The changes of one user.
    pub fn changes_of(&self, seq: i64) -> Result<Vec<ChangeRow>, ReadError> {
        let mut query = self.0.prepare_cached(&format!(
            "{CHANGES} WHERE c.user = ?1 ORDER BY f.type, f.name, c.filter"
        ))?;
        Ok(query
            .query_map([seq], change_row)?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// The problems of one user, including those that are over, in the order in which they occurred.
    pub fn problems_of(&self, seq: i64) -> Result<Vec<ProblemRow>, ReadError> {
        let mut query = self
            .0
            .prepare_cached(&format!("{} WHERE p.user = ?1 ORDER BY p.seq", problems()))?;
        Ok(query
            .query_map([seq], problem_row)?
            .collect::<rusqlite::Result<_>>()?)
    }
}

/// The groups whose conditions hold, from the last columns.
fn groups_of(row: &Row<'_>, groups: &[UserGroup]) -> rusqlite::Result<Vec<UserGroup>> {
    let mut all = Vec::new();
    for (&group, at) in groups.iter().zip(USER_ROWS + 5..) {
        if row.get(at)? {
            all.push(group);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;
    use rusqlite::Connection;

    /// Ada was tried again and is done; ben cannot be read; cara's filter was left alone by an undo.
    const TRIED_AGAIN: &str = "
    INSERT INTO user (seq, id, label, populated, survey)
    VALUES (1, zeroblob(16), 'ada', 1, 1), (2, randomblob(16), 'ben', 1, 3), (3, randomblob(16), 'cara', 1, 1);
    INSERT INTO change (user, filter, from_state, to_state, stage, settled)
    VALUES (1, zeroblob(16), 0, 1, 2, 9000), (3, zeroblob(16), 0, 1, 4, NULL);
    INSERT INTO problem (user, filter, stage, kind, message, at)
    VALUES (1, NULL, 'survey', 'unreachable', 'not read', 1000),
           (1, zeroblob(16), 'apply', 'throttled', 'not now', 5000),
           (1, zeroblob(16), 'verify', 'status-not-restored', 'its status', 9000),
           (2, NULL, 'survey', 'no-roles', 'no roles', 1000),
           (3, zeroblob(16), 'survey', 'changed-since', 'left alone', 1000);";

    #[test]
    fn a_problem_is_over_once_what_it_was_about_was_done_and_no_sooner() {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        connection.execute_batch(TRIED_AGAIN).unwrap();
        let view = View::new(&connection);
        let mut over = Vec::new();
        let each = |row: ProblemRow| {
            over.push((row.kind.as_str(), row.over));
            Ok::<_, ReadError>(())
        };
        view.each_problem(each).unwrap();
        assert_eq!(
            over,
            [
                ("unreachable", true),
                ("throttled", true),
                ("status-not-restored", false),
                ("no-roles", false),
                ("changed-since", false),
            ]
        );
        let kinds: Vec<_> = view.problem_groups().unwrap();
        assert_eq!(kinds.len(), 3, "{kinds:?}");
        assert!(view.has_verify_problems().unwrap());
        let ada = &view.listed(0, 1).unwrap()[0];
        let problem = ada.problem.as_ref().map(|problem| problem.kind.as_str());
        assert_eq!(problem, Some("status-not-restored"));
    }
}
