//! Saved plans: the plan that is applied is the plan that was reviewed.

use crate::world::{Ended, World};

const YES: [&str; 2] = ["--yes", "--accept-calendar-loss"];

/// A saved plan: its run and its digest.
fn planned(world: &World) -> (String, String) {
    let document = world
        .run(&["plan", "deactivate", "--format", "json"])
        .json();
    let text = |key: &str| document[key].as_str().unwrap().to_owned();
    (text("run"), text("digest"))
}

/// Users whom a plan changes.
fn planned_users(world: &World, run: &str) -> String {
    let planned = ["report", run, "--only", "planned", "--format", "csv"];
    world.run(&planned).stdout
}

/// Somebody who is in the plan gives one of his filters another state.
fn switch_one(world: &World, run: &str, from: i32, to: i32) -> String {
    let planned = planned_users(world, run);
    let filters = world.sandbox.filters();
    let row = filters.iter().find(|f| {
        [
            "appointment",
            "recurringappointmentmaster",
            "serviceappointment",
        ]
        .contains(&f.filter_type.as_str())
            && f.querytype == 256
            && f.modified_by == f.owner
            && f.statecode == from
            && planned.contains(&f.owner.to_string())
    });
    let row = row.unwrap();
    world.sandbox.edit(row.id, |row| {
        row.statecode = to;
        row.statuscode = Some(to + 1);
    });
    row.owner_login.clone()
}

/// Such a filter is in no plan that was made before.
fn switch_one_on(world: &World, run: &str) -> String {
    switch_one(world, run, 1, 0)
}

#[test]
fn a_filter_that_its_user_switched_off_meanwhile_stops_nothing_and_is_unchanged() {
    let world = World::with_users(40);
    let (run, digest) = planned(&world);
    switch_one(&world, &run, 0, 1);
    let dry = world.run(&["apply", &run, "--dry-run", "--yes"]).must_be(0);
    for part in [
        "nothing was sent",
        "1 filter is in the wanted state already",
    ] {
        assert!(dry.stderr.contains(part), "{part}: {dry:?}");
    }
    let apply = ["apply", &run, "--expect", &digest, "--format", "json"];
    let applied = world.run(&[&apply[..], &YES].concat()).must_be(3).json();
    assert_eq!(
        applied["filters"]["already"],
        before_already(&world, &run) + 1
    );
    let report = world.run(&["report", &run, "--format", "json"]).json();
    let changes = report["changes"].as_array().unwrap();
    let already = changes.iter().filter(|row| row["outcome"] == "already");
    assert_eq!(already.count(), 1);
}

/// Matching filters that were in the wanted state when the plan was made.
fn before_already(world: &World, run: &str) -> u64 {
    let report = world.run(&["report", run, "--format", "json"]).json();
    let filters = &report["filters"];
    let number = |key: &str| filters[key].as_u64().unwrap();
    number("matching") - number("changed") - number("failed") - number("left") - 1
}

#[test]
fn a_plan_that_no_longer_fits_says_who_changed_what_and_is_planned_anew_on_demand() {
    let world = World::with_users(40);
    let (run, _) = planned(&world);
    let login = switch_one_on(&world, &run);
    let before = world.states();
    let apply = [&["apply", &run][..], &YES].concat();
    let refused = world.run(&apply).must_be(5);
    for part in [
        "1 filter is not as it was",
        &format!("changed by {login} at 20"),
        "--replan",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
    assert_eq!(world.states(), before);
    let mut command = world.command(&[&apply[..], &["--replan"]].concat());
    let applied = command.env("COLUMNS", "140").output().unwrap();
    let applied = Ended::from(applied).must_be(3);
    for part in ["Not as the plan says: 1 filter of 1 user", ", digest "] {
        assert!(applied.stdout.contains(part), "{part}: {applied:?}");
    }
    assert!(applied.stdout.contains(&login), "{applied:?}");
    assert_ne!(world.states(), before);
}

#[test]
fn only_the_plan_with_the_expected_digest_is_applied() {
    let world = World::with_users(40);
    let (run, digest) = planned(&world);
    let before = world.states();
    let expect = |digest: &str, more: &[&str]| {
        let args = ["apply", &run, "--expect", digest, "--format", "json"];
        world.run(&[&args[..], &YES, more].concat())
    };
    let requests = world.sandbox.counts().total;
    let refused = expect("0123456789abcdef", &[]).must_be(5);
    assert_eq!(refused.json()["error"]["kind"], "other-plan");
    assert!(refused.stderr.contains(&digest), "{refused:?}");
    assert_eq!(world.sandbox.counts().total, requests, "nothing was asked");
    expect("0123", &[]).must_be(2);
    switch_one_on(&world, &run);
    let changed = expect(&digest, &["--replan"]).must_be(5);
    assert!(
        changed.stderr.contains("Not as the plan says"),
        "{changed:?}"
    );
    assert_ne!(world.states(), before, "one was switched by its owner");
    assert_eq!(world.sandbox.counts().patches, 0);
    let document = world.run(&["report", &run, "--format", "json"]).json();
    let new = document["digest"].as_str().unwrap().to_owned();
    assert_ne!(new, digest);
    let applied = expect(&new, &[]).must_be(3);
    assert_eq!(applied.json()["digest"], new.as_str());
}

#[test]
fn a_plan_in_which_nothing_is_left_to_change_is_not_taken_away() {
    let world = World::with_users(30);
    let path = world.home.path().join("mine.run");
    let out = path.to_str().unwrap();
    world.run(&["plan", "deactivate", "--out", out]).must_be(3);
    let yes = ["--yes", "--accept-calendar-loss"];
    world.run(&[&["deactivate"][..], &yes].concat()).must_be(3);
    let applied = world.run(&[&["apply", out, "--replan"][..], &yes].concat());
    assert!(applied.stdout.contains("Run file"), "{applied:?}");
    assert!(path.is_file());
    world.run(&["report", out]).must_be(0);
}

#[test]
fn a_run_that_came_to_nothing_is_named_in_no_command() {
    let world = World::with_users(30);
    let yes = ["--yes", "--accept-calendar-loss"];
    world.run(&[&["deactivate"][..], &yes].concat()).must_be(3);
    let user = "--user";
    let listed = world.run(&["list", "--format", "json"]).json();
    let users = listed["users"].as_array().unwrap();
    let one = users
        .iter()
        .find(|user| user["problem"].is_null() && !user["filters"].as_array().unwrap().is_empty());
    let name = one.unwrap()["user"].as_str().unwrap();
    let ended = world
        .run(&[&["deactivate", user, name][..], &yes].concat())
        .must_be(0);
    assert!(!ended.stdout.contains("Run file"), "{ended:?}");
    assert!(!ended.stdout.contains("syncfilters report"), "{ended:?}");
}

#[test]
fn what_another_run_wrote_meanwhile_is_not_taken_for_this_run_s_work() {
    let world = World::with_users(30);
    let yes = ["--yes", "--accept-calendar-loss", "--format", "json"];
    let before = world.states();
    let changed =
        |ended: &crate::world::Ended| ended.json()["filters"]["changed"].as_u64().unwrap();
    let first = world
        .run(&[&["deactivate", "--wave", "2"][..], &yes].concat())
        .must_be(6);
    let run = first.json()["run"].as_str().unwrap().to_owned();
    let after_first = world.states();
    world.run(&[&["deactivate"][..], &yes].concat()).must_be(3);
    let after_second = world.states();
    let resumed = world.run(&[&["resume", &run, "--wave", "rest"][..], &yes].concat());
    assert_eq!(changed(&resumed), changed(&first), "{resumed:?}");
    assert_eq!(world.states(), after_second);
    world.run(&["undo", &run, "--yes"]).must_be(0);
    // Only the rows of the first wave are as they were before.
    let own = before.iter().zip(&after_first).map(|(a, b)| a != b);
    let now = world.states();
    for (at, own) in own.enumerate() {
        let expected = if own { before[at] } else { after_second[at] };
        assert_eq!(now[at], expected);
    }
}

#[test]
fn an_undo_of_a_copy_counts_for_the_run_itself() {
    let world = World::with_users(30);
    let yes = ["--yes", "--accept-calendar-loss"];
    let begun = world.run(&[&["deactivate", "--wave", "2", "--format", "json"][..], &yes].concat());
    let run = begun.must_be(6).json()["run"].as_str().unwrap().to_owned();
    let store = world.home.path().join(".local/state/syncfilters/runs");
    let copy = world.home.path().join("bak.run");
    std::fs::copy(store.join(format!("{run}.run")), &copy).unwrap();
    let copy = copy.to_str().unwrap();
    let url = world.sandbox.url();
    world
        .run(&["undo", copy, "--yes", "--url", &url])
        .must_be(0);
    let refused = world
        .run(&[&["resume", &run][..], &yes].concat())
        .must_be(5);
    assert!(refused.stderr.contains("--after-undo"), "{refused:?}");
}

#[test]
fn a_plan_says_how_many_requests_and_how_much_time_it_takes_to_apply_it() {
    let world = World::with_users(40);
    let plan = world
        .run(&["plan", "deactivate", "--format", "json"])
        .json();
    let said = |key: &str| plan["estimate"][key].as_f64().unwrap();
    let before = world.sandbox.counts().total;
    world.run(&[&["apply", "latest"][..], &YES].concat());
    let sent = f64::from(u32::try_from(world.sandbox.counts().total - before).unwrap());
    let share = said("requests") / sent;
    assert!(
        (0.75..=1.25).contains(&share),
        "{} said, {sent} sent",
        said("requests")
    );
    assert!(said("least_seconds") > 0.0 && said("least_seconds") <= said("most_seconds"));
    // The plan is shown with a time however fast the server is.
    let shown = world.run(&["plan", "deactivate"]).stdout;
    let other = world.run(&["plan", "reactivate"]).stdout;
    assert!(
        shown.contains("\nTime ") || other.contains("\nTime "),
        "{shown}{other}"
    );
}
