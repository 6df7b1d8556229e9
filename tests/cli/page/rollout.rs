//! A rollout from the page: the guards of the engine hold, whoever asks.

use syncfilters::sandbox::Options;

use super::browser::Page;
use crate::world::World;

pub(super) fn place(page: &Page) -> String {
    page.environment()
}

pub(super) fn changed(world: &World, before: &[(i32, Option<i32>)]) -> usize {
    let now = world.states();
    now.iter()
        .zip(before)
        .filter(|(now, before)| now != before)
        .count()
}

#[test]
fn a_plan_is_ticked_agreed_to_and_undone() {
    let world = World::with_users(60);
    let before = world.states();
    let page = Page::open(&world, &[]);
    let environment = place(&page);
    let run = page.plan(&environment, &[]);
    // The first user is taken out: another digest, and the question has the new numbers.
    let shown = page.get(&run);
    let digest = |page: &super::browser::Answer| {
        page.between("name=\"digest\" value=\"", "\"")
            .unwrap()
            .to_owned()
    };
    let first = digest(&shown);
    let users = page.get(&format!("{run}/users"));
    let seq = users
        .between("name=\"in\" value=\"", "\"")
        .unwrap()
        .to_owned();
    let edited = page.post(&format!("{run}/users"), &[("was-in", &seq)]);
    assert_eq!(edited.status, 303, "{edited:?}");
    let narrowed = page.get(&run);
    assert_ne!(digest(&narrowed), first);
    // A form that shows the earlier plan agrees to nothing.
    let old = page.post(
        &format!("{run}/agree"),
        &[("digest", &first), ("word", "deactivate")],
    );
    assert!(page.follow(&old).body.contains("role=\"alert\""));
    for wrong in ["", "yes", "Deactivate it"] {
        let refused = page.follow(&page.agree(&run, wrong));
        assert!(refused.body.contains("the question"), "{wrong}");
    }
    assert_eq!(changed(&world, &before), 0);
    page.agree(&run, "deactivate");
    let done = page.wait_for(&run, &format!("{run}/undo"));
    assert!(done.body.contains("switched off"), "{}", done.body);
    assert!(changed(&world, &before) > 0);
    // Undo asks as well.
    let undo = page.post(&format!("{run}/undo"), &[]);
    let undo = undo.header("location").unwrap().to_owned();
    page.wait_for(&undo, "name=\"word\"");
    assert!(changed(&world, &before) > 0);
    page.agree(&undo, "yes");
    page.wait_for(&undo, &format!("{undo}/undo"));
    assert_eq!(changed(&world, &before), 0);
    assert_eq!(page.quit(), Some(0));
}

#[test]
fn a_wave_is_one_agreement_and_one_that_is_declined_is_resumed() {
    let world = World::with_users(60);
    let before = world.states();
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[("waves", "3,rest")]);
    page.agree(&run, "deactivate");
    let second = page.wait_for(&run, "Wave 2");
    let after_one = changed(&world, &before);
    assert!(after_one > 0 && after_one < 12, "{after_one}");
    assert!(second.body.contains("name=\"word\""));
    page.post(&format!("{run}/keep"), &[]);
    assert_eq!(changed(&world, &before), after_one);
    // Nobody holds it now: a command can go on, and so can the page.
    let short = run
        .trim_start_matches("/runs/")
        .get(..6)
        .unwrap()
        .to_owned();
    let asks = world.run(&["resume", &short]).must_be(5);
    assert!(asks.stderr.contains("--yes"), "{}", asks.stderr);
    page.post(&format!("{run}/resume"), &[]);
    page.wait_for(&run, "name=\"word\"");
    page.agree(&run, "deactivate");
    page.wait_for(&run, &format!("{run}/undo"));
    assert!(changed(&world, &before) > after_one);
}

#[test]
fn an_undo_without_some_users_is_not_called_an_undo() {
    let world = World::with_users(40);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    page.agree(&run, "deactivate");
    page.wait_for(&run, &format!("{run}/undo"));
    let undo = page.post(&format!("{run}/undo"), &[]);
    let undo = undo.header("location").unwrap().to_owned();
    let plan = page.wait_for(&undo, "name=\"word\"");
    let first = plan.between("name=\"in\" value=\"", "\"").unwrap();
    page.post(&format!("{undo}/users"), &[("was-in", first)]);
    page.agree(&undo, "yes");
    page.wait_for(&undo, &format!("{undo}/undo"));
    let runs = world.run(&["runs", "--format", "json"]).json();
    let of_run = runs["runs"].as_array().unwrap().iter();
    let in_part: Vec<_> = of_run.filter(|run| run["undone_in_part"] == true).collect();
    assert_eq!(in_part.len(), 1, "{runs}");
    assert!(page.get("/runs").body.contains("undone in part by"));
}

/// Neither the requests of an earlier run nor the losses of users who were not changed are those of a run.
#[test]
fn a_run_is_charged_with_what_it_did_and_nothing_else() {
    let world = World::with_users(60);
    let page = Page::open(&world, &[]);
    let place = place(&page);
    let report = |run: &str| {
        let id = run.trim_start_matches("/runs/").to_owned();
        world.run(&["report", &id, "--format", "json"]).json()
    };
    let whole = page.plan(&place, &[("impact", "1")]);
    page.post(&format!("{whole}/keep"), &[]);
    let whole = report(&whole);
    let run = page.plan(&place, &[("waves", "5,rest"), ("impact", "1")]);
    page.agree(&run, "deactivate");
    page.wait_for(&run, "Wave 1: ");
    page.post(&format!("{run}/keep"), &[]);
    let done = report(&run);
    let losing = |document: &serde_json::Value| document["impact"]["users"].as_u64().unwrap();
    assert!(losing(&whole) > 5, "{whole}");
    assert!(losing(&done) <= 5, "{}", done["impact"]);
    let requests = |document: &serde_json::Value| document["requests"]["total"].as_u64().unwrap();
    // As many as the plan, and those of the wave.
    assert!(
        requests(&done) < requests(&whole) * 3 / 2,
        "{} {}",
        whole["requests"],
        done["requests"]
    );
}

#[test]
fn nobody_else_drives_a_run_that_the_page_holds() {
    let world = World::with_users(60);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    let short = run
        .trim_start_matches("/runs/")
        .get(..6)
        .unwrap()
        .to_owned();
    let other = world.run(&["apply", &short, "--yes", "--accept-calendar-loss"]);
    assert_eq!(other.code, Some(5), "{}", other.stderr);
    let second = Page::open(&world, &[]);
    let refused = second.follow(&second.post(&format!("{run}/resume"), &[]));
    assert!(refused.body.contains("role=\"alert\""), "{}", refused.body);
    assert!(!refused.body.contains("name=\"word\""));
    // Reading is free.
    world.run(&["report", &short]).must_be(0);
}

#[test]
fn production_and_limits_hold_on_the_page() {
    let world = World::with_users(60);
    let before = world.states();
    let folder = world.home.path().join(".config/syncfilters");
    std::fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "[environments.live]\nurl = \"{}\"\nproduction = true\n\
         [environments.small]\nurl = \"{}\"\nmax-changes = 2\n",
        world.sandbox.url(),
        world.sandbox.url()
    );
    let path = folder.join("config.toml");
    std::fs::write(&path, config).unwrap();
    let mut command = world.bare(&[
        "ui",
        "--no-open",
        "--format",
        "json",
        "--config",
        path.to_str().unwrap(),
    ]);
    command.env("SYNCFILTERS_ACCESS_TOKEN", world.sandbox.token());
    let mut page = Page::of(command);
    page.enter();
    let begun = page.post(
        "/runs",
        &[
            ("environment", "live"),
            ("operation", "deactivate"),
            ("type", "appointment"),
        ],
    );
    let run = begun.header("location").unwrap().to_owned();
    let shown = page.wait_for(&run, "max-changes");
    // Both entries are about this organisation: the limit of the other holds, too.
    assert!(!shown.body.contains("name=\"word\""), "{}", shown.body);
    let digest = digest_of(&world, &run);
    let forged = page.post(
        &format!("{run}/agree"),
        &[
            ("digest", &digest),
            ("word", "deactivate"),
            ("word", "live"),
        ],
    );
    assert_eq!(changed(&world, &before), 0);
    assert!(page.follow(&forged).body.contains("role=\"alert\""));
}

/// The digest that the page does not show, as somebody who forges a form would find it.
fn digest_of(world: &World, run: &str) -> String {
    let id = run
        .trim_start_matches("/runs/")
        .get(..6)
        .unwrap()
        .to_owned();
    let report = world.run(&["report", &id, "--format", "json"]).json();
    report["digest"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_under_way_survives_the_browser_and_ends_as_a_command_does() {
    let world = World::new(Options {
        users: 150,
        latency: std::time::Duration::from_millis(20),
        ..Options::default()
    });
    let before = world.states();
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    page.agree(&run, "deactivate");
    let start = std::time::Instant::now();
    while world.sandbox.counts().patches < 5 {
        assert!(start.elapsed() < std::time::Duration::from_mins(1));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    page.post(&format!("{run}/pause"), &[]);
    page.wait_for(&run, "/continue\"");
    page.post(&format!("{run}/continue"), &[]);
    page.post(&format!("{run}/stop"), &[]);
    page.wait_for(&run, &format!("{run}/resume"));
    let stopped = changed(&world, &before);
    assert!(stopped > 0);
    assert_eq!(page.quit(), Some(0));
    let short = run
        .trim_start_matches("/runs/")
        .get(..6)
        .unwrap()
        .to_owned();
    let resumed = world.run(&["resume", &short, "--yes", "--accept-calendar-loss"]);
    assert_eq!(resumed.code, Some(3), "{}", resumed.stderr);
    world.run(&["undo", &short, "--yes"]);
    assert_eq!(changed(&world, &before), 0);
}

#[test]
fn a_run_that_was_killed_is_finished_from_another_page() {
    let world = World::new(Options {
        users: 150,
        latency: std::time::Duration::from_millis(10),
        ..Options::default()
    });
    let before = world.states();
    let mut page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    page.agree(&run, "deactivate");
    let start = std::time::Instant::now();
    while world.sandbox.counts().patches < 40 {
        assert!(start.elapsed() < std::time::Duration::from_mins(1));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    page.child.kill().unwrap();
    page.child.wait().unwrap();
    let page = Page::open(&world, &[]);
    let left = page.get(&run);
    assert!(
        left.body.contains(&format!("{run}/resume")),
        "{}",
        left.body
    );
    page.post(&format!("{run}/resume"), &[]);
    page.wait_for(&run, "name=\"word\"");
    page.agree(&run, "deactivate");
    page.wait_for(&run, &format!("{run}/undo"));
    let short = run
        .trim_start_matches("/runs/")
        .get(..6)
        .unwrap()
        .to_owned();
    let report = world.run(&["report", &short, "--format", "json"]).json();
    assert_eq!(report["users"]["planned"], 0);
    assert!(changed(&world, &before) > 40);
    world.run(&["undo", &short, "--yes"]);
    assert_eq!(changed(&world, &before), 0);
}

#[test]
fn a_name_that_nobody_has_is_said_and_nothing_is_kept() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let environment = place(&page);
    let begun = page.post(
        "/runs",
        &[
            ("environment", &environment),
            ("operation", "deactivate"),
            ("type", "appointment"),
            ("list", "nobody@contoso.example"),
        ],
    );
    let run = begun.header("location").unwrap().to_owned();
    let said = page.wait_for(&run, "There is no plan");
    assert!(
        said.body.contains("nobody@contoso.example"),
        "{}",
        said.body
    );
    let runs = world.run(&["runs", "--format", "json"]).json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 0);
    // Whoever follows it is told to ask again.
    let events = page.get(&format!("{run}/events?at=reading"));
    assert!(events.body.contains("event: next"), "{}", events.body);
}

#[test]
fn the_command_beside_a_check_names_an_environment_that_no_file_names_by_its_address() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let path = format!("/environments/check?environment={}", place(&page));
    let shown = page.wait_for(&path, "Check again");
    let command = format!(
        "syncfilters doctor --url {}",
        world.sandbox.url().trim_end_matches('/')
    );
    assert!(shown.body.contains(&command), "{}", shown.body);
}

/// The arguments of a command, as the shell takes them.
#[cfg(unix)]
fn shell_words(command: &str) -> Vec<String> {
    let script = format!("set -- {command}; printf '%s\\n' \"$@\"");
    let out = std::process::Command::new("sh")
        .args(["-c", &script])
        .output();
    let text = String::from_utf8(out.unwrap().stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
#[cfg(unix)]
fn the_form_names_a_command_that_finds_the_same_users_and_filters() {
    let world = World::with_users(60);
    let page = Page::open(&world, &[]);
    let environment = place(&page);
    let listed = world.run(&["list", "--format", "json"]).json();
    let users = listed["users"].as_array().unwrap().iter();
    let names: Vec<_> = users
        .map(|user| user["user"].as_str().unwrap())
        .take(7)
        .collect();
    let (few, many) = (names[..3].join("\n"), names.join("\n"));
    for (more, is_complete) in [
        (vec![], true),
        (vec![("list", &*few), ("impact", "1")], true),
        (vec![("units", "Nordics"), ("except", names[0])], true),
        (
            vec![("other-types", "contact, task"), ("max-changes", "90%")],
            true,
        ),
        (vec![("other-types", "all"), ("waves", "2,rest")], true),
        (vec![("list", &*many)], false),
    ] {
        let mut fields = vec![("environment", &*environment), ("operation", "deactivate")];
        fields.push(("type", "appointment"));
        fields.extend(more);
        let counted = page.post("/choose/count", &fields);
        let command = counted.between("<section class=\"command\"", "</code>");
        let command = command.and_then(|part| part.split("<code>").nth(1));
        let command = command.unwrap_or_else(|| panic!("{counted:?}"));
        let command = command.replace("&#39;", "'").replace("&quot;", "\"");
        let mut args = shell_words(&command);
        assert_eq!(args.remove(0), "syncfilters");
        if !is_complete {
            assert!(
                counted.body.contains("users.txt holds the users"),
                "{command}"
            );
            let list = world.home.path().join("users.txt");
            std::fs::write(&list, &many).unwrap();
            let at = args.iter().position(|word| word == "users.txt").unwrap();
            list.to_str().unwrap().clone_into(&mut args[at]);
        }
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let dry = world.run(&[&args[..], &["--dry-run", "--format", "json"]].concat());
        let dry = dry.json();
        let said = counted.between("class=\"counted\">", " user").unwrap();
        assert_eq!(said, dry["users"]["selected"].to_string(), "{command}");
        // And plans the same.
        let run = page.post("/runs", &fields);
        let run = run.header("location").unwrap().to_owned();
        page.wait_for(&run, "name=\"word\"");
        let id = run.trim_start_matches("/runs/");
        let planned = world
            .run(&["report", id, "--format", "json"])
            .must_be(0)
            .json();
        assert_eq!(planned["filters"], dry["filters"], "{command}");
    }
}
