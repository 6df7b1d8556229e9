//! The progress of a step, in words.

use std::time::Duration;

use crate::pacing::Limiting;
use crate::report::text::{count, number, rate, span};
use crate::rollout::RunStep;

use super::tracker::Standing;

/// The most columns of a bar with its words: a terminal of 80 wraps a full line.
pub(super) const WIDTH: usize = 79;
/// The width of the bar itself, in columns: shorter ones show nothing, and longer ones take the room of words.
const BAR: std::ops::RangeInclusive<usize> = 5..=12;

pub(in crate::report) const fn name(step: RunStep) -> &'static str {
    match step {
        RunStep::Gather => "Collecting users",
        RunStep::Prove => "Testing impersonation",
        RunStep::Survey => "Reading filters",
        RunStep::Check => "Checking the plan",
        RunStep::Apply => "Setting states",
    }
}

/// One line for a log.
pub(super) fn line(standing: &Standing, limiting: Limiting) -> String {
    let (name, counted) = (name(standing.step), counted(standing));
    let (per_second, left) = pace(standing, limiting);
    let per_second = per_second.map(rate);
    let per_second = per_second.map_or_else(String::new, |rate| format!(", {rate} a second"));
    let left = left.map(roughly);
    let left = left.map_or_else(String::new, |left| format!(", about {left} left"));
    let failures = failures(standing);
    format!("{name}: {counted}{per_second}{left}{failures}; {limiting}")
}

/// The users a second and the time that is left. While nothing is sent, or nothing answered, neither says anything.
fn pace(standing: &Standing, limiting: Limiting) -> (Option<f64>, Option<Duration>) {
    let stands_still = match limiting {
        Limiting::Cooldown { .. } | Limiting::Silence { .. } => true,
        Limiting::Trouble { left, .. } => left.is_some(),
        Limiting::Rate | Limiting::Concurrency | Limiting::Answers => false,
    };
    if stands_still {
        return (None, None);
    }
    (standing.per_second, standing.left())
}

/// One line for a log, or above the bar, at the end of a step.
pub(super) fn ended(standing: &Standing) -> String {
    let name = name(standing.step);
    let took = match standing.spent {
        short if short < Duration::from_secs(1) => "under 1 s".to_owned(),
        spent => roughly(spent),
    };
    if standing.total.is_none() && standing.done == 0 {
        return format!("{name}: done in {took}");
    }
    let users = count(standing.done, "user");
    format!("{name}: done, {users} in {took}{}", failures(standing))
}

/// One line for a log where a step was left before its end.
pub(super) fn left(standing: &Standing) -> String {
    let (name, counted) = (name(standing.step), counted(standing));
    format!("{name}: stopped at {counted}{}", failures(standing))
}

/// A bar with its words, in at most [`WIDTH`] columns: the least important words are omitted first.
pub(super) fn bar(standing: &Standing, limiting: Limiting) -> String {
    let of = standing
        .total
        .map_or_else(String::new, |total| format!("/{}", number(total)));
    let mut words = vec![format!("{}{of}", number(standing.done))];
    if standing.failed > 0 {
        words.push(format!("{} failed", number(standing.failed)));
    }
    let (per_second, left) = pace(standing, limiting);
    let per_second = per_second.map(|r| format!("{}/s", rate(r)));
    let eta = left.map(|left| format!("eta {}", span(left)));
    let optional = [per_second, eta, Some(brief(limiting))];
    let name = name(standing.step);
    let least = if standing.total.is_some() {
        BAR.start() + 4
    } else {
        0
    };
    for word in optional.into_iter().flatten() {
        let taken = name.len() + least + width(&words) + 2 + word.len();
        if taken <= WIDTH {
            words.push(word);
        }
    }
    let room = WIDTH.saturating_sub(name.len() + 4 + width(&words));
    let drawn = standing
        .total
        .map(|total| drawn(standing.done, total, room));
    let mut text = name.to_owned();
    text += &drawn.map_or_else(String::new, |bar| format!("  {bar}"));
    for word in words {
        text += "  ";
        text += &word;
    }
    text
}

/// The width of words with their gaps, in columns.
fn width(words: &[String]) -> usize {
    words.iter().map(|word| word.len() + 2).sum()
}

/// The bar itself, with brackets; empty where there is no room.
fn drawn(done: u64, total: u64, room: usize) -> String {
    let inner = room.min(*BAR.end());
    if inner < *BAR.start() {
        return String::new();
    }
    let columns = u128::try_from(inner).unwrap_or_default();
    let filled = match total {
        0 => columns,
        total => (u128::from(done) * columns / u128::from(total)).min(columns),
    };
    let filled = usize::try_from(filled).unwrap_or(inner);
    let mut bar = "=".repeat(filled);
    if filled > 0 && filled < inner {
        bar.pop();
        bar.push('>');
    }
    format!("[{bar:<inner$}]")
}

/// What limits the speed, in few columns.
fn brief(limiting: Limiting) -> String {
    match limiting {
        Limiting::Cooldown { left, .. } => {
            format!("paused {}", span(left + Duration::from_secs(1)))
        }
        Limiting::Trouble { trouble, .. } => trouble.brief(),
        Limiting::Silence { length } => format!("no answer for {}", span(length)),
        Limiting::Rate => "limited by rate".to_owned(),
        Limiting::Concurrency => "limited by concurrency".to_owned(),
        Limiting::Answers => "waiting for server".to_owned(),
    }
}

fn counted(standing: &Standing) -> String {
    match standing.total {
        Some(total) => format!("{} of {}", number(standing.done), count(total, "user")),
        None => count(standing.done, "user"),
    }
}

fn failures(standing: &Standing) -> String {
    match standing.failed {
        0 => String::new(),
        failed => format!(", {} failed", number(failed)),
    }
}

/// An approximate length of time in words, such as `8 s`, `1 min` or `2 h 5 min`.
fn roughly(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        return format!("{seconds} s");
    }
    let minutes = (seconds + 30) / 60;
    match (minutes / 60, minutes % 60) {
        (0, m) => format!("{m} min"),
        (h, 0) => format!("{} h", number(h)),
        (h, m) => format!("{} h {m} min", number(h)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::Budget;

    const RATE: Limiting = Limiting::Rate;

    fn standing() -> Standing {
        Standing {
            step: RunStep::Survey,
            done: 1_234,
            total: Some(5_000),
            failed: 0,
            per_second: Some(52.3),
            spent: Duration::from_secs(24),
        }
    }

    #[test]
    fn a_line_says_how_far_how_fast_how_long_and_what_limits() {
        assert_eq!(
            line(&standing(), RATE),
            "Reading filters: 1,234 of 5,000 users, 52 a second, about 1 min left; limited by the request rate"
        );
        let failing = Standing {
            failed: 3,
            per_second: None,
            ..standing()
        };
        assert_eq!(
            line(&failing, Limiting::Concurrency),
            "Reading filters: 1,234 of 5,000 users, 3 failed; limited by the number of requests at once"
        );
    }

    #[test]
    fn a_step_ends_with_its_count_its_time_and_its_failures() {
        let done = Standing {
            done: 5_000,
            failed: 2,
            spent: Duration::from_secs(96),
            ..standing()
        };
        assert_eq!(
            ended(&done),
            "Reading filters: done, 5,000 users in 2 min, 2 failed"
        );
        let proof = Standing {
            step: RunStep::Prove,
            done: 0,
            total: None,
            spent: Duration::from_secs(1),
            ..standing()
        };
        assert_eq!(ended(&proof), "Testing impersonation: done in 1 s");
        assert_eq!(
            left(&standing()),
            "Reading filters: stopped at 1,234 of 5,000 users"
        );
    }

    #[test]
    fn a_bar_shows_the_same_in_few_columns() {
        assert_eq!(
            bar(&standing(), RATE),
            "Reading filters  [=>          ]  1,234/5,000  52/s  eta 1m 12s  limited by rate"
        );
        let unknown = Standing {
            step: RunStep::Gather,
            total: None,
            ..standing()
        };
        assert_eq!(
            bar(&unknown, Limiting::Answers),
            "Collecting users  1,234  52/s  waiting for server"
        );
    }

    #[test]
    fn a_bar_always_fits_and_never_hides_the_count_or_the_failures() {
        let cooldown = Limiting::Cooldown {
            left: Duration::from_secs(299),
            budget: Some(Budget::Time),
        };
        let steps = [
            RunStep::Gather,
            RunStep::Prove,
            RunStep::Survey,
            RunStep::Check,
            RunStep::Apply,
        ];
        for step in steps {
            for (done, total) in [
                (0, Some(0)),
                (1, Some(9)),
                (9, Some(9)),
                (1_999_999, Some(2_000_000)),
                (10, Some(3)),
                (7, None),
            ] {
                for (failed, per_second) in [(0, None), (1_234_567, Some(0.004)), (3, Some(2500.0))]
                {
                    let standing = Standing {
                        step,
                        done,
                        total,
                        failed,
                        per_second,
                        ..standing()
                    };
                    let bar = bar(&standing, cooldown);
                    assert!(bar.len() <= WIDTH, "{bar}");
                    assert!(bar.contains(&number(done)), "{bar}");
                    assert_eq!(bar.contains("failed"), failed > 0, "{bar}");
                }
            }
        }
    }

    #[test]
    fn a_length_of_time_is_rough() {
        let texts = [8, 72, 7_200, 7_500].map(|s| roughly(Duration::from_secs(s)));
        assert_eq!(texts, ["8 s", "1 min", "2 h", "2 h 5 min"]);
    }
}
