//! Why an attempt has to be repeated.

use std::fmt;

use super::RetryPolicy;

/// Why an attempt has to be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection could be made.
    NotConnected,
    /// The connection was closed before the answer was complete.
    Closed,
    /// The answer did not come in time.
    TimedOut,
    /// The response is not HTTP, or not in the encoding that it names.
    NotHttp,
    /// A success without a body, where one was asked for.
    Empty,
    /// This status, from the server or something before it, says that it is overloaded or unavailable.
    Status(u16),
}

/// Attempts where something answers, but not a Web API: a gateway that loses a connection answers
/// correctly a moment later, and a misconfigured one never does. Two pauses, of at most six seconds in all.
const NO_ANSWER: u32 = 3;
/// Attempts after a timeout. Each has already waited for minutes.
const LATE: u32 = 2;

impl Trouble {
    /// Whether something answers, but not as an overloaded or unavailable HTTP server does: it is up, and waiting
    /// helps little.
    pub fn is_bad_answer(self) -> bool {
        matches!(self, Self::NotHttp | Self::Empty)
    }

    /// Whether readable HTTP came back.
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Status(_))
    }

    /// The most attempts of one operation, the first included, that may fail in this way. `answered` is whether this
    /// address has ever answered: if not, a wrong address is more likely than an unavailable server.
    pub fn attempts(self, policy: &RetryPolicy, answered: bool) -> u32 {
        let most = match self {
            Self::NotConnected | Self::TimedOut if !answered => 1,
            Self::Closed if !answered => NO_ANSWER,
            Self::TimedOut => LATE,
            Self::NotHttp | Self::Empty => NO_ANSWER,
            Self::NotConnected | Self::Closed | Self::Status(_) => policy.max_attempts,
        };
        most.min(policy.max_attempts)
    }
}

/// A kind of failure and how often it occurred in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TroubleCount {
    /// The kind.
    pub trouble: Trouble,
    /// Times in a row.
    pub times: u32,
}

impl TroubleCount {
    /// Counts one more.
    pub(super) fn after(before: Option<Self>, trouble: Trouble) -> Self {
        let times = match before {
            Some(before) if before.trouble == trouble => before.times.saturating_add(1),
            _ => 1,
        };
        Self { trouble, times }
    }

    /// A short form, such as `empty answers`.
    pub fn brief(self) -> String {
        match self.trouble {
            Trouble::NotConnected => "no connection".into(),
            Trouble::Closed => "connections closed".into(),
            Trouble::TimedOut => "no answers".into(),
            Trouble::NotHttp => "answers are not HTTP".into(),
            Trouble::Empty => "empty answers".into(),
            Trouble::Status(status) => format!("answers: {status}"),
        }
    }
}

impl fmt::Display for TroubleCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, times) = (self.times == 1, self.times);
        let requests = |f: &mut fmt::Formatter<'_>, what: &str| {
            if one {
                write!(f, "the last request {what}")
            } else {
                write!(f, "the last {times} requests {what}")
            }
        };
        let answers = |f: &mut fmt::Formatter<'_>, what: fmt::Arguments<'_>| {
            if one {
                write!(f, "the last answer was {what}")
            } else {
                write!(f, "the last {times} answers were {what}")
            }
        };
        match self.trouble {
            Trouble::NotConnected => requests(f, "found no connection"),
            Trouble::Closed => requests(f, "got no answer: the connection was closed"),
            Trouble::TimedOut => requests(f, "got no answer in time"),
            Trouble::NotHttp => answers(f, format_args!("not HTTP that can be read")),
            Trouble::Empty => answers(f, format_args!("empty")),
            Trouble::Status(status) => answers(f, format_args!("status {status}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Trouble; 6] = [
        Trouble::NotConnected,
        Trouble::Closed,
        Trouble::TimedOut,
        Trouble::NotHttp,
        Trouble::Empty,
        Trouble::Status(503),
    ];

    #[test]
    fn an_address_that_has_never_answered_gets_no_more_attempts_than_one_that_has() {
        let policy = RetryPolicy::default();
        for trouble in ALL {
            let (never, before) = (
                trouble.attempts(&policy, false),
                trouble.attempts(&policy, true),
            );
            assert!((1..=before).contains(&never), "{trouble:?}");
            assert!(before <= policy.max_attempts, "{trouble:?}");
        }
        for trouble in [Trouble::Closed, Trouble::NotHttp, Trouble::Empty] {
            assert_eq!(trouble.attempts(&policy, false), 3, "{trouble:?}");
        }
    }

    #[test]
    fn the_same_trouble_in_a_row_is_counted_and_told() {
        let mut count = None;
        for trouble in [Trouble::Closed, Trouble::Empty, Trouble::Empty] {
            count = Some(TroubleCount::after(count, trouble));
        }
        assert_eq!(count.unwrap().to_string(), "the last 2 answers were empty");
        let one = TroubleCount::after(count, Trouble::Status(502));
        assert_eq!(one.to_string(), "the last answer was status 502");
    }
}
