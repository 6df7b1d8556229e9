//! Mailboxes, and who of the users has one that synchronises appointments.

use std::collections::BTreeSet;

use syncfilters::sandbox::{Options, UserKind};

use crate::bench::{bench, with};

/// What a client asks to find those of whom nothing is synchronised.
const IDLE: &str = "systemusers?$select=systemuserid&$filter=_defaultmailbox_value%20eq%20null%20or%20\
                    defaultmailbox/actdeliverymethod%20eq%202%20or%20(defaultmailbox/actdeliverymethod%20eq%201%20\
                    and%20defaultmailbox/enabledforact%20ne%20true)";

#[tokio::test]
async fn users_are_filtered_by_what_their_mailbox_synchronises() {
    let bench = bench("").await;
    let rows = bench.get(IDLE).await.rows();
    let found: BTreeSet<_> = rows
        .iter()
        .map(|row| row["systemuserid"].as_str().unwrap().to_owned())
        .collect();
    let users = bench.sandbox.users();
    let idle = users.iter().filter(|user| !user.synchronises);
    let with_mailbox = idle.clone().filter(|user| user.kind != UserKind::BuiltIn);
    assert!(with_mailbox.count() > 1);
    assert_eq!(found, idle.map(|user| user.id.to_string()).collect());
    assert!(found.len() < users.len() / 2);
}

#[tokio::test]
async fn a_user_and_the_mailbox_name_each_other() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let url = format!(
        "systemusers({})?$select=_defaultmailbox_value&$expand=defaultmailbox($select=name,actdeliverymethod)",
        user.id
    );
    let row = bench.get(&url).await.json();
    let id = row["_defaultmailbox_value"].as_str().unwrap();
    assert_eq!(row["defaultmailbox"]["mailboxid"], id);
    assert_eq!(row["defaultmailbox"]["name"], user.name);
    let mailbox = bench.get(&format!("mailboxes({id})")).await.json();
    assert_eq!(mailbox["_regardingobjectid_value"], user.id.to_string());
    assert_eq!(mailbox["emailaddress"], user.email.clone().unwrap());
    assert!(mailbox["enabledforact"].is_boolean() && mailbox["actstatus"].is_number());
    let all = bench.get("mailboxes?$select=mailboxid").await.rows();
    let without = "systemusers?$select=fullname&$filter=_defaultmailbox_value%20eq%20null";
    let without = bench.get(without).await.rows();
    assert!(without.iter().any(|row| row["fullname"] == "SYSTEM"));
    assert_eq!(all.len() + without.len(), bench.sandbox.users().len());
}

#[tokio::test]
async fn the_documents_know_mailboxes() {
    let bench = bench("").await;
    let metadata = bench.get("$metadata").await.text;
    for declared in [
        r#"<EntitySet Name="mailboxes" EntityType="Microsoft.Dynamics.CRM.mailbox" />"#,
        r#"<NavigationProperty Name="defaultmailbox" Type="mscrm.mailbox" />"#,
        r#"<Property Name="actdeliverymethod""#,
    ] {
        assert!(metadata.contains(declared), "{declared}");
    }
    let definition = "EntityDefinitions(LogicalName='mailbox')?$select=EntitySetName";
    assert_eq!(
        bench.get(definition).await.json()["EntitySetName"],
        "mailboxes"
    );
}

#[tokio::test]
async fn of_plain_people_all_mailboxes_synchronise() {
    let bench = with(Options {
        plain: true,
        ..Options::default()
    })
    .await;
    let users = bench.sandbox.users();
    let people = users.iter().filter(|user| user.kind != UserKind::BuiltIn);
    assert!(people.clone().count() > 50 && people.clone().all(|user| user.synchronises));
    let idle = users.iter().filter(|user| !user.synchronises).count();
    assert_eq!(bench.get(IDLE).await.rows().len(), idle);
}

#[tokio::test]
async fn by_a_switch_the_add_in_synchronises_instead_of_the_server() {
    let bench = with(Options {
        plain: true,
        switches: "outlook-client".parse().unwrap(),
        ..Options::default()
    })
    .await;
    let by_server = "mailboxes?$select=mailboxid&$filter=actdeliverymethod%20eq%201";
    assert!(bench.get(by_server).await.rows().is_empty());
    let by_client = "mailboxes?$select=mailboxid&$filter=actdeliverymethod%20eq%200";
    assert!(bench.get(by_client).await.rows().len() > 50);
}
