//! The measurements of a simulated run.

use std::collections::{BTreeMap, VecDeque};

use crate::pacing::{Limiting, PacingStatus};

use super::scenario::Scenario;

/// Counts and weights during a run. Times are in seconds since the start.
#[derive(Debug, Default)]
pub(super) struct Figures {
    last: f64,
    /// Seconds limited by each cause, by its name.
    limited: BTreeMap<&'static str, f64>,
    limits: BTreeMap<u32, f64>,
    in_flight: f64,
    most_in_flight: u32,
    cooldown_since: Option<f64>,
    longest_cooldown: f64,
    sent: Vec<f64>,
    pub(super) answered: BTreeMap<u16, u32>,
    pub(super) failed_users: u32,
    pub(super) tripped: bool,
}

impl Figures {
    /// Time passes under this status.
    pub(super) fn pass(&mut self, status: &PacingStatus, now: f64) {
        let passed = now - self.last;
        let name = match status.limiting {
            Limiting::Cooldown { .. } => "cooldown",
            Limiting::Trouble { .. } => "trouble",
            Limiting::Silence { .. } => "silence",
            Limiting::Rate => "rate",
            Limiting::Concurrency => "concurrency",
            Limiting::Answers => "answers",
        };
        if name == "cooldown" {
            let since = *self.cooldown_since.get_or_insert(self.last);
            self.longest_cooldown = self.longest_cooldown.max(now - since);
        } else {
            self.cooldown_since = None;
        }
        *self.limited.entry(name).or_default() += passed;
        *self.limits.entry(status.limit).or_default() += passed;
        self.in_flight += f64::from(status.in_flight) * passed;
        self.most_in_flight = self.most_in_flight.max(status.in_flight);
        self.last = now;
    }

    pub(super) fn sent(&mut self, now: f64) {
        self.sent.push(now);
    }

    /// The most requests sent in any window.
    fn most_in_window(&self, window: f64) -> usize {
        let mut inside = VecDeque::new();
        let mut most = 0;
        for at in &self.sent {
            inside.push_back(at);
            while inside.front().is_some_and(|first| *first + window <= *at) {
                inside.pop_front();
            }
            most = most.max(inside.len());
        }
        most
    }

    /// The longest time without a request in the last third of the run.
    fn late_pause(&self) -> f64 {
        let late = &self.sent[self.sent.len() * 2 / 3..];
        let pauses = late.windows(2).map(|pair| pair[1] - pair[0]);
        pauses.fold(0.0, f64::max)
    }

    /// All measurements by name; shares are of the whole time.
    #[expect(clippy::cast_precision_loss, reason = "a model")]
    pub(super) fn by_name(&self, scenario: &Scenario) -> BTreeMap<&'static str, f64> {
        let wall = self.last;
        let count = |status| self.answered.get(&status).copied().map_or(0.0, f64::from);
        let limit_max = self.limits.keys().last().copied().map_or(0.0, f64::from);
        let mode = self.limits.iter().max_by(|a, b| a.1.total_cmp(b.1));
        let mean = self
            .limits
            .iter()
            .map(|(limit, time)| f64::from(*limit) * time);
        let limited = |name| self.limited.get(name).copied().unwrap_or_default() / wall;
        BTreeMap::from([
            ("wall", wall),
            ("ratio", wall / scenario.shortest(limit_max)),
            ("refused", count(429)),
            ("refused_share", count(429) / self.sent.len() as f64),
            ("busy", count(503)),
            ("lost", count(0)),
            ("limit_max", limit_max),
            ("limit_mean", mean.sum::<f64>() / wall),
            (
                "limit_mode",
                mode.map_or(0.0, |(limit, _)| f64::from(*limit)),
            ),
            ("in_flight_max", f64::from(self.most_in_flight)),
            ("in_flight_mean", self.in_flight / wall),
            ("longest_cooldown", self.longest_cooldown),
            ("late_pause", self.late_pause()),
            (
                "most_in_window",
                self.most_in_window(scenario.server.window) as f64,
            ),
            ("failed_users", f64::from(self.failed_users)),
            ("tripped", f64::from(u8::from(self.tripped))),
            ("time_cooldown", limited("cooldown")),
            ("time_rate", limited("rate")),
            ("time_concurrency", limited("concurrency")),
            ("time_answers", limited("answers")),
        ])
    }
}
