//! Earlier runs, in the form of `runs`.

use console::truncate_str;
use jiff::{Timestamp, ZonedDateTime};
use serde::Serialize;

use crate::journal::{
    FilterTotals, OpenError, RunHeader, Summary, TemplateTotals, UndoExtent, UserTotals,
};
use crate::model::{Operation, Outcome, RunId, Target};
use crate::plan::Selection;

use super::cell::cell;
use super::document::Environment;
use super::environment_names::told_apart;
use super::grid::{Column, Grid};
use super::json::{FORMAT, write_json};
use super::paint::Tone;
use super::text::{clean, count, minute, number};
use super::writer::{StyledWrite, paint_line};
use super::{Format, ReportError, Style, markdown, phrases};

const COLUMNS: [Column; 6] = [
    Column::text("Run", 6, 6),
    Column::text("When", 16, 16),
    Column::text("Environment", 11, 24),
    Column::text("What", 10, 20),
    Column::text("Users", 9, 40),
    Column::text("Result", 9, 24),
];

/// The most characters of a selection in the table: it leaves room for the other columns in 80.
const SELECTION: usize = 32;

/// A run with the name of its environment.
#[derive(Clone, Debug)]
pub struct NamedRun {
    /// The name in the configuration file, else that of the organisation.
    pub environment: String,
    /// The data of the run.
    pub summary: Summary,
}

/// Writes earlier runs in the given order, and the files that could not be read: below a table, in a field
/// `unreadable` of a JSON document, and as lines with outcome `unreadable` in CSV.
pub fn write_runs(
    out: &mut dyn StyledWrite,
    runs: &[NamedRun],
    unreadable: &[OpenError],
    format: Format,
    style: Style,
) -> Result<(), ReportError> {
    match format {
        Format::Table => write_table(out, runs, unreadable, style, &ZonedDateTime::now()),
        Format::Json => write_list(out, runs, unreadable),
        Format::Csv => write_csv(out, runs, unreadable),
        Format::Markdown => write_markdown(out, runs, unreadable, &ZonedDateTime::now()),
        Format::Html => Err(ReportError::OnlyOneRun),
        Format::Xlsx => Err(ReportError::NoWorkbook),
    }
}

fn write_table(
    out: &mut dyn StyledWrite,
    runs: &[NamedRun],
    unreadable: &[OpenError],
    style: Style,
    now: &ZonedDateTime,
) -> Result<(), ReportError> {
    if runs.is_empty() {
        writeln!(out, "There are no runs yet.")?;
    } else {
        let rows = rows(runs, now);
        Grid::whole(out, &COLUMNS, &rows, style)?;
    }
    for error in unreadable {
        let text = format!("Cannot be read: {}", clean(&error.to_string()));
        paint_line(out, Tone::Warning, &text)?;
    }
    Ok(())
}

fn write_markdown(
    out: &mut dyn StyledWrite,
    runs: &[NamedRun],
    unreadable: &[OpenError],
    now: &ZonedDateTime,
) -> Result<(), ReportError> {
    markdown::header_row(out, &COLUMNS)?;
    for (cells, _) in rows(runs, now) {
        markdown::row(out, &cells)?;
    }
    if !unreadable.is_empty() {
        writeln!(out, "\nCannot be read:\n")?;
    }
    for error in unreadable {
        let text = clean(&error.to_string()).into_owned();
        writeln!(out, "- {}", markdown::escaped(&text))?;
    }
    Ok(())
}

pub(super) fn cells(run: &NamedRun, now: &ZonedDateTime) -> Vec<String> {
    let name = clean(&run.environment).into_owned();
    cells_with(&run.summary, name, now)
}

fn cells_with(summary: &Summary, environment: String, now: &ZonedDateTime) -> Vec<String> {
    let header = &summary.header;
    vec![
        header.id.short().to_owned(),
        when(header.started, now),
        environment,
        operation(header),
        whom(summary),
        result(summary),
    ]
}

/// The rows of a table. Environments with the same name are distinguished.
fn rows(runs: &[NamedRun], now: &ZonedDateTime) -> Vec<(Vec<String>, Tone)> {
    let environments = runs
        .iter()
        .map(|run| (run.environment.as_str(), &run.summary.header));
    let named = runs.iter().zip(told_apart(environments));
    named
        .map(|(NamedRun { summary, .. }, name)| {
            let tone = match phrases::outcome(&summary.header) {
                Outcome::Partial => Tone::Bad,
                Outcome::Stopped => Tone::Warning,
                Outcome::Complete | Outcome::Planned | Outcome::Nothing => Tone::Plain,
            };
            (cells_with(summary, name, now), tone)
        })
        .collect()
}

/// The time, with "today" or "yesterday" where they apply.
fn when(at: Timestamp, now: &ZonedDateTime) -> String {
    let zone = now.time_zone();
    let day = at.to_zoned_datetime(zone.clone()).date();
    let time = at
        .to_zoned_datetime(zone.clone())
        .strftime("%H:%M")
        .to_string();
    match now.date() {
        today if today == day => format!("today {time}"),
        today if today.yesterday().is_ok_and(|before| before == day) => format!("yesterday {time}"),
        _ => minute(at, zone),
    }
}

/// How many users were or will be changed; and which, where not all were selected.
fn whom(summary: &Summary) -> String {
    let Summary {
        header,
        users,
        templates,
        ..
    } = summary;
    if header.target == Target::Templates {
        let done = number(templates.changed);
        let of = templates.changed + templates.planned + templates.failed + templates.left;
        return format!("{done} of {}", count(of, "template"));
    }
    let touched = users.changed + users.failed + users.planned;
    let many = match phrases::outcome(header) {
        Outcome::Planned => format!("{} to change", number(users.planned)),
        _ => format!("{} of {}", number(users.changed), number(touched)),
    };
    match selection(header) {
        Some(which) => {
            let which = clean(&which).into_owned();
            format!("{many} ({})", truncate_str(&which, SELECTION, "…"))
        }
        None => many,
    }
}

/// The selection in words; none where it is all users.
fn selection(header: &RunHeader) -> Option<String> {
    match &header.undoes {
        Some(run) => Some(format!("run {}", run.short())),
        None if header.selection == Selection::default() => None,
        None => Some(header.selection.describe()),
    }
}

/// The outcome, what is left, or the run that undid it.
fn result(summary: &Summary) -> String {
    match (&summary.undone_by, summary.undo_extent) {
        (Some(by), UndoExtent::Whole) => return format!("undone by {}", by.short()),
        (Some(by), UndoExtent::Part) => return format!("undone in part by {}", by.short()),
        (Some(_), UndoExtent::TakenBack) | (None, _) => {}
    }
    let users = &summary.users;
    match phrases::outcome(&summary.header) {
        Outcome::Planned => "not applied".to_owned(),
        Outcome::Nothing => "nothing to change".to_owned(),
        Outcome::Complete => "complete".to_owned(),
        Outcome::Stopped if summary.is_in_use => {
            format!("in use, {} left", number(users.planned))
        }
        Outcome::Stopped => format!("stopped, {} left", number(users.planned)),
        Outcome::Partial if users.failed > 0 => format!("{} failed", number(users.failed)),
        Outcome::Partial => "some left alone".to_owned(),
    }
}

/// The operation, and the target where it is not filters.
fn operation(header: &RunHeader) -> String {
    match header.target {
        Target::Filters => header.operation.as_str().to_owned(),
        Target::Templates => format!("{} templates", header.operation),
    }
}

#[derive(Serialize)]
struct List<'a> {
    format: u32,
    runs: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    run: &'a RunId,
    operation: Operation,
    outcome: Outcome,
    started: Timestamp,
    environment: Environment<'a>,
    environment_name: &'a str,
    selection: String,
    users: UserTotals,
    filters: FilterTotals,
    target: Target,
    #[serde(skip_serializing_if = "Option::is_none")]
    templates: Option<TemplateTotals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_by: Option<&'a RunId>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    undone_in_part: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    in_use: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'a RunId>,
}

fn write_list(
    out: &mut dyn StyledWrite,
    runs: &[NamedRun],
    unreadable: &[OpenError],
) -> Result<(), ReportError> {
    let entries = runs.iter().map(
        |NamedRun {
             environment,
             summary,
         }| Entry {
            run: &summary.header.id,
            operation: summary.header.operation,
            outcome: phrases::outcome(&summary.header),
            started: summary.header.started,
            environment: Environment::of(&summary.header),
            environment_name: environment,
            selection: described(&summary.header),
            users: summary.users,
            filters: summary.filters,
            target: summary.header.target,
            templates: (summary.header.target == Target::Templates).then_some(summary.templates),
            undone_by: summary.undone_by.as_ref(),
            undone_in_part: summary.undo_extent == UndoExtent::Part,
            in_use: summary.is_in_use,
            undoes: summary.header.undoes.as_ref(),
        },
    );
    let list = List {
        format: FORMAT,
        runs: entries.collect(),
        unreadable: unreadable.iter().map(ToString::to_string).collect(),
    };
    Ok(write_json(out, &list)?)
}

fn described(header: &RunHeader) -> String {
    selection(header).unwrap_or_else(|| header.selection.describe())
}

const CSV: [&str; 18] = [
    "run",
    "started",
    "operation",
    "outcome",
    "environment",
    "organization",
    "users_selected",
    "users_changed",
    "users_failed",
    "filters_matching",
    "filters_changed",
    "filters_failed",
    "problem",
    "environment_name",
    "selection",
    "users_planned",
    "undone_by",
    "undone_in_part",
];

/// The index of the one that contains the error.
const PROBLEM: usize = 12;

fn write_csv(
    out: &mut dyn StyledWrite,
    runs: &[NamedRun],
    unreadable: &[OpenError],
) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(CSV)?;
    for NamedRun {
        environment,
        summary,
    } in runs
    {
        let header = &summary.header;
        let undone_by = summary.undone_by.as_ref();
        csv.write_record([
            header.id.to_string(),
            header.started.to_string(),
            header.operation.to_string(),
            phrases::outcome(header).to_string(),
            cell(&header.environment.to_string()),
            cell(&header.organization.name),
            summary.users.selected.to_string(),
            summary.users.changed.to_string(),
            summary.users.failed.to_string(),
            summary.filters.matching.to_string(),
            summary.filters.changed.to_string(),
            summary.filters.failed.to_string(),
            String::new(),
            cell(environment),
            cell(&described(header)),
            summary.users.planned.to_string(),
            undone_by.map(ToString::to_string).unwrap_or_default(),
            (summary.undo_extent == UndoExtent::Part).to_string(),
        ])?;
    }
    for error in unreadable {
        let mut line: [String; CSV.len()] = Default::default();
        "unreadable".clone_into(&mut line[3]);
        line[PROBLEM] = cell(&error.to_string());
        csv.write_record(&line)?;
    }
    csv.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::RunHeader;
    use crate::report::test_runs::{PLAIN, header};
    use std::path::PathBuf;

    fn runs() -> Vec<NamedRun> {
        let summary = |header, users, filters| NamedRun {
            environment: "contoso".into(),
            summary: Summary {
                header,
                users,
                filters,
                templates: TemplateTotals::default(),
                undone_by: None,
                undo_extent: UndoExtent::Whole,
                has_written: true,
                is_in_use: false,
            },
        };
        let undo = RunHeader {
            outcome: Some(Outcome::Partial),
            ..header(Operation::Undo)
        };
        let users = UserTotals {
            selected: 5_000,
            changed: 4_998,
            failed: 2,
            ..UserTotals::default()
        };
        let filters = FilterTotals {
            matching: 15_000,
            changed: 14_990,
            failed: 4,
            ..FilterTotals::default()
        };
        let deactivate = header(Operation::Deactivate);
        vec![
            summary(undo, users, filters),
            summary(deactivate, UserTotals::default(), FilterTotals::default()),
        ]
    }

    fn unreadable() -> [OpenError; 1] {
        [OpenError::NotARunFile {
            path: PathBuf::from("/runs/x.run"),
            why: None,
        }]
    }

    fn now() -> ZonedDateTime {
        "2026-11-25T09:00Z[UTC]".parse().unwrap()
    }

    fn text(write: impl FnOnce(&mut dyn StyledWrite) -> Result<(), ReportError>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn runs_are_one_line_each_and_what_cannot_be_read_is_said() {
        let shown = text(|out| write_table(out, &runs(), &unreadable(), PLAIN, &now()));
        insta::assert_snapshot!(shown, @r"
        Run     When             Environment  What        Users           Result
        3f2a9c  yesterday 14:04  contoso      undo        4,998 of 5,000  2 failed
                                                          (run 77aa00)
        3f2a9c  yesterday 14:04  contoso      deactivate  0 of 0          stopped, 0
                                                                          left
        Cannot be read: /runs/x.run is not a run file
        ");
    }

    #[test]
    fn markdown_holds_the_same_columns() {
        let shown = text(|out| write_markdown(out, &runs(), &unreadable(), &now()));
        insta::assert_snapshot!(shown, @r"
        | Run | When | Environment | What | Users | Result |
        | --- | --- | --- | --- | --- | --- |
        | 3f2a9c | yesterday 14:04 | contoso | undo | 4,998 of 5,000 (run 77aa00) | 2 failed |
        | 3f2a9c | yesterday 14:04 | contoso | deactivate | 0 of 0 | stopped, 0 left |

        Cannot be read:

        - /runs/x.run is not a run file
        ");
    }

    #[test]
    fn without_runs_it_says_so() {
        let shown = text(|out| write_runs(out, &[], &[], Format::Table, PLAIN));
        assert_eq!(shown, "There are no runs yet.\n");
    }

    #[test]
    fn the_documents_hold_whole_ids_and_plain_numbers() {
        let json = text(|out| write_runs(out, &runs(), &unreadable(), Format::Json, PLAIN));
        let list: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(list["runs"][0]["run"], "3f2a9c0d1b7e");
        assert_eq!(list["runs"][0]["filters"]["changed"], 14_990);
        assert_eq!(list["runs"][1]["outcome"], "stopped");
        assert_eq!(list["unreadable"][0], "/runs/x.run is not a run file");
        let csv = text(|out| write_runs(out, &runs(), &unreadable(), Format::Csv, PLAIN));
        let line = csv.lines().nth(1).unwrap();
        assert_eq!(
            line,
            "3f2a9c0d1b7e,2026-11-24T14:04:00Z,undo,partial,https://contoso.crm4.dynamics.com,Contoso,5000,4998,2,15000,14990,4,,contoso,run 77aa00,0,,false"
        );
        let unread = csv.lines().last().unwrap();
        assert_eq!(
            unread,
            ",,,unreadable,,,,,,,,,/runs/x.run is not a run file,,,,,"
        );
    }
}
