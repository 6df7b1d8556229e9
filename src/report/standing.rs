//! The progress of environments, in the form of `status`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::journal::{OpenError, Standing, UserStandings};
use crate::model::{Operation, RunId};

use super::cell::cell;
use super::environment_names::told_apart;
use super::grid::{Column, Grid};
use super::json::{FORMAT, write_json};
use super::paint::Tone;
use super::text::{clean, minute, number};
use super::writer::{StyledWrite, paint_line};
use super::{Format, ReportError, Style, markdown};

const COLUMNS: [Column; 8] = [
    Column::text("Environment", 8, 24),
    Column::text("What", 10, 10),
    Column::number("Users"),
    Column::number("Done"),
    Column::number("Left"),
    Column::number("Failed"),
    Column::number("Skipped"),
    Column::text("Last run", 16, 23),
];

/// An environment with its name.
#[derive(Clone, Debug)]
pub struct NamedStanding {
    /// Its name in the configuration file, else that of the organisation.
    pub name: String,
    /// Its progress.
    pub standing: Standing,
}

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    environments: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    url: String,
    organization: &'a str,
    operation: Operation,
    users: UserStandings,
    runs: u64,
    latest: &'a RunId,
    started: Timestamp,
}

/// Writes the progress of environments in the given order, and the files that could not be read.
pub fn write_standings(
    out: &mut dyn StyledWrite,
    all: &[NamedStanding],
    unreadable: &[OpenError],
    format: Format,
    style: Style,
) -> Result<(), ReportError> {
    let zone = TimeZone::system();
    match format {
        Format::Json => return write_document(out, all, unreadable),
        Format::Csv => return write_csv(out, all),
        Format::Html => return Err(ReportError::OnlyOneRun),
        Format::Xlsx => return Err(ReportError::NoWorkbook),
        Format::Markdown => {
            markdown::header_row(out, &COLUMNS)?;
            for (cells, _) in rows(all, &zone) {
                markdown::row(out, &cells)?;
            }
        }
        Format::Table if all.is_empty() => writeln!(out, "There are no runs yet.")?,
        Format::Table => {
            Grid::whole(out, &COLUMNS, &rows(all, &zone), style)?;
        }
    }
    for error in unreadable {
        let text = format!("Cannot be read: {}", clean(&error.to_string()));
        paint_line(out, Tone::Warning, &text)?;
    }
    Ok(())
}

fn tone(users: &UserStandings) -> Tone {
    match users {
        UserStandings { failed: 1.., .. } => Tone::Bad,
        UserStandings { left: 1.., .. } => Tone::Warning,
        _ => Tone::Plain,
    }
}

fn rows(all: &[NamedStanding], zone: &TimeZone) -> Vec<(Vec<String>, Tone)> {
    let environments = all
        .iter()
        .map(|one| (one.name.as_str(), &one.standing.header));
    let named = all.iter().zip(told_apart(environments));
    named
        .map(|(one, name)| (cells(&one.standing, name, zone), tone(&one.standing.users)))
        .collect()
}

fn cells(standing: &Standing, name: String, zone: &TimeZone) -> Vec<String> {
    let Standing {
        header,
        operation,
        users,
        ..
    } = standing;
    vec![
        name,
        operation.to_string(),
        number(users.all),
        number(users.done),
        number(users.left),
        number(users.failed),
        number(users.skipped),
        format!("{} {}", header.id.short(), minute(header.started, zone)),
    ]
}

fn write_document(
    out: &mut dyn StyledWrite,
    all: &[NamedStanding],
    unreadable: &[OpenError],
) -> Result<(), ReportError> {
    let entries = all.iter().map(|NamedStanding { name, standing }| Entry {
        name,
        url: standing.header.environment.to_string(),
        organization: &standing.header.organization.name,
        operation: standing.operation,
        users: standing.users,
        runs: standing.runs,
        latest: &standing.header.id,
        started: standing.header.started,
    });
    let document = Document {
        format: FORMAT,
        environments: entries.collect(),
        unreadable: unreadable.iter().map(ToString::to_string).collect(),
    };
    Ok(write_json(out, &document)?)
}

fn write_csv(out: &mut dyn StyledWrite, all: &[NamedStanding]) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "environment",
        "url",
        "organization",
        "operation",
        "users",
        "users_done",
        "users_left",
        "users_failed",
        "users_skipped",
        "runs",
        "latest_run",
    ])?;
    for NamedStanding { name, standing } in all {
        let users = &standing.users;
        csv.write_record([
            cell(name),
            cell(&standing.header.environment.to_string()),
            cell(&standing.header.organization.name),
            standing.operation.to_string(),
            users.all.to_string(),
            users.done.to_string(),
            users.left.to_string(),
            users.failed.to_string(),
            users.skipped.to_string(),
            standing.runs.to_string(),
            standing.header.id.to_string(),
        ])?;
    }
    csv.flush()?;
    Ok(())
}
