//! Undo puts back what a run changed, and nothing else.

use syncfilters::model::{Operation, Outcome};
use syncfilters::sandbox::{Options, Switch, Switches};

use crate::world::World;

#[tokio::test]
async fn undo_restores_state_and_status_of_every_row() {
    let world = World::with_users(120).await;
    let before = world.states();
    let unusual = |wanted: Option<i32>| {
        before
            .values()
            .any(|(state, status)| *state == 0 && *status == wanted)
    };
    assert!(
        unusual(None) && unusual(Some(3)),
        "the unusual statuses are among the data"
    );
    let done = world.carry_out(Operation::Deactivate).await;
    assert_ne!(world.states(), before);
    world.undo(&done).await;
    assert_eq!(world.states(), before);
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
async fn a_null_status_that_becomes_the_states_own_is_a_note_and_no_problem() {
    let world = World::new(Options {
        users: 60,
        switches: Switches::none().with(Switch::RefuseNullStatus),
        ..Options::default()
    })
    .await;
    let before = world.states();
    let done = world.carry_out(Operation::Deactivate).await;
    let undone = world.undo(&done).await;
    assert_eq!(undone.outcome, Outcome::Complete);
    assert_eq!(undone.problems().len(), 0, "{:?}", undone.problems());
    let mut ones = 0;
    for (id, (state, status)) in world.states() {
        assert_eq!(state, before[&id].0);
        match before[&id].1 {
            None if status == Some(1) => ones += 1,
            kept => assert_eq!(status, kept),
        }
    }
    let notes = undone.reader().view(|view| view.null_statuses()).unwrap();
    assert!(ones > 0);
    assert_eq!(notes, [(1, ones)]);
}
