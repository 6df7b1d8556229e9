//! The totals and the outcome of a run, in words.

use crate::journal::{FilterTotals, Phase, RunHeader, UserTotals, WaveTotals};
use crate::model::{Operation, Outcome};
use crate::plan::Stakes;

use super::paint::Tone;
use super::text::{clean, count, number};

/// The outcome of the run, also where none was recorded.
pub(super) fn outcome(header: &RunHeader) -> Outcome {
    header.outcome.unwrap_or(match header.phase {
        Phase::Planned => Outcome::Planned,
        Phase::Finished => Outcome::Complete,
        Phase::Gathering | Phase::Surveying | Phase::Applying => Outcome::Stopped,
    })
}

/// The result of a wave, and what is left.
pub fn wave_line(wave: &WaveTotals, left: &Stakes) -> String {
    let next = left.wave.map_or(left.users, |wave| wave.users);
    format!(
        "Wave {}: {} changed, {} failed. {} left; next wave: {}.",
        wave.number,
        number(wave.changed),
        number(wave.failed),
        count(left.users, "user"),
        number(next)
    )
}

/// The operation of the run, for a heading.
pub(super) fn operation(header: &RunHeader) -> String {
    match &header.undoes {
        Some(run) => format!("undo of run {}", run.short()),
        None => header.operation.as_str().to_owned(),
    }
}

/// Environment, caller and subject of a run: names and values.
pub(super) fn facts(header: &RunHeader) -> Vec<(&'static str, String)> {
    let filters = match &header.undoes {
        Some(run) => format!("those that run {} changed", run.short()),
        None => header.criteria.describe(),
    };
    let users = match &header.undoes {
        Some(run) => format!("those whose filters run {} changed", run.short()),
        None => header.selection.describe(),
    };
    let organisation = clean(&header.organization.name).into_owned();
    let at = header.environment.to_string();
    [
        ("Environment", at),
        ("Organisation", organisation),
        ("Caller", header.caller.user.clone()),
        ("Users", users),
        ("Filters", filters),
    ]
    .map(|(name, value)| (name, clean(&value).into_owned()))
    .to_vec()
}

/// A short name of a filter type.
pub(super) fn short_type(filter_type: &str) -> std::borrow::Cow<'_, str> {
    match filter_type {
        "recurringappointmentmaster" => "recurring".into(),
        "serviceappointment" => "service".into(),
        other => clean(other),
    }
}

/// Numbers that are not zero, with their nouns.
pub(super) fn parts(parts: &[(u64, &str)]) -> String {
    let there: Vec<_> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{} {what}", number(*n)))
        .collect();
    match &there[..] {
        [] => String::new(),
        there => format!(": {}", there.join(", ")),
    }
}

/// The users by outcome.
pub(super) fn users(totals: &UserTotals) -> String {
    let UserTotals {
        selected,
        changed,
        unchanged,
        left,
        left_out,
        skipped,
        failed,
        planned,
    } = *totals;
    let outcomes = parts(&[
        (changed, "changed"),
        (left, "left alone"),
        (unchanged, "unchanged"),
        (left_out, "left out"),
        (skipped, "skipped"),
        (failed, "failed"),
        (planned, "to change"),
    ]);
    format!("{} selected{outcomes}", number(selected))
}

/// The users by what is planned.
pub(super) fn planned_users(totals: &UserTotals, not_surveyed: u64) -> String {
    let outcomes = parts(&[
        (totals.planned.saturating_sub(not_surveyed), "to change"),
        (totals.changed, "changed"),
        (totals.unchanged + totals.left, "with nothing to change"),
        (totals.left_out, "left out"),
        (totals.skipped, "skipped"),
        (totals.failed, "failed"),
        (not_surveyed, "not read yet"),
    ]);
    format!("{} selected{outcomes}", number(totals.selected))
}

/// The filters of a run by outcome.
pub(super) fn filters(totals: &FilterTotals, operation: Operation) -> String {
    let FilterTotals {
        surveyed,
        matching,
        changed,
        already,
        left,
        failed,
        planned,
        left_out,
    } = *totals;
    let outcomes = parts(&[
        (changed, "changed"),
        (already, already_so(operation)),
        (left, "left alone or gone"),
        (failed, "failed"),
        (planned, "to change"),
        (left_out, "left out"),
    ]);
    format!(
        "{} matching of {} read{outcomes}",
        number(matching),
        number(surveyed)
    )
}

/// The words for a filter that needed no change.
fn already_so(operation: Operation) -> &'static str {
    match operation {
        Operation::Deactivate => "already inactive",
        Operation::Reactivate => "already active",
        Operation::Undo => "as before or put back before",
    }
}

/// The outcome of the run, in one sentence.
pub(super) fn ending(
    header: &RunHeader,
    users: &UserTotals,
    filters: &FilterTotals,
) -> (String, Tone) {
    let did = match header.operation {
        Operation::Deactivate => "deactivated",
        Operation::Reactivate => "reactivated",
        Operation::Undo => "put back",
    };
    let done = format!("{} {did}", count(filters.changed, "filter"));
    let ahead = count(filters.planned, "filter");
    match (outcome(header), header.outcome) {
        (Outcome::Complete, _) => (format!("Complete: {done}."), Tone::Good),
        (Outcome::Partial, _) if users.failed == 0 => (
            format!("Finished: {done}. Some filters were left alone or are gone."),
            Tone::Warning,
        ),
        (Outcome::Partial, _) => {
            let failed = count(users.failed, "user");
            (format!("Finished: {done}. {failed} failed."), Tone::Bad)
        }
        (Outcome::Planned, _) if filters.planned == 0 => {
            ("Planned: nothing to change.".to_owned(), Tone::Good)
        }
        (Outcome::Planned, _) if filters.changed > 0 => (
            format!("Planned: {ahead} still to change; {done} before."),
            Tone::Plain,
        ),
        (Outcome::Planned, _) => (
            format!("Planned: {ahead} to change; nothing was changed yet."),
            Tone::Plain,
        ),
        (Outcome::Nothing, _) => ("Nothing to change.".to_owned(), Tone::Good),
        (Outcome::Stopped, Some(_)) if header.phase < Phase::Planned => (
            "Stopped while users and filters were being read; nothing was changed.".to_owned(),
            Tone::Warning,
        ),
        (Outcome::Stopped, Some(_)) => (
            format!("Stopped before the end: {done}, {ahead} still to change."),
            Tone::Warning,
        ),
        (Outcome::Stopped, None) => (
            format!("Not finished: {done} so far. It is still running, or was interrupted."),
            Tone::Warning,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::header;

    #[test]
    fn only_what_there_is_is_counted() {
        let totals = UserTotals {
            selected: 5_000,
            changed: 4_999,
            failed: 1,
            ..UserTotals::default()
        };
        assert_eq!(users(&totals), "5,000 selected: 4,999 changed, 1 failed");
        assert_eq!(users(&UserTotals::default()), "0 selected");
    }

    #[test]
    fn the_ending_is_said_in_one_sentence() {
        let users = UserTotals {
            failed: 1,
            ..UserTotals::default()
        };
        let filters = FilterTotals {
            changed: 2,
            planned: 1,
            ..FilterTotals::default()
        };
        let said = |operation, phase, outcome, users: &UserTotals| {
            let header = RunHeader {
                phase,
                outcome,
                ..header(operation)
            };
            ending(&header, users, &filters).0
        };
        let none = UserTotals::default();
        let planned = RunHeader {
            phase: Phase::Planned,
            ..header(Operation::Deactivate)
        };
        let one = FilterTotals {
            planned: 1,
            ..FilterTotals::default()
        };
        assert_eq!(
            [&FilterTotals::default(), &one].map(|filters| ending(&planned, &none, filters).0),
            [
                "Planned: nothing to change.",
                "Planned: 1 filter to change; nothing was changed yet."
            ]
        );
        let finished = Phase::Finished;
        for (text, expected) in [
            (
                said(
                    Operation::Deactivate,
                    finished,
                    Some(Outcome::Complete),
                    &none,
                ),
                "Complete: 2 filters deactivated.",
            ),
            (
                said(Operation::Undo, finished, Some(Outcome::Partial), &users),
                "Finished: 2 filters put back. 1 user failed.",
            ),
            (
                said(
                    Operation::Reactivate,
                    Phase::Applying,
                    Some(Outcome::Stopped),
                    &none,
                ),
                "Stopped before the end: 2 filters reactivated, 1 filter still to change.",
            ),
            (
                said(Operation::Deactivate, Phase::Applying, None, &none),
                "Not finished: 2 filters deactivated so far. It is still running, or was interrupted.",
            ),
            (
                said(Operation::Deactivate, Phase::Planned, None, &none),
                "Planned: 1 filter still to change; 2 filters deactivated before.",
            ),
        ] {
            assert_eq!(text, expected);
        }
    }
}
