//! A run file may come from elsewhere: what SQLite may do with it, and what it has to contain.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode};

use super::error::{failed, said};
use super::inspected::Inspection;
use super::{OpenError, history, impact, schema, templates, undo, values};

/// How long a reader waits for a pause in writing. A commit takes ten milliseconds on a
/// busy disk (README, Speed); a network drive may take a hundred times as long.
pub(super) const BUSY: Duration = Duration::from_secs(10);
/// The longest text or blob, in bytes. The largest one that is written is the list of selected users: a hundred
/// thousand names take a few million bytes.
const LONGEST: i32 = 64 << 20;

/// Prevents SQLite from executing anything that the file contains.
pub(super) fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// The format of a run file.
///
/// # Errors
/// Where it is not a run file, is of a newer format, or contains anything but the tables and indexes of its format.
pub(super) fn inspect(connection: &Connection, path: &Path) -> Result<i32, OpenError> {
    inspect_unknown(connection, path, &Inspection::WHOLE)
}

/// The same of a file that may be known.
pub(super) fn inspect_unknown(
    connection: &Connection,
    path: &Path,
    inspection: &Inspection<'_>,
) -> Result<i32, OpenError> {
    let not_ours = |why: Option<String>| OpenError::NotARunFile {
        path: path.to_owned(),
        why,
    };
    let said = |error: rusqlite::Error| match error.sqlite_error_code() {
        // Another process is using it now; that says nothing about its contents.
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => failed(path, &error).into(),
        _ => not_ours(Some(said(&error))),
    };
    let (application, format) = schema::identify(connection).map_err(said)?;
    if application != schema::APPLICATION_ID {
        return Err(not_ours(None));
    }
    if format > schema::FORMAT {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found: format,
            known: schema::FORMAT,
        });
    }
    if format < 1 {
        return Err(not_ours(Some(format!("there is no format {format}"))));
    }
    let found = schema::objects(connection).map_err(said)?;
    let expected = schema::objects_of(format).map_err(said)?;
    if let Some(object) = found.symmetric_difference(&expected).next() {
        let which = if found.contains(object) {
            "holds what no run file of its format holds, or in another form"
        } else {
            "lacks what every run file of its format holds"
        };
        let (kind, name) = (&object.kind, &object.name);
        return Err(not_ours(Some(format!("it {which}: {kind:?} {name:?}"))));
    }
    if !inspection.is_known()
        && let Some(fault) = values::first_fault(connection).map_err(said)?
    {
        return Err(not_ours(Some(fault)));
    }
    documents(connection, format).map_err(said)?;
    Ok(format)
}

/// Reads the columns that contain documents, so that a wrong one is found here.
fn documents(connection: &Connection, format: i32) -> rusqlite::Result<()> {
    if format >= 5 {
        impact::asked(connection)?;
        impact::surroundings(connection)?;
    }
    if format >= 6 {
        history::settings(connection)?;
        undo::terms(connection)?;
        templates::all(connection)?;
    }
    Ok(())
}

/// The number of the file to which the log beside this one has to belong; 0 where it needs no log.
pub(super) fn in_use(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT in_use FROM run", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "
    INSERT INTO run (one, id, operation, environment, organization, server_major, server_minor, caller, selection,
                     criteria, tool, started, phase)
    VALUES (1, '', '', '', '', 9, 2, '', '', '', '', 0, '');
    INSERT INTO user (seq, id, label, populated, survey) VALUES (1, zeroblob(16), 'ada', 1, 1);";

    fn refused(change: &str) -> String {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        connection.execute_batch(RUN).unwrap();
        connection.execute_batch(change).unwrap();
        let error = inspect(&connection, Path::new("a.run")).unwrap_err();
        error.to_string()
    }

    #[test]
    fn a_file_of_every_format_is_known_by_its_objects() {
        for format in 1..=schema::FORMAT {
            let connection = Connection::open_in_memory().unwrap();
            schema::create_format(&connection, format).unwrap();
            connection.execute_batch(RUN).unwrap();
            harden(&connection).unwrap();
            assert_eq!(inspect(&connection, Path::new("a.run")).unwrap(), format);
        }
    }

    #[test]
    fn what_a_run_file_does_not_hold_is_refused_and_named() {
        for (change, named) in [
            (
                "CREATE TRIGGER spy AFTER UPDATE ON change BEGIN DELETE FROM undo; END",
                "\"trigger\" \"spy\"",
            ),
            ("CREATE VIEW v AS SELECT 1", "\"view\" \"v\""),
            ("CREATE TABLE t (a)", "\"table\" \"t\""),
            ("CREATE INDEX i ON change (etag)", "\"index\" \"i\""),
            ("ALTER TABLE change ADD COLUMN more", "\"table\" \"change\""),
            ("DROP TABLE undo", "lacks"),
            ("DROP INDEX problem_of_user", "lacks"),
            (
                "DROP TABLE undo; CREATE VIEW undo AS SELECT * FROM change",
                "\"undo\"",
            ),
            ("UPDATE user SET survey = 9", "\"survey\" of table \"user\""),
            (
                "UPDATE user SET label = CAST(x'61ff' AS TEXT)",
                "\"label\" of table \"user\", row 1, holds a text that is no UTF-8",
            ),
            (
                "UPDATE run SET tool = CAST(x'ff' AS TEXT)",
                "\"tool\" of table \"run\", row 1",
            ),
            (
                "UPDATE user SET survey = 'x'",
                "\"survey\" of table \"user\"",
            ),
            (
                "INSERT INTO change (user, filter, from_state, to_state, stage) VALUES (1, zeroblob(16), 0, 1, -1)",
                "\"stage\" of table \"change\"",
            ),
            ("DELETE FROM run", "\"run\" has 0 rows"),
            ("PRAGMA user_version = 0", "format 0"),
            ("PRAGMA user_version = -1", "format -1"),
            ("PRAGMA user_version = 99", "newer"),
            ("PRAGMA user_version = 5", "format"),
            ("PRAGMA application_id = 1", "not a run file"),
        ] {
            let why = refused(change);
            assert!(why.contains(named), "{change}: {why}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        harden(&connection).unwrap();
        let blob = connection.query_row("SELECT zeroblob(70000000)", [], |row| {
            row.get::<_, Vec<u8>>(0)
        });
        assert!(blob.is_err());
    }
}
