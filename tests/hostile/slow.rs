//! Answers that come a byte at a time and never end: bounded in all, whatever a single byte is waited for.

use std::time::Duration;

use syncfilters::auth::TimeLimits;
use syncfilters::dataverse::Error;

use super::client::{all_users, connect_within, own_filters};
use super::server::{Reply, Server};

/// Far longer than a byte takes, and far shorter than the answer.
const LIMITS: TimeLimits = TimeLimits {
    connect: Duration::from_secs(5),
    silence: Duration::from_secs(5),
    whole: Duration::from_millis(400),
};

fn slow_head() -> Reply {
    Reply::Slow(b"HTTP/1.1 200 OK\r\nX-Slow: ".to_vec(), b"x".to_vec())
}

fn slow_body() -> Reply {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n";
    Reply::Slow(head.into(), b" ".to_vec())
}

fn is_late(error: &Error) -> bool {
    matches!(error, Error::Lost { why, .. } if why == "it did not come in time")
}

#[tokio::test]
async fn an_answer_a_byte_at_a_time_is_given_up_as_a_whole_and_told() {
    for reply in [slow_head as fn() -> Reply, slow_body] {
        let server = Server::start(move |_| reply());
        let reader = connect_within(&server, LIMITS).await.unwrap();
        let error = all_users(&reader).await.unwrap_err();
        assert!(is_late(&error), "{error}");
        assert_eq!(server.seen("/systemusers?").len(), 2);
        assert!(is_late(&own_filters(&reader).await.unwrap_err()));
        let trouble = reader.channel().pacer().trouble().unwrap();
        assert_eq!(
            trouble.to_string(),
            "the last 4 requests got no answer in time"
        );
    }
}

#[tokio::test]
async fn an_address_that_has_never_answered_in_time_is_not_asked_again() {
    for reply in [slow_head as fn() -> Reply, slow_body] {
        let server = Server::bare(move |_| reply());
        let error = connect_within(&server, LIMITS).await.unwrap_err();
        assert!(is_late(&error), "{error}");
        assert_eq!(server.seen("").len(), 1);
    }
}
