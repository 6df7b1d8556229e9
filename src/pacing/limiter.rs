//! How many requests are sent at once.

use std::time::{Duration, Instant};

use super::Settings;
use super::signal::Signal;

/// The share of the limit that is kept after "too many at once". The server named the cause, so more is kept than after
/// an overload; the scenario `concurrency-limit-10` tests it.
const AFTER_CONCURRENCY: f64 = 0.7;
/// The share of the limit that is kept after an overload: half, as in TCP (RFC 5681).
const AFTER_OVERLOAD: f64 = 0.5;
/// The shortest probe of the throughput, as a share of the budget window: one second of the documented five minutes.
const SHORTEST_PROBE: f64 = 1.0 / 300.0;
/// The weight of one answer in the usual time to an answer: an average over about sixteen, as in `health`.
const WEIGHT: f64 = 1.0 / 16.0;
/// The factor by which a higher limit is tried. From a hint of 20 to the platform's 52 it takes five steps.
const STEP: f64 = 1.25;
/// The share of the largest possible gain that a higher limit has to bring to be kept: a limit that is a quarter
/// higher has to bring an eighth more.
const HELPS: f64 = 0.5;
/// The most probes between two trials that did not help: about a minute.
const LONGEST_REST: u32 = 64;

/// A limit that starts at the server's recommendation, grows while that helps, and is reduced where it
/// hurts: once per generation of requests, because refusals of one generation have one cause.
#[derive(Clone, Debug)]
pub(super) struct ConcurrencyLimiter {
    limit: f64,
    max: f64,
    fixed: bool,
    shortest_probe: Duration,
    usual_answer: Option<Duration>,
    /// The generation of requests: it changes with every reduction, and a response of an older one reduces nothing.
    generation: u64,
    probe: ProbeWindow,
    trial: Option<Trial>,
    /// Probes to skip before the next trial, and how many to skip after the next trial that does not help.
    rest: u32,
    next_rest: u32,
    refused: Refused,
}

/// The limit at which the server last said "too many at once", and for how many probes it is remembered.
#[derive(Clone, Copy, Debug)]
struct Refused {
    limit: f64,
    rest: u32,
    next_rest: u32,
}

/// A higher limit on trial: the limit before it, and its throughput per second.
#[derive(Clone, Copy, Debug)]
struct Trial {
    from: f64,
    throughput: f64,
}

#[derive(Clone, Copy, Debug)]
struct ProbeWindow {
    since: Option<Instant>,
    done: u32,
    reached: bool,
    hurt: bool,
}

impl ProbeWindow {
    const NEW: Self = Self {
        since: None,
        done: 0,
        reached: false,
        hurt: false,
    };
}

impl ConcurrencyLimiter {
    pub(super) fn new(settings: &Settings, window: Duration) -> Self {
        let fixed = settings.fixed_concurrency;
        let max = fixed.unwrap_or(settings.max_concurrency).max(1);
        let initial = fixed.unwrap_or(settings.initial_concurrency);
        Self {
            limit: f64::from(initial.clamp(1, max)),
            max: f64::from(max),
            fixed: fixed.is_some(),
            shortest_probe: window.mul_f64(SHORTEST_PROBE),
            usual_answer: None,
            generation: 0,
            probe: ProbeWindow::NEW,
            trial: None,
            rest: 0,
            next_rest: 1,
            refused: Refused {
                limit: f64::INFINITY,
                rest: 0,
                next_rest: 8,
            },
        }
    }

    /// Requests at once, at least 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and a u32"
    )]
    pub(super) fn limit(&self) -> u32 {
        self.limit as u32
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// The average time to a success.
    pub(super) fn usual_answer(&self) -> Option<Duration> {
        self.usual_answer
    }

    /// Takes in the server's recommendation, which counts until the first reduction.
    pub(super) fn hint(&mut self, recommended: u32) {
        if !self.fixed && self.generation == 0 && recommended > 0 {
            let recommended = f64::from(recommended).min(self.max);
            self.limit = self.limit.max(recommended);
        }
    }

    /// A request was ready that the limit did not let through.
    pub(super) fn reached(&mut self) {
        self.probe.reached = true;
    }

    /// Fewer requests are sent than the limit allows, so the throughput meanwhile says nothing about the limit.
    pub(super) fn held_back(&mut self) {
        self.probe.hurt = true;
    }

    pub(super) fn observe(
        &mut self,
        signal: Signal,
        of_generation: u64,
        elapsed: Duration,
        now: Instant,
    ) {
        if signal == Signal::Success {
            let usual = self.usual_answer.unwrap_or(elapsed);
            self.usual_answer = Some(usual.mul_f64(1.0 - WEIGHT) + elapsed.mul_f64(WEIGHT));
        }
        if self.fixed {
            return;
        }
        match signal {
            Signal::Concurrency => {
                self.refuse(of_generation);
                self.cut(AFTER_CONCURRENCY, of_generation);
            }
            Signal::Overload => self.cut(AFTER_OVERLOAD, of_generation),
            Signal::Success => self.probe_success(elapsed, now),
            // The gate and the rate handle budgets.
            Signal::Budget(_) | Signal::Throttled => self.probe.hurt = true,
            Signal::Neutral | Signal::Auth => {}
        }
    }

    fn refuse(&mut self, of_generation: u64) {
        if of_generation == self.generation {
            let rest = self.refused.next_rest;
            self.refused = Refused {
                limit: self.limit,
                rest,
                next_rest: (rest * 2).min(LONGEST_REST),
            };
        }
    }

    fn cut(&mut self, factor: f64, of_generation: u64) {
        self.probe.hurt = true;
        if of_generation == self.generation {
            self.limit = (self.limit * factor).max(1.0);
            self.generation += 1;
            if self.trial.take().is_some() {
                self.next_rest = (self.next_rest * 2).min(LONGEST_REST);
            }
            self.rest = self.next_rest;
        }
    }

    fn probe_success(&mut self, elapsed: Duration, now: Instant) {
        let since = *self.probe.since.get_or_insert(now);
        self.probe.done += 1;
        let probed = now.saturating_duration_since(since);
        // The time is long enough for answers under this limit, and there are enough of them to compare.
        if probed < self.shortest_probe.max(elapsed) || f64::from(self.probe.done) < self.limit {
            return;
        }
        let throughput = f64::from(self.probe.done) / probed.as_secs_f64();
        let probe = std::mem::replace(&mut self.probe, ProbeWindow::NEW);
        if !probe.hurt {
            self.judge_trial(throughput);
            self.try_higher(probe.reached, throughput);
        }
    }

    /// Keeps a higher limit only where it helps: otherwise it only lengthens the server's queue.
    fn judge_trial(&mut self, throughput: f64) {
        let Some(Trial {
            from,
            throughput: before,
        }) = self.trial.take()
        else {
            self.rest = self.rest.saturating_sub(1);
            return;
        };
        let possible = self.limit / from - 1.0;
        if throughput >= before * (1.0 + possible * HELPS) {
            self.next_rest = 1;
        } else {
            self.limit = from;
            self.rest = self.next_rest;
            self.next_rest = (self.next_rest * 2).min(LONGEST_REST);
        }
    }

    fn try_higher(&mut self, reached: bool, throughput: f64) {
        self.refused.rest = self.refused.rest.saturating_sub(1);
        let most = if self.refused.rest > 0 {
            self.max.min(self.refused.limit.floor() - 1.0)
        } else {
            self.max
        };
        if reached && self.rest == 0 && self.limit < most {
            self.trial = Some(Trial {
                from: self.limit,
                throughput,
            });
            self.limit = (self.limit * STEP).max(self.limit + 1.0).min(most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RTT: Duration = Duration::from_millis(100);

    fn limiter(
        initial_concurrency: u32,
        max_concurrency: u32,
        fixed: Option<u32>,
    ) -> ConcurrencyLimiter {
        let settings = Settings {
            initial_concurrency,
            max_concurrency,
            fixed_concurrency: fixed,
            ..Settings::default()
        };
        ConcurrencyLimiter::new(&settings, settings.budget_window)
    }

    #[test]
    fn it_starts_at_the_servers_recommendation_and_never_passes_the_most() {
        let mut limiter = limiter(4, 52, None);
        assert_eq!(limiter.limit(), 4);
        limiter.hint(10);
        assert_eq!(limiter.limit(), 10);
        limiter.hint(500);
        assert_eq!(limiter.limit(), 52);
    }

    #[test]
    fn refusals_of_one_generation_cut_once() {
        let mut limiter = limiter(50, 52, None);
        let (of_generation, now) = (limiter.generation(), Instant::now());
        for _ in 0..50 {
            limiter.observe(Signal::Concurrency, of_generation, RTT, now);
        }
        assert_eq!(limiter.limit(), 35);
        limiter.observe(Signal::Concurrency, limiter.generation(), RTT, now);
        assert_eq!(limiter.limit(), 24);
    }

    #[test]
    fn a_limit_that_was_refused_is_not_tried_again_for_a_while() {
        let mut limiter = limiter(12, 52, None);
        let now = Instant::now();
        limiter.observe(Signal::Concurrency, limiter.generation(), RTT, now);
        drive(&mut limiter, now, 52.0, 7);
        assert!((10..=11).contains(&limiter.limit()), "{}", limiter.limit());
        drive(&mut limiter, now + Duration::from_secs(7), 52.0, 20);
        assert!(limiter.limit() > 11, "{}", limiter.limit());
    }

    /// A server that manages `capacity` at once: more only wait.
    fn drive(limiter: &mut ConcurrencyLimiter, from: Instant, capacity: f64, seconds: u64) {
        let mut now = from;
        while now < from + Duration::from_secs(seconds) {
            let per_second = f64::from(limiter.limit()).min(capacity) * 10.0;
            limiter.reached();
            limiter.observe(Signal::Success, limiter.generation(), RTT, now);
            now += Duration::from_secs_f64(1.0 / per_second);
        }
    }

    #[test]
    fn it_grows_while_that_helps_and_no_further() {
        let mut limiter = limiter(4, 52, None);
        drive(&mut limiter, Instant::now(), 12.0, 60);
        assert!((11..=17).contains(&limiter.limit()), "{}", limiter.limit());
    }

    #[test]
    fn a_fixed_limit_is_fixed() {
        let mut limiter = limiter(4, 52, Some(8));
        limiter.hint(20);
        limiter.observe(Signal::Overload, 0, RTT, Instant::now());
        assert_eq!(limiter.limit(), 8);
    }

    proptest! {
        #[test]
        fn the_limit_stays_between_one_and_the_most(signals in proptest::collection::vec(0_u8..6, 0..300), max in 1_u32..60) {
            let mut limiter = limiter(4, max, None);
            let mut now = Instant::now();
            for signal in signals {
                now += Duration::from_millis(400);
                match signal {
                    0 => limiter.observe(Signal::Concurrency, limiter.generation(), RTT, now),
                    1 => limiter.observe(Signal::Overload, limiter.generation(), RTT, now),
                    2 => limiter.hint(100),
                    3 => limiter.reached(),
                    _ => limiter.observe(Signal::Success, limiter.generation(), RTT, now),
                }
                prop_assert!((1..=max).contains(&limiter.limit()));
            }
        }

        #[test]
        fn responses_of_one_generation_cut_once_at_most(
            start in 1_u32..60,
            signals in proptest::collection::vec(0_u8..3, 0..100),
        ) {
            let mut limiter = limiter(start, 60, None);
            let (of_generation, now) = (limiter.generation(), Instant::now());
            let mut cuts = 0;
            for signal in signals {
                let before = limiter.limit();
                let signal = [Signal::Concurrency, Signal::Overload, Signal::Success][usize::from(signal)];
                limiter.observe(signal, of_generation, RTT, now);
                cuts += u32::from(limiter.limit() < before);
            }
            prop_assert!(cuts <= 1);
        }
    }
}
