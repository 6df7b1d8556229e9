//! Runs in order: listed, counted, deleted, and moved to another computer.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::world::{Ended, World, bare};

const YES: [&str; 4] = ["--yes", "--accept-calendar-loss", "--format", "json"];

fn text(document: &Value, key: &str) -> String {
    document[key].as_str().unwrap().to_owned()
}

/// Names of users who can be changed.
fn changeable(world: &World) -> Vec<String> {
    let plan = world
        .run(&["plan", "deactivate", "--format", "json"])
        .json();
    let run = text(&plan, "run");
    let csv = world.run(&["report", &run, "--only", "planned", "--format", "csv"]);
    let mut rows = csv::Reader::from_reader(csv.stdout.as_bytes());
    let at = rows
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "user_id");
    let mut names: Vec<_> = rows
        .records()
        .map(|row| row.unwrap()[at.unwrap()].to_owned())
        .collect();
    names.dedup();
    names
}

fn deactivate(world: &World, user: &str) -> String {
    let args = [&["deactivate", "--user", user][..], &YES].concat();
    text(&world.run(&args).must_be(0).json(), "run")
}

fn runs(world: &World, more: &[&str]) -> Vec<Value> {
    let listed = world.run(&[&["runs", "--format", "json"], more].concat());
    listed.json()["runs"].as_array().unwrap().clone()
}

fn configured(world: &World) -> String {
    let path = world.home.path().join("c.toml");
    let text = format!(
        "[environments.contoso]\nurl = \"{}\"\n[environments.fabrikam]\nurl = \"https://fabrikam.crm4.dynamics.com\"\n",
        world.sandbox.url()
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn runs_are_listed_with_environment_selection_planned_users_and_what_undid_them() {
    let world = World::with_users(20);
    let user = &changeable(&world)[0];
    let run = deactivate(&world, user);
    let undo = world
        .run(&[&["undo", &run][..], &YES].concat())
        .must_be(0)
        .json();
    let config = configured(&world);
    let listed = runs(&world, &["--config", &config]);
    let plan = listed.last().unwrap();
    assert!(plan["users"]["planned"].as_u64().unwrap() > 0);
    let of_run = &listed[1];
    assert_eq!(of_run["run"], run.as_str());
    assert_eq!(of_run["environment_name"], "contoso");
    assert_eq!(&of_run["selection"], user.as_str());
    assert_eq!(of_run["undone_by"], undo["run"]);
    let table = world.run(&["runs", "--config", &config]).stdout;
    let by = format!("undone by {}", &text(&undo, "run")[..6]);
    for part in [
        &by,
        "to change",
        "not applied",
        "contoso",
        "today",
        "complete",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(
        table.lines().all(|line| line.chars().count() <= 80),
        "{table}"
    );

    let of = |name: &str| runs(&world, &["--config", &config, "--environment", name]).len();
    assert_eq!([of("contoso"), of("fabrikam")], [listed.len(), 0]);
    for command in ["runs", "status"] {
        let unknown = [command, "--config", &config, "--environment", "nope"];
        let refused = world.run(&unknown).must_be(2);
        for name in ["contoso", "fabrikam", "Contoso"] {
            assert!(refused.stderr.contains(name), "{name}: {refused:?}");
        }
    }
}

#[test]
fn latest_works_wherever_a_run_is_named() {
    let world = World::with_users(20);
    for command in ["report", "apply", "resume", "undo"] {
        let none = world.run(&[command, "latest"]).must_be(2);
        let said = "error: there is no run yet\nhint: `syncfilters plan deactivate` makes a plan, which is a run\n";
        assert_eq!(none.stderr, said, "{command}");
    }
    let user = changeable(&world)[0].clone();
    world
        .run(&["plan", "deactivate", "--user", &user])
        .must_be(0);
    world
        .run(&[&["apply", "latest"][..], &YES].concat())
        .must_be(0);
    world.run(&["report", "latest"]).must_be(0);
    world
        .run(&[&["resume", "latest"][..], &YES].concat())
        .must_be(0);
    let file = world.home.path().join("a.run");
    let file = file.to_str().unwrap();
    world.run(&["runs", "export", "latest", file]).must_be(0);
    world
        .run(&[&["undo", "latest"][..], &YES].concat())
        .must_be(0);
}

#[test]
fn status_counts_each_user_once_over_pilot_and_rest_and_undo() {
    let world = World::with_users(20);
    let status = || {
        let status = world.run(&["status", "--format", "json"]).must_be(0).json();
        status["environments"][0].clone()
    };
    let names = changeable(&world);
    let all = status();
    let left = names.len() as u64;
    assert_eq!(all["users"]["left"], left);
    let pilot = deactivate(&world, &names[0]);
    let after = status();
    assert_eq!(after["users"]["left"], left - 1);
    assert_eq!(after["users"]["all"], all["users"]["all"]);
    world
        .run(&[&["undo", &pilot][..], &YES].concat())
        .must_be(0);
    assert_eq!(status()["users"], all["users"]);
    let table = world.run(&["status"]).must_be(0).stdout;
    assert!(table.contains("deactivate"), "{table}");
    assert!(
        table.lines().all(|line| line.chars().count() <= 80),
        "{table}"
    );
}

#[test]
fn prune_deletes_old_plans_and_undone_runs_and_others_only_on_demand() {
    let world = World::with_users(20);
    let names = changeable(&world);
    let undone = deactivate(&world, &names[0]);
    let undo = world.run(&[&["undo", &undone][..], &YES].concat()).json();
    let kept = deactivate(&world, &names[1]);
    let prune = |age: &str, more: &[&str]| {
        world.run(&[&["runs", "prune", "--older-than", age], more].concat())
    };
    let nothing = prune("90d", &["--yes"]).must_be(0);
    assert!(
        nothing.stderr.contains("No run is to be deleted"),
        "{nothing:?}"
    );
    assert_eq!(runs(&world, &[]).len(), 4);
    prune("soon", &["--yes"]).must_be(2);
    let asked = prune("0d", &[]).must_be(5);
    let question = "Delete 2 runs (1 not applied, 1 undone)?";
    assert!(asked.stderr.contains(question), "{asked:?}");
    assert!(asked.stderr.contains("--yes"), "{asked:?}");
    assert_eq!(runs(&world, &[]).len(), 4);
    prune("0d", &["--yes"]).must_be(0);
    let left: Vec<_> = runs(&world, &[])
        .iter()
        .map(|run| text(run, "run"))
        .collect();
    assert_eq!(left, [kept.clone(), text(&undo, "run")]);
    // What is left can still be undone.
    world.run(&[&["undo", &kept][..], &YES].concat()).must_be(0);
    prune("0d", &["--yes", "--include-undoable"]).must_be(0);
    assert!(runs(&world, &[]).is_empty());
}

/// The binary in the home of another computer.
fn there(world: &World, home: &TempDir, args: &[&str]) -> Command {
    let mut command = bare(home, args);
    command.env("SYNCFILTERS_ACCESS_TOKEN", world.sandbox.token());
    command
}

#[test]
fn a_run_that_moves_to_another_computer_is_undone_there_once_its_address_is_named() {
    let world = World::with_users(20);
    let name = changeable(&world)[0].clone();
    let before = world.states();
    let run = deactivate(&world, &name);
    let file = world.home.path().join("moved.run");
    let file = file.to_str().unwrap();
    world.run(&["runs", "export", &run, file]).must_be(0);
    let again = world.run(&["runs", "export", &run, file]).must_be(2);
    assert!(again.stderr.contains("exists"), "{again:?}");

    let home = tempfile::tempdir().unwrap();
    let at = |args: &[&str]| Ended::from(there(&world, &home, args).output().unwrap());
    let url = world.sandbox.url();
    let refused = at(&["runs", "import", file]).must_be(2);
    assert!(refused.stderr.contains("--url"), "{refused:?}");
    at(&[
        "runs",
        "import",
        file,
        "--url",
        "https://other.crm4.dynamics.com",
    ])
    .must_be(2);
    assert_eq!(at(&["runs", "--format", "csv"]).stdout.lines().count(), 1);
    at(&["runs", "import", file, "--url", &url]).must_be(0);
    let twice = at(&["runs", "import", file, "--url", &url]).must_be(2);
    assert!(
        twice.stderr.contains("of this computer already"),
        "{twice:?}"
    );
    at(&[&["undo", &run][..], &YES].concat()).must_be(0);
    assert_eq!(world.states(), before);
    let foreign = world.home.path().join("c.toml");
    std::fs::write(&foreign, "no run").unwrap();
    let path = foreign.to_str().unwrap();
    at(&["runs", "import", path, "--url", &url]).must_be(2);
}

#[test]
fn the_format_of_a_report_follows_the_name_of_its_file() {
    let world = World::with_users(20);
    let run = deactivate(&world, &changeable(&world)[0]);
    let written = |name: &str, more: &[&str]| {
        let path = world.home.path().join(name);
        let args = ["report", &run, "--output", path.to_str().unwrap()];
        world.run(&[&args[..], more].concat()).must_be(0);
        std::fs::read_to_string(path).unwrap()
    };
    assert!(
        written("a.html", &[])
            .to_lowercase()
            .starts_with("<!doctype html>")
    );
    assert!(written("a.json", &[]).starts_with('{'));
    assert!(written("b.json", &["--format", "csv"]).starts_with("run,"));
    assert!(written("a.docx", &["--format", "csv"]).starts_with("run,"));
    let path = world.home.path().join("b.docx");
    let args = ["report", &run, "--output", path.to_str().unwrap()];
    let refused = world.run(&args).must_be(2);
    assert!(
        refused.stderr.contains(".html") && refused.stderr.contains(".xlsx"),
        "{refused:?}"
    );
    let page = world.home.path().join("list.html");
    world
        .run(&["list", "--output", page.to_str().unwrap()])
        .must_be(2);
    assert!(!path.exists() && !page.exists());
}

#[cfg(unix)]
#[test]
fn report_open_shows_the_page_in_the_browser_and_says_where_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with_users(20);
    let run = deactivate(&world, &changeable(&world)[0]);
    let browser = world.home.path().join("browser");
    let seen = world.home.path().join("seen");
    let script = format!("#!/bin/sh\necho \"$1\" > {}\n", seen.display());
    std::fs::write(&browser, script).unwrap();
    std::fs::set_permissions(&browser, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = world.command(&["report", &run, "--open"]);
    command
        .env("BROWSER", &browser)
        .env("PATH", "/usr/bin:/bin");
    command.env("TMPDIR", world.home.path());
    let shown = Ended::from(command.output().unwrap()).must_be(0);
    let named = shown.stderr.split("in ").last().unwrap();
    let page = named.trim().trim_end_matches('.');
    let html = std::fs::read_to_string(page).unwrap_or_else(|why| panic!("{why}: {shown:?}"));
    assert!(html.to_lowercase().starts_with("<!doctype html>"));
    assert_eq!(
        std::fs::metadata(page).unwrap().permissions().mode() & 0o077,
        0
    );
    world
        .run(&["report", &run, "--open", "--format", "csv"])
        .must_be(2);
}

#[test]
fn a_time_of_day_that_is_none_is_refused_and_one_to_come_stops_nothing_yet() {
    let world = World::with_users(20);
    let name = changeable(&world)[0].clone();
    let with = |time: &str| {
        let args = ["deactivate", "--user", &name, "--until", time];
        world.run(&[&args[..], &YES].concat())
    };
    for wrong in ["25:00", "6", "soon", "06:60"] {
        let refused = with(wrong).must_be(2);
        assert!(refused.stderr.contains("06:00"), "{wrong}: {refused:?}");
    }
    let last_minute = jiff::ZonedDateTime::now()
        .saturating_sub(jiff::Span::new().minutes(1))
        .strftime("%H:%M")
        .to_string();
    // That is in a day.
    with(&last_minute).must_be(0);
}

#[test]
fn an_undo_that_was_done_on_another_computer_is_known_here_once_it_is_imported() {
    let world = World::with_users(20);
    let run = deactivate(&world, &changeable(&world)[0]);
    let path = |name: &str| world.home.path().join(name).to_str().unwrap().to_owned();
    let (moved, back, undo_file) = (path("moved.run"), path("back.run"), path("undo.run"));
    world.run(&["runs", "export", &run, &moved]).must_be(0);
    let home = tempfile::tempdir().unwrap();
    let at = |args: &[&str]| Ended::from(there(&world, &home, args).output().unwrap());
    let url = world.sandbox.url();
    at(&["runs", "import", &moved, "--url", &url]).must_be(0);
    let undo = at(&[&["undo", &run][..], &YES].concat()).must_be(0).json();
    let undo = text(&undo, "run");
    at(&["runs", "export", &run, &back]).must_be(0);
    // The run itself is here: what is missing is named, with the commands that bring it.
    let refused = world.run(&["runs", "import", &back]).must_be(2);
    for part in [
        "of this computer already",
        &format!("runs export {undo}"),
        "runs import",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
    at(&["runs", "export", &undo, &undo_file]).must_be(0);
    world.run(&["runs", "import", &undo_file]).must_be(0);
    let listed = runs(&world, &[]);
    let of_run = listed.iter().find(|one| one["run"] == run.as_str());
    assert_eq!(of_run.unwrap()["undone_by"], undo.as_str());
}

/// Exchanges the names of two users of a run file, so that each stands beside the id of the other.
fn swap_names(file: &str, users: [&str; 2]) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let blob = |id: &str| id.parse::<uuid::Uuid>().unwrap().as_bytes().to_vec();
    let of = |id: &str| {
        let sql = "SELECT label, login, email FROM user WHERE id = ?1";
        let names = connection.query_row(sql, [blob(id)], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?])
        });
        names.unwrap()
    };
    let names = users.map(of);
    for (id, [label, login, email]) in users.iter().zip(names.iter().rev()) {
        let sql = "UPDATE user SET label = ?2, login = ?3, email = ?4 WHERE id = ?1";
        let values = rusqlite::params![blob(id), label, login, email];
        assert_eq!(connection.execute(sql, values).unwrap(), 1);
    }
}

#[test]
fn a_name_in_an_imported_run_that_stands_beside_another_user_changes_nobody() {
    let world = World::with_users(20);
    let names = changeable(&world);
    let [ada, bob] = [&*names[0], &*names[1]];
    let url = world.sandbox.url();
    let file = world.home.path().join("moved.run");
    let file = file.to_str().unwrap();
    let before = world.states();
    let login = |id: &str| {
        let filters = world.sandbox.filters();
        let of = filters.iter().find(|row| row.owner.to_string() == id);
        of.unwrap().owner_login.clone()
    };
    for (command, narrow) in [("apply", true), ("apply", false), ("resume", false)] {
        let plan = world
            .run(&[
                "plan",
                "deactivate",
                "--user",
                ada,
                "--user",
                bob,
                "--format",
                "json",
            ])
            .json();
        let run = text(&plan, "run");
        let _ = std::fs::remove_file(file);
        world.run(&["runs", "export", &run, file]).must_be(0);
        swap_names(file, [ada, bob]);
        let home = tempfile::tempdir().unwrap();
        let at = |args: &[&str]| Ended::from(there(&world, &home, args).output().unwrap());
        at(&["runs", "import", file, "--url", &url]).must_be(0);
        let out = login(ada);
        let mut args = [&[command, &run][..], &YES].concat();
        if narrow {
            args.extend(["--exclude-user", &out]);
        }
        let applied = at(&args).must_be(3).json();
        assert_eq!(world.states(), before, "{command}");
        let problems = applied["problems"].as_array().unwrap();
        assert!(!problems.is_empty());
        for problem in problems {
            assert_eq!(problem["kind"], "other-user", "{problem}");
            let message = text(problem, "message");
            assert!(
                message.contains(&login(ada)) && message.contains(&login(bob)),
                "{message}"
            );
        }
    }
}

#[test]
fn an_undo_of_an_imported_run_puts_back_only_whom_it_names_rightly() {
    let world = World::with_users(20);
    let names = changeable(&world);
    let users = [
        "--user", &names[0], "--user", &names[1], "--user", &names[2],
    ];
    let changed = world.run(&[&["deactivate"][..], &users, &YES].concat());
    let run = text(&changed.must_be(0).json(), "run");
    let file = world.home.path().join("moved.run");
    let file = file.to_str().unwrap();
    world.run(&["runs", "export", &run, file]).must_be(0);
    swap_names(file, [&names[0], &names[1]]);
    let home = tempfile::tempdir().unwrap();
    let at = |args: &[&str]| Ended::from(there(&world, &home, args).output().unwrap());
    let url = world.sandbox.url();
    at(&["runs", "import", file, "--url", &url]).must_be(0);
    let undone = at(&[&["undo", &run][..], &YES].concat()).must_be(3).json();
    assert_eq!(undone["users"]["changed"], 1, "{undone}");
    assert_eq!(undone["users"]["failed"], 2, "{undone}");
}

#[test]
fn an_undo_that_was_undone_counts_for_nothing() {
    let world = World::with_users(20);
    let names = changeable(&world);
    let pilot = deactivate(&world, &names[0]);
    let users = || {
        let status = world.run(&["status", "--format", "json"]).must_be(0).json();
        status["environments"][0]["users"].clone()
    };
    let done = users();
    let runs = || world.run(&["runs"]).must_be(0).stdout;
    let undo = || {
        world
            .run(&[&["undo", "latest"][..], &YES].concat())
            .must_be(0)
    };
    undo();
    assert_ne!(users(), done);
    assert!(runs().contains("undone by"));
    undo();
    assert_eq!(users(), done);
    let listed = runs();
    let of_pilot = listed.lines().find(|line| line.starts_with(&pilot[..6]));
    assert!(of_pilot.unwrap().contains("complete"), "{listed}");
}

#[test]
fn status_takes_nobody_for_done_of_whom_one_filter_type_is_done() {
    let world = World::with_users(20);
    let names = changeable(&world);
    let users = || {
        let status = world.run(&["status", "--format", "json"]).must_be(0).json();
        status["environments"][0]["users"].clone()
    };
    let all = users();
    for name in &names[..2] {
        let one = ["deactivate", "--type", "appointment", "--user", name];
        world.run(&[&one[..], &YES].concat()).must_be(0);
    }
    // Who is done for all that the latest run is about.
    assert!(users()["done"].as_u64().unwrap() >= 2);
    let rest = [
        "plan",
        "deactivate",
        "--user",
        &names[0],
        "--user",
        &names[1],
    ];
    world.run(&rest).must_be(0);
    assert_eq!(users(), all);
    deactivate(&world, &names[0]);
    let after = users();
    assert_eq!(
        after["done"].as_u64(),
        all["done"].as_u64().map(|done| done + 1)
    );
    assert_eq!(
        after["left"].as_u64(),
        all["left"].as_u64().map(|left| left - 1)
    );
}
