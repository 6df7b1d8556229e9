//! `setup`: from an empty home to an environment that `doctor` finds well, by flags and at a terminal.

use std::path::PathBuf;

use crate::world::{Ended, World};

fn config(world: &World) -> PathBuf {
    world.home.path().join(".config/syncfilters/config.toml")
}

fn run(world: &World, args: &[&str], token: Option<&str>) -> Ended {
    let mut command = world.bare(args);
    command.envs(token.map(|token| ("SYNCFILTERS_ACCESS_TOKEN", token)));
    Ended::from(command.output().unwrap())
}

#[test]
fn flags_lead_from_an_empty_home_to_a_green_doctor() {
    let world = World::with_users(25);
    let before = world.states();
    let token = Some(world.sandbox.token());
    // As the browser shows it.
    let url = format!(
        "{}main.aspx?appid=1&pagetype=dashboard",
        world.sandbox.url()
    );
    let args = ["setup", "--url", &url, "--sign-in", "given"];
    let ended = run(&world, &[&args[..], &["--name", "contoso"]].concat(), token).must_be(0);
    assert!(ended.stdout.contains("ok       token"), "{ended:?}");
    assert!(
        ended.stderr.contains("Its identity provider is Entra ID"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("Environment `contoso` is in"));
    let text = std::fs::read_to_string(config(&world)).unwrap();
    let url = world.sandbox.url();
    let url = url.trim_end_matches('/');
    assert_eq!(
        text,
        format!(
            "default-environment = \"contoso\"\n\n[environments.contoso]\nurl = \"{url}\"\nsign-in = \"given\"\n"
        )
    );
    run(&world, &["doctor"], token).must_be(0);
    run(&world, &["config", "check"], token).must_be(0);
    assert_eq!(world.states(), before);
    // The same address again: the same environment.
    let again = [&args[..], &["--production", "--format", "json"]].concat();
    let document = run(&world, &again, token).must_be(0).json();
    assert_eq!(document["environment"], "contoso");
    assert_eq!(document["written"], true);
    let text = std::fs::read_to_string(config(&world)).unwrap();
    assert!(text.ends_with("production = true\n"), "{text}");
}

#[test]
fn where_nobody_is_there_every_missing_flag_is_named_and_nothing_is_sent() {
    let world = World::with_users(25);
    let ended = run(&world, &["setup"], None).must_be(2);
    for flag in ["\n  --url\n", "\n  --sign-in\n"] {
        assert!(ended.stderr.contains(flag), "{ended:?}");
    }
    let url = world.sandbox.url();
    let args = ["setup", "--url", &url, "--sign-in", "client-secret"];
    let ended = run(&world, &args, None).must_be(2);
    for flag in ["--client-id", "--client-secret-file"] {
        assert!(ended.stderr.contains(flag), "{ended:?}");
    }
    assert_eq!(world.sandbox.counts().total, 0);
    let ended = run(
        &world,
        &[
            "setup",
            "--url",
            &url,
            "--sign-in",
            "password",
            "--client-id",
            "a",
            "--account",
            "a",
            "--password-variable",
            "X",
        ],
        None,
    )
    .must_be(2);
    assert!(ended.stderr.contains("cannot work there"), "{ended:?}");
    assert!(!config(&world).exists());
}

#[test]
fn a_check_that_fails_writes_nothing_unless_that_is_wanted() {
    let world = World::with_users(25);
    let url = world.sandbox.url();
    let args = ["setup", "--url", &url, "--sign-in", "given"];
    let stranger = Some(world.sandbox.stranger_token());
    let ended = run(&world, &args, stranger).must_be(4);
    assert!(ended.stdout.contains("failed   identity"), "{ended:?}");
    assert!(
        ended.stderr.contains("`syncfilters setup --url http"),
        "{ended:?}"
    );
    assert!(!config(&world).exists());
    let json = run(
        &world,
        &[&args[..], &["--format", "json"]].concat(),
        stranger,
    )
    .must_be(4);
    assert_eq!(json.json()["written"], false);
    run(&world, &[&args[..], &["--write-anyway"]].concat(), stranger).must_be(4);
    assert!(config(&world).exists());
}

#[test]
fn the_commands_for_an_application_are_shown_and_nothing_is_written() {
    let world = World::with_users(25);
    let url = world.sandbox.url();
    let args = [
        "setup",
        "--url",
        &url,
        "--sign-in",
        "browser",
        "--create-app",
    ];
    let ended = run(&world, &args, None).must_be(0);
    for part in [
        "az ad app create",
        "az login",
        "New-MgApplication",
        "--tenant",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {ended:?}");
    }
    let ended = run(&world, &[&args[..], &["--run-az"]].concat(), None).must_be(2);
    assert!(ended.stderr.contains("az"), "{ended:?}");
    // The client of Microsoft is one of the commercial cloud.
    let args = [
        "setup",
        "--url",
        &url,
        "--sign-in",
        "browser",
        "--microsoft-app",
    ];
    let ended = run(&world, &args, None).must_be(2);
    assert!(ended.stderr.contains("Conditional Access"), "{ended:?}");
    assert!(ended.stderr.contains("of your own"), "{ended:?}");
    assert!(!config(&world).exists());
}

#[cfg(unix)]
#[test]
fn at_a_terminal_everything_is_asked_for_and_a_wrong_answer_is_asked_again() {
    use crate::terminal::Screen;
    let world = World::with_users(25);
    let token = [("SYNCFILTERS_ACCESS_TOKEN", world.sandbox.token())];
    let mut screen = Screen::bare(&world, &["setup"], &token);
    screen
        .shows("Address of the environment")
        .types("ftp://nowhere")
        .shows("Address of the environment")
        .types(&format!("{}main.aspx", world.sandbox.url()))
        .shows("Its identity provider is Entra ID")
        .shows("browser")
        .shows("given")
        .shows("Sign-in method [browser]:")
        .types("magic")
        .shows("or one of the words")
        .types("given")
        .shows("Name of the environment, for --environment [environment]:")
        .types("a b")
        .shows("letters without accents")
        .types("")
        .shows("production environment")
        .types("")
        .shows("impersonation")
        .shows("Environment `environment` is in");
    screen.ends_with(0);
    run(&world, &["doctor"], Some(world.sandbox.token())).must_be(0);
}

#[cfg(unix)]
#[test]
fn an_application_is_chosen_at_a_terminal_and_an_end_of_the_input_ends_it() {
    use crate::terminal::Screen;
    let world = World::with_users(25);
    let url = world.sandbox.url();
    let args = ["setup", "--url", &url, "--sign-in", "browser"];
    let mut screen = Screen::bare(&world, &args, &[]);
    screen
        .shows("Application to sign in with [own]:")
        .types("create")
        .shows("az ad app create")
        .shows("Id of the application (client id):");
    for _ in 0..3 {
        screen.types("canary").shows("32 digits");
    }
    screen.shows("nothing was written");
    screen.ends_with(2);
    assert!(!config(&world).exists());
}
