//! What a response means for the pace.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::trouble::Trouble;

/// The longest wait that a run sits out. The platform's budgets are free again after five minutes, and a penalty for
/// continuing after some times that. A longer wait is better left to another command.
pub const LONGEST_WAIT: Duration = Duration::from_mins(30);
/// The longest wait that is reported, a year: such a time can be added to the clock and printed.
const LONGEST_TOLD: Duration = Duration::from_hours(24 * 365);

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It certainly never reached the server.
    NotSent,
    /// No answer in time; the result is not known.
    Timeout,
    /// The connection broke; the result is not known.
    Interrupted,
    /// The response is not HTTP, or not in the encoding that it names; the result is not known.
    NotHttp,
    /// The answer cannot be used, for example because it is too long. A repetition would bring the same.
    Unusable,
}

/// What is known of one attempt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The platform's error code, if the answer had one.
    pub code: Option<u32>,
    /// The `Retry-After` header.
    pub retry_after: Option<&'a str>,
    /// The `Date` header, from which a `Retry-After` with a date is counted, because the clocks may differ.
    pub date: Option<&'a str>,
    /// The failure, if no answer came.
    pub failure: Option<Failure>,
    /// Whether the answer is a success without a body, where one was asked for.
    pub empty: bool,
    /// Whether the server says that the same request may succeed next time, as after a deadlock.
    pub transient: bool,
}

/// A budget that is counted over a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// The number of requests.
    Requests,
    /// Their combined execution time.
    Time,
}

/// What an attempt means for the pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Answered correctly.
    Success,
    /// Too many at once.
    Concurrency,
    /// A budget is used up, by one of Dataverse's own codes.
    Budget(Budget),
    /// Too many requests, without a code of Dataverse: a proxy or gateway with unknown limits.
    Throttled,
    /// The server, or something before it, is overloaded or unavailable.
    Overload,
    /// A refusal that has nothing to do with the pace.
    Neutral,
    /// The token was not accepted.
    Auth,
}

impl Signal {
    /// Whether the request was refused because of a limit, of any server.
    pub fn is_limit(self) -> bool {
        matches!(self, Self::Concurrency | Self::Budget(_) | Self::Throttled)
    }
}

/// A signal, and how long the server asks to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What it means.
    pub signal: Signal,
    /// `Retry-After`, where it was sent and could be read.
    pub retry_after: Option<Duration>,
    /// Whether the request was certainly not carried out.
    pub not_done: bool,
    /// The kind of failure, where it is not a refusal; then the signal is [`Signal::Overload`].
    pub trouble: Option<Trouble>,
}

/// What one attempt means. `now` is the local time, for a `Retry-After` with a date in an answer without `Date`.
///
/// The codes are those of the service protection limits (Microsoft: "Service protection API limits").
/// Every status of 500 and above counts as overload, as in Microsoft's own sample.
pub fn classify(facts: &Facts<'_>, now: Timestamp) -> Observation {
    let signal = signal(facts);
    Observation {
        signal,
        trouble: (signal == Signal::Overload).then(|| trouble(facts)),
        retry_after: facts.retry_after.and_then(|text| {
            let said = facts.date.and_then(|date| rfc2822::parse(date.trim()).ok());
            wait(text, said.map_or(now, |date| date.timestamp()))
        }),
        not_done: facts.status == Some(429) || facts.failure == Some(Failure::NotSent),
    }
}

fn signal(facts: &Facts<'_>) -> Signal {
    let Some(status) = facts.status else {
        return match facts.failure {
            Some(Failure::Unusable) => Signal::Neutral,
            _ => Signal::Overload,
        };
    };
    match (status, facts.code) {
        // Gateways answer so while they lose a connection; a repetition is answered a moment later.
        (200, _) if facts.empty => Signal::Overload,
        (200..=399, _) => Signal::Success,
        (401, _) => Signal::Auth,
        (_, Some(0x8007_2326)) => Signal::Concurrency,
        (_, Some(0x8007_2321)) => Signal::Budget(Budget::Time),
        (_, Some(0x8007_2322)) => Signal::Budget(Budget::Requests),
        // 0x8005F103 and 0x80060308 say "too many" and name no budget.
        (429, _) | (_, Some(0x8005_F103 | 0x8006_0308)) => Signal::Throttled,
        // 501 is "this server does not support that": a repetition does not help.
        (501, _) => Signal::Neutral,
        (408 | 500..=599, _) => Signal::Overload,
        _ if facts.transient => Signal::Overload,
        _ => Signal::Neutral,
    }
}

fn trouble(facts: &Facts<'_>) -> Trouble {
    match (facts.status, facts.failure) {
        (Some(200), _) => Trouble::Empty,
        (Some(status), _) => Trouble::Status(status),
        (None, Some(Failure::NotSent)) => Trouble::NotConnected,
        (None, Some(Failure::Timeout)) => Trouble::TimedOut,
        (None, Some(Failure::NotHttp)) => Trouble::NotHttp,
        (None, Some(Failure::Interrupted | Failure::Unusable) | None) => Trouble::Closed,
    }
}

/// `Retry-After`: seconds or a date (RFC 9110, 10.2.3). Fractions, which gateways send and the standard does not allow,
/// are rounded up. Anything else, and a time that has passed, counts as no header.
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = if let Some(seconds) = seconds(text) {
        Duration::from_secs(seconds)
    } else {
        let date = rfc2822::parse(text).ok()?.timestamp();
        let wait = Duration::try_from(date.duration_since(now)).ok()?;
        Some(wait).filter(|wait| !wait.is_zero())?
    };
    Some(wait.min(LONGEST_TOLD))
}

/// Digits with an optional fraction. A number that is too large becomes the largest one.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let more = fraction.bytes().any(|digit| digit != b'0');
    let whole = whole.parse().unwrap_or(u64::MAX);
    Some(whole.saturating_add(u64::from(more)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(status: u16, code: Option<u32>) -> Signal {
        let facts = Facts {
            status: Some(status),
            code,
            ..Facts::default()
        };
        classify(&facts, Timestamp::UNIX_EPOCH).signal
    }

    #[test]
    fn each_documented_limit_has_its_signal() {
        assert_eq!(
            seen(429, Some(0x8007_2322)),
            Signal::Budget(Budget::Requests)
        );
        assert_eq!(seen(429, Some(0x8007_2321)), Signal::Budget(Budget::Time));
        assert_eq!(seen(429, Some(0x8007_2326)), Signal::Concurrency);
    }

    #[test]
    fn a_refusal_in_other_words_than_dataverses_names_no_budget() {
        for code in [None, Some(0x8005_F103), Some(0x8006_0308), Some(1)] {
            assert_eq!(seen(429, code), Signal::Throttled, "{code:?}");
        }
    }

    #[test]
    fn what_the_server_cannot_do_at_all_is_not_overload() {
        for (status, signal) in [
            (200, Signal::Success),
            (204, Signal::Success),
            (401, Signal::Auth),
            (403, Signal::Neutral),
            (404, Signal::Neutral),
            (412, Signal::Neutral),
            (408, Signal::Overload),
            (500, Signal::Overload),
            (501, Signal::Neutral),
            (503, Signal::Overload),
        ] {
            assert_eq!(seen(status, None), signal, "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_endless() {
        let now: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("17", Some(17)),
            (" 0 ", Some(0)),
            ("Tue, 24 Nov 2026 08:00:30 GMT", Some(30)),
            ("Tue, 24 Nov 2026 07:00:00 GMT", None),
            ("0.2", Some(1)),
            ("1.0", Some(1)),
            ("2.000001", Some(3)),
            ("7200", Some(7200)),
            ("99999999999999999999999", Some(31_536_000)),
            ("1e3", None),
            (".5", None),
            ("NaN", None),
            ("soon", None),
            ("-5", None),
            ("", None),
        ] {
            assert_eq!(wait(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_date_counts_by_the_clock_of_whoever_sent_it() {
        let facts = Facts {
            status: Some(503),
            retry_after: Some("Tue, 24 Nov 2026 09:00:30 GMT"),
            date: Some("Tue, 24 Nov 2026 09:00:00 GMT"),
            ..Facts::default()
        };
        let an_hour_behind = "2026-11-24T08:00:00Z".parse().unwrap();
        let seen = classify(&facts, an_hour_behind);
        assert_eq!(seen.retry_after, Some(Duration::from_secs(30)));
    }

    #[test]
    fn only_what_surely_was_not_done_says_so() {
        let not_done = |status, failure| {
            let facts = Facts {
                status,
                failure,
                ..Facts::default()
            };
            classify(&facts, Timestamp::UNIX_EPOCH).not_done
        };
        assert!(not_done(Some(429), None));
        assert!(not_done(None, Some(Failure::NotSent)));
        assert!(!not_done(Some(503), None));
        assert!(!not_done(None, Some(Failure::Timeout)));
    }
}
