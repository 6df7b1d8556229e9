//! `check`: what is out of line, who made it so, and putting it right.
use syncfilters::sandbox::{Options, Switch, Switches};

use crate::world::{Ended, World};

const YES: [&str; 2] = ["--yes", "--accept-calendar-loss"];

/// The login of a user whose active calendar filters can be changed.
fn somebody(world: &World) -> String {
    let filters = world.sandbox.filters();
    let users = world.sandbox.users();
    let plain = users.iter().find(|u| {
        u.may_write_filters
            && !u.disabled
            && !u.login.is_empty()
            && u.access_mode == 0
            && !u.application
            && filters.iter().any(|f| {
                f.owner == u.id
                    && f.filter_type == "appointment"
                    && f.statecode == 0
                    && f.querytype == 256
            })
    });
    plain.unwrap().login.clone()
}

#[test]
fn whoever_made_a_filter_so_is_named_with_the_time() {
    let world = World::with_users(40);
    let login = somebody(&world);
    let user = ["--user", login.as_str()];
    world
        .run(&[&["deactivate"], &YES[..], &user].concat())
        .must_be(0);
    let check = |more: &[&str]| world.run(&[&["check", "active"], &user[..], more].concat());
    let document = check(&["--format", "json"]).must_be(10).json();
    let caller = world.run(&["whoami", "--format", "json"]).json();
    let caller = caller["caller"]["user"].as_str().unwrap();
    let filters = document["users"][0]["filters"].as_array().unwrap();
    let ours: Vec<_> = filters
        .iter()
        .map(|filter| &filter["modified"])
        .filter(|modified| !modified["on_behalf_by"].is_null())
        .collect();
    assert!(!ours.is_empty(), "{filters:?}");
    for modified in ours {
        assert_eq!(modified["by"]["user"], login.as_str());
        assert!(
            modified["on"].as_str().unwrap().ends_with('Z'),
            "{modified}"
        );
        let asked_for = &modified["on_behalf_by"]["user"];
        assert_eq!(asked_for, caller, "not in the run");
    }
    let table = check(&[]).must_be(10);
    assert!(table.stdout.contains("the user"), "{table:?}");
    assert!(table.stderr.contains("should be active."), "{table:?}");
    let csv = check(&["--format", "csv"]).must_be(10);
    let header = csv.stdout.lines().next().unwrap();
    assert!(header.ends_with("modified_on_behalf_by_id"), "{header}");
}

#[test]
fn the_table_fits_80_columns_and_with_nothing_out_of_line_there_is_none() {
    let world = World::with_users(60);
    let ended = world.run(&["check", "inactive"]).must_be(10);
    let longest = ended.stdout.lines().map(|line| line.chars().count()).max();
    assert!(longest.unwrap() <= 80, "{}", ended.stdout);
    let login = somebody(&world);
    let active = ["check", "active", "--user", &login, "--type", "appointment"];
    let nothing = world.run(&active).must_be(0);
    assert_eq!(nothing.stdout, "");
    assert!(
        nothing.stderr.contains("in the wanted state"),
        "{nothing:?}"
    );
    assert!(
        nothing.stderr.contains("1 filter was compared."),
        "{nothing:?}"
    );
}

#[test]
fn a_check_that_compared_no_filter_ends_with_2() {
    let world = World::with_users(40);
    let login = somebody(&world);
    let none = ["--user", &login, "--name", "no such name"];
    for start in [
        &["check", "active"][..],
        &["check", "inactive", "--format", "csv"],
        &["check", "inactive", "--fix", "--accept-calendar-loss"],
    ] {
        let ended = world.run(&[start, &none].concat()).must_be(2);
        assert_eq!(ended.stdout, "", "{start:?}");
        assert!(ended.stderr.contains("no filter was compared"), "{ended:?}");
        assert!(ended.stderr.contains("hint: check --type"), "{ended:?}");
    }
    let json = ["check", "active", "--format", "json"];
    let ended = world.run(&[&json[..], &none].concat()).must_be(2);
    assert_eq!(ended.json()["error"]["kind"], "nothing-compared");
    let ended = world
        .run(&[&json[..], &["--user", &login, "--type", "appointment"]].concat())
        .must_be(0);
    assert!(ended.json()["compared"].as_u64().unwrap() > 0, "{ended:?}");
    let runs = world.run(&["runs", "--format", "json"]).must_be(0).json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 0);
}

/// The users of the sandbox who have no filters to show, one for each reason: the id, and whether it was tried to read.
fn without_filters(world: &World) -> Vec<(String, String, bool)> {
    let list = world.run(&["list", "--format", "json"]).json();
    let mut found: Vec<(String, String, bool)> = Vec::new();
    for user in list["users"].as_array().unwrap() {
        let problem = &user["problem"];
        let Some(kind) = problem["kind"].as_str() else {
            continue;
        };
        if found.iter().all(|(known, ..)| known != kind) {
            let skipped = problem["message"].as_str().unwrap().starts_with("skipped");
            let id = user["id"].as_str().unwrap();
            found.push((kind.to_owned(), id.to_owned(), !skipped));
        }
    }
    found
}

#[test]
fn each_way_to_compare_no_filter_ends_with_2_and_says_so_with_the_count() {
    let world = World::with_users(40);
    let login = somebody(&world);
    // A type of which others have filters, and this user has none.
    let users = world.sandbox.users();
    let user = users.iter().find(|user| user.login == login).unwrap();
    for filter in world.sandbox.filters() {
        if filter.owner == user.id && filter.filter_type == "task" {
            world.sandbox.delete(filter.id);
        }
    }
    let list = world.home.path().join("left.csv");
    std::fs::write(&list, "upn\nleft@contoso.example\n").unwrap();
    let list = list.to_str().unwrap();
    let reasons = without_filters(&world);
    assert!(reasons.len() > 8, "{reasons:?}");
    let mut ways: Vec<(Vec<&str>, &str)> = vec![
        (
            vec!["--where", "fullname eq 'Nobody at all'"],
            "no user was selected",
        ),
        (
            vec!["--user", &login, "--exclude-user", &login],
            "no user was selected",
        ),
        (
            vec!["--user", &login, "--name", "no such name"],
            "the selected user has no matching filter",
        ),
        (
            vec!["--type", "phonecall", "--name", "no such name"],
            "No filter was compared. 3 users could not be read.",
        ),
        (
            vec!["--user", &login, "--type", "task"],
            "the selected user has no matching filter",
        ),
        (
            vec!["--users-from", list, "--skip-unknown"],
            "1 name does not match exactly one user",
        ),
    ];
    for (_, id, tried) in &reasons {
        let says = if *tried {
            "No filter was compared. 1 user could not be read."
        } else {
            "the selected user has no matching filter; skipped: 1"
        };
        ways.push((vec!["--user", id], says));
    }
    // All of those who were not skipped, together.
    let mut unread = Vec::new();
    for (_, id, tried) in &reasons {
        if *tried {
            unread.extend(["--user", id]);
        }
    }
    ways.push((unread, "No filter was compared. 3 users could not be read."));
    for (way, says) in &ways {
        for state in ["active", "inactive"] {
            let ended = world
                .run(&[&["check", state], &way[..]].concat())
                .must_be(2);
            assert!(ended.stderr.contains(says), "{way:?}: {ended:?}");
            assert!(
                !ended.stderr.contains("in the wanted state"),
                "{way:?}: {ended:?}"
            );
        }
    }
    let fix = [
        "check",
        "inactive",
        "--fix",
        "--accept-calendar-loss",
        "--where",
        "fullname eq 'x'",
    ];
    let ended = world.run(&fix).must_be(2);
    assert!(ended.stderr.contains("no user was selected"), "{ended:?}");
}

#[test]
fn a_filter_type_that_there_is_not_is_refused_with_a_suggestion() {
    let world = World::with_users(30);
    let login = somebody(&world);
    let before = world.states();
    for start in [
        &["check", "inactive"][..],
        &["list"],
        &["plan", "deactivate"],
        &["deactivate", "--yes", "--accept-calendar-loss"],
        &["check", "inactive", "--fix", "--accept-calendar-loss"],
        &["templates", "list"],
    ] {
        let ended = world
            .run(&[start, &["--type", "apointment"]].concat())
            .must_be(2);
        let says = "no filter type `apointment` in this environment; did you mean `appointment`?";
        assert!(ended.stderr.contains(says), "{start:?} {ended:?}");
    }
    assert_eq!(world.states(), before);
    let runs = world.run(&["runs", "--format", "json"]).must_be(0).json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 0);
    for known in ["appointment", "Contact", "task", "ALL"] {
        let args = ["list", "--user", &login, "--type", known];
        world.run(&args).must_be(0);
    }
    world
        .run(&["list", "--type", "contact", "--type", "al"])
        .must_be(2);
}

/// Everybody who can be changed is inactive, but these: the given number of users switched a filter on again.
fn drifted(world: &World, users: usize) -> Vec<(i32, Option<i32>)> {
    world.run(&[&["deactivate"], &YES[..]].concat()).must_be(3);
    let inactive = world.states();
    let filters = world.sandbox.filters();
    let may_write = |id| {
        let users = world.sandbox.users();
        users
            .iter()
            .any(|u| u.id == id && u.may_write_filters && !u.disabled && !u.application)
    };
    let mut done = std::collections::BTreeSet::new();
    for filter in filters
        .iter()
        .filter(|f| f.filter_type == "appointment" && f.querytype == 256 && f.statecode == 1)
    {
        if done.len() < users && !done.contains(&filter.owner) && may_write(filter.owner) {
            done.insert(filter.owner);
            world.sandbox.edit(filter.id, |row| {
                row.statecode = 0;
                row.statuscode = Some(1);
            });
        }
    }
    assert_eq!(done.len(), users);
    inactive
}

/// How many runs there are.
fn runs(world: &World) -> usize {
    let runs = world.run(&["runs", "--format", "json"]).must_be(0).json();
    runs["runs"].as_array().unwrap().len()
}

fn fix(world: &World, more: &[&str]) -> Ended {
    let start = ["check", "inactive", "--fix", "--accept-calendar-loss"];
    world.run(&[&start[..], more].concat())
}

#[test]
fn a_drift_is_put_right_by_a_run_that_undo_takes_back() {
    let world = World::with_users(60);
    let inactive = drifted(&world, 3);
    let drift = world.states();
    let ended = fix(&world, &["--format", "json"]);
    let document = ended.json();
    assert_eq!(document["operation"], "deactivate");
    assert_eq!(document["filters"]["changed"], 3);
    assert_eq!(world.states(), inactive);
    assert!(ended.stderr.contains("should be inactive."), "{ended:?}");
    let run = document["run"].as_str().unwrap();
    world.run(&["undo", run, "--yes"]).must_be(0);
    assert_eq!(world.states(), drift);
}

#[test]
fn a_drift_that_is_too_large_is_refused_with_the_numbers_and_the_flag() {
    let world = World::with_users(60);
    drifted(&world, 3);
    let (drift, before) = (world.states(), runs(&world));
    let ended = fix(&world, &["--max-changes", "2"]).must_be(5);
    assert!(
        ended.stderr.contains("refused: the run changes "),
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains("the limit of this command is 2"),
        "{ended:?}"
    );
    assert_eq!(world.states(), drift);
    // Nobody applies what a schedule plans anew each time.
    assert!(!ended.stderr.contains("`syncfilters"), "{ended:?}");
    assert_eq!(runs(&world), before);
    let world = World::with_users(60);
    let ended = fix(&world, &[]).must_be(5);
    assert!(
        ended
            .stderr
            .contains("an unattended fix changes at most 30%, or 10 users"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("a higher --max-changes"), "{ended:?}");
}

#[test]
fn with_nothing_to_put_right_no_run_is_left() {
    let world = World::with_users(40);
    let login = somebody(&world);
    let user = ["--user", login.as_str()];
    let first = fix(&world, &user).must_be(0);
    assert!(first.stdout.contains("deactivated"), "{first:?}");
    assert_eq!(runs(&world), 1);
    let second = fix(&world, &user).must_be(0);
    assert_eq!(second.stdout, "");
    assert!(second.stderr.contains("in the wanted state"), "{second:?}");
    let third = fix(&world, &[&user[..], &["--format", "json"]].concat()).must_be(0);
    assert_eq!(third.json()["outcome"], "nothing");
    assert_eq!(runs(&world), 1);
}

#[test]
fn putting_right_asks_nobody_and_still_needs_the_agreement_to_a_loss() {
    let world = World::with_users(30);
    let before = world.states();
    let ended = world.run(&["check", "inactive", "--fix"]).must_be(5);
    assert!(ended.stderr.contains("--accept-calendar-loss"), "{ended:?}");
    assert_eq!(world.states(), before);
    let spared = World::new(Options {
        users: 30,
        switches: Switches::none().with(Switch::DistinctDeletes),
        ..Options::default()
    });
    let login = somebody(&spared);
    spared
        .run(&["check", "inactive", "--fix", "--user", &login])
        .must_be(0);
    let ended = world.run(&["check", "inactive", "--yes"]).must_be(2);
    assert!(ended.stderr.contains("add --fix"), "{ended:?}");
}

#[test]
fn what_a_dry_run_left_out_of_line_is_still_pending() {
    let world = World::with_users(40);
    let login = somebody(&world);
    let before = world.states();
    fix(&world, &["--user", &login, "--dry-run"]).must_be(10);
    assert_eq!(world.states(), before);
}

#[test]
fn putting_right_that_fails_before_it_changes_anything_leaves_no_run() {
    let world = World::with_users(25);
    let ended = fix(&world, &["--user", "nobody@nowhere.example"]).must_be(2);
    assert!(ended.stderr.contains("nobody@nowhere.example"), "{ended:?}");
    let runs = world.run(&["runs", "--format", "json"]).must_be(0).json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 0);
}
