//! Views of users: `savedQuery` and `userQuery`.

use std::collections::BTreeSet;

use serde_json::Value;
use syncfilters::sandbox::UserKind;

use crate::bench::{Bench, bench};

async fn system_view(bench: &Bench, name: &str) -> String {
    let url = format!(
        "savedqueries?$select=name,fetchxml&$filter=name%20eq%20'{name}'%20and%20returnedtypecode%20eq%20'systemuser'"
    );
    let rows = bench.get(&url).await.rows();
    rows[0]["savedqueryid"].as_str().unwrap().to_owned()
}

fn ids(rows: &[Value]) -> BTreeSet<String> {
    let ids = rows.iter().filter_map(|it| it["systemuserid"].as_str());
    ids.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_system_view_is_run_page_by_page_without_nulls() {
    let bench = bench("").await;
    let id = system_view(&bench, "Enabled Users").await;
    let mut url = format!("systemusers?savedQuery={id}");
    let mut rows = Vec::new();
    loop {
        let headers = [("Prefer", "odata.maxpagesize=7")];
        let page = bench.call("GET", &url, &headers, "").await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.rows().len() <= 7);
        rows.extend(page.rows());
        match page.json()["@odata.nextLink"].as_str() {
            Some(next) => next.clone_into(&mut url),
            None => break,
        }
    }
    let users = bench.sandbox.users();
    let wanted = users
        .iter()
        .filter(|it| !it.disabled && it.access_mode != 3);
    let wanted: BTreeSet<_> = wanted.map(|it| it.id.to_string()).collect();
    assert_eq!((rows.len(), ids(&rows)), (wanted.len(), wanted));
    assert!(
        rows.iter()
            .all(|it| !it.as_object().unwrap().values().any(Value::is_null))
    );
    assert!(rows.iter().any(|it| it.get("applicationid").is_none()));
}

#[tokio::test]
async fn views_may_go_through_roles_and_teams() {
    let bench = bench("").await;
    let users = bench.sandbox.users();
    let id = system_view(&bench, "Salespeople").await;
    let rows = bench
        .get(&format!("systemusers?savedQuery={id}"))
        .await
        .rows();
    let sales = users
        .iter()
        .filter(|it| it.roles.iter().any(|role| role.starts_with("Sales")));
    let sales: BTreeSet<_> = sales.map(|it| it.id.to_string()).collect();
    assert_eq!((rows.len(), ids(&rows)), (sales.len(), sales));
    let id = system_view(&bench, "Field Sales Team").await;
    let rows = bench
        .get(&format!("systemusers?savedQuery={id}"))
        .await
        .rows();
    let team = users
        .iter()
        .filter(|it| it.teams.iter().any(|team| team == "Field Sales"));
    assert_eq!(ids(&rows), team.map(|it| it.id.to_string()).collect());
}

#[tokio::test]
async fn a_view_of_ones_own_is_run_and_that_of_another_is_not_found() {
    let bench = bench("").await;
    let url = "userqueries?$select=name,returnedtypecode,fetchxml&$filter=querytype%20eq%200";
    let own = bench.get(url).await.rows();
    let of = |name: &str| {
        let found = own.iter().find(|it| it["name"] == name).unwrap();
        found["userqueryid"].as_str().unwrap().to_owned()
    };
    let rows = bench
        .get(&format!("systemusers?userQuery={}", of("Pilot group")))
        .await
        .rows();
    let users = bench.sandbox.users();
    let pilot = users
        .iter()
        .filter(|it| !it.disabled && it.login.to_lowercase().starts_with('a'));
    assert_eq!(ids(&rows), pilot.map(|it| it.id.to_string()).collect());
    assert_eq!(
        own.iter()
            .filter(|it| it["name"] == "Enabled Users")
            .count(),
        1
    );
    let other = bench
        .get(&format!("systemusers?userQuery={}", of("Contacts of mine")))
        .await;
    assert_eq!(other.status, 400);
    let somebody = bench.somebody(UserKind::Ordinary);
    let hidden = bench
        .get_as(
            &somebody,
            &format!("systemusers?userQuery={}", of("Pilot group")),
        )
        .await;
    assert_eq!((hidden.status, hidden.code().as_str()), (404, "0x80040217"));
}

#[tokio::test]
async fn what_is_no_view_of_users_is_refused() {
    let bench = bench("").await;
    let unknown = "00000000-0000-0000-0000-000000000001";
    let enabled = system_view(&bench, "Enabled Users").await;
    let broken = system_view(&bench, "Users of a Former Region").await;
    let all = "savedqueries?$select=name&$filter=name%20eq%20'All%20Appointments'";
    let appointments = bench.get(all).await.rows()[0]["savedqueryid"].clone();
    for (query, status, code) in [
        (format!("savedQuery={unknown}"), 404, "0x80040217"),
        (format!("userQuery={unknown}"), 404, "0x80040217"),
        (format!("savedQuery={broken}"), 400, "0x80041103"),
        (
            format!("savedQuery={}", appointments.as_str().unwrap()),
            400,
            "0x80060888",
        ),
        (
            format!("savedQuery={enabled}&$select=fullname"),
            400,
            "0x80060888",
        ),
        (
            format!("savedQuery={enabled}&$skiptoken=2"),
            400,
            "0x80060888",
        ),
        ("savedQuery=Enabled".to_owned(), 400, "0x80060888"),
    ] {
        let answer = bench.get(&format!("systemusers?{query}")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{query}"
        );
    }
}
