//! The faster survey of a caller who may see other people's filters.

use syncfilters::model::Operation;
use syncfilters::rollout::{FallBack, SurveyMode, SurveyedAs};
use syncfilters::sandbox::{Options, Switch, Switches};

use crate::world::{World, started};

/// Surveys as the administrator; how it went, the requests that it took, and the world's states after applying.
async fn survey(switches: Switches) -> (SurveyedAs, u64, World) {
    let world = World::new(Options {
        users: 200,
        switches,
        ..Options::default()
    })
    .await;
    let mut new = started(Operation::Deactivate);
    new.settings.survey = SurveyMode::Administrator;
    let run = world.begin(new).await;
    run.gather().await.unwrap();
    world.sandbox.reset_counts();
    let surveyed_as = run.survey().await.unwrap();
    let requests = world.sandbox.counts().total;
    run.apply().await.unwrap();
    run.finish().await;
    (surveyed_as, requests, world)
}

#[tokio::test]
async fn it_finds_the_same_with_a_fraction_of_the_requests_and_writes_as_each_user() {
    let each = World::with_users(200).await;
    each.carry_out(Operation::Deactivate).await;
    let (surveyed_as, requests, world) = survey(Switches::none()).await;
    assert_eq!(surveyed_as, SurveyedAs::Asked);
    assert!(requests < 60, "{requests}");
    assert_eq!(world.states(), each.states());
    for filter in world.sandbox.filters() {
        if filter.modified_on_behalf_by.is_some() {
            assert_eq!(filter.modified_by, filter.owner, "impersonated");
        }
    }
}

#[tokio::test]
async fn a_server_on_which_a_choice_of_columns_breaks_the_query_is_asked_for_all() {
    let switches = Switches::none().with(Switch::AdminQueryConditionsOnly);
    let (surveyed_as, requests, _) = survey(switches).await;
    assert_eq!(surveyed_as, SurveyedAs::Asked);
    assert!(requests < 60, "{requests}");
}

#[tokio::test]
async fn a_caller_without_the_privilege_is_noticed_and_each_user_is_asked() {
    let each = World::with_users(200).await;
    each.carry_out(Operation::Deactivate).await;
    let switches = Switches::none().with(Switch::CallerLacksAdminFilter);
    let (surveyed_as, _, world) = survey(switches).await;
    assert!(
        matches!(surveyed_as, SurveyedAs::FellBack(FallBack::Differs { .. })),
        "{surveyed_as:?}"
    );
    assert_eq!(world.states(), each.states());
}
