//! The contract with people and programs: words, documents, exit codes.

use std::io::Read;
use std::process::Stdio;

use serde_json::Value;
use syncfilters::sandbox::{Options, Switch, Switches};

use crate::world::{Ended, World};

const YES: [&str; 2] = ["--yes", "--accept-calendar-loss"];

fn deactivate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["deactivate"], &YES[..], more].concat()
}

#[test]
fn the_whole_job_in_two_commands_each_with_one_document() {
    let world = World::with_users(60);
    let before = world.states();
    let ended = world.run(&deactivate(&["--format", "json"])).must_be(3);
    let document = ended.json();
    assert_eq!(document["format"], 1);
    assert_eq!(document["operation"], "deactivate");
    assert_eq!(document["outcome"], "partial");
    assert_eq!(
        document["environment"]["url"],
        world.sandbox.url().trim_end_matches('/')
    );
    let number = |path: &str| document.pointer(path).and_then(Value::as_u64).unwrap();
    let users = ["changed", "unchanged", "skipped", "failed"];
    let sum: u64 = users.iter().map(|n| number(&format!("/users/{n}"))).sum();
    assert_eq!(sum, number("/users/selected"));
    let filters = ["changed", "already", "left", "failed"];
    let sum: u64 = filters
        .iter()
        .map(|n| number(&format!("/filters/{n}")))
        .sum();
    assert_eq!(sum, number("/filters/matching"));
    assert_eq!(number("/requests/total"), world.sandbox.counts().total);
    let problems = document["problems"].as_array().unwrap();
    for problem in problems {
        for key in ["user", "id", "stage", "kind", "message", "hint"] {
            assert!(problem[key].is_string(), "{key} in {problem}");
        }
    }
    let run = document["run"].as_str().unwrap();
    let undone = world
        .run(&["undo", &run[..4], "--yes", "--format", "json"])
        .must_be(0);
    assert_eq!(undone.json()["operation"], "undo");
    assert_eq!(undone.json()["outcome"], "complete");
    assert_eq!(world.states(), before);
}

#[test]
fn a_plan_writes_nothing_and_is_applied_later() {
    let world = World::with_users(60);
    let before = world.states();
    let file = world.home.path().join("pilot.run");
    let file = file.to_str().unwrap();
    let plan = ["plan", "deactivate", "--format", "json", "--out", file];
    let planned = world.run(&plan).must_be(3);
    assert_eq!(planned.json()["outcome"], "planned");
    assert_eq!(world.states(), before);
    assert!(
        planned
            .stderr
            .contains(&format!("syncfilters apply {file}")),
        "{planned:?}"
    );
    world
        .run(&[&plan[..], &["--detailed-exitcode"]].concat())
        .must_be(2);
    let applied = world.run(&[&["apply", file][..], &YES].concat()).must_be(3);
    assert!(applied.stdout.contains("deactivated"), "{applied:?}");
    assert_ne!(world.states(), before);
    world.run(&[&["apply", file][..], &YES].concat()).must_be(3);
}

#[test]
fn a_plan_with_changes_exits_10_where_that_is_wanted() {
    let world = World::with_users(40);
    let plan = ["plan", "deactivate", "--detailed-exitcode"];
    let ended = world.run(&plan).must_be(10);
    assert!(ended.stdout.contains("appointment"), "{ended:?}");
}

#[test]
fn a_plan_that_no_longer_fits_is_refused() {
    let world = World::with_users(40);
    let planned = world.run(&["plan", "deactivate", "--format", "json"]);
    let run = planned.json()["run"].as_str().unwrap().to_owned();
    let filters = world.sandbox.filters();
    let row = filters.iter().find(|f| {
        f.filter_type == "appointment"
            && f.querytype == 256
            && f.modified_by == f.owner
            && f.statecode == 0
    });
    world.sandbox.delete(row.unwrap().id);
    let before = world.states();
    let ended = world.run(&[&["apply", &run][..], &YES].concat()).must_be(5);
    assert!(ended.stderr.contains("no longer fits"), "{ended:?}");
    assert_eq!(world.states(), before);
}

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_is_done() {
    let world = World::with_users(30);
    let before = world.states();
    let ended = world.run(&["deactivate"]).must_be(5);
    assert!(ended.stderr.contains("--yes"), "{ended:?}");
    let ended = world.run(&["deactivate", "--yes"]).must_be(5);
    assert!(ended.stderr.contains("--accept-calendar-loss"), "{ended:?}");
    assert_eq!(world.states(), before);
    let runs = world.run(&["runs", "--format", "json"]).must_be(0);
    assert_eq!(runs.json()["runs"].as_array().unwrap().len(), 0);
}

#[test]
fn an_organisation_that_spares_calendars_needs_no_agreement_to_a_loss() {
    let world = World::new(Options {
        users: 30,
        switches: Switches::none().with(Switch::DistinctDeletes),
        ..Options::default()
    });
    world.run(&["deactivate", "--yes"]).must_be(3);
}

#[test]
fn one_user_by_any_name_and_nobody_else() {
    let world = World::with_users(40);
    let filters = world.sandbox.filters();
    let users = world.sandbox.users();
    let plain = users
        .iter()
        .find(|u| {
            u.may_write_filters
                && !u.disabled
                && !u.login.is_empty()
                && filters.iter().any(|f| {
                    f.owner == u.id
                        && f.filter_type == "appointment"
                        && f.statecode == 0
                        && f.querytype == 256
                })
                && u.access_mode == 0
                && !u.application
        })
        .unwrap();
    let ended = world
        .run(&deactivate(&[
            "--user",
            &plain.login.to_uppercase(),
            "--format",
            "json",
        ]))
        .must_be(0);
    assert_eq!(ended.json()["users"]["selected"], 1);
    for (old, new) in filters.iter().zip(world.sandbox.filters()) {
        assert!(old == &new || new.owner == plain.id);
    }
}

#[test]
fn list_check_and_report_say_what_is_there() {
    let world = World::with_users(40);
    let listed = world.run(&["list", "--format", "json"]).json();
    let users = listed["users"].as_array().unwrap();
    assert_eq!(users.len(), world.sandbox.users().len());
    world.run(&["check", "inactive"]).must_be(10);
    let ended = world.run(&deactivate(&["--format", "json"]));
    let run = ended.json()["run"].as_str().unwrap().to_owned();
    let checked = world.run(&["check", "inactive", "--format", "json"]);
    for user in checked.json()["users"].as_array().unwrap() {
        let problem = !user["problem"].is_null();
        let filters = user["filters"].as_array().unwrap();
        assert!(
            problem || filters.iter().all(|f| f["state"] == "active"),
            "{user}"
        );
    }
    let runs = world.run(&["runs", "--format", "json"]).must_be(0).json();
    assert_eq!(runs["runs"][0]["run"], run.as_str());
    let table = world.run(&["report", &run]).must_be(0);
    assert!(table.stdout.contains("no-roles"), "{table:?}");
    let csv = world.run(&["report", &run, "--format", "csv"]).must_be(0);
    let mut rows = csv::Reader::from_reader(csv.stdout.as_bytes());
    assert!(rows.records().all(|row| row.is_ok()));
    let json = world
        .run(&["report", &run, "--format", "json"])
        .must_be(0)
        .json();
    assert!(json["changes"].as_array().is_some_and(|c| !c.is_empty()));
}

#[test]
fn a_reader_that_goes_away_fails_nothing() {
    let world = World::with_users(400);
    let mut child = world
        .command(&["list", "--no-progress"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0_u8; 64];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert!(!stderr.contains("error"), "{stderr}");
    assert!(matches!(ended.status.code(), Some(0 | 3)));
}

#[test]
fn the_token_is_nowhere_to_be_found() {
    let world = World::with_users(40);
    let token = world.sandbox.token();
    let ended = world.run(&deactivate(&["-vv"]));
    assert!(
        ended.stderr.contains("/api/data/v9.2/userqueries"),
        "requests are told"
    );
    for text in [&ended.stdout, &ended.stderr, &world.everything_written()] {
        assert!(!text.contains(token));
    }
}

#[test]
fn tables_fit_80_columns() {
    let world = World::with_users(60);
    let mut command = world.command(&deactivate(&[]));
    let ended = crate::world::Ended::from(command.env("COLUMNS", "80").output().unwrap());
    let run = world.run(&["runs", "--format", "json"]).json()["runs"][0]["run"].clone();
    let report = world.run(&["report", run.as_str().unwrap()]);
    let listed = world.run(&["list"]);
    for text in [&ended.stdout, &report.stdout, &listed.stdout] {
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= 80, "{longest}:\n{text}");
    }
}

#[test]
fn the_demo_does_the_whole_job() {
    let home = tempfile::tempdir().unwrap();
    let mut command = crate::world::bare(&home, &["demo", "--users", "40", "--faults"]);
    let ended = crate::world::Ended::from(command.output().unwrap()).must_be(0);
    assert!(
        ended.stdout.contains("exactly as it was before"),
        "{ended:?}"
    );
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        0,
        "it leaves nothing behind"
    );
}

#[test]
fn a_plan_that_changes_too_many_is_refused_with_the_numbers_and_the_flag() {
    let world = World::with_users(40);
    let before = world.states();
    let ended = world.run(&deactivate(&["--max-changes", "10%"])).must_be(5);
    assert!(
        ended.stderr.contains("the limit of this command is 10%"),
        "{ended:?}"
    );
    assert_eq!(world.states(), before);
    world.run(&deactivate(&["--max-changes", "40"])).must_be(3);
    world
        .run(&deactivate(&["--max-changes", "many"]))
        .must_be(2);
}

#[test]
fn waves_go_one_after_the_other_and_what_is_in_none_is_left_for_resume() {
    let world = World::with_users(60);
    let waves = ["--wave", "5,10", "--format", "json"];
    let ended = world.run(&deactivate(&waves)).must_be(6);
    assert!(
        ended.stderr.contains("Wave 1: 4 changed, 1 failed."),
        "{ended:?}"
    );
    let document = ended.json();
    assert_eq!(document["outcome"], "stopped");
    let run = document["run"].as_str().unwrap();
    let users = &document["users"];
    let done = users["changed"].as_u64().unwrap() + users["failed"].as_u64().unwrap();
    assert!(done >= 15, "{users}");
    assert!(users["planned"].as_u64().unwrap() > 0, "{users}");
    world.run(&["resume", run]).must_be(5);
    let resumed = world.run(&[
        "resume",
        run,
        "--yes",
        "--accept-calendar-loss",
        "--wave",
        "5,rest",
        "--format",
        "json",
    ]);
    let resumed = resumed.must_be(3).json();
    assert_eq!(resumed["users"]["planned"], 0);
    world.run(&deactivate(&["--wave", "0"])).must_be(2);
}

#[test]
fn what_users_lose_is_shown_in_the_plan_and_kept_for_the_report() {
    let world = World::with_users(40);
    let before = world.states();
    let plan = ["plan", "deactivate", "--impact", "--format", "json"];
    let document = world.run(&plan).must_be(3).json();
    assert_eq!(world.states(), before);
    let impact = &document["impact"];
    assert!(impact["items"].as_u64().unwrap() > 10, "{impact}");
    assert_eq!(impact["deletes"], true);
    let types = impact["types"].as_array().unwrap();
    let sum: u64 = types.iter().map(|of| of["items"].as_u64().unwrap()).sum();
    assert_eq!(impact["items"], sum);
    let first = document["look_first"].as_array().unwrap();
    assert!(first.iter().any(|it| it["kind"] == "template"), "{first:?}");
    let run = document["run"].as_str().unwrap();
    let report = world.run(&["report", run]).must_be(0);
    assert!(
        report.stdout.contains("Most affected users"),
        "{}",
        report.stdout
    );
    assert!(
        report.stdout.contains("Before you start"),
        "{}",
        report.stdout
    );
    let without = world.run(&["plan", "deactivate", "--format", "json"]);
    assert!(without.must_be(3).json().get("impact").is_none());
}

/// Whoever waits has to know for what.
#[test]
fn a_server_that_never_answers_is_named_by_every_command_that_connects() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    for command in [
        &["whoami"][..],
        &["plan", "deactivate"],
        &["check", "inactive"],
        &["doctor"],
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut child = crate::world::bare(&home, command)
            .env("SYNCFILTERS_URL", &url)
            .env("SYNCFILTERS_ACCESS_TOKEN", "token")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 32];
        child.stderr.take().unwrap().read_exact(&mut first).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let first = String::from_utf8_lossy(&first);
        assert!(
            first.starts_with("Connecting to http://127.0.0.1:"),
            "{command:?}: {first}"
        );
    }
}

#[test]
fn without_a_configuration_file_environments_says_which_one_and_how_to_make_it() {
    let world = World::with_users(25);
    let ended = crate::world::Ended::from(world.bare(&["environments"]).output().unwrap());
    let ended = ended.must_be(0);
    assert_eq!(ended.stdout, "");
    let file = world.home.path().join(".config/syncfilters/config.toml");
    assert!(ended.stderr.contains(file.to_str().unwrap()), "{ended:?}");
    let lines = ended
        .stderr
        .lines()
        .skip_while(|line| !line.starts_with('['));
    let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 2, "{ended:?}");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let ended = crate::world::Ended::from(world.bare(&["environments"]).output().unwrap());
    let ended = ended.must_be(0);
    assert!(ended.stdout.starts_with("contoso  "), "{ended:?}");
}

#[test]
fn each_command_has_a_manual_page() {
    let world = World::with_users(25);
    let folder = world.home.path().join("man");
    let args = ["man", "--output-dir", folder.to_str().unwrap()];
    world.run(&args).must_be(0);
    let one = world.run(&["man", "undo"]).must_be(0).stdout;
    assert!(one.contains("include\\-changed"), "{one}");
    for name in [
        "syncfilters.1",
        "syncfilters-undo.1",
        "syncfilters-report.1",
    ] {
        let page = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(page.contains(".TH"), "{name}");
    }
    let wrong = world.run(&["man", "nothing"]).must_be(2);
    assert!(wrong.stderr.contains("deactivate"), "{wrong:?}");
}

/// What the shell is offered after these words.
fn offered(world: &World, words: &[&str]) -> Vec<String> {
    let typed = [&["--", "syncfilters"], words].concat();
    let mut command = world.bare(&typed);
    command
        .env("SYNCFILTERS_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_IFS", "\n");
    let ended = Ended::from(command.output().unwrap()).must_be(0);
    ended.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn the_shell_is_offered_runs_environments_types_and_switches_and_no_hidden_flag() {
    let world = World::with_users(20);
    let plan = world
        .run(&["plan", "deactivate", "--format", "json"])
        .json();
    let run = plan["run"].as_str().unwrap()[..6].to_owned();
    let config = world.home.path().join(".config/syncfilters/config.toml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    let text = "[environments.fabrikam]\nurl = \"https://fabrikam.crm4.dynamics.com\"\n";
    std::fs::write(config, text).unwrap();
    for (words, expected) in [
        (&["report", ""][..], run.as_str()),
        (&["undo", ""], "latest"),
        (&["plan", "deactivate", "--environment", ""], "fabrikam"),
        (&["list", "--type", ""], "recurringappointmentmaster"),
        (&["sandbox", "--switch", ""], "outlook-client"),
        (&["report", "x", "--format", "x"], "xlsx"),
    ] {
        let offered = offered(&world, words);
        let is_there = offered.iter().any(|one| one.contains(expected));
        assert!(is_there, "{words:?}: {offered:?}");
    }
    let flags = offered(&world, &["plan", "deactivate", "--"]);
    assert!(flags.iter().any(|flag| flag.contains("--users-from")));
    assert!(
        !flags.iter().any(|flag| flag.contains("--budget-window")),
        "{flags:?}"
    );
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = world.bare(&["completions", shell]).output().unwrap();
        let script = Ended::from(script).must_be(0).stdout;
        assert!(script.contains("SYNCFILTERS_COMPLETE"), "{shell}: {script}");
    }
}

#[test]
fn each_command_has_a_manual_page_and_help_has_none() {
    let world = World::with_users(1);
    let folder = world.home.path().join("man");
    let args = ["man", "--output-dir", folder.to_str().unwrap()];
    Ended::from(world.bare(&args).output().unwrap()).must_be(0);
    let pages = std::fs::read_dir(folder).unwrap();
    let pages: Vec<_> = pages
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    for page in [
        "syncfilters.1",
        "syncfilters-apply.1",
        "syncfilters-runs-export.1",
    ] {
        assert!(pages.iter().any(|name| name == page), "{page}: {pages:?}");
    }
    assert!(!pages.iter().any(|name| name.contains("help")), "{pages:?}");
}
