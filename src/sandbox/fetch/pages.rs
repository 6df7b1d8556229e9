//! One page of plain results.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::joins::{Source, Tuple, each, value};
use super::model::{By, Fetch, Output};
use crate::odata::Value;

/// The most rows on a page (Microsoft: "Page results using `FetchXml`").
const MAX_PAGE: usize = 5000;

/// The requested page, where the query itself does not say it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PageRequest {
    /// `odata.maxpagesize`.
    pub(crate) size: Option<usize>,
    /// The page, from 1.
    pub(crate) number: Option<usize>,
}

/// Results in order.
pub(crate) struct FetchPage<'a> {
    pub(super) tuples: Vec<Tuple<'a>>,
    /// Whether there are more.
    pub(crate) more: bool,
    /// The page, from 1.
    pub(crate) number: usize,
}

struct SortedRow<'a> {
    keys: Vec<Value>,
    tuple: Tuple<'a>,
}

/// The page that the query or the request asks for. Takes one pass; only the results up to its end
/// are kept.
pub(crate) fn page<'a>(fetch: &Fetch, source: &dyn Source<'a>, cut: PageRequest) -> FetchPage<'a> {
    let size = fetch.top.or(cut.size).or(fetch.count).unwrap_or(MAX_PAGE);
    let size = size.min(MAX_PAGE);
    let number = cut.number.unwrap_or(fetch.number);
    let number = if fetch.top.is_some() { 1 } else { number };
    let before = size.saturating_mul(number - 1);
    let wanted = before.saturating_add(size).saturating_add(1);
    let mut found: Vec<SortedRow<'a>> = Vec::new();
    let mut seen = HashSet::new();
    each(fetch, source, &mut |tuple| {
        if fetch.distinct && !seen.insert(shown(fetch, &tuple)) {
            return true;
        }
        let keys = keys(fetch, &tuple);
        found.push(SortedRow { keys, tuple });
        if found.len() >= wanted.saturating_mul(2) {
            sort(fetch, &mut found);
            found.truncate(wanted);
        }
        true
    });
    sort(fetch, &mut found);
    let more = found.len() > before.saturating_add(size) && fetch.top.is_none();
    let tuples = found.into_iter().map(|it| it.tuple);
    FetchPage {
        tuples: tuples.skip(before).take(size).collect(),
        more,
        number,
    }
}

fn sort(fetch: &Fetch, found: &mut [SortedRow<'_>]) {
    found.sort_by(|a, b| {
        let pairs = a.keys.iter().zip(&b.keys);
        // The key comes last, in ascending order.
        let directions = fetch.orders.iter().map(|it| it.descending).chain([false]);
        let mut compared = pairs.zip(directions).map(|((a, b), descending)| {
            let ascending = a.compare(b);
            if descending {
                ascending.reverse()
            } else {
                ascending
            }
        });
        compared.find(|it| it.is_ne()).unwrap_or(Ordering::Equal)
    });
}

fn keys(fetch: &Fetch, tuple: &Tuple<'_>) -> Vec<Value> {
    let of = |output: &Output| value(tuple, output.scope, output.column);
    let orders = fetch.orders.iter().map(|order| match order.by {
        By::Column { scope, column } => value(tuple, scope, column),
        By::Output(place) => of(&fetch.outputs[place]),
    });
    let key = fetch.scopes[0].table.kind.key();
    orders.chain([value(tuple, 0, key)]).collect()
}

/// The visible columns of a result, for finding equal ones.
fn shown(fetch: &Fetch, tuple: &Tuple<'_>) -> String {
    let values = fetch
        .outputs
        .iter()
        .map(|it| value(tuple, it.scope, it.column));
    let values: Vec<Value> = values.collect();
    format!("{values:?}")
}
