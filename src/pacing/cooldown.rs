//! When no request is sent, and how sending starts again.

use std::time::{Duration, Instant};

use super::RetryPolicy;
use super::signal::{Budget, LONGEST_WAIT};

/// Why no request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CooldownCause {
    /// The server asked for it, because of this budget where it named one.
    Asked(Option<Budget>),
    /// Only failures come back: our own decision.
    Failing,
}

/// A gate that any response can close for all workers. It opens for one request, then for one more at intervals, and
/// fully with the first success of a request that was sent after it opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cooldown {
    until: Option<(Instant, CooldownCause)>,
    reopened: Option<Instant>,
    next: Option<Instant>,
    failing: Option<Pause>,
    unsaid: Option<Pause>,
    /// Requests sent from this time on end the pauses of [`Self::unsaid`] when they are answered.
    unsaid_until: Option<Instant>,
    policy: RetryPolicy,
}

/// A pause of our own; several can follow each other without a success between them.
#[derive(Clone, Copy, Debug)]
struct Pause {
    /// When the first pause of the series began.
    since: Instant,
    at: Instant,
    length: Duration,
}

impl Pause {
    /// The pause that follows `before`; none for a request that was sent before that one began.
    fn after(
        before: Option<Self>,
        sent: Instant,
        (shortest, longest): (Duration, Duration),
        now: Instant,
    ) -> Option<Self> {
        match before {
            Some(before) if sent < before.at => None,
            _ => Some(Self {
                since: before.map_or(now, |before| before.since),
                at: now,
                length: before
                    .map_or(shortest, |before| before.length * 2)
                    .min(longest),
            }),
        }
    }
}

impl Cooldown {
    /// The policy bounds the pauses of our own.
    pub(super) fn new(policy: RetryPolicy) -> Self {
        Self {
            until: None,
            reopened: None,
            next: None,
            failing: None,
            unsaid: None,
            unsaid_until: None,
            policy,
        }
    }

    /// The server asks for a wait. The longest one counts.
    pub(super) fn asked(&mut self, wait: Duration, budget: Option<Budget>, now: Instant) {
        // A request that meets a longer wait is given up; the others of this process ask again at the end of this one.
        let wait = wait.min(LONGEST_WAIT);
        self.shut(now + wait, CooldownCause::Asked(budget), now);
    }

    /// A request sent at `sent` was refused because of a limit, without a time to wait: a short pause, each
    /// twice as long as the last one until a request is granted.
    pub(super) fn unsaid(&mut self, sent: Instant, budget: Option<Budget>, now: Instant) {
        let bounds = (self.policy.base, self.policy.cap);
        if let Some(pause) = Pause::after(self.unsaid, sent, bounds, now) {
            self.unsaid = Some(pause);
            // A single limiter has recovered once it grants a request. Dataverse's own codes come from several servers:
            // one answers while another still refuses, and longer the more it is asked. There, answers have to come for
            // twice as long as the pause.
            let answered_for = budget.map_or(Duration::ZERO, |_| pause.length * 3);
            self.unsaid_until = Some(now + answered_for);
            self.shut(now + pause.length, CooldownCause::Asked(budget), now);
        }
    }

    /// A request sent at `sent` failed like those before it: a pause, each twice as long as the last one, for at most
    /// `allowed` in all.
    pub(super) fn failing(&mut self, sent: Instant, allowed: Duration, now: Instant) {
        if self.is_hopeless(allowed, now) {
            return;
        }
        let bounds = (self.policy.base, self.policy.cap);
        if let Some(pause) = Pause::after(self.failing, sent, bounds, now) {
            self.failing = Some(pause);
            self.shut(now + pause.length, CooldownCause::Failing, now);
        }
    }

    /// Whether only failures have come for longer than `allowed`.
    pub(super) fn is_hopeless(&self, allowed: Duration, now: Instant) -> bool {
        self.failing
            .is_some_and(|failing| now >= failing.since + allowed)
    }

    fn shut(&mut self, until: Instant, why: CooldownCause, now: Instant) {
        if until > now && self.until.is_none_or(|(shut, _)| shut < until) {
            self.until = Some((until, why));
        }
    }

    /// A request sent at `sent` was answered correctly.
    pub(super) fn answered(&mut self, sent: Instant) {
        if self.reopened.is_some_and(|at| sent >= at) {
            self.next = None;
            self.reopened = None;
        }
        if self.failing.is_some_and(|pause| sent >= pause.at) {
            self.failing = None;
        }
        if self.unsaid_until.is_some_and(|until| sent >= until) {
            (self.unsaid, self.unsaid_until) = (None, None);
        }
    }

    /// Until when no request is sent, and why.
    pub(super) fn shut_until(&self, now: Instant) -> Option<(Instant, CooldownCause)> {
        self.until.filter(|(until, _)| *until > now)
    }

    /// Opens the gate if it is time. Returns whether it opened now.
    pub(super) fn open(&mut self, now: Instant) -> bool {
        let opens = self.until.is_some_and(|(until, _)| until <= now);
        if opens {
            self.until = None;
            self.reopened = Some(now);
            self.next = Some(now);
        }
        opens
    }

    /// When the next request may be sent, while the gate is ajar.
    pub(super) fn ajar_until(&self, now: Instant) -> Option<Instant> {
        self.next.filter(|next| *next > now)
    }

    /// A request is sent; the next one may follow after `gap` if no answer has come by then.
    pub(super) fn left(&mut self, gap: Duration, now: Instant) {
        self.next = self.next.map(|_| now + gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn cooldown() -> Cooldown {
        Cooldown::new(RetryPolicy {
            base: SECOND,
            cap: SECOND * 3,
            ..RetryPolicy::default()
        })
    }

    #[test]
    fn the_longest_wish_counts() {
        let (mut cooldown, now) = (cooldown(), Instant::now());
        cooldown.asked(SECOND * 30, Some(Budget::Time), now);
        cooldown.asked(SECOND * 10, None, now);
        let why = CooldownCause::Asked(Some(Budget::Time));
        assert_eq!(cooldown.shut_until(now), Some((now + SECOND * 30, why)));
    }

    #[test]
    fn only_what_left_after_it_opened_opens_it_wholly() {
        let (mut cooldown, now) = (cooldown(), Instant::now());
        cooldown.asked(SECOND, None, now);
        let open = now + SECOND;
        assert!(cooldown.open(open));
        cooldown.left(SECOND, open);
        cooldown.answered(now);
        assert!(cooldown.ajar_until(open).is_some());
        cooldown.answered(open);
        assert!(cooldown.ajar_until(open).is_none());
    }

    #[test]
    fn where_nobody_says_for_how_long_pauses_are_short_and_double() {
        let (mut cooldown, mut now) = (cooldown(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let sent = now;
            now += SECOND;
            (0..5).for_each(|_| cooldown.unsaid(sent, None, now));
            let (until, _) = cooldown.shut_until(now).unwrap();
            pauses.push((until - now).as_secs());
            now = until;
            assert!(cooldown.open(now));
        }
        assert_eq!(pauses, [1, 2, 3, 3, 3, 3, 3, 3]);
    }

    #[test]
    fn pauses_grow_with_failures_in_a_row_and_once_for_all_that_were_under_way() {
        let (mut cooldown, mut now) = (cooldown(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..3 {
            let sent = now;
            now += SECOND;
            (0..5).for_each(|_| cooldown.failing(sent, SECOND * 60, now));
            let (until, _) = cooldown.shut_until(now).unwrap();
            pauses.push((until - now).as_secs());
            now = until;
            assert!(cooldown.open(now));
        }
        assert_eq!(pauses, [1, 2, 3]);
        assert!(!cooldown.is_hopeless(SECOND * 60, now));
        assert!(cooldown.is_hopeless(SECOND * 60, now + SECOND * 60));
        assert!(cooldown.is_hopeless(SECOND * 10, now + SECOND * 10));
        cooldown.answered(now);
        assert!(!cooldown.is_hopeless(SECOND * 60, now + SECOND * 60));
    }
}
