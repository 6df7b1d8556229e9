//! The digest of a plan.

use rusqlite::{Connection, Row};

use crate::journal::codes::OPEN;
use crate::journal::rows::{filter_id, state_and_status, unknown, user_id};
use crate::journal::{Journal, JournalError, templates};
use crate::plan::{Change, Digester, PlanDigest};

use super::{ReadError, View};

/// In an order that does not depend on how the users were found.
fn to_change() -> String {
    format!(
        "SELECT u.id, c.filter, c.from_state, c.from_status, c.to_state, c.to_status
         FROM change AS c JOIN user AS u ON u.seq = c.user WHERE c.{OPEN} ORDER BY u.id, c.filter"
    )
}

impl View<'_> {
    /// The digest of what is not changed yet.
    pub fn digest(&self) -> Result<PlanDigest, ReadError> {
        Ok(digest(self.0)?)
    }

    /// The digest that was recorded when the plan was made; none in a run file of a format without
    /// digests, and where the plan is not complete.
    pub fn recorded_digest(&self) -> Result<Option<PlanDigest>, ReadError> {
        let read = |row: &Row<'_>| row.get::<_, Option<String>>(0);
        let text = self.0.query_row("SELECT digest FROM run", [], read)?;
        Ok(text
            .map(|text| text.parse().map_err(|_| unknown(0, &text)))
            .transpose()?)
    }
}

impl Journal {
    /// The digest of what is not changed yet.
    pub async fn digest(&self) -> Result<PlanDigest, JournalError> {
        self.run(digest).await
    }

    /// Records the digest of what is not changed yet, and returns it.
    pub async fn record_digest(&self) -> Result<PlanDigest, JournalError> {
        self.run(|connection| {
            let digest = digest(connection)?;
            connection.execute("UPDATE run SET digest = ?1", [digest.to_string()])?;
            Ok(digest)
        })
        .await
    }
}

fn digest(connection: &Connection) -> rusqlite::Result<PlanDigest> {
    let mut query = connection.prepare_cached(&to_change())?;
    let mut rows = query.query([])?;
    let mut digester = Digester::default();
    while let Some(row) = rows.next()? {
        let change = Change {
            filter: filter_id(row, 1)?,
            from: state_and_status(row, 2)?,
            to: state_and_status(row, 4)?,
            etag: None,
        };
        digester.add(user_id(row, 0)?, &change);
    }
    for change in templates::open(connection)? {
        digester.add_template(&change);
    }
    Ok(digester.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;
    use crate::model::RowOutcome;

    fn of(order: [u8; 2], outcome: RowOutcome) -> PlanDigest {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        for (seq, id) in (1..).zip(order) {
            let id = [id; 16];
            let user =
                "INSERT INTO user (seq, id, label, populated, survey) VALUES (?1, ?2, 'ada', 1, 1)";
            connection
                .execute(user, rusqlite::params![seq, id])
                .unwrap();
            let change = "INSERT INTO change (user, filter, from_state, from_status, to_state, to_status, stage)
                          VALUES (?1, ?2, 0, 1, 1, 2, ?3)";
            connection
                .execute(change, rusqlite::params![seq, id, outcome])
                .unwrap();
        }
        View::new(&connection).digest().unwrap()
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_in_which_users_were_found() {
        assert_eq!(
            of([3, 4], RowOutcome::Planned),
            of([4, 3], RowOutcome::Planned)
        );
    }

    #[test]
    fn what_is_settled_is_no_part_of_the_plan_any_more() {
        assert_eq!(
            of([3, 4], RowOutcome::Changed),
            Digester::default().finish()
        );
        assert_ne!(
            of([3, 4], RowOutcome::Planned),
            of([3, 4], RowOutcome::Changed)
        );
    }
}
