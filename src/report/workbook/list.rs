//! Users and their filters in the form of `list` and `check`, as a workbook.

use std::io::Write;

use jiff::Timestamp;

use crate::journal::{ListedFilter, ListedUser, ProblemRow};
use crate::model::{State, UserId};
use crate::report::ReportError;
use crate::report::drift::Names;

use super::book::{Book, Cell, Sheet, Title};

const SUMMARY: &[Title] = &[("What", 28), ("Value", 40)];
/// The only sheet with columns that `--users-from` knows.
const USERS: &[Title] = &[
    ("User", 36),
    ("User ID", 38),
    ("Filters", 10),
    ("Active", 10),
    ("Inactive", 10),
    ("Problem", 22),
];
const FILTERS: &[Title] = &[
    ("Owner of the filter", 36),
    ("ID of the owner", 38),
    ("Filter", 32),
    ("ID of the filter", 38),
    ("Type", 28),
    ("Kind", 10),
    ("State", 10),
    ("Status", 10),
    ("Changed at", 26),
    ("Changed by", 36),
    ("On behalf of", 36),
];
const PROBLEMS: &[Title] = &[
    ("Person", 36),
    ("ID of the person", 38),
    ("Kind", 22),
    ("Message", 80),
];

/// A list that is being written.
pub(in crate::report) struct ListBook {
    book: Book,
    summary: Sheet,
    users: Sheet,
    filters: Sheet,
    problems: Sheet,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    users: u64,
    filters: u64,
    active: u64,
    problems: u64,
}

impl ListBook {
    pub(in crate::report) fn new() -> Result<Self, ReportError> {
        let mut book = Book::new();
        Ok(Self {
            summary: book.sheet("Summary", SUMMARY)?,
            users: book.sheet("Users", USERS)?,
            filters: book.sheet("Filters", FILTERS)?,
            problems: book.sheet("Problems", PROBLEMS)?,
            counts: Counts::default(),
            book,
        })
    }

    /// Adds a user; with names, also who changed the filters.
    pub(in crate::report) fn user(
        &mut self,
        user: &ListedUser,
        names: Option<&Names>,
    ) -> Result<(), ReportError> {
        let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let all = number(user.filters.len());
        let active = user.filters.iter();
        let active = active.filter(|filter| filter.now.state == State::Active);
        let active = number(active.count());
        let row = [
            Cell::text(&user.user),
            Cell::text(user.id.to_string()),
            Cell::Number(all),
            Cell::Number(active),
            Cell::Number(all - active),
            Cell::maybe(user.problem.as_ref().map(|problem| problem.kind)),
        ];
        self.book.row(&mut self.users, &row)?;
        for filter in &user.filters {
            let row = filter_cells(user, filter, names);
            self.book.row(&mut self.filters, &row)?;
        }
        if let Some(problem) = &user.problem {
            self.book.row(&mut self.problems, &problem_cells(problem))?;
            self.counts.problems += 1;
        }
        self.counts.users += 1;
        self.counts.filters += all;
        self.counts.active += active;
        Ok(())
    }

    /// Writes the workbook; `compared` is how many filters were compared with a wanted state.
    pub(in crate::report) fn finish(
        mut self,
        compared: Option<u64>,
        out: &mut dyn Write,
    ) -> Result<(), ReportError> {
        let Counts {
            users,
            filters,
            active,
            problems,
        } = self.counts;
        let facts = [
            ("Written", Cell::text(Timestamp::now().to_string())),
            ("Users listed", Cell::Number(users)),
            ("Filters listed", Cell::Number(filters)),
            ("Active", Cell::Number(active)),
            ("Inactive", Cell::Number(filters - active)),
            ("Problems", Cell::Number(problems)),
        ];
        let compared = compared.map(|compared| ("Filters compared", Cell::Number(compared)));
        let facts = facts.into_iter().chain(compared);
        self.book.facts(&mut self.summary, facts)?;
        let sheets = [&self.summary, &self.users, &self.filters, &self.problems];
        self.book.finish(&sheets, out)
    }
}

fn filter_cells(
    user: &ListedUser,
    filter: &ListedFilter,
    names: Option<&Names>,
) -> [Cell; FILTERS.len()] {
    let name = |id: Option<UserId>| match (names, id) {
        (Some(names), Some(id)) => Cell::text(names.of(id)),
        _ => Cell::Empty,
    };
    [
        Cell::text(&user.user),
        Cell::text(user.id.to_string()),
        Cell::text(&filter.name),
        Cell::text(filter.id.to_string()),
        Cell::text(filter.filter_type.as_str()),
        Cell::text(filter.kind.as_str()),
        Cell::text(filter.now.state.as_str()),
        Cell::text(filter.now.status.to_string()),
        Cell::maybe(names.and(filter.modified.on)),
        name(filter.modified.by),
        name(filter.modified.on_behalf),
    ]
}

fn problem_cells(problem: &ProblemRow) -> [Cell; PROBLEMS.len()] {
    [
        Cell::text(&problem.user),
        Cell::text(problem.id.to_string()),
        Cell::text(problem.kind.as_str()),
        Cell::text(&problem.message),
    ]
}
