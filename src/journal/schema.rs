//! The tables of a run file, and its formats.

use std::collections::BTreeSet;

use rusqlite::Connection;

/// Marks a SQLite file as a run file. The bytes are the letters `SyFi`.
pub(super) const APPLICATION_ID: i32 = 0x5379_4669;

/// The format that this version writes. Newer ones are refused, older ones are upgraded.
pub(super) const FORMAT: i32 = 6;

/// Format 1. Ids are 16-byte blobs; times are milliseconds since 1970 in UTC.
///
/// - `user.survey`: the numbers of `ReadState`; `change.stage`: those of `RowOutcome`.
/// - `change.maybe`: whether a write may have been done without an answer.
const TABLES: &str = "
CREATE TABLE run (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    operation TEXT NOT NULL,
    undoes TEXT,
    environment TEXT NOT NULL,
    organization TEXT NOT NULL,
    server_major INTEGER NOT NULL,
    server_minor INTEGER NOT NULL,
    caller TEXT NOT NULL,
    selection TEXT NOT NULL,
    criteria TEXT NOT NULL,
    tool TEXT NOT NULL,
    started INTEGER NOT NULL,
    phase TEXT NOT NULL,
    finished INTEGER,
    outcome TEXT,
    stamps INTEGER NOT NULL DEFAULT 0,
    requests INTEGER NOT NULL DEFAULT 0,
    throttled INTEGER NOT NULL DEFAULT 0,
    retried INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE user (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    object_id BLOB,
    label TEXT NOT NULL,
    populated INTEGER NOT NULL,
    survey INTEGER NOT NULL
);
CREATE TABLE filter (
    user INTEGER NOT NULL REFERENCES user (seq),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    kind INTEGER NOT NULL,
    state INTEGER NOT NULL,
    status INTEGER,
    etag TEXT,
    matching INTEGER NOT NULL,
    PRIMARY KEY (user, id)
) WITHOUT ROWID;
CREATE TABLE change (
    user INTEGER NOT NULL REFERENCES user (seq),
    filter BLOB NOT NULL,
    from_state INTEGER NOT NULL,
    from_status INTEGER,
    etag TEXT,
    to_state INTEGER NOT NULL,
    to_status INTEGER,
    stage INTEGER NOT NULL,
    maybe INTEGER NOT NULL DEFAULT 0,
    after_state INTEGER,
    after_status INTEGER,
    after_etag TEXT,
    intended INTEGER,
    settled INTEGER,
    PRIMARY KEY (user, filter)
) WITHOUT ROWID;
CREATE TABLE undo (
    user INTEGER NOT NULL REFERENCES user (seq),
    filter BLOB NOT NULL,
    before_state INTEGER NOT NULL,
    before_status INTEGER,
    after_state INTEGER NOT NULL,
    after_status INTEGER,
    certain INTEGER NOT NULL,
    PRIMARY KEY (user, filter)
) WITHOUT ROWID;
CREATE TABLE problem (
    seq INTEGER PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES user (seq),
    filter BLOB,
    stage TEXT NOT NULL,
    kind TEXT NOT NULL,
    code TEXT,
    message TEXT NOT NULL,
    request_id TEXT,
    at INTEGER NOT NULL
);
CREATE INDEX problem_of_user ON problem (user);
CREATE INDEX unfinished_change ON change (user) WHERE stage < 2;
CREATE INDEX unsurveyed_user ON user (seq) WHERE survey = 0;
";

/// The statements that lead from each format to the next, from format 1 on.
const UPGRADES: [&str; FORMAT as usize - 1] = [
    // 2: who changed a filter last, and when: `modifiedon`, `modifiedby`, `modifiedonbehalfby`.
    "ALTER TABLE filter ADD COLUMN modified INTEGER;
     ALTER TABLE filter ADD COLUMN modified_by BLOB;
     ALTER TABLE filter ADD COLUMN modified_on_behalf BLOB;",
    // 3: the business unit of each user, the names of those units, and the requests of each time bucket,
    // of which `run.stretch` is the length in milliseconds.
    "ALTER TABLE user ADD COLUMN unit BLOB;
     ALTER TABLE run ADD COLUMN stretch INTEGER NOT NULL DEFAULT 1000;
     CREATE TABLE unit (id BLOB PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
     CREATE TABLE pace (
         start INTEGER PRIMARY KEY,
         requests INTEGER NOT NULL,
         throttled INTEGER NOT NULL,
         retried INTEGER NOT NULL
     );",
    // 4: the digest of the plan.
    "ALTER TABLE run ADD COLUMN digest TEXT;",
    // 5: the impact. `filter.template`: `parentqueryid`. `foresight`: what was asked for, and what the environment has,
    // as JSON. `mark.mark`: 0 another engine serves the user, 1 the mailbox synchronises nothing, 2 the Outlook client
    // synchronises it; by the user's id. `impact`: future items that a user loses of one type; null is not known, and
    // `kind` and `message` say why; `bound` says that it is the number or less (1), or more (2), or either (3).
    "ALTER TABLE filter ADD COLUMN template BLOB;
     CREATE TABLE foresight (
         one INTEGER PRIMARY KEY CHECK (one = 1),
         asked TEXT NOT NULL,
         found TEXT
     );
     CREATE TABLE mark (
         user BLOB NOT NULL,
         mark INTEGER NOT NULL,
         PRIMARY KEY (user, mark)
     ) WITHOUT ROWID;
     CREATE TABLE impact (
         user INTEGER NOT NULL REFERENCES user (seq),
         type TEXT NOT NULL,
         items INTEGER,
         bound INTEGER NOT NULL,
         kind TEXT,
         message TEXT,
         PRIMARY KEY (user, type)
     ) WITHOUT ROWID;",
    // 6: `run.settings`: how the run is carried out (waves, limits, pace), as JSON; `run.batch`: the runs of several
    // environments that were begun together; `run.in_use`: a log beside the file belongs to it. `run.undo`: the
    // conditions for every row of an undo, as JSON. The state after a write (`after_*`), and the state that the undone
    // run left (`left_*`): version and modification; `put_back_*`: the earlier undo that restored the row;
    // `rewritten_by`: the later run that wrote it. `history`: what was planned, agreed to and ended, in order.
    // `run.target`: whether the run changes filters or templates. `template`: rows without a user, with the default
    // flag; `left_*` in an undo: the state that the undone run left, and whether that is proved.
    "ALTER TABLE run ADD COLUMN settings TEXT;
     ALTER TABLE run ADD COLUMN undo TEXT;
     ALTER TABLE run ADD COLUMN target TEXT NOT NULL DEFAULT 'filters';
     ALTER TABLE run ADD COLUMN batch TEXT;
     ALTER TABLE run ADD COLUMN in_use INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE user ADD COLUMN login TEXT;
     ALTER TABLE user ADD COLUMN email TEXT;
     ALTER TABLE change ADD COLUMN wave INTEGER;
     ALTER TABLE change ADD COLUMN after_modified INTEGER;
     ALTER TABLE change ADD COLUMN after_modified_by BLOB;
     ALTER TABLE change ADD COLUMN after_modified_on_behalf BLOB;
     ALTER TABLE undo ADD COLUMN left_etag TEXT;
     ALTER TABLE undo ADD COLUMN left_modified INTEGER;
     ALTER TABLE undo ADD COLUMN left_modified_by BLOB;
     ALTER TABLE undo ADD COLUMN left_modified_on_behalf BLOB;
     ALTER TABLE undo ADD COLUMN put_back_by TEXT;
     ALTER TABLE undo ADD COLUMN put_back_at INTEGER;
     ALTER TABLE undo ADD COLUMN rewritten_by TEXT;
     CREATE TABLE history (
         seq INTEGER PRIMARY KEY,
         at INTEGER NOT NULL,
         kind TEXT NOT NULL,
         digest TEXT,
         users INTEGER,
         filters INTEGER,
         detail TEXT
     );
     CREATE TABLE template (
         id BLOB PRIMARY KEY,
         name TEXT NOT NULL,
         type TEXT NOT NULL,
         kind INTEGER NOT NULL,
         from_state INTEGER NOT NULL,
         from_status INTEGER,
         from_default INTEGER NOT NULL,
         etag TEXT,
         to_state INTEGER NOT NULL,
         to_status INTEGER,
         to_default INTEGER NOT NULL,
         stage INTEGER NOT NULL,
         maybe INTEGER NOT NULL DEFAULT 0,
         after_state INTEGER,
         after_status INTEGER,
         after_default INTEGER,
         after_etag TEXT,
         after_modified INTEGER,
         after_modified_by BLOB,
         after_modified_on_behalf BLOB,
         left_state INTEGER,
         left_status INTEGER,
         left_default INTEGER,
         left_etag TEXT,
         left_modified INTEGER,
         left_modified_by BLOB,
         left_modified_on_behalf BLOB,
         left_proved INTEGER,
         intended INTEGER,
         settled INTEGER,
         problem TEXT
     ) WITHOUT ROWID;",
];

/// Makes a new database a run file.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    create_format(connection, FORMAT)
}

/// Makes a new database a run file of this format.
pub(super) fn create_format(connection: &Connection, format: i32) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    bring_up(connection, 1, format)?;
    connection.execute_batch("COMMIT")
}

/// Upgrades a run file of an older format; does nothing to one of the present format.
pub(super) fn upgrade(connection: &Connection) -> rusqlite::Result<()> {
    if identify(connection)?.1 >= FORMAT {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // Checked again now that no other process can do the same.
    let (_, format) = identify(connection)?;
    bring_up(connection, format, FORMAT)?;
    connection.execute_batch("COMMIT")
}

fn bring_up(connection: &Connection, from: i32, to: i32) -> rusqlite::Result<()> {
    for (step, leads_to) in UPGRADES.iter().zip(2..) {
        if from < leads_to && leads_to <= to {
            connection.execute_batch(step)?;
        }
    }
    connection.pragma_update(None, "user_version", to)
}

/// A table, an index, or another object of a database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SchemaObject {
    pub(super) kind: String,
    pub(super) name: String,
    table: String,
    /// Its definition; none for an index that SQLite makes for a key.
    sql: Option<String>,
}

/// All objects of a database.
pub(super) fn objects(connection: &Connection) -> rusqlite::Result<BTreeSet<SchemaObject>> {
    let mut query = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let rows = query.query_map([], |row| {
        Ok(SchemaObject {
            kind: row.get(0)?,
            name: row.get(1)?,
            table: row.get(2)?,
            sql: row.get::<_, Option<String>>(3)?.as_deref().map(one_line),
        })
    })?;
    rows.collect()
}

/// Removes line breaks and indentation. No definition of ours contains a text literal.
fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The objects of a run file of this format.
pub(super) fn objects_of(format: i32) -> rusqlite::Result<BTreeSet<SchemaObject>> {
    let connection = Connection::open_in_memory()?;
    create_format(&connection, format)?;
    objects(&connection)
}

/// Application id and format of a database.
pub(super) fn identify(connection: &Connection) -> rusqlite::Result<(i32, i32)> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    Ok((number("application_id")?, number("user_version")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_file_of_every_format_is_brought_up_to_this_one_once() {
        for format in 1..=FORMAT {
            let connection = Connection::open_in_memory().unwrap();
            create_format(&connection, format).unwrap();
            assert_eq!(identify(&connection).unwrap(), (APPLICATION_ID, format));
            upgrade(&connection).unwrap();
            upgrade(&connection).unwrap();
            assert_eq!(identify(&connection).unwrap(), (APPLICATION_ID, FORMAT));
            assert_eq!(objects(&connection).unwrap(), objects_of(FORMAT).unwrap());
        }
    }
}
