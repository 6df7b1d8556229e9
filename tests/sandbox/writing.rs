//! PATCH, POST and DELETE on filters and templates.

use serde_json::Value;
use uuid::Uuid;

use crate::bench::{Bench, DEACTIVATE, bench};

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test]
async fn a_state_change_is_signed_by_the_user_on_behalf_of_the_caller() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    let tag = format!("W/\"{}\"", filter.version);
    let answer = bench
        .patch_as(&user, &filter, &[("If-Match", &tag)], DEACTIVATE)
        .await;
    assert_eq!(answer.status, 204);
    assert!(
        answer
            .header("OData-EntityId")
            .unwrap()
            .ends_with(&format!("userqueries({})", filter.id))
    );
    let after = bench.now(&filter);
    assert_eq!((after.statecode, after.statuscode), (1, Some(2)));
    assert!(after.version > filter.version);
    assert_eq!(after.modified_by, user.id);
    assert_eq!(
        after.modified_on_behalf_by,
        Some(bench.sandbox.users()[0].id)
    );
    let stale = bench
        .patch_as(&user, &filter, &[("If-Match", &tag)], DEACTIVATE)
        .await;
    assert_eq!((stale.status, stale.code().as_str()), (412, "0x80060882"));
}

#[tokio::test]
async fn every_write_makes_a_new_version_even_when_nothing_changes() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    let body = format!(
        r#"{{"statecode":{},"statuscode":{}}}"#,
        filter.statecode,
        filter.statuscode.unwrap()
    );
    bench
        .patch_as(&user, &filter, &[("If-Match", "*")], &body)
        .await;
    assert!(bench.now(&filter).version > filter.version);
}

#[tokio::test]
async fn the_row_comes_back_where_it_is_preferred() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    let headers = [("If-Match", "*"), ("Prefer", "return=representation"), JSON];
    let id = user.id.to_string();
    let mut all = vec![("MSCRMCallerID", id.as_str())];
    all.extend(headers);
    let url = format!(
        "userqueries({})?$select=statecode,statuscode,_ownerid_value,_modifiedonbehalfby_value",
        filter.id
    );
    let answer = bench.call("PATCH", &url, &all, DEACTIVATE).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("Preference-Applied"),
        Some("return=representation")
    );
    let row = answer.json();
    assert_eq!(
        (&row["statecode"], &row["_ownerid_value"]),
        (&1.into(), &id.into())
    );
    assert_eq!(
        row["@odata.etag"],
        format!("W/\"{}\"", bench.now(&filter).version)
    );
    assert!(row["_modifiedonbehalfby_value"].is_string());
}

#[tokio::test]
async fn without_a_precondition_a_patch_creates_what_is_missing() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    bench.sandbox.delete(filter.id);
    let count = bench.sandbox.filters().len();
    let answer = bench
        .patch_as(&user, &filter, &[("If-Match", "*")], DEACTIVATE)
        .await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "0x80040217"));
    assert_eq!(bench.sandbox.filters().len(), count);
    let answer = bench.patch_as(&user, &filter, &[], DEACTIVATE).await;
    assert_eq!(answer.status, 204);
    let created = bench.now(&filter);
    assert_eq!(
        (created.owner, created.statecode, created.querytype),
        (user.id, 1, 0)
    );
    let url = format!(
        "userqueries({})?$select=_createdonbehalfby_value",
        filter.id
    );
    let row = bench.get_as(&user, &url).await.json();
    let caller = bench.sandbox.users()[0].id.to_string();
    assert_eq!(row["_createdonbehalfby_value"], caller);
    let answer = bench
        .patch_as(&user, &filter, &[("If-None-Match", "*")], DEACTIVATE)
        .await;
    assert_eq!(answer.status, 412);
}

async fn refused(bench: &Bench, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    let answer = bench.patch_as(&user, &filter, headers, body).await;
    assert_eq!(bench.now(&filter), filter, "nothing is changed");
    (answer.status, answer.code())
}

#[tokio::test]
async fn wrong_bodies_are_refused_with_their_codes() {
    let bench = bench("").await;
    let owner = bench.sandbox.users()[0].id;
    for (body, code) in [
        (r#"{"statecode":1,"statuscode":1}"#.to_owned(), "0x80048408"),
        (r#"{"statecode":5}"#.to_owned(), "0x80043af9"),
        (r#"{"nonsense":5}"#.to_owned(), "0x80060888"),
        (r#"{"statecode":"#.to_owned(), "0x80048d19"),
        (r#"{"statecode":"1"}"#.to_owned(), "0x80048d19"),
        (r#"{"statecode":null}"#.to_owned(), "0x80040203"),
        (
            format!(r#"{{"ownerid@odata.bind":"/systemusers({owner})"}}"#),
            "0x80040264",
        ),
    ] {
        let found = refused(&bench, &[("If-Match", "*")], &body).await;
        assert_eq!(found, (400, code.to_owned()), "{body}");
    }
    let found = refused(&bench, &[("If-Match", "nonsense")], DEACTIVATE).await;
    assert_eq!(found.0, 400);
}

#[tokio::test]
async fn only_json_is_taken() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let url = format!("userqueries({})", bench.filter_of(&user).id);
    let answer = bench
        .call("PATCH", &url, &[("Content-Type", "text/plain")], DEACTIVATE)
        .await;
    assert_eq!(answer.status, 415);
    assert_eq!(bench.call("PATCH", &url, &[], DEACTIVATE).await.status, 400);
}

#[tokio::test]
async fn a_state_without_a_status_takes_its_default_and_null_is_kept() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    let any = [("If-Match", "*")];
    bench
        .patch_as(&user, &filter, &any, r#"{"statecode":1}"#)
        .await;
    assert_eq!(bench.now(&filter).statuscode, Some(2));
    bench
        .patch_as(&user, &filter, &any, r#"{"statecode":0,"statuscode":3}"#)
        .await;
    assert_eq!(bench.now(&filter).statuscode, Some(3));
    bench
        .patch_as(&user, &filter, &any, r#"{"statecode":0,"statuscode":null}"#)
        .await;
    assert_eq!(bench.now(&filter).statuscode, None);
}

#[tokio::test]
async fn others_filters_are_not_written_without_impersonation_unless_switched() {
    for (switches, status) in [("", 403), ("admin-writes-others", 204)] {
        let bench = bench(switches).await;
        let filter = bench.filter_of(&bench.ordinary());
        let url = format!("userqueries({})", filter.id);
        let answer = bench
            .call("PATCH", &url, &[JSON, ("If-Match", "*")], DEACTIVATE)
            .await;
        assert_eq!(answer.status, status);
        if status == 204 {
            assert_eq!(bench.now(&filter).modified_on_behalf_by, None);
        } else {
            assert_eq!(answer.code(), "0x80048306");
        }
    }
}

#[tokio::test]
async fn a_table_without_optimistic_concurrency_says_so() {
    let bench = bench("no-optimistic-concurrency").await;
    let found = refused(&bench, &[("If-Match", "W/\"1\"")], DEACTIVATE).await;
    assert_eq!(found, (400, "0x8006088D".to_owned()));
    let url = "EntityDefinitions(LogicalName='userquery')?$select=IsOptimisticConcurrencyEnabled";
    assert_eq!(
        bench.get(url).await.json()["IsOptimisticConcurrencyEnabled"],
        false
    );
}

#[tokio::test]
async fn sync_filters_cannot_be_created_but_can_be_deleted() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let id = user.id.to_string();
    let headers = [("MSCRMCallerID", id.as_str()), JSON];
    let body = |query_type: i32| {
        format!(
            r#"{{"name":"x","querytype":{query_type},"returnedtypecode":"task","fetchxml":"<fetch/>"}}"#
        )
    };
    let answer = bench
        .call("POST", "userqueries", &headers, &body(256))
        .await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "0x80040263"));
    assert_eq!(
        bench
            .call("POST", "userqueries", &headers, &body(0))
            .await
            .status,
        204
    );
    let filter = bench.filter_of(&user);
    let url = format!("userqueries({})", filter.id);
    assert_eq!(
        bench.call("DELETE", &url, &headers[..1], "").await.status,
        204
    );
    assert_eq!(
        bench.call("DELETE", &url, &headers[..1], "").await.status,
        404
    );
}

#[tokio::test]
async fn templates_are_switched_by_the_administrator() {
    let bench = bench("").await;
    let url = "savedqueries?$filter=querytype%20eq%20131072%20and%20isdefault%20eq%20false&$select=statecode";
    let rows = bench.get(url).await.rows();
    let active: Vec<&Value> = rows.iter().filter(|it| it["statecode"] == 0).collect();
    let row = format!(
        "savedqueries({})",
        active[0]["savedqueryid"].as_str().unwrap()
    );
    let headers = [JSON, ("If-Match", "*")];
    assert_eq!(
        bench.call("PATCH", &row, &headers, DEACTIVATE).await.status,
        204
    );
    assert_eq!(bench.get(&row).await.json()["statecode"], 1);
    let url =
        "savedqueries?$filter=querytype%20eq%20131072%20and%20isdefault%20eq%20true&$select=name";
    let default = bench.get(url).await.rows()[0]["savedqueryid"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer = bench
        .call(
            "PATCH",
            &format!("savedqueries({default})"),
            &headers,
            DEACTIVATE,
        )
        .await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "0x8004027b"));
    let missing = format!("savedqueries({})", Uuid::from_u128(5));
    assert_eq!(
        bench
            .call("PATCH", &missing, &headers, DEACTIVATE)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn what_somebody_does_meanwhile_is_signed_by_the_owner() {
    let bench = bench("").await;
    let filter = bench.filter_of(&bench.ordinary());
    assert!(
        bench
            .sandbox
            .edit(filter.id, |row| row.name = "renamed".to_owned())
    );
    let after = bench.now(&filter);
    assert_eq!(
        (after.name.as_str(), after.modified_by),
        ("renamed", filter.owner)
    );
    assert!(after.version > filter.version && after.modified_on_behalf_by.is_none());
}

#[tokio::test]
async fn older_builds_leave_codes_empty_and_some_servers_refuse_more() {
    let bench = bench("empty-error-codes,refuse-null-status,inactive-rows-read-only").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    let stale = bench
        .patch_as(&user, &filter, &[("If-Match", "W/\"1\"")], DEACTIVATE)
        .await;
    assert_eq!((stale.status, stale.code().as_str()), (412, ""));
    let any = [("If-Match", "*")];
    let null = bench
        .patch_as(&user, &filter, &any, r#"{"statecode":0,"statuscode":null}"#)
        .await;
    assert_eq!((null.status, null.code().as_str()), (400, "0x80040203"));
    assert_eq!(
        bench
            .patch_as(&user, &filter, &any, DEACTIVATE)
            .await
            .status,
        204
    );
    let frozen = bench
        .patch_as(&user, &filter, &any, r#"{"name":"x"}"#)
        .await;
    assert_eq!((frozen.status, frozen.code().as_str()), (400, "0x80040230"));
}
