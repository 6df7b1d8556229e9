//! The gate, the limit and the rate as one plain value.

use std::time::{Duration, Instant};

use rand::Rng;

use super::cooldown::{Cooldown, CooldownCause};
use super::health::Health;
use super::limiter::ConcurrencyLimiter;
use super::rate::Rate;
use super::request_rate::RequestRate;
use super::signal::{Observation, Signal};
use super::status::{Limiting, PacingStatus};
use super::trouble::{Trouble, TroubleCount};
use super::{GiveUp, Repeat, RetryDecision, RetryPolicy, RetryState, Settings};

/// As a share of the usual time to an answer: the gap between requests while the gate is ajar. So at most four are under
/// way before the first says whether it is open again.
const AJAR: f64 = 0.25;
/// As a share of the budget window: the longest such gap. 0.3 s of the documented five minutes.
const LONGEST_AJAR: f64 = 1.0 / 1000.0;
/// So many troubles in a row are told instead of what else keeps the run from being faster: one in twenty, which is no
/// trouble, comes so once in eight thousand requests.
const TOLD: u32 = 3;
/// After so long without any answer to what is under way it is told. The slowest queries take some seconds.
const SILENT: Duration = Duration::from_secs(5);

/// Whether a request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admit {
    Go(Ticket),
    /// Not before then, unless another one comes back earlier.
    WaitUntil(Instant),
    /// Not before another one is back.
    WaitForSlot,
}

/// A request that has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    generation: u64,
    at: Instant,
}

/// What the first of the queue was answered last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastAnswer {
    Go,
    Rate,
    Slot,
}

/// Decides for all workers together.
#[derive(Debug)]
pub(super) struct Controller {
    window: Duration,
    cooldown: Cooldown,
    limiter: ConcurrencyLimiter,
    rate: Rate,
    pace: RequestRate,
    health: Health,
    retry: RetryPolicy,
    /// Whether anything has ever been answered that is HTTP.
    answered: bool,
    trouble: Option<TroubleCount>,
    /// Since when nothing has come back, while something is under way.
    waiting_since: Option<Instant>,
    in_flight: u32,
    last: LastAnswer,
    requests: u64,
    throttled: u64,
    retried: u64,
}

impl Controller {
    pub(super) fn new(settings: &Settings) -> Self {
        // A window of nothing would be divided by.
        let window = settings.budget_window.max(Duration::from_millis(1));
        Self {
            window,
            cooldown: Cooldown::new(settings.retry),
            limiter: ConcurrencyLimiter::new(settings, window),
            rate: Rate::new(window, settings.max_requests_per_5m),
            pace: RequestRate::new(),
            health: Health::default(),
            retry: settings.retry,
            answered: false,
            trouble: None,
            waiting_since: None,
            in_flight: 0,
            last: LastAnswer::Go,
            requests: 0,
            throttled: 0,
            retried: 0,
        }
    }

    /// Whether one more may leave now; asked for one that is ready to.
    pub(super) fn poll_admit(&mut self, now: Instant) -> Admit {
        if let Some((until, _)) = self.cooldown.shut_until(now) {
            return Admit::WaitUntil(until);
        }
        if self.cooldown.open(now) {
            self.rate.reopened(now);
            self.pace.reopened(now);
        }
        if self.in_flight >= self.limiter.limit() {
            self.limiter.reached();
            self.last = LastAnswer::Slot;
            return Admit::WaitForSlot;
        }
        if let Some(at) = self.cooldown.ajar_until(now) {
            self.last = LastAnswer::Go;
            return Admit::WaitUntil(at);
        }
        if let Some(at) = self.rate.wait_until(self.in_flight, now) {
            self.last = LastAnswer::Rate;
            return Admit::WaitUntil(at);
        }
        if let Some(at) = self.pace.wait_until(now) {
            self.last = LastAnswer::Rate;
            return Admit::WaitUntil(at);
        }
        self.cooldown.left(self.ajar_gap(), now);
        self.rate.spend(now);
        self.pace.spend(now);
        self.in_flight += 1;
        self.requests += 1;
        self.waiting_since.get_or_insert(now);
        self.last = if self.in_flight >= self.limiter.limit() {
            LastAnswer::Slot
        } else {
            LastAnswer::Go
        };
        Admit::Go(Ticket {
            generation: self.limiter.generation(),
            at: now,
        })
    }

    /// About four in the time of one answer.
    fn ajar_gap(&self) -> Duration {
        let longest = self.window.mul_f64(LONGEST_AJAR);
        let usual = self.limiter.usual_answer().unwrap_or(longest);
        usual.mul_f64(AJAR).min(longest)
    }

    /// A request is back; `None` where nobody knows how it ended.
    pub(super) fn finish(&mut self, ticket: Ticket, seen: Option<&Observation>, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.waiting_since = (self.in_flight > 0).then_some(now);
        let Some(seen) = seen else {
            return;
        };
        self.answered |= seen.trouble.is_none_or(Trouble::is_answered);
        self.trouble = seen
            .trouble
            .map(|trouble| TroubleCount::after(self.trouble, trouble));
        self.health.observe(seen.signal);
        // One failure now and then is no reason for fewer at once.
        if seen.signal != Signal::Overload || self.health.is_strained() {
            let elapsed = now.saturating_duration_since(ticket.at);
            self.limiter
                .observe(seen.signal, ticket.generation, elapsed, now);
        }
        match seen.signal {
            Signal::Success => {
                self.cooldown.answered(ticket.at);
                self.rate.granted(ticket.at, now);
                self.pace.granted(now);
            }
            Signal::Neutral => {
                self.rate.granted(ticket.at, now);
                self.pace.granted(now);
            }
            Signal::Overload if self.health.is_failing() && seen.retry_after.is_none() => {
                let allowed = self.retry.allowance(seen.trouble);
                self.cooldown.failing(ticket.at, allowed, now);
            }
            _ => {}
        }
        self.restrain(seen, ticket.at, now);
    }

    /// What a response that came inside another means for everybody. It was no request of its own.
    pub(super) fn note(&mut self, seen: &Observation, now: Instant) {
        self.restrain(seen, now, now);
    }

    fn restrain(&mut self, seen: &Observation, sent: Instant, now: Instant) {
        let budget = match (seen.signal, seen.retry_after) {
            (Signal::Success | Signal::Neutral, _) => return,
            (Signal::Concurrency | Signal::Overload | Signal::Auth, _) => None,
            (Signal::Budget(budget), Some(wait)) => {
                self.rate.refused(sent, wait, now);
                Some(budget)
            }
            // Nobody says when there is more: that teaches no budget, whatever its code.
            (Signal::Budget(budget), None) => {
                self.pace.refused(sent, now);
                Some(budget)
            }
            (Signal::Throttled, _) => {
                self.pace.refused(sent, now);
                None
            }
        };
        self.throttled += u64::from(seen.signal.is_limit());
        match seen.retry_after {
            Some(wait) => self.cooldown.asked(wait, budget, now),
            None if matches!(seen.signal, Signal::Budget(_) | Signal::Throttled) => {
                self.cooldown.unsaid(sent, budget, now);
            }
            None => {}
        }
    }

    pub(super) fn hint(&mut self, recommended: u32) {
        self.limiter.hint(recommended);
    }

    /// What went wrong the last times, where it did.
    pub(super) fn trouble(&self) -> Option<TroubleCount> {
        self.trouble
    }

    /// What to do after an attempt that was not final. Where the server has been away for too long, nothing is
    /// tried again.
    pub(super) fn decide(
        &mut self,
        state: &mut RetryState,
        seen: &Observation,
        repeat: Repeat,
        rng: &mut impl Rng,
        now: Instant,
    ) -> RetryDecision {
        let decision = state.decide(seen, repeat, self.answered, rng, now);
        if !matches!(decision, RetryDecision::Retry { .. }) {
            return decision;
        }
        let allowed = self.retry.allowance(seen.trouble);
        if seen.signal == Signal::Overload && self.cooldown.is_hopeless(allowed, now) {
            return RetryDecision::GiveUp(GiveUp::Attempts);
        }
        self.retried += 1;
        decision
    }

    pub(super) fn status(&self, now: Instant) -> PacingStatus {
        PacingStatus {
            limit: self.limiter.limit(),
            in_flight: self.in_flight,
            rate_per_second: match (self.rate.per_second(), self.pace.per_second(now)) {
                (Some(budget), Some(pace)) => Some(budget.min(pace)),
                (budget, pace) => budget.or(pace),
            },
            limiting: self.limiting(now),
            requests: self.requests,
            throttled: self.throttled,
            retried: self.retried,
        }
    }

    fn limiting(&self, now: Instant) -> Limiting {
        let shut = self.cooldown.shut_until(now);
        if let Some((until, CooldownCause::Asked(budget))) = shut {
            return Limiting::Cooldown {
                left: until - now,
                budget,
            };
        }
        // A pause of our own may follow: the server did not ask for it.
        if let Some(trouble) = self.trouble.filter(|trouble| trouble.times >= TOLD) {
            return Limiting::Trouble {
                trouble,
                left: shut.map(|(until, _)| until - now),
            };
        }
        let silent = self
            .waiting_since
            .map(|since| now.saturating_duration_since(since));
        if let Some(length) = silent.filter(|silent| *silent >= SILENT) {
            return Limiting::Silence { length };
        }
        match self.last {
            LastAnswer::Go => Limiting::Answers,
            LastAnswer::Rate => Limiting::Rate,
            LastAnswer::Slot => Limiting::Concurrency,
        }
    }
}

#[cfg(test)]
mod tests {
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
}
