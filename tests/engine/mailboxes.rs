//! Users who are switched off though their mailbox synchronises nothing.

use syncfilters::journal::{Asked, Finding};
use syncfilters::model::{Operation, UserId};
use syncfilters::sandbox::Options;

use crate::support::{Run, World, started};

async fn planned(world: &World) -> Run {
    let run = world.begin(started(Operation::Deactivate)).await;
    let asked = Asked {
        impact: true,
        other_engine: None,
    };
    run.journal().ask(asked).await.unwrap();
    run.plan().await.unwrap();
    run
}

/// How many users the finding names; 0 where there is none. That mailboxes could not be read is a failure.
async fn named(run: &Run) -> u64 {
    let journal = run.journal();
    let findings = journal.view(|view| view.findings()).await.unwrap();
    let unknown = |it: &Finding| matches!(it, Finding::MailboxesUnknown(_));
    assert!(!findings.iter().any(unknown), "{findings:?}");
    let of = |it: &Finding| match it {
        Finding::NoMailbox(several) => Some(several.users),
        _ => None,
    };
    findings.iter().find_map(of).unwrap_or(0)
}

#[tokio::test]
async fn users_to_be_changed_whose_mailbox_does_not_synchronise_are_all_counted() {
    let world = World::with_users(120).await;
    let run = planned(&world).await;
    let journal = run.journal();
    let mut expected = 0;
    for user in world.sandbox.users() {
        let id = UserId(user.id);
        let changing = journal.view(move |view| view.impact_of(id)).await.unwrap();
        expected += u64::from(!user.synchronises && !changing.is_empty());
    }
    assert!(expected > 1, "{expected}");
    assert_eq!(named(&run).await, expected);
}

#[tokio::test]
async fn where_all_mailboxes_synchronise_nobody_is_named() {
    let world = World::new(Options {
        users: 40,
        plain: true,
        ..Options::default()
    })
    .await;
    assert_eq!(named(&planned(&world).await).await, 0);
}
