-- A run file as versions of format 4 made it.
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
ALTER TABLE filter ADD COLUMN modified INTEGER;
     ALTER TABLE filter ADD COLUMN modified_by BLOB;
     ALTER TABLE filter ADD COLUMN modified_on_behalf BLOB;
ALTER TABLE user ADD COLUMN unit BLOB;
     ALTER TABLE run ADD COLUMN stretch INTEGER NOT NULL DEFAULT 1000;
     CREATE TABLE unit (id BLOB PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
     CREATE TABLE pace (
         start INTEGER PRIMARY KEY,
         requests INTEGER NOT NULL,
         throttled INTEGER NOT NULL,
         retried INTEGER NOT NULL
     );
ALTER TABLE run ADD COLUMN digest TEXT;
PRAGMA application_id = 1400456809;
PRAGMA user_version = 4;
