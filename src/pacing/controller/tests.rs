use super::*;
use crate::pacing::Budget;
use proptest::prelude::*;

fn observation(signal: Signal, retry_after: Option<u64>) -> Observation {
    Observation {
        signal,
        retry_after: retry_after.map(Duration::from_secs),
        not_done: false,
        trouble: (signal == Signal::Overload).then_some(Trouble::Status(503)),
    }
}

fn go(controller: &mut Controller, now: Instant) -> Option<Ticket> {
    match controller.poll_admit(now) {
        Admit::Go(ticket) => Some(ticket),
        Admit::WaitUntil(_) | Admit::WaitForSlot => None,
    }
}

#[test]
fn one_refusal_closes_the_gate_for_all_until_the_longest_wait_is_over() {
    let mut controller = Controller::new(&Settings::default());
    let now = Instant::now();
    let first = go(&mut controller, now).unwrap();
    let second = go(&mut controller, now).unwrap();
    let budget = Signal::Budget(Budget::Requests);
    controller.finish(first, Some(&observation(budget, Some(30))), now);
    controller.finish(second, Some(&observation(budget, Some(10))), now);
    let until = now + Duration::from_secs(30);
    assert_eq!(
        controller.poll_admit(now + Duration::from_secs(15)),
        Admit::WaitUntil(until)
    );
    assert!(go(&mut controller, until).is_some());
    assert_eq!(controller.status(until).throttled, 2);
}

#[test]
fn after_quiet_requests_are_let_in_one_by_one() {
    let mut controller = Controller::new(&Settings::default());
    let now = Instant::now();
    let ticket = go(&mut controller, now).unwrap();
    controller.finish(ticket, Some(&observation(Signal::Overload, Some(1))), now);
    let later = now + Duration::from_secs(1);
    assert!(go(&mut controller, later).is_some());
    let Admit::WaitUntil(next) = controller.poll_admit(later) else {
        panic!("a second one at the same instant");
    };
    assert!(next > later && next <= later + Duration::from_millis(300));
    assert!(go(&mut controller, next).is_some());
}

#[test]
fn it_says_what_keeps_the_run_from_being_faster() {
    let mut controller = Controller::new(&Settings::default());
    let now = Instant::now();
    assert_eq!(controller.status(now).limiting, Limiting::Answers);
    let ticket = go(&mut controller, now).unwrap();
    while go(&mut controller, now).is_some() {}
    assert_eq!(controller.status(now).limiting, Limiting::Concurrency);
    let budget = observation(Signal::Budget(Budget::Time), Some(9));
    controller.finish(ticket, Some(&budget), now);
    let said = controller.status(now).limiting.to_string();
    assert_eq!(
        said,
        "throttled by the server, retrying in 9 s (execution time limit)"
    );
}

#[test]
fn what_goes_wrong_again_and_again_is_told_and_so_is_silence() {
    let mut controller = Controller::new(&Settings::default());
    let now = Instant::now();
    let mut limiting = Vec::new();
    for _ in 0..3 {
        let ticket = go(&mut controller, now).unwrap();
        controller.finish(ticket, Some(&observation(Signal::Overload, None)), now);
        limiting.push(controller.status(now).limiting.to_string());
    }
    assert_eq!(limiting[1], "waiting for the server's answers");
    assert_eq!(limiting[2], "the last 3 answers were status 503; retrying");
    let ticket = go(&mut controller, now).unwrap();
    controller.finish(ticket, Some(&observation(Signal::Success, None)), now);
    assert!(go(&mut controller, now).is_some());
    assert!(!controller.status(now).limiting.is_trouble());
    let later = now + Duration::from_secs(7);
    assert_eq!(
        controller.status(later).limiting.to_string(),
        "no answer from the server for 7 s"
    );
}

#[test]
fn bad_answers_are_waited_out_for_less_time_than_an_outage() {
    let minute = Duration::from_mins(1);
    for (trouble, minutes) in [(Trouble::Empty, 1), (Trouble::Status(503), 5)] {
        let mut controller = Controller::new(&Settings::default());
        let seen = Observation {
            trouble: Some(trouble),
            ..observation(Signal::Overload, None)
        };
        let begin = Instant::now();
        let mut now = begin;
        // Each is the first attempt of its operation.
        loop {
            let ticket = match controller.poll_admit(now) {
                Admit::Go(ticket) => ticket,
                Admit::WaitUntil(at) => {
                    now = at;
                    continue;
                }
                Admit::WaitForSlot => panic!("one at a time"),
            };
            now += Duration::from_millis(50);
            controller.finish(ticket, Some(&seen), now);
            let mut state = RetryState::new(RetryPolicy::default());
            let mut rng = rand::rng();
            let decision = controller.decide(&mut state, &seen, Repeat::Safe, &mut rng, now);
            if decision == RetryDecision::GiveUp(GiveUp::Attempts) {
                break;
            }
        }
        let waited = now - begin;
        assert!(
            (minute * minutes..minute * (minutes + 1)).contains(&waited),
            "{waited:?}"
        );
    }
}

#[test]
fn three_refusals_at_the_beginning_of_a_run_teach_no_budget() {
    for signal in [Signal::Throttled, Signal::Budget(Budget::Requests)] {
        for retry_after in [None, Some(1), Some(60)] {
            let mut controller = Controller::new(&Settings::default());
            let mut now = Instant::now();
            for n in 0..6 {
                now += Duration::from_secs(61);
                let ticket = go(&mut controller, now).unwrap();
                let seen = if n % 2 == 0 { Signal::Success } else { signal };
                controller.finish(ticket, Some(&observation(seen, retry_after)), now);
            }
            now += Duration::from_secs(90);
            assert!(
                controller.rate.per_second().is_none(),
                "{signal:?} {retry_after:?}"
            );
            assert!(go(&mut controller, now).is_some());
        }
    }
}

#[test]
fn an_address_that_has_never_answered_is_not_tried_again() {
    let mut controller = Controller::new(&Settings::default());
    let (mut state, now) = (RetryState::new(Settings::default().retry), Instant::now());
    let unreached = Observation {
        not_done: true,
        trouble: Some(Trouble::NotConnected),
        ..observation(Signal::Overload, None)
    };
    let mut decide = |controller: &mut Controller| {
        let mut rng = rand::rng();
        controller.decide(&mut state, &unreached, Repeat::Safe, &mut rng, now)
    };
    assert_eq!(
        decide(&mut controller),
        RetryDecision::GiveUp(GiveUp::Attempts)
    );
    let ticket = go(&mut controller, now).unwrap();
    controller.finish(ticket, Some(&observation(Signal::Success, None)), now);
    assert!(matches!(
        decide(&mut controller),
        RetryDecision::Retry { .. }
    ));
}

proptest! {
    #[test]
    fn nothing_leaves_while_the_gate_is_shut_and_never_more_than_the_limit_at_once(
        steps in proptest::collection::vec((0_u8..8, 0_u64..20), 1..400)
    ) {
        let mut controller = Controller::new(&Settings::default());
        let mut now = Instant::now();
        let mut shut = now;
        let mut out = Vec::new();
        for (what, wait) in steps {
            now += Duration::from_millis(wait * 50);
            match what {
                0..=4 => if let Admit::Go(ticket) = controller.poll_admit(now) {
                    prop_assert!(now >= shut);
                    out.push(ticket);
                    prop_assert!(out.len() <= controller.status(now).limit as usize);
                },
                5 => if let Some(ticket) = out.pop() {
                    controller.finish(ticket, Some(&observation(Signal::Success, None)), now);
                },
                6 => if let Some(ticket) = out.pop() {
                    controller.finish(ticket, None, now);
                },
                // A cut lowers the limit below what is out already: drain first, as a server would.
                _ => {
                    let refused = observation(Signal::Budget(Budget::Requests), Some(wait));
                    if let Some(ticket) = out.pop() {
                        controller.finish(ticket, Some(&refused), now);
                        shut = shut.max(now + Duration::from_secs(wait));
                    }
                }
            }
        }
    }
}

#[test]
fn while_little_is_left_fewer_are_let_in_until_a_budget_is_learnt() {
    let mut controller = Controller::new(&Settings {
        fixed_concurrency: Some(20),
        ..Settings::default()
    });
    let now = Instant::now();
    let fine = observation(Signal::Success, None);
    for _ in 0..100 {
        let ticket = go(&mut controller, now).unwrap();
        controller.finish(ticket, Some(&fine), now);
    }
    let mut under_way: Vec<_> = std::iter::from_fn(|| go(&mut controller, now)).collect();
    assert_eq!(under_way.len(), 20);
    controller.remaining(10, now);
    for ticket in under_way.drain(..10) {
        controller.finish(ticket, Some(&fine), now);
    }
    assert_eq!(controller.poll_admit(now), Admit::WaitForSlot);
    assert_eq!(controller.status(now).limiting, Limiting::Rate);
    controller.finish(under_way.remove(0), Some(&fine), now);
    under_way.extend(go(&mut controller, now));
    assert_eq!(under_way.len(), 10);
    assert_eq!(controller.most_by_remaining(), Some(10));
    let refused = observation(Signal::Budget(Budget::Requests), Some(300));
    controller.finish(under_way.remove(0), Some(&refused), now);
    assert_eq!(controller.most_by_remaining(), None);
}
