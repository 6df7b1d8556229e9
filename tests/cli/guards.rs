//! What the configuration file asks for before anything is written.

use crate::world::{Ended, World};

const YES: [&str; 2] = ["--yes", "--accept-calendar-loss"];

/// A configuration in which the sandbox is called `contoso`.
fn configured(world: &World, keys: &str) -> String {
    let path = world.home.path().join("config.toml");
    let text = format!(
        "[environments.contoso]\nurl = \"{}\"\n{keys}",
        world.sandbox.url()
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_limit_of_the_profile_counts_where_no_flag_says_otherwise() {
    let world = World::with_users(40);
    let before = world.states();
    let config = configured(&world, "max-changes = \"10%\"\n");
    let run = |more: &[&str]| {
        let start = ["deactivate", "--config", &config];
        world.run(&[&start[..], &YES, more].concat())
    };
    let ended = run(&[]).must_be(5);
    let said = "`max-changes` of environment `contoso` in the configuration file is 10%";
    assert!(ended.stderr.contains(said), "{ended:?}");
    assert_eq!(world.states(), before);
    let ended = run(&["--max-changes", "5%"]).must_be(5);
    assert!(
        ended.stderr.contains("the limit of this command is 5%"),
        "{ended:?}"
    );
    run(&["--max-changes", "100%"]).must_be(3);
    assert_ne!(world.states(), before);
}

#[test]
fn production_is_written_to_only_where_it_is_named() {
    let world = World::with_users(30);
    let before = world.states();
    let config = configured(&world, "production = true\n");
    let run = |command: &[&str], more: &[&str]| -> Ended {
        world.run(&[command, &["--config", &config], &YES, more].concat())
    };
    let ended = run(&["deactivate"], &[]).must_be(5);
    assert!(
        ended.stderr.contains("--confirm-environment contoso"),
        "{ended:?}"
    );
    let wrong = ["--confirm-environment", "sandbox"];
    let ended = run(&["deactivate"], &wrong).must_be(5);
    assert!(
        ended
            .stderr
            .contains("its name in the configuration file is `contoso`"),
        "{ended:?}"
    );
    assert_eq!(world.states(), before);
    run(&["deactivate"], &["--dry-run"]).must_be(0);
    let plan = [
        "plan",
        "deactivate",
        "--config",
        &config,
        "--format",
        "json",
    ];
    let run_id = world.run(&plan).json()["run"].as_str().unwrap().to_owned();
    run(&["apply", &run_id], &[]).must_be(5);
    run(&["resume", &run_id], &[]).must_be(5);
    assert_eq!(world.states(), before);
    let right = ["--confirm-environment", "contoso"];
    run(&["apply", &run_id], &right).must_be(3);
    let after = world.states();
    assert_ne!(after, before);
    run(&["undo", &run_id], &[]).must_be(5);
    assert_eq!(world.states(), after);
    run(&["undo", &run_id], &right).must_be(0);
    assert_eq!(world.states(), before);
}

#[test]
fn production_guards_what_new_users_receive_too() {
    let world = World::with_users(25);
    let config = configured(&world, "production = true\n");
    let set = |more: &[&str]| {
        let start = ["templates", "deactivate", "--yes", "--config", &config];
        let which = ["--type", "all", "--name", "*not default*"];
        world.run(&[&start[..], &which, more].concat())
    };
    let ended = set(&[]).must_be(5);
    assert!(
        ended.stderr.contains("--confirm-environment contoso"),
        "{ended:?}"
    );
    let ended = set(&["--confirm-environment", "contoso"]).must_be(0);
    assert!(ended.stdout.contains("1 deactivated"), "{ended:?}");
}
