//! Following a run while it works.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::journal::{RunReader, View};
use crate::model::{RunId, count, number};
use crate::report::{ProgressWords, RunFollower, capital, write_times_of};
use crate::rollout::RunActivity;

use super::form::Fields;
use super::live::{LiveRun, usage};
use super::run::run_id;
use super::run_actions::standing;
use super::screens::ErrorScreen;
use super::site::SharedSite;

/// How often the numbers move: fast enough to look alive, and a few queries.
const EVERY: Duration = Duration::from_millis(500);
/// How long it takes until it is said once more that the page has to be asked for.
const AGAIN: Duration = Duration::from_secs(2);
/// How often that is said at most.
const TIMES: u32 = 10;
/// Failures that are named.
const FAILURES: u32 = 8;

/// Streams that are open at once. A browser has six connections to one address for all its windows together, and forms
/// need some of them. Where more windows follow runs, they take turns: a stream that was ended is asked for again.
const STREAMS: usize = 4;

/// The streams that are open, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<VecDeque<CancellationToken>>);

impl Streams {
    /// Opens another, and ends the oldest where that is one too many.
    fn open(&self) -> CancellationToken {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|stream| !stream.is_cancelled());
        if open.len() >= STREAMS
            && let Some(oldest) = open.pop_front()
        {
            oldest.cancel();
        }
        let stream = CancellationToken::new();
        open.push_back(stream.clone());
        stream
    }
}

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
    let status = live.handle.pacer.status();
    let words = match follower {
        Some(follower) => follower.words(&now, status.limiting),
        None => RunFollower::new(&now).words(&now, status.limiting),
    };
    let words = ProgressWords {
        limit: capital(&words.limit),
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
            count(status.requests, "request"),
            number(status.throttled),
            status.in_flight
        ),
        failures,
        times: String::from_utf8_lossy(&times).into_owned(),
    };
    part.render().unwrap_or_default()
}

/// A run that is followed, and how it stood when that began. Its file is opened for each look: whoever ends the run
/// waits for readers.
struct Followed {
    site: SharedSite,
    live: Arc<LiveRun>,
    id: RunId,
    follower: RunFollower,
    /// How the page was drawn.
    at: String,
    is_paused: bool,
    /// How often it was said that the page has to be asked for again.
    announced: u32,
    stream: CancellationToken,
    /// Whoever is gone makes room for another.
    _ends: DropGuard,
}

/// What a look at a run gives.
enum RunUpdate {
    Numbers(String),
    /// The run is not as it was.
    Changed,
    /// The file could not be read at this moment.
    Nothing,
}

/// Whether a run is paused, or about to be.
pub(super) const fn is_paused(activity: RunActivity) -> bool {
    matches!(activity, RunActivity::Paused | RunActivity::Pausing { .. })
}

impl Followed {
    /// The next event: the numbers, or that the page has to be asked for again.
    async fn next(self) -> Option<(Result<Event, Infallible>, Self)> {
        let wait = if self.announced > 0 { AGAIN } else { EVERY };
        tokio::select! {
            () = self.site.stop.cancelled() => return None,
            () = self.stream.cancelled() => return None,
            () = tokio::time::sleep(wait) => {}
        }
        let (update, mut this) = tokio::task::spawn_blocking(|| self.update()).await.ok()?;
        let event = Event::default();
        match update {
            RunUpdate::Numbers(part) => {
                return Some((Ok(event.event("progress").data(part)), this));
            }
            RunUpdate::Nothing => return Some((Ok(event.comment("busy")), this)),
            RunUpdate::Changed => {}
        }
        if this.announced == TIMES {
            return None;
        }
        // Whoever asks for the page again ends this; where the answer did not come, it is asked for once more.
        this.announced += 1;
        Some((Ok(event.event("next").data("next")), this))
    }

    fn update(mut self) -> (RunUpdate, Self) {
        let activity = self.live.handle.progress.borrow().activity;
        if !self.live.is_driven() {
            return (RunUpdate::Changed, self);
        }
        let Ok(run) = self.site.read(&self.id) else {
            return (RunUpdate::Nothing, self);
        };
        let state = self.live.state.borrow().clone();
        let is_as_it_was = standing(Some(&state), &run).as_str() == self.at;
        if self.announced > 0 || !is_as_it_was || is_paused(activity) != self.is_paused {
            return (RunUpdate::Changed, self);
        }
        let part = progress(&self.live, &run, Some(&mut self.follower));
        (RunUpdate::Numbers(part), self)
    }
}

pub(super) async fn follow(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Fields::of_query(query.as_deref());
    let opened = run_id(&id).and_then(|id| {
        let live = site
            .runs
            .get(&id)
            .ok_or_else(|| usage("nobody drives this run"))?;
        Ok((id, live))
    });
    let (id, live) = match opened {
        Ok(opened) => opened,
        Err(problem) => return ErrorScreen::new(&site, problem).into_response(),
    };
    let now = live.handle.progress.borrow().clone();
    let stream = site.streams.open();
    let followed = Followed {
        _ends: stream.clone().drop_guard(),
        stream,
        site,
        follower: RunFollower::new(&now),
        is_paused: query.has("paused"),
        live,
        id,
        at: query.text("at").to_owned(),
        announced: 0,
    };
    Sse::new(stream::unfold(followed, Followed::next))
        .keep_alive(KeepAlive::default())
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_keeps_connections_for_its_forms_however_many_windows_follow_runs() {
        let streams = Streams::default();
        let mut open: Vec<_> = (0..STREAMS).map(|_| streams.open()).collect();
        assert!(open.iter().all(|stream| !stream.is_cancelled()));
        let another = streams.open();
        assert!(open[0].is_cancelled() && !another.is_cancelled());
        // One that was closed makes room.
        open.remove(1).cancel();
        streams.open();
        assert!(open[1..].iter().all(|stream| !stream.is_cancelled()));
    }
}
