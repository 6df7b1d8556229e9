//! A run file loses nothing, and nothing is believed of one that came from elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use syncfilters::sandbox::Options;

use crate::world::{Ended, World};

pub(crate) const YES: [&str; 2] = ["--yes", "--accept-calendar-loss"];

pub(crate) fn runs_folder(world: &World) -> PathBuf {
    world.home.path().join(".local/state/syncfilters/runs")
}

/// Everything in a folder, byte by byte.
pub(crate) fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    });
    entries.collect()
}

fn names(folder: &Path) -> Vec<String> {
    contents(folder).into_keys().collect()
}

pub(crate) fn latest(world: &World) -> String {
    let runs = world.run(&["runs", "--format", "json"]).json();
    runs["runs"][0]["run"].as_str().unwrap().to_owned()
}

pub(crate) fn file_of(world: &World, run: &str) -> PathBuf {
    runs_folder(world).join(format!("{run}.run"))
}

pub(crate) fn slow_world() -> World {
    World::new(Options {
        users: 150,
        latency: Duration::from_millis(10),
        ..Options::default()
    })
}

/// A run that has written so much, and is still under way.
fn under_way(world: &World, writes: u64) -> Child {
    let mut child = world
        .command(&[&["deactivate", "--no-progress"], &YES[..]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_writes(world, &mut child, writes);
    child
}

fn wait_for_writes(world: &World, child: &mut Child, writes: u64) {
    let start = Instant::now();
    while world.sandbox.counts().patches < writes {
        assert!(start.elapsed() < Duration::from_mins(1), "no writes came");
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

pub(crate) fn killed(world: &World, writes: u64) -> String {
    kill(under_way(world, writes));
    latest(world)
}

#[test]
fn a_run_that_others_read_in_the_middle_loses_nothing_when_it_is_killed() {
    let world = slow_world();
    let before = world.states();
    let mut child = under_way(&world, 30);
    let run = latest(&world);
    let path = file_of(&world, &run);
    for writes in [40, 60, 80, 100] {
        wait_for_writes(&world, &mut child, writes);
        world.run(&["report", &run]).must_be(0);
        // Another program that knows SQLite, and one that does not.
        let foreign = Connection::open(&path).unwrap();
        let changes: i64 = foreign
            .query_row("SELECT count(*) FROM change", [], |row| row.get(0))
            .unwrap();
        assert!(changes > 0);
        drop(foreign);
        drop(fs::read(&path).unwrap());
    }
    kill(child);
    let written = world.sandbox.counts().patches;
    assert!(written >= 100);
    world
        .run(&[&["resume", &run], &YES[..]].concat())
        .must_be(3);
    world.run(&["undo", &run, "--yes"]).must_be(0);
    assert_eq!(world.states(), before);
}

#[test]
fn a_killed_run_whose_log_another_program_has_folded_in_loses_nothing() {
    for resumes in [true, false] {
        let world = slow_world();
        let before = world.states();
        let run = killed(&world, 60);
        let path = file_of(&world, &run);
        let foreign = Connection::open(&path).unwrap();
        let count = |sql| foreign.query_row(sql, [], |row| row.get::<_, i64>(0));
        assert!(count("SELECT count(*) FROM change").unwrap() > 0);
        foreign.close().unwrap();
        assert!(!path.with_extension("run-wal").exists());
        let report = world.run(&["report", &run]).must_be(0);
        assert!(report.stderr.contains("its log is gone"), "{report:?}");
        // Moved, or copied, it cannot be told from one whose log was left behind.
        let copy = world.home.path().join("copy.run");
        fs::copy(&path, &copy).unwrap();
        let refused = world.run(&["report", copy.to_str().unwrap()]).must_be(2);
        assert!(refused.stderr.contains("is missing"), "{refused:?}");
        if resumes {
            world
                .run(&[&["resume", &run], &YES[..]].concat())
                .must_be(3);
        }
        let undone = world.run(&["undo", &run, "--yes"]).must_be(0);
        assert_eq!(undone.stderr.contains("its log is gone"), !resumes);
        assert_eq!(world.states(), before);
    }
}

#[test]
fn a_run_that_ended_is_one_private_file_and_nothing_else() {
    let world = World::with_users(20);
    world.run(&[&["deactivate"], &YES[..]].concat());
    let run = latest(&world);
    world.run(&["report", &run]).must_be(0);
    world.run(&["undo", &run, "--yes"]).must_be(0);
    let folder = runs_folder(&world);
    let (names, runs) = (names(&folder), 2);
    assert!(names.iter().all(|name| name.ends_with(".run")), "{names:?}");
    assert_eq!(names.len(), runs);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let out = world.home.path().join("out.run");
        let page = world.home.path().join("page.html");
        let (out, page) = (out.to_str().unwrap(), page.to_str().unwrap());
        world.run(&["plan", "reactivate", "--out", out]);
        let report = ["report", &run, "--format", "html", "--output", page];
        world.run(&report).must_be(0);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for name in names {
            assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
        }
        assert_eq!(mode(Path::new(out)), 0o600);
        assert_eq!(mode(Path::new(page)), 0o600);
        assert_eq!(mode(&folder), 0o700);
    }
}

#[test]
fn a_run_that_came_to_nothing_leaves_nothing() {
    let world = World::with_users(20);
    let deactivate = [&["deactivate"], &YES[..]].concat();
    world.run(&deactivate);
    let folder = runs_folder(&world);
    let before = names(&folder);
    for _ in 0..3 {
        let check = [&["check", "inactive", "--fix"], &YES[1..]].concat();
        world.run(&check);
    }
    assert_eq!(names(&folder), before);
    world
        .run(&["plan", "deactivate", "--user", "nobody@nowhere.example"])
        .must_be(2);
    assert_eq!(names(&folder), before);
}

#[test]
fn reading_changes_nothing_not_even_after_a_kill() {
    let world = slow_world();
    let run = killed(&world, 60);
    let folder = runs_folder(&world);
    let before = contents(&folder);
    assert!(before.contains_key(&format!("{run}.run-wal")));
    for _ in 0..2 {
        world.run(&["runs"]).must_be(0);
        let report = world.run(&["report", &run, "--format", "json"]).json();
        assert!(report["filters"]["changed"].as_u64().unwrap() > 0);
    }
    assert_eq!(contents(&folder), before);
    world
        .run(&[&["resume", &run], &YES[..]].concat())
        .must_be(3);
    let ended = contents(&folder);
    world.run(&["report", &run]).must_be(0);
    assert_eq!(contents(&folder), ended);
}

#[test]
fn a_copy_of_a_killed_run_without_its_log_is_refused_and_one_with_it_works() {
    let world = slow_world();
    let before = world.states();
    let run = killed(&world, 60);
    let elsewhere = world.home.path().join("a copy");
    fs::create_dir(&elsewhere).unwrap();
    let copy = elsewhere.join("moved.run");
    fs::copy(file_of(&world, &run), &copy).unwrap();
    let name = copy.to_str().unwrap();
    for command in ["report", "resume", "undo"] {
        let refused = world.run(&[command, name]).must_be(2);
        assert!(
            refused.stderr.contains("moved.run-wal is missing"),
            "{refused:?}"
        );
    }
    let log = format!("{}-wal", file_of(&world, &run).display());
    fs::copy(log, format!("{name}-wal")).unwrap();
    world.run(&["report", name]).must_be(0);
    let resumed = world
        .run(&[&["resume", name], &YES[..]].concat())
        .must_be(3);
    let shown = format!("undo '{name}'");
    assert!(resumed.stdout.contains(&shown), "{shown}: {resumed:?}");
    world.run(&["undo", name, "--yes"]).must_be(0);
    assert_eq!(world.states(), before);
}

#[cfg(unix)]
#[test]
fn a_run_file_that_disappears_in_the_middle_stops_the_run_before_the_next_write() {
    for rename in [true, false] {
        let world = slow_world();
        let before = world.states();
        let child = under_way(&world, 30);
        let path = runs_folder(&world)
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|it| it == "run"))
            .unwrap();
        let away = world.home.path().join("away.run");
        if rename {
            fs::rename(&path, &away).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        let ended = Ended::from(child.wait_with_output().unwrap());
        assert!(
            ended
                .stderr
                .contains("moved, linked, replaced, cut or deleted"),
            "{ended:?}"
        );
        assert!(!matches!(ended.code, Some(0 | 3)), "{ended:?}");
        assert_ne!(world.states(), before);
        let all = world
            .run(&["plan", "deactivate", "--format", "json"])
            .json();
        assert!(
            all["filters"]["planned"].as_u64().unwrap() > 0,
            "it went on to the end"
        );
        if rename {
            // Every write that left is in the file, wherever that is now.
            let name = away.to_str().unwrap();
            let undo = world.run(&["undo", name, "--yes", "--url", &world.sandbox.url()]);
            undo.must_be(0);
            assert_eq!(world.states(), before);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_is_driven_once_whatever_it_is_called() {
    // Slow enough to be under way while the others are refused.
    let world = World::new(Options {
        users: 150,
        latency: Duration::from_millis(250),
        ..Options::default()
    });
    let child = under_way(&world, 10);
    let run = latest(&world);
    let path = file_of(&world, &run);
    let link = world.home.path().join("link.run");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let link = link.to_str().unwrap();
    let busy = world.run(&[&["resume", link], &YES[..]].concat());
    let hard = world.home.path().join("hard.run");
    fs::hard_link(&path, &hard).unwrap();
    let refused = world.run(&[&["resume", hard.to_str().unwrap()], &YES[..]].concat());
    fs::remove_file(hard).unwrap();
    kill(child);
    assert!(busy.must_be(5).stderr.contains("another process"));
    assert!(refused.must_be(2).stderr.contains("hard links"));
}

#[cfg(unix)]
#[test]
fn a_store_that_others_can_write_is_refused_with_the_remedy() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with_users(10);
    world.run(&["plan", "deactivate"]);
    let run = latest(&world);
    let open = PermissionsExt::from_mode(0o777);
    fs::set_permissions(runs_folder(&world), open).unwrap();
    let (apply, deactivate) = (
        [&["apply", &run], &YES[..]].concat(),
        [&["deactivate"], &YES[..]].concat(),
    );
    for args in [&apply[..], &deactivate, &["report", &run], &["runs"]] {
        let refused = world.run(args).must_be(2);
        assert!(refused.stderr.contains("chmod go-w"), "{refused:?}");
    }
    assert_eq!(world.sandbox.counts().patches, 0);
}

#[cfg(unix)]
#[test]
fn a_run_that_others_could_have_written_is_refused_with_a_remedy_that_works() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with_users(10);
    world.run(&["plan", "deactivate"]);
    let run = latest(&world);
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    let file = file_of(&world, &run);
    mode(&runs_folder(&world), 0o755);
    mode(&file, 0o666);
    let apply = [&["apply", &run], &YES[..]].concat();
    for args in [&apply[..], &["undo", &run], &["report", &run]] {
        let refused = world.run(args).must_be(2);
        let remedy = format!("chmod go-w {}", file.display());
        assert!(refused.stderr.contains(&remedy), "{refused:?}");
    }
    assert_eq!(world.sandbox.counts().patches, 0);
    mode(&file, 0o644);
    world.run(&apply).must_be(0);
}

#[test]
fn a_path_that_could_not_be_typed_again_is_refused() {
    let world = World::with_users(10);
    for args in [
        &["runs", "--state-dir", "a\u{1b}b"][..],
        &["report", "a\nb.run"],
        &["plan", "deactivate", "--out", "a\rb.run"],
    ] {
        let refused = world.run(args).must_be(2);
        assert!(refused.stderr.contains("control character"), "{refused:?}");
    }
}
