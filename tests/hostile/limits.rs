//! What servers and gateways say about waiting.

use std::time::Duration;

use syncfilters::dataverse::Error;

use super::client::{all_users, connect};
use super::server::{Reply, Server};

fn refused_at_first(header: &'static str, status: u16) -> Server {
    Server::start(move |request| {
        // Four requests of the beginning come before.
        if request.before < 6 {
            Reply::Whole(status, header, b"Too many requests".to_vec())
        } else {
            Reply::json(200, r#"{"value":[]}"#)
        }
    })
}

#[tokio::test]
async fn a_wait_that_cannot_be_read_is_a_short_one_and_teaches_no_budget() {
    for header in [
        "",
        "Retry-After: -5\r\n",
        "Retry-After: soon\r\n",
        "Retry-After: 1e9\r\n",
        "Retry-After: Mon, 01 Jan 2001 00:00:00 GMT\r\n",
    ] {
        let server = refused_at_first(header, 429);
        let reader = connect(&server).await.unwrap();
        assert!(all_users(&reader).await.unwrap().is_empty(), "{header}");
        assert_eq!(server.seen("/systemusers?").len(), 3, "{header}");
        let status = reader.channel().pacer().status();
        // No budget of five minutes: at the least one a second is left.
        assert!(
            status.rate_per_second.is_none_or(|rate| rate >= 1.0),
            "{header}"
        );
        assert_eq!(status.throttled, 2);
    }
}

#[tokio::test]
async fn more_than_half_an_hour_stops_with_the_time_and_is_not_asked_again() {
    for (status, header) in [
        (429, "Retry-After: 7200\r\n"),
        (503, "Retry-After: 7199.5\r\n"),
        (
            429,
            "Date: Tue, 24 Nov 2026 08:00:00 GMT\r\nRetry-After: Tue, 24 Nov 2026 10:00:00 GMT\r\n",
        ),
        (429, "Retry-After: 99999999999999999999999999\r\n"),
    ] {
        let server = refused_at_first(header, status);
        let reader = connect(&server).await.unwrap();
        let error = all_users(&reader).await.unwrap_err();
        let Error::Postponed { wait, .. } = &error else {
            panic!("{header}: {error}");
        };
        assert!(*wait >= Duration::from_hours(2), "{header}");
        assert!(error.is_fatal());
        assert!(error.to_string().contains("until 20"), "{error}");
        assert_eq!(server.seen("/systemusers?").len(), 1, "{header}");
    }
}
