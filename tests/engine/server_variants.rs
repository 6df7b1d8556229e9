//! What no document settles: the client does the same on either kind of server.

use std::time::Duration;

use syncfilters::model::Operation;
use syncfilters::rollout::RolloutError;
use syncfilters::sandbox::{Fault, Faults, Limits, Options, Switch, Switches};

use tokio_util::sync::CancellationToken;

use crate::world::{World, started};

fn switched(switches: &[Switch]) -> Switches {
    let with = |all: Switches, switch: &Switch| all.with(*switch);
    switches.iter().fold(Switches::none(), with)
}

/// The same change on a server that behaves as documented and on this one ends in the same states.
async fn ends_as_elsewhere(options: Options) -> World {
    let reference = World::with_users(options.users).await;
    reference.carry_out(Operation::Deactivate).await;
    let world = World::new(options).await;
    let done = world.carry_out(Operation::Deactivate).await;
    assert_eq!(world.states(), reference.states(), "{:?}", done.problems());
    world
}

/// A server that grants few requests in a second.
fn strict(switch: Switch) -> Options {
    Options {
        users: 60,
        limits: Limits {
            requests: Some(40),
            window: Duration::from_secs(1),
            ..Limits::none()
        },
        switches: switched(&[switch]),
        ..Options::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_that_is_a_date_is_waited_for_too() {
    let world = ends_as_elsewhere(strict(Switch::RetryAfterDate)).await;
    assert!(world.sandbox.counts().throttled > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_count_for_each_impersonated_user_change_nothing() {
    ends_as_elsewhere(strict(Switch::LimitsPerImpersonatedUser)).await;
}

#[tokio::test]
async fn a_caller_who_may_not_impersonate_is_told_so_by_either_code() {
    let world = World::new(Options {
        users: 30,
        switches: switched(&[
            Switch::CallerCannotActOnBehalf,
            Switch::ActOnBehalfAsMissingPrivilege,
        ]),
        ..Options::default()
    })
    .await;
    let run = world.begin(started(Operation::Deactivate)).await;
    let error = run.plan().await.unwrap_err();
    assert!(
        matches!(error, RolloutError::MayNotImpersonate(_)),
        "{error}"
    );
}

#[tokio::test]
async fn a_batch_that_stops_is_finished_whatever_its_answer_holds() {
    for switches in [
        switched(&[Switch::NoContinueOnError]),
        switched(&[Switch::NoContinueOnError, Switch::BatchStopOmitsEarlier]),
    ] {
        ends_as_elsewhere(Options {
            users: 60,
            switches,
            // So few that no user uses up all tries.
            faults: Faults::none().with(Fault::ThrottlePart, 0.02),
            ..Options::default()
        })
        .await;
    }
}

#[tokio::test]
async fn a_conditional_write_that_fails_without_a_code_is_understood() {
    ends_as_elsewhere(Options {
        users: 60,
        switches: switched(&[Switch::EmptyErrorCodes]),
        faults: Faults::none().with(Fault::Meanwhile, 0.3),
        ..Options::default()
    })
    .await;
}

#[tokio::test]
async fn an_organisation_without_the_setting_for_deletions_is_one_that_deletes_for_all_that_is_known()
 {
    let world = World::new(Options {
        users: 30,
        switches: switched(&[Switch::DistinctDeletesAbsent]),
        ..Options::default()
    })
    .await;
    let reader = world.reader(&CancellationToken::new()).await;
    assert_ne!(reader.distinct_deletes().await.unwrap(), Some(true));
}
