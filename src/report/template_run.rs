//! The result of setting templates, and the next commands.

use crate::journal::{RunHeader, RunRef};
use crate::model::{Operation, Outcome, Problem, ProblemKind, RowOutcome, State};
use crate::plan::TemplateChange;

use super::run_command::RunCommand;
use super::{hint, phrases};

/// The data of setting templates.
#[derive(Clone, Debug)]
pub struct TemplateRun<'a> {
    /// The name or address of the environment.
    pub environment: String,
    /// The name of the organisation.
    pub organization: &'a str,
    /// What was done.
    pub operation: Operation,
    /// The templates with their outcomes.
    pub changes: &'a [TemplateChange],
    /// The run, and its name in commands; none where nothing was to be done.
    pub run: Option<(&'a RunHeader, &'a RunRef)>,
}

pub(super) fn count(run: &TemplateRun<'_>, outcome: RowOutcome) -> usize {
    run.changes.iter().filter(|c| c.outcome == outcome).count()
}

/// What can be done about a problem with a template.
///
/// A template cannot be default and inactive, and each type and kind has one default (Microsoft's list of web service
/// error codes: `CannotSetInactiveViewAsDefault`, `CannotHaveMultipleDefaultFilterTemplates`).
pub(super) fn template_hint(problem: &Problem) -> &'static str {
    match problem.code.as_deref() {
        Some("0x8004027b") => {
            return "A default template cannot be inactive: `--clear-default` also clears the default flag; then new \
                users no longer receive it.";
        }
        Some("0x8004027d") => {
            return "Another template of this type and kind is the default: `syncfilters templates list` shows which; \
                set that one with `--clear-default` first.";
        }
        _ => {}
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

/// The next commands, with their purposes.
pub(super) fn next(run: &TemplateRun<'_>) -> Vec<(String, &'static str)> {
    let Some((header, reference)) = run.run else {
        return Vec::new();
    };
    let resume = match phrases::outcome(header) {
        Outcome::Stopped => Some("resume the run"),
        Outcome::Partial if count(run, RowOutcome::Failed) > 0 => Some("try again what failed"),
        _ => None,
    };
    let resume = resume.map(|why| (RunCommand::Resume.of(reference), why));
    let may_undo = run.changes.iter().any(|change| change.undone().is_some());
    let undo = may_undo && header.operation != Operation::Undo;
    let undo = undo.then(|| (RunCommand::Undo.of(reference), "undo the run"));
    resume.into_iter().chain(undo).collect()
}

/// The commands that restore what was changed, one for all templates with the same flags; none where nothing was.
///
/// Each contains the former state of the templates, and `--default` or `--clear-default` where that was changed too.
pub(super) fn back(run: &TemplateRun<'_>) -> Vec<String> {
    let mut ways: Vec<(CommandAndFlag, Vec<String>)> = Vec::new();
    for change in run.changes {
        let Some(way) = way_back(change) else {
            continue;
        };
        let id = change.template.id.to_string();
        match ways.iter_mut().find(|(other, _)| *other == way) {
            Some((_, ids)) => ids.push(id),
            None => ways.push((way, vec![id])),
        }
    }
    let command = |((command, flag), ids): (CommandAndFlag, Vec<String>)| {
        format!(
            "syncfilters templates {command} --only {}{flag}",
            ids.join(",")
        )
    };
    ways.into_iter().map(command).collect()
}

/// The command, and its flag after a space.
pub(super) type CommandAndFlag = (&'static str, &'static str);

/// How to restore a template. One that failed after the first of two writes is restored as well.
pub(super) fn way_back(change: &TemplateChange) -> Option<CommandAndFlag> {
    let before = change.template.state();
    let seen = change.after.as_ref().map(|after| after.state);
    let after = match (change.outcome, seen) {
        (RowOutcome::Changed, after) => after.unwrap_or(change.wanted),
        (RowOutcome::Failed, Some(after)) if change.is_halfway() => after,
        _ => return None,
    };
    let command = match before.state {
        State::Active => "activate",
        State::Inactive => "deactivate",
    };
    let flag = match (before.default, after.default) {
        (true, false) => " --default",
        (false, true) => " --clear-default",
        _ => "",
    };
    Some((command, flag))
}
