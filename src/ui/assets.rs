//! Files of the page that are the same for everybody.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::report::PAGE_STYLE;

use super::screens::answer;

/// <https://htmx.org>, see `assets/LICENSE-htmx`.
const HTMX: &str = include_str!("assets/htmx.min.js");
/// Its extension for events that the server sends, see `assets/LICENSE-sse`.
const SSE: &str = include_str!("assets/sse.min.js");
/// What htmx leaves to the page that uses it.
const PAGE: &str = include_str!("assets/page.js");
const STYLE: &str = include_str!("assets/page.css");
const ICON: &str = include_str!("assets/icon.svg");

fn file(kind: &'static str, text: String) -> Response {
    ([(CONTENT_TYPE, kind)], text).into_response()
}

pub(super) async fn htmx() -> Response {
    file("text/javascript; charset=utf-8", HTMX.to_owned())
}

pub(super) async fn sse() -> Response {
    file("text/javascript; charset=utf-8", SSE.to_owned())
}

pub(super) async fn page() -> Response {
    file("text/javascript; charset=utf-8", PAGE.to_owned())
}

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", format!("{PAGE_STYLE}{STYLE}"))
}

pub(super) async fn icon() -> Response {
    file("image/svg+xml", ICON.to_owned())
}

#[derive(Debug, Template)]
#[template(path = "ended.html", config = "src/ui/askama.toml")]
struct EndedScreen;

/// What stays in the browser when the page ends.
pub(super) fn ended() -> Response {
    answer(&EndedScreen)
}
