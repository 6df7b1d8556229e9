//! What every screen has in common: its frame, its errors, and how it is answered.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::StatusCode;

use crate::report::{ErrorClass, ErrorReport};

use super::live::usage;
use super::site::{SharedSite, Site};

/// What is around every screen.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Which part of the page it is.
    pub(super) at: &'static str,
    /// What every form carries.
    pub(super) token: String,
}

impl Frame {
    pub(super) fn new(site: &Site, at: &'static str) -> Self {
        Self {
            at,
            token: site.sessions.form_token().to_owned(),
        }
    }
}

/// What went wrong, as a screen of its own.
#[derive(Debug)]
pub(super) struct ErrorScreen(pub(super) Box<ErrorPage>);

/// See [`ErrorScreen`].
#[derive(Debug, Template)]
#[template(path = "error.html", config = "src/ui/askama.toml")]
pub(super) struct ErrorPage {
    frame: Frame,
    problem: ErrorReport,
}

impl ErrorScreen {
    pub(super) fn new(site: &Site, problem: impl Into<ErrorReport>) -> Self {
        Self(Box::new(ErrorPage {
            frame: Frame::new(site, ""),
            problem: problem.into(),
        }))
    }
}

impl IntoResponse for ErrorScreen {
    fn into_response(self) -> Response {
        let status = match self.0.problem.class {
            ErrorClass::Usage => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, answer(self.0.as_ref())).into_response()
    }
}

/// The answer to an address at which there is nothing.
pub(super) async fn nothing_here(State(site): State<SharedSite>) -> Response {
    let said = ErrorScreen::new(&site, usage("there is nothing at this address"));
    (StatusCode::NOT_FOUND, said).into_response()
}

/// The answer where an address is asked for as a form, or a form as an address.
pub(super) async fn not_in_this_way(State(site): State<SharedSite>) -> Response {
    let said = ErrorScreen::new(&site, usage("this cannot be asked for in this way"));
    (StatusCode::METHOD_NOT_ALLOWED, said).into_response()
}

/// A screen as an answer.
pub(super) fn answer(screen: &impl Template) -> Response {
    match screen.render() {
        Ok(page) => Html(page).into_response(),
        // A template only fails where what it writes to fails, and it writes to memory.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The answer to a form: look at this page. It is asked for anew, so that a reload sends nothing twice.
pub(super) fn look_at(address: &str) -> Response {
    Redirect::to(address).into_response()
}
