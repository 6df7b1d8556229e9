//! Templates and their outcomes, for programs.

use std::io::Write;

use serde::Serialize;

use crate::model::{
    Operation, RowOutcome, RunId, State, Status, Target, Template, TemplateId, TemplateState,
};
use crate::plan::TemplateChange;

use super::cell::{cell, maybe};
use super::json::{FORMAT, write_json};
use super::template_run::{TemplateRun, back, count, template_hint};
use super::{ReportError, phrases};

pub(super) fn list(out: &mut dyn Write, templates: &[Template]) -> Result<(), ReportError> {
    let templates = templates.iter().map(Entry::of).collect();
    let format = FORMAT;
    Ok(write_json(out, &List { format, templates })?)
}

pub(super) fn list_csv(out: &mut dyn Write, templates: &[Template]) -> Result<(), ReportError> {
    csv_lines(out, &HEADER, templates.iter().map(csv_line))
}

/// Writes the outcomes of templates as one JSON document.
pub(super) fn run(out: &mut dyn Write, run: &TemplateRun<'_>) -> Result<(), ReportError> {
    Ok(write_json(out, &Document::of(run))?)
}

pub(super) fn run_csv(out: &mut dyn Write, run: &TemplateRun<'_>) -> Result<(), ReportError> {
    let more = [
        "wanted",
        "outcome",
        "problem",
        "code",
        "message",
        "wanted_default",
        "after_default",
        "after_state",
        "after_status",
    ];
    let header = [&HEADER[..], &more].concat();
    csv_lines(out, &header, run.changes.iter().map(csv_change))
}

const HEADER: [&str; 7] = ["id", "name", "type", "kind", "default", "state", "status"];

#[derive(Serialize)]
struct List<'a> {
    format: u32,
    templates: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: TemplateId,
    name: &'a str,
    #[serde(rename = "type")]
    filter_type: &'a str,
    kind: &'static str,
    default: bool,
    state: State,
    status: Status,
}

impl<'a> Entry<'a> {
    fn of(template: &'a Template) -> Self {
        Self {
            id: template.id,
            name: &template.name,
            filter_type: template.filter_type.as_str(),
            kind: template.kind.as_str(),
            default: template.default,
            state: template.now.state,
            status: template.now.status,
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    /// None where nothing was to be done.
    run: Option<&'a RunId>,
    target: Target,
    operation: &'static str,
    undoes: Option<&'a RunId>,
    outcome: &'static str,
    environment: Environment<'a>,
    templates: Vec<Changed<'a>>,
    /// One command per line: templates that were defaults are restored by another command than others.
    back: Option<String>,
}

#[derive(Serialize)]
struct Environment<'a> {
    url: String,
    organization: &'a str,
}

#[derive(Serialize)]
struct Changed<'a> {
    id: TemplateId,
    name: &'a str,
    #[serde(rename = "type")]
    filter_type: &'a str,
    kind: &'static str,
    default: bool,
    before: TemplateState,
    wanted: TemplateState,
    after: Option<TemplateState>,
    outcome: &'static str,
    problem: Option<Trouble<'a>>,
}

#[derive(Serialize)]
struct Trouble<'a> {
    kind: &'static str,
    code: Option<&'a str>,
    message: &'a str,
    hint: &'static str,
    request_id: Option<&'a str>,
}

impl<'a> Document<'a> {
    fn of(run: &'a TemplateRun<'a>) -> Self {
        let some = |outcome| count(run, outcome) > 0;
        let header = run.run.map(|(header, _)| header);
        let outcome = if let Some(header) = header {
            phrases::outcome(header).as_str()
        } else if some(RowOutcome::Planned) {
            "planned"
        } else {
            "nothing"
        };
        Self {
            format: FORMAT,
            run: header.map(|header| &header.id),
            target: Target::Templates,
            operation: match run.operation {
                Operation::Reactivate => "activate",
                Operation::Deactivate => "deactivate",
                Operation::Undo => "undo",
            },
            undoes: header.and_then(|header| header.undoes.as_ref()),
            outcome,
            environment: Environment {
                url: run.environment.clone(),
                organization: run.organization,
            },
            templates: run.changes.iter().map(Changed::of).collect(),
            back: Some(back(run).join("\n")).filter(|back| !back.is_empty()),
        }
    }
}

impl<'a> Changed<'a> {
    fn of(change: &'a TemplateChange) -> Self {
        let template = &change.template;
        Self {
            id: template.id,
            name: &template.name,
            filter_type: template.filter_type.as_str(),
            kind: template.kind.as_str(),
            default: template.default,
            before: template.state(),
            wanted: change.wanted,
            after: change.after.as_ref().map(|after| after.state),
            outcome: change.outcome.as_str(),
            problem: change.problem.as_ref().map(|problem| Trouble {
                kind: problem.kind.as_str(),
                code: problem.code.as_deref(),
                message: &problem.message,
                hint: template_hint(problem),
                request_id: problem.request_id.as_deref(),
            }),
        }
    }
}

fn csv_lines(
    out: &mut dyn Write,
    header: &[&str],
    lines: impl Iterator<Item = Vec<String>>,
) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(header)?;
    for line in lines {
        csv.write_record(line)?;
    }
    Ok(csv.flush()?)
}

fn csv_line(template: &Template) -> Vec<String> {
    vec![
        template.id.to_string(),
        cell(&template.name),
        cell(template.filter_type.as_str()),
        template.kind.as_str().to_owned(),
        template.default.to_string(),
        template.now.state.as_str().to_owned(),
        template.now.status.to_string(),
    ]
}

fn csv_change(change: &TemplateChange) -> Vec<String> {
    let problem = change.problem.as_ref();
    let after = change.after.as_ref().map(|after| after.state);
    let mut line = csv_line(&change.template);
    line.extend([
        change.wanted.state.as_str().to_owned(),
        change.outcome.to_string(),
        maybe(problem.map(|p| p.kind.as_str())),
        maybe(problem.and_then(|p| p.code.as_ref())),
        problem.map_or_else(String::new, |p| cell(&p.message)),
        change.wanted.default.to_string(),
        maybe(after.map(|after| after.default.to_string())),
        maybe(after.map(|after| after.state.as_str())),
        maybe(after.map(|after| after.status.to_string())),
    ]);
    line
}
