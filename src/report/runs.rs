//! Earlier runs, as `runs` shows them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::journal::{FilterTotals, OpenError, RunHeader, Summary, TemplateTotals, UserTotals};
use crate::model::{Operation, Outcome, RunId, Target};

use super::cell::cell;
use super::document::Environment;
use super::grid::{Column, Grid};
use super::json::{FORMAT, write_json};
use super::paint::Tone;
use super::text::{clean, minute, number};
use super::writer::{StyledWrite, paint_line};
use super::{Format, ReportError, Style, markdown, phrases};

const COLUMNS: [Column; 7] = [
    Column::text("Run", 6, 6),
    Column::text("Started", 16, 16),
    Column::text("Operation", 9, 20),
    Column::text("Outcome", 8, 8),
    Column::number("Users"),
    Column::number("Filters"),
    Column::text("Environment", 12, 40),
];

/// Writes earlier runs, in the order given, and what could not be read: below a table, in a field
/// `unreadable` of a JSON document, and as lines with outcome `unreadable` in CSV.
pub fn write_runs(
    out: &mut dyn StyledWrite,
    runs: &[Summary],
    unreadable: &[OpenError],
    format: Format,
    style: Style,
) -> Result<(), ReportError> {
    match format {
        Format::Table => write_table(out, runs, unreadable, style, &TimeZone::system()),
        Format::Json => write_list(out, runs, unreadable),
        Format::Csv => write_csv(out, runs, unreadable),
        Format::Markdown => write_markdown(out, runs, unreadable, &TimeZone::system()),
        Format::Html => Err(ReportError::OnlyOneRun),
    }
}

fn write_table(
    out: &mut dyn StyledWrite,
    runs: &[Summary],
    unreadable: &[OpenError],
    style: Style,
    zone: &TimeZone,
) -> Result<(), ReportError> {
    if runs.is_empty() {
        writeln!(out, "There are no runs yet.")?;
    } else {
        let rows: Vec<_> = runs.iter().map(|run| row(run, zone)).collect();
        Grid::whole(out, &COLUMNS, &rows, style)?;
        let is_of_templates = |run: &Summary| run.header.target == Target::Templates;
        let text = if runs.iter().any(is_of_templates) {
            "Users and filters, or templates: how many were changed."
        } else {
            "Users and filters: how many were changed."
        };
        paint_line(out, Tone::Dimmed, text)?;
    }
    for error in unreadable {
        let text = format!("Cannot be read: {}", clean(&error.to_string()));
        paint_line(out, Tone::Warning, &text)?;
    }
    Ok(())
}

fn write_markdown(
    out: &mut dyn StyledWrite,
    runs: &[Summary],
    unreadable: &[OpenError],
    zone: &TimeZone,
) -> Result<(), ReportError> {
    markdown::header_row(out, &COLUMNS)?;
    for run in runs {
        markdown::row(out, &row(run, zone).0)?;
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

fn row(run: &Summary, zone: &TimeZone) -> (Vec<String>, Tone) {
    let header = &run.header;
    let outcome = phrases::outcome(header);
    let cells = vec![
        header.id.short().to_owned(),
        minute(header.started, zone),
        operation(header),
        outcome.as_str().to_owned(),
        number(run.users.changed),
        number(run.filters.changed + run.templates.changed),
        clean(&header.environment.to_string()).into_owned(),
    ];
    let tone = match outcome {
        Outcome::Partial => Tone::Bad,
        Outcome::Stopped => Tone::Warning,
        Outcome::Complete | Outcome::Planned | Outcome::Nothing => Tone::Plain,
    };
    (cells, tone)
}

/// What a run does, and to what, where that is not filters.
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
    users: UserTotals,
    filters: FilterTotals,
    target: Target,
    #[serde(skip_serializing_if = "Option::is_none")]
    templates: Option<TemplateTotals>,
}

fn write_list(
    out: &mut dyn StyledWrite,
    runs: &[Summary],
    unreadable: &[OpenError],
) -> Result<(), ReportError> {
    let entries = runs.iter().map(|run| Entry {
        run: &run.header.id,
        operation: run.header.operation,
        outcome: phrases::outcome(&run.header),
        started: run.header.started,
        environment: Environment::of(&run.header),
        users: run.users,
        filters: run.filters,
        target: run.header.target,
        templates: (run.header.target == Target::Templates).then_some(run.templates),
    });
    let list = List {
        format: FORMAT,
        runs: entries.collect(),
        unreadable: unreadable.iter().map(ToString::to_string).collect(),
    };
    Ok(write_json(out, &list)?)
}

fn write_csv(
    out: &mut dyn StyledWrite,
    runs: &[Summary],
    unreadable: &[OpenError],
) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
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
    ])?;
    for run in runs {
        let header = &run.header;
        csv.write_record([
            header.id.to_string(),
            header.started.to_string(),
            header.operation.to_string(),
            phrases::outcome(header).to_string(),
            cell(&header.environment.to_string()),
            cell(&header.organization.name),
            run.users.selected.to_string(),
            run.users.changed.to_string(),
            run.users.failed.to_string(),
            run.filters.matching.to_string(),
            run.filters.changed.to_string(),
            run.filters.failed.to_string(),
            String::new(),
        ])?;
    }
    for error in unreadable {
        let mut line: [String; 13] = Default::default();
        "unreadable".clone_into(&mut line[3]);
        line[12] = cell(&error.to_string());
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

    fn runs() -> Vec<Summary> {
        let summary = |header, users, filters| Summary {
            header,
            users,
            filters,
            templates: TemplateTotals::default(),
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

    fn text(write: impl FnOnce(&mut dyn StyledWrite) -> Result<(), ReportError>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn runs_are_one_line_each_and_what_cannot_be_read_is_said() {
        let shown = text(|out| write_table(out, &runs(), &unreadable(), PLAIN, &TimeZone::UTC));
        insta::assert_snapshot!(shown, @r"
        Run     Started           Operation   Outcome  Users  Filters  Environment
        3f2a9c  2026-11-24 14:04  undo        partial  4,998   14,990  https://contoso.
                                                                       crm4.dynamics.com
        3f2a9c  2026-11-24 14:04  deactivate  stopped      0        0  https://contoso.
                                                                       crm4.dynamics.com
        Users and filters: how many were changed.
        Cannot be read: /runs/x.run is not a run file
        ");
    }

    #[test]
    fn markdown_holds_the_same_columns() {
        let shown = text(|out| write_markdown(out, &runs(), &unreadable(), &TimeZone::UTC));
        insta::assert_snapshot!(shown, @r"
        | Run | Started | Operation | Outcome | Users | Filters | Environment |
        | --- | --- | --- | --- | ---: | ---: | --- |
        | 3f2a9c | 2026-11-24 14:04 | undo | partial | 4,998 | 14,990 | https://contoso.crm4.dynamics.com |
        | 3f2a9c | 2026-11-24 14:04 | deactivate | stopped | 0 | 0 | https://contoso.crm4.dynamics.com |

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
            "3f2a9c0d1b7e,2026-11-24T14:04:00Z,undo,partial,https://contoso.crm4.dynamics.com,Contoso,5000,4998,2,15000,14990,4,"
        );
        let unread = csv.lines().last().unwrap();
        assert_eq!(
            unread,
            ",,,unreadable,,,,,,,,,/runs/x.run is not a run file"
        );
    }
}
