//! The first screen of the page: what was done, for how many users, where and by whom, and four figures.

use std::io::{self, Write};

use jiff::tz::TimeZone;

use crate::journal::{RunHeader, States};
use crate::model::{Operation, Outcome, RunId};
use crate::report::impact::ImpactReport;
use crate::report::phrases;
use crate::report::summary::{Totals, undone_words};
use crate::report::text::{capital, count, minute, number, span};

use super::escape::Text;

/// The types that users call appointments.
const APPOINTMENTS: [&str; 3] = [
    "appointment",
    "recurringappointmentmaster",
    "serviceappointment",
];

/// The result for the calendars, in one sentence.
pub(super) fn headline(totals: &Totals, types: &[States]) -> String {
    let Totals { header, users, .. } = totals;
    let only_appointments = types
        .iter()
        .all(|of| APPOINTMENTS.contains(&of.name.as_str()));
    let what = if only_appointments {
        "Appointment synchronisation"
    } else {
        "Synchronisation"
    };
    let how = match header.operation {
        Operation::Deactivate => "switched off",
        Operation::Reactivate => "switched on",
        Operation::Undo => "put back as it was",
    };
    let of = |number_of| format!("{} of {}", number(number_of), count(users.selected, "user"));
    let but = totals.stays.as_ref().map_or_else(String::new, |stays| {
        let filters = count(stays.filters, "filter");
        format!(
            ", without {filters} that undo {} put back",
            stays.by.short()
        )
    });
    match phrases::outcome(header) {
        Outcome::Nothing => format!(
            "{what}: nothing to change for {}",
            count(users.selected, "user")
        ),
        Outcome::Planned if users.changed == 0 => {
            format!(
                "{what} to be {how} for {}: nothing was changed yet",
                of(users.planned)
            )
        }
        Outcome::Planned | Outcome::Stopped => {
            format!("{what} {how} for {} so far{but}", of(users.changed))
        }
        Outcome::Complete | Outcome::Partial => {
            format!("{what} {how} for {}{but}", of(users.changed))
        }
    }
}

/// Environment, caller, time and duration, on one line.
fn place_and_time(totals: &Totals, zone: &TimeZone) -> String {
    let header = &totals.header;
    let RunHeader {
        organization,
        environment,
        caller,
        started,
        ..
    } = header;
    let started = minute(*started, zone);
    let ended = match header.finished.map(|at| minute(at, zone)) {
        None => ", not ended".to_owned(),
        Some(ended) if ended == started => String::new(),
        Some(ended) => format!(" to {ended}"),
    };
    let offset = zone.to_offset(header.started);
    let worked = match totals.worked.as_secs() {
        0 => String::new(),
        _ => format!(", {} of work", span(totals.worked)),
    };
    format!(
        "{}, {environment}, by {}, {started}{ended} UTC{offset}{worked}. Run {}.",
        organization.name,
        caller.user,
        header.id.short(),
    )
}

/// A figure with its noun and a remark.
struct Tile {
    /// The CSS class.
    class: &'static str,
    figure: String,
    what: String,
    remark: String,
}

fn tiles(totals: &Totals, impact_report: &ImpactReport) -> [Tile; 4] {
    let Totals {
        header,
        users,
        filters,
        ..
    } = totals;
    let tile = |class, figure: u64, what: &str, remark| Tile {
        class: if figure == 0 { "" } else { class },
        figure: number(figure),
        what: what.to_owned(),
        remark,
    };
    let first = match phrases::outcome(header) {
        Outcome::Planned if users.changed == 0 => tile(
            "changed",
            users.planned,
            "users to change",
            count(filters.planned, "filter"),
        ),
        _ => tile(
            "changed",
            users.changed,
            "users changed",
            count(filters.changed, "filter"),
        ),
    };
    let left = users.skipped + users.left + users.left_out;
    let parts = phrases::parts(&[
        (users.skipped, "skipped"),
        (users.left, "left alone"),
        (users.left_out, "left out"),
        (users.unchanged, "more with nothing to change"),
    ]);
    let items = match &impact_report.impact {
        Some(impact) => Tile {
            class: if impact.items == 0 { "" } else { "left" },
            figure: format!("{}{}", impact.bound.words(), number(impact.items)),
            what: "coming calendar items".to_owned(),
            remark: format!(
                "of {}, selected by no filter afterwards",
                count(impact.users, "user")
            ),
        },
        None => Tile {
            class: "",
            figure: "–".to_owned(),
            what: "calendar items".to_owned(),
            remark: "not counted".to_owned(),
        },
    };
    [
        first,
        tile(
            "failed",
            users.failed,
            "users failed",
            count(filters.failed, "filter"),
        ),
        tile(
            "left",
            left,
            "users left or skipped",
            parts.trim_start_matches(": ").to_owned(),
        ),
        items,
    ]
}

/// What is above the figures.
pub(super) struct Heading<'a> {
    /// The headline.
    pub(super) text: &'a str,
    /// Its level, from 1.
    pub(super) level: u8,
    /// How the run stands, for whoever knows that better than its file.
    pub(super) standing: Option<&'a str>,
    /// The run that was begun to undo it.
    pub(super) undone_by: Option<RunId>,
}

/// Writes the headline, the lines below it and the figures.
pub(super) fn write_first(
    out: &mut dyn Write,
    heading: &Heading<'_>,
    totals: &Totals,
    impact_report: &ImpactReport,
    zone: &TimeZone,
) -> io::Result<()> {
    let header = &totals.header;
    let (ending, _) = phrases::ending(header, &totals.users, &totals.filters);
    let ending = heading.standing.unwrap_or(&ending);
    let (headline, level) = (heading.text, heading.level);
    writeln!(
        out,
        "<h{level}>{}</h{level}>\n<p class=\"where\">{}</p>\n<p class=\"ending\">{}</p>",
        Text(headline),
        Text(place_and_time(totals, zone)),
        Text(ending),
    )?;
    if let Some(by) = &heading.undone_by {
        let words = capital(&undone_words(by));
        writeln!(out, "<p class=\"ending\">{}.</p>", Text(words))?;
    }
    writeln!(out, "<div class=\"tiles\">")?;
    for Tile {
        class,
        figure,
        what,
        remark,
    } in tiles(totals, impact_report)
    {
        writeln!(
            out,
            "<div class=\"tile {class}\"><b>{}</b><span>{}</span><small>{}</small></div>",
            Text(&figure),
            Text(&what),
            Text(&remark)
        )?;
    }
    writeln!(out, "</div>")
}
