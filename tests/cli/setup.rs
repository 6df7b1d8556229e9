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

/// `az` that hands out this token, or fails.
#[cfg(unix)]
fn az(world: &World, token: Option<&str>) -> String {
    use std::os::unix::fs::PermissionsExt;
    let folder = world.home.path().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("az");
    let script = token.map_or_else(
        || "echo 'ERROR: Please run az login' >&2; exit 1".to_owned(),
        |token| format!("echo '{{\"accessToken\":\"{token}\",\"expires_on\":4102444800}}'"),
    );
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\n{script}\n",
        path.with_extension("log").display()
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", folder.display())
}

#[cfg(unix)]
#[test]
fn the_sign_in_that_is_written_is_tried_and_not_the_token_of_a_variable() {
    let world = World::with_users(25);
    let url = world.sandbox.url();
    let args = ["setup", "--url", &url, "--sign-in", "azure-cli"];
    let setup = |path: &str| {
        let mut command = world.bare(&args);
        command
            .env("PATH", path)
            .env("SYNCFILTERS_ACCESS_TOKEN", world.sandbox.token());
        Ended::from(command.output().unwrap())
    };
    let ended = setup(&az(&world, None)).must_be(4);
    assert!(ended.stdout.contains("failed   token"), "{ended:?}");
    assert!(
        ended.stderr.contains("Variables of this shell count more")
            && ended.stderr.contains("`sign-in`"),
        "{ended:?}"
    );
    assert!(!config(&world).exists());
    setup(&az(&world, Some(world.sandbox.token()))).must_be(0);
    let text = std::fs::read_to_string(config(&world)).unwrap();
    assert!(text.contains("sign-in = \"azure-cli\""), "{text}");
}

#[cfg(unix)]
#[test]
fn az_makes_nothing_before_everything_else_was_checked() {
    use crate::terminal::Screen;
    let world = World::with_users(25);
    let url = world.sandbox.url();
    let path = az(&world, None);
    let log = world.home.path().join("bin/az.log");
    let make = [
        "setup",
        "--url",
        &url,
        "--create-app",
        "--run-az",
        "--sign-in",
    ];
    let other = [
        "environments",
        "add",
        "taken",
        "--url",
        "https://other.example",
        "--sign-in",
        "azure-cli",
    ];
    run(&world, &other, None).must_be(0);
    // Nobody is there to sign in; the name is another environment's or none; the method makes no such application.
    for more in [
        &["browser"][..],
        &["browser", "--name", "taken"],
        &["browser", "--name", "a b"],
        &["client-secret"],
        &["azure-cli"],
    ] {
        let mut command = world.bare(&[&make[..], more].concat());
        command.env("PATH", &path);
        let ended = Ended::from(command.output().unwrap());
        assert_eq!(ended.code, Some(2), "{more:?}: {ended:?}");
    }
    let args = [&make[..], &["browser", "--name", "taken"]].concat();
    let mut screen = Screen::bare(&world, &args, &[("PATH", &path)]);
    screen.shows("taken");
    screen.ends_with(2);
    assert!(!log.exists(), "{:?}", std::fs::read_to_string(&log));
}

#[test]
fn no_application_is_offered_where_none_is_needed() {
    let world = World::with_users(25);
    let url = world.sandbox.url();
    for method in ["managed-identity", "azure-cli", "given"] {
        let args = ["setup", "--url", &url, "--create-app", "--sign-in", method];
        let ended = run(&world, &args, None).must_be(2);
        assert!(ended.stderr.contains("leave the flag out"), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
    let args = [
        "setup",
        "--url",
        &url,
        "--create-app",
        "--sign-in",
        "federation",
    ];
    let ended = run(&world, &args, None).must_be(0);
    assert!(ended.stdout.contains("federated-credential"), "{ended:?}");
    assert!(!ended.stdout.contains("credential reset"), "{ended:?}");
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
