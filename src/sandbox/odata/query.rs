//! The query options of one GET.

use super::{Conditions, QueryError, Table};

/// Behaviour that differs between servers or is not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Whether `$filter` understands `in`, which is OData 4.01. Not in the documented list of
    /// operators (Microsoft: "Filter rows using OData"), so not by default.
    pub in_operator: bool,
    /// How many conditions a filter may have before it is refused
    /// (Microsoft: "Filter rows using OData", Condition limits).
    pub max_conditions: usize,
}

impl Dialect {
    /// The documented limit on conditions.
    pub(crate) const MAX_CONDITIONS: usize = 500;
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            in_operator: false,
            max_conditions: Self::MAX_CONDITIONS,
        }
    }
}

/// Parsed and checked query options.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub(super) raw: String,
    conditions: Conditions,
}

impl Query {
    /// Reads the query string of a GET on a collection: what follows `?`, as it came, without `?`.
    pub(crate) fn parse(
        raw_query: &str,
        _table: &dyn Table,
        _dialect: &Dialect,
    ) -> Result<Self, QueryError> {
        if raw_query.contains("$skip=") {
            return Err(QueryError::query("Skip Clause is not supported in CRM"));
        }
        Ok(Self {
            raw: raw_query.to_owned(),
            conditions: Conditions::default(),
        })
    }

    /// Reads the query string of a GET on one row, where only `$select` and `$expand` mean anything.
    pub(crate) fn parse_single(
        raw_query: &str,
        table: &dyn Table,
        dialect: &Dialect,
    ) -> Result<Self, QueryError> {
        Self::parse(raw_query, table, dialect)
    }

    /// See [`Conditions`].
    pub(crate) fn conditions(&self) -> Conditions {
        self.conditions
    }
}
