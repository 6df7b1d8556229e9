//! Whether and when one operation is tried again: plain decisions.

use std::time::{Duration, Instant};

use rand::{Rng, RngExt};

use super::signal::{LONGEST_WAIT, Observation};
use super::trouble::Trouble;

/// Whether an operation may be sent again when its result is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Yes, because it only reads.
    Safe,
    /// Only where it was certainly not carried out; else the caller has to read the state first.
    OnlyIfNotDone,
}

/// How often and how long an operation is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts of one operation, the first included, that may fail for reasons other than a limit.
    pub max_attempts: u32,
    /// The shortest pause, and the base of the jitter.
    pub base: Duration,
    /// The longest pause that the server did not ask for.
    pub cap: Duration,
    /// How long one operation may wait in all because of limits. Long, because a long run has
    /// to survive a long penalty.
    pub wait_allowance: Duration,
    /// How long only failures may come before operations, and soon after the run, are given up. A shorter outage
    /// is survived.
    pub outage_allowance: Duration,
    /// The same for invalid answers, such as empty ones: a server that sends them is up, and a gateway that is being
    /// replaced is ready within a minute.
    pub bad_answer_allowance: Duration,
}

impl RetryPolicy {
    /// The allowance for the present kind of failure.
    pub(super) fn allowance(&self, trouble: Option<Trouble>) -> Duration {
        if trouble.is_some_and(Trouble::is_bad_answer) {
            self.bad_answer_allowance
        } else {
            self.outage_allowance
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            // Five pauses, of at most 80 s in all. A single request is worth no more: the breaker and the outage
            // allowance end the run.
            max_attempts: 6,
            // Hardly noticed where the second attempt succeeds.
            base: Duration::from_millis(500),
            // A worker that waits for longer would notice late that the server answers again.
            cap: Duration::from_secs(30),
            // Many times the five minutes of the documented budgets, and short enough for a run to end overnight.
            wait_allowance: Duration::from_hours(2),
            // A restart of a server or a failover is over by then; a run that is stopped can be resumed.
            outage_allowance: Duration::from_mins(5),
            bad_answer_allowance: Duration::from_mins(1),
        }
    }
}

/// What to do after an attempt that was not final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDecision {
    /// Wait, then try again.
    Retry {
        /// How long to wait.
        after: Duration,
    },
    /// Do not try again.
    GiveUp(GiveUp),
}

/// Why not to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// The attempts are used up.
    Attempts,
    /// It may have been carried out, and must not be sent again before the state is read.
    Unknown,
    /// The server asks for a wait longer than [`super::LONGEST_WAIT`].
    Postponed {
        /// The wait that it asks for.
        wait: Duration,
    },
    /// Waiting for limits used up the allowance.
    WaitTooLong {
        /// The wait in all.
        waited: Duration,
    },
}

/// The retry state of one operation.
#[derive(Clone, Debug)]
pub struct RetryState {
    policy: RetryPolicy,
    attempts: u32,
    pause: Duration,
    /// When a limit first refused it.
    limited: Option<Instant>,
}

impl RetryState {
    /// The state before the first attempt.
    pub fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            attempts: 0,
            pause: policy.base,
            limited: None,
        }
    }

    /// What to do after an attempt that ended in a limit, an overload, or without an answer. `answered` is whether the
    /// server has ever answered.
    ///
    /// The pause is what the server asks for, or decorrelated jitter where that is longer. Waiting for a limit uses up
    /// the allowance and no attempt, and does not lengthen the next pause: the gate is closed for all workers as long
    /// as needed.
    pub fn decide(
        &mut self,
        observation: &Observation,
        repeat: Repeat,
        answered: bool,
        rng: &mut impl Rng,
        now: Instant,
    ) -> RetryDecision {
        let limited = observation.signal.is_limit();
        if repeat == Repeat::OnlyIfNotDone && !observation.not_done {
            return RetryDecision::GiveUp(GiveUp::Unknown);
        }
        let asked = observation.retry_after.unwrap_or_default();
        if asked > LONGEST_WAIT {
            return RetryDecision::GiveUp(GiveUp::Postponed { wait: asked });
        }
        if !limited {
            self.attempts += 1;
            let most = observation
                .trouble
                .map_or(self.policy.max_attempts, |trouble| {
                    trouble.attempts(&self.policy, answered)
                });
            if self.attempts >= most {
                return RetryDecision::GiveUp(GiveUp::Attempts);
            }
        }
        if limited {
            self.pause = self.policy.base;
        }
        let after = asked.max(self.jitter(rng));
        if limited {
            let first = *self.limited.get_or_insert(now);
            let waited = now.saturating_duration_since(first);
            if waited + after > self.policy.wait_allowance {
                return RetryDecision::GiveUp(GiveUp::WaitTooLong { waited });
            }
        }
        RetryDecision::Retry { after }
    }

    /// Between the base and three times the last pause, at most the cap.
    fn jitter(&mut self, rng: &mut impl Rng) -> Duration {
        let (low, high) = (self.policy.base, self.pause * 3);
        let pause = low + high.saturating_sub(low).mul_f64(rng.random::<f64>());
        self.pause = pause.min(self.policy.cap);
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::signal::{Budget, Signal};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    fn observation(signal: Signal, retry_after: Option<u64>) -> Observation {
        Observation {
            signal,
            retry_after: retry_after.map(Duration::from_secs),
            not_done: matches!(signal, Signal::Budget(_) | Signal::Concurrency),
            trouble: (signal == Signal::Overload).then_some(Trouble::Status(503)),
        }
    }

    #[test]
    fn a_read_is_tried_a_few_times_and_then_given_up() {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut state = RetryState::new(RetryPolicy::default());
        let overload = observation(Signal::Overload, None);
        let mut retries = 0;
        while let RetryDecision::Retry { .. } =
            state.decide(&overload, Repeat::Safe, true, &mut rng, Instant::now())
        {
            retries += 1;
        }
        assert_eq!(retries, 5);
    }

    #[test]
    fn a_write_that_may_have_been_done_is_never_sent_again_unseen() {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut state = RetryState::new(RetryPolicy::default());
        let lost = observation(Signal::Overload, Some(1));
        let decision = state.decide(&lost, Repeat::OnlyIfNotDone, true, &mut rng, Instant::now());
        assert_eq!(decision, RetryDecision::GiveUp(GiveUp::Unknown));
    }

    #[test]
    fn a_limit_uses_up_patience_and_no_attempts() {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut state = RetryState::new(RetryPolicy::default());
        let limit = observation(Signal::Budget(Budget::Requests), Some(300));
        let mut waits = 0;
        let mut now = Instant::now();
        let last = loop {
            match state.decide(&limit, Repeat::OnlyIfNotDone, true, &mut rng, now) {
                RetryDecision::Retry { after } => {
                    assert!(after >= Duration::from_mins(5));
                    waits += 1;
                    now += after;
                }
                RetryDecision::GiveUp(why) => break why,
            }
        };
        assert_eq!(waits, 24, "two hours of five minutes");
        assert!(matches!(last, GiveUp::WaitTooLong { .. }));
    }

    #[test]
    fn more_than_half_an_hour_is_no_wait_but_another_command() {
        let mut rng = SmallRng::seed_from_u64(1);
        for signal in [
            Signal::Throttled,
            Signal::Budget(Budget::Time),
            Signal::Overload,
        ] {
            let mut decide = |seconds| {
                let mut state = RetryState::new(RetryPolicy::default());
                let seen = observation(signal, Some(seconds));
                state.decide(&seen, Repeat::Safe, true, &mut rng, Instant::now())
            };
            assert!(matches!(decide(1800), RetryDecision::Retry { .. }));
            let wait = Duration::from_secs(1801);
            assert_eq!(
                decide(1801),
                RetryDecision::GiveUp(GiveUp::Postponed { wait })
            );
        }
    }

    proptest! {
        #[test]
        fn a_pause_is_never_shorter_than_asked_for_nor_longer_than_needed(seed: u64, asked in 0_u64..100) {
            let mut rng = SmallRng::seed_from_u64(seed);
            let mut state = RetryState::new(RetryPolicy::default());
            let overload = observation(Signal::Overload, Some(asked));
            while let RetryDecision::Retry { after } = state.decide(&overload, Repeat::Safe, true, &mut rng, Instant::now()) {
                prop_assert!(after >= Duration::from_secs(asked).max(state.policy.base));
                prop_assert!(after <= Duration::from_secs(asked).max(state.policy.cap));
            }
        }
    }
}
