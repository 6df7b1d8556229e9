//! What is asked about a user's filters, and what the answers come to.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::model::{Filter, FilterKind, FilterType, State};

use super::change::tests::filter;
use super::fetch::MOST_IDS;
use super::fetch_tests::{BIG, MINE, OWNED};
use super::{
    Criteria, ImpactContext, ImpactQuestion, ImpactTable, Loss, LossBound, QueryAnswer,
    SystemFilter, Unknown, compute_loss, plan_user, questions,
};

fn appointments(n: u128, query: &str) -> Filter {
    Filter {
        query: Some(query.to_owned()),
        ..filter(n, "appointment", State::Active)
    }
}

fn around(types: &[&str]) -> ImpactContext {
    let types = types.iter().map(|name| FilterType::new(name));
    ImpactContext {
        read_whole: BTreeSet::new(),
        tables: types.map(|t| (t.clone(), ImpactTable::known(&t))).collect(),
        system_filters: Some(Vec::new()),
        now: "2026-11-24T18:30:00.5Z".parse().unwrap(),
    }
}

/// The one question about these filters, where those named by number go off.
fn ask(filters: &[Filter], off: &[u128], around: &ImpactContext) -> ImpactQuestion {
    let mut plan = plan_user(filters, &Criteria::default(), State::Inactive);
    plan.changes
        .retain(|change| off.contains(&change.filter.0.as_u128()));
    let mut asked = questions(filters, &plan.changes, around);
    assert_eq!(asked.len(), 1);
    asked.remove(0)
}

fn ids(of: impl IntoIterator<Item = u128>) -> QueryAnswer {
    QueryAnswer::Ids(of.into_iter().map(Uuid::from_u128).collect())
}

fn no() -> QueryAnswer {
    QueryAnswer::No(Unknown::new("refused", "no"))
}

#[test]
fn one_filter_alone_is_counted_with_the_condition_that_items_are_to_come() {
    let question = ask(&[appointments(1, MINE)], &[1], &around(&["appointment"]));
    let [query] = &question.queries[..] else {
        panic!("{question:?}");
    };
    assert_eq!((query.set.as_str(), &query.ids), ("appointments", &None));
    assert!(query.fetch.contains(
        "<condition attribute=\"scheduledend\" operator=\"ge\" value=\"2026-11-24T18:30:01Z\"/>"
    ));
    assert_eq!(
        compute_loss(&question, &[QueryAnswer::Number(7)], true),
        Loss::Exactly(7)
    );
    let unknown = compute_loss(&question, &[no()], true);
    assert_eq!(unknown, Loss::Unknown(Unknown::new("refused", "no")));
    assert!(matches!(
        compute_loss(&question, &[], true),
        Loss::Unknown(_)
    ));
}

#[test]
fn what_stays_on_is_taken_off_by_the_difference_of_two_numbers() {
    let filters = [appointments(1, OWNED), appointments(2, BIG)];
    let question = ask(&filters, &[1], &around(&["appointment"]));
    let [all, kept] = &question.queries[..] else {
        panic!("{question:?}");
    };
    assert!(!all.fetch.contains("R&amp;D") && kept.fetch.contains("R&amp;D"));
    assert!(kept.fetch.contains("eq-userid") && kept.fetch.contains("type=\"or\""));
    let answers = [QueryAnswer::Number(10), QueryAnswer::Number(4)];
    assert_eq!(compute_loss(&question, &answers, true), Loss::Exactly(6));
    assert_eq!(
        compute_loss(&question, &[QueryAnswer::Number(10), no()], true),
        Loss::AtMost(10)
    );
    let both = ask(&filters, &[1, 2], &around(&["appointment"]));
    assert_eq!(both.queries.len(), 1);
}

#[test]
fn what_stays_may_be_set_against_a_filter_that_joins() {
    let filters = [appointments(1, MINE), appointments(2, BIG)];
    let question = ask(&filters, &[1], &around(&["appointment"]));
    assert_eq!(question.queries.len(), 2);
    let kept = &question.queries[1].fetch;
    assert!(kept.contains("activityparty") && kept.contains("R&amp;D"));
    let the_other_way = ask(&filters, &[2], &around(&["appointment"]));
    assert!(
        the_other_way
            .queries
            .iter()
            .all(|query| query.ids.is_some())
    );
}

#[test]
fn filters_that_join_are_set_apart_by_their_keys() {
    let filters = [
        appointments(1, MINE),
        appointments(2, OWNED),
        appointments(3, BIG),
    ];
    let question = ask(&filters, &[1, 2], &around(&["appointment"]));
    let asked: Vec<_> = question.queries.iter().map(|q| q.ids.as_deref()).collect();
    assert_eq!(asked, [Some("activityid"); 3]);
    let answers = [ids([1, 1, 2, 3]), ids([3, 4]), ids([4, 9])];
    assert_eq!(compute_loss(&question, &answers, true), Loss::Exactly(3));
    let unsure = [ids([1, 2]), ids([3]), no()];
    assert_eq!(compute_loss(&question, &unsure, true), Loss::AtMost(3));
    let full = ids(0..MOST_IDS as u128);
    let cut_off = [ids([1]), ids([2]), full.clone()];
    assert_eq!(compute_loss(&question, &cut_off, true), Loss::Exactly(0));
    let cut_off = [ids([9_999]), ids([1]), full.clone()];
    assert_eq!(compute_loss(&question, &cut_off, true), Loss::AtMost(1));
    let Loss::Unknown(why) = compute_loss(&question, &[full, ids([2]), ids([])], true) else {
        panic!("unknown");
    };
    assert_eq!(why.kind, "too-many");
}

#[test]
fn a_system_filter_of_the_type_stays_on_whatever_the_user_has() {
    let mut around = around(&["appointment"]);
    around.system_filters = Some(vec![
        SystemFilter {
            name: "Everybody's".into(),
            filter_type: FilterType::new("appointment"),
            query: Some(OWNED.into()),
        },
        SystemFilter {
            name: "Other".into(),
            filter_type: FilterType::new("task"),
            query: Some("<fetch><entity name='task'/></fetch>".into()),
        },
    ]);
    let question = ask(&[appointments(1, BIG)], &[1], &around);
    assert_eq!(question.queries.len(), 2);
    let answers = [QueryAnswer::Number(3), QueryAnswer::Number(3)];
    assert_eq!(compute_loss(&question, &answers, true), Loss::Exactly(0));
}

#[test]
fn what_cannot_be_relied_on_makes_the_number_a_bound_or_unknown() {
    let around = around(&["appointment"]);
    let broken = [appointments(1, OWNED), appointments(2, "<fetch")];
    let stays_broken = ask(&broken, &[1], &around);
    assert_eq!(
        compute_loss(&stays_broken, &[QueryAnswer::Number(5)], true),
        Loss::AtMost(5)
    );
    assert_eq!(
        compute_loss(&stays_broken, &[QueryAnswer::Number(0)], true),
        Loss::Exactly(0)
    );
    let mut unread = around.clone();
    unread.system_filters = None;
    let question = ask(&[appointments(1, OWNED)], &[1], &unread);
    assert_eq!(
        compute_loss(&question, &[QueryAnswer::Number(5)], true),
        Loss::AtMost(5)
    );
    let goes_broken = ask(&broken, &[1, 2], &around);
    assert!(goes_broken.queries.is_empty());
    let Loss::Unknown(why) = compute_loss(&goes_broken, &[], true) else {
        panic!("unknown");
    };
    assert_eq!(why.kind, "bad-query");
    let other = "<fetch><entity name='task'/></fetch>";
    let misplaced = ask(&[appointments(1, other)], &[1], &around);
    let Loss::Unknown(why) = compute_loss(&misplaced, &[], true) else {
        panic!("unknown");
    };
    assert_eq!(why.message, "the query is about `task`");
}

#[test]
fn a_series_is_asked_for_without_regard_to_time_as_well() {
    let series = Filter {
        query: Some("<fetch><entity name='recurringappointmentmaster'/></fetch>".into()),
        ..filter(1, "recurringappointmentmaster", State::Active)
    };
    let around = around(&["recurringappointmentmaster"]);
    let question = ask(&[series], &[1], &around);
    assert_eq!(question.queries.len(), 2);
    let answers = [QueryAnswer::Number(2), QueryAnswer::Number(5)];
    assert_eq!(compute_loss(&question, &answers, true), Loss::Exactly(2));
    assert_eq!(
        compute_loss(&question, &[no(), QueryAnswer::Number(5)], true),
        Loss::AtMost(5)
    );
}

#[test]
fn offline_and_inactive_filters_are_not_asked_about() {
    let mut offline = appointments(1, OWNED);
    offline.kind = FilterKind::Offline;
    let inactive = Filter {
        now: State::Inactive.with_default_status(),
        ..appointments(2, OWNED)
    };
    let filters = [offline, inactive, appointments(3, BIG)];
    let question = ask(&filters, &[1, 3], &around(&["appointment"]));
    assert_eq!(question.queries.len(), 1);
    let unknown_table = ask(&filters, &[3], &around(&[]));
    assert!(
        matches!(compute_loss(&unknown_table, &[], true), Loss::Unknown(why) if why.kind == "no-table")
    );
}

#[test]
fn what_was_perhaps_not_shown_makes_a_number_the_least_that_it_can_be() {
    let question = ask(&[appointments(1, MINE)], &[1], &around(&["appointment"]));
    let counted = |sees_all| compute_loss(&question, &[QueryAnswer::Number(7)], sees_all);
    assert_eq!(counted(true), Loss::Exactly(7));
    assert_eq!(counted(false), Loss::AtLeast(7));
    let nothing = compute_loss(&question, &[QueryAnswer::Number(0)], false);
    assert_eq!(nothing, Loss::AtLeast(0));
    let mut unread = around(&["appointment"]);
    unread.system_filters = None;
    let question = ask(&[appointments(1, OWNED)], &[1], &unread);
    assert_eq!(
        compute_loss(&question, &[QueryAnswer::Number(5)], false),
        Loss::About(5)
    );
    let all = [LossBound::AtMost, LossBound::Exact, LossBound::AtLeast];
    assert_eq!(LossBound::from_iter(all), LossBound::About);
}
