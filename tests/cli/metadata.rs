//! No command sends a name that exists nowhere: every request is held against real metadata documents.

use std::collections::BTreeSet;

use syncfilters::sandbox::{Options, RecordedRequest, UserKind, Version};

use crate::world::World;

mod condition;
mod documents;
mod fetch;
mod request;

use documents::Documents;
use request::unknown_names;

const YES: [&str; 2] = ["--yes", "--accept-calendar-loss"];

/// What a version sends, whatever the commands end with: what is not there is refused, and is asked for all the same.
fn everything_that_is_sent(version: Version) -> Vec<RecordedRequest> {
    let world = World::new(Options {
        users: 25,
        version,
        ..Options::default()
    });
    world.sandbox.record();
    let mut users = world.sandbox.users().into_iter();
    let user = users
        .find(|it| it.kind == UserKind::Ordinary && !it.login.is_empty())
        .unwrap();
    let run = |args: &[&str]| {
        let ended = world.run(args);
        let usual = [Some(0), Some(3), Some(10)];
        assert!(usual.contains(&ended.code), "{version} {args:?}: {ended:?}");
        ended
    };
    run(&["whoami"]);
    // Where impersonation or a right cannot be proved it fails, and has asked all the same.
    world.run(&["doctor"]);
    run(&[
        "list",
        "--type",
        "all",
        "--kind",
        "both",
        "--user",
        &user.login,
    ]);
    run(&["list", "--role", "Salesperson", "--team", "Field Sales"]);
    run(&["list", "--role", "Salesperson", "--role", "Basic User"]);
    run(&[
        "list",
        "--business-unit",
        &user.business_unit,
        "--user",
        &user.id.to_string(),
    ]);
    run(&[
        "list",
        "--where",
        "isdisabled eq false",
        "--exclude-user",
        &user.login,
    ]);
    run(&["list", "--view", "Salespeople"]);
    run(&["list", "--view", "Pilot group"]);
    run(&["list", "--survey", "administrator", "--type", "contact"]);
    run(&["check", "active"]);
    let user_twice = ["--user", &user.login, "--confirm-user", &user.login];
    run(&[&["trial", "--output", "-"], &user_twice[..], &YES[..]].concat());
    run(&["plan", "deactivate", "--impact", "--type", "all"]);
    run(&[&["deactivate", "--impact"], &YES[..]].concat());
    run(&["undo", "latest", "--yes"]);
    run(&["templates", "list", "--type", "all", "--kind", "both"]);
    run(&["templates", "deactivate", "--clear-default", "--yes"]);
    run(&["templates", "activate", "--yes"]);
    world.sandbox.recorded()
}

fn unknown(version: Version, requests: &[RecordedRequest]) -> BTreeSet<String> {
    let documents = Documents::of(version.as_str());
    let of = |request: &RecordedRequest| {
        let names = unknown_names(&documents, request);
        let request = format!("{} {}?{:.160}", request.method, request.path, request.query);
        names
            .into_iter()
            .map(move |name| format!("{name}: {request}"))
    };
    requests.iter().flat_map(of).collect()
}

fn is_sent_by(version: Version) {
    let requests = everything_that_is_sent(version);
    assert!(requests.iter().any(|it| it.method == "PATCH"), "{version}");
    assert!(
        requests.iter().any(|it| it.query.starts_with("fetchXml=")),
        "{version}"
    );
    let unknown = unknown(version, &requests);
    let some: Vec<_> = unknown.iter().take(20).collect();
    assert!(unknown.is_empty(), "{version}: {} {some:#?}", unknown.len());
}

#[test]
fn every_name_that_is_sent_to_version_9_2_is_declared_somewhere() {
    is_sent_by(Version::V9_2);
}

#[test]
fn every_name_that_is_sent_to_version_9_1_is_declared_by_it() {
    is_sent_by(Version::V9_1);
}

#[test]
fn every_name_that_is_sent_to_version_8_2_is_declared_by_it() {
    is_sent_by(Version::V8_2);
}

#[test]
fn every_name_that_is_sent_to_version_8_0_is_declared_by_it() {
    is_sent_by(Version::V8_0);
}

fn request(method: &str, address: &str, body: &str) -> RecordedRequest {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    RecordedRequest {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        body: body.into(),
    }
}

const ID: &str = "00000000-0000-0000-0000-000000000001";

#[test]
fn an_invented_name_is_found_wherever_it_stands() {
    let documents = Documents::of("9.1");
    let get = |address: &str| unknown_names(&documents, &request("GET", address, ""));
    for good in [
        "WhoAmI",
        "userqueries?$select=name,_ownerid_value&$filter=querytype eq 256",
        "systemusers?$filter=Microsoft.Dynamics.CRM.EqualUserId(PropertyName='systemuserid')",
        "systemusers?$filter=(domainname%20eq%20'a''b invented' or defaultmailbox/enabledforact eq true)",
        "teams?$filter=teamroles_association/any(x:x/name eq 'invented')",
        "EntityDefinitions(LogicalName='invented')?$select=LogicalName",
        "RetrieveCurrentOrganization(AccessType=@p1)?@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Default'",
    ] {
        assert_eq!(get(good), Vec::<String>::new(), "{good}");
    }
    let of_user = format!("systemusers({ID})");
    for bad in [
        "invented",
        "userqueries(invented=1)",
        "userqueries?$select=name,invented",
        "userqueries?$select=azurestate",
        "userqueries?$filter=invented eq 256",
        "userqueries?$filter=querytype eq 256 and contains(invented,'x')",
        "userqueries?$filter=querytype eq invented",
        "userqueries?$invented=1",
        "systemusers?$filter=defaultmailbox/invented eq 1",
        "systemusers?$filter=invented/name eq 1",
        "systemusers?$filter=domainname/name eq 1",
        "teams?$filter=teamroles_association/any(x:x/invented eq 'a')",
        "systemusers?$filter=Microsoft.Dynamics.CRM.Invented(PropertyName='systemuserid')",
        "systemusers?$filter=Microsoft.Dynamics.CRM.EqualUserId(PropertyName='invented')",
        "systemusers?$filter=Microsoft.Dynamics.CRM.EqualUserId(Invented='systemuserid')",
        "EntityDefinitions(Invented='a')",
        "RetrieveCurrentOrganization(Invented=@p1)",
        "RetrieveCurrentOrganization(AccessType=@p1)?@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Invented'",
        &format!("{of_user}/invented"),
        &format!("{of_user}/Microsoft.Dynamics.CRM.Invented()"),
        &format!("{of_user}/Microsoft.Dynamics.CRM.WhoAmI()"),
        &format!(
            "{of_user}/Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName(Invented='a')"
        ),
    ] {
        assert!(!get(bad).is_empty(), "{bad}");
    }
}

#[test]
fn an_invented_name_is_found_in_a_query_and_in_a_body() {
    let documents = Documents::of("9.1");
    let fetch = |inside: &str| {
        let query = format!("<fetch><entity name='appointment'>{inside}</entity></fetch>");
        let address = format!("appointments?fetchXml={query}");
        unknown_names(&documents, &request("GET", &address, ""))
    };
    let link = |inside: &str| {
        format!(
            "<link-entity name='activityparty' from='activityid' to='activityid'>{inside}</link-entity>"
        )
    };
    let good = link("<condition attribute='partyid' operator='eq-userid'/>");
    assert_eq!(fetch(&good), Vec::<String>::new());
    for bad in [
        "<attribute name='invented'/>",
        "<invented/>",
        "<filter><condition attribute='invented' operator='eq' value='1'/></filter>",
        "<filter><condition attribute='statecode' operator='invented' value='1'/></filter>",
        "<link-entity name='activityparty' from='invented' to='activityid'/>",
        "<link-entity name='activityparty' from='activityid' to='invented'/>",
        &link("<filter><condition attribute='invented' operator='null'/></filter>"),
    ] {
        assert_eq!(fetch(bad).len(), 1, "{bad}: {:?}", fetch(bad));
    }
    let patch = |body: &str| {
        let address = format!("userqueries({ID})");
        unknown_names(&documents, &request("PATCH", &address, body))
    };
    assert_eq!(
        patch(r#"{"statecode":1,"statuscode":2}"#),
        Vec::<String>::new()
    );
    assert_eq!(patch(r#"{"isdefault":true}"#).len(), 1, "of another table");
    assert_eq!(patch(r#"{"invented@odata.bind":"/x"}"#).len(), 1);
}

#[test]
fn what_a_version_does_not_have_yet_is_unknown_to_it() {
    let depth = format!(
        "systemusers({ID})/Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='a')"
    );
    for (address, since) in [
        ("systemusers?$select=applicationid", Version::V8_2),
        ("userqueries?$select=layoutjson", Version::V9_1),
        (&*depth, Version::V9_1),
        ("systemusers?$select=azurestate", Version::V9_2),
    ] {
        for version in Version::ALL {
            let documents = Documents::of(version.as_str());
            let unknown = unknown_names(&documents, &request("GET", address, ""));
            assert_eq!(unknown.is_empty(), version >= since, "{version} {address}");
        }
    }
}
