//! Addresses at which nothing good is ever answered: the program ends soon, and says what was seen and what to check.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::server::{Reply, Server};

fn program(home: &TempDir, server: &Server, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncfilters"));
    command
        .env_clear()
        .env("HOME", home.path())
        .env("SYNCFILTERS_URL", &server.url)
        .env("SYNCFILTERS_ACCESS_TOKEN", "a-token")
        .args(args);
    command
}

type Make = fn() -> Reply;

/// What is answered to everything, with the words that tell it.
const ANSWERS: [(&str, Make, &str); 6] = [
    ("nothing in it", || Reply::json(200, " \r\n"), "it is empty"),
    (
        "an escape character in a header",
        || {
            Reply::raw(
                "HTTP/1.1 302 Found\r\nLocation: http://a/\x1b[2J\r\n\r\n",
                "",
            )
        },
        "not HTTP that can be read",
    ),
    (
        "another protocol",
        || Reply::raw("SSH-2.0-OpenSSH_9.9\r\n", ""),
        "not HTTP that can be read",
    ),
    (
        "pieces without a length",
        || {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            Reply::raw(head, "zz\r\n{}\r\n")
        },
        "not HTTP that can be read",
    ),
    (
        "a compression that is none",
        || Reply::Whole(200, "Content-Encoding: gzip\r\n", b"{}".to_vec()),
        "not HTTP that can be read",
    ),
    (
        "no answer at all",
        || Reply::raw("", ""),
        "no answer came back",
    ),
];

#[test]
fn an_address_that_answers_badly_from_the_first_request_on_is_asked_three_times() {
    let started: Vec<_> = ANSWERS
        .into_iter()
        .map(|(called, make, says)| {
            let (server, home) = (Server::bare(move |_| make()), TempDir::new().unwrap());
            let child = program(&home, &server, &["list", "--no-progress"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            (called, says, server, home, child)
        })
        .collect();
    for (called, says, server, _home, child) in started {
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{called}: {said}");
        assert!(said.contains(says), "{called}: {said}");
        assert!(said.contains("hint: check"), "{called}: {said}");
        assert_eq!(server.seen("").len(), 3, "{called}: {said}");
    }
}

/// Reads what a command says until it says this.
fn assert_says(command: &mut Command, words: &str) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut all = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        let found = line.contains(words);
        all += &line;
        if found {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(all.contains(words), "{all}");
}

#[test]
fn what_is_waited_for_is_told_before_a_connection_is_given_up() {
    let server = Server::bare(|_| Reply::page(503));
    let home = TempDir::new().unwrap();
    let mut command = program(&home, &server, &["whoami"]);
    assert_says(
        command.stdout(Stdio::null()),
        "answers were status 503; retrying",
    );
}

#[test]
fn what_is_waited_for_is_told_while_a_run_is_under_way() {
    let server = Server::start(|_| Reply::page(503));
    let home = TempDir::new().unwrap();
    let mut command = program(&home, &server, &["list"]);
    assert_says(
        command.stdout(Stdio::null()),
        "answers were status 503; retrying",
    );
}
