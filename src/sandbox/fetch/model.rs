//! A checked query.

use super::condition::Group;
use crate::tables::{Kind, TableOf};

/// A query whose tables, columns and values all exist.
#[derive(Clone, Debug)]
pub(crate) struct Fetch {
    pub(crate) aggregate: bool,
    pub(super) distinct: bool,
    pub(super) top: Option<usize>,
    /// Rows on a page.
    pub(super) count: Option<usize>,
    /// The page, from 1.
    pub(super) number: usize,
    /// `aggregatelimit`.
    pub(super) limit: Option<usize>,
    /// The table itself, then the linked ones in their order.
    pub(super) scopes: Vec<FetchScope>,
    /// The condition on a whole result.
    pub(super) filter: Group,
    pub(super) outputs: Vec<Output>,
    pub(super) orders: Vec<Order>,
}

/// One table of the query.
#[derive(Clone, Debug)]
pub(super) struct FetchScope {
    pub(super) table: TableOf,
    pub(super) alias: String,
    pub(super) join: Option<Join>,
    /// The condition for linking a row.
    pub(super) filter: Group,
}

/// How a table is linked to another.
#[derive(Clone, Debug)]
pub(super) struct Join {
    pub(super) parent: usize,
    /// A column of the linked table.
    pub(super) from: &'static str,
    /// A column of the parent.
    pub(super) to: &'static str,
    pub(super) how: How,
}

/// `link-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Inner,
    Outer,
    /// `exists` and `in`: at most one result for each row of the parent.
    Exists,
}

/// One column of the result.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) scope: usize,
    pub(super) column: &'static str,
    /// The name in the answer.
    pub(super) name: String,
    pub(super) role: Role,
}

/// What is computed from the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    Group(Option<Part>),
    Aggregate(Function),
}

/// `dategrouping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// `aggregate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Count,
    CountColumn { distinct: bool },
    Sum,
    Average,
    Least,
    Greatest,
}

/// One `order`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) by: By,
    pub(super) descending: bool,
}

/// The target of an `order`.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    Column {
        scope: usize,
        column: &'static str,
    },
    /// A column of the result, by its index.
    Output(usize),
}

impl Fetch {
    /// The tables that are read.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.scopes.iter().map(|it| it.table.kind)
    }
}
