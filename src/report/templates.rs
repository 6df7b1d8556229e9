//! Templates, and what became of their states.

use std::io::Write;

use crate::model::{EnvironmentUrl, Problem, ProblemKind, State, Template};
use crate::rollout::{TemplateChange, TemplateFate};

use super::grid::{Column, Grid, paragraph};
use super::paint::Tone;
use super::template_documents as documents;
use super::text::{clean, state};
use super::{Format, Look, ReportError, hint, markdown};

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
    Column::text("Default", 7, 7),
    Column::text("Before", 8, 24),
    Column::text("Outcome", 8, 8),
];

/// What setting the states of templates is about.
#[derive(Clone, Debug)]
pub struct TemplateRun<'a> {
    /// Where.
    pub environment: &'a EnvironmentUrl,
    /// Its name.
    pub organization: &'a str,
    /// What the templates are to be.
    pub wanted: State,
    /// The templates.
    pub changes: &'a [TemplateChange],
}

/// Writes templates in the order given.
pub fn write_templates(
    out: &mut dyn Write,
    templates: &[Template],
    format: Format,
    look: Look,
) -> Result<(), ReportError> {
    match format {
        Format::Table if templates.is_empty() => writeln!(out, "There is nothing to list.")?,
        Format::Table => {
            let rows: Vec<_> = templates.iter().map(|t| (row(t), tone(t))).collect();
            Grid::whole(out, &COLUMNS, &rows, look)?;
        }
        Format::Json => documents::list(out, templates)?,
        Format::Csv => documents::list_csv(out, templates)?,
        Format::Markdown => {
            markdown::header(out, &COLUMNS)?;
            for template in templates {
                markdown::row(out, &row(template))?;
            }
        }
        Format::Html => return Err(ReportError::OnlyOneRun),
    }
    Ok(())
}

/// Writes what became of templates, why where it failed, and the command that takes it back.
pub fn write_template_run(
    out: &mut dyn Write,
    run: &TemplateRun<'_>,
    format: Format,
    look: Look,
) -> Result<(), ReportError> {
    let rows = || run.changes.iter().map(change_row);
    match format {
        Format::Table => {
            if !run.changes.is_empty() {
                Grid::whole(out, &CHANGE_COLUMNS, &rows().collect::<Vec<_>>(), look)?;
                writeln!(out)?;
            }
            write_problems(out, run, look)?;
            writeln!(out, "{}", sentence(run))?;
            if let Some(back) = back(run) {
                writeln!(out, "\nNext\n  {back}    put it back")?;
            }
        }
        Format::Json => documents::run(out, run)?,
        Format::Csv => documents::run_csv(out, run)?,
        Format::Markdown => {
            markdown::header(out, &CHANGE_COLUMNS)?;
            for (cells, _) in rows() {
                markdown::row(out, &cells)?;
            }
        }
        Format::Html => return Err(ReportError::OnlyOneRun),
    }
    Ok(())
}

/// What can be done about a problem with a template.
///
/// A template cannot be default and inactive (Microsoft's list of web service error codes:
/// `CannotSetInactiveViewAsDefault`, 0x8004027b).
pub(super) fn template_hint(problem: &Problem) -> &'static str {
    if problem.code.as_deref() == Some("0x8004027b") {
        return "A default template cannot be inactive: first make it no default (`isdefault` false, in the \
            settings of the table's views); then new users no longer receive it at all.";
    }
    match problem.kind {
        ProblemKind::NoPrivilege
        | ProblemKind::AccessDenied
        | ProblemKind::NoReadPrivilege
        | ProblemKind::NoWritePrivilege => {
            "Templates are customisations: give the caller a role that may change them, such as System \
            Customizer. Nobody is impersonated here, so the caller's own rights count."
        }
        ProblemKind::ChangedMeanwhile => "Look at it with `syncfilters templates list`; run again.",
        ProblemKind::Gone => "Leave it: there is nothing left to set.",
        kind => hint(kind),
    }
}

fn write_problems(
    out: &mut dyn Write,
    run: &TemplateRun<'_>,
    look: Look,
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
        paragraph(out, &said, Tone::Bad, look)?;
        paragraph(out, template_hint(problem), Tone::Quiet, look)?;
        writeln!(out)?;
    }
    Ok(())
}

pub(super) fn count(run: &TemplateRun<'_>, fate: TemplateFate) -> usize {
    run.changes.iter().filter(|c| c.fate == fate).count()
}

fn sentence(run: &TemplateRun<'_>) -> String {
    let done = match run.wanted {
        State::Active => "activated",
        State::Inactive => "deactivated",
    };
    let parts = [
        (count(run, TemplateFate::Changed), done),
        (count(run, TemplateFate::Planned), "still to do"),
        (count(run, TemplateFate::Already), "as wanted already"),
        (count(run, TemplateFate::Failed), "failed"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
    if parts.is_empty() {
        "No template fits.".to_owned()
    } else {
        format!("Templates: {}.", parts.join(", "))
    }
}

/// The command that takes back what was changed; none where nothing was.
pub(super) fn back(run: &TemplateRun<'_>) -> Option<String> {
    let command = match run.wanted {
        State::Active => "deactivate",
        State::Inactive => "activate",
    };
    let changed = run
        .changes
        .iter()
        .filter(|change| change.fate == TemplateFate::Changed);
    let ids: Vec<_> = changed.map(|c| c.template.id.to_string()).collect();
    (!ids.is_empty()).then(|| format!("syncfilters templates {command} --only {}", ids.join(",")))
}

pub(super) const fn word(fate: TemplateFate) -> &'static str {
    match fate {
        TemplateFate::Planned => "planned",
        TemplateFate::Changed => "changed",
        TemplateFate::Already => "already",
        TemplateFate::Failed => "failed",
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

/// What new users do not receive is of less interest.
fn tone(template: &Template) -> Tone {
    if template.reaches_new_users() {
        Tone::Plain
    } else {
        Tone::Quiet
    }
}

fn change_row(change: &TemplateChange) -> (Vec<String>, Tone) {
    let template = &change.template;
    let cells = vec![
        clean(template.filter_type.as_str()).into_owned(),
        clean(&template.name).into_owned(),
        yes_no(template.default).to_owned(),
        state(template.now),
        word(change.fate).to_owned(),
    ];
    (cells, Tone::of_outcome(word(change.fate)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FilterType, Kind, Stage, TemplateId};
    use crate::report::support::PLAIN;
    use uuid::Uuid;

    fn template(n: u128, default: bool, state: State) -> Template {
        Template {
            id: TemplateId(Uuid::from_u128(n)),
            name: format!("Appointments template {n}\u{1b}[2J"),
            filter_type: FilterType::new("recurringappointmentmaster"),
            kind: Kind::Outlook,
            default,
            now: state.with_default_status(),
            etag: None,
        }
    }

    fn changes() -> Vec<TemplateChange> {
        let planned = |t| TemplateChange::planned(t, State::Inactive);
        let mut done = planned(template(1, false, State::Active));
        done.fate = TemplateFate::Changed;
        done.after = Some(done.wanted);
        let already = planned(template(2, false, State::Inactive));
        let mut refused = planned(template(3, true, State::Active));
        refused.fate = TemplateFate::Failed;
        let kind = ProblemKind::Refused;
        let mut problem = Problem::seen(Stage::Apply, kind, "The default view cannot be inactive.");
        problem.code = Some("0x8004027b".into());
        refused.problem = Some(problem);
        vec![done, already, refused]
    }

    fn shown(format: Format) -> String {
        let environment = "https://contoso.crm4.dynamics.com".parse().unwrap();
        let run = TemplateRun {
            environment: &environment,
            organization: "Contoso",
            wanted: State::Inactive,
            changes: &changes(),
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
            "Templates: 1 deactivated, 1 as wanted already, 1 failed.",
            "A default template cannot be inactive: first make it no default",
            "syncfilters templates activate --only 00000000-0000-0000-0000-000000000001 put it back",
        ] {
            assert!(unfolded.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn the_document_has_before_after_and_the_way_back() {
        let document: serde_json::Value = serde_json::from_str(&shown(Format::Json)).unwrap();
        assert_eq!(document["outcome"], "partial");
        assert_eq!(document["templates"][0]["before"]["state"], "active");
        assert_eq!(document["templates"][0]["after"]["state"], "inactive");
        assert_eq!(document["templates"][2]["problem"]["code"], "0x8004027b");
        assert!(document["back"].as_str().unwrap().ends_with("0001"));
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
