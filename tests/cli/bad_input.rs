//! Bad input of each kind: a clear error with the place in it, the right exit code, nothing changed.

use syncfilters::sandbox::{Options, Switch, Switches};

use crate::world::{Ended, World, bare};

fn said(command: &mut std::process::Command) -> Ended {
    Ended::from(command.output().unwrap())
}

#[test]
fn addresses_that_cannot_be_used() {
    let home = tempfile::tempdir().unwrap();
    for (url, says) in [
        (
            "http://contoso.crm4.dynamics.com",
            "loopback addresses only",
        ),
        ("ftp://contoso.example", "https://"),
        ("https://", "is not a URL"),
        ("https://me:secret@contoso.example", "leave it out"),
    ] {
        let mut command = bare(&home, &["list", "--url", url]);
        let ended = said(command.env("SYNCFILTERS_ACCESS_TOKEN", "canary")).must_be(2);
        assert!(ended.stderr.contains(says), "{url}: {}", ended.stderr);
        assert!(ended.stderr.contains("--url"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    }
    let ended = said(&mut bare(&home, &["list"])).must_be(2);
    assert!(ended.stderr.contains("--url"), "{}", ended.stderr);
}

#[test]
fn a_server_that_is_not_there() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bare(&home, &["list", "--url", "http://127.0.0.1:1"]);
    let ended = said(command.env("SYNCFILTERS_ACCESS_TOKEN", "canary"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("http://127.0.0.1:1"),
        "{}",
        ended.stderr
    );
}

/// A JSON Web Token with these claims; nobody signed it.
fn token(claims: &serde_json::Value) -> String {
    use base64::Engine;
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims = part(&claims.to_string());
    format!("{}.{claims}.canary", part("{\"alg\":\"none\"}"))
}

#[test]
fn a_token_that_speaks_against_itself_is_not_sent() {
    // Nobody listens there: a request would end otherwise.
    let url = "http://127.0.0.1:1";
    let home = tempfile::tempdir().unwrap();
    let other = serde_json::json!({ "aud": "https://fabrikam.crm4.dynamics.com", "exp": 32_503_680_000_u64 });
    let expired = serde_json::json!({ "aud": "http://127.0.0.1", "exp": 1_500_000_000 });
    let json = serde_json::json!({ "accessToken": token(&expired), "expires_on": 1 });
    for (given, kind, says) in [
        (
            format!("Bearer {}", token(&other)),
            "token-for-another-host",
            "fabrikam.crm4.dynamics.com",
        ),
        (
            format!("\"{}\"", token(&expired)),
            "token-expired",
            "2017-07-14 02:40 UTC",
        ),
        (
            format!("WARNING: old\n{json}"),
            "token-expired",
            "2017-07-14 02:40 UTC",
        ),
    ] {
        let mut command = bare(&home, &["list", "--url", url, "--format", "json"]);
        let ended = said(command.env("SYNCFILTERS_ACCESS_TOKEN", &given)).must_be(4);
        assert_eq!(ended.json()["error"]["kind"], kind);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
        assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
    }
}

#[test]
fn a_refused_token_that_ended_a_moment_ago_is_told_from_its_claims() {
    let world = World::with_users(25);
    let now = std::time::SystemTime::now();
    let since_1970 = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    for seconds_ago in [1, 45, 60] {
        let end = since_1970.as_secs() - seconds_ago;
        let claims = serde_json::json!({ "aud": "http://127.0.0.1", "exp": end });
        let opaque = format!(r#"{{"accessToken": "opaque", "expires_on": {end}}}"#);
        for given in [token(&claims), opaque] {
            let mut command = world.command(&["list", "--format", "json"]);
            let ended = said(command.env("SYNCFILTERS_ACCESS_TOKEN", &given)).must_be(4);
            assert_eq!(ended.json()["error"]["kind"], "token-expired", "{ended:?}");
            assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_token_is_taken_as_people_and_tools_hand_it_over() {
    let world = World::with_users(5);
    let token = world.sandbox.token();
    for given in [
        format!("Bearer {token}"),
        format!("'{token}'"),
        format!(r#""{{\"accessToken\": \"{token}\", \"expires_on\": 32503680000}}""#),
        format!("\u{feff}{{\"accessToken\": \"{token}\", \"expires_on\": 32503680000}}"),
    ] {
        let mut command = world.command(&["whoami"]);
        said(command.env("SYNCFILTERS_ACCESS_TOKEN", &given)).must_be(0);
    }
}

#[test]
fn tokens_that_are_not_taken() {
    let world = World::with_users(30);
    let mut command = world.command(&["list", "--format", "json"]);
    let ended = said(command.env("SYNCFILTERS_ACCESS_TOKEN", "canary-of-nobody")).must_be(4);
    assert_eq!(ended.json()["error"]["kind"], "unauthorized");
    assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
    let mut command = world.command(&["list"]);
    let stranger = world.sandbox.stranger_token();
    let ended = said(command.env("SYNCFILTERS_ACCESS_TOKEN", stranger)).must_be(4);
    assert!(ended.stderr.contains("0x80072560"), "{}", ended.stderr);
    let mut command = world.command(&["list"]);
    said(command.env_remove("SYNCFILTERS_ACCESS_TOKEN")).must_be(2);
}

#[test]
fn answers_that_are_none() {
    for (switch, code, says) in [
        (Switch::HtmlInsteadOfJson, 1, "it begins with"),
        (Switch::Redirect, 2, "redirects are not followed"),
    ] {
        let world = World::new(Options {
            users: 30,
            switches: Switches::none().with(switch),
            ..Options::default()
        });
        let ended = world.run(&["list"]).must_be(code);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
}

#[test]
fn users_that_do_not_exist_are_told_with_their_place() {
    let world = World::with_users(30);
    let list = world.home.path().join("pilot.csv");
    std::fs::write(&list, "upn\n\nnobody@contoso.example\n").unwrap();
    let list = list.to_str().unwrap();
    let before = world.states();
    let ended = world
        .run(&[
            "deactivate",
            "--yes",
            "--accept-calendar-loss",
            "--users-from",
            list,
        ])
        .must_be(2);
    assert!(
        ended.stderr.contains(&format!("{list}:3: no user")),
        "{}",
        ended.stderr
    );
    assert_eq!(world.states(), before);
    let runs = world.run(&["runs", "--format", "json"]).json();
    assert_eq!(
        runs["runs"].as_array().unwrap().len(),
        0,
        "it left no run behind"
    );
    let ended = world
        .run(&["list", "--users-from", "/does/not/exist.csv"])
        .must_be(2);
    let missing = "/does/not/exist.csv: ";
    assert!(ended.stderr.contains(missing), "{}", ended.stderr);
}

#[test]
fn groups_that_do_not_exist_and_conditions_that_are_none_end_with_2_and_leave_no_run() {
    let world = World::with_users(30);
    let before = world.states();
    for (args, says) in [
        (["--role", "Salesprson"], "did you mean `Salesperson`?"),
        (["--team", "nobody's"], "no team `nobody's`"),
        (["--business-unit", "Eurpoe"], "did you mean `Europe`?"),
        (
            ["--where", "nosuchcolumn eq 1"],
            "Could not find a property",
        ),
        (["--where", " "], "--where: nothing was given"),
    ] {
        let mut all = vec!["deactivate", "--yes", "--accept-calendar-loss"];
        all.extend(args);
        let ended = world.run(&all).must_be(2);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
    assert_eq!(world.states(), before);
    let runs = world.run(&["runs", "--format", "json"]).json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 0);
    world.run(&["list", "--only-this-unit"]).must_be(2);
}

#[test]
fn flags_that_contradict_each_other_are_told_in_the_form_that_was_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let args = [
        "list",
        "--url",
        "x",
        "--environment",
        "y",
        "--format",
        "json",
    ];
    let ended = said(&mut bare(&home, &args)).must_be(2);
    assert_eq!(ended.json()["error"]["kind"], "usage");
    said(&mut bare(&home, &["list", "-v", "-q"])).must_be(2);
    said(&mut bare(
        &home,
        &["list", "--name", "[a", "--url", "http://127.0.0.1:1"],
    ))
    .must_be(2);
}

#[test]
fn files_that_are_no_run_files() {
    let world = World::with_users(30);
    let file = world.home.path().join("notes.run");
    std::fs::write(&file, "this is not a run file, however it is named").unwrap();
    let file = file.to_str().unwrap();
    for command in ["report", "resume", "undo", "apply"] {
        let mut args = vec![command, file];
        if command != "report" {
            args.push("--yes");
        }
        let ended = world.run(&args).must_be(2);
        assert!(
            ended.stderr.contains("is not a run file"),
            "{}",
            ended.stderr
        );
    }
    let ended = world.run(&["report", "abc"]).must_be(2);
    assert!(
        ended.stderr.contains("there is no run `abc`"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_run_of_another_organisation_is_not_carried_on_here() {
    let world = World::with_users(30);
    let other = World::new(Options {
        users: 30,
        seed: 2,
        ..Options::default()
    });
    let planned = world
        .run(&["plan", "deactivate", "--format", "json"])
        .json();
    let run = planned["run"].as_str().unwrap();
    let before = other.states();
    let url = other.sandbox.url();
    let must_say = |said: &str| {
        for command in ["apply", "undo"] {
            let args = [
                command,
                run,
                "--url",
                &url,
                "--yes",
                "--accept-calendar-loss",
            ];
            let ended = world.run(&args).must_be(2);
            assert!(ended.stderr.contains(said), "{command}: {}", ended.stderr);
        }
    };
    must_say("the run was made at");
    assert_eq!(other.sandbox.counts().total, 0);
    // Another organisation answers at the same address.
    let runs = world.home.path().join(".local/state/syncfilters/runs");
    let file = rusqlite::Connection::open(runs.join(format!("{run}.run"))).unwrap();
    file.execute("UPDATE run SET environment = ?1", [&url])
        .unwrap();
    drop(file);
    must_say("belongs to");
    assert_eq!(other.states(), before);
}

#[test]
fn a_configuration_with_an_unknown_key_is_refused_with_its_line() {
    let world = World::with_users(30);
    let file = world.home.path().join("config.toml");
    std::fs::write(&file, "default-enviroment = \"x\"\n").unwrap();
    let ended = world
        .run(&["list", "--config", file.to_str().unwrap()])
        .must_be(2);
    assert!(ended.stderr.contains("line 1"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("did you mean `default-environment`?"),
        "{}",
        ended.stderr
    );
}

#[test]
fn impersonation_that_is_not_honoured_ends_with_5_and_nothing_written() {
    for switch in [Switch::DropImpersonation, Switch::CallerCannotActOnBehalf] {
        let world = World::new(Options {
            users: 30,
            switches: Switches::none().with(switch),
            ..Options::default()
        });
        let before = world.states();
        world
            .run(&["deactivate", "--yes", "--accept-calendar-loss"])
            .must_be(5);
        assert_eq!(world.states(), before);
        assert_eq!(world.sandbox.counts().patches, 0);
    }
}

#[test]
fn impact_options_that_make_no_sense_are_refused() {
    let world = World::with_users(30);
    let list = world.home.path().join("missing.csv");
    let list = list.to_str().unwrap();
    for (args, says) in [
        (
            ["plan", "reactivate", "--impact", "-q"],
            "--impact counts what is lost",
        ),
        (
            ["plan", "deactivate", "--other-engine", list],
            "missing.csv: ",
        ),
        (["list", "--view", " ", "-q"], "--view: nothing was given"),
        (
            ["plan", "deactivate", "--view", "No such view"],
            "no view of users `No such view` in this environment",
        ),
    ] {
        let ended = world.run(&args).must_be(2);
        assert!(ended.stderr.contains(says), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn waves_and_bounds_that_mean_nothing_are_refused_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    for (flag, value, says) in [
        ("--wave", "rest,10", "it has to be the last"),
        ("--wave", "0", "neither a number of users from 1"),
        ("--wave", "10,0", "neither a number of users from 1"),
        ("--stop-after-failures", "0", "1 stops when the first"),
        ("--stop-after-failures", "0%", "1 stops when the first"),
    ] {
        for command in ["deactivate", "resume"] {
            let mut args = vec![command, flag, value, "--url", "http://127.0.0.1:1"];
            if command == "resume" {
                args.insert(1, "3f2a9c");
            }
            let ended = said(&mut bare(&home, &args)).must_be(2);
            assert!(ended.stderr.contains(says), "{flag} {value}: {ended:?}");
        }
    }
}

#[test]
fn a_text_of_a_run_file_that_is_no_utf_8_is_named_with_its_place() {
    let world = World::with_users(10);
    let plan = world.home.path().join("plan.run");
    let name = plan.to_str().unwrap();
    world.run(&["plan", "deactivate", "--out", name]);
    let connection = rusqlite::Connection::open(&plan).unwrap();
    connection
        .execute(
            "UPDATE user SET label = CAST(x'61ff' AS TEXT) WHERE seq = 3",
            [],
        )
        .unwrap();
    drop(connection);
    for command in ["report", "apply", "resume", "undo"] {
        let refused = world.run(&[command, name]).must_be(2);
        for part in ["plan.run", "\"label\"", "\"user\"", "row 3"] {
            assert!(refused.stderr.contains(part), "{part}: {refused:?}");
        }
    }
}

#[test]
fn a_default_that_names_no_environment_is_refused_with_those_there_are() {
    let world = World::with_users(25);
    let file = world.home.path().join("config.toml");
    let url = world.sandbox.url();
    let text = format!(
        "default-environment = \"tset\"\n[environments.test]\nurl = \"{url}\"\n[environments.other]\nurl = \"{url}\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let config = file.to_str().unwrap();
    for command in [
        &["list"][..],
        &["check", "inactive"],
        &["plan", "deactivate"],
        &["deactivate", "--yes", "--accept-calendar-loss"],
        &["templates", "list"],
        &["doctor"],
        &["whoami"],
        &["login"],
        &["logout"],
        &["environments", "discover"],
    ] {
        let mut command = world.bare(&[command, &["--config", config]].concat());
        let ended = said(command.env("SYNCFILTERS_ACCESS_TOKEN", "x")).must_be(2);
        for says in [
            "`default-environment`",
            "other, test",
            "did you mean `test`?",
        ] {
            assert!(ended.stderr.contains(says), "{ended:?}");
        }
    }
}

/// The sign-in of `environments discover` is that of the environment that is meant, however it is named.
#[test]
fn the_environment_that_is_meant_says_how_to_sign_in_for_the_discovery() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config.toml");
    let text = "[environments.test]\nurl = \"https://test.example\"\nsign-in = \"client-secret\"\n\
        [environments.other]\nurl = \"https://other.example\"\nsign-in = \"certificate\"\n";
    std::fs::write(&file, text).unwrap();
    let config = file.to_str().unwrap();
    let discover = |flags: &[&str], variable: Option<(&str, &str)>| {
        let args = ["environments", "discover", "--config", config];
        let mut command = bare(&home, &[&args, flags].concat());
        command.envs(variable);
        said(&mut command).must_be(2).stderr
    };
    for (flags, variable) in [
        (&["--environment", "test"][..], None),
        (&["--url", "https://test.example"], None),
        (&[], Some(("SYNCFILTERS_ENVIRONMENT", "test"))),
        (&[], Some(("SYNCFILTERS_URL", "https://test.example"))),
        (
            &["--environment", "test"],
            Some(("SYNCFILTERS_ENVIRONMENT", "other")),
        ),
    ] {
        let said = discover(flags, variable);
        assert!(
            said.contains("`client-secret`"),
            "{flags:?} {variable:?}: {said}"
        );
    }
    let said = discover(&[], Some(("SYNCFILTERS_ENVIRONMENT", "tset")));
    assert!(said.contains("did you mean `test`?"), "{said}");
    let said = discover(&["--environment", "test", "--environment", "other"], None);
    assert!(said.contains("works on one environment"), "{said}");
}

#[test]
fn a_dash_is_standard_output_or_refused_and_never_a_file() {
    let world = World::with_users(25);
    let planned = world
        .run(&["plan", "deactivate", "--format", "json"])
        .json();
    let run = planned["run"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = world.command(&["report", run, "--format", "json", "--output", "-"]);
    let ended = said(command.current_dir(&folder)).must_be(0);
    assert_eq!(ended.json()["run"], run);
    let mut command = world.command(&["plan", "deactivate", "--out", "-"]);
    let ended = said(command.current_dir(&folder)).must_be(2);
    assert!(ended.stderr.contains("--out names a file"), "{ended:?}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn the_usage_that_an_error_shows_has_nothing_that_a_variable_gave() {
    let world = World::with_users(1);
    let mut check = world.command(&["check"]);
    check.env("SYNCFILTERS_CONFIG", "/tmp/config.toml");
    let ended = Ended::from(check.output().unwrap()).must_be(2);
    assert!(
        ended.stderr.contains("Usage: syncfilters check <STATE>"),
        "{ended:?}"
    );
}
