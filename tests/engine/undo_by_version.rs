//! Undo puts back what nobody touched since, and says of every other row who touched it.

use syncfilters::model::{Operation, Outcome, ProblemKind, RowOutcome};
use syncfilters::plan::RunSettings;
use syncfilters::sandbox::{Fault, Faults, FilterSnapshot, Options, Switch, Switches};
use uuid::Uuid;

use crate::world::{States, World, started};

const WRITES_DONE: [Fault; 4] = [
    Fault::DoneBut412,
    Fault::DoneBut404,
    Fault::DoneBut429,
    Fault::DoneBut302,
];

/// The filters that a deactivation switched off.
fn changed(world: &World, before: &States) -> Vec<FilterSnapshot> {
    let mut filters = world.sandbox.filters();
    filters.retain(|f| before[&f.id].0 == 0 && f.statecode == 1);
    filters
}

fn switch(world: &World, filter: Uuid, state: i32) {
    world.sandbox.edit(filter, |row| {
        (row.statecode, row.statuscode) = (state, Some(state + 1));
    });
}

fn version(world: &World, filter: Uuid) -> u64 {
    let filters = world.sandbox.filters();
    filters.iter().find(|f| f.id == filter).unwrap().version
}

#[tokio::test]
async fn a_row_that_somebody_edited_or_switched_twice_is_left_alone_and_it_is_said_who_did() {
    let world = World::with_users(60).await;
    let before = world.states();
    let done = world.carry_out(Operation::Deactivate).await;
    let rows = changed(&world, &before);
    world
        .sandbox
        .edit(rows[0].id, |row| row.name = "Mine".into());
    switch(&world, rows[1].id, 0);
    switch(&world, rows[1].id, 1);
    world.sandbox.edit(rows[2].id, |row| {
        (row.statecode, row.statuscode) = (0, Some(3));
    });
    world.sandbox.delete(rows[3].id);
    let versions: Vec<_> = rows[..3].iter().map(|f| version(&world, f.id)).collect();
    let undone = world.undo(&done).await;
    let now: Vec<_> = rows[..3].iter().map(|f| version(&world, f.id)).collect();
    assert_eq!(now, versions, "nobody wrote them");
    assert_eq!(undone.outcome, Outcome::Partial);
    assert_eq!(undone.left_alone(), 3);
    let said = undone.messages(ProblemKind::ChangedSince);
    assert_eq!(said.len(), 3);
    for message in said {
        assert!(
            message.contains("last changed by ") && message.contains(" at 20"),
            "{message}"
        );
        assert!(message.contains('@'), "by name: {message}");
    }
    assert_eq!(undone.problems().get(&ProblemKind::Gone), Some(&1));
    let after = world.states();
    assert!(!after.contains_key(&rows[3].id), "not created again");
    for row in &rows[4..] {
        assert_eq!(after[&row.id], before[&row.id]);
    }
}

#[tokio::test]
async fn with_include_changed_a_row_is_put_back_where_its_state_is_still_what_the_run_set() {
    let world = World::with_users(60).await;
    let before = world.states();
    let done = world.carry_out(Operation::Deactivate).await;
    let rows = changed(&world, &before);
    world
        .sandbox
        .edit(rows[0].id, |row| row.name = "Mine".into());
    switch(&world, rows[1].id, 0);
    world
        .sandbox
        .edit(rows[1].id, |row| row.statuscode = Some(3));
    let undone = world.undo_all(&done).await;
    let after = world.states();
    assert_eq!(after[&rows[0].id], before[&rows[0].id]);
    let named = world.sandbox.filters();
    let named = named.iter().find(|f| f.id == rows[0].id).unwrap();
    assert_eq!(named.name, "Mine", "the edit stays");
    if before[&rows[1].id].1 != Some(3) {
        assert_eq!(after[&rows[1].id], (0, Some(3)));
        assert_eq!((undone.outcome, undone.left_alone()), (Outcome::Partial, 1));
    }
}

#[tokio::test]
async fn an_upgrade_that_moves_versions_only_touches_nothing() {
    let world = World::with_users(60).await;
    let before = world.states();
    let done = world.carry_out(Operation::Deactivate).await;
    world.sandbox.upgrade();
    let undone = world.undo(&done).await;
    assert_eq!(world.states(), before);
    assert_eq!(undone.outcome, Outcome::Complete);
}

#[tokio::test]
async fn a_second_undo_says_what_the_first_put_back_and_leaves_what_was_touched_after_it() {
    let world = World::with_users(60).await;
    let before = world.states();
    let done = world.carry_out(Operation::Deactivate).await;
    let rows = changed(&world, &before);
    let first = world.undo(&done).await;
    assert_eq!(first.outcome, Outcome::Complete);
    switch(&world, rows[0].id, 1);
    let now = world.states();
    let second = world.undo(&done).await;
    assert_eq!(world.states(), now, "the user switched it off himself");
    assert_eq!(second.outcome, Outcome::Nothing);
    let said = second.reader().view(|view| view.put_back_before()).unwrap();
    let [one] = &said[..] else {
        panic!("{said:?}");
    };
    assert_eq!(one.by, first.reader().header.id.as_str());
    assert_eq!(one.filters, rows.len() as u64);
}

#[tokio::test]
async fn a_second_undo_says_again_what_the_first_left_alone() {
    let world = World::with_users(60).await;
    let before = world.states();
    let done = world.carry_out(Operation::Deactivate).await;
    let rows = changed(&world, &before);
    for row in &rows[..5] {
        world.sandbox.edit(row.id, |row| row.name = "Mine".into());
    }
    assert_eq!(world.undo(&done).await.left_alone(), 5);
    let second = world.undo(&done).await;
    assert_eq!((second.outcome, second.left_alone()), (Outcome::Partial, 5));
    assert_eq!(second.totals().changed, 0);
}

#[tokio::test]
async fn what_a_later_run_wrote_is_left_to_the_undo_of_that_run() {
    let world = World::with_users(60).await;
    let before = world.states();
    let first = world.carry_out(Operation::Deactivate).await;
    world.carry_out(Operation::Reactivate).await;
    let third = world.carry_out(Operation::Deactivate).await;
    let now = world.states();
    let undone = world.undo(&first).await;
    assert_eq!(world.states(), now);
    assert_eq!(undone.left_alone(), first.totals().changed);
    world.undo(&third).await;
    let off = changed(&world, &before).into_iter().next();
    assert!(off.is_none(), "{off:?} is still off");
}

#[tokio::test]
async fn what_somebody_touches_between_the_reading_and_the_write_is_left_alone() {
    for switches in [
        Switches::none(),
        Switches::none().with(Switch::NoOptimisticConcurrency),
    ] {
        let world = World::new(Options {
            users: 60,
            switches,
            ..Options::default()
        })
        .await;
        let before = world.states();
        let done = world.carry_out(Operation::Deactivate).await;
        let rows = changed(&world, &before);
        let run = world.plan_undo(&done, RunSettings::default()).await;
        world
            .sandbox
            .edit(rows[0].id, |row| row.name = "Mine".into());
        switch(&world, rows[1].id, 0);
        switch(&world, rows[1].id, 1);
        let versions = [version(&world, rows[0].id), version(&world, rows[1].id)];
        run.apply().await.unwrap();
        let undone = run.finish().await;
        let now = [version(&world, rows[0].id), version(&world, rows[1].id)];
        assert_eq!(now, versions, "{switches}");
        assert_eq!(
            (undone.outcome, undone.left_alone()),
            (Outcome::Partial, 2),
            "{switches}"
        );
    }
}

#[tokio::test]
async fn a_write_that_was_done_and_answered_otherwise_is_ours_and_is_undone() {
    let reference = World::with_users(40).await;
    let undisturbed = reference.carry_out(Operation::Deactivate).await.totals();
    for fault in WRITES_DONE {
        let world = World::with_users(40).await;
        let before = world.states();
        world.sandbox.set_faults(Faults::none().with(fault, 1.0));
        let done = world.carry_out(Operation::Deactivate).await;
        assert!(world.sandbox.counts().faults > 0, "{fault} struck");
        assert_eq!(done.totals(), undisturbed, "{fault}");
        assert!(
            done.reader().header.records_on_behalf,
            "{fault}: the rows name the caller"
        );
        let undone = world.undo(&done).await;
        assert_eq!(world.states(), before, "{fault}");
        assert_eq!(undone.outcome, Outcome::Complete, "{fault}");
    }
}

#[tokio::test]
async fn what_the_user_switched_off_himself_in_that_moment_is_not_ours_also_after_a_restart() {
    let world = World::with_users(40).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    let path = run.path.clone();
    // Nobody's write is answered, and nothing is carried out.
    world
        .sandbox
        .set_faults(Faults::none().with(Fault::Internal500, 1.0));
    // Whether the run is stopped because so many fail does not matter here.
    let _ = run.apply().await;
    assert!(world.sandbox.counts().faults > 0);
    drop(run);
    world.sandbox.set_faults(Faults::none());
    for filter in world.active_calendar_filters() {
        switch(&world, filter.id, 1);
    }
    // What was stopped is finished first, then what failed is tried again.
    for _ in 0..2 {
        let again = world.reopen(&path).await;
        again.apply().await.unwrap();
        drop(again);
    }
    let again = world.reopen(&path).await;
    again.apply().await.unwrap();
    let done = again.finish().await;
    assert_eq!(done.totals().changed, 0);
    let now = world.states();
    let undone = world.undo(&done).await;
    assert_eq!(world.states(), now, "{:?}", undone.problems());
}

#[tokio::test]
async fn an_undo_takes_over_that_the_server_names_the_caller() {
    let world = World::with_users(40).await;
    let done = world.carry_out(Operation::Deactivate).await;
    assert!(done.reader().header.records_on_behalf);
    let run = world.plan_undo(&done, RunSettings::default()).await;
    let path = run.path.clone();
    drop(run);
    let reader = syncfilters::journal::RunReader::open(&path).unwrap();
    assert!(reader.header.records_on_behalf);
}

#[tokio::test]
async fn the_run_file_keeps_what_each_write_left() {
    let world = World::with_users(40).await;
    let done = world.carry_out(Operation::Deactivate).await;
    let filters = world.sandbox.filters();
    let users = done.reader().done(0, 1000).unwrap();
    let rows = users.iter().flat_map(|(_, rows)| rows);
    let mut checked = 0;
    for row in rows {
        let filter = filters.iter().find(|f| f.id == row.filter.0).unwrap();
        let etag = row.left.etag.as_deref().unwrap();
        assert_eq!(etag, format!("W/\"{}\"", filter.version));
        assert!(row.proved && row.left.modified.is_known());
        assert_eq!(
            row.left.modified.by.map(|by| by.0),
            Some(filter.modified_by)
        );
        checked += 1;
    }
    assert_eq!(checked, done.totals().changed);
    let mut outcomes = 0;
    let each = |row: syncfilters::journal::ChangeRow| {
        outcomes += u64::from(row.outcome == RowOutcome::Changed);
        Ok::<_, syncfilters::journal::ReadError>(())
    };
    done.reader().view(|view| view.each_change(each)).unwrap();
    assert_eq!(outcomes, checked);
}
