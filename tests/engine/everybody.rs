//! The main job: every user who can be impersonated, and nobody else.

use syncfilters::model::{Operation, Outcome, ProblemKind};
use syncfilters::sandbox::Options;

use crate::world::{World, is_calendar, started};

#[tokio::test]
async fn every_calendar_filter_that_can_be_reached_is_deactivated_and_no_other_row_is_touched() {
    let world = World::with_users(120).await;
    let before = world.sandbox.filters();
    let done = world.carry_out(Operation::Deactivate).await;
    assert_eq!(
        done.outcome,
        Outcome::Partial,
        "some users cannot be asked as"
    );
    let after = world.sandbox.filters();
    assert_eq!(before.len(), after.len(), "no row was created or deleted");
    let failed: Vec<_> = failed_users(&done).collect();
    for (old, new) in before.iter().zip(&after) {
        if !is_calendar(old) || old.statecode == 1 {
            assert_eq!(old, new, "not touched");
        } else if new.statecode == 1 {
            assert_eq!(new.statuscode, Some(2));
            assert_eq!(new.modified_by, new.owner, "changed as its owner");
            assert!(new.modified_on_behalf_by.is_some(), "by impersonation");
        } else {
            assert!(failed.contains(&new.owner), "{new:?}");
        }
    }
    assert!(after.iter().any(|f| f.statecode == 1 && is_calendar(f)));
}

fn failed_users(done: &crate::world::Done) -> impl Iterator<Item = uuid::Uuid> {
    let reader = done.reader();
    let mut users = Vec::new();
    let each = |problem: syncfilters::journal::ProblemRow| {
        users.push(problem.id.0);
        Ok::<_, syncfilters::journal::ReadError>(())
    };
    reader.view(|view| view.each_problem(each)).unwrap();
    users.into_iter()
}

#[tokio::test]
async fn a_user_who_changes_costs_two_requests_and_one_who_does_not_costs_one() {
    let world = World::with_users(200).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    world.sandbox.reset_counts();
    run.plan().await.unwrap();
    let surveyed = world.sandbox.counts();
    run.apply().await.unwrap();
    let counts = world.sandbox.counts();
    let done = run.finish().await;
    let (users, changed, empty) = done
        .reader()
        .view(|view| {
            let totals = view.users()?;
            let listed = view.listed(0, 100_000)?;
            let empty = listed
                .iter()
                .filter(|u| u.problem.is_none() && u.filters.is_empty());
            Ok((
                totals,
                totals.changed,
                u64::try_from(empty.count()).unwrap(),
            ))
        })
        .unwrap();
    let asked = users.selected - users.skipped;
    // Pages of users, the names of their units, the proof, and a question for each user who is said to have
    // filters and shows none.
    let constant = 6;
    assert!(
        surveyed.total <= asked + empty + constant,
        "{surveyed:?} for {asked} users"
    );
    let writes = counts.total - surveyed.total;
    let refused = done.problems().get(&ProblemKind::NoWritePrivilege).copied();
    // Whether items can be lost is read again before anybody agrees.
    let agreement = 1;
    let changing = changed + refused.unwrap_or(0);
    assert_eq!(writes, changing + agreement, "{counts:?}");
}

#[tokio::test]
async fn users_who_cannot_be_impersonated_are_told_by_kind_and_stop_nobody() {
    let world = World::with_users(120).await;
    let done = world.carry_out(Operation::Deactivate).await;
    let problems = done.problems();
    for kind in [
        ProblemKind::Disabled,
        ProblemKind::ApplicationUser,
        ProblemKind::SupportUser,
        ProblemKind::DelegatedAdmin,
        ProblemKind::NonInteractive,
        ProblemKind::StubUser,
        ProblemKind::SystemAccount,
        ProblemKind::Deleted,
        ProblemKind::NoRoles,
        ProblemKind::NoLicence,
        ProblemKind::NoReadPrivilege,
        ProblemKind::NoWritePrivilege,
    ] {
        assert!(problems.contains_key(&kind), "{kind} in {problems:?}");
    }
    let totals = done.reader().view(|view| view.users()).unwrap();
    assert_eq!(totals.planned, 0);
    assert!(totals.changed > 50, "{totals:?}");
}

#[tokio::test]
async fn the_run_file_tells_units_by_name_and_every_request_when_it_was_made() {
    let world = World::with_users(60).await;
    let done = world.carry_out(Operation::Deactivate).await;
    let undone = world.undo(&done).await;
    for run in [done, undone] {
        let (units, timeline, requests, filters) = run
            .reader()
            .view(|view| {
                let requests = view.header()?.requests.total;
                let timeline = view.timeline(80)?;
                Ok((
                    view.states_by_unit()?,
                    timeline,
                    requests,
                    view.filters()?.changed,
                ))
            })
            .unwrap();
        assert!(units.len() > 1, "{units:?}");
        let named = |name: &str| !name.is_empty() && uuid::Uuid::try_parse(name).is_err();
        assert!(units.iter().all(|unit| named(&unit.name)), "{units:?}");
        let buckets = &timeline.buckets;
        let sum = |of: fn(&syncfilters::journal::TimeBucket) -> u64| buckets.iter().map(of).sum();
        let (made, set): (u64, u64) = (sum(|s| s.requests.total), sum(|s| s.changes));
        assert_eq!((made, set), (requests, filters));
        assert_eq!(timeline.undated, 0);
    }
}

#[tokio::test]
async fn a_second_run_finds_nothing_to_do() {
    let world = World::with_users(60).await;
    world.carry_out(Operation::Deactivate).await;
    let states = world.sandbox.filters();
    let again = world.carry_out(Operation::Deactivate).await;
    let totals = again.reader().view(|view| view.filters()).unwrap();
    assert_eq!((totals.changed, totals.planned), (0, 0));
    let rows_of_readers = again
        .problems()
        .get(&ProblemKind::NoWritePrivilege)
        .copied();
    assert_eq!(totals.failed > 0, rows_of_readers.is_some());
    assert_eq!(world.sandbox.filters(), states);
}

#[tokio::test]
async fn thousands_of_users_come_through_pages() {
    let world = World::new(Options {
        users: 6000,
        ..Options::default()
    })
    .await;
    let run = world.begin(started(Operation::Deactivate)).await;
    run.gather().await.unwrap();
    let totals = run.journal().user_totals().await.unwrap();
    assert_eq!(
        totals.selected,
        u64::try_from(world.sandbox.users().len()).unwrap()
    );
}
