//! The pace at a limiter that names no budget: a proxy or gateway that grants some requests per second.
//!
//! A refusal without Dataverse's own code says nothing about a budget over five minutes, so none is learnt from it. It
//! says that the pace is too high now. The search for a pace starts at half of what was granted and doubles. After a
//! refusal it continues as CUBIC does (RFC 9438, and the AWS SDKs' adaptive retries): a little below the refused pace,
//! flat near it, then faster and faster above it, so that a limit that no longer exists is forgotten within two
//! minutes.

use std::time::{Duration, Instant};

use super::window::Window;

/// The time over which granted requests are counted: limiters count by the second.
const COUNTED: Duration = Duration::from_secs(1);
/// Seconds in which the pace doubles during the search: the answers of a crowded gateway take twice as long.
const DOUBLING: f64 = 1.0;
/// The least share that is kept of a pace that was refused less than a second after a pause: the requests granted since
/// then are fewer than those of a whole second.
const LEAST_KEPT: f64 = 0.75;
/// The share that is kept of a pace at the limit: a refusal costs about a second, and the missing 5 % are soon
/// regained.
const AFTER_REFUSAL: f64 = 0.95;
/// Seconds until the refused pace is reached again. With a second lost at each refusal, a shorter time costs more in
/// refusals, and a longer one keeps the pace below the limit for longer than it is worth.
const PLATEAU: f64 = 12.0;
/// After this many plateaus without a refusal the limit no longer exists: 60 times its pace was granted by then.
const FORGOTTEN: f64 = 11.0;
/// The slowest pace, in requests per second. Below it the pauses that the limiter asks for are enough, and
/// a gateway that refuses now and then by chance, at any pace, must not stop a run.
const SLOWEST: f64 = 5.0;
/// How long unused pace can be caught up, in seconds: timers count in milliseconds, and a burst is refused.
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
    /// When it was refused. Requests sent earlier teach nothing new.
    at: Instant,
    /// Since when requests are sent at this pace: the end of the pause after the refusal.
    since: Instant,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// From this pace upwards, doubling.
    Search { from: f64 },
    /// From a little below the refused pace.
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

    /// Requests per second, where there is a limit.
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

    /// When the next request may be sent; `None` is at once.
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

    pub(super) fn granted(&mut self, now: Instant) {
        self.granted.add(now);
    }

    /// A request sent at `sent` was refused. Simultaneous refusals count once, and where no request
    /// is granted there is no pace to learn.
    pub(super) fn refused(&mut self, sent: Instant, now: Instant) {
        if self.limit.is_some_and(|limit| sent < limit.at) {
            return;
        }
        let through = f64::from(self.granted.sum(now)) / COUNTED.as_secs_f64();
        if through == 0.0 {
            return;
        }
        let kind = match (self.per_second(now), self.limit) {
            // What was granted before the pause was too much, and this pace follows from it.
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

    /// Starts again after a pause, without catching up in a burst.
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
