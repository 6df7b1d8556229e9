//! The rows of a run by outcome, for filters or templates.

use rusqlite::Connection;

use crate::model::RowOutcome;

/// The table with the rows that a run changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ChangedRows {
    Filters,
    Templates,
}

/// The number of rows with each outcome.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OutcomeCounts {
    /// All rows, including those without a number of their own.
    pub(super) all: u64,
    pub(super) planned: u64,
    pub(super) changed: u64,
    pub(super) already: u64,
    pub(super) left: u64,
    pub(super) failed: u64,
    pub(super) left_out: u64,
}

impl OutcomeCounts {
    pub(super) fn read(connection: &Connection, of: ChangedRows) -> rusqlite::Result<Self> {
        let mut query = connection.prepare_cached(match of {
            ChangedRows::Filters => "SELECT stage, count(*) FROM change GROUP BY stage",
            ChangedRows::Templates => "SELECT stage, count(*) FROM template GROUP BY stage",
        })?;
        let mut found = query.query([])?;
        let mut counts = Self::default();
        while let Some(row) = found.next()? {
            let rows: u64 = row.get(1)?;
            counts.all += rows;
            *match row.get(0)? {
                RowOutcome::Planned | RowOutcome::Sent => &mut counts.planned,
                RowOutcome::Changed => &mut counts.changed,
                RowOutcome::Already => &mut counts.already,
                RowOutcome::ChangedSince | RowOutcome::Gone => &mut counts.left,
                RowOutcome::Failed => &mut counts.failed,
                RowOutcome::LeftOut => &mut counts.left_out,
            } += rows;
        }
        Ok(counts)
    }
}
