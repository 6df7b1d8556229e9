//! What goes wrong on the way changes nothing in the end.

use syncfilters::model::{Operation, ProblemKind};
use syncfilters::sandbox::{Fault, Faults, Options};

use crate::world::{World, started};

/// Faults that pass; with each, the run comes to the same end as without.
const IN_PASSING: [Fault; 15] = [
    Fault::LostRequest,
    Fault::LostAnswer,
    Fault::LostCommit502,
    Fault::Gateway502Html,
    Fault::Unavailable503,
    Fault::Internal500,
    Fault::Truncated,
    Fault::Slow,
    Fault::Deadlock,
    Fault::ThrottlePart,
    Fault::DoneBut412,
    Fault::DoneBut404,
    Fault::DoneBut429,
    Fault::DoneBut302,
    Fault::Meanwhile,
];

#[tokio::test]
async fn each_passing_fault_leads_to_the_same_end_and_an_exact_undo() {
    let reference = World::with_users(40).await;
    let expected_before = reference.states();
    reference.carry_out(Operation::Deactivate).await;
    let expected = reference.states();
    for fault in IN_PASSING {
        let world = World::with_users(40).await;
        world.sandbox.set_faults(Faults::none().with(fault, 0.05));
        let done = world.carry_out(Operation::Deactivate).await;
        assert_eq!(world.states(), expected, "{fault}");
        assert!(world.sandbox.counts().faults > 0, "{fault} struck");
        if fault == Fault::Meanwhile {
            // Undo leaves alone what somebody edits meanwhile; that has its own test.
            world.sandbox.set_faults(Faults::none());
        }
        let undone = world.undo(&done).await;
        assert_eq!(
            world.states(),
            expected_before,
            "{fault}: {:?}",
            undone.problems()
        );
    }
}

#[tokio::test]
async fn the_standard_mix_of_faults_leads_to_the_same_end_and_an_exact_undo() {
    let reference = World::with_users(100).await;
    let before = reference.states();
    reference.carry_out(Operation::Deactivate).await;
    let world = World::new(Options {
        users: 100,
        faults: Faults::standard(),
        ..Options::default()
    })
    .await;
    let done = world.carry_out(Operation::Deactivate).await;
    assert_eq!(world.states(), reference.states());
    assert!(world.sandbox.counts().faults > 0);
    let undone = world.undo(&done).await;
    let now = world.states();
    let different = before.iter().filter(|(id, state)| now[*id] != **state);
    assert_eq!(
        different.count() as u64,
        undone.left_alone(),
        "what somebody edited meanwhile is left alone and reported, and nothing else"
    );
}

#[tokio::test]
async fn a_row_that_its_owner_switches_off_meanwhile_is_not_ours_to_undo() {
    let world = World::with_users(40).await;
    let before = world.states();
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    world
        .sandbox
        .set_faults(Faults::none().with(Fault::MeanwhileState, 1.0));
    run.apply().await.unwrap();
    world.sandbox.set_faults(Faults::none());
    let done = run.finish().await;
    let totals = done.reader().view(|view| view.filters()).unwrap();
    assert_eq!(totals.changed, 0, "each was off before we came to it");
    let after = world.states();
    assert_ne!(after, before);
    world.undo(&done).await;
    assert_eq!(world.states(), after);
}

#[tokio::test]
async fn a_row_that_is_deleted_meanwhile_is_not_created_again() {
    let world = World::with_users(40).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    let rows = world.sandbox.filters().len();
    world
        .sandbox
        .set_faults(Faults::none().with(Fault::Gone, 1.0));
    run.apply().await.unwrap();
    let done = run.finish().await;
    let gone = done.reader().view(|view| view.filters()).unwrap().left;
    assert!(gone > 0);
    assert_eq!(
        u64::try_from(rows - world.sandbox.filters().len()).unwrap(),
        gone
    );
    assert!(done.problems().contains_key(&ProblemKind::Gone));
}

#[tokio::test]
async fn a_row_of_another_owner_fails_the_user_and_is_never_written() {
    let world = World::with_users(40).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.gather().await.unwrap();
    world
        .sandbox
        .set_faults(Faults::none().with(Fault::ForeignRow, 0.1));
    run.survey().await.unwrap();
    world.sandbox.set_faults(Faults::none());
    run.apply().await.unwrap();
    let done = run.finish().await;
    assert!(
        done.problems().contains_key(&ProblemKind::ForeignRow),
        "{:?}",
        done.problems()
    );
    for filter in world.sandbox.filters() {
        if filter.modified_on_behalf_by.is_some() {
            assert_eq!(filter.modified_by, filter.owner);
        }
    }
}
