//! What the engine asks of the tables and rows it runs over; the store implements these.

use jiff::Timestamp;
use uuid::Uuid;

use super::{ColumnType, Value};

/// The columns and relationships of a table, as the version that is imitated has them.
pub(crate) trait Table {
    /// `systemusers`.
    fn entity_set(&self) -> &str;
    /// `systemuser`.
    fn logical_name(&self) -> &str;
    /// `systemuserid`.
    fn key(&self) -> &str;
    /// The type of a column (`_ownerid_value`, not `ownerid`), or `None` where this version has no such column.
    fn column(&self, name: &str) -> Option<ColumnType>;
    /// Every column, in the order in which they are written when there is no `$select`.
    fn columns(&self) -> Vec<(&str, ColumnType)>;
    /// A relationship by the name of its navigation property (`ownerid`, `systemuserroles_association`).
    fn navigation(&self, name: &str) -> Option<Navigation<'_>>;
    /// Columns that are written whatever `$select` says, after the selected ones. A `systemuser` has
    /// `ownerid` as well as its own key (Microsoft: "Impersonate another user using the Web API", the sample).
    fn always_written(&self) -> Vec<&str> {
        vec![self.key()]
    }
}

/// Where a navigation property leads.
#[derive(Clone, Copy)]
pub(crate) struct Navigation<'a> {
    /// The table at the other end.
    pub table: &'a dyn Table,
    /// Whether the property is a collection: then it takes `any` and `all`, and expands to an array.
    pub many: bool,
}

pub(crate) trait Row {
    /// The value of a column; `Value::Null` where the row has none.
    fn value(&self, column: &str) -> Value;
    /// `W/"123"`.
    fn etag(&self) -> String;
    /// The rows at the other end of a navigation property: at most one where it is single-valued.
    fn related(&self, navigation: &str) -> Vec<Box<dyn Row + '_>>;
    /// The text of the formatted value where it cannot be made from the value: the label of an option
    /// (`statecode` 0 is `Active`), the primary name behind a lookup.
    fn label(&self, _column: &str) -> Option<String> {
        None
    }
    /// Where a lookup column that is not null points.
    fn lookup(&self, _column: &str) -> Option<Lookup> {
        None
    }
}

impl Row for Box<dyn Row + '_> {
    fn value(&self, column: &str) -> Value {
        (**self).value(column)
    }
    fn etag(&self) -> String {
        (**self).etag()
    }
    fn related(&self, navigation: &str) -> Vec<Box<dyn Row + '_>> {
        (**self).related(navigation)
    }
    fn label(&self, column: &str) -> Option<String> {
        (**self).label(column)
    }
    fn lookup(&self, column: &str) -> Option<Lookup> {
        (**self).lookup(column)
    }
}

impl<T: Row + ?Sized> Row for &T {
    fn value(&self, column: &str) -> Value {
        (**self).value(column)
    }
    fn etag(&self) -> String {
        (**self).etag()
    }
    fn related(&self, navigation: &str) -> Vec<Box<dyn Row + '_>> {
        (**self).related(navigation)
    }
    fn label(&self, column: &str) -> Option<String> {
        (**self).label(column)
    }
    fn lookup(&self, column: &str) -> Option<Lookup> {
        (**self).lookup(column)
    }
}

/// The annotations of a lookup column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lookup {
    /// `lookuplogicalname`: the table of the row pointed to, which differs per row for `ownerid`.
    pub logical_name: String,
    /// `associatednavigationproperty`, where the lookup has one.
    pub navigation: Option<String>,
}

/// Who asks, for `EqualUserId` and its like: the impersonated user where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    /// `systemuserid`.
    pub user: Uuid,
    /// `businessunitid` of that user.
    pub business_unit: Uuid,
    /// `teamid` of every team the user belongs to.
    pub teams: Vec<Uuid>,
}

/// The tree behind `Above` and `Under`.
pub(crate) trait Hierarchy {
    /// The id above this one; `None` at the root and for an id that is not in a tree.
    fn parent(&self, id: Uuid) -> Option<Uuid>;
}

/// No tree at all.
impl Hierarchy for () {
    fn parent(&self, _id: Uuid) -> Option<Uuid> {
        None
    }
}

/// What a query is evaluated against besides the rows.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// Who asks.
    pub asker: &'a Asker,
    /// The tree of the table that is asked.
    pub hierarchy: &'a dyn Hierarchy,
    /// The moment that relative dates count from.
    pub now: Timestamp,
}
