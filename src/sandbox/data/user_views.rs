//! Views of users: those of the organisation and those of the caller.
//!
//! They use their own random numbers, so that they change no other data.

use std::sync::Arc;

use super::rng::Rng;
use super::views::fetch_xml;
use crate::rows::{FilterRecord, PersonIndex, ViewRecord};

// Each is one kind of query that a client has to handle: plain conditions, operators about the asker, joins, and one
// that cannot be executed.
const ENABLED: &str = r#"<attribute name="domainname" /><attribute name="businessunitid" /><attribute name="applicationid" /><filter type="and"><condition attribute="isdisabled" operator="eq" value="0" /><condition attribute="accessmode" operator="ne" value="3" /></filter><order attribute="fullname" descending="false" />"#;
const DISABLED: &str = r#"<attribute name="domainname" /><filter type="and"><condition attribute="isdisabled" operator="eq" value="1" /></filter>"#;
const OWN_UNIT: &str = r#"<attribute name="domainname" /><filter type="and"><condition attribute="businessunitid" operator="eq-businessid" /></filter>"#;
const SALESPEOPLE: &str = r#"<attribute name="domainname" /><link-entity name="systemuserroles" from="systemuserid" to="systemuserid" intersect="true"><link-entity name="role" from="roleid" to="roleid" alias="role"><filter type="and"><condition attribute="name" operator="like" value="Sales%" /></filter></link-entity></link-entity>"#;
const FIELD_SALES: &str = r#"<attribute name="domainname" /><link-entity name="teammembership" from="systemuserid" to="systemuserid" intersect="true"><link-entity name="team" from="teamid" to="teamid"><filter type="and"><condition attribute="name" operator="eq" value="Field Sales" /></filter></link-entity></link-entity>"#;
const BROKEN: &str =
    r#"<filter type="and"><condition attribute="new_region" operator="eq" value="7" /></filter>"#;
const PILOT: &str = r#"<filter type="and"><condition attribute="domainname" operator="begins-with" value="a" /><condition attribute="isdisabled" operator="eq" value="0" /></filter>"#;

/// Views of the organisation: name, query, state.
const SYSTEM: &[(&str, &str, i32)] = &[
    ("Enabled Users", ENABLED, 0),
    ("Disabled Users", DISABLED, 0),
    ("Users of My Business Unit", OWN_UNIT, 0),
    ("Salespeople", SALESPEOPLE, 0),
    ("Field Sales Team", FIELD_SALES, 0),
    ("Users of a Former Region", BROKEN, 0),
    ("Old List of Users", DISABLED, 1),
];

/// Views of the caller; the second has the same name as a view of the organisation.
const PERSONAL: &[(&str, &str, &str)] = &[
    ("systemuser", "Pilot group", PILOT),
    ("systemuser", "Enabled Users", ENABLED),
    ("contact", "Contacts of mine", ""),
];

pub(super) fn system_views(rng: &mut Rng, author: PersonIndex) -> Vec<ViewRecord> {
    let views = SYSTEM.iter().zip(6_000..);
    views
        .map(|(&(name, asks, state), version)| ViewRecord {
            id: rng.id(),
            name: name.to_owned(),
            table: "systemuser".into(),
            fetch_xml: fetch_xml("systemuser", asks),
            query_type: 0,
            is_default: false,
            state,
            status: Some(state + 1),
            version,
            modified_on: rng.moment(1500),
            modified_by: author,
            on_behalf: None,
        })
        .collect()
}

/// A filter of the organisation that selects all appointments, whatever users' own filters select.
pub(super) fn calendar_filter(rng: &mut Rng, author: PersonIndex) -> ViewRecord {
    ViewRecord {
        id: rng.id(),
        name: "All open appointments for everybody".to_owned(),
        table: "appointment".into(),
        fetch_xml: fetch_xml(
            "appointment",
            r#"<filter type="and"><condition attribute="statecode" operator="in"><value>0</value><value>3</value></condition></filter>"#,
        ),
        query_type: 256,
        is_default: false,
        state: 0,
        status: Some(1),
        version: 6_100,
        modified_on: rng.moment(1500),
        modified_by: author,
        on_behalf: None,
    }
}

/// The views of the caller.
pub(super) fn personal_views(rng: &mut Rng, owner: PersonIndex) -> Vec<FilterRecord> {
    let views = PERSONAL.iter().zip(6_200..);
    views
        .map(|(&(table, name, asks), version)| {
            let created_on = rng.moment(300);
            let name: Arc<str> = name.into();
            FilterRecord {
                id: rng.id(),
                owner,
                name,
                table: table.into(),
                fetch_xml: fetch_xml(table, asks),
                description: None,
                query_type: 0,
                state: 0,
                status: Some(1),
                parent: None,
                version,
                created_on,
                modified_on: created_on,
                modified_by: owner,
                on_behalf: None,
                created_on_behalf: None,
                shared_with: None,
            }
        })
        .collect()
}
