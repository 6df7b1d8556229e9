//! On-premises and version 8.

use syncfilters::journal::Finding;
use syncfilters::model::Operation;
use syncfilters::rollout::RolloutError;
use syncfilters::sandbox::{Options, Switch, Switches, Version};
use tokio_util::sync::CancellationToken;

use crate::world::{World, started};

#[tokio::test]
async fn servers_of_every_version_are_spoken_to_in_their_own_way() {
    for version in [Version::V8_0, Version::V8_2, Version::V9_1, Version::V9_2] {
        let world = World::new(Options {
            users: 60,
            version,
            path_prefix: Some("contoso".into()),
            ..Options::default()
        })
        .await;
        let before = world.states();
        let done = world.carry_out(Operation::Deactivate).await;
        let changed = done.reader().view(|view| view.users()).unwrap().changed;
        assert!(changed > 25, "{version:?}: {changed}");
        world.undo(&done).await;
        assert_eq!(world.states(), before, "{version:?}");
    }
}

#[tokio::test]
async fn users_are_listed_without_a_refused_request_on_every_version() {
    for version in [Version::V8_0, Version::V8_2, Version::V9_1, Version::V9_2] {
        let world = World::new(Options {
            users: 30,
            version,
            ..Options::default()
        })
        .await;
        let reader = world.reader(&CancellationToken::new()).await;
        world.sandbox.reset_counts();
        while reader.users(None).next().await.unwrap().is_none() {}
        // Columns that the version lacks would each have cost a refused request.
        assert_eq!(world.sandbox.counts().users, 1, "{version:?}");
    }
}

#[tokio::test]
async fn where_one_header_is_not_honoured_the_other_is_tried_before_the_run_gives_up() {
    for ignored in [Switch::IgnoreCallerObjectId, Switch::IgnoreMscrmCallerId] {
        let world = World::new(Options {
            users: 30,
            switches: Switches::none().with(ignored),
            ..Options::default()
        })
        .await;
        let done = world.carry_out(Operation::Deactivate).await;
        let changed = done.reader().view(|view| view.users()).unwrap().changed;
        assert!(changed > 15, "{ignored}: {changed}");
    }
    let world = World::new(Options {
        users: 30,
        switches: Switches::none().with(Switch::DropImpersonation),
        ..Options::default()
    })
    .await;
    let run = world.begin(started(Operation::Deactivate)).await;
    let refused = run.plan().await.unwrap_err();
    assert!(
        matches!(refused, RolloutError::NotImpersonated { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_table_without_optimistic_concurrency_is_known_before_the_first_write_and_said() {
    let world = World::new(Options {
        users: 30,
        plain: true,
        switches: Switches::none().with(Switch::NoOptimisticConcurrency),
        ..Options::default()
    })
    .await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    let findings = run.journal().view(|view| view.findings()).await.unwrap();
    assert!(findings.contains(&Finding::AnyVersion), "{findings:?}");
    world.sandbox.reset_counts();
    run.apply().await.unwrap();
    let counts = world.sandbox.counts();
    let done = run.finish().await;
    let filters = done.reader().view(|view| view.filters()).unwrap();
    assert!(filters.changed > 50);
    // No version was tried in vain.
    assert_eq!(counts.patches, filters.changed);
    let findings = done.reader().view(|view| view.findings()).unwrap();
    assert!(findings.contains(&Finding::AnyVersion), "{findings:?}");
}
