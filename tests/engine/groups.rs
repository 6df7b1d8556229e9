//! Users chosen by role, team, business unit and condition.

use std::collections::BTreeSet;

use syncfilters::model::Operation;
use syncfilters::plan::{Groups, NameSource, Selection, UserRef};
use syncfilters::rollout::{NewRun, RolloutError};
use syncfilters::sandbox::UserSnapshot;
use uuid::Uuid;

use crate::world::{World, started};

fn groups(groups: Groups) -> Selection {
    Selection {
        groups,
        ..Selection::default()
    }
}

fn named(name: &str) -> UserRef {
    UserRef {
        name: name.into(),
        place: NameSource::Flag("--user".into()),
    }
}

async fn selected(world: &World, selection: Selection) -> Result<BTreeSet<Uuid>, RolloutError> {
    let run = world
        .begin(NewRun {
            selection,
            ..started(Operation::Deactivate)
        })
        .await;
    run.gather().await?;
    let journal = run.journal();
    let listed = journal.view(|view| view.listed(0, 100_000)).await?;
    Ok(listed.into_iter().map(|user| user.id.0).collect())
}

async fn refused(world: &World, chosen: Groups) -> String {
    match selected(world, groups(chosen)).await {
        Err(RolloutError::Groups(mismatches)) => {
            let texts: Vec<_> = mismatches.iter().map(ToString::to_string).collect();
            texts.join("\n")
        }
        other => panic!("{other:?}"),
    }
}

fn those(world: &World, are_meant: impl Fn(&UserSnapshot) -> bool) -> BTreeSet<Uuid> {
    let users = world.sandbox.users().into_iter();
    users.filter(|u| are_meant(u)).map(|u| u.id).collect()
}

fn holds(user: &UserSnapshot, name: &str) -> bool {
    user.roles.iter().any(|role| role == name)
}

fn member(user: &UserSnapshot, name: &str) -> bool {
    user.teams.iter().any(|team| team == name)
}

#[tokio::test]
async fn a_role_counts_directly_and_through_a_team_and_in_every_business_unit() {
    let world = World::with_users(150).await;
    let expected = those(&world, |u| {
        holds(u, "Salesperson") || member(u, "Field Sales")
    });
    let direct = those(&world, |u| holds(u, "Salesperson"));
    assert!(direct.len() < expected.len(), "some hold it through a team");
    let chosen = Groups {
        roles: vec!["salesperson".into()],
        ..Groups::default()
    };
    assert_eq!(selected(&world, groups(chosen)).await.unwrap(), expected);
}

#[tokio::test]
async fn values_of_one_kind_are_alternatives_and_the_kinds_all_have_to_hold() {
    let world = World::with_users(200).await;
    let team = |u: &UserSnapshot| member(u, "Football Club") || member(u, "Équipe Québec");
    let chosen = Groups {
        roles: vec!["Sales Manager".into()],
        teams: vec!["Football Club".into(), "Équipe Québec".into()],
        conditions: vec!["isdisabled eq false".into()],
        ..Groups::default()
    };
    let expected = those(&world, |u| {
        team(u) && holds(u, "Sales Manager") && !u.disabled
    });
    assert!(!expected.is_empty());
    assert_eq!(selected(&world, groups(chosen)).await.unwrap(), expected);
}

#[tokio::test]
async fn a_business_unit_has_its_sub_units_unless_it_is_meant_alone() {
    let world = World::with_users(150).await;
    let europe = ["Europe", "Nordics", "DACH", "Iberia", "Île-de-France"];
    let mut chosen = Groups {
        units: vec!["europe".into()],
        ..Groups::default()
    };
    assert_eq!(
        selected(&world, groups(chosen.clone())).await.unwrap(),
        those(&world, |u| europe.contains(&&*u.business_unit))
    );
    chosen.only_these_units = true;
    assert_eq!(
        selected(&world, groups(chosen)).await.unwrap(),
        those(&world, |u| u.business_unit == "Europe")
    );
    let everywhere = Groups {
        units: vec!["Contoso".into()],
        ..Groups::default()
    };
    let everybody = those(&world, |_| true);
    assert_eq!(
        selected(&world, groups(everywhere)).await.unwrap(),
        everybody
    );
}

#[tokio::test]
async fn conditions_are_sent_as_they_are_with_quotation_marks_and_all() {
    let world = World::with_users(200).await;
    let chosen = Groups {
        conditions: vec![
            "endswith(fullname,'O''Brien')".into(),
            "endswith(fullname,'& Müller') or accessmode eq 4".into(),
        ],
        ..Groups::default()
    };
    let expected = those(&world, |u| {
        u.name.ends_with("O'Brien") || u.access_mode == 4
    });
    assert!(expected.len() > 1);
    assert_eq!(selected(&world, groups(chosen)).await.unwrap(), expected);
}

#[tokio::test]
async fn named_users_are_intersected_and_somebody_outside_of_the_groups_is_not_unknown() {
    let world = World::with_users(150).await;
    let users = world.sandbox.users();
    let with_login = |inside: bool| {
        let matches =
            |u: &&UserSnapshot| (u.business_unit == "DACH") == inside && !u.login.is_empty();
        users.iter().filter(matches).nth(2).unwrap()
    };
    let (inside, outside) = (with_login(true), with_login(false));
    let chosen = Groups {
        units: vec!["DACH".into()],
        ..Groups::default()
    };
    let both = Selection {
        only: Some(vec![
            named(&inside.id.to_string()),
            named(&outside.id.to_string()),
        ]),
        ..groups(chosen.clone())
    };
    assert_eq!(
        selected(&world, both).await.unwrap(),
        BTreeSet::from([inside.id])
    );
    let without = Selection {
        except: vec![
            named(&inside.id.to_string()),
            named(&outside.id.to_string()),
        ],
        ..groups(chosen)
    };
    let expected = those(&world, |u| u.business_unit == "DACH" && u.id != inside.id);
    assert_eq!(selected(&world, without).await.unwrap(), expected);
}

#[tokio::test]
async fn everything_that_is_unknown_or_refused_is_told_at_once_and_before_users_are_listed() {
    let world = World::with_users(30).await;
    let said = refused(
        &world,
        Groups {
            roles: vec!["Salesprson".into()],
            teams: vec!["O'Brien's team".into()],
            units: vec!["Eurpoe".into()],
            conditions: vec!["nosuchcolumn eq 1".into(), "fullname eq".into()],
            ..Groups::default()
        },
    )
    .await;
    for expected in [
        "no role `Salesprson` in this environment; did you mean `Salesperson`?",
        "no team `O'Brien's team`",
        "no business unit `Eurpoe` in this environment; did you mean `Europe`?",
        "the server refuses the condition `nosuchcolumn eq 1`: Could not find a property named 'nosuchcolumn'",
        "the server refuses the condition `fullname eq`: ",
    ] {
        assert!(said.contains(expected), "{expected} in {said}");
    }
}

#[tokio::test]
async fn a_condition_cannot_reach_out_of_its_place() {
    let world = World::with_users(30).await;
    let escapes = Groups {
        conditions: vec![
            "isdisabled eq true) or (isdisabled eq false".into(),
            "isdisabled eq true&$top=1".into(),
        ],
        ..Groups::default()
    };
    let said = refused(&world, escapes).await;
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[tokio::test]
async fn one_group_is_chosen_by_the_server_and_costs_a_look_up() {
    let world = World::with_users(150).await;
    let run = world
        .begin(NewRun {
            selection: groups(Groups {
                teams: vec!["Football Club".into()],
                ..Groups::default()
            }),
            ..started(Operation::Deactivate)
        })
        .await;
    world.sandbox.reset_counts();
    run.gather().await.unwrap();
    // The team, the users, and the names of their business units.
    assert_eq!(world.sandbox.counts().total, 3);
}
