//! One whole run, in the form of `report`.

use std::io;

use jiff::tz::TimeZone;

use crate::journal::{RunReader, View};

use crate::model::Target;

use super::document::write_with_changes;
use super::error::read_run;
use super::grid::{self, Grid};
use super::html::write_html;
use super::impact::{ImpactReport, write_first, write_impact};
use super::paint::Tone;
use super::run_cells::{CHANGES, PROBLEMS, change_cells, facts_of, problem_cells, title};
use super::run_csv::write_csv;
use super::run_markdown::write_markdown;
use super::summary::{Totals, write_totals};
use super::templates::write_run_of_templates;
use super::user_choice::{ShownUsers, UserChoice};
use super::user_documents::write_chosen;
use super::workbook::write_run_workbook;
use super::writer::{StyledWrite, paint_line};
use super::{Format, ReportError, Style, chosen_users, problems};

/// Writes the chosen users of a run with their outcomes. Returns how many there are.
pub fn write_users(
    out: &mut dyn StyledWrite,
    run: &RunReader,
    choice: &UserChoice,
    format: Format,
    style: Style,
) -> Result<ShownUsers, ReportError> {
    if run.header.target == Target::Templates {
        return Err(ReportError::TemplatesHaveNoUsers);
    }
    match format {
        Format::Table => chosen_users::write_table(out, run, choice, style),
        Format::Json => write_chosen(out, run, choice),
        Format::Csv => write_csv(out, run, choice),
        Format::Markdown => chosen_users::write_markdown(out, run, choice),
        Format::Html => write_html(out, run, choice, &TimeZone::system()),
        Format::Xlsx => write_run_workbook(out, run, choice),
    }
}

/// Writes a run with every problem, every change and every other user.
pub fn write_run(
    out: &mut dyn StyledWrite,
    run: &RunReader,
    format: Format,
    style: Style,
) -> Result<(), ReportError> {
    if run.header.target == Target::Templates && format != Format::Xlsx {
        return write_run_of_templates(out, run, format, style);
    }
    match format {
        Format::Table => write_table(out, run, style, &TimeZone::system()),
        Format::Json => write_with_changes(out, run),
        Format::Csv => write_csv(out, run, &UserChoice::default()).map(drop),
        Format::Markdown => write_markdown(out, run, &TimeZone::system()),
        Format::Html => write_users(out, run, &UserChoice::default(), format, style).map(drop),
        Format::Xlsx => write_run_workbook(out, run, &UserChoice::default()).map(drop),
    }
}

fn write_table(
    out: &mut dyn StyledWrite,
    run: &RunReader,
    style: Style,
    zone: &TimeZone,
) -> Result<(), ReportError> {
    read_run(run, |view| {
        let totals = Totals::read(view)?;
        let impact_report = ImpactReport::read(view, &totals.header)?;
        write_head(out, &totals, style, zone)?;
        write_impact_report(out, &impact_report, style)?;
        write_problems(out, view, &totals, style)?;
        write_changes(out, view, style)?;
        chosen_users::write_rest(out, view, style)
    })
}

fn write_head(
    out: &mut dyn StyledWrite,
    totals: &Totals,
    style: Style,
    zone: &TimeZone,
) -> Result<(), ReportError> {
    let header = &totals.header;
    paint_line(out, Tone::Strong, &title(header))?;
    writeln!(out)?;
    grid::facts(out, &facts_of(header, zone), style)?;
    writeln!(out)?;
    write_totals(out, totals, style)
}

/// The impact as it was known before; a run that was planned without counting has little of it.
fn write_impact_report(
    out: &mut dyn StyledWrite,
    impact_report: &ImpactReport,
    style: Style,
) -> Result<(), ReportError> {
    write_impact(out, impact_report, style)?;
    if impact_report.first().is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    write_first(out, impact_report, style)
}

/// Writes a heading when the first text follows it.
fn heading(
    out: &mut dyn StyledWrite,
    grid: &Grid,
    title: &str,
    written: &mut bool,
) -> io::Result<()> {
    if std::mem::replace(written, true) {
        return Ok(());
    }
    writeln!(out)?;
    paint_line(out, Tone::Strong, title)?;
    grid.header(out)
}

fn write_problems(
    out: &mut dyn StyledWrite,
    view: &View<'_>,
    totals: &Totals,
    style: Style,
) -> Result<(), ReportError> {
    if totals.groups.is_empty() {
        return Ok(());
    }
    let grid = Grid::streaming(&PROBLEMS, style);
    let mut written = false;
    view.each_problem(|row| {
        heading(out, &grid, "Every problem", &mut written)?;
        Ok(grid.row(out, &problem_cells(&row), problems::tone(row.kind))?)
    })
}

fn write_changes(
    out: &mut dyn StyledWrite,
    view: &View<'_>,
    style: Style,
) -> Result<(), ReportError> {
    let grid = Grid::streaming(&CHANGES, style);
    let mut written = false;
    view.each_change(|row| {
        heading(out, &grid, "Every change", &mut written)?;
        Ok(grid.row(out, &change_cells(&row), Tone::of_outcome(row.outcome))?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{PLAIN, TestStage, run};

    #[tokio::test]
    async fn the_table_shows_every_problem_and_every_change() {
        let run = run(TestStage::Stopped).await;
        let shown = run.shown(|out, run| write_table(out, run, PLAIN, &TimeZone::UTC));
        let (header, rest) = shown.split_once("Stopped before").unwrap();
        insta::assert_snapshot!(header, @r"
        Run 3f2a9c: deactivate

        Environment   https://contoso.crm4.dynamics.com
        Organisation  Contoso
        Caller        admin@contoso.example
        Users         every user
        Filters       outlook filters of appointment, recurringappointmentmaster,
                      serviceappointment
        Started       2026-11-24 14:04
        Ended         2026-11-24 14:05
        ");
        let (_, rows) = rest.split_once("Every problem").unwrap();
        insta::assert_snapshot!(rows, @r"

        User                          Kind                  Message
        cara@contoso.example          disabled              skipped: no request was made
        dan·[2J@contoso.example       no-roles              The user has no roles·[31m
                                                            assigned (0x80042f09,
                                                            request req-4)
        ada@contoso.example           status-not-restored   its status is 2 now; it was
                                                            to be 3
        eve@contoso.example           changed-since         left alone: somebody made it
                                                            active
        finn@contoso.example          gone                  the filter was deleted
                                                            meanwhile
        =hana@contoso.example         no-write-privilege    Principal user is missing
                                                            prvWriteUserQuery privilege

        Every change
        User              Type              Name             Change             Outcome
        =hana@contoso.    appointment       My Outlook       active → inactive  failed
        example                             appointments
        ada@contoso.      appointment       My Outlook       active (status     changed
        example                             appointments     null) → inactive
        eve@contoso.      appointment       My Outlook       active → inactive  left
        example                             appointments
        finn@contoso.     appointment       My Outlook       active → inactive  gone
        example                             appointments
        gil@contoso.      appointment       My Outlook       active → inactive  unknown
        example                             appointments

        Users without a change
        User                      Result     Filters             Note
        ben@contoso.example       unchanged                      nothing to change
        ");
    }
}
