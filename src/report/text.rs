//! Words and numbers for people.

pub(super) use crate::model::{count, number};
use std::time::Duration;

use console::measure_text_width;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::StateAndStatus;
pub(super) use crate::model::text::{CUT, SHOWN, capital, clean, is_unsafe};

/// A text in lines of this width. A command in backquotes is not broken, because it could not be typed.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut quoted = false;
    let mut joins = false;
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(last)
                if joins || measure_text_width(last) + 1 + measure_text_width(word) <= width =>
            {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
        quoted ^= word.matches('`').count() % 2 == 1;
        joins = quoted;
    }
    lines
}

pub(super) fn minute(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

pub(super) fn second(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// A short length of time, such as `8s`, `1m 12s` or `2h 5m`.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m {s}s"),
        (h, m, _) => format!("{}h {m}m", number(h)),
    }
}

/// A number per second: with one decimal while it is small.
pub(super) fn rate(per_second: f64) -> String {
    if per_second < 9.95 {
        format!("{per_second:.1}")
    } else {
        format!("{per_second:.0}")
    }
}

/// The state, and the status if it is not the state's own.
pub(super) fn state(now: StateAndStatus) -> String {
    if now.status == now.state.default_status() {
        now.state.as_str().to_owned()
    } else {
        now.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{State, Status};

    #[test]
    fn thousands_are_set_apart_and_one_is_singular() {
        let texts = [0, 1, 999, 1000, 5_000, 1_234_567].map(|n| count(n, "user"));
        assert_eq!(
            texts,
            [
                "0 users",
                "1 user",
                "999 users",
                "1,000 users",
                "5,000 users",
                "1,234,567 users"
            ]
        );
    }

    #[test]
    fn a_text_is_broken_between_words_and_a_command_in_it_is_not() {
        let text = "give the user a role, and then `syncfilters resume 3f2a9c --yes` does it";
        assert_eq!(
            wrapped(text, 30),
            [
                "give the user a role, and then",
                "`syncfilters resume 3f2a9c --yes`",
                "does it"
            ]
        );
        assert_eq!(wrapped("", 30), [""]);
        assert_eq!(wrapped("日本語 日本語", 7), ["日本語", "日本語"]);
    }

    #[test]
    fn lengths_of_time_are_short() {
        let texts = [8, 72, 7_500].map(|s| span(Duration::from_secs(s)));
        assert_eq!(texts, ["8s", "1m 12s", "2h 5m"]);
    }

    #[test]
    fn a_status_is_named_only_where_it_is_unusual() {
        let mut now = State::Active.with_default_status();
        assert_eq!(state(now), "active");
        now.status = Status(None);
        assert_eq!(state(now), "active (status null)");
    }
}
