//! `trial`: what no document says of a server, found out on one user's filter, which is put back.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use syncfilters::sandbox::{Limits, Options, Switches, UserKind, UserSnapshot, Version};

use crate::world::{Ended, World};

const CALENDAR: [&str; 3] = [
    "appointment",
    "recurringappointmentmaster",
    "serviceappointment",
];

fn world(switches: &str) -> World {
    World::new(Options {
        users: 25,
        limits: Limits {
            servers: 2,
            ..Limits::documented()
        },
        switches: Switches::parse(switches).unwrap(),
        ..Options::default()
    })
}

/// Ordinary users with an active calendar filter, by what their mailbox does.
fn users(world: &World) -> Vec<UserSnapshot> {
    let filters = world.sandbox.filters();
    let has_one = |user: &UserSnapshot| {
        filters.iter().any(|it| {
            let is_calendar = CALENDAR.contains(&&*it.filter_type);
            it.owner == user.id && it.querytype == 256 && it.statecode == 0 && is_calendar
        })
    };
    let mut users = world.sandbox.users();
    users.retain(|it| it.kind == UserKind::Ordinary && !it.login.is_empty() && has_one(it));
    users
}

fn args<'a>(user: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let start = ["trial", "--user", user, "--yes", "--confirm-user", user];
    [&start[..], &["--output", "-"], more].concat()
}

fn try_out(world: &World, more: &[&str]) -> Ended {
    let user = users(world).remove(0).login;
    world.run(&args(&user, &[&["--accept-calendar-loss"], more].concat()))
}

/// What was seen of each fact.
fn seen(document: &Value) -> BTreeMap<String, String> {
    let rows = document["facts"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.map(|row| (text(&row["fact"]), text(&row["seen"])))
        .collect()
}

/// Tries a server with these switches: everything is put back, and what differs from a server without them is this.
fn differs(switches: &str, expected: &[(&str, &str)]) {
    let (plain, odd) = (world(""), world(switches));
    let before = odd.states();
    let usual = seen(&try_out(&plain, &[]).must_be(0).json());
    let ended = try_out(&odd, &[]);
    assert_eq!(odd.states(), before, "{switches}: not put back");
    let here = seen(&ended.must_be(0).json());
    let other: Vec<_> = here
        .iter()
        .filter(|(fact, seen)| usual.get(*fact) != Some(seen))
        .map(|(fact, seen)| (fact.as_str(), seen.as_str()))
        .collect();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(other, expected, "{switches}");
}

#[test]
fn a_server_that_does_as_is_documented_has_no_surprise_and_everything_is_put_back() {
    let world = world("");
    let before = world.states();
    let ended = try_out(&world, &[]).must_be(0);
    assert!(
        ended.stderr.contains("it was read again as its user"),
        "{ended:?}"
    );
    assert_eq!(world.states(), before);
    let document = ended.json();
    let rows = document["facts"].as_array().unwrap();
    assert_eq!(rows.len(), 21);
    for row in rows {
        let expected = row["expected"].as_str().unwrap();
        assert!(expected.is_empty() || expected == row["seen"], "{row}");
    }
    let seen = seen(&document);
    for (fact, answer) in [
        ("caller-object-id", "yes"),
        ("mscrm-caller-id", "yes"),
        ("parallelism-hint", "4"),
        ("servers", "2"),
    ] {
        assert_eq!(seen[fact], answer, "{fact}");
    }
    let runs = world.run(&["runs", "--format", "json"]).json();
    let runs = runs["runs"].as_array().unwrap();
    let operations: Vec<_> = runs.iter().map(|run| &run["operation"]).collect();
    assert_eq!(operations, ["undo", "deactivate"], "a run, and its undo");
}

#[test]
fn what_a_server_does_with_writes_is_found_on_both_sides() {
    differs(
        "refuse-state-in-patch",
        &[
            ("set-state", "no"),
            ("null-status", "unknown"),
            ("omitted-status", "unknown"),
            ("stale-version", "unknown"),
            ("version-moves", "unknown"),
            ("representation", "unknown"),
            ("modified-on-behalf", "unknown"),
            ("administrator-write", "unknown"),
        ],
    );
    differs("refuse-null-status", &[("null-status", "no")]);
    differs("refuse-omitted-status", &[("omitted-status", "no")]);
    differs("ignore-if-match-version", &[("stale-version", "no")]);
    differs("no-optimistic-concurrency", &[("stale-version", "no")]);
    let stays = [("version-moves", "no"), ("stale-version", "unknown")];
    differs("version-stays", &stays);
    differs(
        "version-moves-by-itself",
        &[("version-only-by-writes", "no")],
    );
    differs("no-representation", &[("representation", "no")]);
    differs("no-on-behalf", &[("modified-on-behalf", "no")]);
    differs("admin-writes-others", &[("administrator-write", "yes")]);
}

#[test]
fn what_a_server_does_with_impersonation_is_found_on_both_sides() {
    differs("batch-ignores-impersonation", &[("batch-header", "no")]);
    differs("part-impersonates", &[("part-header-ignored", "no")]);
    differs("no-continue-on-error", &[("continue-on-error", "no")]);
    differs("whoami-ignores-impersonation", &[("who-am-i", "no")]);
    differs(
        "current-user-ignores-impersonation",
        &[("current-user", "no")],
    );
    let refused = [
        ("administrator-query", "no"),
        ("administrator-query-all-columns", "no"),
    ];
    differs("caller-lacks-admin-filter", &refused);
    differs(
        "admin-query-conditions-only",
        &[("administrator-query", "no")],
    );
    differs("limits-per-impersonated-user", &[("budget", "user")]);
    differs("ignore-caller-object-id", &[("caller-object-id", "no")]);
    differs("ignore-mscrm-caller-id", &[("mscrm-caller-id", "no")]);
}

#[test]
fn an_older_server_is_tried_as_well() {
    let world = World::new(Options {
        users: 25,
        version: Version::V8_2,
        ..Options::default()
    });
    let before = world.states();
    let seen = seen(&try_out(&world, &[]).must_be(0).json());
    assert_eq!(world.states(), before);
    assert_eq!(seen["set-state"], "yes");
    assert_eq!(seen["caller-object-id"], "unknown", "nobody has one");
    assert_eq!(seen["mscrm-caller-id"], "yes");
    assert_eq!(seen["continue-on-error"], "no");
    assert_eq!(seen["budget"], "unknown", "it has no limits");
}

#[test]
fn the_table_shows_what_was_expected_and_the_file_names_nobody() {
    let world = world("refuse-null-status");
    let user = users(&world).remove(0);
    let file = world.home.path().join("facts.json");
    let path = file.to_str().unwrap();
    let start = ["trial", "--user", &user.login, "--yes"];
    let flags = ["--confirm-user", &user.login, "--accept-calendar-loss"];
    let all = [&start[..], &flags, &["--output", path]].concat();
    let ended = world.run(&all).must_be(0);
    assert!(ended.stdout.starts_with("Question "), "{ended:?}");
    let line = ended.stdout.lines().find(|it| it.contains("null status"));
    assert!(line.unwrap().contains("no (refused: 400"), "{ended:?}");
    assert!(
        ended.stdout.lines().all(|line| line.chars().count() <= 80),
        "{}",
        ended.stdout
    );
    let text = std::fs::read_to_string(&file).unwrap().to_lowercase();
    let filters = world.sandbox.filters();
    let ids = filters.iter().flat_map(|it| [it.id, it.owner]);
    let mut secret: Vec<_> = ids.map(|id| id.to_string()).collect();
    secret.extend([user.login.to_lowercase(), user.name.to_lowercase()]);
    secret.extend(["contoso".to_owned(), "127.0.0.1".to_owned()]);
    for secret in secret {
        assert!(!text.contains(&secret), "{secret} is in {text}");
    }
    // What is there is not written over, and that is said before anything is asked of the server.
    world.sandbox.reset_counts();
    let again = world.run(&all).must_be(2);
    assert!(again.stderr.contains("--output"), "{again:?}");
    assert_eq!(world.sandbox.counts().total, 0);
}

#[test]
fn every_guard_holds_and_nothing_is_written_without_consent() {
    let world = world("");
    let user = users(&world).remove(0).login;
    let before = world.states();
    let refused = |args: &[&str], code: i32, says: &str| {
        let ended = world.run(args).must_be(code);
        assert!(ended.stderr.contains(says), "{args:?}: {ended:?}");
        assert_eq!(world.sandbox.counts().patches, 0, "{args:?}");
    };
    let start = ["trial", "--output", "-", "--user", &user];
    refused(&start, 5, "--yes --confirm-user USER");
    refused(&[&start[..], &["--yes"]].concat(), 2, "--confirm-user");
    refused(
        &[&start[..], &["--confirm-user", &user]].concat(),
        5,
        "--yes",
    );
    let other = ["--yes", "--confirm-user", "somebody@else.example"];
    refused(&[&start[..], &other].concat(), 2, "another user");
    let loss = ["--accept-calendar-loss"];
    let limit = [&loss[..], &["--max-changes", "0"]].concat();
    refused(&args(&user, &limit), 5, "--max-changes");
    let nobody = "nobody@contoso.example";
    refused(&args(nobody, &loss), 2, nobody);
    let config = world.home.path().join("config.toml");
    let text = format!(
        "[environments.live]\nurl = \"{}\"\nproduction = true\n",
        world.sandbox.url()
    );
    std::fs::write(&config, text).unwrap();
    let config = ["--config", config.to_str().unwrap()];
    let production = args(&user, &[&loss[..], &config].concat());
    refused(&production, 5, "--confirm-environment live");
    let wrong = [&production[..], &["--confirm-environment", "dead"]].concat();
    refused(&wrong, 5, "live");
    assert_eq!(world.states(), before);
    let right = [&production[..], &["--confirm-environment", "live"]].concat();
    world.run(&right).must_be(0);
    assert_eq!(world.states(), before);
}

/// Leaves this user only the filter for appointments.
fn keep_appointments_only(world: &World, user: &UserSnapshot) {
    for filter in world.sandbox.filters() {
        if filter.owner == user.id {
            let is_kept = filter.filter_type == "appointment" && filter.statecode == 0;
            world.sandbox.edit(filter.id, |row| {
                row.statecode = i32::from(!is_kept);
            });
        }
    }
}

#[test]
fn nothing_has_to_be_accepted_where_nothing_can_be_lost_and_otherwise_it_has() {
    let world = World::new(Options {
        users: 80,
        ..Options::default()
    });
    let filters = world.sandbox.filters();
    let has_appointments = |user: &UserSnapshot| {
        let own = |it: &&syncfilters::sandbox::FilterSnapshot| {
            it.owner == user.id && it.filter_type == "appointment" && it.statecode == 0
        };
        let owned = |it: &syncfilters::sandbox::ActivitySnapshot| {
            it.owner == user.id && it.table == "appointment" && it.statecode == 3
        };
        let activities = world.sandbox.activities(user.id);
        let one = filters.iter().filter(own).count() == 1;
        one && activities.iter().filter(|it| owned(it)).count() > 3
    };
    let busy: Vec<_> = users(&world).into_iter().filter(has_appointments).collect();
    let quiet = users(&world).into_iter().find(|it| !it.synchronises);
    let harmless = |user: &UserSnapshot, says: &str| {
        let before = world.states();
        let ended = world.run(&args(&user.login, &[])).must_be(0);
        assert!(ended.stderr.contains(says), "{ended:?}");
        assert_eq!(world.states(), before);
    };
    harmless(
        &quiet.unwrap(),
        "the mailbox of this user synchronises nothing",
    );
    let synchronised = busy.iter().find(|it| it.synchronises).unwrap();
    harmless(synchronised, "the filter selects nothing now");
    keep_appointments_only(&world, synchronised);
    let before = world.states();
    world.sandbox.reset_counts();
    let ended = world.run(&args(&synchronised.login, &[])).must_be(5);
    assert!(ended.stderr.contains("--accept-calendar-loss"), "{ended:?}");
    assert_eq!(world.sandbox.counts().patches, 0);
    let accepted = args(&synchronised.login, &["--accept-calendar-loss"]);
    world.run(&accepted).must_be(0);
    assert_eq!(world.states(), before);
}

#[test]
fn the_caller_and_a_user_without_an_active_filter_cannot_be_tried_with() {
    let world = world("");
    let user = users(&world).remove(0);
    for filter in world.sandbox.filters() {
        if filter.owner == user.id {
            world.sandbox.edit(filter.id, |row| row.statecode = 1);
        }
    }
    let ended = world.run(&args(&user.login, &["--accept-calendar-loss"]));
    assert!(ended.must_be(2).stderr.contains("no active sync filter"));
    let whoami = world.run(&["whoami", "--format", "json"]).json();
    let caller = whoami["caller"]["id"].as_str().unwrap();
    let ended = world.run(&args(caller, &["--accept-calendar-loss"]));
    let stderr = ended.must_be(2).stderr;
    assert!(stderr.contains("no trial is possible"), "{stderr}");
    assert_eq!(world.sandbox.counts().patches, 0);
}

fn latest_run(world: &World) -> String {
    let runs = world.run(&["runs", "--format", "json"]).json();
    runs["runs"][0]["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_killed_trial_is_put_back_by_undo() {
    for writes in 1..=6 {
        let world = World::new(Options {
            users: 25,
            latency: Duration::from_millis(20),
            ..Options::default()
        });
        let before = world.states();
        let user = users(&world).remove(0).login;
        let wait = ["--accept-calendar-loss", "--wait", "10m"];
        let mut child = world
            .command(&args(&user, &wait))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        // Six writes: the sixth is looked for in vain, and it is killed while it waits.
        while world.sandbox.counts().patches < writes.min(5) {
            assert!(start.elapsed() < Duration::from_mins(1), "no writes came");
            std::thread::sleep(Duration::from_millis(1));
        }
        if writes == 6 {
            std::thread::sleep(Duration::from_millis(500));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_ne!(world.states(), before, "killed after {writes} writes");
        let undo = ["undo", &latest_run(&world), "--yes"];
        world.run(&undo).must_be(0);
        assert_eq!(world.states(), before, "killed after {writes} writes");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_trial_puts_the_filter_back_itself() {
    let world = world("");
    let before = world.states();
    let user = users(&world).remove(0).login;
    let wait = ["--accept-calendar-loss", "--wait", "10m"];
    let child = world
        .command(&args(&user, &wait))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while world.sandbox.counts().patches < 5 {
        assert!(start.elapsed() < Duration::from_mins(1), "no writes came");
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = child.id().to_string();
    let mut kill = std::process::Command::new("kill");
    assert!(kill.args(["-INT", &pid]).status().unwrap().success());
    let ended = Ended::from(child.wait_with_output().unwrap()).must_be(130);
    assert_eq!(world.states(), before, "{ended:?}");
}

/// What a world is like after a run and its undo, and how much they asked.
struct Course {
    off: Vec<(i32, Option<i32>)>,
    undone: Vec<(i32, Option<i32>)>,
    asked: u64,
    undo_writes: u64,
}

fn course(switches: &str, tried: bool) -> Course {
    let world = world(switches);
    if tried {
        try_out(&world, &[]).must_be(0);
    }
    world.sandbox.reset_counts();
    world.run(&["plan", "deactivate"]);
    let asked = world.sandbox.counts().total;
    world.run(&["deactivate", "--yes", "--accept-calendar-loss"]);
    let off = world.states();
    world.sandbox.reset_counts();
    world
        .run(&["undo", &latest_run(&world), "--yes"])
        .must_be(0);
    Course {
        off,
        undone: world.states(),
        asked,
        undo_writes: world.sandbox.counts().patches,
    }
}

#[test]
fn later_runs_begin_with_what_was_found_and_end_the_same() {
    let switches = "refuse-null-status,ignore-caller-object-id";
    let (without, with) = (course(switches, false), course(switches, true));
    assert_eq!(with.off, without.off);
    assert_eq!(with.undone, without.undone);
    let (asked, asked_before) = (with.asked, without.asked);
    assert!(asked < asked_before, "{asked} {asked_before}");
    let (writes, writes_before) = (with.undo_writes, without.undo_writes);
    assert!(writes < writes_before, "{writes} {writes_before}");
}

#[test]
fn where_a_batch_does_not_impersonate_later_runs_write_one_by_one() {
    let switches = "batch-ignores-impersonation";
    let (without, with) = (course(switches, false), course(switches, true));
    let off = |course: &Course| course.off.iter().filter(|row| row.0 == 1).count();
    assert!(
        off(&with) > off(&without),
        "{} {}",
        off(&with),
        off(&without)
    );
}

#[test]
fn a_fact_that_no_longer_holds_costs_a_try_and_never_a_result() {
    let before = world("ignore-caller-object-id");
    let file = try_out(&before, &[]).must_be(0).stdout;
    let now = world("ignore-mscrm-caller-id,caller-lacks-admin-filter");
    let whoami = now.run(&["whoami", "--format", "json"]).json();
    let id = whoami["environment"]["id"].as_str().unwrap();
    let state = now.home.path().join("state");
    std::fs::create_dir_all(state.join("facts")).unwrap();
    std::fs::write(state.join(format!("facts/{id}.json")), file).unwrap();
    let state = ["--state-dir", state.to_str().unwrap()];
    let yes = ["deactivate", "--yes", "--accept-calendar-loss"];
    let with = now.run(&[&yes[..], &state].concat());
    let plain = world("ignore-mscrm-caller-id,caller-lacks-admin-filter");
    let without = plain.run(&yes);
    assert_eq!(with.code, without.code, "{with:?}");
    assert_eq!(now.states(), plain.states());
}
