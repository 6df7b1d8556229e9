//! Answers without end.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use syncfilters::auth::{Http, challenge};
use syncfilters::dataverse::{Columns, Error};
use syncfilters::model::FilterKind;

use super::client::{all_users, connect, own_filters, user};
use super::server::{Reply, Server};

fn is_too_long(error: &Error) -> bool {
    matches!(error, Error::BadAnswer { why, .. } if why.contains("longer than 16 MiB"))
}

#[tokio::test]
async fn an_answer_without_end_is_a_bad_answer_and_is_not_asked_for_again() {
    for status in [200, 403, 503, 429] {
        let server = Server::start(move |_| Reply::Endless(status, vec![b' '; 1 << 16]));
        let reader = connect(&server).await.unwrap();
        let error = all_users(&reader).await.unwrap_err();
        assert!(is_too_long(&error), "{status}: {error}");
        assert_eq!(server.seen("/systemusers?").len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_is_long_after_decompression_is_a_bad_answer() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let megabyte = vec![b' '; 1 << 20];
    (0..64).for_each(|_| gzip.write_all(&megabyte).unwrap());
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 1 << 18);
    let head = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    let server = Server::start(move |_| Reply::Whole(200, head, bomb.clone()));
    let reader = connect(&server).await.unwrap();
    let error = all_users(&reader).await.unwrap_err();
    assert!(is_too_long(&error), "{error}");
    assert_eq!(server.seen("/systemusers?").len(), 1);
}

#[tokio::test]
async fn an_answer_that_announces_too_much_is_not_read() {
    let head = "Content-Type: application/json\r\nContent-Length: 99999999999\r\n";
    let server = Server::start(move |_| Reply::Whole(200, head, b"{".to_vec()));
    let reader = connect(&server).await.unwrap();
    assert!(is_too_long(&all_users(&reader).await.unwrap_err()));
}

#[tokio::test]
async fn a_batch_answer_without_end_is_a_bad_answer() {
    let server = Server::start(|_| Reply::Endless(200, b"--x\r\n\r\n".repeat(4096)));
    let reader = connect(&server).await.unwrap();
    let users = [user().id];
    let columns = Columns::Needed;
    let read = reader.filters_as_administrator(&users, FilterKind::Outlook, columns);
    assert!(is_too_long(&read.await.unwrap_err()));
    assert_eq!(server.seen("$batch").len(), 1);
}

#[tokio::test]
async fn a_sign_in_answer_without_end_is_told_and_not_asked_for_again() {
    let server = Server::bare(|_| Reply::Endless(200, vec![b' '; 1 << 16]));
    let http = Http::new().unwrap();
    let environment = server.url.parse().unwrap();
    let error = challenge(&http, &environment).await.unwrap_err();
    assert!(error.to_string().contains("longer than 1 MiB"), "{error}");
    assert_eq!(server.seen("").len(), 1);
}

#[tokio::test]
async fn many_long_answers_at_once_all_arrive() {
    let long = format!(r#"{{"value":[]{}}}"#, " ".repeat(3 << 20));
    let server = Server::start(move |_| Reply::json(200, long.clone()));
    let reader = connect(&server).await.unwrap();
    let reads = (0..24).map(|_| {
        let reader = reader.clone();
        tokio::spawn(async move { all_users(&reader).await.map(|users| users.len()) })
    });
    for read in reads.collect::<Vec<_>>() {
        assert_eq!(read.await.unwrap().unwrap(), 0);
    }
}

#[tokio::test]
async fn an_empty_answer_to_a_read_is_asked_for_again() {
    let server = Server::start(|request| {
        let first = request.before % 2 == 0;
        Reply::json(200, if first { "" } else { r#"{"value":[]}"# })
    });
    let reader = connect(&server).await.unwrap();
    let before = server.seen("").len();
    for _ in 0..2 {
        let filters = own_filters(&reader);
        assert!(filters.await.unwrap().is_empty());
    }
    let asked = server.seen("").len() - before;
    assert!((3..=4).contains(&asked), "{asked}");
}
