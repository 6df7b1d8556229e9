//! Service protection limits in compressed time.

use std::time::Duration;

use syncfilters::sandbox::{Limits, Options};

use crate::bench::{bench, with, with_limits};

fn requests(most: u32, window: Duration) -> Limits {
    Limits {
        requests: Some(most),
        window,
        ..Limits::none()
    }
}

#[tokio::test]
async fn too_many_requests_are_refused_until_the_window_has_moved_on() {
    let window = Duration::from_millis(1200);
    let bench = with_limits(requests(3, window), "").await;
    for left in ["2", "1", "0"] {
        let answer = bench.get("WhoAmI").await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("x-ms-ratelimit-burst-remaining-xrm-requests"),
            Some(left)
        );
        assert!(answer.header("x-ms-dop-hint").is_some());
    }
    let refused = bench.get("WhoAmI").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (429, "0x80072322")
    );
    assert!(
        refused
            .message()
            .contains("exceeded the limit of 3 over time window of")
    );
    let wait: u64 = refused.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait));
    tokio::time::sleep(Duration::from_millis(1300)).await;
    assert_eq!(bench.get("WhoAmI").await.status, 200);
    assert_eq!(bench.sandbox.counts().throttled, 1);
}

#[tokio::test]
async fn pressing_on_lengthens_the_wait() {
    let bench = with_limits(requests(1, Duration::from_mins(5)), "").await;
    bench.get("WhoAmI").await;
    let wait = |answer: crate::bench::Answer| -> u64 {
        answer.header("Retry-After").unwrap().parse().unwrap()
    };
    let first = wait(bench.get("WhoAmI").await);
    assert!((290..=300).contains(&first));
    assert!(wait(bench.get("WhoAmI").await) >= first);
}

#[tokio::test]
async fn a_batch_is_one_request_but_its_operations_cost_time() {
    let limits = Limits {
        requests: Some(2),
        execution: Some(Duration::from_millis(50)),
        ..Limits::none()
    };
    let bench = with(Options {
        limits,
        execution: Duration::from_millis(20),
        ..Options::default()
    })
    .await;
    let part = "--b\nContent-Type: application/http\n\nGET WhoAmI HTTP/1.1\n";
    let body = format!("{}--b--", part.repeat(5));
    let headers = [("Content-Type", "multipart/mixed; boundary=b")];
    assert_eq!(
        bench.call("POST", "$batch", &headers, &body).await.status,
        200
    );
    let refused = bench.get("WhoAmI").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (429, "0x80072321")
    );
}

#[tokio::test]
async fn too_many_at_once_are_refused_at_once() {
    let limits = Limits {
        concurrent: Some(2),
        ..Limits::none()
    };
    let bench = with(Options {
        limits,
        execution: Duration::from_millis(300),
        ..Options::default()
    })
    .await;
    let answers = tokio::join!(
        bench.get("WhoAmI"),
        bench.get("WhoAmI"),
        bench.get("WhoAmI"),
        bench.get("WhoAmI")
    );
    let statuses = [
        answers.0.status,
        answers.1.status,
        answers.2.status,
        answers.3.status,
    ];
    assert_eq!(statuses.iter().filter(|&&it| it == 200).count(), 2);
    assert_eq!(statuses.iter().filter(|&&it| it == 429).count(), 2);
    assert_eq!(bench.get("WhoAmI").await.status, 200);
}

#[tokio::test]
async fn each_server_counts_on_its_own_and_a_cookie_sticks_to_one() {
    let limits = Limits {
        servers: 3,
        ..requests(2, Duration::from_mins(5))
    };
    let free = with_limits(limits, "").await;
    for _ in 0..6 {
        assert_eq!(free.get("WhoAmI").await.status, 200);
    }
    assert_eq!(free.get("WhoAmI").await.status, 429);

    let stuck = with_limits(limits, "").await;
    let first = stuck.get("WhoAmI").await;
    let cookie = first
        .header("Set-Cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let mut statuses = Vec::new();
    for _ in 0..2 {
        statuses.push(
            stuck
                .call("GET", "WhoAmI", &[("Cookie", &cookie)], "")
                .await
                .status,
        );
    }
    assert_eq!(statuses, [200, 429]);
}

#[tokio::test]
async fn the_caller_is_counted_unless_the_impersonated_user_is_switched_on() {
    for (switches, second) in [("", 429), ("limits-per-impersonated-user", 200)] {
        let bench = with_limits(requests(1, Duration::from_mins(5)), switches).await;
        let users: Vec<_> = bench.sandbox.users();
        let mut ordinary = users
            .iter()
            .filter(|it| it.kind == syncfilters::sandbox::UserKind::Ordinary);
        let (one, two) = (ordinary.next().unwrap(), ordinary.next().unwrap());
        assert_eq!(bench.get_as(one, "WhoAmI").await.status, 200);
        assert_eq!(bench.get_as(two, "WhoAmI").await.status, second);
    }
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let bench = with_limits(requests(1, Duration::from_mins(5)), "retry-after-date").await;
    bench.get("WhoAmI").await;
    let answer = bench.get("WhoAmI").await;
    assert!(answer.header("Retry-After").unwrap().ends_with(" GMT"));
}

#[tokio::test]
async fn by_default_there_are_no_limits() {
    let bench = bench("").await;
    for _ in 0..50 {
        assert_eq!(bench.get("WhoAmI").await.status, 200);
    }
}

#[tokio::test]
async fn another_process_reads_the_counts_without_being_counted() {
    let bench = with_limits(requests(1, Duration::from_mins(5)), "").await;
    bench.get("WhoAmI").await;
    bench.get("WhoAmI").await;
    let url = format!("{}sandbox/counts", bench.sandbox.url());
    for _ in 0..2 {
        let answer = bench.send("GET", &url, &[], "").await.unwrap();
        let counts: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(
            (&counts["total"], &counts["throttled"]),
            (&2.into(), &1.into())
        );
    }
}
