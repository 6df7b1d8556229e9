//! Undo puts back what a run changed, and nothing else.

use syncfilters::model::{Operation, Outcome, ProblemKind};
use syncfilters::sandbox::{Options, Switch, Switches};

use crate::support::World;

#[tokio::test]
async fn undo_restores_state_and_status_of_every_row() {
    let world = World::with_users(120).await;
    let before = world.states();
    let odd = |wanted: Option<i32>| {
        before
            .values()
            .any(|(state, status)| *state == 0 && *status == wanted)
    };
    assert!(
        odd(None) && odd(Some(3)),
        "the odd statuses are among the data"
    );
    let done = world.carry_out(Operation::Deactivate).await;
    assert_ne!(world.states(), before);
    world.undo(&done).await;
    assert_eq!(world.states(), before);
}

#[tokio::test]
async fn rows_that_somebody_changed_since_are_reported_and_left_alone() {
    let world = World::with_users(60).await;
    let before = world.states();
    let done = world.carry_out(Operation::Deactivate).await;
    let changed: Vec<_> = world
        .sandbox
        .filters()
        .into_iter()
        .filter(|f| before[&f.id].0 == 0 && f.statecode == 1)
        .collect();
    // One was switched on again by its owner with another status; one was only renamed.
    world.sandbox.edit(changed[0].id, |row| {
        row.statecode = 0;
        row.statuscode = Some(3);
    });
    world
        .sandbox
        .edit(changed[1].id, |row| row.name = "Mine".into());
    world.sandbox.delete(changed[2].id);
    let undone = world.undo(&done).await;
    let after = world.states();
    let status_before = before[&changed[0].id];
    if status_before != (0, Some(3)) {
        assert_eq!(
            after[&changed[0].id],
            (0, Some(3)),
            "left as its owner made it"
        );
        assert_eq!(undone.problems().get(&ProblemKind::ChangedSince), Some(&1));
    }
    assert_eq!(
        after[&changed[1].id], before[&changed[1].id],
        "a new name is no new state"
    );
    assert_eq!(undone.problems().get(&ProblemKind::Gone), Some(&1));
    assert!(
        !after.contains_key(&changed[2].id),
        "it was not created again"
    );
}

#[tokio::test]
async fn what_a_user_had_switched_off_himself_stays_off() {
    let world = World::with_users(60).await;
    let own = world.active_calendar_filters()[0].id;
    world.sandbox.edit(own, |row| {
        row.statecode = 1;
        row.statuscode = Some(2);
    });
    let done = world.carry_out(Operation::Deactivate).await;
    world.undo(&done).await;
    assert_eq!(world.states()[&own], (1, Some(2)));
}

#[tokio::test]
async fn an_undo_can_be_undone() {
    let world = World::with_users(60).await;
    let done = world.carry_out(Operation::Deactivate).await;
    let deactivated = world.states();
    let undone = world.undo(&done).await;
    world.undo(&undone).await;
    assert_eq!(world.states(), deactivated);
}

#[tokio::test]
async fn a_platform_that_refuses_a_null_status_gets_the_usual_one_and_it_is_said() {
    let world = World::new(Options {
        users: 60,
        switches: Switches::none().with(Switch::RefuseNullStatus),
        ..Options::default()
    })
    .await;
    let before = world.states();
    let done = world.carry_out(Operation::Deactivate).await;
    let undone = world.undo(&done).await;
    assert_eq!(undone.outcome, Outcome::Partial);
    assert!(
        undone
            .problems()
            .contains_key(&ProblemKind::StatusNotRestored)
    );
    for (id, (state, status)) in world.states() {
        assert_eq!(state, before[&id].0);
        if before[&id].1.is_some() {
            assert_eq!(status, before[&id].1);
        }
    }
}
