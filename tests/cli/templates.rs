//! `templates`: what new users receive.

use serde_json::Value;
use syncfilters::sandbox::{Options, Switches};

use crate::world::{Ended, World};

const OUTLOOK: [&str; 2] = ["--type", "all"];

fn templates(world: &World, more: &[&str]) -> Vec<Value> {
    let list = ["templates", "list", "--format", "json"];
    let list = world.run(&[&list[..], more].concat()).must_be(0).json();
    list["templates"].as_array().unwrap().clone()
}

fn set(world: &World, command: &str, more: &[&str]) -> Ended {
    let start = ["templates", command, "--yes", "--format", "json"];
    world.run(&[&start[..], more].concat())
}

#[test]
fn templates_are_listed_with_what_new_users_receive() {
    let world = World::with_users(25);
    let calendar = templates(&world, &[]);
    assert!(!calendar.is_empty());
    for template in &calendar {
        assert_eq!(template["kind"], "outlook");
        let calendar_type = template["type"].as_str().unwrap();
        assert!(calendar_type.contains("appointment"), "{template}");
    }
    let all = templates(&world, &["--type", "all", "--kind", "both"]);
    assert!(all.iter().any(|template| template["kind"] == "offline"));
    assert!(all.iter().any(|template| template["default"] == true));
    let table = world
        .run(&["templates", "list", "--type", "all"])
        .must_be(0);
    assert!(table.stdout.starts_with("Type "), "{table:?}");
    assert!(table.stdout.lines().all(|line| line.chars().count() <= 80));
    let csv = ["templates", "list", "--format", "csv"];
    let csv = world.run(&csv).must_be(0).stdout;
    assert!(csv.starts_with("id,name,type,kind,default,state,status\n"));
}

#[test]
fn a_template_is_deactivated_and_put_back_by_its_id() {
    let world = World::with_users(25);
    let before = templates(&world, &OUTLOOK);
    let name = ["--type", "all", "--name", "*not default*"];
    let ended = set(&world, "deactivate", &name).must_be(0).json();
    assert_eq!(ended["outcome"], "complete");
    let template = &ended["templates"][0];
    assert_eq!(template["before"]["state"], "active");
    assert_eq!(
        template["after"],
        serde_json::json!({"default": false, "state": "inactive", "status": 2})
    );
    assert_ne!(templates(&world, &OUTLOOK), before);
    let again = set(&world, "deactivate", &name).must_be(0).json();
    assert_eq!(again["outcome"], "nothing");
    let back = ended["back"].as_str().unwrap();
    let back: Vec<_> = back.split(' ').skip(1).chain(["--yes"]).collect();
    world.run(&back).must_be(0);
    assert_eq!(templates(&world, &OUTLOOK), before);
}

fn put_back(world: &World, ended: &Value) {
    for command in ended["back"].as_str().unwrap().lines() {
        let back: Vec<_> = command.split(' ').skip(1).chain(["--yes"]).collect();
        world.run(&back).must_be(0);
    }
}

fn with_switches(names: &str) -> World {
    World::new(Options {
        users: 25,
        switches: Switches::parse(names).unwrap(),
        ..Options::default()
    })
}

#[test]
fn default_templates_are_refused_before_any_write_and_the_flag_is_named() {
    let world = World::with_users(25);
    let before = templates(&world, &OUTLOOK);
    for more in [&[][..], &["--dry-run"]] {
        let ended = set(&world, "deactivate", &[more, &OUTLOOK].concat()).must_be(5);
        let error = &ended.json()["error"];
        assert_eq!(error["kind"], "default-template");
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("(appointment, outlook)")
        );
        assert!(error["hint"].as_str().unwrap().contains("--clear-default"));
    }
    assert_eq!(templates(&world, &OUTLOOK), before);
}

#[test]
fn default_templates_are_deactivated_with_the_flag_and_put_back_as_defaults() {
    // The second server refuses default and state in one request.
    for switches in ["", "template-halves-apart"] {
        let world = with_switches(switches);
        let before = templates(&world, &[]);
        let ended = set(&world, "deactivate", &["--clear-default"]).must_be(0);
        let ended = ended.json();
        assert_eq!(ended["outcome"], "complete", "{ended}");
        let cleared = ended["templates"].as_array().unwrap();
        assert!(cleared.iter().any(|t| t["before"]["default"] == true));
        let after = serde_json::json!({"default": false, "state": "inactive", "status": 2});
        assert!(cleared.iter().all(|t| t["after"] == after), "{ended}");
        let now = templates(&world, &[]);
        assert!(
            now.iter()
                .all(|t| t["default"] == false && t["state"] == "inactive")
        );
        // Some were defaults and some were not: they go back in two commands.
        assert_eq!(ended["back"].as_str().unwrap().lines().count(), 2);
        put_back(&world, &ended);
        assert_eq!(templates(&world, &[]), before);
    }
}

#[test]
fn a_template_that_cannot_be_deactivated_stays_the_default() {
    let world = with_switches("template-halves-apart,template-stays-active");
    let before = templates(&world, &[]);
    let which = ["--clear-default", "--type", "contact"];
    let ended = set(&world, "deactivate", &which).must_be(3).json();
    let template = &ended["templates"][0];
    let said = template["problem"]["message"].as_str().unwrap();
    assert!(
        said.contains("isdefault was set before that, and was put back"),
        "{said}"
    );
    assert_eq!(template["after"], template["before"]);
    assert_eq!(ended["back"], Value::Null);
    assert_eq!(templates(&world, &[]), before);
}

#[test]
fn one_template_takes_the_place_of_another_as_the_default() {
    let world = World::with_users(25);
    let before = templates(&world, &["--type", "appointment"]);
    let id = |default: bool| {
        let found = before.iter().find(|t| t["default"] == default).unwrap();
        found["id"].as_str().unwrap()
    };
    let second = ["--only", id(false), "--default"];
    let ended = set(&world, "activate", &second).must_be(3).json();
    let problem = &ended["templates"][0]["problem"];
    assert_eq!(problem["code"], "0x8004027d");
    assert!(
        problem["hint"]
            .as_str()
            .unwrap()
            .contains("--clear-default")
    );
    let first = ["--only", id(true), "--clear-default"];
    let cleared = set(&world, "activate", &first).must_be(0).json();
    let made = set(&world, "activate", &second).must_be(0).json();
    let made_default = &made["templates"][0]["after"]["default"];
    assert_eq!(made_default, true);
    put_back(&world, &made);
    put_back(&world, &cleared);
    assert_eq!(templates(&world, &["--type", "appointment"]), before);
    // A pattern makes no defaults.
    let ended = set(&world, "activate", &["--default"]);
    ended.must_be(2);
}

#[test]
fn nothing_is_set_without_consent_in_a_dry_run_or_for_an_unknown_id() {
    let world = World::with_users(25);
    let before = templates(&world, &OUTLOOK);
    let ended = world.run(&["templates", "deactivate"]).must_be(5);
    assert!(ended.stderr.contains("--yes"), "{ended:?}");
    let dry = ["templates", "deactivate", "--dry-run", "--clear-default"];
    let ended = world.run(&dry).must_be(0);
    assert!(ended.stdout.contains("yes → no"), "{ended:?}");
    assert!(ended.stdout.contains("planned"), "{ended:?}");
    let nobody = "00000000-0000-0000-0000-000000000009";
    let ended = set(&world, "deactivate", &["--only", nobody]).must_be(2);
    assert!(ended.stderr.contains(nobody), "{ended:?}");
    assert_eq!(templates(&world, &OUTLOOK), before);
}

#[test]
fn a_caller_who_may_not_customise_is_told_so() {
    let world = World::with_users(40);
    let users = world.sandbox.users();
    let plain = users
        .iter()
        .find(|user| {
            user.may_write_filters && user.roles == ["Salesperson"] && user.teams.is_empty()
        })
        .unwrap();
    let mut command = world.command(&[
        "templates",
        "deactivate",
        "--yes",
        "--type",
        "all",
        "--name",
        "*not default*",
    ]);
    let output = command
        .env("SYNCFILTERS_ACCESS_TOKEN", world.sandbox.token_of(plain.id))
        .output()
        .unwrap();
    let ended = Ended::from(output).must_be(3);
    let said = ended
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(said.contains("System Customizer"), "{ended:?}");
}
