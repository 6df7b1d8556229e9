//! Closes a run file at the end of a command that has written it.

use std::time::Duration;

use rusqlite::Connection;

/// How long to wait for readers at the end. If one stays longer the log stays beside the file, which is then complete
/// only with it: that does no harm, and the user should not wait for it.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Merges and removes the log: a run that no process drives is one file.
pub(super) fn end_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.flush_prepared_statement_cache();
    // A reader keeps the log, and a command should not wait long at its end.
    connection.busy_timeout(LAST_WAIT)?;
    connection.execute("UPDATE run SET in_use = 0", [])?;
    connection.pragma_update(None, "journal_mode", "DELETE")
}
