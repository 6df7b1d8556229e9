//! Each fault, always on.

use std::time::Instant;

use syncfilters::sandbox::{Fault, Faults};

use crate::bench::{Answer, Bench, DEACTIVATE, with_faults};

/// A PATCH under a fault that strikes every time.
async fn patch(
    bench: &Bench,
    condition: &str,
) -> (
    syncfilters::sandbox::FilterSnapshot,
    reqwest::Result<Answer>,
) {
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    let tag = format!("W/\"{}\"", filter.version);
    let id = user.id.to_string();
    let headers = [
        ("MSCRMCallerID", id.as_str()),
        ("Content-Type", "application/json"),
        ("If-Match", if condition == "*" { "*" } else { &tag }),
    ];
    let url = format!("userqueries({})", filter.id);
    let answer = bench.try_call("PATCH", &url, &headers, DEACTIVATE).await;
    (filter, answer)
}

#[tokio::test]
async fn a_lost_request_changes_nothing_and_a_lost_answer_does() {
    for (fault, state) in [("lost-request", 0), ("lost-answer", 1)] {
        let bench = with_faults(fault).await;
        let (filter, answer) = patch(&bench, "*").await;
        assert!(answer.is_err(), "{fault}");
        assert_eq!(bench.now(&filter).statecode, state, "{fault}");
        assert!(bench.sandbox.counts().faults > 0);
    }
}

#[tokio::test]
async fn gateways_answer_before_or_after_the_write() {
    for (fault, status, state) in [
        ("gateway-502-html", 502, 0),
        ("lost-commit-502", 502, 1),
        ("503-retry-after", 503, 0),
        ("500", 500, 0),
        ("html-200", 200, 0),
        ("expired-token", 401, 0),
    ] {
        let bench = with_faults(fault).await;
        let (filter, answer) = patch(&bench, "*").await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, status, "{fault}");
        assert_eq!(bench.now(&filter).statecode, state, "{fault}");
        match fault {
            "503-retry-after" => assert_eq!(answer.header("Retry-After"), Some("1")),
            "expired-token" => assert!(answer.header("WWW-Authenticate").is_some()),
            "500" => assert_eq!(answer.code(), "0x80040216"),
            _ => assert!(
                answer
                    .header("Content-Type")
                    .unwrap()
                    .starts_with("text/html")
            ),
        }
    }
}

#[tokio::test]
async fn a_truncated_answer_breaks_off() {
    let bench = with_faults("truncated").await;
    assert!(bench.try_call("GET", "systemusers", &[], "").await.is_err());
}

#[tokio::test]
async fn a_slow_answer_comes_late() {
    let bench = with_faults("slow").await;
    let start = Instant::now();
    assert_eq!(bench.get("WhoAmI").await.status, 200);
    assert!(start.elapsed().as_millis() >= 200);
}

#[tokio::test]
async fn a_deadlock_has_its_code_and_changes_nothing() {
    let bench = with_faults("deadlock").await;
    let (filter, answer) = patch(&bench, "*").await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (500, "0x80044150"));
    assert!(answer.message().contains("Sql Number: 1205"));
    assert_eq!(bench.now(&filter), filter);
}

#[tokio::test]
async fn somebody_comes_first() {
    let bench = with_faults("meanwhile").await;
    let (filter, answer) = patch(&bench, "version").await;
    assert_eq!(answer.unwrap().status, 412);
    let after = bench.now(&filter);
    assert_eq!(after.statecode, filter.statecode);
    assert!(after.version > filter.version);

    let bench = with_faults("meanwhile-state").await;
    let (filter, answer) = patch(&bench, "version").await;
    assert_eq!(answer.unwrap().status, 412);
    assert_eq!(
        (bench.now(&filter).statecode, bench.now(&filter).modified_by),
        (1, filter.owner)
    );

    let bench = with_faults("gone").await;
    let (filter, answer) = patch(&bench, "version").await;
    assert_eq!(answer.unwrap().status, 404);
    assert!(bench.sandbox.filters().iter().all(|it| it.id != filter.id));
}

#[tokio::test]
async fn a_part_of_a_batch_is_throttled_alone() {
    let bench = with_faults("throttle-part").await;
    let body = "--b\nContent-Type: application/http\n\nGET WhoAmI HTTP/1.1\n--b--";
    let headers = [
        ("Content-Type", "multipart/mixed; boundary=b"),
        ("Prefer", "odata.continue-on-error"),
    ];
    let answer = bench.call("POST", "$batch", &headers, body).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text.contains("HTTP/1.1 429 Too Many Requests"));
    assert!(answer.text.contains("Retry-After: 1"));
    assert_eq!(bench.get("WhoAmI").await.status, 200);
}

#[tokio::test]
async fn a_row_of_another_owner_slips_in() {
    let bench = with_faults("foreign-row").await;
    let user = bench.ordinary();
    let rows = bench
        .get_as(&user, "userqueries?$filter=querytype%20eq%20256")
        .await
        .rows();
    let foreign = rows
        .iter()
        .filter(|it| it["_ownerid_value"] != user.id.to_string());
    assert_eq!(foreign.count(), 1);
}

#[tokio::test]
async fn faults_can_be_changed_while_running() {
    let bench = with_faults("500").await;
    assert_eq!(bench.get("WhoAmI").await.status, 500);
    bench.sandbox.set_faults(Faults::none());
    assert_eq!(bench.get("WhoAmI").await.status, 200);
    bench
        .sandbox
        .set_faults(Faults::none().with(Fault::Gateway502Html, 1.0));
    assert_eq!(bench.get("WhoAmI").await.status, 502);
}
