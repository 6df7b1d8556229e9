//! What is where.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::server::{self, Listeners};
use super::site::{SharedSite, Site};
use super::{
    actions, assets, choose, download, events, places, quit, run, run_list, screens, users,
};

fn routes() -> Router<SharedSite> {
    Router::new()
        .route("/", get(places::list))
        .route("/environments/check", get(places::check))
        .route("/choose", get(choose::show))
        .route("/choose/count", post(choose::number))
        .route("/runs", get(run_list::list).post(choose::begin))
        .route("/runs/{id}", get(run::show))
        .route("/runs/{id}/users", get(users::list).post(users::edit))
        .route("/runs/{id}/events", get(events::follow))
        .route("/runs/{id}/report", get(download::report))
        .route("/runs/{id}/agree", post(actions::agree))
        .route("/runs/{id}/pause", post(actions::pause))
        .route("/runs/{id}/continue", post(actions::go_on))
        .route("/runs/{id}/stop", post(actions::stop))
        .route("/runs/{id}/keep", post(actions::keep))
        .route("/runs/{id}/resume", post(actions::resume))
        .route("/runs/{id}/replan", post(actions::resume))
        .route("/runs/{id}/undo", post(actions::undo))
        .route("/quit", post(quit::quit))
        .route("/quit/now", post(actions::quit))
        .route("/htmx.js", get(assets::htmx))
        .route("/sse.js", get(assets::sse))
        .route("/page.js", get(assets::page))
        .route("/style.css", get(assets::style))
        .route("/icon.svg", get(assets::icon))
        .method_not_allowed_fallback(screens::not_in_this_way)
        .fallback(screens::nothing_here)
}

/// Serves the page until it is to end: its token is cancelled, somebody ends it there, or nobody has asked for
/// anything for half an hour. Returns when no run is driven any more.
pub async fn serve(listeners: Listeners, site: Arc<Site>) {
    let serving = server::serve(listeners, Arc::clone(&site), routes(), site.stop.clone());
    tokio::select! {
        () = serving => {}
        () = site.idle() => {}
    }
    site.stop.cancel();
    site.runs.all_over().await;
}
