//! A saved plan that no longer fits, planned anew for the users it is about.

use std::collections::BTreeSet;

use syncfilters::model::{Operation, Outcome, State};
use syncfilters::plan::{DriftKind, RunSettings};
use syncfilters::rollout::RolloutError;
use uuid::Uuid;

use crate::world::{Run, World, started};

/// Filters of the plan, user by user.
async fn planned(run: &Run) -> Vec<Vec<Uuid>> {
    let users = run.journal().to_apply(0, 1000).await.unwrap();
    let filters = |user: &syncfilters::journal::PendingUser| {
        let changes = user.changes.iter();
        changes.map(|pending| pending.change.filter.0).collect()
    };
    users.iter().map(filters).collect()
}

fn switch_off(world: &World, filter: Uuid) {
    world.sandbox.edit(filter, |row| {
        row.statecode = 1;
        row.statuscode = Some(2);
    });
}

#[tokio::test]
async fn what_was_switched_gone_or_switched_on_since_is_told_and_planned_anew() {
    let world = World::with_users(60).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    let before = run.journal().view(|view| view.digest()).await;
    let users = planned(&run).await;
    let filters = world.sandbox.filters();
    let owners: BTreeSet<_> = users.iter().flatten().collect();
    let owner = |id: Uuid| filters.iter().find(|f| f.id == id).unwrap();
    let (switched, gone) = (users[0][0], users[1][0]);
    // A filter that was off when the plan was made, of a user who is in the plan.
    let on = filters.iter().find(|f| {
        crate::world::is_calendar(f)
            && f.statecode == 1
            && owners.iter().any(|of| owner(**of).owner == f.owner)
    });
    let on = on.unwrap().id;
    switch_off(&world, switched);
    world.sandbox.delete(gone);
    world.sandbox.edit(on, |row| {
        row.statecode = 0;
        row.statuscode = Some(1);
    });
    let error = run.compare().await.unwrap_err();
    let message = error.to_string();
    let RolloutError::Stale { count, examples } = error else {
        panic!("{message}");
    };
    // What is in the wanted state already is no reason to stop.
    assert_eq!((count, examples.len()), (2, 2));
    assert!(examples.iter().all(|m| m.filter.0 != switched));
    let differences = run.replan().await.unwrap();
    assert_eq!(
        (differences.other, differences.gone, differences.new),
        (1, 1, 0)
    );
    assert_eq!(differences.examples, examples);
    let was_off = |m: &syncfilters::rollout::DriftedFilter| match m.kind {
        DriftKind::Other { planned, .. } => planned.state == State::Inactive,
        _ => false,
    };
    assert!(examples.iter().any(|m| m.filter.0 == on && was_off(m)));
    let now: Vec<_> = planned(&run).await.concat();
    assert!(!now.contains(&switched) && !now.contains(&gone) && now.contains(&on));
    run.compare().await.unwrap();
    let after = run.journal().view(|view| view.digest()).await;
    assert_ne!(before.unwrap(), after.unwrap());
    run.apply().await.unwrap();
    let done = run.finish().await;
    assert!(matches!(done.outcome, Outcome::Complete | Outcome::Partial));
    let states = world.states();
    assert!(now.iter().filter(|id| states[*id].0 == 1).count() > 0);
    assert_eq!(states[&switched], (1, Some(2)));
}

#[tokio::test]
async fn a_plan_that_fits_is_the_same_plan_after_planning_anew() {
    let world = World::with_users(40).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    let recorded = async || {
        let journal = run.journal();
        journal.view(|view| view.recorded_digest()).await
    };
    let before = recorded().await.unwrap();
    // Renaming makes a new version, and no other plan.
    let filter = planned(&run).await[0][0];
    world
        .sandbox
        .edit(filter, |row| row.name.push_str(" (mine)"));
    let differences = run.replan().await.unwrap();
    assert_eq!(differences.total(), 0);
    assert!(before.is_some());
    assert_eq!(recorded().await.unwrap(), before);
    world.sandbox.reset_counts();
    run.apply().await.unwrap();
    assert_eq!(run.finish().await.outcome, Outcome::Partial);
}

#[tokio::test]
async fn where_nothing_is_left_to_change_the_run_ends_well() {
    let world = World::with_users(40).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    for filter in planned(&run).await.concat() {
        switch_off(&world, filter);
    }
    run.replan().await.unwrap();
    assert_eq!(run.journal().users_to_change().await.unwrap(), 0);
    let patches = world.sandbox.counts().patches;
    run.apply().await.unwrap();
    assert_eq!(world.sandbox.counts().patches, patches);
    let done = run.finish().await;
    assert!(matches!(done.outcome, Outcome::Nothing | Outcome::Partial));
}

#[tokio::test]
async fn an_undo_that_was_planned_is_planned_anew_from_what_is_there() {
    let world = World::with_users(40).await;
    let before = world.states();
    let done = world.carry_out(Operation::Deactivate).await;
    let run = world.begin_undo(&done, RunSettings::default()).await;
    run.survey().await.unwrap();
    let filter = planned(&run).await[0][0];
    let as_before = before[&filter];
    world.sandbox.edit(filter, |row| {
        (row.statecode, row.statuscode) = as_before;
    });
    // Somebody has put it back: that is what the undo wants, and no reason to stop.
    let differences = run.replan().await.unwrap();
    assert_eq!(differences.total(), 0);
    assert!(!planned(&run).await.concat().contains(&filter));
    run.apply().await.unwrap();
    run.finish().await;
    assert_eq!(world.states(), before);
}
