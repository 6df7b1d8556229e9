//! A plan with all its facts.

use crate::journal::{
    FilterTotals, Phase, ProblemGroup, RunHeader, RunReader, TypeTotals, UserTotals,
};
use crate::model::Target;
use crate::plan::PlanDigest;

use super::grid::{self, Column, Grid};
use super::impact::{ImpactReport, SHOWN, write_first, write_impact};
use super::paint::Tone;
use super::problems::{TITLE, write_groups, write_more};
use super::run_command::RunCommand;
use super::templates::write_run_of_templates;
use super::text::{count, number};
use super::writer::{StyledWrite, paint_line};
use super::{Format, ReportError, Style, phrases};

/// The most rows of a table: a longer plan would not be read.
const MOST: usize = 12;

const TYPES: [Column; 6] = [
    Column::text("Type", 12, 26),
    Column::number("Users"),
    Column::number("Filters"),
    Column::number("Active"),
    Column::number("Inactive"),
    Column::number("To change"),
];

/// The data of a plan, read at the same state of the file.
struct Plan {
    header: RunHeader,
    users: UserTotals,
    not_surveyed: u64,
    filters: FilterTotals,
    digest: Option<PlanDigest>,
    types: Vec<TypeTotals>,
    groups: Vec<ProblemGroup>,
    impact_report: ImpactReport,
    more: String,
}

/// Writes the plan of a run for people, with all tables: `--details`.
pub fn write_plan_details(
    out: &mut dyn StyledWrite,
    run: &RunReader,
    style: Style,
) -> Result<(), ReportError> {
    if run.header.target == Target::Templates {
        return write_run_of_templates(out, run, Format::Table, style);
    }
    let plan = read(run)?;
    let title = format!(
        "Plan {}: {}",
        plan.header.id.short(),
        phrases::operation(&plan.header)
    );
    paint_line(out, Tone::Strong, &title)?;
    writeln!(out)?;
    grid::facts(out, &phrases::facts(&plan.header), style)?;
    writeln!(out)?;
    write_first(out, &plan.impact_report, style)?;
    write_types(out, &plan, style)?;
    let users = phrases::planned_users(&plan.users, plan.not_surveyed);
    let to_change = match plan.filters.planned {
        0 => "none to change".to_owned(),
        planned => format!("{} to change", number(planned)),
    };
    let filters = format!("{} matching, {to_change}", number(plan.filters.matching));
    let mut facts = vec![("Users", users), ("Filters", filters)];
    let digest = plan.digest.filter(|_| plan.filters.planned > 0);
    facts.extend(digest.map(|digest| ("Digest", digest.to_string())));
    grid::facts(out, &facts, style)?;
    write_impact(out, &plan.impact_report, style)?;
    if !plan.groups.is_empty() {
        writeln!(out)?;
        paint_line(out, Tone::Strong, TITLE)?;
        write_groups(out, &plan.groups, MOST, &plan.more, style)?;
    }
    Ok(())
}

fn read(run: &RunReader) -> Result<Plan, ReportError> {
    let plan = run.view(|view| {
        view.at_one_instant(|view| {
            let header = view.header()?;
            let users = view.users()?;
            let to_change = view.users_to_change()?;
            Ok(Plan {
                not_surveyed: if header.phase < Phase::Planned {
                    users.planned.saturating_sub(to_change)
                } else {
                    0
                },
                users,
                filters: view.filters()?,
                digest: view.recorded_digest()?,
                types: view.types()?,
                groups: view.problem_groups()?,
                impact_report: ImpactReport::read_ahead(view, &header, SHOWN)?,
                more: format!("`{}`", RunCommand::Report.of(&run.reference)),
                header,
            })
        })
    })?;
    Ok(plan)
}

fn write_types(out: &mut dyn StyledWrite, plan: &Plan, style: Style) -> Result<(), ReportError> {
    if plan.types.is_empty() {
        let read = count(plan.filters.surveyed, "filter");
        writeln!(out, "None of the {read} that were read match.")?;
        writeln!(out)?;
        return Ok(());
    }
    let row = |of: &TypeTotals| {
        let numbers = [of.users, of.filters, of.active, of.inactive, of.planned].map(number);
        let mut cells = vec![phrases::short_type(of.filter_type.as_str()).into_owned()];
        cells.extend(numbers);
        (cells, Tone::Plain)
    };
    let rows: Vec<_> = plan.types.iter().take(MOST).map(row).collect();
    Grid::whole(out, &TYPES, &rows, style)?;
    write_more(out, plan.types.len().saturating_sub(MOST), &plan.more)?;
    writeln!(out)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Operation;
    use crate::report::test_runs::{PLAIN, TestStage, header, run, run_of};

    #[tokio::test]
    async fn the_plan_says_whom_it_is_about_what_changes_and_who_is_not_changed_and_why() {
        let run = run(TestStage::Planned).await;
        let shown = run.shown(|out, run| write_plan_details(out, run, PLAIN));
        insta::assert_snapshot!(shown, @r"
        Plan 3f2a9c: deactivate

        Environment   https://contoso.crm4.dynamics.com
        Organisation  Contoso
        Caller        admin@contoso.example
        Users         every user
        Filters       outlook filters of appointment, recurringappointmentmaster,
                      serviceappointment

        Type         Users  Filters  Active  Inactive  To change
        appointment      6        6       5         1          5
        service          6        6       0         6          0

        Users    8 selected: 5 to change, 1 with nothing to change, 1 skipped, 1 failed
        Filters  12 matching, 5 to change

        Skipped, left alone or failed
        Kind      Users  Example                  Hint
        no-roles      1  dan·[2J@contoso.example  Give the user a security role, then
                                                  resume the run.
        disabled      1  cara@contoso.example     Leave it, or enable the user first: a
                                                  disabled user cannot be impersonated.
        ");
    }

    #[tokio::test]
    async fn a_plan_with_a_digest_shows_it() {
        let run = run(TestStage::Planned).await;
        let digest = run
            .reader
            .view(|view| view.digest().map(Some))
            .unwrap()
            .unwrap();
        let without = run.shown(|out, run| write_plan_details(out, run, PLAIN));
        let sql = format!("UPDATE run SET digest = '{digest}'");
        let with = run
            .with(&sql)
            .shown(|out, run| write_plan_details(out, run, PLAIN));
        let line = format!("Digest   {digest}\n");
        assert_eq!(with.replace(&line, ""), without);
    }

    #[tokio::test]
    async fn the_plan_of_an_undo_names_the_run_that_it_undoes() {
        let run = run_of(header(Operation::Undo), TestStage::Planned).await;
        let shown = run.shown(|out, run| write_plan_details(out, run, PLAIN));
        assert!(shown.starts_with("Plan 3f2a9c: undo of run 77aa00\n"));
        assert!(shown.contains("Filters       those that run 77aa00 changed\n"));
    }
}
