//! Queries: pages, the administrator's query, own rows only.

use std::collections::HashSet;

use syncfilters::sandbox::UserKind;

use crate::bench::bench;

const ENABLED: &str = "systemusers?$select=fullname&$filter=isdisabled%20eq%20false";

#[tokio::test]
async fn pages_are_followed_by_the_next_link_as_it_is_given() {
    let bench = bench("").await;
    let mut url = ENABLED.to_owned();
    let mut seen = HashSet::new();
    let mut pages = 0;
    loop {
        let page = bench
            .call("GET", &url, &[("Prefer", "odata.maxpagesize=7")], "")
            .await;
        assert_eq!(page.status, 200);
        assert_eq!(
            page.header("Preference-Applied"),
            Some("odata.maxpagesize=7")
        );
        assert!(page.rows().len() <= 7);
        for row in page.rows() {
            assert!(seen.insert(row["systemuserid"].as_str().unwrap().to_owned()));
        }
        pages += 1;
        match page.json()["@odata.nextLink"].as_str() {
            Some(next) => next.clone_into(&mut url),
            None => break,
        }
    }
    let enabled = bench
        .sandbox
        .users()
        .iter()
        .filter(|it| !it.disabled)
        .count();
    assert_eq!(seen.len(), enabled);
    assert_eq!(pages, enabled.div_ceil(7));
    assert_eq!(bench.sandbox.counts().users, pages as u64);
}

#[tokio::test]
async fn a_user_sees_only_own_filters_whatever_the_filter_says() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let all = bench
        .get_as(&user, "userqueries?$select=name,_ownerid_value")
        .await;
    let own = |row: &serde_json::Value| row["_ownerid_value"] == user.id.to_string();
    let mine = bench
        .sandbox
        .filters()
        .iter()
        .filter(|it| it.owner == user.id)
        .count();
    assert_eq!(all.rows().iter().filter(|it| own(it)).count(), mine);
    // What is left are personal views that somebody shared.
    let sync = bench
        .get_as(&user, "userqueries?$filter=querytype%20eq%20256")
        .await;
    assert!(!sync.rows().is_empty() && sync.rows().iter().all(own));
    let other = bench.somebody(UserKind::ManyFilters).id;
    let url =
        format!("userqueries?$filter=_ownerid_value%20eq%20{other}%20and%20querytype%20eq%20256");
    assert!(bench.get_as(&user, &url).await.rows().is_empty());
}

#[tokio::test]
async fn the_administrators_query_works_with_exactly_two_conditions() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let two = format!(
        "userqueries?$filter=querytype%20eq%20256%20and%20_ownerid_value%20eq%20{}",
        user.id
    );
    let seen = bench.get(&two).await.rows().len();
    let filters = bench.sandbox.filters();
    let mine = filters
        .iter()
        .filter(|it| it.owner == user.id && it.querytype == 256)
        .count();
    assert_eq!(seen, mine);
    let three = format!("{two}%20and%20statecode%20eq%200");
    let broken = bench.get(&three).await;
    assert_eq!(broken.status, 200);
    assert!(
        broken.rows().is_empty(),
        "a third condition silently breaks it"
    );
    let selected = format!("{two}&$select=name");
    assert_eq!(bench.get(&selected).await.rows().len(), mine);
}

#[tokio::test]
async fn the_administrators_query_needs_the_privilege() {
    let bench = bench("caller-lacks-admin-filter").await;
    let user = bench.ordinary();
    let two = format!(
        "userqueries?$filter=querytype%20eq%20256%20and%20_ownerid_value%20eq%20{}",
        user.id
    );
    assert!(bench.get(&two).await.rows().is_empty());
}

#[tokio::test]
async fn the_strict_reading_of_two_conditions_can_be_switched_on() {
    let bench = bench("admin-query-conditions-only").await;
    let user = bench.ordinary();
    let two = format!(
        "userqueries?$filter=querytype%20eq%20256%20and%20_ownerid_value%20eq%20{}",
        user.id
    );
    assert!(!bench.get(&two).await.rows().is_empty());
    assert!(
        bench
            .get(&format!("{two}&$select=name"))
            .await
            .rows()
            .is_empty()
    );
}

#[tokio::test]
async fn one_row_comes_with_its_etag_and_is_hidden_from_others() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    let url = format!("userqueries({})?$select=name,statuscode", filter.id);
    let row = bench.get_as(&user, &url).await;
    assert_eq!(row.status, 200);
    let tag = format!("W/\"{}\"", filter.version);
    assert_eq!(row.header("ETag"), Some(tag.as_str()));
    assert_eq!(row.json()["@odata.etag"], tag);
    let hidden = bench.get(&url).await;
    assert_eq!((hidden.status, hidden.code().as_str()), (404, "0x80040217"));
    let id = user.id.to_string();
    let same = bench
        .call(
            "GET",
            &url,
            &[("MSCRMCallerID", &id), ("If-None-Match", &tag)],
            "",
        )
        .await;
    assert_eq!(same.status, 304);
}

#[tokio::test]
async fn relationships_are_read_as_collections_and_as_conditions() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let roles = bench
        .get(&format!(
            "systemusers({})/systemuserroles_association?$select=name",
            user.id
        ))
        .await;
    let names: Vec<_> = roles
        .rows()
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), user.roles.len());
    let role = user.roles[0].replace(' ', "%20");
    let url = format!(
        "systemusers?$select=fullname&$filter=systemuserroles_association/any(o:o/name%20eq%20'{role}')"
    );
    let holders = bench.get(&url).await.rows();
    let expected = bench
        .sandbox
        .users()
        .iter()
        .filter(|it| it.roles.contains(&user.roles[0]))
        .count();
    assert_eq!(holders.len(), expected);
}

#[tokio::test]
async fn unknown_columns_sets_and_options_are_refused() {
    let bench = bench("").await;
    let answer = bench.get("systemusers?$select=nonsense").await;
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .message()
            .contains("Could not find a property named 'nonsense'")
    );
    let answer = bench.get("accounts").await;
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.message(),
        "Resource not found for the segment 'accounts'."
    );
    assert_eq!(bench.get("systemusers?$skip=5").await.status, 400);
    let answer = bench.call("PUT", "systemusers", &[], "").await;
    assert_eq!(answer.status, 405);
    assert!(answer.header("REQ_ID").is_some());
}

#[tokio::test]
async fn the_next_link_may_lead_to_another_host() {
    let bench = bench("next-link-to-other-host").await;
    let page = bench
        .call("GET", ENABLED, &[("Prefer", "odata.maxpagesize=2")], "")
        .await;
    let json = page.json();
    assert!(
        json["@odata.nextLink"]
            .as_str()
            .unwrap()
            .starts_with("https://other.example/")
    );
}

#[tokio::test]
async fn owners_are_expanded_and_labelled() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let id = user.id.to_string();
    let headers = [
        ("MSCRMCallerID", id.as_str()),
        ("Prefer", "odata.include-annotations=\"*\""),
    ];
    let url = "userqueries?$select=statecode,_ownerid_value&$expand=owninguser($select=domainname)&$filter=querytype%20eq%20256";
    let row = bench.call("GET", url, &headers, "").await.rows()[0].clone();
    assert_eq!(row["owninguser"]["domainname"], user.login);
    assert_eq!(
        row["statecode@OData.Community.Display.V1.FormattedValue"],
        "Active"
    );
    assert_eq!(
        row["_ownerid_value@OData.Community.Display.V1.FormattedValue"],
        user.name
    );
    assert_eq!(
        row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"],
        "systemuser"
    );
}

#[tokio::test]
async fn business_units_are_found_below_one_another() {
    let bench = bench("").await;
    let units = bench.get("businessunits?$select=name").await.rows();
    let root = bench
        .get("businessunits?$filter=_parentbusinessunitid_value%20eq%20null")
        .await
        .rows()[0]
        .clone();
    let id = root["businessunitid"].as_str().unwrap().to_owned();
    let url = format!(
        "businessunits?$filter=Microsoft.Dynamics.CRM.UnderOrEqual(PropertyName='businessunitid',PropertyValue='{id}')"
    );
    assert_eq!(bench.get(&url).await.rows().len(), units.len());
    let europe = units.iter().find(|it| it["name"] == "Europe").unwrap();
    let url = url.replace(&id, europe["businessunitid"].as_str().unwrap());
    assert_eq!(bench.get(&url).await.rows().len(), 5);
}

#[tokio::test]
async fn hidden_rows_can_be_forbidden_and_the_newer_operator_is_refused() {
    let strict = bench("").await;
    let list = "systemusers?$filter=accessmode%20in%20(1,2)";
    assert_eq!(strict.get(list).await.status, 400);
    let loose = bench("hidden-rows-forbidden").await;
    let filter = loose.filter_of(&loose.ordinary());
    let hidden = loose.get(&format!("userqueries({})", filter.id)).await;
    assert_eq!((hidden.status, hidden.code().as_str()), (403, "0x80048306"));
}
