//! What holds for every server, not only for the scenarios. The run itself checks at each request that
//! the gate is open and the limit kept, and that it ends in bounded time, with the work done or by the breaker.

use proptest::prelude::*;

use super::run::run;
use super::scenario::Scenario;

/// A server that recovers from every fault, in a window of thirty seconds. With `hard`, servers are chosen at random,
/// send no `Retry-After`, and refuse for longer while they are asked.
fn scenario(hard: bool) -> impl Strategy<Value = String> {
    let flag = || any::<bool>().prop_map(move |it| it || hard);
    let server = (
        1_u32..5,
        flag(),
        20_u32..400,
        3_u32..60,
        0_u32..60,
        5_u32..500,
    );
    let trouble = (flag(), flag(), 0.0_f64..1.0, 0_u32..20, 0.0_f64..0.9);
    let remaining = prop_oneof![
        Just(String::new()),
        Just("tells_remaining = true".to_owned()),
        (0_u32..60).prop_map(|it| format!("false_remaining = {it}")),
    ];
    let all = (any::<u32>(), server, trouble, remaining);
    all.prop_map(|(seed, server, trouble, remaining)| {
        let (servers, random, requests, at_once, hint, execution) = server;
        let (penalty, silent, share, retry_after, other) = trouble;
        format!(
            "seed = {seed}
            work = {{ users = 800 }}
            fault = [{{ kind = 'busy', share = {share}, from = 5.0, to = 40.0, retry_after = {retry_after} }},
                     {{ kind = 'lost', share = 0.02 }}]
            other = [{{ share = {other}, from = -20.0, to = 60.0 }}]
            [server]
            servers = {servers}
            random = {random}
            requests = {requests}
            at_once = {at_once}
            time = 60.0
            window = 30.0
            hint = {hint}
            network_ms = 20
            execution_ms = {execution}
            jitter = 0.5
            penalty = {penalty}
            silent = {silent}
            {remaining}
            [expect]"
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everybody_gets_a_turn_in_the_end_and_only_through_an_open_gate(text in scenario(false)) {
        everybody_gets_a_turn(&text)?;
    }

    #[test]
    fn servers_that_refuse_for_longer_the_more_they_are_asked_come_to_rest(text in scenario(true)) {
        everybody_gets_a_turn(&text)?;
    }
}

fn everybody_gets_a_turn(text: &str) -> Result<(), TestCaseError> {
    let scenario: Scenario = toml::from_str(text).unwrap();
    let figures = run(&scenario).map_err(TestCaseError::fail)?;
    let figures = figures.by_name(&scenario);
    prop_assert!((1.0..=52.0).contains(&figures["limit_max"]));
    prop_assert!(figures["in_flight_max"] <= 52.0);
    Ok(())
}
