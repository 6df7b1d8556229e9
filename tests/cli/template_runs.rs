//! A change of templates is a run: killed, finished, undone, and guarded as every other.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use syncfilters::sandbox::{Fault, Faults, Options, Switches};

use crate::world::World;

const DEACTIVATE: [&str; 4] = ["templates", "deactivate", "--clear-default", "--yes"];

fn world(switches: &str) -> World {
    World::new(Options {
        users: 25,
        latency: Duration::from_millis(20),
        switches: Switches::parse(switches).unwrap(),
        ..Options::default()
    })
}

/// Default flag, state and status of every template.
fn states(world: &World) -> Vec<Value> {
    let list = ["templates", "list", "--type", "all", "--kind", "both"];
    let list = world.run(&[&list[..], &["--format", "json"]].concat());
    let list = list.must_be(0).json();
    list["templates"].as_array().unwrap().clone()
}

fn deactivate(world: &World) -> Value {
    let json = ["--format", "json"];
    world
        .run(&[&DEACTIVATE[..], &json].concat())
        .must_be(0)
        .json()
}

fn runs(world: &World) -> Vec<Value> {
    let runs = world.run(&["runs", "--format", "json"]).must_be(0).json();
    runs["runs"].as_array().unwrap().clone()
}

fn of_run(world: &World, command: &str, run: &str, more: &[&str]) -> crate::world::Ended {
    world.run(&[&[command, run, "--format", "json"], more].concat())
}

/// Kills the command once the server has seen so many writes; or lets it end, where there were no more.
fn killed(world: &World, writes: u64) {
    let mut child: Child = world
        .command(&DEACTIVATE)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while world.sandbox.counts().patches < writes {
        assert!(start.elapsed() < Duration::from_mins(1), "no writes came");
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn latest(world: &World) -> String {
    runs(world)[0]["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_killed_change_of_templates_is_finished_by_resume_and_undone_exactly() {
    // The second server refuses default and state in one request, so that a template can be left between the two.
    for switches in ["", "template-halves-apart"] {
        let reference = world(switches);
        let before = states(&reference);
        deactivate(&reference);
        let after = states(&reference);
        assert_ne!(before, after);
        for writes in 1..=reference.sandbox.counts().patches {
            let world = world(switches);
            killed(&world, writes);
            let run = latest(&world);
            of_run(&world, "resume", &run, &["--yes"]).must_be(0);
            assert_eq!(states(&world), after, "{switches} killed after {writes}");
            of_run(&world, "undo", &run, &["--yes"]).must_be(0);
            assert_eq!(states(&world), before, "{switches} killed after {writes}");
        }
    }
}

#[test]
fn a_killed_change_of_templates_can_be_undone_without_finishing_it() {
    for switches in ["", "template-halves-apart"] {
        let reference = world(switches);
        let before = states(&reference);
        deactivate(&reference);
        for writes in 1..=reference.sandbox.counts().patches {
            let world = world(switches);
            killed(&world, writes);
            of_run(&world, "undo", &latest(&world), &["--yes"]).must_be(0);
            assert_eq!(states(&world), before, "{switches} killed after {writes}");
        }
    }
}

#[test]
fn a_template_that_somebody_changed_since_is_left_alone_and_reported() {
    let world = world("");
    let before = states(&world);
    let ended = deactivate(&world);
    let run = ended["run"].as_str().unwrap();
    let changed = ended["templates"].as_array().unwrap();
    let was_default = changed.iter().find(|t| t["before"]["default"] == true);
    let touched = was_default.unwrap()["id"].as_str().unwrap().to_owned();
    let activate = ["templates", "activate", "--yes", "--only", &touched];
    world.run(&activate).must_be(0);
    let mut expected = before.clone();
    let row = expected.iter_mut().find(|t| t["id"] == touched.as_str());
    row.unwrap()["default"] = false.into();
    for more in [&["--yes"][..], &["--yes", "--include-changed"]] {
        let undone = of_run(&world, "undo", run, more).must_be(3).json();
        assert_eq!(undone["outcome"], "partial");
        assert_eq!(undone["undoes"], run);
        for template in undone["templates"].as_array().unwrap() {
            let is_touched = template["id"] == touched.as_str();
            let left = template["outcome"] == "left";
            assert_eq!(left, is_touched, "{template}");
            if is_touched {
                assert_eq!(template["problem"]["kind"], "changed-since");
                let message = template["problem"]["message"].as_str().unwrap();
                assert!(message.contains("last changed by"), "{message}");
            }
        }
        assert_eq!(states(&world), expected);
    }
}

#[test]
fn a_write_of_a_template_whose_answer_is_odd_is_judged_by_the_template_and_undone() {
    for fault in [Fault::DoneBut412, Fault::DoneBut404, Fault::DoneBut429] {
        let world = world("");
        let before = states(&world);
        world.sandbox.set_faults(Faults::none().with(fault, 1.0));
        let ended = deactivate(&world);
        world.sandbox.set_faults(Faults::none());
        assert_eq!(ended["outcome"], "complete", "{ended}");
        assert_ne!(states(&world), before);
        let run = ended["run"].as_str().unwrap();
        of_run(&world, "undo", run, &["--yes"]).must_be(0);
        assert_eq!(states(&world), before);
    }
}

#[test]
fn a_run_of_templates_is_listed_and_reported() {
    let world = world("");
    let ended = deactivate(&world);
    let run = ended["run"].as_str().unwrap();
    let changed = ended["templates"].as_array().unwrap().len();
    let listed = &runs(&world)[0];
    assert_eq!(listed["target"], "templates");
    assert_eq!(listed["users"]["selected"], 0);
    assert_eq!(listed["templates"]["changed"], changed);
    let report = of_run(&world, "report", run, &[]).must_be(0).json();
    assert_eq!(report, ended);
    let table = world.run(&["report", run]).must_be(0).stdout;
    assert!(table.contains("syncfilters undo"), "{table}");
    let table = world.run(&["runs"]).must_be(0).stdout;
    for part in ["deactivate", "of 4", "templates", "complete"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let html = world.run(&["report", run, "--format", "html"]).must_be(2);
    assert!(html.stderr.contains("`markdown` show"), "{html:?}");
    let again = deactivate(&world);
    assert_eq!(
        (&again["outcome"], &again["run"]),
        (&"nothing".into(), &Value::Null)
    );
    let dry = ["templates", "activate", "--dry-run"];
    world.run(&dry).must_be(0);
    assert_eq!(runs(&world).len(), 1);
}

#[test]
fn without_a_terminal_every_flag_for_templates_is_named_and_limits_count_templates() {
    let world = world("");
    let ended = deactivate(&world);
    let run = ended["run"].as_str().unwrap();
    let off = states(&world);
    let asked = world.run(&["undo", run]).must_be(5);
    assert!(asked.stderr.contains("--yes"), "{asked:?}");
    assert!(
        !asked.stderr.contains("--accept-calendar-loss"),
        "{asked:?}"
    );
    let limited = ["undo", run, "--yes", "--max-changes", "1"];
    let refused = world.run(&limited).must_be(5);
    assert!(refused.stderr.contains("templates, and"), "{refused:?}");
    let activate = ["templates", "activate", "--yes", "--max-changes", "1"];
    world.run(&activate).must_be(5);
    assert_eq!(states(&world), off);
}

#[test]
fn a_run_of_templates_whose_undo_was_undone_is_undone_again() {
    let world = world("");
    let before = states(&world);
    let ended = deactivate(&world);
    let off = states(&world);
    let run = ended["run"].as_str().unwrap();
    let undo = |run: &str| {
        let undone = of_run(&world, "undo", run, &["--yes"]).must_be(0).json();
        undone["run"].as_str().unwrap().to_owned()
    };
    let first = undo(run);
    for _ in 0..2 {
        assert_eq!(states(&world), before);
        undo(&first);
        assert_eq!(states(&world), off);
        undo(run);
    }
    assert_eq!(states(&world), before);
}

#[test]
fn a_plan_of_templates_that_was_kept_is_compared_before_anything_is_asked() {
    let world = world("");
    let declined = world.run(&[
        "templates",
        "deactivate",
        "--clear-default",
        "--yes",
        "--max-changes",
        "1",
    ]);
    declined.must_be(5);
    let run = latest(&world);
    let planned = of_run(&world, "report", &run, &[]).json();
    let template = planned["templates"][0]["id"].as_str().unwrap().to_owned();
    let rename = [
        "templates",
        "deactivate",
        "--clear-default",
        "--yes",
        "--only",
        &template,
    ];
    world.run(&rename).must_be(0);
    let activate = [
        "templates",
        "activate",
        "--default",
        "--yes",
        "--only",
        &template,
    ];
    world.run(&activate).must_be(0);
    let clear = [
        "templates",
        "activate",
        "--clear-default",
        "--yes",
        "--only",
        &template,
    ];
    world.run(&clear).must_be(0);
    let before = states(&world);
    let apply = ["apply", &run, "--yes", "--max-changes", "100%"];
    let stale = world.run(&apply).must_be(5);
    assert!(
        stale.stderr.contains("1 template is not as it was"),
        "{stale:?}"
    );
    assert_eq!(states(&world), before);
    world.run(&[&apply[..], &["--replan"]].concat()).must_be(0);
}
