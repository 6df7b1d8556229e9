//! The JSON of an answer.

use super::{Annotations, Context, Page, Query, Row, Table};

/// How an answer is written.
#[derive(Clone, Copy)]
pub(crate) struct Format<'a> {
    /// The service root with its final slash: `https://host/api/data/v9.2/`.
    pub root: &'a str,
    /// The annotations that were asked for.
    pub annotations: &'a Annotations,
}

/// The answer to a GET on a collection. `url` is the absolute URL of the request without its query; the
/// next link is made from it.
pub(crate) fn collection_body<R: Row>(
    _table: &dyn Table,
    _query: &Query,
    _page: &Page<R>,
    _url: &str,
    _format: &Format<'_>,
    _ctx: &Context<'_>,
) -> String {
    String::from(r#"{"value":[]}"#)
}

/// The answer to a GET on one row, and to a write with `Prefer: return=representation`.
pub(crate) fn entity_body(
    _table: &dyn Table,
    _query: &Query,
    _row: &dyn Row,
    _format: &Format<'_>,
    _ctx: &Context<'_>,
) -> String {
    String::from("{}")
}
