//! The share of requests that the server fails to handle.

use super::signal::Signal;

/// The weight of one response: an average over about sixteen. A single failure makes 6 %.
const WEIGHT: f64 = 1.0 / 16.0;
/// Above this share the server is overloaded: five failures in a row, or one response in four.
const STRAINED: f64 = 0.25;
/// Above this share the server is unavailable: eleven failures in a row.
const FAILING: f64 = 0.5;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Health {
    failed: f64,
}

impl Health {
    pub(super) fn observe(&mut self, signal: Signal) {
        let failed = match signal {
            Signal::Overload => 1.0,
            Signal::Success | Signal::Neutral => 0.0,
            // A refusal does not tell whether the server is overloaded.
            Signal::Concurrency | Signal::Budget(_) | Signal::Throttled | Signal::Auth => return,
        };
        self.failed += (failed - self.failed) * WEIGHT;
    }

    /// Whether fewer requests at once may help.
    pub(super) fn is_strained(self) -> bool {
        self.failed > STRAINED
    }

    /// Whether only waiting can help.
    pub(super) fn is_failing(self) -> bool {
        self.failed > FAILING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_now_and_then_is_no_strain_and_one_after_the_other_is() {
        let mut health = Health::default();
        for n in 0..1000 {
            let signal = if n % 10 == 0 {
                Signal::Overload
            } else {
                Signal::Success
            };
            health.observe(signal);
            assert!(!health.is_strained());
        }
        (0..5).for_each(|_| health.observe(Signal::Overload));
        assert!(health.is_strained() && !health.is_failing());
        (0..10).for_each(|_| health.observe(Signal::Overload));
        assert!(health.is_failing());
    }
}
