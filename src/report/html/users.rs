//! Every user, with every change and every problem, read while it is written.

use std::io::{self, Write};

use jiff::tz::TimeZone;

use crate::journal::{ChangeRow, EvidenceUser, ProblemRow, View};
use crate::model::UserOutcome;
use crate::report::problems::OVER;
use crate::report::text::{count, second, state};
use crate::report::user_choice::FoundChoice;
use crate::report::{ReportError, ShownUsers, hint};

use super::escape::Text;

/// Writes the list of users.
pub(super) fn write_people(
    out: &mut dyn Write,
    (view, found): (&View<'_>, &FoundChoice<'_>),
    zone: &TimeZone,
) -> Result<ShownUsers, ReportError> {
    found.each_user(view, |user| {
        let changes = view.changes_of(user.seq)?;
        let problems = view.problems_of(user.seq)?;
        Ok(write_user(out, &user, &changes, &problems, zone)?)
    })
}

fn write_user(
    out: &mut dyn Write,
    user: &EvidenceUser,
    changes: &[ChangeRow],
    problems: &[ProblemRow],
    zone: &TimeZone,
) -> io::Result<()> {
    let said = match user.outcome {
        UserOutcome::Planned => "to change",
        outcome => outcome.as_str(),
    };
    let open = match user.outcome {
        UserOutcome::Failed => " open",
        _ => "",
    };
    let mut notes = Vec::new();
    if !changes.is_empty() {
        notes.push(count(changes.len() as u64, "filter"));
    }
    let standing = problems.iter().find(|problem| !problem.over);
    notes.extend(standing.map(|problem| problem.kind.to_string()));
    writeln!(
        out,
        "<details class=\"user {}\"{open}><summary><b>{}</b> <i>{said}</i> <small>{}</small></summary>\n\
         <p class=\"id\">{}{}</p>",
        user.outcome,
        Text(&user.user),
        notes.join(", "),
        user.id,
        Text(
            user.unit
                .as_ref()
                .map_or_else(String::new, |unit| format!(", {unit}"))
        )
    )?;
    for problem in problems {
        write_problem(out, problem)?;
    }
    write_changes(out, changes, zone)?;
    writeln!(out, "</details>")
}

fn write_problem(out: &mut dyn Write, problem: &ProblemRow) -> io::Result<()> {
    let mut notes = vec![format!("stage {}", problem.stage)];
    notes.extend(problem.code.as_ref().map(|code| format!("code {code}")));
    notes.extend(
        problem
            .request_id
            .as_ref()
            .map(|id| format!("request {id}")),
    );
    notes.extend(problem.filter.map(|id| format!("filter {id}")));
    let (class, advice) = if problem.over {
        ("problem over", OVER)
    } else {
        ("problem", hint(problem.kind))
    };
    writeln!(
        out,
        "<p class=\"{class}\"><b>{}</b>: {} <small>({})</small><br>{}</p>",
        problem.kind,
        Text(&problem.message),
        Text(notes.join(", ")),
        Text(advice)
    )
}

fn write_changes(out: &mut dyn Write, changes: &[ChangeRow], zone: &TimeZone) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    writeln!(out, "<table class=\"changes\">")?;
    for row in changes {
        let at = row.at.map_or_else(String::new, |at| {
            format!("<time datetime=\"{at}\">{}</time>", second(at, zone))
        });
        writeln!(
            out,
            "<tr><td>{}<td>{}<br><small>{}</small><td>{} → {}<td>{}<td>{at}",
            Text(row.filter_type.as_str()),
            Text(&row.name),
            row.filter,
            Text(state(row.before)),
            Text(state(row.wanted)),
            row.outcome
        )?;
    }
    writeln!(out, "</table>")
}
