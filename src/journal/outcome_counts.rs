//! The rows of a run by what became of them, whether filters or templates.

use rusqlite::Connection;

use crate::model::RowOutcome;

/// Where a run keeps the rows that it changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ChangedRows {
    Filters,
    Templates,
}

/// Rows by what became of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OutcomeCounts {
    /// All of them, also those that are in no other number.
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
