//! The plan of one of several environments, in at most three lines.

use std::io;

use console::{measure_text_width, truncate_str};

use crate::journal::{ReadError, RunReader, View};
use crate::model::{Operation, Target};

use super::impact::ImpactReport;
use super::paint::Tone;
use super::plan::{PlanView, time_of};
use super::plan_notes::{of_calendars, of_findings};
use super::text::{clean, count, number};
use super::text_lines::folded;
use super::writer::{StyledWrite, paint_line};
use super::{ReportError, Style};

/// The most lines of a block: the plans of five environments and the question fit a screen.
const LINES: usize = 3;
/// Columns of space between the name and the rest.
const GAP: usize = 2;
/// The widest name, in columns: it leaves three quarters of a line of 80.
const LONGEST_NAME: usize = 20;

/// The width of these environments' names.
pub fn width_of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> usize {
    let widths = names
        .into_iter()
        .map(|name| measure_text_width(&clean(name)));
    widths.max().unwrap_or(0).min(LONGEST_NAME)
}

/// Writes the plan of an environment: users, filters, impact and time; then what needs a decision.
pub fn write_plan_block(
    out: &mut dyn StyledWrite,
    (name, width): (&str, usize),
    run: &RunReader,
    style: Style,
    of: PlanView<'_>,
) -> Result<(), ReportError> {
    let (first, warnings) = run.view(|view| view.at_one_instant(|view| texts(view, of)))?;
    let room = style.width.saturating_sub(width + GAP).max(1);
    let mut lines = folded(&first, ", ", room, 2);
    let left = LINES.saturating_sub(lines.len());
    let begin_of_warnings = lines.len();
    lines.extend(warning_lines(&warnings, room, left));
    for (at, line) in lines.iter().enumerate() {
        let label = if at == 0 { name } else { "" };
        let tone = if at < begin_of_warnings {
            Tone::Plain
        } else {
            Tone::Warning
        };
        write_line(out, tone, (label, width), line)?;
    }
    Ok(())
}

/// The warnings in as many lines as there are. Where that are too few, the last one says how many there are.
fn warning_lines(warnings: &[String], room: usize, lines: usize) -> Vec<String> {
    let all = folded(&warnings.join("   "), "   ", room, usize::MAX);
    if all.len() <= lines {
        return all;
    }
    let number = u64::try_from(warnings.len()).unwrap_or(u64::MAX);
    let more = format!("!  {}: --details", count(number, "warning"));
    let first = all.into_iter().take(lines.saturating_sub(1));
    first.chain([more]).take(lines).collect()
}

/// Writes why an environment is left out.
pub fn write_left_out_block(
    out: &mut dyn StyledWrite,
    (name, width): (&str, usize),
    why: &str,
    style: Style,
) -> Result<(), ReportError> {
    let room = style.width.saturating_sub(width + GAP).max(1);
    let why = clean(why);
    for (at, line) in folded(&why, " ", room, LINES).iter().enumerate() {
        let label = if at == 0 { name } else { "" };
        write_line(out, Tone::Bad, (label, width), line)?;
    }
    Ok(())
}

fn write_line(
    out: &mut dyn StyledWrite,
    tone: Tone,
    (name, width): (&str, usize),
    line: &str,
) -> io::Result<()> {
    let name = clean(name);
    let name = truncate_str(&name, width, "…");
    let gap = " ".repeat((width + GAP).saturating_sub(measure_text_width(&name)));
    paint_line(out, tone, &format!("{name}{gap}{line}"))
}

/// The first line, and the notes that need a decision.
fn texts(view: &View<'_>, of: PlanView<'_>) -> Result<(String, Vec<String>), ReadError> {
    let header = view.header()?;
    if header.target == Target::Templates {
        let planned = view.template_totals()?.planned;
        return Ok((
            format!("{} to change", count(planned, "template")),
            Vec::new(),
        ));
    }
    let (users, filters) = (view.users()?, view.filters()?);
    let to_change = view.users_to_change()?;
    let report = ImpactReport::read_ahead(view, &header, 0)?;
    let mut said = vec![
        format!("{} of {}", number(to_change), count(users.selected, "user")),
        count(filters.planned, "filter"),
    ];
    match &report.impact {
        Some(impact) => {
            let items = count(impact.items, "item");
            said.push(format!("{}{items}", impact.bound.words()));
        }
        None if header.operation == Operation::Deactivate => {
            said.push("items not counted".to_owned());
        }
        None => {}
    }
    if filters.planned > 0 {
        said.push(time_of(view, to_change, of.by)?);
    }
    if users.failed > 0 {
        said.push(format!("{} failed", number(users.failed)));
    }
    let mut notes = of_calendars(&header, of.can_lose && filters.planned > 0);
    // There is one note for both here, because the setting has no line of its own.
    notes.truncate(1);
    notes.extend(of_findings(report.findings()));
    let warnings = notes.into_iter().filter(|note| note.warns());
    let warnings = warnings.map(|note| format!("! {}", note.brief));
    Ok((said.join(", "), warnings.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::AppliedBy;
    use crate::report::test_runs::{PLAIN, TestStage, run};

    const VIEW: PlanView<'static> = PlanView {
        can_lose: true,
        is_kept: true,
        by: AppliedBy::LaterCommand,
    };

    #[tokio::test]
    async fn an_environment_takes_three_lines_at_most_however_much_there_is_to_say() {
        for stage in [TestStage::Planned, TestStage::ImpactCounted] {
            for width in [60, 80, 120] {
                let run = run(stage).await;
                let style = Style { width };
                let shown =
                    run.shown(|out, run| write_plan_block(out, ("contoso", 9), run, style, VIEW));
                assert!(shown.lines().count() <= LINES, "{shown}");
                assert!(
                    shown.starts_with("contoso    5 of 8 users, 5 filters"),
                    "{shown}"
                );
                for line in shown.lines() {
                    assert!(measure_text_width(line) <= width, "{line}");
                }
            }
        }
        let run = run(TestStage::Planned).await;
        let why = "the run changes 300 of the 320 selected users, and the limit is 96";
        let shown = run.shown(|out, _| {
            write_left_out_block(out, ("fabrikam", 9), &format!("refused: {why}"), PLAIN)
        });
        insta::assert_snapshot!(shown, @r"
        fabrikam   refused: the run changes 300 of the 320 selected users, and the limit
                   is 96
        ");
    }

    #[test]
    fn names_are_as_wide_as_the_longest_and_never_too_wide() {
        assert_eq!(width_of_names(["ab", "日本"]), 4);
        assert_eq!(width_of_names(["x".repeat(99).as_str()]), LONGEST_NAME);
    }
}
