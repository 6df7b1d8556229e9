//! Parts of a report besides the users: states before and after, and the run over time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::journal::{ReadError, Requests, States, TimeBucket, Timeline, View};

use super::grid::Column;
use super::text::{clean, count, number, second, span};

/// Business units that are shown separately; the others are added up. A chart with more is hard to read.
const UNITS: usize = 12;
/// The approximate number of time buckets in a chart: as many as a terminal has columns.
const BARS: u32 = 80;
/// The approximate number of time buckets in a table: half a printed page.
const ROWS: u32 = 20;

/// The columns of states, without the first.
pub(super) const STATES: [Column; 6] = [
    Column::number("Active before"),
    Column::number("Inactive before"),
    Column::number("Active after"),
    Column::number("Inactive after"),
    Column::number("Gone"),
    Column::number("Not known"),
];

/// The columns of the run over time.
pub(super) const TIMES: [Column; 5] = [
    Column::text("From", 19, 40),
    Column::number("Filters changed"),
    Column::number("Requests"),
    Column::number("Throttled"),
    Column::number("Made again"),
];

/// The data of these parts, read at the same state of the file as the totals.
pub(super) struct Evidence {
    /// By filter type.
    pub(super) types: Vec<States>,
    /// By business unit, the largest first; none where no unit is known.
    pub(super) units: Vec<States>,
    /// Over time, for a chart.
    pub(super) bars: Timeline,
    /// Over time, for a table.
    pub(super) rows: Timeline,
}

impl Evidence {
    pub(super) fn read(view: &View<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            types: named(view.states_by_type()?, "type not known"),
            units: biggest(view.states_by_unit()?),
            bars: view.timeline(BARS)?,
            rows: view.timeline(ROWS)?,
        })
    }

    /// The note where there are filters and no user's business unit is known.
    pub(super) fn no_units(&self) -> Option<&'static str> {
        (self.units.is_empty() && !self.types.is_empty()).then_some(
            "Not known: the run was recorded by an older version, which did not keep the users' business units.",
        )
    }
}

fn named(mut states: Vec<States>, unknown: &str) -> Vec<States> {
    for of in &mut states {
        if of.name.is_empty() {
            unknown.clone_into(&mut of.name);
        }
    }
    states
}

/// The first units by name, and the others added up.
fn biggest(mut units: Vec<States>) -> Vec<States> {
    if units.iter().all(|unit| unit.name.is_empty()) {
        return Vec::new();
    }
    // A single other unit is shown by name.
    if units.len() > UNITS + 1 {
        let rest = units.split_off(UNITS);
        let name = count(u64::try_from(rest.len()).unwrap_or(u64::MAX), "other unit");
        units.push(rest.iter().fold(
            States {
                name,
                ..States::default()
            },
            added,
        ));
    }
    named(units, "unit not known")
}

fn added(sum: States, more: &States) -> States {
    States {
        name: sum.name,
        active_before: sum.active_before + more.active_before,
        inactive_before: sum.inactive_before + more.inactive_before,
        active_after: sum.active_after + more.active_after,
        inactive_after: sum.inactive_after + more.inactive_after,
        gone: sum.gone + more.gone,
        unknown: sum.unknown + more.unknown,
    }
}

pub(super) fn states_cells(of: &States) -> [String; 7] {
    [
        clean(&of.name).into_owned(),
        number(of.active_before),
        number(of.inactive_before),
        number(of.active_after),
        number(of.inactive_after),
        number(of.gone),
        number(of.unknown),
    ]
}

/// A time bucket as a row.
pub(super) fn time_cells(of: &TimeBucket, zone: &TimeZone) -> [String; 5] {
    let rest = match of.pause {
        0 => String::new(),
        _ => format!(" (after a pause of {})", lasting(of.pause)),
    };
    let Requests {
        total,
        throttled,
        retried,
    } = of.requests;
    [
        format!("{}{rest}", at(of.from, zone)),
        number(of.changes),
        number(total),
        number(throttled),
        number(retried),
    ]
}

/// A time of a run, from milliseconds.
pub(super) fn at(millisecond: i64, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(millisecond).map_or_else(|_| String::new(), |at| second(at, zone))
}

/// A length of time, from milliseconds.
pub(super) fn lasting(milliseconds: i64) -> String {
    span(std::time::Duration::from_millis(
        milliseconds.unsigned_abs(),
    ))
}

/// Sentences on the run over time: the highest pace, the inactive times, and what is not known.
pub(super) fn sentences(timeline: &Timeline) -> Vec<String> {
    let buckets = &timeline.buckets;
    let mut said = Vec::new();
    let most = |of: fn(&TimeBucket) -> u64| buckets.iter().map(of).max().unwrap_or(0);
    let changed = most(|one| one.changes);
    let asked = most(|one| one.requests.total);
    let length = lasting(timeline.width);
    if changed > 0 {
        let changed = count(changed, "filter");
        said.push(format!("At most {changed} changed in {length}."));
    }
    if asked > 0 {
        let throttled: u64 = buckets.iter().map(|one| one.requests.throttled).sum();
        let throttled = match throttled {
            0 => "none was throttled".to_owned(),
            n => format!("{} throttled in all", number(n)),
        };
        let asked = count(asked, "request");
        said.push(format!("At most {asked} in {length}, {throttled}."));
    }
    let rests: Vec<_> = buckets.iter().filter(|one| one.pause > 0).collect();
    if let [first, ..] = &rests[..] {
        let longest = rests.iter().map(|one| one.pause).max();
        let rested = count(u64::try_from(rests.len()).unwrap_or(u64::MAX), "rest");
        let longest = lasting(longest.unwrap_or(first.pause));
        said.push(format!(
            "{rested} in between, the longest of {longest}, left out here."
        ));
    }
    if timeline.undated > 0 {
        let undated = count(timeline.undated, "request");
        said.push(format!(
            "It is not known when {undated} were made: an older version, which did not keep it, recorded that part of the run."
        ));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(n: u64) -> Vec<States> {
        let unit = |n| States {
            name: format!("unit {n}"),
            active_before: 100 - n,
            inactive_after: 1,
            ..States::default()
        };
        (1..=n).map(unit).collect()
    }

    #[test]
    fn small_units_are_added_up_and_no_filter_is_lost() {
        let shown = biggest(units(40));
        assert_eq!(shown.len(), 13);
        assert_eq!(shown[12].name, "28 other units");
        assert_eq!(shown[12].inactive_after, 28);
        let sum = |units: &[States]| units.iter().map(|u| u.active_before).sum::<u64>();
        assert_eq!(sum(&shown), sum(&units(40)));
        assert_eq!(biggest(units(13)).last().map(|u| &*u.name), Some("unit 13"));
    }

    #[test]
    fn a_run_of_an_older_version_claims_no_unit() {
        let unknown = States {
            active_before: 5,
            ..States::default()
        };
        assert_eq!(biggest(vec![unknown.clone()]), []);
        let mixed = biggest(vec![units(1).remove(0), unknown]);
        assert_eq!(mixed[1].name, "unit not known");
    }

    #[test]
    fn rests_and_what_is_not_known_are_said() {
        let one = |from, pause, changes, total| TimeBucket {
            from,
            pause,
            changes,
            requests: Requests {
                total,
                throttled: 2,
                retried: 2,
            },
        };
        let timeline = Timeline {
            width: 5_000,
            buckets: vec![one(0, 0, 7, 9), one(90_000_000, 89_995_000, 3, 20)],
            undated: 40,
        };
        insta::assert_snapshot!(sentences(&timeline).join("\n"), @r"
        At most 7 filters changed in 5s.
        At most 20 requests in 5s, 4 throttled in all.
        1 rest in between, the longest of 24h 59m, left out here.
        It is not known when 40 requests were made: an older version, which did not keep it, recorded that part of the run.
        ");
        assert_eq!(sentences(&Timeline::default()), Vec::<String>::new());
    }
}
