//! Service protection limits as sliding windows. The caller passes the time.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use uuid::Uuid;

use super::options::Limits;

/// A refusal: 429.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LimitRefusal {
    pub(super) code: &'static str,
    pub(super) message: String,
    /// The time to wait.
    pub(super) retry_after: Duration,
}

/// The rest of the budgets, for the headers that are meant for debugging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remaining {
    pub(super) requests: u32,
    pub(super) execution: Duration,
}

/// One caller on one web server.
#[derive(Debug, Default)]
struct Account {
    /// The times of requests, oldest first, and their durations once known.
    recent: VecDeque<(Duration, Duration)>,
    spent: Duration,
    running: u32,
    blocked_until: Duration,
}

/// The account for which a request was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) principal: Uuid,
    pub(super) server: usize,
}

/// All accounts. Times are durations since a fixed moment.
#[derive(Debug)]
pub(super) struct Limiter {
    limits: Limits,
    accounts: HashMap<Key, Account>,
}

impl Limiter {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            accounts: HashMap::new(),
        }
    }

    fn is_off(&self) -> bool {
        let Limits {
            requests,
            execution,
            concurrent,
            ..
        } = self.limits;
        requests.is_none() && execution.is_none() && concurrent.is_none()
    }

    /// Accepts or refuses a request. A client that continues to send is refused for longer
    /// (Microsoft: "Service protection API limits").
    pub(super) fn enter(&mut self, key: Key, now: Duration) -> Result<(), LimitRefusal> {
        if self.is_off() {
            return Ok(());
        }
        let limits = self.limits;
        let account = self.accounts.entry(key).or_default();
        account.forget(now, limits.window);
        if let Some(refusal) = account.refusal(&limits) {
            return Err(account.refuse(refusal, &limits, now));
        }
        account.recent.push_back((now, Duration::ZERO));
        account.running += 1;
        Ok(())
    }

    /// An accepted request has ended after this time.
    pub(super) fn leave(&mut self, key: Key, entered: Duration, took: Duration) {
        if let Some(account) = self.accounts.get_mut(&key) {
            account.running = account.running.saturating_sub(1);
            let mut places = account.recent.iter_mut();
            if let Some(place) = places.find(|it| it.0 == entered && it.1.is_zero()) {
                place.1 = took;
                account.spent += took;
            }
        }
    }

    pub(super) fn remaining(&self, key: Key) -> Option<Remaining> {
        let account = self.accounts.get(&key)?;
        let count = u32::try_from(account.recent.len()).unwrap_or(u32::MAX);
        Some(Remaining {
            requests: self.limits.requests.unwrap_or(6000).saturating_sub(count),
            execution: self
                .limits
                .execution
                .unwrap_or(Duration::from_mins(20))
                .saturating_sub(account.spent),
        })
    }
}

impl Account {
    fn forget(&mut self, now: Duration, window: Duration) {
        while let Some(&(at, took)) = self.recent.front() {
            if at + window > now {
                break;
            }
            self.spent = self.spent.saturating_sub(took);
            self.recent.pop_front();
        }
    }

    /// The limit that is exceeded, and its message.
    fn refusal(&self, limits: &Limits) -> Option<(&'static str, String)> {
        let window = limits.window.as_secs().max(1);
        if let Some(most) = limits.concurrent
            && self.running >= most
        {
            let message = format!("Number of concurrent requests exceeded the limit of {most}.");
            return Some(("0x80072326", message));
        }
        if let Some(most) = limits.requests
            && self.recent.len() >= most as usize
        {
            let message = format!(
                "Number of requests exceeded the limit of {most} over time window of {window} seconds."
            );
            return Some(("0x80072322", message));
        }
        if let Some(most) = limits.execution
            && self.spent >= most
        {
            let message = format!(
                "Combined execution time of incoming requests exceeded limit of {} milliseconds over time window of {window} seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later.",
                thousands(most.as_millis())
            );
            return Some(("0x80072321", message));
        }
        None
    }

    fn refuse(
        &mut self,
        (code, message): (&'static str, String),
        limits: &Limits,
        now: Duration,
    ) -> LimitRefusal {
        let step = limits.window / 60;
        let first = if code == "0x80072326" {
            step
        } else {
            // Until the oldest request leaves the window.
            self.recent.front().map_or(step, |oldest| {
                (oldest.0 + limits.window).saturating_sub(now)
            })
        };
        let pressed = self.blocked_until > now;
        let wanted = if pressed {
            self.blocked_until + step
        } else {
            now + first
        };
        self.blocked_until = wanted.max(now + first).min(now + limits.window);
        if pressed && code == "0x80072322" {
            // A refused request counts as one that came now.
            if let Some((_, took)) = self.recent.pop_front() {
                self.spent = self.spent.saturating_sub(took);
            }
            self.recent.push_back((now, Duration::ZERO));
        }
        LimitRefusal {
            code,
            message,
            retry_after: self.blocked_until.saturating_sub(now),
        }
    }
}

/// A number with commas, such as `1,200,000`.
fn thousands(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn key(principal: u128) -> Key {
        Key {
            principal: Uuid::from_u128(principal),
            server: 0,
        }
    }

    fn limiter(
        requests: Option<u32>,
        execution: Option<Duration>,
        concurrent: Option<u32>,
    ) -> Limiter {
        Limiter::new(Limits {
            requests,
            execution,
            concurrent,
            ..Limits::none()
        })
    }

    #[test]
    fn requests_over_the_limit_wait_until_the_oldest_leaves_the_window() {
        let mut limiter = limiter(Some(2), None, None);
        for at in [10, 20] {
            limiter.enter(key(1), SECOND * at).unwrap();
            limiter.leave(key(1), SECOND * at, SECOND);
        }
        let refusal = limiter.enter(key(1), SECOND * 30).unwrap_err();
        assert_eq!(refusal.code, "0x80072322");
        assert_eq!(refusal.retry_after, SECOND * 280);
        assert!(
            refusal
                .message
                .contains("limit of 2 over time window of 300 seconds")
        );
        assert!(limiter.enter(key(1), SECOND * 311).is_ok());
        assert!(limiter.enter(key(2), SECOND * 30).is_ok());
    }

    #[test]
    fn pressing_on_lengthens_the_wait() {
        let mut limiter = limiter(Some(1), None, None);
        limiter.enter(key(1), SECOND).unwrap();
        let first = limiter.enter(key(1), SECOND * 200).unwrap_err().retry_after;
        let second = limiter.enter(key(1), SECOND * 200).unwrap_err().retry_after;
        assert!(second > first);
        assert!(second <= SECOND * 300);
    }

    #[test]
    fn execution_time_is_summed() {
        let mut limiter = limiter(None, Some(SECOND * 10), None);
        limiter.enter(key(1), SECOND).unwrap();
        limiter.leave(key(1), SECOND, SECOND * 11);
        let refusal = limiter.enter(key(1), SECOND * 20).unwrap_err();
        assert_eq!(refusal.code, "0x80072321");
        assert!(refusal.message.contains("limit of 10,000 milliseconds"));
        assert!(limiter.enter(key(1), SECOND * 302).is_ok());
    }

    #[test]
    fn concurrency_is_refused_at_once_and_freed_at_once() {
        let mut limiter = limiter(None, None, Some(1));
        limiter.enter(key(1), SECOND).unwrap();
        assert_eq!(
            limiter.enter(key(1), SECOND).unwrap_err().code,
            "0x80072326"
        );
        limiter.leave(key(1), SECOND, SECOND);
        assert!(limiter.enter(key(1), SECOND * 2).is_ok());
    }

    #[test]
    fn each_server_counts_on_its_own() {
        let mut limiter = limiter(Some(1), None, None);
        for server in 0..2 {
            let key = Key { server, ..key(1) };
            assert!(limiter.enter(key, SECOND).is_ok());
            assert!(limiter.enter(key, SECOND).is_err());
            assert_eq!(limiter.remaining(key).unwrap().requests, 0);
        }
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(thousands(1_200_000), "1,200,000");
        assert_eq!(thousands(999), "999");
    }
}
