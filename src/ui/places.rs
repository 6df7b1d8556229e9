//! The environments, and the check of one.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded::byte_serialize;

use crate::connect::{Check, CheckResult};
use crate::model::count;
use crate::report::ErrorReport;

use super::environments::{ListedEnvironment, ListedEnvironments};
use super::form::Fields;
use super::screens::{ErrorScreen, Frame, answer, look_at};
use super::signing_in::not_there;
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
    wrong: Vec<(String, ErrorReport)>,
    problem: Option<ErrorReport>,
}

pub(super) async fn list(State(site): State<SharedSite>) -> Response {
    let (all, problem) = match site.environments.list() {
        Ok(all) => (all, None),
        Err(problem) => (ListedEnvironments::default(), Some(problem)),
    };
    let card = |one: ListedEnvironment| Card {
        caller: site.connections.caller(&one.key()),
        name: one.name,
        address: one.address,
        sign_in: one.sign_in,
        production: one.production,
    };
    answer(&EnvironmentsScreen {
        frame: Frame::new(&site, "environments"),
        environments: all.usable.into_iter().map(card).collect(),
        wrong: all.wrong,
        problem,
    })
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
    /// What was found, in one line.
    sum: String,
    checks: Vec<CheckRow>,
    sign_in_lines: Vec<String>,
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

/// What checks found, in one line.
fn sum(checks: &[Check]) -> String {
    let of = |result| {
        let all = checks.iter().filter(|check| check.result == result);
        u64::try_from(all.count()).unwrap_or(u64::MAX)
    };
    let mut parts = vec![count(
        u64::try_from(checks.len()).unwrap_or(u64::MAX),
        "check",
    )];
    for (number, what) in [
        (of(CheckResult::Warning), "warning"),
        (of(CheckResult::Failed), "failure"),
    ] {
        if number > 0 {
            parts.push(count(number, what));
        }
    }
    format!("{}.", parts.join(", "))
}

pub(super) async fn check(State(site): State<SharedSite>, RawQuery(query): RawQuery) -> Response {
    let query = Fields::of_query(query.as_deref());
    let name = query.text("environment").to_owned();
    let all = site.environments.list().unwrap_or_default();
    let Some(place) = all.named(&name) else {
        return ErrorScreen::new(&site, not_there()).into_response();
    };
    let command = format!("syncfilters doctor {}", place.flag());
    let again = query.has("again");
    let begun = site.checks.of(&place.key(), again, |seen| {
        let (site, name) = (Arc::clone(&site), name.clone());
        async move { site.examine(&name, seen).await }
    });
    if again {
        // Whoever loads the page again while it is made asks for no other one.
        let name: String = byte_serialize(name.as_bytes()).collect();
        return look_at(&format!("/environments/check?environment={name}"));
    }
    let ended = begun.ended.borrow().clone();
    let checks = begun.seen.borrow().clone();
    answer(&CheckScreen {
        frame: Frame::new(&site, "environments"),
        sum: match &ended {
            None => "Checking…".to_owned(),
            Some(_) => sum(&checks),
        },
        checks: checks.into_iter().map(row).collect(),
        sign_in_lines: if ended.is_none() {
            site.sign_in_lines.lines()
        } else {
            Vec::new()
        },
        over: ended.is_some(),
        problem: ended.and_then(Result::err),
        command,
        name,
    })
}
