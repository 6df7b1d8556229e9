//! The file of a run that is undone: one file at every instant, and readable whatever happens to the undo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use syncfilters::sandbox::Options;

use crate::world::World;

const YES: [&str; 2] = ["--yes", "--accept-calendar-loss"];

fn folder(world: &World) -> PathBuf {
    world.home.path().join(".local/state/syncfilters/runs")
}

/// The files that belong to a run, without locks.
fn files_of(world: &World, run: &str) -> Vec<String> {
    let entries = fs::read_dir(folder(world)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with(run)).collect();
    names.sort();
    names
}

fn latest(world: &World) -> String {
    let runs = world.run(&["runs", "--format", "json"]).json();
    runs["runs"][0]["run"].as_str().unwrap().to_owned()
}

#[test]
fn an_undo_that_is_killed_leaves_the_run_that_it_undoes_one_file_that_can_be_read_and_undone() {
    let world = World::new(Options {
        users: 150,
        latency: Duration::from_millis(10),
        ..Options::default()
    });
    let before = world.states();
    world.run(&[&["deactivate"], &YES[..]].concat()).must_be(3);
    let run = latest(&world);
    let written = world.sandbox.counts().patches;
    let mut undo = world
        .command(&["undo", &run, "--yes", "--no-progress"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while world.sandbox.counts().patches < written + 20 {
        assert!(start.elapsed() < Duration::from_mins(1), "no writes came");
        assert!(undo.try_wait().unwrap().is_none(), "it ended too early");
        assert_eq!(files_of(&world, &run), [format!("{run}.run")]);
        std::thread::sleep(Duration::from_millis(2));
    }
    undo.kill().unwrap();
    undo.wait().unwrap();
    assert_eq!(files_of(&world, &run), [format!("{run}.run")]);
    world.run(&["report", &run]).must_be(0);
    let second = latest(&world);
    assert_ne!(second, run);
    let refused = world.run(&["undo", &run, "--yes"]).must_be(2);
    let resume = format!("syncfilters resume {}", &second[..6]);
    assert!(refused.stderr.contains(&resume), "{refused:?}");
    world.run(&["resume", &second, "--yes"]).must_be(0);
    assert_eq!(world.states(), before);
    let again = world.run(&["undo", &run, "--yes"]).must_be(0);
    assert!(again.stderr.contains("was undone before"), "{again:?}");
}

/// Leaves beside a copy of a run what a kill in the middle of a commit leaves there.
fn cut(source: &Path, copy: &Path) {
    let journal = |path: &Path| PathBuf::from(format!("{}-journal", path.display()));
    let scratch = copy.with_extension("scratch");
    fs::copy(source, &scratch).unwrap();
    let connection = Connection::open(&scratch).unwrap();
    connection
        .execute_batch("BEGIN; UPDATE run SET tool = 'half'")
        .unwrap();
    connection.cache_flush().unwrap();
    fs::copy(&scratch, copy).unwrap();
    fs::copy(journal(&scratch), journal(copy)).unwrap();
    connection.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_file_in_which_a_commit_was_cut_is_read_as_it_was_before_and_stays_as_it_is() {
    let world = World::with_users(20);
    let before = world.states();
    world.run(&[&["deactivate"], &YES[..]].concat());
    let run = latest(&world);
    let copy = world.home.path().join("cut.run");
    cut(&folder(&world).join(format!("{run}.run")), &copy);
    let journal = world.home.path().join("cut.run-journal");
    assert!(journal.metadata().unwrap().len() > 0);
    let bytes = fs::read(&copy).unwrap();
    assert!(
        bytes.windows(4).any(|bytes| bytes == b"half"),
        "the half of a commit is in the file"
    );
    let name = copy.to_str().unwrap();
    world.run(&["report", name]).must_be(0);
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    assert!(journal.exists());
    world.run(&["undo", name, "--yes"]).must_be(0);
    assert_eq!(world.states(), before);
    assert!(!journal.exists());
}
