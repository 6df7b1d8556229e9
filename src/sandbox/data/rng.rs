//! Random numbers for the data, from the seed alone.

use jiff::{SignedDuration, Timestamp};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use uuid::{Builder, Uuid};

/// Random numbers by a fixed algorithm, so that a seed gives the same organisation in every release.
#[derive(Debug)]
pub(super) struct Rng(Xoshiro256PlusPlus);

/// 2025-01-01T00:00:00Z: all rows are older, so that data does not depend on the day of a test.
const NOW: i64 = 1_735_689_600;

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    pub(super) fn id(&mut self) -> Uuid {
        Builder::from_random_bytes(self.0.random()).into_uuid()
    }

    /// True with this probability.
    pub(super) fn share(&mut self, share: f64) -> bool {
        self.0.random_bool(share)
    }

    /// A number from 0 to `end` - 1; 0 when `end` is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            0
        } else {
            self.0.random_range(0..end)
        }
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A time in the last `days` days before 2025.
    pub(super) fn moment(&mut self, days: i64) -> Timestamp {
        let seconds = self.0.random_range(1..days.max(1) * 86_400);
        let now = Timestamp::from_second(NOW).unwrap_or_default();
        now.checked_sub(SignedDuration::from_secs(seconds))
            .unwrap_or(now)
    }

    /// The numbers 0 to `count` - 1 in random order.
    pub(super) fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for index in (1..count).rev() {
            order.swap(index, self.below(index + 1));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same() {
        let throw = |seed| {
            let mut rng = Rng::new(seed);
            (rng.id(), rng.order(20), rng.moment(30))
        };
        assert_eq!(throw(1), throw(1));
        assert_ne!(throw(1).0, throw(2).0);
    }

    #[test]
    fn an_order_holds_each_number_once() {
        let mut order = Rng::new(3).order(50);
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
    }
}
