//! An undo can be undone, and the run that both are about can be undone once more.

use syncfilters::model::{Operation, Outcome, ProblemKind};

use crate::world::World;

#[tokio::test]
async fn a_run_whose_undo_was_undone_is_undone_again_and_again() {
    let world = World::with_users(60).await;
    let before = world.states();
    let run = world.carry_out(Operation::Deactivate).await;
    let off = world.states();
    let changed = run.totals().changed;
    assert!(changed > 0);
    let mut last = world.undo(&run).await;
    for _ in 0..2 {
        assert_eq!(world.states(), before);
        let again = world.undo(&last).await;
        assert_eq!(again.outcome, Outcome::Complete);
        assert_eq!(world.states(), off, "the undo was undone");
        last = world.undo(&run).await;
        assert_eq!(last.outcome, Outcome::Complete, "{:?}", last.problems());
        assert_eq!(last.totals().changed, changed);
    }
    assert_eq!(world.states(), before);
    let nothing = world.undo(&run).await;
    assert_eq!(nothing.outcome, Outcome::Nothing);
    assert_eq!(world.states(), before);
}

#[tokio::test]
async fn the_first_undo_is_undone_again_after_a_third_put_its_rows_back() {
    let world = World::with_users(40).await;
    let before = world.states();
    let run = world.carry_out(Operation::Deactivate).await;
    let off = world.states();
    let first = world.undo(&run).await;
    world.undo(&first).await;
    world.undo(&run).await;
    assert_eq!(world.states(), before);
    let fourth = world.undo(&first).await;
    assert_eq!(fourth.outcome, Outcome::Complete);
    assert_eq!(world.states(), off);
}

#[tokio::test]
async fn what_the_user_touched_after_the_undo_of_the_undo_is_left_alone() {
    let world = World::with_users(60).await;
    let before = world.states();
    let run = world.carry_out(Operation::Deactivate).await;
    let first = world.undo(&run).await;
    world.undo(&first).await;
    let mut rows = world.sandbox.filters();
    rows.retain(|row| before[&row.id].0 == 0 && row.statecode == 1);
    world
        .sandbox
        .edit(rows[0].id, |row| row.name = "Mine".into());
    let second = world.undo(&run).await;
    assert_eq!((second.outcome, second.left_alone()), (Outcome::Partial, 1));
    let after = world.states();
    assert_eq!(after[&rows[0].id].0, 1);
    for row in &rows[1..] {
        assert_eq!(after[&row.id], before[&row.id]);
    }
}

#[tokio::test]
async fn without_the_file_of_the_first_undo_the_rows_are_left_and_the_run_that_wrote_them_is_named()
{
    let world = World::with_users(40).await;
    let run = world.carry_out(Operation::Deactivate).await;
    let changed = run.totals().changed;
    let first = world.undo(&run).await;
    let second = world.undo(&first).await;
    std::fs::remove_file(&first.path).unwrap();
    let now = world.states();
    let undone = world.undo(&run).await;
    assert_eq!(world.states(), now);
    assert_eq!(
        (undone.outcome, undone.left_alone()),
        (Outcome::Partial, changed)
    );
    let by = second.reader().header.id.to_string();
    for message in undone.messages(ProblemKind::ChangedSince) {
        assert!(message.contains(&by), "{message}");
    }
}
