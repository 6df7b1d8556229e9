//! Answers that are none: each is told as such, by the client and by the program itself; nothing panics, and nothing is
//! taken for an empty list.

use std::io::Write as _;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use syncfilters::dataverse::Error;
use tempfile::TempDir;

use super::client::{all_users, connect};
use super::server::{CALLER, Reply, Server};

const JSON: &str = "Content-Type: application/json\r\n";
/// What stands at the begin of an answer by hand.
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/// 64 MiB in some kilobytes.
fn bomb() -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let megabyte = vec![b' '; 1 << 20];
    (0..64).for_each(|_| gzip.write_all(&megabyte).unwrap());
    gzip.finish().unwrap()
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

type Make = fn() -> Reply;

/// What comes instead of the list of users, by what it is called.
#[expect(clippy::too_many_lines, reason = "a table, a row for each answer")]
fn answers() -> Vec<(&'static str, Make)> {
    vec![
        ("headers without end", || {
            Reply::Raw(OK.into(), b"X-More: more and more and more\r\n".to_vec())
        }),
        ("one header without end", || {
            Reply::Raw(format!("{OK}X-More: ").into(), vec![b'x'; 1 << 12])
        }),
        ("chunks without end", || {
            let head = format!("{OK}Transfer-Encoding: chunked\r\n\r\n");
            Reply::Raw(
                head.into(),
                [b"1000\r\n", &[b' '; 4096][..], b"\r\n"].concat(),
            )
        }),
        ("chunks of nonsense", || {
            Reply::raw(OK, "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n")
        }),
        ("a chunk that is cut off", || {
            Reply::raw(OK, "Transfer-Encoding: chunked\r\n\r\n20\r\n{\"value\":[]}")
        }),
        ("less than was announced", || {
            Reply::raw(OK, "Content-Length: 400\r\n\r\n{\"value\":[]}")
        }),
        ("more than was announced", || {
            Reply::raw(OK, "Content-Length: 9\r\n\r\n{\"value\":[]}")
        }),
        ("two lengths", || {
            Reply::raw(
                OK,
                "Content-Length: 12\r\nContent-Length: 400\r\n\r\n{\"value\":[]}",
            )
        }),
        ("no HTTP at all", || {
            Reply::raw("SSH-2.0-OpenSSH_9.9\r\n", "")
        }),
        ("nothing", || Reply::raw("", "")),
        ("a bomb in an error", || {
            let head = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
            Reply::Whole(403, head, bomb())
        }),
        ("gzip that is none", || {
            Reply::Whole(
                200,
                "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
                b"{}".to_vec(),
            )
        }),
        ("an encoding that nobody knows", || {
            Reply::Whole(
                200,
                "Content-Type: application/json\r\nContent-Encoding: zstd\r\n",
                bomb(),
            )
        }),
        ("a redirect to itself", || {
            Reply::Whole(302, "Location: /api/data/v9.2/systemusers\r\n", Vec::new())
        }),
        ("a redirect elsewhere", || {
            Reply::Whole(307, "Location: http://127.0.0.2:9/\r\n", Vec::new())
        }),
        ("JSON in UTF-16", || {
            Reply::Whole(200, JSON, utf_16("\u{feff}{\"value\":[]}"))
        }),
        ("a list 100 000 deep", || {
            Reply::json(200, format!("{{\"value\":{}", "[".repeat(100_000)))
        }),
        ("a note 100 000 deep", || {
            let deep = "[".repeat(100_000) + &"]".repeat(100_000);
            Reply::json(200, format!("{{\"note\":{deep},\"value\":0}}"))
        }),
        ("no number", || {
            Reply::json(
                200,
                format!(r#"{{"value":[{{"systemuserid":"{CALLER}","accessmode":NaN}}]}}"#),
            )
        }),
        ("a number too large", || {
            Reply::json(
                200,
                format!(r#"{{"value":[{{"systemuserid":"{CALLER}","accessmode":1e999}}]}}"#),
            )
        }),
        ("a number of 100 000 digits", || {
            let digits = "9".repeat(100_000);
            Reply::json(
                200,
                format!(r#"{{"value":[{{"systemuserid":"{CALLER}","accessmode":{digits}}}]}}"#),
            )
        }),
        ("an id that is none", || {
            Reply::json(200, r#"{"value":[{"systemuserid":"1"}]}"#)
        }),
        ("a list that is an object", || {
            Reply::json(200, r#"{"value":{}}"#)
        }),
        ("no list", || Reply::json(200, "{}")),
        ("two documents", || {
            Reply::json(200, r#"{"value":[]}{"value":[]}"#)
        }),
        ("a page", || Reply::page(200)),
        ("no content", || {
            Reply::raw("HTTP/1.1 204 No Content\r\n\r\n", "")
        }),
        ("a part of the content", || {
            Reply::raw(
                "HTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\n\r\n{\"value\":[]}",
                "",
            )
        }),
        ("a status that there is not", || {
            Reply::raw("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", "")
        }),
    ]
}

#[tokio::test]
async fn an_answer_that_is_none_is_told_and_is_no_empty_list() {
    for (called, make) in answers() {
        let server = Server::start(move |_| make());
        let reader = connect(&server).await.unwrap();
        let error = match all_users(&reader).await {
            Ok(users) => panic!("{called}: {} users", users.len()),
            Err(error) => error,
        };
        let named = matches!(
            error,
            Error::BadAnswer { .. }
                | Error::Lost { .. }
                | Error::Refused { .. }
                | Error::Redirected { .. }
                | Error::Unreachable { .. }
        );
        assert!(named, "{called}: {error:?}");
        let said = error.to_string();
        assert!(said.len() < 4_096, "{called}: {said}");
        assert!(server.seen("/systemusers?").len() <= 6, "{called}");
    }
}

/// The binary against the same answers: an exit code of its own, one document, and few words.
#[test]
fn the_program_ends_well_whatever_a_server_answers() {
    for (called, make) in answers() {
        // A connection that closes may be an outage, at a server that answered before: these end in pauses of a
        // minute. The client is tested with them above.
        let is_asked_again = matches!(
            called,
            "a chunk that is cut off" | "less than was announced" | "nothing"
        );
        if is_asked_again {
            continue;
        }
        let server = Server::start(move |_| make());
        let home = TempDir::new().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_syncfilters"))
            .env_clear()
            .env("HOME", home.path())
            .env("SYNCFILTERS_URL", &server.url)
            .env("SYNCFILTERS_ACCESS_TOKEN", "a-token")
            .args(["list", "--format", "json", "--no-progress"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code();
        assert!(
            matches!(code, Some(1 | 2 | 4 | 5)),
            "{called}: {code:?} {said}"
        );
        assert!(
            !said.contains("should not happen") && said.len() < 8_192,
            "{called}: {said}"
        );
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            document["error"]["kind"].is_string(),
            "{called}: {document}"
        );
    }
}
