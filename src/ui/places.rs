//! The environments, and the check of one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use tokio::sync::watch;

use crate::connect::{Check, CheckResult};
use crate::report::ErrorReport;

use super::environments::ListedEnvironment;
use super::form::Fields;
use super::screens::{Frame, answer};
use super::site::SharedSite;

#[derive(Debug)]
struct Card {
    name: String,
    address: String,
    sign_in: String,
    production: bool,
    caller: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "environments.html", config = "src/ui/askama.toml")]
struct EnvironmentsScreen {
    frame: Frame,
    environments: Vec<Card>,
    problem: Option<ErrorReport>,
}

pub(super) async fn list(State(site): State<SharedSite>) -> Response {
    let (environments, problem) = match site.environments.list() {
        Ok(all) => (all, None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let card = |one: ListedEnvironment| Card {
        caller: site.connections.caller(&one.name),
        name: one.name,
        address: one.address,
        sign_in: one.sign_in,
        production: one.production,
    };
    answer(&EnvironmentsScreen {
        frame: Frame::new(&site, "environments"),
        environments: environments.into_iter().map(card).collect(),
        problem,
    })
}

/// A check that was begun.
#[derive(Clone, Debug)]
pub(super) struct BegunCheck {
    seen: watch::Receiver<Vec<Check>>,
    /// How it ended, once it has.
    ended: watch::Receiver<Option<Result<(), ErrorReport>>>,
}

/// The checks, by the name of the environment.
#[derive(Debug, Default)]
pub(super) struct Checks(Mutex<HashMap<String, BegunCheck>>);

impl Checks {
    /// The check of an environment; one is begun where there is none, or where another is asked for.
    fn of(&self, site: &SharedSite, name: &str, again: bool) -> BegunCheck {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = |check: &BegunCheck| check.ended.borrow().is_none();
        if let Some(begun) = all.get(name).filter(|check| !again || under_way(check)) {
            return begun.clone();
        }
        let (seen, seen_by) = watch::channel(Vec::new());
        let (ended, ended_by) = watch::channel(None);
        let begun = BegunCheck {
            seen: seen_by,
            ended: ended_by,
        };
        let (site, of) = (Arc::clone(site), name.to_owned());
        tokio::spawn(async move {
            let result = site.examine(&of, seen).await;
            ended.send_replace(Some(result));
        });
        all.insert(name.to_owned(), begun.clone());
        begun
    }
}

#[derive(Debug)]
struct CheckRow {
    name: String,
    class: &'static str,
    result: &'static str,
    found: String,
    hint: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "check.html", config = "src/ui/askama.toml")]
struct CheckScreen {
    frame: Frame,
    name: String,
    checks: Vec<CheckRow>,
    said: Vec<String>,
    over: bool,
    problem: Option<ErrorReport>,
    command: String,
}

fn row(check: Check) -> CheckRow {
    let (class, result) = match check.result {
        CheckResult::Ok => ("good", "ok"),
        CheckResult::Warning => ("warned", "warning"),
        CheckResult::Failed => ("failed", "failed"),
        CheckResult::Skipped => ("", "skipped"),
    };
    CheckRow {
        name: check.name.to_owned(),
        class,
        result,
        found: check.found,
        hint: check.hint,
    }
}

pub(super) async fn check(State(site): State<SharedSite>, RawQuery(query): RawQuery) -> Response {
    let query = Fields::of_query(query.as_deref());
    let name = query.text("environment").to_owned();
    let all = site.environments.list().unwrap_or_default();
    let Some(place) = all.into_iter().find(|one| one.name == name) else {
        let unknown = super::live::usage("there is no environment of this name");
        return axum::response::IntoResponse::into_response(super::screens::Failure::new(
            &site, unknown,
        ));
    };
    let command = format!("syncfilters doctor {}", place.flag());
    let begun = site.checks.of(&site, &name, query.has("again"));
    let ended = begun.ended.borrow().clone();
    let checks = begun.seen.borrow().clone();
    answer(&CheckScreen {
        frame: Frame::new(&site, "environments"),
        checks: checks.into_iter().map(row).collect(),
        said: if ended.is_none() {
            site.said.lines()
        } else {
            Vec::new()
        },
        over: ended.is_some(),
        problem: ended.and_then(Result::err),
        command,
        name,
    })
}
