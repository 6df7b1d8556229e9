//! The end of a command that has written a run file.

use std::time::Duration;

use rusqlite::Connection;

/// How long readers are waited for at the end. Where one stays longer the log stays beside the file, which is then whole
/// only with it: no harm, and nobody should wait for it.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Folds the log in and ends it: a run that nobody drives is one file.
pub(super) fn end_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.flush_prepared_statement_cache();
    // Whoever still reads keeps the log; nobody should wait long for that at the end of a command.
    connection.busy_timeout(LAST_WAIT)?;
    connection.execute("UPDATE run SET in_use = 0", [])?;
    connection.pragma_update(None, "journal_mode", "DELETE")
}
