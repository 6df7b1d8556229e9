//! Following a run while it works.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use crate::journal::{RunReader, View};
use crate::model::{count, number};
use crate::report::{ProgressWords, RunFollower, write_times_of};
use crate::rollout::RunActivity;

use super::form::Fields;
use super::live::{LiveRun, usage};
use super::run::{run_id, standing};
use super::screens::Failure;
use super::site::SharedSite;

/// How often the numbers move: fast enough to look alive, and a few queries.
const EVERY: Duration = Duration::from_millis(500);
/// How long a stream stays open after its last event.
const LINGER: Duration = Duration::from_secs(20);
/// Failures that are named.
const FAILURES: u32 = 8;

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

/// A run that is followed, and how it stood when that began.
struct Followed {
    site: SharedSite,
    live: Arc<LiveRun>,
    run: RunReader,
    follower: RunFollower,
    at: String,
    activity: RunActivity,
    is_over: bool,
}

impl Followed {
    /// The next event: the numbers, or that the page has to be asked for again.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        let wait = if self.is_over { LINGER } else { EVERY };
        tokio::select! {
            () = self.site.stop.cancelled() => return None,
            () = tokio::time::sleep(wait) => {}
        }
        if self.is_over {
            return None;
        }
        let id = self.run.header.id.clone();
        let now = {
            let (site, live) = (Arc::clone(&self.site), Arc::clone(&self.live));
            tokio::task::spawn_blocking(move || {
                let run = site.read(&id).ok()?;
                Some(standing(Some(&live), &run).as_str())
            })
        };
        let activity = self.live.handle.progress.borrow().activity;
        let paused = |activity: RunActivity| {
            matches!(activity, RunActivity::Paused | RunActivity::Pausing { .. })
        };
        let changes = paused(activity) != paused(self.activity);
        if now.await.ok().flatten() != Some(&*self.at) || changes {
            self.is_over = true;
            // Whoever asks for the page again ends this; a stream that ends would be asked for again.
            let event = Event::default().event("next").data("next");
            return Some((Ok(event), self));
        }
        let shown = tokio::task::spawn_blocking(move || {
            let part = progress(&self.live, &self.run, Some(&mut self.follower));
            (part, self)
        });
        let (part, this) = shown.await.ok()?;
        Some((Ok(Event::default().event("progress").data(part)), this))
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
        Ok((site.read(&id)?, live))
    });
    let (run, live) = match opened {
        Ok(opened) => opened,
        Err(problem) => return Failure::new(&site, problem).into_response(),
    };
    let now = live.handle.progress.borrow().clone();
    let followed = Followed {
        site,
        follower: RunFollower::new(&now),
        activity: now.activity,
        live,
        run,
        at: query.text("at").to_owned(),
        is_over: false,
    };
    Sse::new(stream::unfold(followed, Followed::next))
        .keep_alive(KeepAlive::default())
        .into_response()
}
