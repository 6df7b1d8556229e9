//! States before and after, grouped by a common property of the filters.

use rusqlite::Row;
use serde::Serialize;

use crate::journal::codes::{AS_WANTED, CHANGED_SINCE, GONE, SENT};
use crate::journal::rows::unit_name;

use super::{ReadError, View};

/// Filters with a common property: their states before the run, and their last known states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct States {
    /// The property: a type's logical name, or a business unit; empty where it is not known.
    pub name: String,
    /// Active before.
    pub active_before: u64,
    /// Inactive before.
    pub inactive_before: u64,
    /// Active after.
    pub active_after: u64,
    /// Inactive after.
    pub inactive_after: u64,
    /// Deleted meanwhile.
    pub gone: u64,
    /// Changed by somebody else, or written without an answer.
    pub unknown: u64,
}

fn known() -> String {
    format!(
        "
WITH known AS (
    SELECT k.user AS user, coalesce(f.type, '') AS type, coalesce(c.from_state, f.state) AS before,
           CASE WHEN c.stage IS NULL THEN f.state
                WHEN c.{AS_WANTED} THEN coalesce(c.after_state, c.to_state)
                WHEN c.{CHANGED_SINCE} THEN c.after_state
                WHEN c.{GONE} THEN -1
                WHEN c.{SENT} OR c.maybe THEN NULL
                ELSE c.from_state END AS after
    FROM (SELECT user, id FROM filter WHERE matching UNION SELECT user, filter FROM change) AS k
    LEFT JOIN filter AS f ON f.user = k.user AND f.id = k.id
    LEFT JOIN change AS c ON c.user = k.user AND c.filter = k.id)
SELECT sum(before = 0), sum(before = 1), coalesce(sum(after = 0), 0), coalesce(sum(after = 1), 0),
       coalesce(sum(after = -1), 0), sum(after IS NULL)"
    )
}

impl View<'_> {
    /// States before and after by filter type.
    pub fn states_by_type(&self) -> Result<Vec<States>, ReadError> {
        let known = known();
        let sql = format!("{known}, type FROM known GROUP BY type ORDER BY type");
        let mut query = self.0.prepare(&sql)?;
        Ok(query
            .query_map([], |row| states(row, row.get(6)?))?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// States before and after by the user's business unit, the one with most filters first.
    pub fn states_by_unit(&self) -> Result<Vec<States>, ReadError> {
        let known = known();
        let sql = format!(
            "{known}, u.unit, n.name FROM known JOIN user AS u ON u.seq = known.user
             LEFT JOIN unit AS n ON n.id = u.unit GROUP BY u.unit ORDER BY count(*) DESC, n.name, u.unit"
        );
        let mut query = self.0.prepare(&sql)?;
        let row = |row: &Row<'_>| states(row, unit_name(row, 6)?.unwrap_or_default());
        Ok(query.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
    }
}

fn states(row: &Row<'_>, name: String) -> rusqlite::Result<States> {
    Ok(States {
        name,
        active_before: row.get(0)?,
        inactive_before: row.get(1)?,
        active_after: row.get(2)?,
        inactive_after: row.get(3)?,
        gone: row.get(4)?,
        unknown: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;
    use rusqlite::Connection;

    fn run_file() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        connection
            .execute_batch(
                "INSERT INTO user (seq, id, label, populated, survey, unit)
                 VALUES (1, x'01', 'ada', 1, 1, zeroblob(16)), (2, x'02', 'ben', 1, 1, NULL);
                 INSERT INTO unit VALUES (zeroblob(16), 'Sales');
                 INSERT INTO filter (user, id, name, type, kind, state, status, etag, matching)
                 VALUES (1, x'01', 'n', 'task', 256, 0, 1, NULL, 1), (1, x'02', 'n', 'task', 256, 0, 1, NULL, 1),
                        (1, x'03', 'n', 'task', 256, 0, 1, NULL, 1), (2, x'04', 'n', 'task', 256, 1, 2, NULL, 1);
                 INSERT INTO change (user, filter, from_state, to_state, stage, settled)
                 VALUES (1, x'01', 0, 1, 2, 5000), (1, x'02', 0, 1, 1, NULL), (1, x'03', 0, 1, 5, 7000);",
            )
            .unwrap();
        connection
    }

    #[test]
    fn a_state_that_nobody_knows_is_not_claimed() {
        let expected = States {
            name: "task".into(),
            active_before: 3,
            inactive_before: 1,
            active_after: 0,
            inactive_after: 2,
            gone: 1,
            unknown: 1,
        };
        let connection = run_file();
        let view = View::new(&connection);
        assert_eq!(view.states_by_type().unwrap(), [expected]);
    }

    #[test]
    fn the_unit_with_most_filters_comes_first_and_one_that_is_not_known_has_no_name() {
        let connection = run_file();
        let units = View::new(&connection).states_by_unit().unwrap();
        let units: Vec<_> = units
            .iter()
            .map(|of| (&*of.name, of.active_before, of.inactive_after))
            .collect();
        assert_eq!(units, [("Sales", 3, 1), ("", 0, 1)]);
    }
}
