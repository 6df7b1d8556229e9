//! What users lose, counted before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use syncfilters::journal::{Finding, ImpactOptions};
use syncfilters::model::{FilterKind, Operation};
use syncfilters::plan::{Criteria, Groups, LossBound, NameSource, Selection, Types, UserRef};
use syncfilters::rollout::{NewRun, RolloutError};
use syncfilters::sandbox::{Options, Switch, Switches};
use uuid::Uuid;

use crate::world::{Run, World, is_calendar, started};

const SETS: [(&str, &str); 3] = [
    ("appointment", "appointments"),
    ("recurringappointmentmaster", "recurringappointmentmasters"),
    ("serviceappointment", "serviceappointments"),
];

const SYSTEM: [(&str, &str); 2] = [
    ("$select", "returnedtypecode,fetchxml"),
    ("$filter", "querytype eq 256 and statecode eq 0"),
];

async fn ask(world: &World, started: NewRun) -> Run {
    let run = world.begin(started).await;
    let asked = ImpactOptions {
        impact: true,
        other_engine: None,
    };
    run.journal().ask(asked).await.unwrap();
    run
}

async fn planned(world: &World) -> Run {
    let run = ask(world, started(Operation::Deactivate)).await;
    run.plan().await.unwrap();
    run
}

/// One GET as a user, with the user's own token and none of the client's code.
async fn get(world: &World, user: Uuid, set: &str, query: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("{}api/data/v9.2/{set}", world.sandbox.url());
    let url = reqwest::Url::parse_with_params(&url, query).unwrap();
    let request = syncfilters::auth::client_builder()
        .build()
        .unwrap()
        .get(url)
        .bearer_auth(world.sandbox.token_of(user));
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// Keys of the items to come that a filter selects, by its own text; `None` where the server refuses it.
async fn selected(world: &World, user: Uuid, set: &str, fetch: &str) -> Option<BTreeSet<String>> {
    let now = jiff::Timestamp::now().to_string();
    let with_time = fetch.replacen(
        "<attribute ",
        "<attribute name=\"scheduledend\"/><attribute ",
        1,
    );
    let (status, body) = get(world, user, set, &[("fetchXml", &with_time)]).await;
    if status != 200 {
        return None;
    }
    let rows = body["value"].as_array().unwrap().iter();
    let ahead = rows.filter(|row| row["scheduledend"].as_str().is_some_and(|end| *end >= *now));
    Some(
        ahead
            .map(|row| row["activityid"].as_str().unwrap().to_owned())
            .collect(),
    )
}

/// What the union of a user's active filters of each type selects less what the system filters select, asked filter
/// by filter.
async fn truth(world: &World, user: Uuid) -> BTreeMap<&'static str, Option<u64>> {
    let query = [
        ("$select", "returnedtypecode,fetchxml"),
        ("$filter", "querytype eq 256 and statecode eq 0"),
    ];
    let (_, body) = get(world, user, "userqueries", &query).await;
    let mut lost = BTreeMap::new();
    for (filter_type, set) in SETS {
        let mut all = Some(BTreeSet::new());
        let rows = body["value"].as_array().unwrap().iter();
        let mine: Vec<_> = rows
            .filter(|row| row["returnedtypecode"] == filter_type)
            .collect();
        for row in &mine {
            let fetch = row["fetchxml"].as_str().unwrap_or_default();
            let more = selected(world, user, set, fetch).await;
            all = all.zip(more).map(|(all, more)| &all | &more);
        }
        let (_, system) = get(world, user, "savedqueries", &SYSTEM).await;
        for row in system["value"].as_array().unwrap() {
            if row["returnedtypecode"] == filter_type {
                let fetch = row["fetchxml"].as_str().unwrap();
                let kept = selected(world, user, set, fetch).await.unwrap_or_default();
                all = all.map(|all| &all - &kept);
            }
        }
        if !mine.is_empty() {
            lost.insert(filter_type, all.map(|all| all.len() as u64));
        }
    }
    lost
}

/// Compares every number with what the user is shown; how many were compared, their sum, and how many are unknown.
async fn compare(world: &World, run: &Run) -> (usize, u64, u64) {
    let changing: BTreeSet<_> = world
        .active_calendar_filters()
        .iter()
        .map(|f| f.owner)
        .collect();
    let (mut compared, mut items, mut unknown) = (0, 0, 0);
    for user in changing {
        let id = syncfilters::model::UserId(user);
        let rows = run
            .journal()
            .view(move |view| view.impact_of(id))
            .await
            .unwrap();
        if rows.is_empty() {
            // Could not be surveyed.
            continue;
        }
        let truth = truth(world, user).await;
        assert_eq!(rows.len(), truth.len(), "{user}");
        for row in rows {
            assert!(!row.bound.can_be_less(), "{row:?}");
            assert_eq!(
                row.items,
                truth[row.filter_type.as_str()],
                "{user}: {row:?}"
            );
            compared += 1;
            items += row.items.unwrap_or(0);
            unknown += u64::from(row.items.is_none());
        }
    }
    (compared, items, unknown)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_what_each_filter_selects_when_asked_one_by_one() {
    let world = World::with_users(60).await;
    let before = world.states();
    let run = planned(&world).await;
    assert_eq!(world.states(), before, "nothing is written");
    let (compared, items, unknown) = compare(&world, &run).await;
    assert!(compared > 60 && items > 50, "{compared} {items}");
    let impact = run
        .journal()
        .view(|view| view.impact(10))
        .await
        .unwrap()
        .unwrap();
    let all = impact.items + impact.without_mailbox;
    assert_eq!((all, impact.not_counted), (items, 0));
    // Most users may not read the whole organisation's activities.
    assert_eq!(impact.bound, LossBound::AtLeast);
    assert_eq!(
        impact.types.iter().map(|t| t.unknown_users).sum::<u64>(),
        unknown
    );
    assert_eq!(impact.most.len(), 10);
    assert!(impact.most.is_sorted_by(|a, b| a.items >= b.items));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_filter_that_keeps_the_type_is_found_and_counted() {
    let world = World::new(Options {
        users: 40,
        switches: Switches::none().with(Switch::CalendarSystemFilter),
        ..Options::default()
    })
    .await;
    let run = planned(&world).await;
    let (compared, ..) = compare(&world, &run).await;
    assert!(compared > 30, "{compared}");
    let findings = run.journal().view(|view| view.findings()).await.unwrap();
    let kept = findings.iter().find_map(|finding| match finding {
        Finding::SystemFilter(it) => Some(it.filter_type.as_str().to_owned()),
        _ => None,
    });
    assert_eq!(kept.as_deref(), Some("appointment"), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_one_filter_below_the_entity_is_asked_nothing_else() {
    let counted = |switch: Option<Switch>| async move {
        let switches = switch.map_or(Switches::none(), |it| Switches::none().with(it));
        let world = World::new(Options {
            users: 40,
            switches,
            ..Options::default()
        })
        .await;
        let run = planned(&world).await;
        let impact = run.journal().view(|view| view.impact(1)).await;
        impact.unwrap().unwrap()
    };
    let all = counted(None).await;
    assert!(all.items > 50);
    for switch in [Switch::RefuseSecondRootFilter, Switch::FirstRootFilterOnly] {
        let impact = counted(Some(switch)).await;
        assert_eq!(impact.items, all.items, "{switch}");
        assert_eq!(impact.unknown_users, all.unknown_users, "{switch}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_letters_faxes_phone_calls_and_contacts_are_counted_too() {
    let world = World::with_users(40).await;
    let new = NewRun {
        criteria: Criteria::new(Types::All, vec![FilterKind::Outlook], None).unwrap(),
        ..started(Operation::Deactivate)
    };
    let run = ask(&world, new).await;
    run.plan().await.unwrap();
    let impact = run.journal().view(|view| view.impact(1)).await;
    let impact = impact.unwrap().unwrap();
    let reasons: Vec<_> = impact.unknown.iter().map(|why| &*why.kind).collect();
    assert!(reasons.contains(&"no-privilege"), "{reasons:?}");
    let types = impact.types;
    for name in ["task", "letter", "fax", "phonecall", "contact"] {
        let of = types.iter().find(|of| of.filter_type.as_str() == name);
        assert!(
            // One user may read none of them.
            of.is_some_and(|of| of.items > 0 && of.unknown_users == 1),
            "{name}: {of:?}"
        );
    }
}

#[tokio::test]
async fn it_costs_one_request_for_each_user_who_changes_and_two_or_three_in_all() {
    let world = World::with_users(60).await;
    let run = world.begin(started(Operation::Deactivate)).await;
    world.sandbox.reset_counts();
    run.plan().await.unwrap();
    let without = world.sandbox.counts().total;
    world.sandbox.reset_counts();
    let run = planned(&world).await;
    let with = world.sandbox.counts().total;
    let users = run.journal().users_to_change().await.unwrap();
    // Signing in again costs some; so do users none of whose filters can be asked about.
    let more = with - without;
    assert!(
        more <= users + 12 && more + 3 >= users,
        "{more} for {users}"
    );
}

#[tokio::test]
async fn a_plan_that_was_cut_off_counts_the_others_and_nobody_twice() {
    let world = World::with_users(60).await;
    let whole = planned(&world).await;
    let expected = whole.journal().view(|view| view.impact(10)).await.unwrap();
    let run = ask(&world, started(Operation::Deactivate)).await;
    let path = run.path.clone();
    run.gather().await.unwrap();
    let interrupted = run.interrupted.clone();
    let journal = run.journal().clone();
    let survey = run.survey();
    let watch = async {
        // As soon as somebody was counted, and long before everybody was.
        while journal
            .view(|view| view.impact(1))
            .await
            .unwrap()
            .unwrap()
            .types
            .is_empty()
        {
            tokio::task::yield_now().await;
        }
        interrupted.cancel();
    };
    let (stopped, ()) = tokio::join!(survey, watch);
    assert!(matches!(
        stopped,
        Err(RolloutError::Interrupted | RolloutError::Dataverse(_)) | Ok(_)
    ));
    drop((run, journal));
    let again = world.reopen(&path).await;
    again.compare().await.unwrap();
    let found = again.journal().view(|view| view.impact(10)).await.unwrap();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_the_server_does_not_count_is_unknown_and_not_nothing() {
    let world = World::new(Options {
        users: 60,
        switches: Switches::none().with(Switch::LowAggregateLimit),
        ..Options::default()
    })
    .await;
    let run = planned(&world).await;
    let impact = run
        .journal()
        .view(|view| view.impact(10))
        .await
        .unwrap()
        .unwrap();
    assert!(
        impact.unknown.iter().any(|why| why.kind == "too-many"),
        "{impact:?}"
    );
    assert!(impact.unknown_users > 0);
}

#[tokio::test]
async fn a_server_that_stops_at_the_first_refusal_is_asked_for_the_rest() {
    let plain = World::with_users(60).await;
    let expected = planned(&plain).await;
    let expected = expected
        .journal()
        .view(|view| view.impact(10))
        .await
        .unwrap();
    let world = World::new(Options {
        users: 60,
        switches: Switches::none().with(Switch::NoContinueOnError),
        ..Options::default()
    })
    .await;
    let run = planned(&world).await;
    let found = run.journal().view(|view| view.impact(10)).await.unwrap();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn filters_of_one_type_left_on_by_name_are_found_and_counted() {
    let world = World::with_users(60).await;
    let named = NewRun {
        criteria: Criteria::new(
            Types::default(),
            vec![syncfilters::model::FilterKind::Outlook],
            Some("My *"),
        )
        .unwrap(),
        ..started(Operation::Deactivate)
    };
    let run = ask(&world, named).await;
    run.plan().await.unwrap();
    let findings = run.journal().view(|view| view.findings()).await.unwrap();
    let words: Vec<_> = findings.iter().map(Finding::as_str).collect();
    assert!(words.contains(&"stays-on"), "{words:?}");
    let templates = findings
        .iter()
        .filter(|f| matches!(f, Finding::Template(_)));
    assert_eq!(templates.count(), 3, "{words:?}");
    assert!(world.sandbox.filters().iter().any(is_calendar));
}

#[tokio::test]
async fn who_is_on_the_other_engines_list_and_who_is_not_is_told() {
    let world = World::with_users(60).await;
    let served = world.active_calendar_filters();
    let name = |name: &str| UserRef {
        name: name.into(),
        place: NameSource::Line("other.csv".into(), 1),
    };
    let run = world.begin(started(Operation::Reactivate)).await;
    let asked = ImpactOptions {
        impact: false,
        other_engine: Some(vec![name(&served[0].owner.to_string()), name("nobody@x")]),
    };
    run.journal().ask(asked).await.unwrap();
    run.plan().await.unwrap();
    let findings = run.journal().view(|view| view.findings()).await.unwrap();
    let both = findings.iter().find_map(|finding| match finding {
        Finding::BothEngines(several) => Some(several.users),
        _ => None,
    });
    assert_eq!(both, Some(1), "{findings:?}");
    assert!(findings.contains(&Finding::NotHere {
        names: 1,
        examples: vec!["nobody@x".into()]
    }));
}

fn in_views(views: &[&str]) -> NewRun {
    NewRun {
        selection: Selection {
            groups: Groups {
                views: views.iter().map(|&view| view.to_owned()).collect(),
                ..Groups::default()
            },
            ..Selection::default()
        },
        ..started(Operation::Deactivate)
    }
}

#[tokio::test]
async fn views_of_users_choose_those_whom_one_of_them_shows() {
    let world = World::with_users(60).await;
    let run = world.begin(in_views(&["salespeople", "Pilot group"])).await;
    run.gather().await.unwrap();
    let journal = run.journal();
    let listed = journal.view(|view| view.listed(0, 10_000)).await.unwrap();
    let listed: BTreeSet<_> = listed.into_iter().map(|user| user.id.0).collect();
    let users = world.sandbox.users().into_iter();
    let shown = users.filter(|user| {
        let sells = user.roles.iter().any(|role| role.starts_with("Sales"));
        sells || (!user.disabled && user.login.starts_with('a'))
    });
    let shown: BTreeSet<_> = shown.map(|user| user.id).collect();
    assert!(shown.len() > 3 && shown.len() < 60, "{}", shown.len());
    assert_eq!(listed, shown);
    assert!(
        run.journal()
            .view(|view| view.header())
            .await
            .unwrap()
            .selection
            .describe()
            .contains("in view `salespeople` or `Pilot group`")
    );
}

#[tokio::test]
async fn a_view_that_is_unknown_ambiguous_or_broken_is_told_before_users_are_listed() {
    let world = World::with_users(30).await;
    let views = [
        "Salespeopel",
        "Enabled Users",
        "Users of a Former Region",
        "Old List of Users",
    ];
    let run = world.begin(in_views(&views)).await;
    let Err(RolloutError::Groups(said)) = run.gather().await else {
        panic!("refused");
    };
    let said: Vec<_> = said.iter().map(ToString::to_string).collect();
    let expected = [
        "no view of users `Salespeopel` in this environment; did you mean `Salespeople`?",
        "several views of users are called `Enabled Users`: Enabled Users (the system's, ",
        "the server cannot run the view `Users of a Former Region`: ",
        "no view of users `Old List of Users` in this environment",
    ];
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.starts_with(expected), "{said}");
    }
}
