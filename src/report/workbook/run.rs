//! A run as a workbook.

use std::io::Write;

use jiff::tz::TimeZone;

use crate::journal::{ChangeRow, ImpactRow, ProblemRow, RunReader, View};
use crate::model::{RowOutcome, Target};
use crate::report::chosen_users::notes;
use crate::report::error::read_run;
use crate::report::impact::{row_cells, total};
use crate::report::run_cells::facts_of;
use crate::report::text::state;
use crate::report::user_choice::{ChosenUser, ShownUsers, UserChoice};
use crate::report::{ReportError, phrases};

use super::book::{Book, Cell, Sheet, Title};

const SUMMARY: &[Title] = &[("What", 28), ("Value", 60)];
/// The only sheet with columns that `--users-from` knows, so that it accepts a report unchanged.
const USERS: &[Title] = &[
    ("User", 36),
    ("User ID", 38),
    ("Business unit", 24),
    ("Result", 12),
    ("Filters changed", 16),
    ("Filters to change", 16),
    ("Filters left", 12),
    ("Filters failed", 14),
    ("Items lost", 12),
    ("Notes", 60),
];
const FILTERS: &[Title] = &[
    ("Owner of the filter", 36),
    ("ID of the owner", 38),
    ("Filter", 32),
    ("ID of the filter", 38),
    ("Type", 28),
    ("Before", 12),
    ("Wanted", 12),
    ("Result", 12),
    ("At", 26),
];
const IMPACT: &[Title] = &[
    ("Person", 36),
    ("ID of the person", 38),
    ("Type", 28),
    ("Items lost", 12),
    ("How exact", 32),
    ("Mailbox synchronises", 20),
];
const PROBLEMS: &[Title] = &[
    ("Person", 36),
    ("ID of the person", 38),
    ("Stage", 10),
    ("Kind", 22),
    ("Code", 14),
    ("Message", 80),
    ("ID of the filter", 38),
    ("ID of the request", 38),
];

/// The sheets that a run fills.
struct RunSheets {
    summary: Sheet,
    users: Sheet,
    filters: Sheet,
    impact: Sheet,
    problems: Sheet,
}

/// Writes the chosen users of a run, with their filters, losses and problems. Returns how many there
/// are.
pub fn write_run_workbook(
    out: &mut dyn Write,
    run: &RunReader,
    choice: &UserChoice,
) -> Result<ShownUsers, ReportError> {
    if run.header.target == Target::Templates {
        return Err(ReportError::TemplatesAsWorkbook);
    }
    read_run(run, |view| {
        let found = choice.find(view)?;
        let mut book = Book::new();
        let mut sheets = RunSheets {
            summary: book.sheet("Summary", SUMMARY)?,
            users: book.sheet("Users", USERS)?,
            filters: book.sheet("Filters", FILTERS)?,
            impact: book.sheet("Impact", IMPACT)?,
            problems: book.sheet("Problems", PROBLEMS)?,
        };
        write_summary(&mut book, &mut sheets.summary, view, choice)?;
        let shown = found.each(view, |chosen| sheets.add(&mut book, &chosen))?;
        let RunSheets {
            summary,
            users,
            filters,
            impact,
            problems,
        } = &sheets;
        book.finish(&[summary, users, filters, impact, problems], out)?;
        Ok(shown)
    })
}

fn write_summary(
    book: &mut Book,
    sheet: &mut Sheet,
    view: &View<'_>,
    choice: &UserChoice,
) -> Result<(), ReportError> {
    let header = view.header()?;
    let (users, filters) = (view.users()?, view.filters()?);
    let impact = view.impact(0)?;
    let mut facts = vec![
        ("Run", header.id.to_string()),
        ("Operation", header.operation.to_string()),
        ("Outcome", phrases::outcome(&header).to_string()),
    ];
    facts.extend(facts_of(&header, &TimeZone::system()));
    if !choice.is_everyone() {
        facts.push(("Shown", choice.describe()));
    }
    facts.extend(impact.as_ref().map(|impact| ("Impact", total(impact))));
    let words = facts.into_iter();
    book.facts(sheet, words.map(|(name, value)| (name, Cell::text(value))))?;
    let numbers = [
        ("Users selected", users.selected),
        ("Users changed", users.changed),
        ("Users unchanged", users.unchanged),
        ("Users left alone", users.left),
        ("Users left out", users.left_out),
        ("Users skipped", users.skipped),
        ("Users failed", users.failed),
        ("Users to change", users.planned),
        ("Filters matching", filters.matching),
        ("Filters changed", filters.changed),
        ("Filters as wanted already", filters.already),
        ("Filters left alone or gone", filters.left),
        ("Filters failed", filters.failed),
        ("Filters to change", filters.planned),
        ("Filters left out", filters.left_out),
    ];
    let items = impact.map(|impact| ("Coming items lost", impact.items));
    let numbers = numbers.into_iter().chain(items);
    book.facts(
        sheet,
        numbers.map(|(name, number)| (name, Cell::Number(number))),
    )
}

impl RunSheets {
    fn add(&mut self, book: &mut Book, chosen: &ChosenUser) -> Result<(), ReportError> {
        book.row(&mut self.users, &user_cells(chosen))?;
        for change in &chosen.changes {
            book.row(&mut self.filters, &change_cells(change))?;
        }
        for loss in &chosen.losses {
            book.row(&mut self.impact, &loss_cells(chosen, loss))?;
        }
        for problem in &chosen.problems {
            book.row(&mut self.problems, &problem_cells(problem))?;
        }
        Ok(())
    }
}

fn user_cells(chosen: &ChosenUser) -> [Cell; USERS.len()] {
    let of = |outcomes: &[RowOutcome]| {
        let changes = chosen.changes.iter();
        let found = changes.filter(|change| outcomes.contains(&change.outcome));
        Cell::Number(u64::try_from(found.count()).unwrap_or(u64::MAX))
    };
    let user = &chosen.user;
    let lost = chosen.losses.iter().filter(|loss| loss.synchronises);
    let lost: Vec<_> = lost.filter_map(|loss| loss.items).collect();
    [
        Cell::text(&user.user),
        Cell::text(user.id.to_string()),
        Cell::maybe(user.unit.as_ref()),
        Cell::text(user.outcome.as_str()),
        of(&[RowOutcome::Changed]),
        of(&[RowOutcome::Planned, RowOutcome::Sent]),
        of(&[RowOutcome::ChangedSince, RowOutcome::Gone]),
        of(&[RowOutcome::Failed]),
        Cell::number((!lost.is_empty()).then(|| lost.iter().sum())),
        Cell::text(notes(chosen)),
    ]
}

fn change_cells(change: &ChangeRow) -> [Cell; FILTERS.len()] {
    [
        Cell::text(&change.user),
        Cell::text(change.user_id.to_string()),
        Cell::text(&change.name),
        Cell::text(change.filter.to_string()),
        Cell::text(change.filter_type.as_str()),
        Cell::text(state(change.before)),
        Cell::text(state(change.wanted)),
        Cell::text(change.outcome.as_str()),
        Cell::maybe(change.at),
    ]
}

fn loss_cells(chosen: &ChosenUser, loss: &ImpactRow) -> [Cell; IMPACT.len()] {
    let [_, exactness] = row_cells(loss);
    [
        Cell::text(&chosen.user.user),
        Cell::text(chosen.user.id.to_string()),
        Cell::text(loss.filter_type.as_str()),
        // A mailbox that synchronises nothing loses nothing, as everywhere else.
        Cell::number(
            loss.items
                .map(|items| if loss.synchronises { items } else { 0 }),
        ),
        Cell::text(exactness),
        Cell::text(if loss.synchronises { "yes" } else { "no" }),
    ]
}

fn problem_cells(problem: &ProblemRow) -> [Cell; PROBLEMS.len()] {
    [
        Cell::text(&problem.user),
        Cell::text(problem.id.to_string()),
        Cell::text(problem.stage.as_str()),
        Cell::text(problem.kind.as_str()),
        Cell::maybe(problem.code.as_ref()),
        Cell::text(&problem.message),
        Cell::maybe(problem.filter),
        Cell::maybe(problem.request_id.as_ref()),
    ]
}
