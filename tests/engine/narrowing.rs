//! Plans that are narrowed: whoever was taken out is never written, whatever happens to the run afterwards.

use std::collections::BTreeSet;

use syncfilters::journal::{HistoryKind, Narrowed, RunFile};
use syncfilters::model::{Operation, Outcome};
use syncfilters::plan::{NameSource, RunSettings, Selection, UserRef, Wave};
use syncfilters::rollout::{NarrowResult, RolloutError, narrow};
use uuid::Uuid;

use crate::world::{Run, World, started};

/// The users of a plan, each with the filters to change.
async fn planned(run: &Run) -> Vec<(Uuid, Vec<Uuid>)> {
    let users = run.journal().to_apply(0, 1000).await.unwrap();
    let filters = |user: &syncfilters::journal::PendingUser| {
        let changes = user.changes.iter();
        changes.map(|pending| pending.change.filter.0).collect()
    };
    users
        .iter()
        .map(|user| (user.run_user.id.0, filters(user)))
        .collect()
}

fn named(users: &[(Uuid, Vec<Uuid>)]) -> Vec<UserRef> {
    let name = |(id, _): &(Uuid, Vec<Uuid>)| UserRef {
        name: id.to_string(),
        place: NameSource::Flag("--exclude-user".into()),
    };
    users.iter().map(name).collect()
}

async fn narrowed(path: &std::path::Path, to: &Selection) -> Result<NarrowResult, RolloutError> {
    narrow(&RunFile::open(path).unwrap(), to, None).await
}

/// A plan that was kept, with its users.
async fn kept(world: &World) -> (std::path::PathBuf, Vec<(Uuid, Vec<Uuid>)>) {
    let run = world.begin(started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    let users = planned(&run).await;
    (run.finish().await.path, users)
}

#[tokio::test]
async fn who_was_taken_out_stays_out_through_waves_retries_and_undo() {
    let world = World::with_users(60).await;
    let (path, users) = kept(&world).await;
    let before = world.states();
    let (out, left) = users.split_at(5);
    let except = Selection {
        except: named(out),
        ..Selection::default()
    };
    let result = narrowed(&path, &except).await.unwrap();
    let Narrowed::Done {
        out: 5,
        users,
        filters,
        ..
    } = result.plan
    else {
        panic!("{result:?}");
    };
    let planned_filters: usize = left.iter().map(|(_, filters)| filters.len()).sum();
    assert_eq!(
        (users, filters),
        (left.len() as u64, planned_filters as u64)
    );

    let run = world.reopen(&path).await;
    let waves = RunSettings {
        waves: vec![Wave::Users(3), Wave::Rest],
        ..RunSettings::default()
    };
    run.apply_with(waves).await.unwrap();
    run.apply().await.unwrap();
    let done = run.finish().await;
    // Those who failed are tried again, and nobody else.
    let again = world.reopen(&done.path).await;
    again.apply().await.unwrap();
    let done = again.finish().await;
    let after = world.states();
    let untouched: BTreeSet<_> = out.iter().flat_map(|(_, filters)| filters).collect();
    assert!(
        untouched
            .iter()
            .all(|filter| after[*filter] == before[*filter])
    );
    let touched = after.iter().filter(|(id, now)| before[*id] != **now);
    assert!(touched.count() > 0);
    let totals = done.reader().view(|view| view.users()).unwrap();
    assert_eq!(totals.left_out, 5);
    let history = done.reader().view(|view| view.history()).unwrap();
    assert!(
        history
            .iter()
            .any(|entry| entry.kind == HistoryKind::Narrowed)
    );
    let undone = world.undo(&done).await;
    assert!(matches!(
        undone.outcome,
        Outcome::Complete | Outcome::Partial
    ));
    assert_eq!(world.states(), before);
}

#[tokio::test]
async fn a_plan_is_as_it_was_where_it_cannot_be_narrowed() {
    let world = World::with_users(40).await;
    let (path, users) = kept(&world).await;
    let digest = || {
        let file = syncfilters::journal::RunReader::open(&path).unwrap();
        file.view(|view| view.digest()).unwrap()
    };
    let before = digest();
    let stranger = UserRef {
        name: Uuid::from_u128(7).to_string(),
        place: NameSource::Line("out.csv".into(), 9),
    };
    let unknown = Selection {
        except: [named(&users[..1]), vec![stranger]].concat(),
        ..Selection::default()
    };
    let error = narrowed(&path, &unknown).await.unwrap_err();
    assert!(matches!(error, RolloutError::Selection(names) if names.len() == 1));
    let everybody = Selection {
        except: named(&users),
        ..Selection::default()
    };
    let result = narrowed(&path, &everybody).await.unwrap();
    assert_eq!(result.plan, Narrowed::NobodyLeft);
    let one = Selection {
        only: Some(named(&users[..1])),
        ..Selection::default()
    };
    let other = narrow(&RunFile::open(&path).unwrap(), &one, Some(&before)).await;
    assert!(matches!(other.unwrap().plan, Narrowed::OtherPlan(_)));
    assert_eq!(digest(), before);
    // Nothing was written anywhere, and the whole plan can still be applied.
    let run = world.reopen(&path).await;
    run.apply().await.unwrap();
    let error = narrowed(&run.finish().await.path, &one).await.unwrap_err();
    assert!(matches!(error, RolloutError::NotNarrowed(_)), "{error}");
}

#[tokio::test]
async fn who_was_taken_out_comes_back_with_everything_that_was_planned_and_counted() {
    let world = World::with_users(40).await;
    let (path, users) = kept(&world).await;
    let facts = || {
        let file = syncfilters::journal::RunReader::open(&path).unwrap();
        file.view(|view| Ok((view.digest()?, view.users()?, view.impact(9)?)))
            .unwrap()
    };
    let before = facts();
    let one = |at: usize| Selection {
        only: Some(named(&users[at..=at])),
        ..Selection::default()
    };
    narrowed(&path, &one(0)).await.unwrap();
    assert_ne!(facts().0, before.0);
    let result = narrowed(&path, &one(1)).await.unwrap();
    let Narrowed::Done { out, back, .. } = result.plan else {
        panic!("{result:?}");
    };
    assert_eq!((out, back), (1, 1));
    // Whoever could not be read comes back, too, and is read again.
    let all = Selection {
        only: Some(every_name(&path)),
        ..Selection::default()
    };
    narrowed(&path, &all).await.unwrap();
    assert_eq!(facts(), before);
}

/// Every user of a run, by id.
fn every_name(path: &std::path::Path) -> Vec<UserRef> {
    let file = syncfilters::journal::RunReader::open(path).unwrap();
    let mut names = Vec::new();
    file.view(|view| {
        view.each_user_name(|_, _, id| {
            names.push((id.0, Vec::new()));
            Ok::<_, syncfilters::journal::ReadError>(())
        })
    })
    .unwrap();
    named(&names)
}

#[tokio::test]
async fn what_is_left_of_a_begun_run_is_narrowed_and_what_was_sent_stays() {
    let world = World::with_users(60).await;
    let (path, users) = kept(&world).await;
    let before = world.states();
    let run = world.reopen(&path).await;
    let waves = RunSettings {
        waves: vec![Wave::Users(3), Wave::Rest],
        ..RunSettings::default()
    };
    run.apply_with(waves).await.unwrap();
    drop(run);
    let nobody = Selection {
        except: named(&users),
        ..Selection::default()
    };
    let result = narrowed(&path, &nobody).await.unwrap();
    assert_eq!(result.plan, Narrowed::NobodyLeft);
    let last = users.len() - 1;
    let only = Selection {
        only: Some(named(&users[last..])),
        ..Selection::default()
    };
    let result = narrowed(&path, &only).await.unwrap();
    assert!(matches!(result.plan, Narrowed::Done { users: 1, .. }));
    let run = world.reopen(&path).await;
    run.apply().await.unwrap();
    run.finish().await;
    let after = world.states();
    let touched = |of: &[(Uuid, Vec<Uuid>)]| {
        let changed = |filters: &Vec<Uuid>| filters.iter().any(|id| after[id] != before[id]);
        of.iter().filter(|(_, filters)| changed(filters)).count()
    };
    assert!((1..=4).contains(&touched(&users)), "{}", touched(&users));
    assert_eq!(touched(&users[last..]), 1);
}
