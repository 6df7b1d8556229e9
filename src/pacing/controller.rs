//! Gate, limit and rate as one plain value.

use std::time::{Duration, Instant};

use rand::Rng;

use super::cooldown::{Cooldown, CooldownCause};
use super::health::Health;
use super::limiter::ConcurrencyLimiter;
use super::rate::Rate;
use super::remaining::Remaining;
use super::request_rate::RequestRate;
use super::signal::{Observation, Signal};
use super::status::{Limiting, PacingStatus};
use super::trouble::{Trouble, TroubleCount};
use super::{GiveUp, Repeat, RetryDecision, RetryPolicy, RetryState, Settings};

/// The gap between requests while the gate is ajar, as a share of the usual time to an answer. At most four requests
/// are under way before the first answer shows whether the gate is open again.
const AJAR: f64 = 0.25;
/// The longest such gap, as a share of the budget window: 0.3 s of the documented five minutes.
const LONGEST_AJAR: f64 = 1.0 / 1000.0;
/// Failures in a row after which they are shown as what limits the run. Where one request in twenty fails by chance,
/// which is harmless, this happens once in eight thousand requests.
const TOLD: u32 = 3;
/// Time without any answer after which this is shown. The slowest queries take some seconds.
const SILENT: Duration = Duration::from_secs(5);

/// Whether a request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admit {
    Go(Ticket),
    /// Not before this time, unless another request returns earlier.
    WaitUntil(Instant),
    /// Not before another request has returned.
    WaitForSlot,
}

/// A request that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    generation: u64,
    at: Instant,
}

/// What held back the first request of the queue when it was last asked about; `Go` is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastAnswer {
    Go,
    Rate,
    Slot,
}

/// The decisions for all workers together.
#[derive(Debug)]
pub(super) struct Controller {
    window: Duration,
    cooldown: Cooldown,
    limiter: ConcurrencyLimiter,
    rate: Rate,
    remaining: Remaining,
    pace: RequestRate,
    health: Health,
    retry: RetryPolicy,
    /// Whether any HTTP answer has ever come.
    answered: bool,
    trouble: Option<TroubleCount>,
    /// Since when no answer has come, while requests are under way.
    waiting_since: Option<Instant>,
    in_flight: u32,
    last: LastAnswer,
    requests: u64,
    throttled: u64,
    retried: u64,
}

impl Controller {
    pub(super) fn new(settings: &Settings) -> Self {
        // A window of zero would be a division by zero.
        let window = settings.budget_window.max(Duration::from_millis(1));
        Self {
            window,
            cooldown: Cooldown::new(settings.retry),
            limiter: ConcurrencyLimiter::new(settings, window),
            rate: Rate::new(window, settings.max_requests_per_5m),
            remaining: Remaining::new(window),
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

    /// Whether one more request may be sent now. Ask only for a request that is ready.
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
        if self
            .most_by_remaining()
            .is_some_and(|most| self.in_flight >= most)
        {
            self.limiter.held_back();
            self.last = LastAnswer::Rate;
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

    /// The most requests under way by what the server says is left. Not used once a budget is learnt.
    fn most_by_remaining(&self) -> Option<u32> {
        self.remaining.most().filter(|_| !self.rate.is_learnt())
    }

    /// About four requests in the time of one answer.
    fn ajar_gap(&self) -> Duration {
        let longest = self.window.mul_f64(LONGEST_AJAR);
        let usual = self.limiter.usual_answer().unwrap_or(longest);
        usual.mul_f64(AJAR).min(longest)
    }

    /// A request has returned; `None` where its result is not known.
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
        // A single failure is no reason for fewer requests at once.
        if seen.signal != Signal::Overload || self.health.is_strained() {
            let elapsed = now.saturating_duration_since(ticket.at);
            self.limiter
                .observe(seen.signal, ticket.generation, elapsed, now);
        }
        match seen.signal {
            Signal::Success => {
                self.cooldown.answered(ticket.at);
                self.granted(ticket, now);
            }
            Signal::Neutral => self.granted(ticket, now),
            Signal::Overload if self.health.is_failing() && seen.retry_after.is_none() => {
                let allowed = self.retry.allowance(seen.trouble);
                self.cooldown.failing(ticket.at, allowed, now);
            }
            _ => {}
        }
        self.restrain(seen, ticket.at, now);
    }

    fn granted(&mut self, ticket: Ticket, now: Instant) {
        self.rate.granted(ticket.at, now);
        self.remaining.granted(now);
        self.pace.granted(now);
    }

    /// Takes in a response that came inside another, which was no request of its own.
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
            // Nobody says when more will be granted: no budget can be learnt from this, whatever the code.
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

    /// Takes in what is left on one server. Call it with an answer that grants a request, before that request is
    /// finished.
    pub(super) fn remaining(&mut self, left: u32, now: Instant) {
        self.remaining
            .record(left, self.in_flight.saturating_sub(1), now);
    }

    /// The failures in a row up to now, if the last request failed.
    pub(super) fn trouble(&self) -> Option<TroubleCount> {
        self.trouble
    }

    /// What to do after an attempt that was not final. Nothing is tried again where the server has been unavailable for
    /// too long.
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
        // A pause of our own may be under way: the server did not ask for it.
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
mod tests;
