//! Estimates the requests and the time that changes need.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RunSettings;

/// Requests that one web server grants in [`LIMIT_WINDOW`] to one caller (Microsoft: "Service protection API limits"). The
/// number of web servers is not known.
const BUDGET: u64 = 6_000;
/// The window over which a server counts (the same page).
pub const LIMIT_WINDOW: Duration = Duration::from_mins(5);
/// The end of some work, as a share of its requests: short, because the number at once grows for some hundred requests,
/// and with enough of them for an average.
const LAST: u64 = 4;
/// Requests of a command before it reads or writes the first user, one after the other: WhoAmI, the
/// organisation and its version, whether versions are checked, and the proof of impersonation.
const TO_CONNECT: u64 = 8;

/// The pace at which requests about users were answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestPace {
    /// The number of requests.
    pub requests: u64,
    /// The time that they took, in milliseconds.
    pub milliseconds: u64,
    /// The most requests under way at once.
    pub at_once: u32,
    /// Of these, the requests at the end, when the number under way had grown to what the server allows; zero where
    /// that is not known.
    pub last_requests: u64,
    /// The time that those took, in milliseconds.
    pub last_milliseconds: u64,
    /// Of all, the requests that were throttled.
    pub throttled: u64,
}

impl RequestPace {
    /// The pace of requests that were counted from the beginning to the end of some work, as numbers of requests and
    /// milliseconds; `at_once` were allowed at the end.
    pub fn of(counts: &[(u64, u64)], at_once: u32) -> Self {
        let (requests, milliseconds) = counts.last().copied().unwrap_or_default();
        let begins_at = requests.saturating_sub(requests / LAST);
        let begin = counts.iter().rfind(|(count, _)| *count <= begins_at);
        let (before, until) = begin.copied().unwrap_or_default();
        Self {
            requests,
            milliseconds,
            at_once,
            last_requests: requests.saturating_sub(before),
            last_milliseconds: milliseconds.saturating_sub(until),
            throttled: 0,
        }
    }

    /// Milliseconds from one answer to the next at the end.
    fn last_gap(&self) -> f64 {
        if self.last_requests == 0 {
            return as_float(self.milliseconds) / as_float(self.requests.max(1));
        }
        as_float(self.last_milliseconds) / as_float(self.last_requests)
    }

    /// Milliseconds that a command with this many requests needs more than at the pace of the end, because it begins
    /// with few at once.
    fn beginning(&self, requests: u64) -> f64 {
        let slow = self.requests.saturating_sub(self.last_requests);
        let took = self.milliseconds.saturating_sub(self.last_milliseconds);
        let more = (as_float(took) - as_float(slow) * self.last_gap()).max(0.0);
        more * as_float(requests.min(slow)) / as_float(slow.max(1))
    }
}

/// Which command makes the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppliedBy<'a> {
    /// The command that has read the users, with the settings that hold in it: those of the run file are replaced by
    /// them only when the user agrees.
    ThisCommand(&'a RunSettings),
    /// A later command: it connects, and compares the plan with the environment.
    LaterCommand,
}

/// The work that is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkAhead {
    /// Users to be changed: one request with all changes of a user.
    pub users: u64,
    /// Requests that read a user again before a change.
    pub reads_per_user: u64,
    /// Whether the command has to connect first.
    pub connects: bool,
    /// All pauses between waves together.
    pub pauses: Duration,
    /// The most requests in five minutes, where configured.
    pub most_requests: Option<u64>,
    /// Requests that were made in the five minutes before: they count for the limits as well.
    pub before: u64,
}

/// The shortest and the longest expected time. They are equal where no limit matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// If no limit is reached.
    pub least: Duration,
    /// If the environment has one web server.
    pub most: Duration,
}

/// The requests and the time of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The number of requests.
    pub requests: u64,
    /// The time; none where nothing was read from which it can be estimated.
    pub time: Option<TimeRange>,
}

impl WorkAhead {
    fn for_connecting(&self) -> u64 {
        if self.connects { TO_CONNECT } else { 0 }
    }

    /// The number of requests, without repetitions.
    pub fn requests(&self) -> u64 {
        let each = self.reads_per_user.saturating_add(1);
        let of_users = self.users.saturating_mul(each);
        of_users.saturating_add(self.for_connecting())
    }

    /// The estimate at the pace of earlier requests.
    ///
    /// A request takes as long as the last of those did, and as many are under way at once, except at the beginning of a
    /// command. Where one server's limit is reached, the rest waits for the next window, unless there are more servers.
    pub fn estimate(&self, pace: Option<RequestPace>) -> Estimate {
        Estimate {
            requests: self.requests(),
            time: pace.and_then(|pace| self.time(pace)),
        }
    }

    fn time(&self, pace: RequestPace) -> Option<TimeRange> {
        if pace.requests == 0 {
            return None;
        }
        // Fewer requests than can be under way are not that many at once.
        let at_once = |requests: u64| as_float(requests.clamp(1, u64::from(pace.at_once.max(1))));
        let answer = pace.last_gap() * at_once(pace.requests);
        let of_users = self.requests().saturating_sub(self.for_connecting());
        let beginning = if self.connects {
            pace.beginning(of_users)
        } else {
            0.0
        };
        let all = as_float(of_users) / at_once(self.users) + as_float(self.for_connecting());
        let fastest = Duration::try_from_secs_f64((answer * all + beginning) / 1000.0).ok()?;
        let all = self.requests().saturating_add(self.before);
        let windows = |most: u64| all.saturating_sub(1) / most.max(1);
        let waits =
            |most| LIMIT_WINDOW.saturating_mul(u32::try_from(windows(most)).unwrap_or(u32::MAX));
        // A configured pace holds for any number of servers.
        let least = fastest.max(self.most_requests.map_or(Duration::ZERO, waits));
        // What was throttled before is so again, and took this long with all its waits.
        let as_before = if pace.throttled == 0 {
            Duration::ZERO
        } else {
            let gap = as_float(pace.milliseconds) / as_float(pace.requests) / 1000.0;
            Duration::try_from_secs_f64(gap * as_float(of_users)).unwrap_or(Duration::MAX)
        };
        let most = least.max(waits(BUDGET)).max(as_before);
        Some(TimeRange {
            least: least.saturating_add(self.pauses),
            most: most.saturating_add(self.pauses),
        })
    }
}

/// The pauses between the waves in which one command changes this many users, starting with the wave of this number.
pub fn pauses(settings: &RunSettings, next: u64, users: u64) -> Duration {
    let Some(pause) = settings.wave_pause.filter(|_| !settings.waves.is_empty()) else {
        return Duration::ZERO;
    };
    let (mut number, mut left) = (next, users);
    let mut pauses = 0_u32;
    loop {
        left = left.saturating_sub(settings.wave(number).users(left));
        if left == 0 || settings.is_last_wave(number) {
            return pause.saturating_mul(pauses);
        }
        pauses = pauses.saturating_add(1);
        number = number.saturating_add(1);
    }
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
    use crate::plan::Wave;

    fn pace(requests: u64, milliseconds: u64, at_once: u32) -> RequestPace {
        RequestPace {
            requests,
            milliseconds,
            at_once,
            ..RequestPace::default()
        }
    }

    fn work(users: u64) -> WorkAhead {
        WorkAhead {
            users,
            ..WorkAhead::default()
        }
    }

    fn range(work: WorkAhead, pace: RequestPace) -> (u128, u128) {
        let time = work.estimate(Some(pace)).time.unwrap();
        (time.least.as_millis(), time.most.as_millis())
    }

    #[test]
    fn changes_take_as_long_as_the_same_number_of_requests_took() {
        let pace = pace(600, 60_000, 20);
        assert_eq!(range(work(300), pace), (30_000, 30_000));
        let later = WorkAhead {
            reads_per_user: 1,
            connects: true,
            ..work(300)
        };
        assert_eq!(later.requests(), 608);
        // One request takes two seconds, and those to connect come one after the other.
        assert_eq!(range(later, pace), (76_000, 76_000));
    }

    #[test]
    fn work_that_goes_on_keeps_the_pace_of_the_end_and_a_new_command_begins_slowly() {
        let counts = [
            (0, 0),
            (50, 6_000),
            (100, 8_000),
            (300, 9_000),
            (400, 10_000),
        ];
        let pace = RequestPace::of(&counts, 20);
        assert_eq!((pace.requests, pace.milliseconds), (400, 10_000));
        assert_eq!((pace.last_requests, pace.last_milliseconds), (100, 1_000));
        assert_eq!(range(work(400), pace), (4_000, 4_000));
        let later = |users| WorkAhead {
            connects: true,
            ..work(users)
        };
        // As long as before, and eight requests to connect of 0.2 s each.
        assert_eq!(range(later(400), pace), (11_600, 11_600));
        // Where less is to be done than was done slowly, a part of the slow beginning.
        assert_eq!(range(later(150), pace), (6_100, 6_100));
    }

    #[test]
    fn counts_of_nothing_give_no_pace() {
        for counts in [&[][..], &[(0, 0)], &[(0, 0), (0, 900)]] {
            assert_eq!(RequestPace::of(counts, 20).requests, 0, "{counts:?}");
        }
        let one = RequestPace::of(&[(0, 0), (1, 300)], 20);
        assert_eq!(range(work(1), one), (300, 300));
    }

    #[test]
    fn fewer_users_than_requests_at_once_take_the_time_of_a_request() {
        assert_eq!(range(work(5), pace(2_000, 5_000, 20)), (50, 50));
        // Five users who were read at once tell how long one takes.
        assert_eq!(range(work(100), pace(5, 50, 20)), (250, 250));
        assert_eq!(range(work(100), pace(100, 5_000, 1)), (5_000, 5_000));
    }

    #[test]
    fn where_one_server_s_limit_is_met_the_rest_waits_for_the_next_window() {
        let pace = pace(6_000, 60_000, 20);
        assert_eq!(range(work(6_000), pace), (60_000, 60_000));
        assert_eq!(range(work(12_001), pace), (120_010, 600_000));
    }

    #[test]
    fn what_was_sent_just_before_and_was_throttled_counts() {
        let pace = pace(600, 60_000, 20);
        let recent = WorkAhead {
            before: 5_900,
            ..work(300)
        };
        assert_eq!(range(recent, pace), (30_000, 300_000));
        let throttled = RequestPace {
            requests: 600,
            milliseconds: 300_000,
            at_once: 20,
            last_requests: 100,
            last_milliseconds: 1_000,
            throttled: 20,
        };
        assert_eq!(range(work(600), throttled), (6_000, 300_000));
    }

    #[test]
    fn a_pace_that_was_asked_for_and_pauses_belong_to_the_time() {
        let slow = WorkAhead {
            most_requests: Some(100),
            pauses: Duration::from_mins(1),
            ..work(250)
        };
        assert_eq!(range(slow, pace(100, 1_000, 20)), (660_000, 660_000));
        let settings = |sizes: &[u64], pause| RunSettings {
            waves: sizes.iter().map(|&size| Wave::Users(size)).collect(),
            wave_pause: pause,
            ..RunSettings::default()
        };
        let minute = Some(Duration::from_mins(1));
        for (settings, users, expected) in [
            (settings(&[10, 20, 1_000], minute), 300, 120),
            (settings(&[10, 20, 1_000], minute), 25, 60),
            (settings(&[10, 20], minute), 300, 60),
            (settings(&[10], minute), 5, 0),
            (settings(&[10, 20], None), 300, 0),
            (settings(&[], minute), 300, 0),
        ] {
            assert_eq!(
                pauses(&settings, 1, users).as_secs(),
                expected,
                "{settings:?}"
            );
        }
    }

    #[test]
    fn what_was_not_read_tells_nothing_and_no_number_of_a_file_is_too_large() {
        assert_eq!(work(10).estimate(None).time, None);
        assert_eq!(work(10).estimate(Some(pace(0, 60, 20))).time, None);
        let all = WorkAhead {
            reads_per_user: u64::MAX,
            connects: true,
            most_requests: Some(0),
            pauses: Duration::MAX,
            ..work(u64::MAX)
        };
        let strange = RequestPace {
            last_requests: u64::MAX,
            last_milliseconds: u64::MAX,
            ..pace(1, 1, 1)
        };
        for pace in [pace(1, u64::MAX, u32::MAX), pace(u64::MAX, 0, 0), strange] {
            let _ = all.estimate(Some(pace));
        }
    }
}
