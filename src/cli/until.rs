//! `--until`: a time of day at which the work stops.

use std::time::Duration;

use jiff::civil::Time;
use jiff::{Timestamp, ZonedDateTime};

/// The time between two looks at the clock: after a machine was asleep its clock jumps.
const LOOK: Duration = Duration::from_secs(30);

/// The next occurrence of this time of day. If a clock change skips it, it is later by that change.
pub(super) fn next_time(time: Time, now: &ZonedDateTime) -> Timestamp {
    let zone = now.time_zone();
    let on = |day: jiff::civil::Date| day.to_datetime(time).to_zoned_datetime(zone.clone());
    let today = on(now.date()).ok().filter(|at| at > now);
    let tomorrow = || now.date().tomorrow().ok().and_then(|day| on(day).ok());
    today
        .or_else(tomorrow)
        .map_or(Timestamp::MAX, |at| at.timestamp())
}

/// Returns when that time has come.
pub(super) async fn reached(at: Timestamp) {
    loop {
        let left = at.duration_since(Timestamp::now());
        let Ok(left) = Duration::try_from(left) else {
            return;
        };
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LOOK)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_today_or_of_tomorrow_whatever_the_clocks_do() {
        for (now, time, next) in [
            (
                "2026-11-24T05:00+01:00[Europe/Berlin]",
                "06:00",
                "2026-11-24T05:00Z",
            ),
            (
                "2026-11-24T06:00+01:00[Europe/Berlin]",
                "06:00",
                "2026-11-25T05:00Z",
            ),
            (
                "2026-11-24T22:00+01:00[Europe/Berlin]",
                "06:00",
                "2026-11-25T05:00Z",
            ),
            // The hour from two to three is left out.
            (
                "2026-03-28T22:00+01:00[Europe/Berlin]",
                "02:30",
                "2026-03-29T01:30Z",
            ),
        ] {
            let now: ZonedDateTime = now.parse().unwrap();
            let time: Time = time.parse().unwrap();
            let expected: Timestamp = next.parse().unwrap();
            assert_eq!(next_time(time, &now), expected, "{now} {time}");
        }
    }
}
