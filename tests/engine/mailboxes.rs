//! Users who are switched off though their mailbox synchronises nothing.

use syncfilters::journal::{Finding, ImpactOptions};
use syncfilters::model::{Operation, UserId};
use syncfilters::sandbox::{Options, Switch, Switches, Version};

use crate::world::{Run, World, started};

async fn planned(world: &World) -> Run {
    let run = world.begin(started(Operation::Deactivate)).await;
    let asked = ImpactOptions {
        impact: true,
        other_engine: None,
    };
    run.journal().ask(asked).await.unwrap();
    run.plan().await.unwrap();
    run
}

/// How many users the findings name: those whose mailbox does not synchronise, and those by the add-in. That mailboxes
/// could not be read is a failure.
async fn named(run: &Run) -> [u64; 2] {
    let journal = run.journal();
    let findings = journal.view(|view| view.findings()).await.unwrap();
    let unknown = |it: &Finding| matches!(it, Finding::MailboxesUnknown(_));
    assert!(!findings.iter().any(unknown), "{findings:?}");
    let mut named = [0, 0];
    for finding in findings {
        match finding {
            Finding::NoMailbox(several) => named[0] = several.users,
            Finding::OutlookClient(several) => named[1] = several.users,
            _ => {}
        }
    }
    named
}

/// What the plan says is lost, and what it does not add.
async fn total(run: &Run) -> (u64, u64) {
    let journal = run.journal();
    let impact = journal.view(|view| view.impact(1)).await.unwrap().unwrap();
    (impact.items, impact.without_mailbox)
}

#[tokio::test]
async fn users_to_be_changed_whose_mailbox_does_not_synchronise_are_all_counted() {
    let world = World::with_users(200).await;
    let run = planned(&world).await;
    let journal = run.journal();
    let (mut idle, mut client, mut lost, mut kept) = (0, 0, 0, 0);
    for user in world.sandbox.users() {
        let id = UserId(user.id);
        let changing = journal.view(move |view| view.impact_of(id)).await.unwrap();
        let items: u64 = changing.iter().filter_map(|row| row.items).sum();
        let counts = u64::from(!changing.is_empty());
        if user.synchronises {
            lost += items;
            client += counts * u64::from(user.delivery == Some(0));
        } else {
            idle += counts;
            kept += items;
        }
    }
    assert!(idle > 1 && client > 0 && kept > 0, "{idle} {client} {kept}");
    assert_eq!(named(&run).await, [idle, client]);
    assert_eq!(total(&run).await, (lost, kept));
}

#[tokio::test]
async fn on_premises_with_the_add_in_everybody_is_counted() {
    let world = World::new(Options {
        users: 40,
        plain: true,
        version: Version::V8_2,
        switches: Switches::none().with(Switch::OutlookClient),
        ..Options::default()
    })
    .await;
    let run = planned(&world).await;
    let [idle, client] = named(&run).await;
    assert!(idle == 0 && client >= 40, "{idle} {client}");
    let (lost, kept) = total(&run).await;
    assert!(lost > 0 && kept == 0, "{lost} {kept}");
}

#[tokio::test]
async fn where_all_mailboxes_synchronise_nobody_is_named() {
    let world = World::new(Options {
        users: 40,
        plain: true,
        ..Options::default()
    })
    .await;
    assert_eq!(named(&planned(&world).await).await, [0, 0]);
}
