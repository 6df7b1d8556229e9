//! Servers that do not do what they should, and answers that are not what they seem.

use syncfilters::dataverse;
use syncfilters::model::Operation;
use syncfilters::rollout::RolloutError;
use syncfilters::sandbox::{Fault, Faults, Options, Switch, Switches};

use crate::world::{World, started};

async fn world(switch: Switch) -> World {
    World::new(Options {
        users: 60,
        switches: Switches::none().with(switch),
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn nothing_is_written_where_impersonation_is_dropped() {
    let world = world(Switch::DropImpersonation).await;
    let before = world.sandbox.filters();
    let run = world.begin(started(Operation::Deactivate)).await;
    let error = run.plan().await.unwrap_err();
    assert!(
        matches!(error, RolloutError::NotImpersonated { .. }),
        "{error}"
    );
    assert_eq!(world.sandbox.filters(), before);
}

#[tokio::test]
async fn a_who_am_i_that_ignores_impersonation_is_no_reason_to_give_up() {
    let world = world(Switch::WhoAmIIgnoresImpersonation).await;
    let done = world.carry_out(Operation::Deactivate).await;
    assert!(done.reader().view(|view| view.users()).unwrap().changed > 0);
}

#[tokio::test]
async fn a_caller_who_may_not_impersonate_is_told_so_before_anything_else() {
    let world = world(Switch::CallerCannotActOnBehalf).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    let error = run.plan().await.unwrap_err();
    assert!(
        matches!(error, RolloutError::MayNotImpersonate(_)),
        "{error}"
    );
}

#[tokio::test]
async fn a_next_page_on_another_server_is_not_asked_for() {
    let world = World::new(Options {
        users: 6000,
        switches: Switches::none().with(Switch::NextLinkToOtherHost),
        ..Options::default()
    })
    .await;
    let run = world.begin(started(Operation::Deactivate)).await;
    let error = run.gather().await.unwrap_err();
    assert!(
        matches!(
            error,
            RolloutError::Dataverse(dataverse::Error::ForeignUrl { .. })
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_table_without_versions_is_written_on_any_version() {
    let world = world(Switch::NoOptimisticConcurrency).await;
    let done = world.carry_out(Operation::Deactivate).await;
    assert!(done.reader().view(|view| view.users()).unwrap().changed > 0);
}

#[tokio::test]
async fn a_page_that_is_cut_off_is_asked_for_again_or_told_and_never_half_used() {
    let world = World::with_users(60).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    world
        .sandbox
        .set_faults(Faults::none().with(Fault::Truncated, 1.0));
    let error = run.gather().await.unwrap_err();
    assert!(matches!(error, RolloutError::Dataverse(_)), "{error}");
}

#[tokio::test]
async fn a_sign_in_page_instead_of_json_is_told_with_its_first_words() {
    let world = World::with_users(60).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    world
        .sandbox
        .set_faults(Faults::none().with(Fault::Html200, 1.0));
    let error = run.gather().await.unwrap_err();
    assert!(
        matches!(
            error,
            RolloutError::Dataverse(dataverse::Error::BadAnswer { .. })
        ),
        "{error}"
    );
    assert!(error.to_string().contains("it begins with"), "{error}");
}
