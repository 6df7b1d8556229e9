//! A run over time: changes, requests, and requests that were refused because of a limit.

use std::collections::BTreeMap;

use rusqlite::Row;
use serde::{Serialize, Serializer};

use crate::journal::codes::CHANGED;
use crate::journal::{Requests, pace};

use super::{ReadError, View};

/// Milliseconds without a request or change after which the run counts as inactive: it was left and resumed, or
/// waited for its next wave. Twice the window over which the server counts requests (5 minutes, Microsoft: "Service
/// protection API limits"), so that no known `Retry-After` counts as inactivity.
pub(super) const PAUSE: i64 = 10 * 60 * 1000;
/// The most points in time that are distinguished: more than any chart has bars, in little memory.
const MOMENTS: i64 = 5_000;

/// One bucket of a run's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TimeBucket {
    /// Its start, in milliseconds since 1970.
    #[serde(serialize_with = "as_time")]
    pub from: i64,
    /// Milliseconds of inactivity between the bucket before and this one; 0 where there are none.
    pub pause: i64,
    /// Filters changed.
    pub changes: u64,
    /// What was asked of the server.
    pub requests: Requests,
}

/// A run over time, without inactive times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// The length of a bucket in milliseconds.
    #[serde(rename = "stretch")]
    pub width: i64,
    /// The buckets in order, including empty ones while the run was active.
    #[serde(rename = "stretches")]
    pub buckets: Vec<TimeBucket>,
    /// Requests whose time is not in the run file, because it, or its program, was older.
    pub undated: u64,
}

impl View<'_> {
    /// The run over time, in about this many buckets of at least a second, and one more for each inactive time.
    pub fn timeline(&self, most: u32) -> Result<Timeline, ReadError> {
        let pace = pace::read(self.0)?;
        let dated = pace
            .iter()
            .fold(Requests::default(), |all, (_, one)| sum(all, *one))
            .total;
        let all: u64 = self
            .0
            .query_row("SELECT requests FROM run", [], |row| row.get(0))?;
        let moment = self.moment(pace::width(self.0)?)?;
        let mut moments: BTreeMap<i64, TimeBucket> = BTreeMap::new();
        for (start, requests) in pace {
            let at = moments.entry(start - start.rem_euclid(moment)).or_default();
            at.requests = sum(at.requests, requests);
        }
        let mut query = self.0.prepare(&format!(
            "SELECT settled - settled % ?1, count(*) FROM change WHERE {CHANGED} AND settled IS NOT NULL GROUP BY 1"
        ))?;
        let mut rows = query.query([moment])?;
        while let Some(row) = rows.next()? {
            moments.entry(row.get(0)?).or_default().changes = row.get(1)?;
        }
        Ok(Timeline {
            undated: all.saturating_sub(dated),
            ..arrange(&moments, moment, most)
        })
    }

    /// Milliseconds that count as one point in time: as requests are stored, or more where that would be too many.
    fn moment(&self, width: i64) -> Result<i64, ReadError> {
        let sql =
            format!("SELECT coalesce(max(settled) - min(settled), 0) FROM change WHERE {CHANGED}");
        let span: i64 = self.0.query_row(&sql, [], |row: &Row<'_>| row.get(0))?;
        let times = span.max(0) / width / MOMENTS + 1;
        Ok(width.saturating_mul(times))
    }
}

/// In the form of all times in a document.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn as_time<S: Serializer>(millisecond: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    let time = crate::journal::rows::time(*millisecond).map_err(serde::ser::Error::custom)?;
    time.serialize(serializer)
}

fn sum(a: Requests, b: Requests) -> Requests {
    Requests {
        total: a.total.saturating_add(b.total),
        throttled: a.throttled.saturating_add(b.throttled),
        retried: a.retried.saturating_add(b.retried),
    }
}

/// Arranges points in time as buckets that are adjacent except for inactive times.
fn arrange(moments: &BTreeMap<i64, TimeBucket>, moment: i64, most: u32) -> Timeline {
    let mut spells: Vec<(i64, i64)> = Vec::new();
    for &at in moments.keys() {
        match spells.last_mut() {
            Some((_, end)) if at - *end <= PAUSE.max(moment) => *end = at + moment,
            _ => spells.push((at, at + moment)),
        }
    }
    let work: i64 = spells.iter().map(|(from, to)| to - from).sum();
    let width = moment * ((work / moment - 1).max(0) / i64::from(most.max(1)) + 1);
    let mut buckets: Vec<TimeBucket> = Vec::new();
    let mut before = None;
    for (from, to) in spells {
        let mut pause = before.map_or(0, |before| from - before);
        let mut start = from;
        while start < to {
            let mut one = TimeBucket {
                from: start,
                pause: std::mem::take(&mut pause),
                ..TimeBucket::default()
            };
            let end = to.min(start + width);
            for done in moments.range(start..end).map(|(_, done)| done) {
                one.changes = one.changes.saturating_add(done.changes);
                one.requests = sum(one.requests, done.requests);
            }
            buckets.push(one);
            start += width;
        }
        before = Some(to);
    }
    Timeline {
        width,
        buckets,
        undated: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change and two requests, one of them refused, at each of these seconds.
    fn arranged(seconds: &[i64], most: u32) -> Timeline {
        let done = TimeBucket {
            changes: 1,
            requests: Requests {
                total: 2,
                throttled: 1,
                retried: 0,
            },
            ..TimeBucket::default()
        };
        let moments = seconds.iter().map(|second| (second * 1000, done)).collect();
        arrange(&moments, 1000, most)
    }

    fn shown(timeline: &Timeline) -> Vec<(i64, i64, u64)> {
        let buckets = timeline.buckets.iter();
        buckets
            .map(|one| (one.from / 1000, one.pause / 1000, one.changes))
            .collect()
    }

    #[test]
    fn time_without_an_answer_is_shown_and_a_rest_is_not() {
        let timeline = arranged(&[10, 11, 13, 7_000], 80);
        assert_eq!(timeline.width, 1000);
        assert_eq!(
            shown(&timeline),
            [
                (10, 0, 1),
                (11, 0, 1),
                (12, 0, 0),
                (13, 0, 1),
                (7_000, 6_986, 1)
            ]
        );
    }

    #[test]
    fn a_long_run_has_longer_buckets_and_nothing_is_lost() {
        let seconds: Vec<_> = (0..1_000).collect();
        let timeline = arranged(&seconds, 80);
        assert_eq!(timeline.width, 13_000);
        assert_eq!(timeline.buckets.len(), 77);
        let total = timeline.buckets.iter().map(|one| one.requests.total);
        assert_eq!(total.sum::<u64>(), 2_000);
    }

    #[test]
    fn a_run_that_did_nothing_has_no_buckets() {
        assert_eq!(arranged(&[], 80).buckets, []);
        assert_eq!(arranged(&[5], 1).buckets.len(), 1);
    }
}
