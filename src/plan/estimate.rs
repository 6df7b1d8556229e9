//! How long it takes to make changes.

use std::time::Duration;

/// Requests that one web server takes in [`WINDOW`] from one caller (Microsoft: "Service protection API limits"). How
/// many servers an environment has is not told.
const BUDGET: u64 = 6_000;
/// The window over which a server counts.
const WINDOW: Duration = Duration::from_mins(5);
/// The shortest time over which the reading of users tells a pace: what was kept has a resolution of a second.
const LEAST: Duration = Duration::from_secs(5);

/// How fast users were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadingPace {
    /// Requests that were made.
    pub requests: u64,
    /// The time in which they were made.
    pub time: Duration,
}

/// The shortest and the longest time that changes of so many filters of so many users can be expected to take, the
/// pauses between waves left out.
///
/// A user takes one request, with the changes of all filters in it. At the least they take no longer than reading did,
/// request by request; at the most each change takes as long as a request. Where one server's limit is met, the rest
/// waits for the next window. None where too little was read to tell.
pub fn time_ahead(users: u64, filters: u64, pace: ReadingPace) -> Option<(Duration, Duration)> {
    if pace.time < LEAST || pace.requests == 0 {
        return None;
    }
    let each = pace.time.as_secs_f64() / as_float(pace.requests);
    let windows = (users.saturating_sub(1) / BUDGET).min(u64::from(u32::MAX));
    let limited = WINDOW * u32::try_from(windows).unwrap_or(u32::MAX);
    let of = |requests: u64| Duration::try_from_secs_f64(each * as_float(requests)).ok();
    Some((of(users)?, of(filters.max(users))?.max(limited)))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an estimate of times from numbers that are far below 2^52"
)]
const fn as_float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn pace(requests: u64, seconds: u64) -> ReadingPace {
        ReadingPace {
            requests,
            time: Duration::from_secs(seconds),
        }
    }

    fn seconds(users: u64, filters: u64, pace: ReadingPace) -> Option<(u64, u64)> {
        let (least, most) = time_ahead(users, filters, pace)?;
        Some((least.as_secs(), most.as_secs()))
    }

    #[test]
    fn changes_take_as_long_as_reading_took_and_no_longer_than_a_request_for_each() {
        assert_eq!(seconds(300, 900, pace(600, 60)), Some((30, 90)));
        assert_eq!(seconds(300, 0, pace(600, 60)), Some((30, 30)));
    }

    #[test]
    fn where_one_server_s_limit_is_met_the_rest_waits_for_the_next_window() {
        assert_eq!(seconds(6_000, 6_000, pace(6_000, 60)), Some((60, 60)));
        assert_eq!(seconds(12_001, 12_001, pace(6_000, 60)), Some((120, 600)));
    }

    #[test]
    fn a_short_reading_tells_nothing() {
        assert_eq!(seconds(10, 30, pace(10, 1)), None);
        assert_eq!(seconds(10, 30, pace(0, 60)), None);
    }
}
