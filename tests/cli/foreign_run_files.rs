//! What is in a run file from elsewhere is checked before it is used.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;

use crate::run_files::{YES, contents, file_of, killed, latest, runs_folder, slow_world};
use crate::world::{Ended, World};

#[test]
fn what_a_run_file_does_not_hold_is_refused_by_every_command() {
    let world = World::with_users(10);
    world.run(&["plan", "deactivate"]);
    let run = latest(&world);
    let path = file_of(&world, &run);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TRIGGER spy AFTER UPDATE ON change BEGIN DELETE FROM undo; END")
        .unwrap();
    drop(connection);
    let before = fs::read(&path).unwrap();
    let requests = world.sandbox.counts().total;
    for command in ["report", "apply", "resume", "undo"] {
        let refused = world.run(&[command, &run]).must_be(2);
        assert!(refused.stderr.contains("spy"), "{refused:?}");
    }
    assert_eq!(world.sandbox.counts().total, requests);
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// A server that counts whoever comes.
fn counting_server() -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            if let Ok(mut stream) = stream {
                let _ = stream.read(&mut [0; 1024]);
            }
        }
    });
    (url, count)
}

#[test]
fn a_token_goes_to_no_address_that_only_a_run_file_names() {
    let world = World::with_users(10);
    let plan = world.home.path().join("plan.run");
    let name = plan.to_str().unwrap();
    world.run(&["plan", "deactivate", "--out", name]);
    let (evil, connections) = counting_server();
    let connection = Connection::open(&plan).unwrap();
    connection
        .execute("UPDATE run SET environment = ?1", [&evil])
        .unwrap();
    drop(connection);
    let before = contents_of(world.home.path());
    for command in ["apply", "resume", "undo"] {
        for more in [
            &[][..],
            &["--dry-run"],
            &["--yes", "--accept-calendar-loss"],
        ] {
            let args = [&[command, name], more].concat();
            // The variable of the world disagrees; without it nobody names the address.
            let refused = world.run(&args).must_be(2);
            assert!(refused.stderr.contains(&evil), "{refused:?}");
            let mut alone = world.bare(&args);
            alone.env("SYNCFILTERS_ACCESS_TOKEN", world.sandbox.token());
            let refused = Ended::from(alone.output().unwrap()).must_be(2);
            assert!(refused.stderr.contains("--url"), "{refused:?}");
            let url = world.sandbox.url();
            let flag = [&args[..], &["--url", &url]].concat();
            world.run(&flag).must_be(2);
        }
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    assert_eq!(world.sandbox.counts().patches, 0);
    assert_eq!(contents_of(world.home.path()), before);
}

/// Every file in a folder, with what is in it.
fn contents_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let files = files.filter(|path| path.is_file());
    files
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn a_value_that_is_none_is_named_by_its_column() {
    let world = World::with_users(10);
    let plan = world.home.path().join("plan.run");
    let name = plan.to_str().unwrap();
    world.run(&["plan", "deactivate", "--out", name]);
    let good = fs::read(&plan).unwrap();
    for (column, value) in [
        ("id", "nobody"),
        ("environment", "nowhere"),
        ("caller", "{"),
        ("settings", "{"),
        ("phase", "asleep"),
    ] {
        let connection = Connection::open(&plan).unwrap();
        let sql = format!("UPDATE run SET {column} = ?1");
        connection.execute(&sql, [value]).unwrap();
        drop(connection);
        let refused = world.run(&["report", name]).must_be(2);
        assert!(
            refused.stderr.contains(&format!("{column}: ")),
            "{refused:?}"
        );
        assert!(!refused.stderr.contains("index"), "{refused:?}");
        fs::write(&plan, &good).unwrap();
    }
}

#[test]
fn a_run_of_the_own_store_and_one_whose_address_is_given_lead_where_they_were_made() {
    let world = World::with_users(10);
    world.run(&["plan", "deactivate"]);
    let run = latest(&world);
    let token = |mut command: std::process::Command| {
        command.env("SYNCFILTERS_ACCESS_TOKEN", world.sandbox.token());
        Ended::from(command.output().unwrap())
    };
    let apply = |name: &str, more: &[&str]| {
        token(world.bare(&[&["apply", name, "--dry-run"], more].concat()))
    };
    apply(&run, &[]).must_be(0);
    let copy = world.home.path().join("copy.run");
    fs::copy(file_of(&world, &run), &copy).unwrap();
    let copy = copy.to_str().unwrap();
    apply(copy, &[]).must_be(2);
    apply(copy, &["--url", &world.sandbox.url()]).must_be(0);
    // Another spelling of the same place, in a profile that was not selected.
    let port = world.sandbox.url().rsplit(':').next().unwrap().to_owned();
    let config = world.home.path().join("config.toml");
    let text = format!("[environments.here]\nurl = \"http://localhost:{port}\"\n");
    fs::write(&config, text).unwrap();
    apply(copy, &["--config", config.to_str().unwrap()]).must_be(0);
}

#[test]
fn a_name_is_looked_for_in_the_store_and_a_path_is_a_path() {
    let world = World::with_users(10);
    world.run(&["plan", "deactivate"]);
    let run = latest(&world);
    // A file in the current folder whose name is the beginning of an id.
    fs::write(world.home.path().join(&run[..6]), "nothing").unwrap();
    for name in [&run[..6], &run, "latest"] {
        let mut command = world.command(&["report", name, "--format", "json"]);
        command.current_dir(world.home.path());
        let ended = Ended::from(command.output().unwrap()).must_be(0);
        assert_eq!(ended.json()["run"], run.as_str());
    }
    let path = format!("./{}", &run[..6]);
    let mut command = world.command(&["report", &path]);
    command.current_dir(world.home.path());
    Ended::from(command.output().unwrap()).must_be(2);
}

/// Makes a run file what a version of an earlier format would have made of it.
fn turn_back(path: &Path, format: u32) {
    let sql = fs::read_to_string(format!(
        "{}/tests/cli/formats/{format}.sql",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap();
    let older = path.with_extension("older");
    let connection = Connection::open(&older).unwrap();
    connection.execute_batch(&sql).unwrap();
    connection
        .execute("ATTACH ?1 AS new", [path.to_str().unwrap()])
        .unwrap();
    let list = |sql: &str| {
        let mut query = connection.prepare(sql).unwrap();
        let rows = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap()
    };
    for table in list("SELECT name FROM main.sqlite_schema WHERE type = 'table'") {
        let columns = list(&format!("SELECT name FROM pragma_table_info('{table}')")).join(", ");
        connection
            .execute_batch(&format!(
                "INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}"
            ))
            .unwrap();
    }
    connection
        .execute_batch("DETACH new; PRAGMA journal_mode = WAL")
        .unwrap();
    drop(connection);
    fs::rename(older, path).unwrap();
    // The log, where there was one, was folded in when SQLite let go of the file.
    assert!(!Path::new(&format!("{}-wal", path.display())).exists());
}

/// What every command does with a run file of an earlier format: nothing is changed by reading, and `resume`, `undo` and
/// `apply` carry it on.
fn is_read_as_it_is_and_carried_on(format: u32) {
    // Begun and killed.
    let world = slow_world();
    let before = world.states();
    let run = killed(&world, 60);
    turn_back(&file_of(&world, &run), format);
    reads_without_a_change(&world, &run);
    world
        .run(&[&["resume", &run], &YES[..]].concat())
        .must_be(3);
    // Finished, in the older format.
    turn_back(&file_of(&world, &run), format);
    reads_without_a_change(&world, &run);
    world.run(&["undo", &run, "--yes"]).must_be(0);
    assert_eq!(world.states(), before, "format {format}");
    // An undo that was carried out, and a plan that is applied.
    let undo = latest(&world);
    assert_ne!(undo, run);
    turn_back(&file_of(&world, &undo), format);
    reads_without_a_change(&world, &undo);
    world.run(&["plan", "deactivate"]);
    let plan = latest(&world);
    turn_back(&file_of(&world, &plan), format);
    reads_without_a_change(&world, &plan);
    world
        .run(&[&["apply", &plan], &YES[..]].concat())
        .must_be(3);
    assert_ne!(world.states(), before, "format {format}");
    world.run(&["undo", &plan, "--yes"]).must_be(0);
    assert_eq!(world.states(), before, "format {format}");
}

#[test]
fn a_run_of_the_first_format_is_read_as_it_is_and_resumed_and_undone() {
    is_read_as_it_is_and_carried_on(1);
}

#[test]
fn a_run_of_the_second_format_is_read_as_it_is_and_resumed_and_undone() {
    is_read_as_it_is_and_carried_on(2);
}

#[test]
fn a_run_of_the_third_format_is_read_as_it_is_and_resumed_and_undone() {
    is_read_as_it_is_and_carried_on(3);
}

#[test]
fn a_run_of_the_fourth_format_is_read_as_it_is_and_resumed_and_undone() {
    is_read_as_it_is_and_carried_on(4);
}

#[test]
fn a_run_of_the_fifth_format_is_read_as_it_is_and_resumed_and_undone() {
    is_read_as_it_is_and_carried_on(5);
}

fn reads_without_a_change(world: &World, run: &str) {
    let folder = runs_folder(world);
    let before = contents(&folder);
    let report = world
        .run(&["report", run, "--format", "json"])
        .must_be(0)
        .json();
    assert!(report["users"]["selected"].as_u64().unwrap() > 0);
    world.run(&["runs"]).must_be(0);
    assert_eq!(contents(&folder), before);
}

/// A run of a few users with a row in every table that a value can be wrong in.
const ROWS: &str = "
DELETE FROM pace;
INSERT INTO pace VALUES (1700000000000, 1, 0, 0);
INSERT INTO problem (user, filter, stage, kind, message, at)
VALUES ((SELECT min(seq) FROM user), NULL, 'survey', 'no-roles', 'no roles', 1700000000000);
INSERT INTO history (at, kind) VALUES (1700000000000, 'planned');
INSERT INTO impact VALUES ((SELECT min(seq) FROM user), 'appointment', 1, 0, NULL, NULL);
INSERT INTO template (id, name, type, kind, from_state, from_default, to_state, to_default, stage)
VALUES (zeroblob(16), 'mine', 'appointment', 16, 0, 1, 1, 0, 0);
UPDATE change SET intended = 1700000000000, settled = 1700000000000, stage = 2;";

/// Edits of such a file, and the column that is named.
const EDITS: [(&str, &str); 24] = [
    (
        "UPDATE pace SET start = -1, requests = 9223372036854775807, throttled = 9223372036854775807",
        "\"start\"",
    ),
    (
        "UPDATE pace SET requests = 9223372036854775807, throttled = 9223372036854775807",
        "\"requests\"",
    ),
    ("UPDATE pace SET retried = -1", "\"retried\""),
    (
        "UPDATE run SET requests = 9223372036854775807",
        "\"requests\"",
    ),
    (
        "UPDATE run SET started = 9223372036854775807",
        "\"started\"",
    ),
    (
        "UPDATE run SET stretch = 9223372036854775807",
        "\"stretch\"",
    ),
    ("UPDATE run SET digest = 'x'", "\"digest\""),
    ("UPDATE run SET settings = '{'", "EOF"),
    (
        "UPDATE change SET intended = 9223372036854775807, settled = -9223372036854775808",
        "\"intended\"",
    ),
    (
        "UPDATE change SET settled = -9223372036854775808",
        "\"settled\"",
    ),
    ("UPDATE change SET from_state = 77", "\"from_state\""),
    (
        "UPDATE change SET to_status = 9223372036854775807",
        "\"to_status\"",
    ),
    ("UPDATE change SET maybe = 2", "\"maybe\""),
    ("UPDATE filter SET kind = 7", "\"kind\""),
    (
        "UPDATE filter SET modified = 9223372036854775807",
        "\"modified\"",
    ),
    (
        "UPDATE user SET id = x'00' WHERE seq = (SELECT min(seq) FROM user)",
        "\"id\"",
    ),
    (
        "UPDATE user SET label = printf('%.5000000c', 'x')",
        "\"label\"",
    ),
    (
        "UPDATE user SET label = 'x' || char(0) || printf('%.5000000c', 'x')",
        "\"label\"",
    ),
    ("UPDATE problem SET kind = 'odd'", "\"kind\""),
    (
        "UPDATE problem SET message = printf('%.5000000c', 'x')",
        "\"message\"",
    ),
    ("UPDATE history SET kind = 'odd'", "\"kind\""),
    ("UPDATE history SET users = -1", "\"users\""),
    ("UPDATE impact SET items = 9223372036854775807", "\"items\""),
    (
        "UPDATE template SET after_default = 1, after_state = 9",
        "\"after_state\"",
    ),
];

#[test]
fn a_value_that_no_run_file_holds_is_refused_by_every_command_and_its_column_named() {
    let world = World::with_users(5);
    world.run(&["plan", "deactivate"]);
    let run = latest(&world);
    let path = file_of(&world, &run);
    Connection::open(&path)
        .unwrap()
        .execute_batch(ROWS)
        .unwrap();
    for format in ["json", "html", "markdown", "csv", "table"] {
        world.run(&["report", &run, "--format", format]).must_be(0);
    }
    let whole = fs::read(&path).unwrap();
    let requests = world.sandbox.counts().total;
    for (edit, named) in EDITS {
        fs::write(&path, &whole).unwrap();
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(edit).unwrap();
        drop(connection);
        let formats = ["json", "html", "markdown", "csv", "table"];
        let reports = formats.map(|format| vec!["report", &run, "--format", format]);
        let others = [
            vec!["resume", &run, "--yes", "--accept-calendar-loss"],
            vec!["undo", &run, "--yes"],
        ];
        for args in reports.into_iter().chain(others) {
            let refused = world.run(&args).must_be(2);
            let said = &refused.stderr;
            assert!(
                said.contains("is not a run file"),
                "{edit} {args:?}: {said}"
            );
            assert!(said.contains(named), "{edit} {args:?}: {said}");
        }
        let runs = world.run(&["runs"]);
        assert!(
            runs.stdout.contains("is not a run file"),
            "{edit}: {runs:?}"
        );
        assert!(matches!(runs.code, Some(0 | 2)), "{edit}: {runs:?}");
    }
    assert_eq!(world.sandbox.counts().total, requests);
}

#[test]
fn another_run_is_not_taken_for_the_latest_where_a_file_cannot_be_read() {
    let world = World::with_users(10);
    world.run(&["plan", "deactivate"]);
    let older = latest(&world);
    world.run(&["plan", "reactivate"]);
    let newer = latest(&world);
    assert_ne!(older, newer);
    let path = file_of(&world, &newer);
    fs::write(&path, "").unwrap();
    for command in ["report", "apply", "resume", "undo"] {
        let refused = world.run(&[command, "latest"]).must_be(2);
        assert!(refused.stderr.contains(&newer), "{refused:?}");
    }
    world.run(&["report", &older]).must_be(0);
}
