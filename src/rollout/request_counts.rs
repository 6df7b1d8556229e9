//! Snapshots of a run's request counters.

use jiff::Timestamp;

use crate::journal::Requests;
use crate::pacing::PacingStatus;

/// The pacer's counters at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestCounts {
    pub(super) requests: Requests,
    at: Timestamp,
}

impl RequestCounts {
    /// All zero, at the present time.
    pub(super) fn now() -> Self {
        Self {
            requests: Requests::default(),
            at: Timestamp::now(),
        }
    }

    /// The requests since this snapshot, and the middle of that time.
    pub(super) fn until(self, now: Self) -> (Requests, Timestamp) {
        let (before, after) = (self.requests, now.requests);
        let more = Requests {
            total: after.total.saturating_sub(before.total),
            throttled: after.throttled.saturating_sub(before.throttled),
            retried: after.retried.saturating_sub(before.retried),
        };
        let (from, to) = (self.at.as_millisecond(), now.at.as_millisecond());
        let middle = from.midpoint(to);
        (more, Timestamp::from_millisecond(middle).unwrap_or(now.at))
    }
}

impl From<&PacingStatus> for RequestCounts {
    fn from(status: &PacingStatus) -> Self {
        Self {
            requests: Requests {
                total: status.requests,
                throttled: status.throttled,
                retried: status.retried,
            },
            at: Timestamp::now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(second: i64, total: u64, throttled: u64) -> RequestCounts {
        RequestCounts {
            requests: Requests {
                total,
                throttled,
                retried: 0,
            },
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    #[test]
    fn what_came_since_belongs_to_the_middle_of_the_time() {
        let (more, at) = counted(10, 100, 1).until(counted(12, 150, 4));
        assert_eq!((more.total, more.throttled, more.retried), (50, 3, 0));
        assert_eq!(at, Timestamp::from_second(11).unwrap());
    }
}
