//! The query options of one GET.

use super::check::check;
use super::cookie::Cookie;
use super::expand::{self, Expand};
use super::filter::ODataFilter;
use super::options::{QueryOptions, refuse_collection_options};
use super::order::{self, OrderBy};
use super::parse::parse;
use super::{Conditions, Dialect, QueryError, Table};

/// Parsed and checked query options.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    /// The query string as it was sent.
    pub(super) raw: String,
    /// The columns of `$select`, without repetition; `None` for all.
    pub(super) select: Option<Vec<String>>,
    pub(super) filter: Option<ODataFilter>,
    /// The columns by which rows are sorted: `$orderby`, then the key.
    pub(super) order: Vec<OrderBy>,
    pub(super) top: Option<usize>,
    pub(super) count: bool,
    pub(super) expand: Vec<Expand>,
    /// The previous page.
    pub(super) after: Option<Cookie>,
    /// Whether `$orderby` was given.
    ordered: bool,
}

impl Query {
    /// Reads the query string of a GET on a collection: the text after `?`, unchanged.
    pub(crate) fn parse(
        raw_query: &str,
        table: &dyn Table,
        dialect: Dialect,
    ) -> Result<Self, QueryError> {
        let options = QueryOptions::read(raw_query)?;
        Self::build(raw_query.to_owned(), options, table, dialect, 0)
    }

    /// Reads the query string of a GET on one row, where only `$select` and `$expand` have a meaning.
    pub(crate) fn parse_single(
        raw_query: &str,
        table: &dyn Table,
        dialect: Dialect,
    ) -> Result<Self, QueryError> {
        let mut options = QueryOptions::read(raw_query)?;
        refuse_collection_options(&mut options)?;
        Self::build(raw_query.to_owned(), options, table, dialect, 0)
    }

    /// `depth` counts the expanded properties around these options.
    pub(super) fn build(
        raw: String,
        mut options: QueryOptions,
        table: &dyn Table,
        dialect: Dialect,
        depth: usize,
    ) -> Result<Self, QueryError> {
        let select = read_select(options.take("$select"), table)?;
        let filter = match options.take("$filter") {
            None => None,
            Some(text) => {
                let expr = parse(&text)?;
                Some(check(&expr, table, &options, dialect)?)
            }
        };
        let orderby = options.take("$orderby");
        let ordered = orderby.is_some();
        let order = order::read(orderby.as_deref(), table)?;
        let top = options
            .take("$top")
            .map(|text| read_top(&text))
            .transpose()?;
        let count = options
            .take("$count")
            .map(|text| read_count(&text))
            .transpose()?;
        let expand = match options.take("$expand") {
            None => Vec::new(),
            Some(text) => expand::read(&text, table, &options, dialect, depth)?,
        };
        let after = match options.take("$skiptoken") {
            None => None,
            Some(token) => Some(read_token(&token, &order)?),
        };
        options.finish()?;
        Ok(Self {
            raw,
            select,
            filter,
            order,
            top,
            count: count.unwrap_or(false),
            expand,
            after,
            ordered,
        })
    }

    /// See [`Conditions`].
    pub(crate) fn conditions(&self) -> Conditions {
        Conditions {
            select: self.select.is_some(),
            expand: !self.expand.is_empty(),
            orderby: self.ordered,
            top: self.top.is_some(),
            paging: self.after.is_some(),
            count: self.count,
            ..Conditions::of(self.filter.as_ref())
        }
    }
}

fn read_select(text: Option<String>, table: &dyn Table) -> Result<Option<Vec<String>>, QueryError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let mut columns: Vec<String> = Vec::new();
    for name in text.split(',').map(str::trim) {
        if name == "*" {
            return Ok(None);
        }
        if table.column(name).is_none() {
            return Err(QueryError::no_property(name, table.logical_name()));
        }
        if !columns.iter().any(|known| known == name) {
            columns.push(name.to_owned());
        }
    }
    Ok(Some(columns))
}

fn read_top(text: &str) -> Result<usize, QueryError> {
    text.parse().map_err(|_| {
        QueryError::query(format!(
            "Invalid value '{text}' for $top query option found. The $top query option requires a non-negative \
             integer value."
        ))
    })
}

fn read_count(text: &str) -> Result<bool, QueryError> {
    text.parse().map_err(|_| {
        QueryError::query(format!(
            "Invalid value '{text}' for $count query option found. Only 'true' and 'false' are accepted."
        ))
    })
}

fn read_token(token: &str, order: &[OrderBy]) -> Result<Cookie, QueryError> {
    let names: Vec<String> = order.iter().map(OrderBy::name).collect();
    let kinds = order.iter().map(|o| o.path.kind);
    let columns: Vec<_> = names.iter().map(String::as_str).zip(kinds).collect();
    Cookie::read(token, &columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odata::fixture::{FILTERS, USERS};
    use proptest::prelude::*;

    fn query(raw: &str) -> Query {
        Query::parse(raw, &USERS, Dialect::default()).unwrap()
    }

    fn refusal(raw: &str) -> String {
        Query::parse(raw, &USERS, Dialect::default())
            .unwrap_err()
            .message
    }

    #[test]
    fn select_tolerates_spaces_and_knows_its_columns() {
        let columns = query("$select=fullname,%20isdisabled+,fullname")
            .select
            .unwrap();
        assert_eq!(columns, ["fullname", "isdisabled"]);
        assert_eq!(query("$select=*").select, None);
        assert_eq!(
            refusal("$select=fullname,azurestate"),
            "Could not find a property named 'azurestate' on type 'Microsoft.Dynamics.CRM.systemuser'."
        );
    }

    #[test]
    fn a_lookup_is_selected_by_its_column_not_by_its_navigation_property() {
        let select = |raw| Query::parse(raw, &FILTERS, Dialect::default());
        assert!(select("$select=_ownerid_value").is_ok());
        assert!(select("$select=ownerid").is_err());
    }

    #[test]
    fn numbers_and_switches_are_read_strictly() {
        assert_eq!(query("$top=3&$count=true").top, Some(3));
        assert!(query("$count=true").count && !query("$count=false").count);
        for raw in [
            "$top=-1",
            "$top=x",
            "$count=1",
            "$skiptoken=x",
            "$skip=0",
            "$Top=1",
        ] {
            assert!(
                Query::parse(raw, &USERS, Dialect::default()).is_err(),
                "{raw}"
            );
        }
    }

    #[test]
    fn one_row_takes_only_select_and_expand() {
        let single = |raw| Query::parse_single(raw, &USERS, Dialect::default());
        assert!(single("$select=fullname&$expand=businessunitid($select=name)").is_ok());
        for raw in [
            "$filter=fullname eq 'a'",
            "$top=1",
            "$orderby=fullname",
            "$count=true",
        ] {
            assert!(
                single(raw)
                    .unwrap_err()
                    .message
                    .contains("only on collections"),
                "{raw}"
            );
        }
    }

    #[test]
    fn the_newer_operator_in_is_refused() {
        let raw = "$filter=accessmode in (0,2)";
        assert!(refusal(raw).starts_with("Syntax error at position 11"));
    }

    proptest! {
        #[test]
        fn no_query_string_panics(
            raw in ".*|(&?[$](select|filter|orderby|top|count|skiptoken|expand)=[a-z0-9'(),/ %<>=]{0,12}){0,4}"
        ) {
            let _ = Query::parse(&raw, &USERS, Dialect::default());
            let _ = Query::parse_single(&raw, &USERS, Dialect::default());
        }
    }
}
