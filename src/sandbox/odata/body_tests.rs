//! Answers, as text.

use serde_json::json;

use super::fixture::{FILTERS, TestRow, TestTable, USERS, asker, context, filter, id, user};
use super::*;

const ROOT: &str = "https://contoso.example/api/data/v9.2/";
const KEY: &str = "00000000-0000-0000-0000-00000000000";

fn ask(
    table: &TestTable,
    rows: &[TestRow],
    raw: &str,
    annotations: &str,
    size: Option<usize>,
) -> String {
    let query = Query::parse(raw, table, Dialect::default()).unwrap();
    let annotations = Annotations::parse(annotations);
    let format = PayloadFormat {
        root: ROOT,
        annotations: &annotations,
    };
    let (asker, request) = (
        asker(),
        PageRequest {
            max_page_size: size,
        },
    );
    let page = run(&query, rows.iter(), &context(&asker), request);
    let url = format!("{ROOT}{}", table.entity_set());
    collection_body(table, &query, &page, &url, &format, &context(&asker))
}

fn users() -> Vec<TestRow> {
    (1..=3)
        .map(|n| user(n, &format!("User {n}"), 10, &[]))
        .collect()
}

#[test]
fn the_tag_comes_first_the_key_always_and_the_columns_in_the_order_selected() {
    let text = ask(
        &USERS,
        &users()[..1],
        "$select=isdisabled,fullname",
        "",
        None,
    );
    assert_eq!(
        text,
        format!(
            r#"{{"@odata.context":"{ROOT}$metadata#systemusers(isdisabled,fullname)","value":[{{"@odata.etag":"W/\"1\"","isdisabled":false,"fullname":"User 1","systemuserid":"{KEY}1"}}]}}"#
        )
    );
}

#[test]
fn without_select_every_column_is_written_nulls_included() {
    let text = ask(&USERS, &users()[..1], "", "", None);
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        body["@odata.context"],
        format!("{ROOT}$metadata#systemusers")
    );
    let row = body["value"][0].as_object().unwrap();
    assert_eq!(
        (row.len(), &row["createdon"]),
        (8, &serde_json::Value::Null)
    );
}

#[test]
fn one_row_is_an_entity_of_its_set() {
    let query = Query::parse_single("$select=name", &FILTERS, Dialect::default()).unwrap();
    let annotations = Annotations::default();
    let format = PayloadFormat {
        root: ROOT,
        annotations: &annotations,
    };
    let asker = asker();
    let text = entity_body(
        &FILTERS,
        &query,
        &filter(1, 2, 256),
        &format,
        &context(&asker),
    );
    assert_eq!(
        text,
        format!(
            r#"{{"@odata.context":"{ROOT}$metadata#userqueries(name)/$entity","@odata.etag":"W/\"100\"","name":"Filter 1","userqueryid":"{KEY}1"}}"#
        )
    );
}

#[test]
fn annotations_stand_before_their_column() {
    let raw = "$select=statecode,querytype,_ownerid_value,name";
    let text = ask(&FILTERS, &[filter(1, 2, 1090)], raw, "*", None);
    let expected = format!(
        r#""statecode@OData.Community.Display.V1.FormattedValue":"Active","statecode":0,"querytype@OData.Community.Display.V1.FormattedValue":"1,090","querytype":1090,"_ownerid_value@OData.Community.Display.V1.FormattedValue":"Anna Ek","_ownerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty":"ownerid","_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"systemuser","_ownerid_value":"{KEY}2","name":"Filter 1","userqueryid""#
    );
    assert!(text.contains(&expected), "{text}");
    let only = ask(&FILTERS, &[filter(1, 2, 1090)], raw, "OData.*", None);
    assert!(
        only.contains("FormattedValue") && !only.contains("lookuplogicalname"),
        "{only}"
    );
}

#[test]
fn the_count_is_capped_and_the_annotations_say_so() {
    let rows: Vec<TestRow> = (0..5001).map(|n| filter(n, 2, 256)).collect();
    let raw = "$count=true&$select=name&$top=1";
    let text = ask(&FILTERS, &rows, raw, "Microsoft.Dynamics.CRM.*", None);
    assert!(text.contains(
        r#""@odata.count":5000,"@Microsoft.Dynamics.CRM.totalrecordcount":5000,"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded":true,"value""#
    ), "{text}");
    let uncounted = ask(&FILTERS, &rows[..1], "$top=1", "*", None);
    assert!(uncounted.contains(
        r#""@Microsoft.Dynamics.CRM.totalrecordcount":-1,"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded":false"#
    ), "{uncounted}");
}

#[test]
fn the_next_link_keeps_the_query_as_it_was_given() {
    let given = "%24select=fullname&$filter=contains(fullname,%27user%27)&foo=1";
    let mut raw = given.to_owned();
    for expected in ["User 1", "User 2"] {
        let text = ask(&USERS, &users(), &raw, "", Some(1));
        let body: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["value"][0]["fullname"], expected);
        let link = body["@odata.nextLink"].as_str().unwrap();
        let start = format!("{ROOT}systemusers?{given}&$skiptoken=%3Ccookie%20pagenumber=%22");
        assert!(link.starts_with(&start), "{link}");
        assert_eq!(link.matches("skiptoken").count(), 1);
        raw = link.split_once('?').unwrap().1.to_owned();
    }
    let last: serde_json::Value =
        serde_json::from_str(&ask(&USERS, &users(), &raw, "", Some(1))).unwrap();
    assert_eq!(
        (&last["value"][0]["fullname"], last.get("@odata.nextLink")),
        (&json!("User 3"), None)
    );
}

#[test]
fn expanded_rows_follow_the_options_in_their_parentheses() {
    let row = user(1, "Anna Ek", 10, &[]).related(
        "user_userquery",
        vec![filter(5, 1, 256), filter(4, 1, 256), filter(3, 1, 0)],
    );
    let raw = "$select=fullname&$expand=businessunitid($select=name),user_userquery($select=name;\
               $filter=querytype eq 256 and name ne 'a%26b')";
    let body: serde_json::Value =
        serde_json::from_str(&ask(&USERS, &[row], raw, "", None)).unwrap();
    assert_eq!(
        body["@odata.context"],
        format!("{ROOT}$metadata#systemusers(fullname,businessunitid(name),user_userquery(name))")
    );
    let row = &body["value"][0];
    assert_eq!(
        row["businessunitid"],
        json!({"@odata.etag": "W/\"7\"", "name": "Unit 10", "businessunitid": id(10).to_string()})
    );
    let names: Vec<_> = row["user_userquery"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["name"])
        .collect();
    assert_eq!(names, [&json!("Filter 4"), &json!("Filter 5")]);
    assert_eq!(
        row["user_userquery@odata.nextLink"],
        format!(
            "{ROOT}systemusers({KEY}1)/user_userquery?$select=name&$filter=querytype%20eq%20256%20and%20name%20ne\
             %20'a%26b'"
        )
    );
}

#[test]
fn an_expanded_lookup_that_points_nowhere_is_null() {
    let text = ask(
        &FILTERS,
        &[filter(1, 2, 256)],
        "$select=name&$expand=owninguser($select=fullname)",
        "",
        None,
    );
    assert!(text.contains(r#""owninguser":null"#), "{text}");
}
