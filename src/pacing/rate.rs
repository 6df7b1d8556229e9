//! How many requests are sent in a window, and how they are spread over it, once that is known.
//!
//! The platform counts per web server over a sliding window, and does not say how many servers there are. What was
//! granted in the window before the first refusal is a good estimate of what all of them grant together. After that, no
//! window gets more requests than that. They are spread at first over about as long as the first burst took (anything
//! longer would lose time), and a little longer with each window, until the rate is even.

use std::time::{Duration, Instant};

use super::trial::Trial;
use super::window::Window;

/// How much longer the requests of a window are spread with each window, as a share of the window.
/// A direct change from a burst to an even rate costs up to one window; this costs 4 % for a while.
const SPREAD_STEP: f64 = 0.04;
/// The largest share of a window over which its requests are spread. The rest is for catching up after a pause.
const WIDEST_SPREAD: f64 = 0.97;
/// While more is asked for: the longest spread, as a multiple of the first burst. It bounds the spread, because evenly
/// spread requests would take a whole window to find a little more.
const TRIAL_SPREAD: f64 = 4.0;
/// How long unused pace can be caught up, as a share of the window, because timers are inexact.
const SLACK: f64 = 1.0 / 300.0;
/// Requests that have to be granted before a budget is learnt, and the smallest budget: one in three seconds over the
/// documented five minutes, a sixtieth of the documented budget. An earlier refusal has another cause.
const ENOUGH: u32 = 100;
/// As a share of the window: a shorter shortage is no reason for a trial, and this long without
/// a shortage ends a trial.
const SHORTAGE: f64 = 1.0 / 50.0;
/// Windows without a new budget and without a trial, after which the smallest shortage is a reason for a trial.
const STALE: f64 = 2.0;
/// As a share of the window: a shorter wait costs less than the pace that would be learnt from it. A budget that is
/// really used up takes longer to be free again, and is then learnt.
const PASSING: f64 = 1.0 / 20.0;
/// The share of the budget that is kept where less was granted than was learnt. A budget that is 10 % lower is found in
/// five windows; a refusal by chance costs 2 %.
const CUT: f64 = 0.98;

/// The budget of a window and the pace that follows from it. There is none before a budget is used up, because the
/// first window may be spent at any speed.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    window: Duration,
    past: Window,
    learnt: Option<Learnt>,
    fixed: Option<u32>,
    trial: Trial,
    /// When the next request is due.
    due: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Learnt {
    budget: u32,
    /// When it was learnt. Requests sent earlier can still be granted or refused, and teach nothing new.
    at: Instant,
    /// When the first budget was learnt, and within which share of a window it had been used up.
    first: Instant,
    share: f64,
}

impl Rate {
    /// `fixed` is the configured maximum in one window, if there is one.
    pub(super) fn new(window: Duration, fixed: Option<u32>) -> Self {
        Self {
            window,
            past: Window::new(window),
            learnt: None,
            fixed: fixed.map(|n| n.max(1)),
            trial: Trial::new(),
            due: None,
        }
    }

    /// Whether a budget has been used up.
    pub(super) fn is_learnt(&self) -> bool {
        self.learnt.is_some()
    }

    /// Average requests per second, where there is a limit.
    pub(super) fn per_second(&self) -> Option<f64> {
        let learnt = self.learnt.map(|learnt| learnt.budget);
        let budget = learnt.into_iter().chain(self.fixed).min()?;
        Some(f64::from(budget) / self.window.as_secs_f64())
    }

    /// When the next request may be sent; `None` is at once. Ask only for a request that is ready: where
    /// the budget is used up and a trial is due, this starts it.
    pub(super) fn wait_until(&mut self, in_flight: u32, now: Instant) -> Option<Instant> {
        if let Some(due) = self.due.filter(|due| *due > now) {
            return Some(due);
        }
        let learnt = self.learnt.as_mut()?;
        let used = self.past.sum(now).saturating_add(in_flight);
        let shortage = self.window.mul_f64(SHORTAGE);
        if used < learnt.budget {
            self.trial.end_if_over(shortage, learnt.budget, now);
            return None;
        }
        let slack = self.window.mul_f64(SLACK);
        let free = self.past.next_forgotten().unwrap_or(now + slack);
        let stale =
            now > learnt.at.max(self.trial.ended().unwrap_or(now)) + self.window.mul_f64(STALE);
        if self.trial.may_raise(stale || free > now + shortage, now) {
            learnt.budget = used.saturating_add(self.trial.raise(now));
            return None;
        }
        let trial = self.trial.next(now);
        let next = trial.map_or(free, |at| at.min(free));
        Some(next.max(now + slack / 100))
    }

    /// A request is sent.
    pub(super) fn spend(&mut self, now: Instant) {
        let Some(gap) = self.gap(now) else {
            return;
        };
        let earliest = now.checked_sub(self.slack()).unwrap_or(now);
        let due = self.due.map_or(now, |due| due.max(earliest));
        self.due = Some(due + gap);
    }

    /// A request sent at `sent` was granted.
    pub(super) fn granted(&mut self, sent: Instant, now: Instant) {
        self.past.add(now);
        self.trial.granted(sent);
        // It belongs to the window in which the budget was used up.
        if let Some(learnt) = self.learnt.as_mut().filter(|learnt| sent < learnt.at) {
            learnt.budget = learnt.budget.saturating_add(1);
        }
    }

    /// A request sent at `sent` was refused because a budget is used up. Simultaneous refusals count once.
    pub(super) fn refused(&mut self, sent: Instant, wait: Duration, now: Instant) {
        if self.learnt.is_some_and(|learnt| sent < learnt.at) {
            return;
        }
        let passing = wait < self.window.mul_f64(PASSING);
        let granted = self.past.sum(now);
        if self.learnt.is_none() && (passing || granted < ENOUGH) {
            return;
        }
        let granted = granted.max(ENOUGH);
        let budget = match self.learnt {
            None => granted,
            // More than the learnt budget was asked for; what was granted is the budget.
            Some(_) if self.trial.is_on() => granted,
            // Little may have been granted because little was asked for.
            Some(learnt) => cut(granted).max(learnt.budget / 2),
        };
        let (first, share) = self.learnt.map_or((now, self.past.age(now)), |learnt| {
            (learnt.first, learnt.share)
        });
        self.learnt = Some(Learnt {
            budget,
            at: now,
            first,
            share,
        });
        self.trial.refused(self.window, wait, now);
    }

    /// Starts the pace again after a cooldown, without catching up in a burst.
    pub(super) fn reopened(&mut self, now: Instant) {
        self.due = self.due.map(|due| due.max(now));
    }

    fn slack(&self) -> Duration {
        self.window.mul_f64(SLACK)
    }

    /// The time between two requests.
    fn gap(&self, now: Instant) -> Option<Duration> {
        let learnt = self.learnt.map(|learnt| {
            let windows = now.saturating_duration_since(learnt.first).as_secs_f64()
                / self.window.as_secs_f64();
            // At an even rate a trial would take a window to find 3 % more.
            let widest = if self.trial.is_on() {
                (learnt.share * TRIAL_SPREAD).min(WIDEST_SPREAD)
            } else {
                WIDEST_SPREAD
            };
            let spread = (learnt.share + SPREAD_STEP * windows).min(widest);
            self.window
                .mul_f64(spread / f64::from(learnt.budget.max(1)))
        });
        // A configured maximum holds in every window, also when the slack is caught up.
        let fixed = self.fixed.map(|n| (self.window + self.slack()) / n);
        learnt.into_iter().chain(fixed).max()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "less than a u32"
)]
fn cut(budget: u32) -> u32 {
    (f64::from(budget) * CUT) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WINDOW: Duration = Duration::from_mins(5);

    fn seconds(n: f64) -> Duration {
        Duration::from_secs_f64(n)
    }

    /// 6000 granted in the first hundred seconds, and a refusal then.
    fn learnt() -> (Rate, Instant) {
        let mut rate = Rate::new(WINDOW, None);
        let start = Instant::now();
        for n in 0..6000 {
            let at = start + seconds(f64::from(n) / 60.0);
            assert_eq!(rate.wait_until(0, at), None);
            rate.spend(at);
            rate.granted(at, at);
        }
        let now = start + seconds(100.0);
        rate.refused(now, WINDOW, now);
        (rate, now)
    }

    #[test]
    fn a_refusal_that_is_over_in_a_moment_teaches_nothing() {
        let mut rate = Rate::new(WINDOW, None);
        let now = Instant::now();
        (0..ENOUGH).for_each(|_| rate.granted(now, now));
        rate.refused(now, seconds(1.0), now);
        assert_eq!(rate.per_second(), None);
        rate.refused(now, seconds(100.0), now);
        assert!(rate.per_second().is_some());
    }

    #[test]
    fn a_refusal_after_too_few_requests_teaches_nothing() {
        let mut rate = Rate::new(WINDOW, None);
        let now = Instant::now();
        (1..ENOUGH).for_each(|_| rate.granted(now, now));
        rate.refused(now, WINDOW, now);
        assert_eq!(rate.per_second(), None);
    }

    #[test]
    fn there_is_no_rate_before_a_budget_is_hit() {
        let mut rate = Rate::new(WINDOW, None);
        let now = Instant::now();
        for _ in 0..6000 {
            assert_eq!(rate.wait_until(50, now), None);
            rate.spend(now);
            rate.granted(now, now);
        }
        assert_eq!(rate.per_second(), None);
    }

    #[test]
    fn what_was_granted_in_the_window_before_a_refusal_is_the_budget() {
        let (rate, _) = learnt();
        assert_eq!(rate.per_second(), Some(20.0));
    }

    #[test]
    fn refusals_that_were_under_way_together_teach_once_and_what_was_granted_of_it_counts() {
        let (mut rate, now) = learnt();
        let sent = now.checked_sub(seconds(1.0)).unwrap();
        (0..50).for_each(|_| rate.refused(sent, WINDOW, now + seconds(1.0)));
        assert_eq!(rate.per_second(), Some(20.0));
        (0..30).for_each(|_| rate.granted(sent, now + seconds(1.0)));
        assert_eq!(rate.per_second(), Some(20.1));
    }

    #[test]
    fn a_refusal_after_little_was_asked_for_halves_the_budget_at_most() {
        let (mut rate, now) = learnt();
        let later = now + WINDOW * 3;
        rate.refused(later, WINDOW, later);
        assert_eq!(rate.per_second(), Some(10.0));
    }

    #[test]
    fn once_the_budget_is_spent_more_is_asked_for_one_by_one_then_doubling_while_it_is_granted() {
        let (mut rate, now) = learnt();
        let mut asked = Vec::new();
        for round in 1..=4 {
            let now = now + seconds(f64::from(round) * 0.5);
            let mut more = 0;
            while more < 100 && rate.wait_until(more, now).is_none() {
                more += 1;
            }
            (0..more).for_each(|_| rate.granted(now, now));
            asked.push(more);
        }
        assert_eq!(asked, [1, 2, 4, 8]);
    }

    #[test]
    fn after_a_trial_that_was_refused_nothing_more_is_asked_for_until_the_window_frees() {
        let (mut rate, now) = learnt();
        assert_eq!(rate.wait_until(0, now), None);
        rate.refused(now, WINDOW, now + seconds(0.1));
        let free = rate.wait_until(0, now + seconds(0.2)).unwrap();
        let until_free = (free - now).as_secs_f64();
        assert!((199.0..202.0).contains(&until_free), "{until_free}");
        assert_eq!(rate.per_second(), Some(20.0));
    }

    #[test]
    fn requests_are_spread_over_more_of_the_window_with_each_window() {
        let (mut rate, now) = learnt();
        let gap = rate.gap(now).unwrap().as_secs_f64();
        assert!(
            (gap * 6000.0 - 100.0).abs() < 1.0,
            "as the first burst: {gap}"
        );
        rate.reopened(now);
        let gap = rate.gap(now + WINDOW * 5).unwrap().as_secs_f64();
        assert!((gap * 6000.0 - 160.0).abs() < 1.0, "a fifth more: {gap}");
        let gap = rate.gap(now + WINDOW * 50).unwrap().as_secs_f64();
        assert!((gap * 6000.0 - 291.0).abs() < 1.0, "even: {gap}");
    }

    proptest! {
        #[test]
        fn a_polite_budget_is_never_passed_in_any_window(
            budget in 1_u32..200,
            waits in proptest::collection::vec(0.0_f64..20.0, 1..400),
        ) {
            let mut rate = Rate::new(WINDOW, Some(budget));
            let mut now = Instant::now();
            let mut sent: Vec<Instant> = Vec::new();
            for wait in waits {
                now += seconds(wait * wait / 20.0);
                let most = usize::try_from(budget).unwrap() + 1;
                for _ in 0..=most {
                    if rate.wait_until(0, now).is_none() {
                        rate.spend(now);
                        sent.push(now);
                    }
                }
                let inside = sent.iter().filter(|at| **at + WINDOW > now).count();
                prop_assert!(inside <= most);
            }
        }
    }
}
