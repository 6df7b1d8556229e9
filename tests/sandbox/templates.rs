//! Templates, system filters, and the actions that make filters of templates.

use serde_json::{Value, json};
use syncfilters::sandbox::{UserKind, UserSnapshot};

use crate::bench::{Answer, Bench, DEACTIVATE, bench};

const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn templates(bench: &Bench, query_type: i32) -> Vec<Value> {
    let url = format!("savedqueries?$filter=querytype%20eq%20{query_type}");
    bench.get(&url).await.rows()
}

async fn patch(bench: &Bench, view: &Value, headers: &[(&str, &str)], body: &str) -> Answer {
    let url = format!("savedqueries({})", view["savedqueryid"].as_str().unwrap());
    let mut all = vec![JSON];
    all.extend_from_slice(headers);
    bench.call("PATCH", &url, &all, body).await
}

async fn post_as(bench: &Bench, user: &UserSnapshot, url: &str, body: &Value) -> Answer {
    let id = user.id.to_string();
    let headers = [JSON, ("MSCRMCallerID", id.as_str())];
    bench.call("POST", url, &headers, &body.to_string()).await
}

#[tokio::test]
async fn a_template_is_switched_off_once_it_is_no_default() {
    let bench = bench("").await;
    let all = templates(&bench, 131_072).await;
    let default = all
        .iter()
        .find(|it| it["isdefault"] == true && it["returnedtypecode"] == "appointment");
    let view = default.unwrap();
    let refused = patch(&bench, view, &[], DEACTIVATE).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (400, "0x8004027b")
    );
    let stale = [("If-Match", "W/\"1\"")];
    let off = r#"{"isdefault":false,"statecode":1,"statuscode":2}"#;
    assert_eq!(patch(&bench, view, &stale, off).await.status, 412);
    let headers = [
        ("If-Match", view["@odata.etag"].as_str().unwrap()),
        ("Prefer", "return=representation"),
    ];
    let done = patch(&bench, view, &headers, off).await;
    assert_eq!(done.status, 200);
    assert_eq!(
        (&done.json()["statecode"], &done.json()["isdefault"]),
        (&json!(1), &json!(false))
    );
    let publish = json!({ "ParameterXml": "<importexportxml><entities><entity>appointment</entity></entities></importexportxml>" });
    let answer = bench
        .call("POST", "PublishXml", &[JSON], &publish.to_string())
        .await;
    assert_eq!(answer.status, 204);
    assert_eq!(
        bench.call("POST", "PublishXml", &[JSON], "{}").await.status,
        400
    );
}

#[tokio::test]
async fn a_type_has_one_default_template_and_that_one_is_active() {
    let bench = bench("").await;
    let all = templates(&bench, 131_072).await;
    let find = |default: bool| {
        let matches =
            |it: &&Value| it["isdefault"] == default && it["returnedtypecode"] == "appointment";
        all.iter().find(matches).unwrap()
    };
    let (default, other) = (find(true), find(false));
    let on = r#"{"isdefault":true,"statecode":0,"statuscode":1}"#;
    let second = patch(&bench, other, &[], on).await;
    assert_eq!((second.status, second.code().as_str()), (400, "0x8004027d"));
    let off = r#"{"isdefault":false,"statecode":1,"statuscode":2}"#;
    assert_eq!(patch(&bench, default, &[], off).await.status, 204);
    let inactive = patch(&bench, default, &[], r#"{"isdefault":true}"#).await;
    assert_eq!(
        (inactive.status, inactive.code().as_str()),
        (400, "0x8004027b")
    );
    assert_eq!(patch(&bench, other, &[], on).await.status, 204);
    let back = patch(&bench, default, &[], on).await;
    assert_eq!((back.status, back.code().as_str()), (400, "0x8004027d"));
}

#[tokio::test]
async fn a_server_may_want_default_and_state_apart_or_keep_templates_active() {
    let off = r#"{"isdefault":false,"statecode":1,"statuscode":2}"#;
    for (switch, code) in [
        ("template-halves-apart", "0x8004027b"),
        ("template-stays-active", "0x80040265"),
    ] {
        let bench = bench(switch).await;
        let all = templates(&bench, 131_072).await;
        let view = all.iter().find(|it| it["isdefault"] == true).unwrap();
        let refused = patch(&bench, view, &[], off).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, code));
        let half = patch(&bench, view, &[], r#"{"isdefault":false}"#).await;
        assert_eq!(half.status, 204);
    }
}

#[tokio::test]
async fn ordinary_roles_do_not_change_templates() {
    let bench = bench("").await;
    let users = bench.sandbox.users();
    let user = users.iter().find(|it| {
        it.kind == UserKind::Ordinary && !it.roles.iter().any(|role| role == "System Customizer")
    });
    let user = user.unwrap();
    let view = &templates(&bench, 131_072).await[0];
    let id = user.id.to_string();
    let refused = patch(&bench, view, &[("MSCRMCallerID", &id)], DEACTIVATE).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "0x80040220")
    );
    assert!(refused.message().contains("prvWriteQuery"));
    let publish = json!({ "ParameterXml": "<importexportxml/>" });
    assert_eq!(
        post_as(&bench, user, "PublishXml", &publish).await.status,
        403
    );
}

#[tokio::test]
async fn an_organisation_may_keep_appointments_synchronising_for_everybody() {
    let calendar = |rows: Vec<Value>| {
        rows.into_iter()
            .filter(|it| it["returnedtypecode"] == "appointment")
    };
    let without = templates(&bench("").await, 256).await;
    assert!(!without.is_empty());
    assert_eq!(calendar(without).count(), 0);
    let bench = bench("calendar-system-filter").await;
    let view = calendar(templates(&bench, 256).await).next().unwrap();
    assert_eq!(
        (&view["statecode"], &view["isdefault"]),
        (&json!(0), &json!(false))
    );
    assert_eq!(patch(&bench, &view, &[], DEACTIVATE).await.status, 204);
}

#[tokio::test]
async fn resetting_gives_active_filters_of_the_default_templates() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    assert_eq!(
        bench.patch_as(&user, &filter, &[], DEACTIVATE).await.status,
        204
    );
    let answer = post_as(
        &bench,
        &user,
        "ResetUserFilters",
        &json!({ "QueryType": 256 }),
    )
    .await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    let filters = bench.sandbox.filters();
    let own: Vec<_> = filters
        .iter()
        .filter(|it| it.owner == user.id && it.querytype == 256)
        .collect();
    assert_eq!(own.len(), 8);
    assert!(
        own.iter()
            .all(|it| it.statecode == 0 && it.template.is_some() && it.id != filter.id)
    );
    assert!(
        own.iter()
            .all(|it| it.modified_by == user.id && it.modified_on_behalf_by.is_some())
    );
    let wrong = post_as(
        &bench,
        &user,
        "ResetUserFilters",
        &json!({ "QueryType": 0 }),
    )
    .await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn instantiating_replaces_the_filter_of_that_template_only() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    assert_eq!(
        bench.patch_as(&user, &filter, &[], DEACTIVATE).await.status,
        204
    );
    let before = bench.sandbox.filters().len();
    let url = format!(
        "systemusers({})/Microsoft.Dynamics.CRM.InstantiateFilters",
        user.id
    );
    let template = filter.template.unwrap();
    let body = json!({ "TemplateCollection": [
        { "@odata.type": "Microsoft.Dynamics.CRM.savedquery", "savedqueryid": template }
    ] });
    let answer = post_as(&bench, &user, &url, &body).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    let filters = bench.sandbox.filters();
    assert_eq!(filters.len(), before);
    let new = filters
        .iter()
        .find(|it| it.owner == user.id && it.template == Some(template) && it.querytype == 256);
    assert_eq!(new.unwrap().statecode, 0);
    let missing = json!({ "TemplateCollection": [{ "savedqueryid": user.id }] });
    assert_eq!(post_as(&bench, &user, &url, &missing).await.status, 404);
    assert_eq!(bench.get(&url).await.status, 405);
}

#[tokio::test]
async fn a_user_synchronised_for_the_first_time_receives_active_filters() {
    let bench = bench("").await;
    let user = bench.somebody(UserKind::NotPopulated);
    let view = templates(&bench, 131_072).await;
    let view = view
        .iter()
        .find(|it| it["isdefault"] == true && it["returnedtypecode"] == "task")
        .unwrap();
    let off = r#"{"isdefault":false,"statecode":1,"statuscode":2}"#;
    assert_eq!(patch(&bench, view, &[], off).await.status, 204);
    assert_eq!(bench.sandbox.synchronise(user.id), 7);
    assert_eq!(bench.sandbox.synchronise(user.id), 0);
    let filters = bench.sandbox.filters();
    let own = filters.iter().filter(|it| it.owner == user.id);
    assert!(
        own.clone()
            .all(|it| it.statecode == 0 && it.filter_type != "task")
    );
    assert!(own.clone().any(|it| it.filter_type == "appointment"));
    assert!(
        own.clone()
            .all(|it| it.modified_by == user.id && it.modified_on_behalf_by.is_none())
    );
    let url = format!("systemusers({})?$select=defaultfilterspopulated", user.id);
    assert_eq!(
        bench.get(&url).await.json()["defaultfilterspopulated"],
        true
    );
}

#[tokio::test]
async fn switching_a_filter_back_on_says_who_did_it_and_when() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    assert_eq!(
        bench.patch_as(&user, &filter, &[], DEACTIVATE).await.status,
        204
    );
    let token = format!("Bearer {}", bench.sandbox.token_of(user.id));
    let headers = [
        ("Authorization", token.as_str()),
        JSON,
        ("Prefer", "return=representation"),
    ];
    let url = format!("userqueries({})", filter.id);
    let body = r#"{"statecode":0,"statuscode":1}"#;
    let before = jiff::Timestamp::now().as_second();
    let row = bench
        .send("PATCH", &url, &headers, body)
        .await
        .unwrap()
        .json();
    assert_eq!(row["_modifiedby_value"], user.id.to_string());
    assert_eq!(row["_modifiedonbehalfby_value"], Value::Null);
    let modified: jiff::Timestamp = row["modifiedon"].as_str().unwrap().parse().unwrap();
    assert!(modified.as_second() >= before);
}
