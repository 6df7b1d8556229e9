//! Text that others wrote, with characters that steer a terminal or turn the direction of a line, through every command:
//! nothing of it arrives on the screen or in a file, and JSON gives back the true text.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;
use syncfilters::sandbox::{Options, Sandbox};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::world::{Ended, bare};

/// What a user's name ends in, as JSON and as it is meant: a window title, a colour in 8 bits, an override of the
/// direction, an isolate, and a line of its own.
const NAME: &str = r"\u001b]0;owned\u0007\u009b31m\u202e\u2066\r\nerror: forged@contoso.example";
const TRUE_NAME: &str =
    "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\u{2066}\r\nerror: forged@contoso.example";
/// What the server's texts are replaced by.
const HOSTILE: [(&str, &str); 4] = [
    ("@contoso.example", NAME),
    (
        "Contoso (sandbox)",
        r"Contoso\u001b[2J\u200f\u2028(sandbox)",
    ),
    ("\"name\":\"", "\"name\":\"\\u009b2J\\u2067\\u001bc"),
    (
        "\"message\":\"",
        "\"message\":\"\\u001b[31m\\u202a\\u061c\\n",
    ),
];

/// A server that answers as the sandbox does, but with hostile texts.
struct Hostile {
    url: String,
    token: String,
    home: TempDir,
    _runtime: Runtime,
}

struct Behind {
    sandbox: Sandbox,
    own: String,
    client: reqwest::Client,
}

impl Hostile {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let (url, token) = runtime.block_on(async {
            let options = Options {
                users: 40,
                ..Options::default()
            };
            let sandbox = Sandbox::start(options).await.unwrap();
            let token = sandbox.token().to_owned();
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let listener = tokio::net::TcpListener::bind(address).await.unwrap();
            let own = format!("http://{}/", listener.local_addr().unwrap());
            let behind = Behind {
                sandbox,
                own: own.clone(),
                client: syncfilters::auth::client_builder()
                    .no_proxy()
                    .build()
                    .unwrap(),
            };
            let router = Router::new().fallback(pass_on).with_state(Arc::new(behind));
            tokio::spawn(async move { axum::serve(listener, router).await });
            (own, token)
        });
        Self {
            url,
            token,
            home: tempfile::tempdir().unwrap(),
            _runtime: runtime,
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = bare(&self.home, args);
        command
            .env("SYNCFILTERS_URL", &self.url)
            .env("SYNCFILTERS_ACCESS_TOKEN", &self.token);
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        harmless(&mut self.command(args))
    }
}

async fn pass_on(State(behind): State<Arc<Behind>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{}", behind.sandbox.url(), path.trim_start_matches('/'));
    let mut headers = head.headers;
    for name in ["host", "content-length", "accept-encoding"] {
        headers.remove(name);
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    // Addresses within a batch lead to the sandbox again.
    let body = String::from_utf8(body.to_vec()).unwrap();
    let body = body.replace(&behind.own, behind.sandbox.url().as_ref());
    let request = behind.client.request(head.method, url).headers(headers);
    let answer = request.body(body).send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "content-length" && name != "transfer-encoding" {
            response = response.header(name, value);
        }
    }
    let mut text = answer.text().await.unwrap();
    text = text.replace(AsRef::<str>::as_ref(&behind.sandbox.url()), &behind.own);
    for (plain, hostile) in HOSTILE {
        text = text.replace(plain, hostile);
    }
    response.body(Body::from(text)).unwrap()
}

/// Runs a command, and holds all that it prints against what may be printed.
fn harmless(command: &mut Command) -> Ended {
    let ended = Ended::from(command.output().unwrap());
    for text in [&ended.stdout, &ended.stderr] {
        assert_harmless(text, &format!("{command:?}"));
    }
    ended
}

fn assert_harmless(text: &str, of: &str) {
    if let Some(c) = text.chars().find(|c| *c != '\n' && is_hostile(*c)) {
        panic!("{of} prints {c:?}:\n{}", text.escape_debug());
    }
    assert!(
        !text.lines().any(|line| line.starts_with("error: forged")),
        "{of}: {text}"
    );
}

/// Written down again here, so that the program and its test can not forget the same.
fn is_hostile(c: char) -> bool {
    matches!(u32::from(c),
        0..=0x1f | 0x7f..=0x9f | 0x61c | 0x200e | 0x200f | 0x2028..=0x202e | 0x2066..=0x2069)
}

/// Whether a text stands anywhere in a document.
fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(one) => one.contains(text),
        Value::Array(all) => all.iter().any(|one| holds(one, text)),
        Value::Object(all) => all
            .iter()
            .any(|(key, one)| key.contains(text) || holds(one, text)),
        _ => false,
    }
}

const FORMATS: [&str; 5] = ["table", "json", "csv", "markdown", "html"];

#[test]
fn nothing_that_a_server_says_steers_the_terminal_in_any_command() {
    let server = Hostile::new();
    let agree = ["--yes", "--accept-calendar-loss"];
    for command in [
        &["whoami"][..],
        &["doctor"],
        &["list"],
        &["list", "-vv"],
        &["check", "inactive"],
        &[
            "check",
            "inactive",
            "--fix",
            "--accept-calendar-loss",
            "--dry-run",
        ],
        &["templates"],
        &["plan"],
        &["deactivate", "--dry-run", "--no-progress"],
        &["list", "--user", "nobody@contoso.example"],
        &["plan", "--group", "nobody"],
        &["list", "--where", "nonsense eq 1"],
    ] {
        let mut colored = command.to_vec();
        colored.extend(["--color", "never"]);
        server.run(&colored);
        let mut json = command.to_vec();
        json.extend(["--format", "json"]);
        let ended = server.run(&json);
        assert!(
            serde_json::from_str::<Value>(&ended.stdout).is_ok(),
            "{command:?}: {ended:?}"
        );
    }
    for format in FORMATS {
        server.run(&["list", "--format", format]);
        server.run(&["templates", "--format", format]);
    }
    let list = server.run(&["list", "--format", "json"]).json();
    assert!(holds(&list, TRUE_NAME), "{list}");
    assert!(holds(&list, "\u{9b}2J\u{2067}\u{1b}c"));
    let who = server
        .run(&["whoami", "--format", "json"])
        .must_be(0)
        .json();
    assert!(
        holds(&who, TRUE_NAME) && holds(&who, "\u{1b}[2J\u{200f}\u{2028}"),
        "{who}"
    );

    let mut change = vec!["deactivate"];
    change.extend(agree);
    let ended = server.run(&change);
    assert!(ended.stdout.contains("·]0;owned··31m··"), "{ended:?}");
    let runs = server.run(&["runs", "--format", "json"]).must_be(0).json();
    let run = runs["runs"][0]["run"]
        .as_str()
        .or(runs["runs"][0]["id"].as_str());
    let run = run.unwrap_or_else(|| panic!("{runs}")).to_owned();
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        server.run(&["runs", "--format", format]);
        server.run(&["report", &run, "--format", format]).must_be(0);
        let path = folder.path().join(format);
        let file = path.to_str().unwrap();
        let args = [
            "report", &run, "--format", format, "--output", file, "--color", "always",
        ];
        server.run(&args).must_be(0);
        assert_harmless(&std::fs::read_to_string(&path).unwrap(), format);
    }
    let report = server.run(&["report", &run, "--format", "json"]).json();
    assert!(holds(&report, TRUE_NAME), "{report}");
    server.run(&["undo", &run, "--yes"]);
}

#[test]
fn only_our_own_colours_come_with_what_a_server_says() {
    let server = Hostile::new();
    for args in [["list"], ["doctor"], ["plan"], ["runs"]] {
        let mut command = server.command(&args);
        let ended = Ended::from(command.args(["--color", "always"]).output().unwrap());
        for text in [&ended.stdout, &ended.stderr] {
            let mut bare = text.clone();
            for ours in ["0", "1", "2", "31", "32", "33"] {
                bare = bare.replace(&format!("\u{1b}[{ours}m"), "");
            }
            assert_harmless(&bare, args[0]);
        }
    }
}

const HOSTILE_BYTES: &str = "a\u{1b}[2J\u{9b}31m\u{202e}\r\nerror: forged\u{2069}";

#[test]
fn nothing_on_the_command_line_steers_the_terminal() {
    let server = Hostile::new();
    let file = format!("/nowhere/{HOSTILE_BYTES}");
    for args in [
        &[HOSTILE_BYTES][..],
        &["list", HOSTILE_BYTES],
        &[&format!("--{HOSTILE_BYTES}")],
        &["list", "--type", HOSTILE_BYTES],
        &["list", "--user", HOSTILE_BYTES],
        &["list", "--users-from", &file],
        &["list", "--format", HOSTILE_BYTES],
        &["list", "--sign-in", HOSTILE_BYTES],
        &["list", "--url", HOSTILE_BYTES],
        &["list", "--environment", HOSTILE_BYTES],
        &["list", "--config", &file],
        &["list", "--state-dir", &file],
        &["list", "--where", HOSTILE_BYTES],
        &["list", "--group", HOSTILE_BYTES],
        &["list", "--concurrency", HOSTILE_BYTES],
        &["plan", "--out", &file],
        &[
            "deactivate",
            "--yes",
            "--confirm-environment",
            HOSTILE_BYTES,
        ],
        &["report", HOSTILE_BYTES],
        &["report", &file],
        &["resume", HOSTILE_BYTES],
        &["undo", HOSTILE_BYTES],
        &["completions", HOSTILE_BYTES],
        &["help", HOSTILE_BYTES],
        &["environments", "--config", &file],
        &["sandbox", "--fault", HOSTILE_BYTES],
    ] {
        server.run(args);
        let mut json = args.to_vec();
        json.extend(["--format", "json"]);
        let ended = server.run(&json);
        if !ended.stdout.is_empty() {
            assert!(
                serde_json::from_str::<Value>(&ended.stdout).is_ok(),
                "{args:?}: {ended:?}"
            );
        }
    }
    for variable in [
        "SYNCFILTERS_URL",
        "SYNCFILTERS_ENVIRONMENT",
        "SYNCFILTERS_SIGN_IN",
        "SYNCFILTERS_ACCESS_TOKEN",
        "SYNCFILTERS_CONFIG",
        "SYNCFILTERS_STATE_DIR",
    ] {
        harmless(server.command(&["list"]).env(variable, HOSTILE_BYTES));
        harmless(server.command(&["--help"]).env(variable, HOSTILE_BYTES));
    }
}

#[test]
fn nothing_in_a_list_or_a_run_file_steers_the_terminal() {
    let server = Hostile::new();
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    for text in [
        "a\u{1b}[2J\u{9b}31m\u{202e}@contoso.example\n".to_owned(),
        format!("user,note\n\"{HOSTILE_BYTES}\",x\n"),
        format!("{HOSTILE_BYTES},b\n\"\n"),
    ] {
        std::fs::write(&list, &text).unwrap();
        let list = list.to_str().unwrap();
        server.run(&["list", "--users-from", list]);
        server.run(&["plan", "--exclude-from", list]);
        server.run(&["plan", "--users-from", list, "--format", "json"]);
    }
    let runs = server.home.path().join(".local/state/syncfilters/runs");
    std::fs::create_dir_all(&runs).unwrap();
    let hostile_name = runs.join("a\u{1b}[2J\u{202e}\n.run");
    std::fs::write(&hostile_name, HOSTILE_BYTES).unwrap();
    for format in FORMATS {
        server.run(&["runs", "--format", format]);
        server.run(&["report", hostile_name.to_str().unwrap(), "--format", format]);
    }
}

#[test]
fn nothing_in_the_configuration_steers_the_terminal_or_gives_a_secret_away() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config.toml");
    let server = Hostile::new();
    let url = &server.url;
    let head = format!("default-environment = \"it\"\n[environments.it]\nurl = \"{url}\"\n");
    let hostile_name = r"\u001b[2J\u009b31m\u202e\nerror: forged";
    for (text, secret_line) in [
        (format!("{head}client-secret = \"Canary~1\"\n"), true),
        (
            format!(
                "{head}client-secret-variable = \"Canary~1\"\nclient-id = \"a\"\nsign-in = \"client-secret\"\ntenant = \"t\"\n"
            ),
            true,
        ),
        (
            format!("{head}access-token-variable = \"Canary~1{hostile_name}\"\n"),
            true,
        ),
        (format!("{head}access-token-variable = \"Canary1\"\n"), true),
        (
            format!(
                "{head}password-file = \"Canary~1{hostile_name}\"\nuser = \"u{hostile_name}\"\nclient-id = \"a\"\nsign-in = \"password\"\n"
            ),
            true,
        ),
        (
            format!(
                "{head}certificate = \"Canary~1{hostile_name}\"\nclient-id = \"a\"\nsign-in = \"certificate\"\n"
            ),
            true,
        ),
        (
            format!("{head}sign-in = \"Canary~1{hostile_name}\"\n"),
            true,
        ),
        (
            format!("{head}max-changes = \"Canary~1{hostile_name}\"\n"),
            true,
        ),
        (format!("{head}access-token-variable = \"Canary~1\n"), true),
        (format!("{head}keep = Canary~1\n"), true),
        (format!("{head}\"a{hostile_name}\" = 1\n"), false),
        (
            format!("[environments.\"a{hostile_name}\"]\nurl = \"https://a.example\"\n"),
            false,
        ),
        (
            format!("default-environment = \"a{hostile_name}\"\n"),
            false,
        ),
        (
            format!("[environments.it]\nurl = \"https://a{hostile_name}\"\n"),
            false,
        ),
        (
            format!("[environments.it]\nurl = \"http://me:Canary~1@a.example\"\n"),
            true,
        ),
        (
            format!("[environments.it]\nurl = \"https://me:Canary~1@a b\"\n"),
            true,
        ),
        (format!("\u{1b}[2J = {HOSTILE_BYTES}\n"), false),
    ] {
        std::fs::write(&path, &text).unwrap();
        for command in ["environments", "whoami", "doctor", "list", "login"] {
            for format in ["table", "json"] {
                let args = [
                    command,
                    "--format",
                    format,
                    "--config",
                    path.to_str().unwrap(),
                ];
                let ended = harmless(&mut bare(&home, &args));
                let all = ended.stdout + &ended.stderr;
                assert!(
                    !secret_line || !all.contains("anary"),
                    "{args:?} of\n{text}\nprints\n{all}"
                );
            }
        }
    }
}
