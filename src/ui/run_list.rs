//! Earlier runs.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use jiff::ZonedDateTime;

use crate::journal::Summary;
use crate::report::{ErrorReport, NamedRun, run_row, told_apart};

use super::blocking::defect;
use super::form::Fields;
use super::screens::{Frame, answer};
use super::site::{SharedSite, Site};

/// The titles of the columns behind the first one.
const COLUMNS: [&str; 5] = ["When", "Environment", "What", "Users", "Result"];

/// Runs on a page.
const PAGE: usize = 50;

#[derive(Debug)]
struct Row {
    id: String,
    name: String,
    /// What is in the other columns, with their titles.
    cells: Vec<(&'static str, String)>,
}

#[derive(Debug, Default)]
struct Listed {
    runs: Vec<Row>,
    unreadable: Vec<String>,
    older: Option<usize>,
    problem: Option<ErrorReport>,
}

impl Listed {
    fn failed(problem: ErrorReport) -> Self {
        Self {
            problem: Some(problem),
            ..Self::default()
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "runs.html", config = "src/ui/askama.toml")]
struct RunsScreen {
    frame: Frame,
    runs: Vec<Row>,
    unreadable: Vec<String>,
    older: Option<usize>,
    /// Whether newer runs are left out.
    is_later_page: bool,
    problem: Option<ErrorReport>,
}

pub(super) async fn list(State(site): State<SharedSite>, RawQuery(query): RawQuery) -> Response {
    let from = Fields::of_query(query.as_deref())
        .text("from")
        .parse()
        .unwrap_or(0);
    let listed = {
        let site = Arc::clone(&site);
        tokio::task::spawn_blocking(move || listed(&site, from))
    };
    let Listed {
        runs,
        unreadable,
        older,
        problem,
    } = listed.await.unwrap_or_else(|_| Listed::failed(defect()));
    answer(&RunsScreen {
        frame: Frame::new(&site, "runs"),
        runs,
        unreadable,
        older,
        is_later_page: from > 0,
        problem,
    })
}

fn listed(site: &Site, from: usize) -> Listed {
    let (all, unreadable) = match site.store.list() {
        Ok(found) => found,
        Err(error) => return Listed::failed(ErrorReport::from(&error)),
    };
    let now = ZonedDateTime::now();
    let more = all.len() > from.saturating_add(PAGE);
    let environments = told_apart(all.iter().map(|run| {
        let header = &run.header;
        (header.organization.name.as_str(), header)
    }));
    let row = |(environment, summary): (String, Summary)| {
        let id = summary.header.id.as_str().to_owned();
        let named = NamedRun {
            environment,
            summary,
        };
        let mut cells = run_row(&named, &now).into_iter();
        let name = cells.next().unwrap_or_default();
        let mut cells: Vec<_> = COLUMNS.into_iter().zip(cells).collect();
        let live = site.runs.get(&named.summary.header.id);
        let standing = live.and_then(|live| live.state.borrow().words());
        // The file of a run that is driven says how it was left before.
        if let Some((words, (_, result))) = standing.zip(cells.last_mut()) {
            words.clone_into(result);
        }
        Row { id, name, cells }
    };
    Listed {
        runs: environments
            .into_iter()
            .zip(all)
            .skip(from)
            .take(PAGE)
            .map(row)
            .collect(),
        unreadable: unreadable.iter().map(ToString::to_string).collect(),
        older: more.then_some(from.saturating_add(PAGE)),
        problem: None,
    }
}
