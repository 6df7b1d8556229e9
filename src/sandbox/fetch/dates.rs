//! Operators about time, as time spans.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// From the first time, inclusive, to the second, exclusive; `None` is no bound.
pub(super) type Bounds = (Option<Timestamp>, Option<Timestamp>);

/// The kind of value that an operator about time needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fixed,
    Date,
    /// A count.
    Number,
}

/// Why there are no bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoBounds {
    /// The operator is not about time.
    OtherOperator,
    /// The value is missing, of another kind, or out of range.
    Value,
}

/// The bounds of an operator and its value at a time.
pub(super) fn bounds(
    operator: &str,
    value: Option<&str>,
    now: Timestamp,
) -> Result<Bounds, NoBounds> {
    let found = match kind(operator).ok_or(NoBounds::OtherOperator)? {
        Kind::Fixed => fixed(operator, day_of(now)),
        Kind::Date => value
            .and_then(moment)
            .and_then(|it| around(operator, day_of(it))),
        Kind::Number => value
            .and_then(|it| it.trim().parse().ok())
            .filter(|number| (1..=100_000).contains(number))
            .and_then(|number| counted(operator, number, now)),
    };
    found.ok_or(NoBounds::Value)
}

fn kind(operator: &str) -> Option<Kind> {
    let known = |unit: &str, with_minutes| {
        matches!(unit, "hours" | "days" | "weeks" | "months" | "years")
            || (with_minutes && unit == "minutes")
    };
    if let Some(unit) = operator.strip_prefix("olderthan-x-") {
        return known(unit, true).then_some(Kind::Number);
    }
    let counted = operator
        .strip_prefix("last-x-")
        .or(operator.strip_prefix("next-x-"));
    if let Some(unit) = counted {
        return known(unit, false).then_some(Kind::Number);
    }
    match operator {
        "on" | "on-or-after" | "on-or-before" => Some(Kind::Date),
        "today" | "yesterday" | "tomorrow" | "last-seven-days" | "next-seven-days" => {
            Some(Kind::Fixed)
        }
        other => {
            let (which, unit) = other.split_once('-')?;
            let is_fixed = matches!(which, "last" | "this" | "next")
                && matches!(unit, "week" | "month" | "year");
            is_fixed.then_some(Kind::Fixed)
        }
    }
}

/// Reads a date, or a time with or without an offset.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

fn day_of(moment: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(moment).date()
}

fn start(day: Date) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
}

fn shift(day: Date, unit: &str, number: i64) -> Option<Date> {
    let span = match unit {
        "days" | "day" => Span::new().try_days(number),
        "weeks" | "week" => Span::new().try_weeks(number),
        "months" | "month" => Span::new().try_months(number),
        "years" | "year" => Span::new().try_years(number),
        _ => return None,
    };
    day.checked_add(span.ok()?).ok()
}

fn between(from: Date, to: Date) -> Option<Bounds> {
    Some((Some(start(from)?), Some(start(to)?)))
}

fn fixed(operator: &str, today: Date) -> Option<Bounds> {
    let day = |number| shift(today, "days", number);
    match operator {
        "today" => between(today, day(1)?),
        "yesterday" => between(day(-1)?, today),
        "tomorrow" => between(day(1)?, day(2)?),
        "last-seven-days" => between(day(-7)?, day(1)?),
        "next-seven-days" => between(today, day(8)?),
        other => {
            let (which, unit) = other.split_once('-')?;
            let first = match unit {
                "week" => {
                    let since_sunday = today.weekday().to_sunday_zero_offset();
                    day(-i64::from(since_sunday))?
                }
                "month" => today.first_of_month(),
                _ => today.first_of_year(),
            };
            let step = match which {
                "last" => -1,
                "this" => 0,
                _ => 1,
            };
            between(shift(first, unit, step)?, shift(first, unit, step + 1)?)
        }
    }
}

fn around(operator: &str, day: Date) -> Option<Bounds> {
    let next = shift(day, "days", 1)?;
    match operator {
        "on" => between(day, next),
        "on-or-after" => Some((Some(start(day)?), None)),
        _ => Some((None, Some(start(next)?))),
    }
}

fn counted(operator: &str, number: i64, now: Timestamp) -> Option<Bounds> {
    let unit = operator.rsplit('-').next()?;
    let exact = match unit {
        "minutes" => Some(SignedDuration::from_mins(number)),
        "hours" => Some(SignedDuration::from_hours(number)),
        _ => None,
    };
    let (before, after) = if let Some(length) = exact {
        let (before, after) = (now.checked_sub(length), now.checked_add(length));
        (before.ok()?, after.ok()?)
    } else {
        let today = day_of(now);
        let end = shift(shift(today, unit, number)?, "days", 1)?;
        (start(shift(today, unit, -number)?)?, start(end)?)
    };
    Some(match operator.split('-').next()? {
        "last" => (Some(before), Some(now)),
        "next" => (Some(now), Some(after)),
        _ => (None, Some(before)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(operator: &str, value: Option<&str>) -> (String, String) {
        let now = "2026-11-24T18:30:00Z".parse().unwrap();
        let (from, to) = bounds(operator, value, now).unwrap();
        let text = |it: Option<Timestamp>| it.map_or(String::new(), |it| it.to_string());
        (text(from), text(to))
    }

    #[test]
    fn periods_start_and_end_with_their_days() {
        for (operator, value, from, to) in [
            (
                "today",
                None,
                "2026-11-24T00:00:00Z",
                "2026-11-25T00:00:00Z",
            ),
            (
                "this-week",
                None,
                "2026-11-22T00:00:00Z",
                "2026-11-29T00:00:00Z",
            ),
            (
                "next-month",
                None,
                "2026-12-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
            (
                "last-year",
                None,
                "2025-01-01T00:00:00Z",
                "2026-01-01T00:00:00Z",
            ),
            (
                "next-x-days",
                Some("3"),
                "2026-11-24T18:30:00Z",
                "2026-11-28T00:00:00Z",
            ),
            (
                "last-x-months",
                Some("1"),
                "2026-10-24T00:00:00Z",
                "2026-11-24T18:30:00Z",
            ),
            (
                "last-x-hours",
                Some("2"),
                "2026-11-24T16:30:00Z",
                "2026-11-24T18:30:00Z",
            ),
            ("olderthan-x-years", Some("1"), "", "2025-11-24T00:00:00Z"),
            (
                "on",
                Some("2026-01-31"),
                "2026-01-31T00:00:00Z",
                "2026-02-01T00:00:00Z",
            ),
            (
                "on-or-after",
                Some("2026-01-31T10:00:00Z"),
                "2026-01-31T00:00:00Z",
                "",
            ),
            (
                "on-or-before",
                Some("2026-01-31"),
                "",
                "2026-02-01T00:00:00Z",
            ),
        ] {
            assert_eq!(
                at(operator, value),
                (from.to_owned(), to.to_owned()),
                "{operator}"
            );
        }
    }

    #[test]
    fn what_is_no_date_or_number_is_refused() {
        let now = Timestamp::default();
        for (operator, value) in [
            ("on", Some("soon")),
            ("on", None),
            ("next-x-days", Some("0")),
            ("next-x-years", Some("99999")),
        ] {
            assert_eq!(
                bounds(operator, value, now),
                Err(NoBounds::Value),
                "{operator}"
            );
        }
        for operator in ["eq", "next-x-minutes", "this-fiscal-year", "", "last-x-"] {
            assert_eq!(
                bounds(operator, None, now),
                Err(NoBounds::OtherOperator),
                "{operator}"
            );
        }
    }
}
