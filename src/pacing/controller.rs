//! The gate, the limit and the rate as one plain value.

use std::fmt;
use std::time::{Duration, Instant};

use super::Settings;
use super::limiter::Limiter;
use super::rate::Rate;
use super::signal::{Budget, Observation, Signal};

/// How long the gate stays shut where the server asks for quiet without saying for how long.
const DEFAULT_QUIET: Duration = Duration::from_secs(5);
/// After quiet, requests are let in one by one over this time, and not all at the same instant.
const RAMP: Duration = Duration::from_millis(20);

/// Whether a request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admit {
    /// It may.
    Go(Ticket),
    /// Not before then.
    WaitUntil(Instant),
    /// Not before another one is back.
    WaitForSlot,
}

/// A request that has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    flight: u64,
    at: Instant,
}

/// What keeps a run from being faster right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limiting {
    /// The server has asked for quiet.
    Quiet {
        /// For how much longer.
        left: Duration,
        /// Which budget was used up, if it was one.
        budget: Option<Budget>,
    },
    /// The rate that the server grants, or that was set.
    Rate,
    /// The number of requests at once.
    Concurrency,
    /// The server's answers, and the work at hand.
    Answers,
}

impl fmt::Display for Limiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quiet { left, budget } => {
                let why = match budget {
                    Some(Budget::Requests) => " (request limit)",
                    Some(Budget::Time) => " (execution time limit)",
                    None => "",
                };
                write!(
                    f,
                    "the server asks for quiet, {} s left{why}",
                    left.as_secs() + 1
                )
            }
            Self::Rate => f.write_str("limited by the request rate"),
            Self::Concurrency => f.write_str("limited by requests at once"),
            Self::Answers => f.write_str("limited by the server's answers"),
        }
    }
}

/// How the pacing stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// Requests at once, at most.
    pub limit: u32,
    /// Requests under way.
    pub in_flight: u32,
    /// Requests a second at most, where there is a most.
    pub rate_per_second: Option<f64>,
    /// What keeps the run from being faster.
    pub limiting: Limiting,
    /// Requests that have left, every attempt counted.
    pub requests: u64,
    /// Requests refused because of a limit.
    pub throttled: u64,
    /// Attempts after the first.
    pub retried: u64,
}

/// Decides for all workers together.
#[derive(Debug)]
pub(super) struct Controller {
    limiter: Limiter,
    rate: Rate,
    in_flight: u32,
    closed_until: Option<Instant>,
    closed_by: Option<Budget>,
    ramp: Option<Instant>,
    waited_for_slot: bool,
    requests: u64,
    throttled: u64,
    retried: u64,
}

impl Controller {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            limiter: Limiter::new(
                settings.initial_concurrency,
                settings.max_concurrency,
                settings.fixed_concurrency,
            ),
            rate: Rate::new(settings.max_requests_per_5m),
            in_flight: 0,
            closed_until: None,
            closed_by: None,
            ramp: None,
            waited_for_slot: false,
            requests: 0,
            throttled: 0,
            retried: 0,
        }
    }

    pub(super) fn poll_admit(&mut self, now: Instant) -> Admit {
        if let Some(until) = self.closed_until {
            if now < until {
                return Admit::WaitUntil(until);
            }
            self.closed_until = None;
            self.ramp = Some(now);
        }
        if self.in_flight >= self.limiter.limit() {
            self.limiter.reached();
            self.waited_for_slot = true;
            return Admit::WaitForSlot;
        }
        if let Some(at) = self.rate.wait_until(now) {
            return Admit::WaitUntil(at);
        }
        if let Some(at) = self.ramp.filter(|at| *at > now) {
            return Admit::WaitUntil(at);
        }
        self.ramp = self.ramp.map(|_| now + RAMP);
        self.rate.spend(now);
        self.in_flight += 1;
        self.requests += 1;
        self.waited_for_slot = self.in_flight >= self.limiter.limit();
        Admit::Go(Ticket {
            flight: self.limiter.flight(),
            at: now,
        })
    }

    /// A request is back; `None` where nobody knows how it ended.
    pub(super) fn finish(&mut self, ticket: Ticket, seen: Option<&Observation>, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let Some(seen) = seen else {
            return;
        };
        let elapsed = now.saturating_duration_since(ticket.at);
        self.limiter
            .observe(seen.signal, ticket.flight, elapsed, now);
        if seen.signal == Signal::Success {
            // Once answers come again, nobody has to be held back any more.
            self.ramp = None;
        }
        self.note(seen, now);
    }

    /// What a response means for everybody; also for one that came inside another.
    pub(super) fn note(&mut self, seen: &Observation, now: Instant) {
        match seen.signal {
            Signal::Success | Signal::Neutral => self.rate.granted(now),
            Signal::Budget(budget) => {
                self.throttled += 1;
                self.rate.learn(now);
                self.close(seen.retry_after.unwrap_or(DEFAULT_QUIET), Some(budget), now);
            }
            Signal::Concurrency => {
                self.throttled += 1;
                self.close(seen.retry_after.unwrap_or(Duration::ZERO), None, now);
            }
            Signal::Overload | Signal::Auth => {
                self.close(seen.retry_after.unwrap_or(Duration::ZERO), None, now);
            }
        }
    }

    /// The longest of all requests for quiet counts.
    fn close(&mut self, quiet: Duration, budget: Option<Budget>, now: Instant) {
        let until = now + quiet;
        if quiet > Duration::ZERO && self.closed_until.is_none_or(|closed| closed < until) {
            self.closed_until = Some(until);
            self.closed_by = budget;
        }
    }

    pub(super) fn hint(&mut self, recommended: u32) {
        self.limiter.hint(recommended);
    }

    pub(super) fn retrying(&mut self) {
        self.retried += 1;
    }

    pub(super) fn status(&self, now: Instant) -> Status {
        Status {
            limit: self.limiter.limit(),
            in_flight: self.in_flight,
            rate_per_second: self.rate.per_second(now),
            limiting: self.limiting(now),
            requests: self.requests,
            throttled: self.throttled,
            retried: self.retried,
        }
    }

    fn limiting(&self, now: Instant) -> Limiting {
        if let Some(until) = self.closed_until.filter(|until| *until > now) {
            return Limiting::Quiet {
                left: until - now,
                budget: self.closed_by,
            };
        }
        if self.rate.wait_until(now).is_some() {
            return Limiting::Rate;
        }
        if self.waited_for_slot {
            Limiting::Concurrency
        } else {
            Limiting::Answers
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn observation(signal: Signal, retry_after: Option<u64>) -> Observation {
        Observation {
            signal,
            retry_after: retry_after.map(Duration::from_secs),
            not_done: false,
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
        assert_eq!(controller.poll_admit(later), Admit::WaitUntil(later + RAMP));
        assert!(go(&mut controller, later + RAMP).is_some());
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
            "the server asks for quiet, 10 s left (execution time limit)"
        );
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
