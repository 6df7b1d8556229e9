//! Following a run while it works.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::model::RunId;
use crate::report::RunFollower;

use super::form::Fields;
use super::live::{LiveRun, usage};
use super::progress::{is_paused, progress};
use super::run_actions::standing;
use super::run_files::run_id;
use super::screens::ErrorScreen;
use super::site::SharedSite;

/// How often the numbers move: fast enough to look alive, and a few queries.
const EVERY: Duration = Duration::from_millis(500);
/// How long it takes until it is said once more that the page has to be asked for.
const AGAIN: Duration = Duration::from_secs(2);
/// How often that is said at most.
const TIMES: u32 = 10;
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
    /// There is nothing to say at this moment.
    Nothing,
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
        if !self.live.is_driven() {
            return (RunUpdate::Changed, self);
        }
        let Ok(run) = self.site.read(&self.id) else {
            return (RunUpdate::Nothing, self);
        };
        let state = self.live.state.borrow().clone();
        let is_as_it_was = standing(Some(&state), &run).as_str() == self.at;
        if self.announced > 0 || !is_as_it_was || is_paused(&self.live) != self.is_paused {
            return (RunUpdate::Changed, self);
        }
        if state.is_waiting() {
            return (RunUpdate::Nothing, self);
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
