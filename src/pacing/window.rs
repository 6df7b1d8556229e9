//! Counts what was granted in the last window.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Slices in which the past is counted: a request is forgotten at most one slice late, never early. Of five minutes a
/// slice is 0.3 s, a thousandth of the budget.
const SLICES: u32 = 1000;

/// Counts over a sliding window.
#[derive(Clone, Debug)]
pub(super) struct Window {
    width: Duration,
    start: Option<Instant>,
    slices: VecDeque<Slice>,
    sum: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slice {
    index: u32,
    count: u32,
}

impl Window {
    pub(super) fn new(width: Duration) -> Self {
        Self {
            width,
            start: None,
            slices: VecDeque::new(),
            sum: 0,
        }
    }

    pub(super) fn add(&mut self, now: Instant) {
        let index = self.forget(now);
        self.sum += 1;
        match self.slices.back_mut() {
            Some(slice) if slice.index == index => slice.count += 1,
            _ => self.slices.push_back(Slice { index, count: 1 }),
        }
    }

    /// The number in the window that ends now.
    pub(super) fn sum(&mut self, now: Instant) -> u32 {
        self.forget(now);
        self.sum
    }

    /// When the oldest slice is forgotten.
    pub(super) fn next_forgotten(&self) -> Option<Instant> {
        Some(self.time_of(self.slices.front()?.index + SLICES + 1))
    }

    /// The share of the window that has passed since the oldest one, from 0 to 1.
    pub(super) fn age(&self, now: Instant) -> f64 {
        let oldest = self
            .slices
            .front()
            .map_or(now, |slice| self.time_of(slice.index));
        let age = now.saturating_duration_since(oldest).as_secs_f64();
        (age / self.width.as_secs_f64()).min(1.0)
    }

    fn forget(&mut self, now: Instant) -> u32 {
        let index = self.index_of(now);
        while let Some(slice) = self.slices.front() {
            if slice.index + SLICES >= index {
                break;
            }
            self.sum -= slice.count;
            self.slices.pop_front();
        }
        index
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "slices since the start; a cast from a float saturates"
    )]
    fn index_of(&mut self, now: Instant) -> u32 {
        let start = *self.start.get_or_insert(now);
        let passed = now.saturating_duration_since(start).as_secs_f64();
        // The small addend assigns the start of a slice to that slice despite rounding.
        (passed / self.width.as_secs_f64() * f64::from(SLICES) + 1e-6) as u32
    }

    fn time_of(&self, index: u32) -> Instant {
        let passed = self.width.mul_f64(f64::from(index) / f64::from(SLICES));
        self.start.unwrap_or_else(Instant::now) + passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: Duration = Duration::from_mins(5);

    #[test]
    fn what_lies_a_window_back_is_forgotten_and_nothing_before_that() {
        let mut window = Window::new(WIDTH);
        let start = Instant::now();
        (0..1000).for_each(|_| window.add(start));
        window.add(start + WIDTH / 2);
        assert_eq!(window.sum(start + WIDTH), 1001);
        let forgotten = window.next_forgotten().unwrap();
        assert!(forgotten - start <= WIDTH.mul_f64(1.002));
        assert_eq!(window.sum(forgotten), 1);
        assert_eq!(window.sum(start + WIDTH * 2), 0);
    }

    #[test]
    fn its_age_is_the_share_of_the_window_since_the_oldest() {
        let mut window = Window::new(WIDTH);
        let start = Instant::now();
        assert!(window.age(start) < 1e-9);
        window.add(start);
        let age = window.age(start + WIDTH / 4);
        assert!((0.24..0.26).contains(&age), "{age}");
    }
}
