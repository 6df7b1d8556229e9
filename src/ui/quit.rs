//! Ending the page, with a question where that would leave a run: the answer is `/quit/now`.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::actions;
use super::form::Posted;
use super::screens::{Frame, answer};
use super::site::SharedSite;

#[derive(Debug, Template)]
#[template(path = "quit.html", config = "src/ui/askama.toml")]
struct QuitScreen {
    frame: Frame,
    /// Whether the runs are there afterwards.
    keeps_runs: bool,
}

pub(super) async fn quit(State(site): State<SharedSite>, posted: Posted) -> Response {
    if site.runs.any_driven() {
        return answer(&QuitScreen {
            frame: Frame::new(&site, ""),
            keeps_runs: site.keeps_runs(),
        });
    }
    actions::quit(State(site), posted).await
}
