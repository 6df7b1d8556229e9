//! The worst day: a process that is killed, and one that is asked to stop.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use syncfilters::sandbox::{Fault, Faults, Options};

use crate::world::World;

fn slow_world() -> World {
    World::new(Options {
        users: 150,
        latency: Duration::from_millis(10),
        ..Options::default()
    })
}

fn start(world: &World) -> Child {
    world
        .command(&[
            "deactivate",
            "--yes",
            "--accept-calendar-loss",
            "--no-progress",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the server has seen writes: the moment at which stopping hurts most.
fn wait_for_writes(world: &World, child: &mut Child, writes: u64) {
    let start = Instant::now();
    while world.sandbox.counts().patches < writes {
        assert!(start.elapsed() < Duration::from_mins(1), "no writes came");
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn latest_run(world: &World) -> String {
    let runs = world.run(&["runs", "--format", "json"]).json();
    runs["runs"][0]["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_killed_run_is_finished_by_resume_and_undone_exactly() {
    let reference = slow_world();
    let before = reference.states();
    reference
        .run(&["deactivate", "--yes", "--accept-calendar-loss"])
        .must_be(3);
    for writes in [1, 60, 200] {
        let world = slow_world();
        let mut child = start(&world);
        wait_for_writes(&world, &mut child, writes);
        child.kill().unwrap();
        child.wait().unwrap();
        let run = latest_run(&world);
        world
            .run(&["resume", &run, "--yes", "--accept-calendar-loss"])
            .must_be(3);
        assert_eq!(
            world.states(),
            reference.states(),
            "killed after {writes} writes"
        );
        world.run(&["undo", &run, "--yes"]).must_be(0);
        assert_eq!(world.states(), before, "killed after {writes} writes");
    }
}

#[test]
fn a_killed_run_can_be_undone_without_finishing_it() {
    let world = slow_world();
    let before = world.states();
    let mut child = start(&world);
    wait_for_writes(&world, &mut child, 80);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(world.states(), before);
    world
        .run(&["undo", &latest_run(&world), "--yes"])
        .must_be(0);
    assert_eq!(world.states(), before);
}

#[test]
fn many_can_look_at_a_killed_run_at_once() {
    let world = slow_world();
    let mut child = start(&world);
    wait_for_writes(&world, &mut child, 60);
    child.kill().unwrap();
    child.wait().unwrap();
    let run = latest_run(&world);
    let runs = world.home.path().join(".local/state/syncfilters/runs");
    let path = runs.join(format!("{run}.run"));
    assert!(runs.join(format!("{run}.run-wal")).exists());
    // As the windows of a page do.
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                for _ in 0..20 {
                    let reader = syncfilters::journal::RunReader::open(&path).unwrap();
                    assert!(reader.view(|view| view.users()).unwrap().selected > 0);
                }
            });
        }
    });
}

#[test]
fn a_run_whose_token_is_refused_in_the_middle_stops_and_is_finished_by_resume() {
    let world = slow_world();
    let before = world.states();
    let mut child = start(&world);
    wait_for_writes(&world, &mut child, 60);
    let refused = Faults::default().with(Fault::ExpiredToken, 1.0);
    world.sandbox.set_faults(refused);
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(6), "{stderr}");
    assert!(stderr.contains("syncfilters resume"), "{stderr}");
    // Signed in anew.
    world.sandbox.set_faults(Faults::default());
    let run = latest_run(&world);
    world
        .run(&["resume", &run, "--yes", "--accept-calendar-loss"])
        .must_be(3);
    let checked = world.run(&["plan", "deactivate", "--format", "json"]);
    assert_eq!(checked.json()["filters"]["changed"], 0, "{checked:?}");
    world.run(&["undo", &run, "--yes"]).must_be(0);
    assert_eq!(world.states(), before);
}

/// A server that accepts connections and answers nothing is given up at once, not after the time limits of a read.
#[cfg(unix)]
#[test]
fn a_command_that_waits_for_a_silent_server_ends_when_it_is_asked_to() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    for (signal, command) in [
        ("-INT", &["whoami"][..]),
        ("-TERM", &["plan", "deactivate"]),
        ("-HUP", &["check", "inactive"]),
        ("-INT", &["doctor"]),
        ("-TERM", &["list"]),
        ("-INT", &["templates", "list"]),
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut child = crate::world::bare(&home, command)
            .env("SYNCFILTERS_URL", &url)
            .env("SYNCFILTERS_ACCESS_TOKEN", "token")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It says what it waits for: the request is under way.
        let mut first = [0; 13];
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"Connecting to");
        let pid = child.id().to_string();
        let told = Command::new("kill").args([signal, &pid]).status();
        assert!(told.unwrap().success());
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        let ended = child.wait().unwrap();
        assert_eq!(ended.code(), Some(130), "{command:?}: {rest}");
        assert!(rest.contains("error: interrupted"), "{command:?}: {rest}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_finishes_what_is_under_way_and_says_how_to_go_on() {
    let world = slow_world();
    let mut child = start(&world);
    wait_for_writes(&world, &mut child, 30);
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    let stderr = String::from_utf8(ended.stderr).unwrap();
    let run = latest_run(&world);
    assert!(
        stderr.contains(&format!("syncfilters resume {}", &run[..6])),
        "{stderr}"
    );
    world
        .run(&["resume", &run, "--yes", "--accept-calendar-loss"])
        .must_be(3);
}
