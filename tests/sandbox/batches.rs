//! `$batch` as clients really write it.

use syncfilters::sandbox::{FilterSnapshot, Options, Switches, UserSnapshot, Version};

use crate::bench::{Answer, Bench, DEACTIVATE, bench, with};

async fn send(bench: &Bench, user: &UserSnapshot, headers: &[(&str, &str)], body: &str) -> Answer {
    let id = user.id.to_string();
    let mut all = vec![
        ("MSCRMCallerID", id.as_str()),
        ("Content-Type", "multipart/mixed; boundary=\"batch_1\""),
        ("OData-Version", "4.0"),
    ];
    all.extend_from_slice(headers);
    bench.call("POST", "$batch", &all, body).await
}

/// A plain part; `extra` are further header lines.
fn part(method: &str, url: &str, extra: &str, body: &str) -> String {
    format!(
        "--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{method} {url} HTTP/1.1\r\nContent-Type: application/json; type=entry\r\n{extra}\r\n{body}\r\n"
    )
}

fn patch(filter: &FilterSnapshot, condition: &str) -> String {
    let url = format!("/api/data/v9.2/userqueries({})", filter.id);
    part(
        "PATCH",
        &url,
        &format!("If-Match: {condition}\r\n"),
        DEACTIVATE,
    )
}

const END: &str = "--batch_1--\r\n";

/// Status lines in order.
fn statuses(text: &str) -> Vec<u16> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    lines.map(|it| it[..3].parse().unwrap()).collect()
}

fn filters(bench: &Bench, user: &UserSnapshot) -> Vec<FilterSnapshot> {
    let all = bench.sandbox.filters().into_iter();
    all.filter(|it| it.owner == user.id && it.querytype == 256 && it.statecode == 0)
        .collect()
}

#[tokio::test]
async fn the_answer_has_the_documented_shape() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    let read = part(
        "GET",
        &format!("userqueries({})?$select=statecode", filter.id),
        "",
        "",
    );
    let body = format!("{}{read}{END}", patch(&filter, "*"));
    let answer = send(&bench, &user, &[], &body).await;
    assert_eq!(answer.status, 200);
    let content_type = answer.header("Content-Type").unwrap();
    let boundary = content_type
        .strip_prefix("multipart/mixed; boundary=")
        .unwrap();
    assert!(boundary.starts_with("batchresponse_"));
    let parts: Vec<_> = answer.text.split(&format!("--{boundary}")).collect();
    assert_eq!(parts.len(), 4);
    let entity = format!("{}userqueries({})", bench.root, filter.id);
    for line in [
        "HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\n",
        &format!("Location: {entity}\r\nOData-EntityId: {entity}\r\n"),
    ] {
        assert!(parts[1].contains(line), "{line} in {}", parts[1]);
    }
    assert!(parts[1].ends_with("\r\n\r\n\r\n"));
    assert!(parts[2].contains("odata.metadata=minimal; odata.streaming=true"));
    assert!(parts[2].contains("\"statecode\":1"));
    let counts = bench.sandbox.counts();
    assert_eq!(
        (
            counts.total,
            counts.batches,
            counts.batch_parts,
            counts.patches
        ),
        (1, 1, 2, 1)
    );
}

#[tokio::test]
async fn the_first_failure_stops_the_batch_and_names_its_status() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filters = filters(&bench, &user);
    let body = format!(
        "{}{}{}{END}",
        patch(&filters[0], "*"),
        patch(&filters[1], "W/\"1\""),
        patch(&filters[2], "*")
    );
    let answer = send(&bench, &user, &[], &body).await;
    assert_eq!(answer.status, 412);
    assert_eq!(statuses(&answer.text), [204, 412]);
    assert!(answer.text.contains("REQ_ID: ") && answer.text.contains("0x80060882"));
    assert_eq!(bench.now(&filters[0]).statecode, 1);
    assert_eq!(bench.now(&filters[2]).statecode, 0);
}

#[tokio::test]
async fn a_stopped_batch_may_answer_with_the_failing_part_alone() {
    let bench = bench("batch-stop-omits-earlier").await;
    let user = bench.ordinary();
    let filters = filters(&bench, &user);
    let body = format!(
        "{}{}{END}",
        patch(&filters[0], "*"),
        patch(&filters[1], "W/\"1\"")
    );
    assert_eq!(statuses(&send(&bench, &user, &[], &body).await.text), [412]);
}

#[tokio::test]
async fn with_the_preference_it_goes_on_but_not_on_older_servers() {
    let prefer = [("Prefer", "odata.continue-on-error")];
    for (version, switches, status, expected) in [
        (Version::V9_2, "", 200, &[412, 204][..]),
        (Version::V9_2, "no-continue-on-error", 412, &[412][..]),
        (Version::V8_2, "", 412, &[412][..]),
    ] {
        let bench = with(Options {
            version,
            switches: Switches::parse(switches).unwrap(),
            ..Options::default()
        })
        .await;
        let user = bench.ordinary();
        let filters = filters(&bench, &user);
        let body = format!(
            "{}{}{END}",
            patch(&filters[0], "W/\"1\""),
            patch(&filters[1], "*")
        );
        let body = body.replace("v9.2", &format!("v{version}"));
        let answer = send(&bench, &user, &prefer, &body).await;
        assert_eq!(
            (answer.status, statuses(&answer.text).as_slice()),
            (status, expected)
        );
    }
}

fn change_set(parts: &[(&FilterSnapshot, &str)]) -> String {
    let mut body = String::from(
        "--batch_1\r\nContent-Type: multipart/mixed; boundary=\"changeset_1\"\r\n\r\n",
    );
    for (index, (filter, condition)) in parts.iter().enumerate() {
        let part = patch(filter, condition).replace("--batch_1", "--changeset_1");
        let id = format!("binary\r\nContent-ID: {}", index + 1);
        body.push_str(&part.replacen("binary", &id, 1));
    }
    body + "--changeset_1--\r\n"
}

#[tokio::test]
async fn a_change_set_succeeds_or_fails_as_one() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filters = filters(&bench, &user);
    let failing = format!(
        "{}{END}",
        change_set(&[(&filters[0], "*"), (&filters[1], "W/\"1\"")])
    );
    let answer = send(&bench, &user, &[], &failing).await;
    assert_eq!((answer.status, statuses(&answer.text)), (412, vec![412]));
    assert!(
        answer.text.contains("boundary=changesetresponse_")
            && answer.text.contains("Content-ID: 2")
    );
    assert_eq!(bench.now(&filters[0]), filters[0], "rolled back");

    let good = format!(
        "{}{END}",
        change_set(&[(&filters[0], "*"), (&filters[1], "*")])
    );
    let answer = send(&bench, &user, &[], &good).await;
    assert_eq!(
        (answer.status, statuses(&answer.text)),
        (200, vec![204, 204])
    );
    assert_eq!(bench.now(&filters[0]).modified_by, user.id);
}

#[tokio::test]
async fn line_feeds_preambles_and_every_kind_of_address_are_read() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    let own = format!(
        "userqueries?%24filter=querytype+eq+256+and+_ownerid_value+eq+{}&$select=name",
        user.id
    );
    let urls = [
        own.clone(),
        format!("/api/data/v9.1/{own}"),
        format!("{}{own}", bench.root),
        format!("userqueries({})?$select=name", filter.id),
    ];
    let parts: Vec<_> = urls
        .iter()
        .map(|url| format!("--batch_1\nContent-Type: application/http\n\nGET {url} HTTP/1.1"))
        .collect();
    let body = format!("this is a preamble\n{}\n--batch_1--", parts.join("\n"));
    for content_type in [
        "multipart/mixed; boundary=batch_1",
        "multipart/mixed;boundary=\"batch_1\"",
    ] {
        let id = user.id.to_string();
        let headers = [
            ("MSCRMCallerID", id.as_str()),
            ("Content-Type", content_type),
        ];
        let answer = bench.call("POST", "$batch", &headers, &body).await;
        assert_eq!(statuses(&answer.text), [200; 4], "{}", answer.text);
        assert!(answer.text.contains("$metadata#userqueries(name)"));
    }
}

#[tokio::test]
async fn only_the_outer_header_impersonates() {
    let ignoring = bench("").await;
    let user = ignoring.ordinary();
    let line = format!("MSCRMCallerID: {}\r\n", user.id);
    let body = format!("{}{END}", part("GET", "WhoAmI", &line, ""));
    let headers = [("Content-Type", "multipart/mixed; boundary=batch_1")];
    let answer = ignoring.call("POST", "$batch", &headers, &body).await;
    assert_eq!(answer.status, 200);
    assert!(
        !answer.text.contains(&user.id.to_string()),
        "ignored without a word"
    );
}

#[tokio::test]
async fn what_a_batch_may_not_hold_is_refused() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let one = part("GET", "WhoAmI", "", "");
    assert_eq!(
        send(&bench, &user, &[], &format!("{}{END}", one.repeat(1001)))
            .await
            .status,
        400
    );
    assert_eq!(bench.sandbox.counts().batch_parts, 0);
    let nested = format!("{}{END}", part("POST", "/api/data/v9.2/$batch", "", ""));
    assert_eq!(send(&bench, &user, &[], &nested).await.status, 400);
    let filter = bench.filter_of(&user);
    let with_get = change_set(&[(&filter, "*")]).replace("PATCH ", "GET ");
    assert_eq!(
        send(&bench, &user, &[], &format!("{with_get}{END}"))
            .await
            .status,
        400
    );
    assert_eq!(send(&bench, &user, &[], "nothing").await.status, 400);
    assert_eq!(
        bench
            .call(
                "POST",
                "$batch",
                &[("Content-Type", "application/json")],
                "{}"
            )
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_later_part_may_refer_to_the_row_of_an_earlier_one() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let set = "--batch_1\nContent-Type: multipart/mixed; boundary=c\n\n";
    let create = r#"--c
Content-Type: application/http
Content-ID: 1

POST /api/data/v9.2/userqueries HTTP/1.1
Content-Type: application/json

{"name":"x","querytype":0,"returnedtypecode":"task","fetchxml":"<fetch/>"}
"#;
    let rename = r#"--c
Content-Type: application/http
Content-ID: 2

PATCH $1 HTTP/1.1
Content-Type: application/json
If-Match: *

{"name":"referred to"}
--c--
"#;
    let answer = send(&bench, &user, &[], &format!("{set}{create}{rename}{END}")).await;
    assert_eq!(statuses(&answer.text), [204, 204], "{}", answer.text);
    let named = bench
        .sandbox
        .filters()
        .into_iter()
        .find(|it| it.name == "referred to");
    assert_eq!(named.unwrap().owner, user.id);
}
