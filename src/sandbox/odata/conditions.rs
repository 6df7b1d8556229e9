//! Whether a query is the one that returns another user's filters to an administrator.

use uuid::Uuid;

use super::Value;
use super::expr::Operator;
use super::filter::{ODataFilter, Term};

/// The parts of a query that matter for the rule about other users' filters.
///
/// The platform returns them only if the conditions are exactly the type (Outlook 256 or offline 16)
/// and the owner: "If any other conditions are added to the query, this will not work"
/// (Microsoft: "Offline and Outlook filters and templates"). Whether `$select`, `$orderby`, `$top` and
/// paging prevent it is not documented, so they are reported separately here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact of one query"
)]
pub(crate) struct Conditions {
    /// The number in `querytype eq <number>`, where that is one of the conditions that must all hold.
    pub query_type: Option<i64>,
    /// The id in `_ownerid_value eq <id>`, where that is one of the conditions that must all hold.
    pub owner: Option<Uuid>,
    /// Whether there is any condition besides those two.
    pub further: bool,
    /// Whether `$select` was given.
    pub select: bool,
    /// Whether `$expand` was given.
    pub expand: bool,
    /// Whether `$orderby` was given.
    pub orderby: bool,
    /// Whether `$top` was given.
    pub top: bool,
    /// Whether `$skiptoken` was given.
    pub paging: bool,
    /// Whether `$count=true` was given.
    pub count: bool,
}

impl Conditions {
    /// The type and owner, where the conditions are exactly those two and the type is one of sync filters.
    pub(crate) fn administrator(&self) -> Option<(i64, Uuid)> {
        let query_type = self.query_type.filter(|t| matches!(t, 16 | 256))?;
        self.owner
            .filter(|_| !self.further)
            .map(|owner| (query_type, owner))
    }

    /// The parts of a filter; the options besides `$filter` are false.
    pub(super) fn of(filter: Option<&ODataFilter>) -> Self {
        let mut conditions = Self::default();
        if let Some(filter) = filter {
            conditions.enter(filter);
        }
        conditions
    }

    fn enter(&mut self, filter: &ODataFilter) {
        match filter {
            ODataFilter::All(parts) => parts.iter().for_each(|part| self.enter(part)),
            ODataFilter::Compare(left, Operator::Equal, right) => match equals(left, right) {
                Some(("querytype", Value::Int(number))) if self.query_type.is_none() => {
                    self.query_type = Some(*number);
                }
                Some(("_ownerid_value", Value::Guid(id))) if self.owner.is_none() => {
                    self.owner = Some(*id);
                }
                _ => self.further = true,
            },
            _ => self.further = true,
        }
    }
}

/// A column of the row itself and the value that it must equal. A path to another table is another kind of condition,
/// because it joins a table.
fn equals<'f>(left: &'f Term, right: &'f Term) -> Option<(&'f str, &'f Value)> {
    match (left, right) {
        (Term::Column(path), Term::Literal(value)) | (Term::Literal(value), Term::Column(path)) => {
            (path.hops.is_empty() && path.scope == 0).then_some((path.column.as_str(), value))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odata::fixture::{FILTERS, id};
    use crate::odata::{Dialect, Query};

    const OWNER: &str = "_ownerid_value eq 00000000-0000-0000-0000-000000000007";

    fn conditions(filter: &str) -> Conditions {
        let raw = format!("$filter={filter}");
        Query::parse(&raw, &FILTERS, Dialect::default())
            .unwrap()
            .conditions()
    }

    #[test]
    fn type_and_owner_in_any_order_and_parentheses_are_the_administrators_query() {
        for filter in [
            format!("querytype eq 256 and {OWNER}"),
            format!("({OWNER}) and ((querytype eq 256))"),
            format!("(256 eq querytype and {OWNER})"),
        ] {
            let conditions = conditions(&filter);
            assert_eq!(conditions.administrator(), Some((256, id(7))), "{filter}");
        }
        assert_eq!(
            conditions(&format!("querytype eq 16 and {OWNER}")).administrator(),
            Some((16, id(7)))
        );
    }

    #[test]
    fn any_other_condition_is_another_query() {
        for filter in [
            OWNER.to_owned(),
            "querytype eq 256".to_owned(),
            format!("querytype eq 0 and {OWNER}"),
            format!("querytype eq 256 or {OWNER}"),
            format!("querytype eq 256 and {OWNER} and statecode eq 0"),
            format!("querytype eq 256 and querytype eq 256 and {OWNER}"),
            format!("querytype ge 256 and {OWNER}"),
            format!("querytype eq 256 and not ({OWNER})"),
            "querytype eq 256 and ownerid/ownerid eq 00000000-0000-0000-0000-000000000007"
                .to_owned(),
            "querytype eq 256 and owninguser/systemuserid eq 00000000-0000-0000-0000-000000000007"
                .to_owned(),
            "querytype eq 256 and _ownerid_value eq null".to_owned(),
            "querytype eq 256 and Microsoft.Dynamics.CRM.EqualUserId(PropertyName='ownerid')"
                .to_owned(),
        ] {
            assert_eq!(conditions(&filter).administrator(), None, "{filter}");
        }
    }

    #[test]
    fn a_part_that_names_the_owner_is_told_even_among_others() {
        let conditions = conditions(&format!("statecode eq 0 and {OWNER}"));
        assert_eq!((conditions.owner, conditions.further), (Some(id(7)), true));
        let none = Conditions::of(None);
        assert_eq!((none.administrator(), none.further), (None, false));
    }

    #[test]
    fn the_other_options_are_told_apart() {
        let raw = format!(
            "$filter=querytype eq 256 and {OWNER}&$select=name&$orderby=name&$top=1&$count=true"
        );
        let query = Query::parse(&raw, &FILTERS, Dialect::default()).unwrap();
        let found = query.conditions();
        assert!(found.select && found.orderby && found.top && found.count);
        assert!(!found.paging && !found.expand && !found.further);
        assert!(found.administrator().is_some());
    }
}
