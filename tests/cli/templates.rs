//! `templates`: what new users receive.

use serde_json::Value;

use crate::support::{Ended, World};

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
        serde_json::json!({"state": "inactive", "status": 2})
    );
    assert_ne!(templates(&world, &OUTLOOK), before);
    let again = set(&world, "deactivate", &name).must_be(0).json();
    assert_eq!(again["outcome"], "nothing");
    let back = ended["back"].as_str().unwrap();
    let back: Vec<_> = back.split(' ').skip(1).chain(["--yes"]).collect();
    world.run(&back).must_be(0);
    assert_eq!(templates(&world, &OUTLOOK), before);
}

#[test]
fn a_default_template_stays_active_and_the_reason_is_said() {
    let world = World::with_users(25);
    let before = templates(&world, &OUTLOOK);
    let ended = set(&world, "deactivate", &["--type", "contact"]).must_be(3);
    let problem = &ended.json()["templates"][0]["problem"];
    assert_eq!(problem["code"], "0x8004027b");
    assert!(
        problem["hint"].as_str().unwrap().contains("no default"),
        "{problem}"
    );
    assert_eq!(templates(&world, &OUTLOOK), before);
}

#[test]
fn nothing_is_set_without_consent_in_a_dry_run_or_for_an_unknown_id() {
    let world = World::with_users(25);
    let before = templates(&world, &OUTLOOK);
    let ended = world.run(&["templates", "deactivate"]).must_be(5);
    assert!(ended.stderr.contains("--yes"), "{ended:?}");
    let dry = ["templates", "deactivate", "--type", "all", "--dry-run"];
    let ended = world.run(&dry).must_be(0);
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
