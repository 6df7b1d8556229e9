//! A run that is cut off anywhere is finished from its file.

use std::time::Duration;

use syncfilters::journal::{OpenError, RunFile};
use syncfilters::model::{Operation, Outcome};
use syncfilters::plan::{RunSettings, Wave};
use syncfilters::rollout::{Drifted, Halted, IntoPlan, NewRunFile, RolloutError, StopReason, open};
use syncfilters::sandbox::{Fault, Faults, Limits, Options};

use tokio_util::sync::CancellationToken;

use crate::world::{Run, World, started};

async fn slow_world() -> World {
    World::new(Options {
        users: 120,
        latency: Duration::from_millis(3),
        ..Options::default()
    })
    .await
}

/// Finishes a run from whatever its file says.
async fn finish(run: &Run) {
    run.apply().await.unwrap();
}

/// Plans a new run and applies it.
async fn carry_out(run: &Run) {
    run.plan().await.unwrap();
    run.apply().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_aborted_at_any_moment_is_finished_and_undone_exactly() {
    let reference = World::with_users(120).await;
    let before = reference.states();
    reference.carry_out(Operation::Deactivate).await;
    let expected = reference.states();
    for moment in [5, 40, 90, 140, 200, 260] {
        let world = slow_world().await;
        let run = world.begin(started(Operation::Deactivate)).await;
        let path = run.path.clone();
        // Dropped in the middle, requests under way and all: as near to a kill as one process comes.
        let _ = tokio::time::timeout(Duration::from_millis(moment), carry_out(&run)).await;
        drop(run);
        let again = world.reopen(&path).await;
        finish(&again).await;
        let done = again.finish().await;
        assert_eq!(world.states(), expected, "aborted after {moment} ms");
        world.undo(&done).await;
        assert_eq!(world.states(), before, "aborted after {moment} ms");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_aborted_while_the_server_asks_for_quiet_is_finished_exactly() {
    let reference = World::with_users(60).await;
    reference.carry_out(Operation::Deactivate).await;
    let world = World::new(Options {
        users: 60,
        limits: Limits {
            requests: Some(40),
            window: Duration::from_secs(1),
            ..Limits::none()
        },
        ..Options::default()
    })
    .await;
    let run = world.begin(started(Operation::Deactivate)).await;
    let path = run.path.clone();
    // Long enough for refusals to have come, and far from the end.
    let _ = tokio::time::timeout(Duration::from_millis(1900), carry_out(&run)).await;
    drop(run);
    assert!(world.sandbox.counts().throttled > 0);
    let again = world.reopen(&path).await;
    finish(&again).await;
    again.finish().await;
    assert_eq!(world.states(), reference.states());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_finishes_what_is_under_way_and_leaves_the_rest() {
    let world = slow_world().await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    let interrupted = run.interrupted.clone();
    let interrupt = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        interrupted.cancel();
    };
    let (result, ()) = tokio::join!(run.apply(), interrupt);
    assert!(matches!(
        result,
        Err(RolloutError::Interrupted | RolloutError::Dataverse(_))
    ));
    let path = run.path.clone();
    drop(run);
    let again = world.reopen(&path).await;
    let pending = again.journal().to_apply(0, 1000).await.unwrap();
    assert!(!pending.is_empty());
    let unknown = pending.iter().flat_map(|user| &user.changes);
    assert_eq!(unknown.filter(|change| change.maybe_written).count(), 0);
}

#[tokio::test]
async fn two_processes_cannot_drive_one_run() {
    let world = World::with_users(30).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    let second = RunFile::open(&run.path);
    assert!(matches!(second, Err(OpenError::Busy { .. })));
}

#[tokio::test]
async fn a_saved_plan_that_no_longer_fits_is_refused() {
    let world = World::with_users(60).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    run.compare().await.unwrap();
    let pending = run.journal().to_apply(0, 1).await.unwrap();
    let row = pending[0].changes[0].change.filter;
    world.sandbox.delete(row.0);
    let error = run.compare().await.unwrap_err();
    assert!(
        matches!(error, RolloutError::Stale { count: 1, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_dry_run_walks_the_whole_path_and_sends_no_write() {
    let world = World::with_users(60).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    let before = world.sandbox.filters();
    world.sandbox.reset_counts();
    let found = run.rehearse().await.unwrap();
    assert!(found.filters > 0 && found.drifted == 0, "{found:?}");
    let counts = world.sandbox.counts();
    assert_eq!((counts.patches, counts.batches), (0, 0));
    assert_eq!(world.sandbox.filters(), before);
    run.apply().await.unwrap();
    assert_ne!(world.sandbox.filters(), before, "the plan was kept");
}

#[tokio::test]
async fn a_wave_changes_so_many_users_and_the_next_one_goes_on() {
    let world = World::with_users(60).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    let all = run.journal().users_to_change().await.unwrap();
    let wave = |users| RunSettings {
        waves: vec![Wave::Users(users), Wave::Rest],
        ..RunSettings::default()
    };
    assert_eq!(run.apply_with(wave(10)).await.unwrap(), all - 10);
    assert_eq!(run.apply_with(wave(7)).await.unwrap(), all - 17);
    assert_eq!(run.apply_with(wave(1000)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_wave_in_which_too_many_fail_stops_and_leaves_the_rest() {
    let world = World::with_users(60).await;
    let mut new = started(Operation::Deactivate);
    new.settings.stop_after_failures = Some("2".parse().unwrap());
    let run = world.begin(new).await;
    run.plan().await.unwrap();
    world
        .sandbox
        .set_faults(Faults::none().with(Fault::Internal500, 1.0));
    let error = run.apply().await.unwrap_err();
    assert!(error.to_string().contains("and the limit is 2"), "{error}");
    world.sandbox.set_faults(Faults::none());
    let path = run.path.clone();
    drop(run);
    let again = world.reopen(&path).await;
    assert!(again.journal().users_to_change().await.unwrap() > 0);
}

#[tokio::test]
async fn what_failed_in_a_finished_run_is_done_when_it_is_tried_again() {
    let reference = World::with_users(60).await;
    let before = reference.states();
    let undisturbed = reference.carry_out(Operation::Deactivate).await;
    let world = World::with_users(60).await;
    let mut new = started(Operation::Deactivate);
    new.settings.stop_after_failures = Some("2".parse().unwrap());
    let run = world.begin(new).await;
    let path = run.path.clone();
    let strikes = |fault, rate| world.sandbox.set_faults(Faults::none().with(fault, rate));
    strikes(Fault::ForeignRow, 0.1);
    run.plan().await.unwrap();
    let unread = run.journal().user_totals().await.unwrap().failed;
    strikes(Fault::Internal500, 1.0);
    run.apply().await.unwrap_err();
    drop(run);
    world.sandbox.set_faults(Faults::none());
    let run = world.reopen(&path).await;
    run.apply().await.unwrap();
    let done = run.finish().await;
    assert_eq!(done.outcome, Outcome::Partial);
    let failed = done.reader().view(|view| view.users()).unwrap().failed;
    assert!(unread > 0 && failed > unread, "{unread} of {failed}");

    let again = world.reopen(&path).await;
    finish(&again).await;
    let done = again.finish().await;
    assert_eq!(done.problems(), undisturbed.problems());
    assert_eq!(world.states(), reference.states());
    world.undo(&done).await;
    assert_eq!(world.states(), before);
}

/// Whether a run was left because its time had come, to be resumed.
fn is_stopped_by_time(halted: &Halted) -> bool {
    let outcome = halted.run.as_ref().map(|run| run.outcome);
    matches!(halted.why, RolloutError::Stopped(StopReason::TimeReached))
        && outcome == Some(Outcome::Stopped)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_time_comes_before_its_first_change_is_stopped_and_not_interrupted() {
    let world = slow_world().await;
    let on = world.connect(&CancellationToken::new()).await;
    let created = |name: &str| {
        let at = NewRunFile::At(world.folder.path().join(name));
        started(Operation::Deactivate).create(&on, &at).unwrap()
    };
    let run = created("gather.run");
    run.handle().control.stop_because(StopReason::TimeReached);
    let halted = run.gather().await.unwrap_err();
    assert!(is_stopped_by_time(&halted), "{halted:?}");

    let run = created("survey.run").gather().await.unwrap();
    run.handle().control.stop_because(StopReason::TimeReached);
    let halted = run.survey().await.unwrap_err();
    assert!(is_stopped_by_time(&halted), "{halted:?}");
    drop(halted);

    let path = world.folder.path().join("survey.run");
    let opened = open(RunFile::open(&path).unwrap(), &on, RunSettings::default());
    let IntoPlan::Planned(planned, _) = opened
        .await
        .unwrap()
        .into_plan(Drifted::Refuse)
        .await
        .unwrap()
    else {
        panic!("there is a plan");
    };
    drop(planned.keep().await.unwrap());
    let opened = open(RunFile::open(&path).unwrap(), &on, RunSettings::default());
    let opened = opened.await.unwrap();
    opened
        .handle()
        .control
        .stop_because(StopReason::TimeReached);
    let halted = opened.into_plan(Drifted::Refuse).await.unwrap_err();
    let stopped = matches!(halted.why, RolloutError::Stopped(StopReason::TimeReached));
    assert!(stopped, "{halted:?}");
}
