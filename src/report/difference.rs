//! How a saved plan differs from the environment.

use jiff::tz::TimeZone;

use crate::plan::DriftKind;
use crate::rollout::{Drift, DriftedFilter};

use super::grid::{self, Column, Grid};
use super::paint::Tone;
use super::text::{clean, count, minute, number, state};
use super::writer::{StyledWrite, paint_line};
use super::{ReportError, Style, phrases};

const COLUMNS: [Column; 4] = [
    Column::text("User", 20, 30),
    Column::text("Type", 11, 26),
    Column::text("Since the plan", 17, 36),
    Column::text("Changed by", 20, 48),
];

/// Writes the differences between a plan and the one made again, for people.
pub fn write_differences(
    out: &mut dyn StyledWrite,
    differences: &Drift,
    style: Style,
) -> Result<(), ReportError> {
    write(out, differences, style, &TimeZone::system())
}

/// The same without a table: a line about all, and one for each example.
pub fn difference_lines(differences: &Drift) -> Vec<String> {
    let mut lines = vec![title(differences)];
    let zone = TimeZone::system();
    for drifted in &differences.examples {
        let (cells, _) = row(drifted, &zone);
        let cells: Vec<_> = cells.into_iter().filter(|cell| !cell.is_empty()).collect();
        lines.push(cells.join(", "));
    }
    lines.extend(unread(differences));
    lines
}

/// Users who could not be read again; none where everybody could be.
fn unread(differences: &Drift) -> Option<String> {
    (differences.unread > 0).then(|| {
        format!(
            "{} could not be read again; what is planned there stays as it was.",
            count(differences.unread, "user")
        )
    })
}

fn write(
    out: &mut dyn StyledWrite,
    differences: &Drift,
    style: Style,
    zone: &TimeZone,
) -> Result<(), ReportError> {
    let title = title(differences);
    grid::paragraph(out, &title, Tone::Strong, style)?;
    writeln!(out)?;
    let rows: Vec<_> = differences.examples.iter().map(|m| row(m, zone)).collect();
    if !rows.is_empty() {
        Grid::whole(out, &COLUMNS, &rows, style)?;
        let shown = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if let Some(more @ 1..) = differences.total().checked_sub(shown) {
            let text = format!("… and {} more", number(more));
            paint_line(out, Tone::Dimmed, &text)?;
        }
        writeln!(out)?;
    }
    if let Some(text) = unread(differences) {
        grid::paragraph(out, &text, Tone::Warning, style)?;
        writeln!(out)?;
    }
    Ok(())
}

fn title(differences: &Drift) -> String {
    let Drift {
        users,
        other,
        gone,
        new,
        unread: _,
        examples: _,
    } = *differences;
    if differences.total() == 0 {
        return "Everything is as the plan says.".to_owned();
    }
    let parts = phrases::parts(&[
        (other, "in another state"),
        (gone, "gone"),
        (new, "not in the plan"),
    ]);
    format!(
        "Not as the plan says: {} of {}{parts}. These users are planned anew.",
        count(differences.total(), "filter"),
        count(users, "user"),
    )
}

fn row(drifted: &DriftedFilter, zone: &TimeZone) -> (Vec<String>, Tone) {
    let now = match drifted.kind {
        DriftKind::Other { planned, now } => format!("{} → {}", state(planned), state(now)),
        DriftKind::Gone { planned } => format!("{} → gone", state(planned)),
        DriftKind::New { now } => format!("new, {}", state(now)),
    };
    let by = drifted
        .changed_by
        .as_deref()
        .map(|by| clean(by).into_owned());
    let at = drifted.modified.on.map(|at| minute(at, zone));
    let by_and_at: Vec<_> = by.into_iter().chain(at).collect();
    let cells = vec![
        clean(&drifted.user).into_owned(),
        phrases::short_type(drifted.filter_type.as_str()).into_owned(),
        now,
        by_and_at.join(", "),
    ];
    (cells, Tone::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FilterId, FilterType, Modification, State};
    use crate::report::test_runs::{PLAIN, STARTED};
    use jiff::Timestamp;
    use uuid::Uuid;

    fn drifted(user: &str, of_type: &str, kind: DriftKind, by: Option<&str>) -> DriftedFilter {
        let on = by.map(|_| Timestamp::from_millisecond(STARTED).unwrap());
        DriftedFilter {
            user: user.into(),
            filter: FilterId(Uuid::from_u128(1)),
            filter_type: FilterType::new(of_type),
            kind,
            modified: Modification {
                on,
                ..Modification::default()
            },
            changed_by: by.map(str::to_owned),
        }
    }

    fn shown(differences: &Drift) -> String {
        let mut out = Vec::new();
        write(&mut out, differences, PLAIN, &TimeZone::UTC).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_filter_is_shown_as_it_was_planned_as_it_is_and_by_whom() {
        let active = State::Active.with_default_status();
        let inactive = State::Inactive.with_default_status();
        let switched = DriftKind::Other {
            planned: active,
            now: inactive,
        };
        let by = Some("boss\u{1b}@contoso.example");
        let differences = Drift {
            users: 2,
            other: 1,
            gone: 1,
            new: 3,
            unread: 1,
            examples: vec![
                drifted("ada@contoso.example", "appointment", switched, by),
                drifted(
                    "ada@contoso.example",
                    "recurringappointmentmaster",
                    DriftKind::Gone { planned: active },
                    None,
                ),
                drifted(
                    "ben@contoso.example",
                    "serviceappointment",
                    DriftKind::New { now: active },
                    Some("ben@contoso.example"),
                ),
            ],
        };
        insta::assert_snapshot!(shown(&differences), @r"
        Not as the plan says: 5 filters of 2 users: 1 in another state, 1 gone, 3 not in
        the plan. These users are planned anew.

        User                 Type         Since the plan     Changed by
        ada@contoso.example  appointment  active → inactive  boss·@contoso.example,
                                                             2026-11-24 14:04
        ada@contoso.example  recurring    active → gone
        ben@contoso.example  service      new, active        ben@contoso.example,
                                                             2026-11-24 14:04
        … and 2 more

        1 user could not be read again; what is planned there stays as it was.
        ");
    }

    #[test]
    fn a_plan_that_fits_says_so_in_a_sentence() {
        let none = Drift::default();
        assert_eq!(shown(&none), "Everything is as the plan says.\n\n");
    }
}
