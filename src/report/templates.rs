//! Templates and their outcomes.

use std::io::Write;

use crate::journal::RunReader;
use crate::model::{Operation, RowOutcome, Template, TemplateState};
use crate::plan::TemplateChange;

use super::grid::{Column, Grid, paragraph};
use super::next_commands::write_commands;
use super::paint::Tone;
use super::template_documents as documents;
use super::template_run::{TemplateRun, count, next, template_hint};
use super::text::{clean, number, state};
use super::writer::StyledWrite;
use super::{Format, ReportError, Style, markdown};

const COLUMNS: [Column; 5] = [
    Column::text("Type", 14, 26),
    Column::text("Name", 16, 48),
    Column::text("Kind", 7, 7),
    Column::text("Default", 7, 7),
    Column::text("State", 8, 24),
];

const CHANGE_COLUMNS: [Column; 5] = [
    Column::text("Type", 14, 26),
    Column::text("Name", 16, 48),
    Column::text("Default", 8, 8),
    Column::text("State", 8, 31),
    Column::text("Outcome", 8, 8),
];

/// Writes the result of a run that sets templates, from its file.
pub(super) fn write_run_of_templates(
    out: &mut dyn StyledWrite,
    run: &RunReader,
    format: Format,
    style: Style,
) -> Result<(), ReportError> {
    if format == Format::Html {
        return Err(ReportError::TemplatesAsHtml);
    }
    with_run(run, |shown| write_template_run(out, shown, format, style))
}

/// The same as a JSON document.
pub(super) fn write_run_document(out: &mut dyn Write, run: &RunReader) -> Result<(), ReportError> {
    with_run(run, |shown| documents::run(out, shown))
}

fn with_run(
    run: &RunReader,
    write: impl FnOnce(&TemplateRun<'_>) -> Result<(), ReportError>,
) -> Result<(), ReportError> {
    let (header, changes) =
        run.view(|view| view.at_one_instant(|view| Ok((view.header()?, view.templates()?))))?;
    write(&TemplateRun {
        environment: header.environment.to_string(),
        organization: &header.organization.name,
        operation: header.operation,
        changes: &changes,
        run: Some((&header, &run.reference)),
    })
}

/// Writes templates in the given order.
pub fn write_templates(
    out: &mut dyn StyledWrite,
    templates: &[Template],
    format: Format,
    style: Style,
) -> Result<(), ReportError> {
    match format {
        Format::Table if templates.is_empty() => writeln!(out, "There is nothing to list.")?,
        Format::Table => {
            let rows: Vec<_> = templates.iter().map(|t| (row(t), tone(t))).collect();
            Grid::whole(out, &COLUMNS, &rows, style)?;
        }
        Format::Json => documents::list(out, templates)?,
        Format::Csv => documents::list_csv(out, templates)?,
        Format::Markdown => {
            markdown::header_row(out, &COLUMNS)?;
            for template in templates {
                markdown::row(out, &row(template))?;
            }
        }
        Format::Html => return Err(ReportError::OnlyOneRun),
        Format::Xlsx => return Err(ReportError::NoWorkbook),
    }
    Ok(())
}

/// Writes the outcomes of templates, the reasons of failures, and the command that restores them.
pub fn write_template_run(
    out: &mut dyn StyledWrite,
    run: &TemplateRun<'_>,
    format: Format,
    style: Style,
) -> Result<(), ReportError> {
    let rows = || run.changes.iter().map(change_row);
    match format {
        Format::Table => {
            if !run.changes.is_empty() {
                Grid::whole(out, &CHANGE_COLUMNS, &rows().collect::<Vec<_>>(), style)?;
                writeln!(out)?;
            }
            write_problems(out, run, style)?;
            writeln!(out, "{}", sentence(run))?;
            let next = next(run);
            if !next.is_empty() {
                writeln!(out, "\nNext")?;
            }
            write_commands(out, &next)?;
        }
        Format::Json => documents::run(out, run)?,
        Format::Csv => documents::run_csv(out, run)?,
        Format::Markdown => {
            markdown::header_row(out, &CHANGE_COLUMNS)?;
            for (cells, _) in rows() {
                markdown::row(out, &cells)?;
            }
        }
        Format::Html => return Err(ReportError::OnlyOneRun),
        Format::Xlsx => return Err(ReportError::NoWorkbook),
    }
    Ok(())
}

fn write_problems(
    out: &mut dyn StyledWrite,
    run: &TemplateRun<'_>,
    style: Style,
) -> Result<(), ReportError> {
    for change in run.changes {
        let Some(problem) = &change.problem else {
            continue;
        };
        let code = problem.code.as_ref();
        let code = code.map_or_else(String::new, |code| format!(" ({code})"));
        let said = format!(
            "{}: {}{code}",
            clean(&change.template.name),
            clean(&problem.message)
        );
        paragraph(out, &said, Tone::Bad, style)?;
        paragraph(out, template_hint(problem), Tone::Dimmed, style)?;
        writeln!(out)?;
    }
    Ok(())
}

fn sentence(run: &TemplateRun<'_>) -> String {
    let done = match run.operation {
        Operation::Reactivate => "activated",
        Operation::Deactivate => "deactivated",
        Operation::Undo => "put back",
    };
    let left = count(run, RowOutcome::ChangedSince) + count(run, RowOutcome::Gone);
    let parts = [
        (count(run, RowOutcome::Changed), done),
        (count(run, RowOutcome::Planned), "to change"),
        (count(run, RowOutcome::Sent), "sent, result unknown"),
        (count(run, RowOutcome::Already), "unchanged"),
        (left, "left alone or gone"),
        (count(run, RowOutcome::Failed), "failed"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{} {what}", number(u64::try_from(*n).unwrap_or(u64::MAX))))
        .collect();
    if parts.is_empty() {
        "No template matches.".to_owned()
    } else {
        format!("Templates: {}.", parts.join(", "))
    }
}

const fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn row(template: &Template) -> Vec<String> {
    vec![
        clean(template.filter_type.as_str()).into_owned(),
        clean(&template.name).into_owned(),
        template.kind.as_str().to_owned(),
        yes_no(template.default).to_owned(),
        state(template.now),
    ]
}

/// A template that new users do not get is less important.
fn tone(template: &Template) -> Tone {
    if template.reaches_new_users() {
        Tone::Plain
    } else {
        Tone::Dimmed
    }
}

/// The wanted state until something was attempted, then the present one.
fn now(change: &TemplateChange) -> TemplateState {
    if change.outcome == RowOutcome::Planned {
        return change.wanted;
    }
    let after = change.after.as_ref().map(|after| after.state);
    after.unwrap_or(change.template.state())
}

fn from_to(before: &str, after: &str) -> String {
    if before == after {
        before.to_owned()
    } else {
        format!("{before} → {after}")
    }
}

fn change_row(change: &TemplateChange) -> (Vec<String>, Tone) {
    let template = &change.template;
    let (before, after) = (template.state(), now(change));
    let cells = vec![
        clean(template.filter_type.as_str()).into_owned(),
        clean(&template.name).into_owned(),
        from_to(yes_no(before.default), yes_no(after.default)),
        from_to(&state(before.now()), &state(after.now())),
        change.outcome.to_string(),
    ];
    (cells, Tone::of_outcome(change.outcome))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::RunRef;
    use crate::model::{
        FilterKind, FilterType, Modification, Outcome, Problem, ProblemKind, Stage, State, Status,
        TemplateId, TemplateStamp,
    };
    use crate::plan::TemplateWish;
    use crate::report::template_run::way_back;
    use crate::report::test_runs::{PLAIN, header};
    use uuid::Uuid;

    fn template(n: u128, default: bool, state: State) -> Template {
        Template {
            id: TemplateId(Uuid::from_u128(n)),
            name: format!("Appointments template {n}\u{1b}[2J"),
            filter_type: FilterType::new("recurringappointmentmaster"),
            kind: FilterKind::Outlook,
            default,
            now: state.with_default_status(),
            etag: None,
            modified: Modification::default(),
        }
    }

    fn as_wanted(change: &TemplateChange) -> TemplateStamp {
        TemplateStamp {
            state: change.wanted,
            ..change.template.stamp()
        }
    }

    fn changes() -> Vec<TemplateChange> {
        let wish = TemplateWish {
            state: State::Inactive,
            default: Some(false),
        };
        let planned = |t| TemplateChange::planned(t, wish);
        let mut done = planned(template(1, false, State::Active));
        done.outcome = RowOutcome::Changed;
        done.after = Some(as_wanted(&done));
        let already = planned(template(2, false, State::Inactive));
        let mut refused = planned(template(3, true, State::Active));
        refused.outcome = RowOutcome::Failed;
        let kind = ProblemKind::Refused;
        let mut problem = Problem::seen(Stage::Apply, kind, "The default view cannot be inactive.");
        problem.code = Some("0x8004027b".into());
        refused.problem = Some(problem);
        let mut null = template(4, true, State::Active);
        null.now.status = Status(None);
        let mut cleared = planned(null);
        cleared.outcome = RowOutcome::Changed;
        cleared.after = Some(as_wanted(&cleared));
        vec![done, already, refused, cleared]
    }

    fn shown(format: Format) -> String {
        let mut header = header(Operation::Deactivate);
        header.outcome = Some(Outcome::Partial);
        let reference = RunRef::stored(&header.id);
        let run = TemplateRun {
            environment: "https://contoso.crm4.dynamics.com".into(),
            organization: "Contoso",
            operation: Operation::Deactivate,
            changes: &changes(),
            run: Some((&header, &reference)),
        };
        let mut out = Vec::new();
        write_template_run(&mut out, &run, format, PLAIN).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_became_of_templates_is_said_with_the_reason_and_the_way_back() {
        let text = shown(Format::Table);
        let unfolded = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "Templates: 2 deactivated, 1 unchanged, 1 failed.",
            "A default template cannot be inactive: `--clear-default` also clears the",
            "yes → no active (status changed",
            "syncfilters resume 3f2a9c try again what failed",
            "syncfilters undo 3f2a9c undo the run",
        ] {
            assert!(unfolded.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn the_document_has_before_after_and_the_way_back() {
        let document: serde_json::Value = serde_json::from_str(&shown(Format::Json)).unwrap();
        assert_eq!(document["outcome"], "partial");
        assert_eq!(document["run"], "3f2a9c0d1b7e");
        assert_eq!(document["templates"][0]["before"]["state"], "active");
        assert_eq!(document["templates"][0]["after"]["state"], "inactive");
        assert_eq!(document["templates"][2]["problem"]["code"], "0x8004027b");
        let cleared = &document["templates"][3];
        let before = serde_json::json!({"default": true, "state": "active", "status": null});
        assert_eq!(cleared["before"], before);
        assert_eq!(cleared["after"]["default"], false);
        let back = document["back"].as_str().unwrap();
        let ends: Vec<_> = back
            .lines()
            .map(|line| line.contains("--default"))
            .collect();
        assert_eq!(ends, [false, true]);
    }

    #[test]
    fn what_was_made_a_default_goes_back_to_what_it_was() {
        let on = TemplateWish {
            state: State::Active,
            default: Some(true),
        };
        let back = |state| {
            let mut change = TemplateChange::planned(template(1, false, state), on);
            change.outcome = RowOutcome::Changed;
            way_back(&change)
        };
        assert_eq!(
            back(State::Inactive),
            Some(("deactivate", " --clear-default"))
        );
        assert_eq!(back(State::Active), Some(("activate", " --clear-default")));
    }

    #[test]
    fn what_was_left_halfway_has_a_way_back_too() {
        let mut change = changes().swap_remove(2);
        assert_eq!(way_back(&change), None);
        change.maybe_written = true;
        let mut stamp = change.template.stamp();
        stamp.state.default = false;
        change.after = Some(stamp);
        assert_eq!(way_back(&change), Some(("activate", " --default")));
    }

    #[test]
    fn a_list_fits_80_columns_and_its_csv_has_the_ids() {
        let templates = [
            template(1, true, State::Active),
            template(2, false, State::Inactive),
        ];
        let list = |format| {
            let mut out = Vec::new();
            write_templates(&mut out, &templates, format, PLAIN).unwrap();
            String::from_utf8(out).unwrap()
        };
        let table = list(Format::Table);
        assert!(
            table.lines().all(|line| line.chars().count() <= 80),
            "{table}"
        );
        assert!(list(Format::Csv).contains("\n00000000-0000-0000-0000-000000000001,"));
    }
}
