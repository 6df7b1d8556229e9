//! The pace at a limiter that says nothing of budgets: a proxy or gateway that lets through so many a second.
//!
//! A refusal without Dataverse's own code tells nothing of a budget over five minutes, so that none is learnt from it.
//! It tells that the pace is too high now. The pace is searched for from half of what got through, doubling; where the search
//! was refused, it goes on as CUBIC does (RFC 9438, and the AWS SDKs' adaptive retries): a little below, flat for a
//! while near the refusal, then more and more above it, so that a limit that is gone is forgotten within a minute or two.

use std::time::{Duration, Instant};

use super::window::Window;

/// Over how long what got through is counted: limiters count by the second.
const COUNTED: Duration = Duration::from_secs(1);
/// In how many seconds the pace doubles while it is searched for: twice that long the answers of a crowded gateway take.
const DOUBLING: f64 = 1.0;
/// The least that is kept of a pace that was refused less than a second after a pause: what got through since then is less
/// than what would have in a whole second.
const LEAST_KEPT: f64 = 0.75;
/// What is kept of a pace at the limit: a refusal costs about a second, and 5 % below that is found again soon.
const AFTER_REFUSAL: f64 = 0.95;
/// How long it takes back to the pace that was refused, in seconds. With a second lost at each refusal, less would cost
/// more in refusals, and more would keep below the limit for longer than it is worth.
const PLATEAU: f64 = 12.0;
/// After so many plateaus without a refusal there is no limit any more: by then 60 times as much was allowed.
const FORGOTTEN: f64 = 11.0;
/// The slowest pace, in requests a second. Below it the pauses that the limiter asks for are all there is to keep to; and
/// a gateway that refuses now and then by chance, whatever the pace, must not bring a run to a standstill.
const SLOWEST: f64 = 5.0;
/// For how long unused pace can be made good, in seconds: timers count in milliseconds, and a burst is refused.
const SLACK: f64 = 0.002;

/// The pace; none before the first refusal.
#[derive(Clone, Debug)]
pub(super) struct RequestRate {
    granted: Window,
    limit: Option<Limit>,
    due: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Limit {
    /// When it was refused; what had left before teaches nothing new.
    at: Instant,
    /// Since when requests leave at this pace: from the end of the pause that the refusal brought.
    since: Instant,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// From this pace upwards, doubling.
    Search { from: f64 },
    /// From just below the pace that was refused.
    Known { refused: f64 },
}

impl RequestRate {
    pub(super) fn new() -> Self {
        Self {
            granted: Window::new(COUNTED),
            limit: None,
            due: None,
        }
    }

    /// Requests a second, where there is a limit.
    pub(super) fn per_second(&self, now: Instant) -> Option<f64> {
        let limit = self.limit?;
        let since = now.saturating_duration_since(limit.since).as_secs_f64();
        let rate = match limit.kind {
            Kind::Search { from } => from * (since / DOUBLING).min(20.0).exp2(),
            Kind::Known { refused } => {
                let x = (since - PLATEAU) / PLATEAU;
                refused + refused * (1.0 - AFTER_REFUSAL) * x.powi(3)
            }
        };
        (since < PLATEAU * FORGOTTEN).then_some(rate.max(SLOWEST))
    }

    /// When the next request may leave; `None` is at once.
    pub(super) fn wait_until(&self, now: Instant) -> Option<Instant> {
        self.per_second(now)?;
        self.due.filter(|due| *due > now)
    }

    pub(super) fn spend(&mut self, now: Instant) {
        let Some(rate) = self.per_second(now) else {
            (self.limit, self.due) = (None, None);
            return;
        };
        let earliest = now
            .checked_sub(Duration::from_secs_f64(SLACK))
            .unwrap_or(now);
        let due = self.due.map_or(now, |due| due.max(earliest));
        self.due = Some(due + Duration::from_secs_f64(1.0 / rate));
    }

    /// A request got through.
    pub(super) fn granted(&mut self, now: Instant) {
        self.granted.add(now);
    }

    /// A request that left then was refused. What was under way together is one piece of news, and where nothing
    /// gets through at all there is no pace to learn.
    pub(super) fn refused(&mut self, sent: Instant, now: Instant) {
        if self.limit.is_some_and(|limit| sent < limit.at) {
            return;
        }
        let through = f64::from(self.granted.sum(now)) / COUNTED.as_secs_f64();
        if through == 0.0 {
            return;
        }
        let kind = match (self.per_second(now), self.limit) {
            // What got through before the pause was too much, and this pace follows from it.
            (
                Some(rate),
                Some(Limit {
                    kind: kind @ Kind::Search { .. },
                    ..
                }),
            ) if through > rate => kind,
            (Some(rate), Some(limit)) => {
                let is_whole = now.saturating_duration_since(limit.since) >= COUNTED;
                let least = if is_whole { 0.0 } else { rate * LEAST_KEPT };
                Kind::Known {
                    refused: through.max(least).min(rate).max(SLOWEST),
                }
            }
            _ => Kind::Search {
                from: (through / 2.0).max(SLOWEST),
            },
        };
        self.limit = Some(Limit {
            at: now,
            since: now,
            kind,
        });
        self.due = None;
    }

    /// Starts anew after a pause, so that nothing is made good in a burst.
    pub(super) fn reopened(&mut self, now: Instant) {
        self.due = self.due.map(|due| due.max(now));
        if let Some(limit) = self.limit.as_mut().filter(|limit| limit.since == limit.at) {
            limit.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWENTIETH: Duration = Duration::from_millis(50);

    /// So many get through in a row, one in so long.
    fn pass(rate: &mut RequestRate, count: u32, gap: Duration, mut now: Instant) -> Instant {
        for _ in 0..count {
            now += gap;
            rate.spend(now);
            rate.granted(now);
        }
        now
    }

    #[test]
    fn the_search_begins_when_the_pause_is_over() {
        let mut rate = RequestRate::new();
        let now = pass(&mut rate, 20, TWENTIETH / 5, Instant::now());
        rate.refused(now, now);
        let open = now + Duration::from_secs(30);
        rate.reopened(open);
        assert_eq!(rate.per_second(open), Some(10.0));
        assert_eq!(rate.per_second(open + COUNTED), Some(20.0));
    }

    #[test]
    fn a_refused_search_ends_at_what_got_through_in_the_last_second() {
        let mut rate = RequestRate::new();
        let now = pass(&mut rate, 20, TWENTIETH / 5, Instant::now());
        rate.refused(now, now);
        let open = now + COUNTED;
        rate.reopened(open);
        let now = pass(&mut rate, 30, TWENTIETH, open);
        rate.refused(now, now);
        let known = rate.per_second(now).unwrap();
        assert!((18.5..21.0).contains(&known), "{known}");
    }

    #[test]
    fn a_refusal_right_after_a_pause_keeps_most_of_the_pace() {
        let mut rate = RequestRate::new();
        let now = pass(&mut rate, 200, TWENTIETH / 10, Instant::now());
        rate.refused(now, now);
        rate.reopened(now + COUNTED * 5);
        let now = pass(&mut rate, 1, TWENTIETH, now + COUNTED * 5);
        let before = rate.per_second(now).unwrap();
        rate.refused(now, now);
        let after = rate.per_second(now).unwrap();
        assert!(after < before && after > before / 2.0, "{before} {after}");
    }
}
