//! How far a run is, as a part of a page.

use askama::Template;

use crate::journal::{RunReader, View};
use crate::model::{count, number};
use crate::report::{ProgressWords, RunFollower, capital, write_times_of};
use crate::rollout::RunActivity;

use super::live::LiveRun;

/// Failures that are named.
const FAILURES: usize = 8;

#[derive(Debug, Template)]
#[template(path = "progress.html", config = "src/ui/askama.toml")]
struct ProgressPart {
    words: ProgressWords,
    between: &'static str,
    activity: String,
    requests: String,
    failures: Vec<(String, String)>,
    times: String,
}

/// How far a run is, as a part of a page. Without somebody who follows it, there is no rate.
pub(super) fn progress(
    live: &LiveRun,
    run: &RunReader,
    follower: Option<&mut RunFollower>,
) -> String {
    let now = live.handle.progress.borrow().clone();
    let (status, before) = (live.handle.pacer.status(), live.handle.requests_before);
    let words = match follower {
        Some(follower) => follower.words(&now, status.limiting),
        None => RunFollower::new(&now).words(&now, status.limiting),
    };
    let words = ProgressWords {
        limit: match now.activity {
            RunActivity::Paused => String::new(),
            _ => capital(&words.limit),
        },
        ..words
    };
    let failures = run
        .view(|view: &View<'_>| view.last_failures(FAILURES))
        .unwrap_or_default();
    let mut times = Vec::new();
    // Without the picture the numbers are there all the same.
    let _ = write_times_of(&mut times, run, &jiff::tz::TimeZone::system());
    let part = ProgressPart {
        words,
        between: match now.activity {
            RunActivity::Paused => "Paused. Nothing is asked of the server.",
            _ => "Between two steps.",
        },
        activity: match now.activity {
            RunActivity::Working if is_paused(live) => {
                "Pausing as soon as this step can be left. ".to_owned()
            }
            RunActivity::Working => String::new(),
            RunActivity::Pausing { under_way } => {
                format!(
                    "Pausing: {} under way are finished first. ",
                    count(under_way, "user")
                )
            }
            RunActivity::Paused => "Paused: nothing is asked of the server. ".to_owned(),
            RunActivity::Stopping => "Stopping: users under way are finished first. ".to_owned(),
        },
        requests: format!(
            "{}, {} throttled, {} under way.",
            count(status.requests.saturating_sub(before.total), "request"),
            number(status.throttled.saturating_sub(before.throttled)),
            status.in_flight
        ),
        failures,
        times: String::from_utf8_lossy(&times).into_owned(),
    };
    part.render().unwrap_or_default()
}

/// Whether a run is paused, or is to be as soon as what it does can be left.
pub(super) fn is_paused(live: &LiveRun) -> bool {
    let control = &live.handle.control;
    control.is_paused() && !control.token().is_cancelled()
}
