//! Counts of requests by kind.

use std::collections::HashMap;
use std::time::Duration;

use http::Method;
use serde::Serialize;
use uuid::Uuid;

use super::address::AddressTarget;
use super::tables::Kind;

/// Counts of requests since the start or the last reset.
///
/// `total` counts HTTP requests; the other counts are of operations, including those inside batches. Another process
/// can read all but `by_user` as JSON from `/sandbox/counts`, which needs no token and is not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// HTTP requests of any kind.
    pub total: u64,
    /// `WhoAmI`.
    pub whoami: u64,
    /// GET on `systemusers`: pages and single rows.
    pub users: u64,
    /// GET on `userqueries`: surveys and single rows.
    pub surveys: u64,
    /// PATCH.
    pub patches: u64,
    /// DELETE.
    pub deletes: u64,
    /// `$batch` requests.
    pub batches: u64,
    /// Operations inside batches.
    pub batch_parts: u64,
    /// Answers 429, of requests and of parts.
    pub throttled: u64,
    /// Answers 401 and 403, of requests and of parts.
    pub refused: u64,
    /// Faults that occurred.
    pub faults: u64,
    /// HTTP requests under way when a group of answers 429 began, summed over the groups.
    pub under_way_at_429: u64,
    /// HTTP requests under way now.
    #[serde(skip)]
    pub under_way: u64,
    /// When the last HTTP request was answered with 429.
    #[serde(skip)]
    pub last_429: Option<Duration>,
    /// Operations by the user that they ran as (`systemuserid`).
    #[serde(skip)]
    pub by_user: HashMap<Uuid, u64>,
}

/// Answers 429 within this time of each other form one group: a client that waits as requested cannot reach
/// the limits of two windows within it, and requests that were under way are answered long before.
const GROUP: Duration = Duration::from_secs(5);

impl Counts {
    pub(super) fn begin(&mut self) {
        self.under_way += 1;
    }

    pub(super) fn end(&mut self, status: u16, now: Duration) {
        if status == 429 {
            let is_first = self.last_429.is_none_or(|last| now > last + GROUP);
            if is_first {
                self.under_way_at_429 += self.under_way;
            }
            self.last_429 = Some(now);
        }
        // The counts may have been reset in between.
        self.under_way = self.under_way.saturating_sub(1);
    }

    pub(super) fn operation(&mut self, method: &Method, target: &AddressTarget) {
        let counter = match (method.as_str(), target) {
            ("GET", AddressTarget::WhoAmI) => &mut self.whoami,
            ("GET", AddressTarget::Set(Kind::Users) | AddressTarget::Row(Kind::Users, _)) => {
                &mut self.users
            }
            ("GET", AddressTarget::Set(Kind::Filters) | AddressTarget::Row(Kind::Filters, _)) => {
                &mut self.surveys
            }
            ("PATCH", _) => &mut self.patches,
            ("DELETE", _) => &mut self.deletes,
            _ => return,
        };
        *counter += 1;
    }

    pub(super) fn status(&mut self, status: u16) {
        match status {
            429 => self.throttled += 1,
            401 | 403 => self.refused += 1,
            _ => {}
        }
    }

    pub(super) fn acted(&mut self, user: Uuid) {
        *self.by_user.entry(user).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_counted_by_route() {
        let mut counts = Counts::default();
        counts.operation(&Method::GET, &AddressTarget::WhoAmI);
        counts.operation(&Method::GET, &AddressTarget::Set(Kind::Filters));
        counts.operation(&Method::PATCH, &AddressTarget::Set(Kind::Filters));
        counts.operation(&Method::GET, &AddressTarget::Metadata);
        assert_eq!((counts.whoami, counts.surveys, counts.patches), (1, 1, 1));
        counts.status(429);
        counts.status(403);
        counts.status(404);
        assert_eq!((counts.throttled, counts.refused), (1, 1));
    }

    #[test]
    fn what_was_under_way_is_counted_once_for_each_group_of_refusals() {
        let mut counts = Counts::default();
        for _ in 0..5 {
            counts.begin();
        }
        let second = Duration::from_secs;
        counts.end(200, second(1));
        counts.end(429, second(2));
        counts.end(429, second(3));
        assert_eq!(counts.under_way_at_429, 4);
        counts.end(429, second(30));
        assert_eq!((counts.under_way_at_429, counts.under_way), (6, 1));
    }
}
