//! The guards hold for whatever goes on with a run, and name everything that is missing at once.

use serde_json::Value;
use syncfilters::sandbox::{Fault, Faults};

use crate::world::{Ended, World};

const YES: [&str; 2] = ["--yes", "--accept-calendar-loss"];

/// Writes that reached the server.
fn writes(world: &World) -> u64 {
    world.sandbox.counts().patches
}

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

fn run_of(ended: &Ended) -> String {
    let document: Value = ended.json();
    document["run"].as_str().unwrap().to_owned()
}

/// A run of which one wave of two users was changed.
fn begun(world: &World) -> String {
    let args = ["deactivate", "--wave", "2", "--format", "json"];
    run_of(&world.run(&with(&args, &YES)).must_be(6))
}

fn planned(world: &World) -> String {
    let ended = world.run(&["plan", "deactivate", "--format", "json"]);
    run_of(&ended.must_be(3))
}

/// The environment is in production from now on, and is to be changed by no more than so many users.
fn configure(world: &World, keys: &str) {
    let folder = world.home.path().join(".config/syncfilters");
    std::fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "[environments.contoso]\nurl = \"{}\"\n{keys}",
        world.sandbox.url()
    );
    std::fs::write(folder.join("config.toml"), text).unwrap();
}

#[test]
fn every_way_to_go_on_passes_every_guard_and_names_every_missing_flag() {
    let world = World::with_users(30);
    let (begun, planned) = (begun(&world), planned(&world));
    configure(&world, "production = true\n");
    let before = writes(&world);
    let loss = "--accept-calendar-loss";
    let production = "--confirm-environment contoso";
    let ways: [(&[&str], &[&str]); 7] = [
        (&["deactivate"], &["--yes", loss, production]),
        (&["reactivate"], &["--yes", production]),
        (&["apply", &planned], &["--yes", loss, production]),
        (&["resume", &begun], &["--yes", loss, production]),
        (&["undo", &begun], &["--yes", production]),
        (&["check", "inactive", "--fix"], &[loss, production]),
        (
            &["templates", "deactivate", "--clear-default"],
            &["--yes", production],
        ),
    ];
    for (way, flags) in ways {
        let ended = world.run(way).must_be(5);
        for flag in flags {
            assert!(ended.stderr.contains(flag), "{way:?} {flag}: {ended:?}");
        }
        let wrong = ["--confirm-environment", "other"];
        world.run(&with(way, &with(&wrong, &YES[..1]))).must_be(5);
        assert_eq!(writes(&world), before, "{way:?}");
    }
}

#[test]
fn a_limit_that_came_later_and_one_that_was_given_hold_for_what_the_run_changes_in_all() {
    let world = World::with_users(30);
    let run = begun(&world);
    let before = writes(&world);
    let resume = with(&["resume", &run], &YES);
    let refused = world
        .run(&with(&resume, &["--max-changes", "3"]))
        .must_be(5);
    assert!(
        refused.stderr.contains("the limit of this command is 3"),
        "{refused:?}"
    );
    configure(&world, "max-changes = \"1\"\n");
    let refused = world.run(&resume).must_be(5);
    assert!(
        refused
            .stderr
            .contains("`max-changes` of environment `contoso`"),
        "{refused:?}"
    );
    assert_eq!(writes(&world), before);
    // A flag of this command replaces both.
    let allowed = with(&resume, &["--max-changes", "100%", "--wave", "rest"]);
    world.run(&allowed).must_be(3);
}

#[test]
fn a_limit_is_kept_with_the_run() {
    let world = World::with_users(30);
    let args = [
        "deactivate",
        "--wave",
        "2",
        "--max-changes",
        "90%",
        "--format",
        "json",
    ];
    let run = run_of(&world.run(&with(&args, &YES)).must_be(6));
    let report = world
        .run(&["report", &run, "--format", "json"])
        .must_be(0)
        .json();
    let changed = report["users"]["changed"].as_u64().unwrap();
    assert!(changed <= 2);
    let resume = with(&["resume", &run, "--wave", "rest"], &YES);
    world.run(&resume).must_be(3);
}

#[test]
fn what_was_agreed_to_while_items_were_safe_is_asked_for_again_when_they_are_not() {
    let world = World::with_users(30);
    world.sandbox.set_distinct_deletes(true);
    let run = planned(&world);
    world.sandbox.set_distinct_deletes(false);
    let before = writes(&world);
    let refused = world.run(&["apply", &run, "--yes"]).must_be(5);
    assert!(
        refused.stderr.contains("--accept-calendar-loss"),
        "{refused:?}"
    );
    assert_eq!(writes(&world), before);
    world.sandbox.set_distinct_deletes(true);
    world.run(&["apply", &run, "--yes"]).must_be(3);
}

#[test]
fn a_run_that_was_undone_is_gone_on_with_only_when_that_was_said() {
    let world = World::with_users(30);
    let states = world.states();
    let run = begun(&world);
    world.run(&["undo", &run, "--yes"]).must_be(0);
    assert_eq!(world.states(), states);
    let before = writes(&world);
    let refused = world.run(&with(&["resume", &run], &YES)).must_be(5);
    assert!(refused.stderr.contains("--after-undo"), "{refused:?}");
    assert_eq!(writes(&world), before);
    let said = with(&["resume", &run, "--after-undo", "--wave", "rest"], &YES);
    world.run(&said).must_be(3);
    assert_ne!(world.states(), states);
}

#[test]
fn after_too_many_failures_nothing_goes_on_unasked() {
    let world = World::with_users(30);
    let run = planned(&world);
    let faults = Faults::none().with(Fault::Internal500, 1.0);
    world.sandbox.set_faults(faults);
    // The plan is compared first, which fails as well: it stays a plan, and nothing was changed.
    world.run(&with(&["apply", &run, "--stop-after-failures", "2"], &YES));
    world.sandbox.set_faults(Faults::none());
    let before = writes(&world);
    world.run(&["resume", &run]).must_be(5);
    assert_eq!(writes(&world), before);
}

#[test]
fn waves_are_kept_finished_and_repeated() {
    let world = World::with_users(60);
    let left = |ended: &Ended| ended.json()["users"]["planned"].as_u64().unwrap();
    let args = ["deactivate", "--wave", "2,3", "--format", "json"];
    let first = world.run(&with(&args, &YES)).must_be(6);
    let run = run_of(&first);
    let resume = with(&["resume", &run, "--format", "json"], &YES);
    // The list has ended: its last size is repeated, one wave a command.
    let second = world.run(&resume).must_be(6);
    assert_eq!(left(&first) - left(&second), 3);
    let third = world.run(&resume).must_be(6);
    assert_eq!(left(&second) - left(&third), 3);
    assert!(third.stderr.contains("the last wave is done"), "{third:?}");
}

#[test]
fn a_dry_run_leaves_the_run_as_it_was() {
    let world = World::with_users(30);
    let run = begun(&world);
    let path = world
        .home
        .path()
        .join(format!(".local/state/syncfilters/runs/{run}.run"));
    let bytes = std::fs::read(&path).unwrap();
    let before = writes(&world);
    let ended = world.run(&["resume", &run, "--dry-run"]).must_be(0);
    assert!(
        ended.stderr.contains("Dry run: nothing was sent."),
        "{ended:?}"
    );
    assert_eq!(writes(&world), before);
    assert!(std::fs::read(&path).unwrap() == bytes);
}

#[test]
fn a_dry_run_shows_the_plan_that_would_be_agreed_to_and_no_result() {
    let world = World::with_users(30);
    let dry = world.run(&["deactivate", "--dry-run"]).must_be(0);
    let lines: Vec<_> = dry.stdout.lines().collect();
    assert!(lines[0].starts_with("Plan "), "{dry:?}");
    assert!(dry.stdout.contains(" to change.\n"), "{dry:?}");
    assert!(!dry.stdout.contains(" made"), "{dry:?}");
    assert!(lines.len() <= 23, "{dry:?}");
    let document = world.run(&["deactivate", "--dry-run", "--format", "json"]);
    assert_eq!(document.must_be(0).json()["outcome"], "planned");
}

#[test]
fn who_agreed_when_and_how_is_in_the_run_file() {
    let world = World::with_users(30);
    let run = begun(&world);
    let path = world
        .home
        .path()
        .join(format!(".local/state/syncfilters/runs/{run}.run"));
    let reader = syncfilters::journal::RunReader::open(&path).unwrap();
    let history = reader.view(|view| view.history()).unwrap();
    let agreed = history
        .iter()
        .find(|entry| entry.kind.as_str() == "agreed")
        .unwrap();
    let detail: Value = serde_json::from_str(agreed.detail.as_deref().unwrap()).unwrap();
    for key in ["account", "host", "caller"] {
        assert!(detail[key].is_string(), "{detail}");
    }
    assert_eq!(detail["answers"][0]["how"], "flag");
    assert_eq!(detail["wave"], 1);
    assert!(agreed.digest.is_some() && agreed.users > Some(2));
}

#[test]
fn a_dry_run_is_refused_where_the_run_would_be_and_names_what_is_missing() {
    let world = World::with_users(30);
    let (begun, planned) = (begun(&world), planned(&world));
    let before = writes(&world);
    let ways: [&[&str]; 6] = [
        &["deactivate"],
        &["apply", &planned],
        &["resume", &begun],
        &["undo", &begun],
        &["check", "inactive", "--fix"],
        &["templates", "deactivate", "--clear-default"],
    ];
    for way in ways {
        let dry = with(way, &["--dry-run"]);
        let refused = world.run(&with(&dry, &["--max-changes", "0%"])).must_be(5);
        assert!(
            refused.stderr.contains("the limit of this command is 0%"),
            "{refused:?}"
        );
        let named = with(&dry, &["--confirm-environment", "other"]);
        world.run(&named).must_be(5);
        // `check --fix` says yes by itself, and has a limit of its own.
        let rehearsed = world.run(&with(&dry, &["--max-changes", "100%"]));
        let missing = rehearsed.stderr.contains("leave out --dry-run and give ")
            && rehearsed.stderr.contains("--yes");
        let asks = way[0] != "check" || rehearsed.stderr.contains("--accept-calendar-loss");
        assert!(
            asks && (missing || way[0] == "check"),
            "{way:?}: {rehearsed:?}"
        );
    }
    configure(&world, "max-changes = \"0\"\nproduction = true\n");
    for way in ways {
        let refused = world.run(&with(way, &["--dry-run"])).must_be(5);
        assert!(refused.stderr.contains("`max-changes`"), "{refused:?}");
    }
    assert_eq!(writes(&world), before);
}

#[test]
fn a_run_that_goes_on_after_an_undo_says_what_stays_and_is_not_called_complete() {
    let reference = World::with_users(30);
    reference.run(&with(&["deactivate"], &YES));
    let world = World::with_users(30);
    let states = world.states();
    let run = begun(&world);
    let report = world.run(&["report", &run, "--format", "json"]).json();
    let put_back = report["filters"]["changed"].as_u64().unwrap();
    let left = report["filters"]["planned"].as_u64().unwrap();
    world.run(&["undo", &run, "--yes"]).must_be(0);
    let said = format!("put back stay as they are; {left} still to change.");
    let go_on = with(&["resume", &run, "--wave", "rest"], &YES);
    let refused = world.run(&go_on).must_be(5);
    assert!(refused.stderr.contains(&said), "{refused:?}");
    let dry = world.run(&["resume", &run, "--dry-run"]);
    assert!(dry.stderr.contains(&said), "{dry:?}");
    let ended = world.run(&with(&go_on, &["--after-undo"])).must_be(3);
    assert!(
        ended
            .stderr
            .contains(&format!("{put_back} filters that undo")),
        "{ended:?}"
    );
    assert!(!ended.stdout.contains("Complete"), "{ended:?}");
    assert!(
        ended.stdout.contains("change again what the undo put back"),
        "{ended:?}"
    );
    let page = world.run(&["report", &run, "--format", "html"]).stdout;
    let headline = page.lines().find(|line| line.starts_with("<h1>")).unwrap();
    assert!(
        headline.contains(&format!("without {put_back} filters that undo")),
        "{headline}"
    );
    let runs = world.run(&["runs", "--format", "json"]).json();
    let of_run = runs["runs"].as_array().unwrap().iter();
    let of_run = of_run.filter(|one| one["run"] == run.as_str());
    assert!(
        of_run.clone().all(|one| one["undone_in_part"] == true),
        "{runs}"
    );
    assert_eq!(of_run.count(), 1);
    let mut undo = ended.stdout.lines().filter_map(|line| {
        line.contains("change again what")
            .then(|| line.split_whitespace().nth(2))?
    });
    let undo = undo.next().unwrap().to_owned();
    // The undo of the undo changes the rest.
    world.run(&with(&["undo", &undo], &YES)).must_be(0);
    assert_eq!(world.states(), reference.states());
    world.run(&["undo", &run, "--yes"]).must_be(0);
    assert_eq!(world.states(), states);
}
