//! The interface between the engine and the tables and rows; the store implements it.

use jiff::Timestamp;
use uuid::Uuid;

use super::{ColumnType, Value};

/// The columns and relationships of a table in the imitated version.
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
    /// Columns that are included whatever `$select` says, after the selected ones. A `systemuser` has
    /// `ownerid` as well as its own key (Microsoft: "Impersonate another user using the Web API", the sample).
    fn always_written(&self) -> Vec<&str> {
        vec![self.key()]
    }
}

/// The target of a navigation property.
#[derive(Clone, Copy)]
pub(crate) struct Navigation<'a> {
    /// The table at the other end.
    pub table: &'a dyn Table,
    /// Whether the property is a collection: then it supports `any` and `all`, and expands to an array.
    pub many: bool,
}

pub(crate) trait Row {
    /// The value of a column; `Value::Null` where the row has none.
    fn value(&self, column: &str) -> Value;
    /// `W/"123"`.
    fn etag(&self) -> String;
    /// The rows at the other end of a navigation property: at most one where it is single-valued.
    fn related(&self, navigation: &str) -> Vec<Box<dyn Row + '_>>;
    /// The formatted value where it does not follow from the value: the label of an option
    /// (`statecode` 0 is `Active`), the primary name of a lookup.
    fn label(&self, _column: &str) -> Option<String> {
        None
    }
    /// The target of a lookup column that is not null.
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
    /// `lookuplogicalname`: the table of the target row, which differs per row for `ownerid`.
    pub logical_name: String,
    /// `associatednavigationproperty`, where the lookup has one.
    pub navigation: Option<String>,
}

/// The user for `EqualUserId` and the like: the impersonated user, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    /// `systemuserid`.
    pub user: Uuid,
    /// `businessunitid` of that user.
    pub business_unit: Uuid,
    /// `teamid` of every team the user belongs to.
    pub teams: Vec<Uuid>,
}

/// The tree for `Above` and `Under`.
pub(crate) trait Hierarchy {
    /// The id above this one; `None` at the root and for an id that is not in a tree.
    fn parent(&self, id: Uuid) -> Option<Uuid>;
}

/// No tree.
impl Hierarchy for () {
    fn parent(&self, _id: Uuid) -> Option<Uuid> {
        None
    }
}

/// The context in which a query is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The user who asks.
    pub asker: &'a Asker,
    /// The tree of the table.
    pub hierarchy: &'a dyn Hierarchy,
    /// The time from which relative dates count.
    pub now: Timestamp,
}
