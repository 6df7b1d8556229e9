//! Cells of a run, a problem and a change, in every form for people.

use jiff::tz::TimeZone;

use crate::journal::{ChangeRow, ProblemRow, RunHeader};

use super::grid::Column;
use super::phrases;
use super::problems::OVER;
use super::text::{clean, minute, state};

pub(super) const PROBLEMS: [Column; 3] = [
    Column::text("User", 16, 36),
    Column::text("Kind", 20, 20),
    Column::text("Message", 20, 100),
];

pub(super) const CHANGES: [Column; 5] = [
    Column::text("User", 12, 36),
    Column::text("Type", 12, 26),
    Column::text("Name", 12, 36),
    Column::text("Change", 17, 36),
    Column::text("Outcome", 8, 8),
];

pub(super) fn title(header: &RunHeader) -> String {
    format!("Run {}: {}", header.id.short(), phrases::operation(header))
}

/// Identity and times of a run: names and values.
pub(super) fn facts_of(header: &RunHeader, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let ended = header.finished.map(|at| minute(at, zone));
    let mut facts = phrases::facts(header);
    facts.push(("Started", minute(header.started, zone)));
    facts.push(("Ended", ended.unwrap_or_else(|| "not yet".to_owned())));
    facts
}

pub(super) fn problem_cells(row: &ProblemRow) -> [String; 3] {
    let mut notes = Vec::new();
    notes.extend(row.code.clone());
    notes.extend(row.request_id.as_ref().map(|id| format!("request {id}")));
    let mut notes = match &notes[..] {
        [] => String::new(),
        notes => format!(" ({})", notes.join(", ")),
    };
    if row.over {
        notes.push_str(". ");
        notes.push_str(OVER);
    }
    [
        clean(&row.user).into_owned(),
        row.kind.as_str().to_owned(),
        clean(&format!("{}{notes}", row.message)).into_owned(),
    ]
}

pub(super) fn change_cells(row: &ChangeRow) -> [String; 5] {
    let name = if row.name.is_empty() {
        row.filter.to_string()
    } else {
        clean(&row.name).into_owned()
    };
    [
        clean(&row.user).into_owned(),
        phrases::short_type(row.filter_type.as_str()).into_owned(),
        name,
        format!("{} → {}", state(row.before), state(row.wanted)),
        row.outcome.as_str().to_owned(),
    ]
}
