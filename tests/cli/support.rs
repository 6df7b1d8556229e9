//! What somebody gets who helps: the log file, the report, and the errors that ask for them.

use std::path::Path;

use serde_json::Value;

use crate::world::{Ended, World, bare};

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let read = |line: &str| serde_json::from_str(line).unwrap();
    text.lines().map(read).collect()
}

#[cfg(unix)]
fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let about = std::fs::metadata(path).unwrap();
    about.permissions().mode() & 0o777 == 0o600
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> bool {
    true
}

#[test]
fn a_log_file_has_every_request_and_how_the_command_ended_and_no_secret() {
    let world = World::with_users(25);
    let path = world.home.path().join("syncfilters.log");
    let log = path.to_str().unwrap();
    let ended = world.run(&["whoami", "--log-file", log]).must_be(0);
    assert_eq!(ended.stderr, "");
    let first = lines(&path);
    assert_eq!(first[0]["command"], "whoami");
    assert_eq!(first[0]["version"], env!("CARGO_PKG_VERSION"));
    let requests = first.iter().filter(|line| line["status"] == 200).count();
    assert!(requests >= 3, "{first:#?}");
    assert_eq!(first.last().unwrap()["exit"], 0);
    // The next command goes on, and the log says why it ended.
    world
        .run(&["report", "ffffffffffff", "--log-file", log])
        .must_be(2);
    let both = lines(&path);
    assert!(both.len() > first.len());
    let end = &both[both.len() - 2..];
    assert!(
        end[0]["error"].is_string() && end[1]["exit"] == 2,
        "{end:?}"
    );
    assert!(is_private(&path));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(world.sandbox.token()), "{text}");
    // Nothing is written into a file that is no log.
    let other = world.home.path().join("notes.txt");
    std::fs::write(&other, "mine").unwrap();
    let other = other.to_str().unwrap();
    world.run(&["whoami", "--log-file", other]).must_be(2);
    assert_eq!(std::fs::read_to_string(other).unwrap(), "mine");
}

#[test]
fn an_unexpected_error_asks_for_log_and_report_and_the_report_has_it() {
    let world = World::with_users(25);
    let state = world.home.path().join("state");
    let state = state.to_str().unwrap();
    let mut command = world.bare(&["whoami", "--url", "http://127.0.0.1:1", "--format", "json"]);
    command
        .args(["--state-dir", state])
        .env("SYNCFILTERS_ACCESS_TOKEN", world.sandbox.token());
    let ended = Ended::from(command.output().unwrap()).must_be(1);
    let hint = ended.json()["error"]["hint"].to_string();
    for part in ["--log-file", "`syncfilters doctor --report "] {
        assert!(
            hint.contains(part) && ended.stderr.contains(part),
            "{ended:?}"
        );
    }
    let path = world.home.path().join("report.json");
    let report = path.to_str().unwrap();
    let args = ["doctor", "--report", report, "--state-dir", state];
    world.run(&args).must_be(0);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(world.sandbox.token()), "{text}");
    assert!(is_private(&path));
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["last_error"]["command"], "whoami");
    let environment = &document["environments"][0];
    assert_eq!(environment["sign_in"]["sign-in"], "given");
    assert_eq!(environment["checks"][0]["check"], "address");
    assert!(
        document["variables_set"]
            .as_array()
            .unwrap()
            .contains(&"SYNCFILTERS_URL".into())
    );
    // Another report is not written over.
    let again = world.run(&args).must_be(2);
    assert!(
        again.stderr.contains("hint: nothing is written over it"),
        "{again:?}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_report_has_what_can_be_known_where_no_environment_is_named_or_the_configuration_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let report = |name: &str, args: &[&str], code: i32| -> Value {
        let path = home.path().join(name);
        let args = [&["doctor", "--report", path.to_str().unwrap()], args].concat();
        Ended::from(bare(&home, &args).output().unwrap()).must_be(code);
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let document = report("a.json", &[], 0);
    assert_eq!(document["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["environments"].as_array().unwrap().len(), 0);
    let why = document["no_environments_because"].as_str().unwrap();
    assert!(why.contains("environment"), "{why}");
    let config = home.path().join("config.toml");
    std::fs::write(&config, "canary = 1\n").unwrap();
    let document = report("b.json", &["--config", config.to_str().unwrap()], 2);
    let problems = document["configuration"]["problems"].to_string();
    assert!(problems.contains("line 1"), "{document:#}");
    assert!(!document.to_string().contains("canary"), "{document:#}");
}
