//! Saved plans that are narrowed to some of their users.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::{Ended, World};

const YES: [&str; 4] = ["--yes", "--accept-calendar-loss", "--format", "json"];

fn planned(world: &World, more: &[&str]) -> Value {
    let plan = [&["plan", "deactivate", "--format", "json"], more].concat();
    world.run(&plan).json()
}

fn text<'v>(document: &'v Value, key: &str) -> &'v str {
    document[key].as_str().unwrap()
}

/// The users of a run in one class, each with its id.
fn users(world: &World, run: &str, class: &str) -> Vec<(String, String)> {
    let csv = world.run(&["report", run, "--only", class, "--format", "csv"]);
    let mut rows = csv::Reader::from_reader(csv.stdout.as_bytes());
    let headers = rows.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (user, id) = (at("user"), at("user_id"));
    let found: BTreeSet<_> = rows
        .records()
        .map(|row| row.unwrap())
        .map(|row| (row[user].to_owned(), row[id].to_owned()))
        .collect();
    found.into_iter().collect()
}

/// A file with these lines.
fn list(world: &World, name: &str, lines: &[&str]) -> String {
    let path = world.home.path().join(name);
    std::fs::write(&path, lines.join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn apply(world: &World, run: &str, more: &[&str]) -> Ended {
    world.run(&[&["apply", run][..], &YES, more].concat())
}

/// Filters of these users that are inactive, by id.
fn inactive(world: &World, ids: &BTreeSet<String>) -> usize {
    let filters = world.sandbox.filters();
    let theirs = filters
        .iter()
        .filter(|filter| ids.contains(&filter.owner.to_string()) && filter.statecode == 1);
    theirs.count()
}

#[test]
fn a_narrowed_plan_is_the_plan_of_those_users_and_changes_nobody_else_ever() {
    let world = World::with_users(60);
    let plan = planned(&world, &["--impact"]);
    let (run, digest) = (text(&plan, "run"), text(&plan, "digest"));
    let (to_change, failed) = (users(&world, run, "planned"), users(&world, run, "failed"));
    let (left, kept) = to_change.split_at(3);
    let out: BTreeSet<_> = left.iter().chain(&failed).map(|u| u.1.clone()).collect();
    let names: Vec<_> = out.iter().map(String::as_str).collect();
    let out_list = list(&world, "out.txt", &names);
    let kept_names: Vec<_> = kept.iter().map(|user| &*user.1).collect();
    let kept_list = list(&world, "kept.txt", &kept_names);
    let fresh = planned(&world, &["--impact", "--users-from", &kept_list]);
    let before = inactive(&world, &out);

    // An expected digest is that of what is left; the plan is as it was where it is another.
    let narrow = ["--exclude-from", &out_list];
    let refused = apply(&world, run, &[&narrow[..], &["--expect", digest]].concat());
    let refused = refused.must_be(5).json();
    assert_eq!(refused["error"]["kind"], "other-plan");
    let report = |run: &str| world.run(&["report", run, "--format", "json"]).json();
    assert_eq!(text(&report(run), "digest"), digest);
    // A dry run leaves the plan as it is.
    apply(&world, run, &[&narrow[..], &["--dry-run"]].concat()).must_be(0);
    assert_eq!(text(&report(run), "digest"), digest);
    assert_eq!(world.sandbox.counts().patches, 0);

    let new = text(&fresh, "digest");
    assert_ne!(new, digest);
    let applied = apply(&world, run, &[&narrow[..], &["--expect", new]].concat());
    assert!(applied.stderr.contains(new), "{applied:?}");
    let applied = applied.json();
    let number = |key: &str| usize::try_from(applied["users"][key].as_u64().unwrap()).unwrap();
    assert_eq!(number("changed") + number("failed"), kept.len());
    assert_eq!(number("left_out"), out.len());
    assert_eq!(inactive(&world, &out), before);
    let loss = |document: &Value| document["impact"]["items"].as_u64().unwrap();
    assert!(loss(&fresh) > 0);
    assert_eq!(loss(&report(run)), loss(&fresh));
    assert!(loss(&plan) > loss(&fresh));
    // Who could not be read, and was taken out, is not tried again.
    let requests = world.sandbox.counts().total;
    world.run(&[&["resume", run][..], &YES].concat());
    assert!(world.sandbox.counts().total - requests < 20);
    assert_eq!(users(&world, run, "left-out").len(), out.len());
    assert_eq!(inactive(&world, &out), before);
    let undone = world.run(&[&["undo", run][..], &YES].concat()).json();
    let put_back = usize::try_from(undone["users"]["selected"].as_u64().unwrap()).unwrap();
    assert_eq!(put_back, number("changed"));
}

#[test]
fn a_plan_that_is_narrowed_and_changed_in_waves_stays_narrowed_when_it_is_resumed() {
    let world = World::with_users(40);
    let plan = planned(&world, &[]);
    let run = text(&plan, "run");
    let to_change = users(&world, run, "planned");
    let only: Vec<_> = to_change[..4].iter().map(|user| &*user.1).collect();
    let only_list = list(&world, "only.txt", &only);
    let first = apply(&world, run, &["--only-from", &only_list, "--wave", "1"]);
    assert_eq!(first.code, Some(6), "{first:?}");
    let resumed = world.run(&[&["resume", run, "--wave", "rest"][..], &YES].concat());
    let document = resumed.json();
    let number = |key: &str| document["users"][key].as_u64().unwrap();
    assert_eq!(number("changed") + number("failed"), 4, "{document}");
    let of_others = |filter: &&syncfilters::sandbox::FilterSnapshot| {
        !only.contains(&&*filter.owner.to_string()) && filter.modified_by != filter.owner
    };
    let filters = world.sandbox.filters();
    assert_eq!(filters.iter().filter(of_others).count(), 0);
    assert_eq!(document["filters"]["planned"], 0);
}

#[test]
fn every_name_that_narrows_nothing_is_told_with_its_line() {
    let world = World::with_users(40);
    let plan = planned(&world, &[]);
    let (run, digest) = (text(&plan, "run"), text(&plan, "digest"));
    let to_change = users(&world, run, "planned");
    let unchanged = &users(&world, run, "skipped")[0].1;
    let lines = [&*to_change[0].1, unchanged, "nobody@nowhere.example"];
    let out = list(&world, "out.txt", &lines);
    let refused = apply(&world, run, &["--exclude-from", &out]).must_be(2);
    let place = format!("{out}:3: no user `nobody@nowhere.example` in this run");
    assert!(refused.stderr.contains(&place), "{refused:?}");
    let report = world.run(&["report", run, "--format", "json"]).json();
    assert_eq!(text(&report, "digest"), digest);

    let skip = ["--exclude-from", &out, "--skip-unknown", "--dry-run"];
    let told = apply(&world, run, &skip).must_be(0);
    for part in [
        "1 name matches no user and is skipped:",
        &format!("{out}:3: `nobody@nowhere.example` (to be excluded)"),
        "1 name is of a user with nothing to change in this plan:",
        &format!("{out}:2: `{unchanged}`"),
        "Left out: 1 user.",
    ] {
        assert!(told.stderr.contains(part), "{part}: {told:?}");
    }
    let everybody: Vec<_> = to_change.iter().map(|user| &*user.1).collect();
    let all = list(&world, "all.txt", &everybody);
    let failed = users(&world, run, "failed");
    let refused = apply(&world, run, &["--exclude-from", &all]).must_be(2);
    assert!(
        refused.stderr.contains("nobody would be left"),
        "{refused:?}"
    );
    assert!(!failed.is_empty());
    assert_eq!(world.sandbox.counts().patches, 0);
}

#[test]
fn what_has_ended_cannot_be_narrowed() {
    let world = World::with_users(30);
    let run = world
        .run(&[&["deactivate"][..], &YES].concat())
        .must_be(3)
        .json();
    let refused = apply(&world, text(&run, "run"), &["--exclude-user", "anna"]).must_be(2);
    assert!(
        refused.stderr.contains("cannot be narrowed: it has ended"),
        "{refused:?}"
    );
}

#[test]
fn what_is_left_of_a_begun_run_is_narrowed_when_it_is_resumed() {
    let world = World::with_users(30);
    let plan = planned(&world, &[]);
    let run = text(&plan, "run");
    apply(&world, run, &["--wave", "2"]);
    let waiting = users(&world, run, "planned");
    let one = &waiting[..1];
    let args = ["resume", run, "--wave", "rest", "--exclude-user", &one[0].1];
    let resumed = world.run(&[&args[..], &YES].concat());
    assert!(resumed.stderr.contains("Left out: 1 user."), "{resumed:?}");
    assert_eq!(users(&world, run, "left-out"), one);
    assert!(users(&world, run, "planned").is_empty());
}

#[test]
fn a_plan_that_is_refused_before_anybody_was_asked_is_not_narrowed() {
    let world = World::with_users(30);
    let plan = planned(&world, &[]);
    let run = text(&plan, "run");
    let to_change = users(&world, run, "planned");
    // No terminal, and no word that agrees.
    let args = ["apply", run, "--exclude-user", &to_change[0].1];
    world.run(&args).must_be(5);
    assert_eq!(users(&world, run, "planned"), to_change);
}

#[test]
fn users_of_both_engines_are_counted_again_when_they_are_taken_out() {
    let world = World::with_users(40);
    let probe = planned(&world, &[]);
    let to_change = users(&world, text(&probe, "run"), "planned");
    let served = list(&world, "engine.txt", &[&to_change[0].1, &to_change[1].1]);
    let plan = planned(&world, &["--other-engine", &served]);
    let run = text(&plan, "run");
    assert!(users(&world, run, "both-engines").is_empty());
    apply(&world, run, &["--exclude-user", &to_change[0].1]);
    // The filters stay active, and the other engine serves the user, too.
    let both = users(&world, run, "both-engines");
    assert_eq!(both, [to_change[0].clone()]);
}
