//! Appointments: whose they are, who sees them, and that the filters of people find them.

use serde_json::Value;
use syncfilters::sandbox::{Options, UserKind, UserSnapshot};

use crate::bench::{Bench, bench, with};
use crate::fetchxml::fetch_url;

const CALENDARS: [(&str, &str); 3] = [
    ("appointment", "appointments"),
    ("recurringappointmentmaster", "recurringappointmentmasters"),
    ("serviceappointment", "serviceappointments"),
];

/// The aggregate of a filter of the default templates, of future rows only.
fn counting(table: &str, asks: &str) -> String {
    format!(
        r#"<fetch aggregate="true"><entity name="{table}"><attribute name="activityid" alias="n" aggregate="countcolumn" distinct="true"/>
        <filter><condition attribute="scheduledend" operator="on-or-after" value="{}"/></filter>{asks}</entity></fetch>"#,
        jiff::Timestamp::now()
    )
}

async fn count(bench: &Bench, user: &UserSnapshot, set: &str, xml: &str) -> i64 {
    let answer = bench.get_as(user, &fetch_url(set, xml)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["value"][0]["n"].as_i64().unwrap()
}

const OWN: &str = r#"<filter><condition attribute="ownerid" operator="eq-userid"/></filter>"#;
const PART: &str = r#"<link-entity name="activityparty" from="activityid" to="activityid"><filter><condition attribute="partyid" operator="eq-userid"/></filter></link-entity>"#;

const OWN_OR_PART: &str = r#"<filter type="or"><condition attribute="ownerid" operator="eq-userid"/><condition entityname="party" attribute="partyid" operator="not-null"/></filter>
    <link-entity name="activityparty" from="activityid" to="activityid" link-type="outer" alias="party"><filter><condition attribute="partyid" operator="eq-userid"/></filter></link-entity>"#;

#[tokio::test]
async fn people_have_appointments_to_come_and_some_have_none() {
    let bench = bench("").await;
    let (mut some, mut none, mut series, mut services) = (0, 0, 0, 0);
    let users = bench.sandbox.users();
    for user in users.iter().filter(|it| it.kind == UserKind::Ordinary) {
        let future = count(&bench, user, "appointments", &counting("appointment", OWN)).await;
        assert!(future <= 41);
        some += i64::from(future > 0);
        none += i64::from(future == 0);
        series += count(&bench, user, CALENDARS[1].1, &counting(CALENDARS[1].0, OWN)).await;
        services += count(&bench, user, CALENDARS[2].1, &counting(CALENDARS[2].0, OWN)).await;
    }
    assert!(
        some > none && none > 0 && series > 0 && services > 0,
        "{some} {none} {series} {services}"
    );
}

#[tokio::test]
async fn taking_part_shows_what_the_role_lets_one_see() {
    let bench = bench("").await;
    let mut more = 0;
    for user in bench
        .sandbox
        .users()
        .iter()
        .filter(|it| it.kind == UserKind::Ordinary)
    {
        let own = count(&bench, user, "appointments", &counting("appointment", OWN)).await;
        let part = count(&bench, user, "appointments", &counting("appointment", PART)).await;
        assert!(part >= own, "owners take part in what they own");
        let either = counting("appointment", OWN_OR_PART);
        assert_eq!(count(&bench, user, "appointments", &either).await, part);
        let everywhere = user
            .roles
            .iter()
            .any(|it| it == "Customer Service Representative")
            || user.teams.iter().any(|it| it == "Service Desk");
        let unit = user.roles.iter().any(|it| it == "Sales Manager");
        assert!(part == own || everywhere || unit, "{:?}", user.roles);
        more += i64::from(part > own);
    }
    assert!(more > 0);
}

#[tokio::test]
async fn reading_is_at_user_depth_unless_the_role_says_more() {
    let bench = bench("").await;
    let users = bench.sandbox.users();
    let salesperson = users.iter().find(|it| {
        it.kind == UserKind::Ordinary
            && it.teams.is_empty()
            && it
                .roles
                .iter()
                .all(|role| role == "Salesperson" || role == "Basic User")
    });
    let user = salesperson.unwrap();
    let rows = bench
        .get_as(user, "appointments?$select=subject,_ownerid_value")
        .await
        .rows();
    assert!(!rows.is_empty());
    assert!(
        rows.iter()
            .all(|it| it["_ownerid_value"] == user.id.to_string())
    );
    let everybody = bench
        .get("appointments?$select=_ownerid_value,scheduledstart,statecode")
        .await
        .rows();
    assert!(everybody.len() > 10 * rows.len());
    let other = everybody
        .iter()
        .find(|it| it["_ownerid_value"] != user.id.to_string());
    let id = other.unwrap()["activityid"].as_str().unwrap().to_owned();
    assert_eq!(
        bench
            .get_as(user, &format!("appointments({id})"))
            .await
            .status,
        404
    );
    let row = bench.get(&format!("appointments({id})")).await.json();
    assert!(row["instancetypecode"].is_i64() && row["scheduledend"].is_string());
    assert_eq!(
        bench
            .get(&format!("serviceappointments({id})"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_filters_of_people_run_as_they_are_except_the_broken_ones() {
    let bench = bench("").await;
    let mut codes = Vec::new();
    for user in bench
        .sandbox
        .users()
        .iter()
        .filter(|it| it.kind == UserKind::Ordinary)
    {
        let url = "userqueries?$select=fetchxml,returnedtypecode&$filter=querytype%20eq%20256";
        for filter in bench.get_as(user, url).await.rows() {
            let table = filter["returnedtypecode"].as_str().unwrap();
            let Some((_, set)) = CALENDARS.iter().find(|it| it.0 == table) else {
                continue;
            };
            let xml = filter["fetchxml"].as_str().unwrap();
            let answer = bench.get_as(user, &fetch_url(set, xml)).await;
            if answer.status != 200 {
                codes.push(answer.code());
            }
        }
    }
    codes.sort();
    assert_eq!(codes, ["0x80040201", "0x80040201", "0x80041103"]);
    let plain = with(Options {
        plain: true,
        ..Options::default()
    })
    .await;
    let rows = plain.get("savedqueries?$select=fetchxml").await.rows();
    assert!(rows.iter().all(|it| it["fetchxml"] != ""));
}

#[tokio::test]
async fn a_calendar_stays_as_it_is() {
    let (one, two) = (bench("").await, bench("").await);
    let url = "recurringappointmentmasters?$select=subject,scheduledstart,effectiveenddate";
    let (a, b) = (one.get(url).await.json(), two.get(url).await.json());
    assert_eq!(a["value"], b["value"]);
    let expired = |row: &Value| row["effectiveenddate"].as_str().unwrap() < "2026";
    assert!(!a["value"].as_array().unwrap().iter().all(expired));
}

#[tokio::test]
async fn metadata_knows_the_new_tables() {
    let bench = bench("").await;
    let xml = bench.get("$metadata").await.text;
    for (table, set) in CALENDARS {
        assert!(xml.contains(&format!("EntityType Name=\"{table}\"")));
        assert!(xml.contains(&format!("EntitySet Name=\"{set}\"")));
        let url = format!(
            "EntityDefinitions(LogicalName='{table}')?$select=PrimaryIdAttribute,EntitySetName"
        );
        let body = bench.get(&url).await.json();
        assert_eq!(
            (&body["PrimaryIdAttribute"], &body["EntitySetName"]),
            (&"activityid".into(), &set.into())
        );
    }
}
