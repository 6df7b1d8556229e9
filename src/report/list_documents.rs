//! Users and their filters in the form of `list` and `check`, for programs.

use std::io::Write;

use serde::Serialize;

use crate::journal::{ListedFilter, ListedUser};
use crate::model::{FilterId, State, Status, UserId};

use super::ReportError;
use super::cell::{cell, maybe};
use super::document::ProblemDocument;
use super::drift::{self, Modified, Names};

/// The columns of a list as CSV.
const HEADER: [&str; 10] = [
    "user",
    "user_id",
    "filter_id",
    "name",
    "type",
    "kind",
    "state",
    "status",
    "problem",
    "message",
];

/// One user in JSON.
#[derive(Serialize)]
pub(super) struct Listed<'a> {
    user: &'a str,
    id: UserId,
    filters: Vec<Entry<'a>>,
    problem: Option<ProblemDocument<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: FilterId,
    name: &'a str,
    #[serde(rename = "type")]
    filter_type: &'a str,
    kind: &'static str,
    state: State,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<Modified>,
}

impl<'a> Listed<'a> {
    /// With names, also includes who changed each filter.
    pub(super) fn of(user: &'a ListedUser, names: Option<&Names>) -> Self {
        let filters = user.filters.iter().map(|filter| Entry {
            id: filter.id,
            name: &filter.name,
            filter_type: filter.filter_type.as_str(),
            kind: filter.kind.as_str(),
            state: filter.now.state,
            status: filter.now.status,
            modified: names.map(|names| Modified::of(&filter.modified, names)),
        });
        Self {
            user: &user.user,
            id: user.id,
            filters: filters.collect(),
            problem: user.problem.as_ref().map(ProblemDocument::of),
        }
    }
}

pub(super) fn csv_lines(out: &mut dyn Write, lines: &[Vec<String>]) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    for line in lines {
        csv.write_record(line)?;
    }
    Ok(csv.flush()?)
}

/// The titles; `modified` adds those about who changed a filter.
pub(super) fn csv_header(modified: bool) -> Vec<String> {
    let more: &[&str] = if modified { &drift::MORE_HEADER } else { &[] };
    let titles = HEADER.iter().chain(more);
    titles.map(|title| (*title).to_owned()).collect()
}

/// A line for each filter with the user's problem, or one without a filter. With names, also who changed it.
pub(super) fn csv_user(user: &ListedUser, names: Option<&Names>) -> Vec<Vec<String>> {
    let line = |filter| {
        let mut line = csv_line(user, filter);
        line.extend(
            names
                .into_iter()
                .flat_map(|names| drift::more_cells(filter, names)),
        );
        line
    };
    if user.filters.is_empty() {
        return vec![line(None)];
    }
    user.filters
        .iter()
        .map(|filter| line(Some(filter)))
        .collect()
}

fn csv_line(user: &ListedUser, filter: Option<&ListedFilter>) -> Vec<String> {
    let problem = user.problem.as_ref();
    vec![
        cell(&user.user),
        user.id.to_string(),
        maybe(filter.map(|f| f.id)),
        filter.map_or_else(String::new, |f| cell(&f.name)),
        filter.map_or_else(String::new, |f| cell(f.filter_type.as_str())),
        maybe(filter.map(|f| f.kind.as_str())),
        maybe(filter.map(|f| f.now.state.as_str())),
        maybe(filter.map(|f| f.now.status)),
        maybe(problem.map(|p| p.kind)),
        problem.map_or_else(String::new, |p| cell(&p.message)),
    ]
}
