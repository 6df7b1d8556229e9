//! `FetchXML` through the Web API: conditions, links, aggregates, refusals.

use serde_json::{Value, json};
use syncfilters::sandbox::{Options, UserKind};
use url::form_urlencoded::byte_serialize;

use crate::bench::{Answer, Bench, bench, with};

/// `systemusers?fetchXml=…`.
pub(crate) fn fetch_url(set: &str, xml: &str) -> String {
    let encoded: String = byte_serialize(xml.as_bytes()).collect();
    format!("{set}?fetchXml={encoded}")
}

async fn fetch(bench: &Bench, set: &str, xml: &str) -> Answer {
    bench.get(&fetch_url(set, xml)).await
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .filter_map(|it| it["fullname"].as_str())
        .collect()
}

#[tokio::test]
async fn rows_are_filtered_sorted_and_come_without_nulls() {
    let bench = bench("").await;
    let xml = r#"<fetch version="1.0" mapping="logical" output-format="xml-platform" returntotalrecordcount="true">
        <entity name="systemuser"><attribute name="fullname"/><attribute name="businessunitid"/><attribute name="applicationid"/>
        <filter type="and"><condition attribute="isdisabled" operator="eq" value="0"/>
          <filter type="or"><condition attribute="domainname" operator="like" value="%@contoso.example"/>
            <condition attribute="fullname" operator="eq" value="system"/></filter></filter>
        <order attribute="fullname" descending="true"/></entity></fetch>"#;
    let answer = fetch(&bench, "systemusers", xml).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let rows = answer.rows();
    let users = bench.sandbox.users();
    let wanted = users.iter().filter(|it| {
        !it.disabled && (it.login.ends_with("@contoso.example") || it.name == "SYSTEM")
    });
    assert_eq!(rows.len(), wanted.count());
    let sorted = names(&rows).is_sorted_by(|a, b| a.to_lowercase() >= b.to_lowercase());
    assert!(sorted);
    for row in &rows {
        assert!(row["@odata.etag"].is_string() && row["systemuserid"].is_string());
        assert!(row["_businessunitid_value"].is_string());
        assert!(!row.as_object().unwrap().values().any(Value::is_null));
    }
    let context = answer.json()["@odata.context"].clone();
    assert!(
        context
            .as_str()
            .unwrap()
            .ends_with("#systemusers(fullname,_businessunitid_value,applicationid)")
    );
}

#[tokio::test]
async fn linked_tables_filter_and_show_their_columns() {
    let bench = bench("").await;
    let xml = r#"<fetch top="5"><entity name="systemuser"><attribute name="fullname"/>
        <link-entity name="businessunit" from="businessunitid" to="businessunitid" alias="unit">
          <attribute name="name"/><attribute name="parentbusinessunitid"/>
          <filter><condition attribute="name" operator="eq" value="Contoso"/></filter></link-entity>
        </entity></fetch>"#;
    let rows = fetch(&bench, "systemusers", xml).await.rows();
    assert!(!rows.is_empty() && rows.len() <= 5);
    for row in &rows {
        assert_eq!(row["unit.name"], "Contoso");
        assert!(row.get("unit.parentbusinessunitid").is_none());
    }
    let outer = xml.replace("<link-entity ", "<link-entity link-type=\"outer\" ");
    let rows = fetch(&bench, "systemusers", &outer.replace("top=\"5\"", ""))
        .await
        .rows();
    assert_eq!(rows.len(), bench.sandbox.users().len());
    assert!(rows.iter().any(|it| it.get("unit.name").is_none()));
}

#[tokio::test]
async fn tables_may_be_linked_by_other_columns_than_ids() {
    let bench = bench("").await;
    let xml = r#"<fetch><entity name="systemuser"><attribute name="internalemailaddress"/>
        <link-entity name="systemuser" from="internalemailaddress" to="internalemailaddress" alias="other">
          <attribute name="systemuserid"/></link-entity></entity></fetch>"#;
    let rows = fetch(&bench, "systemusers", xml).await.rows();
    let users = bench.sandbox.users();
    let with_email = users.iter().filter(|it| it.email.is_some()).count();
    assert!(rows.len() > with_email, "somebody shares an e-mail address");
    let others = rows
        .iter()
        .filter(|it| it["other.systemuserid"] != it["systemuserid"]);
    assert_eq!(others.count(), rows.len() - with_email);
}

#[tokio::test]
async fn aggregates_count_and_group() {
    let bench = bench("").await;
    let xml = r#"<fetch aggregate="true"><entity name="systemuser">
        <attribute name="systemuserid" alias="users" aggregate="count"/>
        <attribute name="applicationid" alias="applications" aggregate="countcolumn"/>
        <attribute name="accessmode" alias="modes" aggregate="countcolumn" distinct="true"/>
        <attribute name="accessmode" alias="most" aggregate="max"/></entity></fetch>"#;
    let answer = fetch(&bench, "systemusers", xml).await;
    let users = bench.sandbox.users();
    let applications = users.iter().filter(|it| it.application).count();
    let modes: std::collections::HashSet<_> = users.iter().map(|it| it.access_mode).collect();
    let most = users.iter().map(|it| it.access_mode).max();
    assert_eq!(
        answer.json()["value"],
        json!([{ "users": users.len(), "applications": applications, "modes": modes.len(), "most": most }])
    );
    let xml = r#"<fetch aggregate="true"><entity name="systemuser">
        <attribute name="isdisabled" alias="off" groupby="true"/>
        <attribute name="systemuserid" alias="n" aggregate="count"/><order alias="off"/></entity></fetch>"#;
    let disabled = users.iter().filter(|it| it.disabled).count();
    assert_eq!(
        fetch(&bench, "systemusers", xml).await.json()["value"],
        json!([{ "off": false, "n": users.len() - disabled }, { "off": true, "n": disabled }])
    );
}

#[tokio::test]
async fn an_aggregate_of_nothing_is_a_row_with_zero() {
    let bench = bench("").await;
    let xml = r#"<fetch aggregate="true"><entity name="systemuser">
        <attribute name="systemuserid" alias="n" aggregate="count"/><attribute name="accessmode" alias="sum" aggregate="sum"/>
        <filter><condition attribute="fullname" operator="null"/></filter></entity></fetch>"#;
    assert_eq!(
        fetch(&bench, "systemusers", xml).await.json()["value"],
        json!([{ "n": 0 }])
    );
}

#[tokio::test]
async fn an_aggregate_over_too_many_rows_is_refused() {
    let xml = r#"<fetch aggregate="true"><entity name="systemuser">
        <attribute name="systemuserid" alias="n" aggregate="count"/></entity></fetch>"#;
    let low = bench("low-aggregate-limit").await;
    let answer = fetch(&low, "systemusers", xml).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "0x8004E023"));
    let limited = xml.replace(
        "aggregate=\"true\"",
        "aggregate=\"true\" aggregatelimit=\"3\"",
    );
    let answer = fetch(&bench("").await, "systemusers", &limited).await;
    assert_eq!(answer.code(), "0x8004E023");
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_a_code() {
    let bench = bench("").await;
    let users =
        |inside: &str| format!("<fetch><entity name=\"systemuser\">{inside}</entity></fetch>");
    for (xml, code) in [
        (String::new(), "0x80040201"),
        ("<fetch><entity".to_owned(), "0x80040201"),
        ("<query/>".to_owned(), "0x80040203"),
        ("<fetch/>".to_owned(), "0x80040203"),
        (
            "<fetch><entity name=\"new_thing\"/></fetch>".to_owned(),
            "0x80041102",
        ),
        (
            "<fetch><entity name=\"team\"/></fetch>".to_owned(),
            "0x80060888",
        ),
        (users("<attribute name=\"new_column\"/>"), "0x80041103"),
        (
            users("<attribute name=\"_businessunitid_value\"/>"),
            "0x80041103",
        ),
        (
            users("<filter><condition attribute=\"new_column\" operator=\"null\"/></filter>"),
            "0x80041103",
        ),
        (
            users(
                "<filter><condition attribute=\"fullname\" operator=\"equals\" value=\"x\"/></filter>",
            ),
            "0x80040203",
        ),
        (
            users("<link-entity name=\"team\" from=\"teamid\" to=\"new_column\"/>"),
            "0x80041103",
        ),
        (users("<columns/>"), "0x80040203"),
        (
            users("<attribute name=\"fullname\" alias=\"n\" aggregate=\"count\"/>"),
            "0x80040203",
        ),
    ] {
        let answer = fetch(&bench, "systemusers", &xml).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, code),
            "{xml}"
        );
    }
    let answer = bench
        .get(&format!(
            "{}&$select=fullname",
            fetch_url("systemusers", &users(""))
        ))
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn pages_are_named_by_number_and_more_are_announced() {
    let bench = bench("").await;
    let mut seen = Vec::new();
    for page in 1..=3 {
        let xml = format!(
            "<fetch page=\"{page}\" count=\"30\"><entity name=\"systemuser\"><attribute name=\"fullname\"/></entity></fetch>"
        );
        let headers = [("Prefer", "odata.include-annotations=\"*\"")];
        let answer = bench
            .call("GET", &fetch_url("systemusers", &xml), &headers, "")
            .await;
        let body = answer.json();
        assert_eq!(body["@Microsoft.Dynamics.CRM.morerecords"], page < 3);
        assert_eq!(
            body.get("@Microsoft.Dynamics.CRM.fetchxmlpagingcookie")
                .is_some(),
            page < 3
        );
        seen.extend(answer.rows().iter().map(|it| it["systemuserid"].clone()));
    }
    let all: std::collections::HashSet<_> = seen.iter().map(ToString::to_string).collect();
    assert_eq!((seen.len(), all.len()), (67, 67));
}

#[tokio::test]
async fn a_query_runs_as_the_impersonated_user_in_a_batch_too() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let xml = r#"<fetch><entity name="systemuser"><attribute name="fullname"/>
        <filter><condition attribute="systemuserid" operator="eq-userid"/></filter></entity></fetch>"#;
    let url = fetch_url("systemusers", xml);
    let rows = bench.get_as(&user, &url).await.rows();
    assert_eq!(rows[0]["systemuserid"], user.id.to_string());
    let body = format!(
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET {url} HTTP/1.1\r\n\r\n\r\n--b--\r\n"
    );
    let id = user.id.to_string();
    let headers = [
        ("MSCRMCallerID", id.as_str()),
        ("Content-Type", "multipart/mixed; boundary=b"),
    ];
    let answer = bench.call("POST", "$batch", &headers, &body).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.text.contains(&format!("\"systemuserid\":\"{id}\"")),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn reading_takes_the_privilege_of_every_table_of_the_query() {
    let bench = with(Options::default()).await;
    let user = bench.somebody(UserKind::ReadOnlyFilters);
    let xml = r#"<fetch><entity name="appointment"><attribute name="subject"/></entity></fetch>"#;
    let answer = bench.get_as(&user, &fetch_url("appointments", xml)).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "0x80040220"));
    assert!(answer.message().contains("prvReadActivity"));
}
