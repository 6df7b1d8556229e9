//! The values of columns.

use std::cmp::Ordering;

use jiff::Timestamp;
use uuid::Uuid;

/// A column value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    /// `Edm.Boolean`.
    Bool(bool),
    /// `Edm.Int32`; option values and `versionnumber` too.
    Int(i64),
    /// `Edm.String`.
    Text(String),
    /// `Edm.Guid`: keys and lookups.
    Guid(Uuid),
    /// `Edm.DateTimeOffset`.
    Time(Timestamp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnType {
    /// `Edm.Boolean`.
    Bool,
    /// `Edm.Int32`.
    Int,
    /// `Edm.String`.
    Text,
    /// `Edm.Guid`.
    Guid,
    /// `Edm.DateTimeOffset`.
    Time,
}

impl ColumnType {
    /// The name that error messages use.
    pub(crate) const fn edm_name(self) -> &'static str {
        match self {
            Self::Bool => "Edm.Boolean",
            Self::Int => "Edm.Int32",
            Self::Text => "Edm.String",
            Self::Guid => "Edm.Guid",
            Self::Time => "Edm.DateTimeOffset",
        }
    }

    /// Reads a value of this type from the plain text in query functions and paging cookies; an id may be in
    /// braces.
    pub(crate) fn read(self, text: &str) -> Option<Value> {
        match self {
            Self::Bool => match text {
                "1" => Some(Value::Bool(true)),
                "0" => Some(Value::Bool(false)),
                other => other.parse().ok().map(Value::Bool),
            },
            Self::Int => text.parse().ok().map(Value::Int),
            Self::Text => Some(Value::Text(text.to_owned())),
            Self::Guid => Uuid::try_parse(text).ok().map(Value::Guid),
            Self::Time => text.parse().ok().map(Value::Time),
        }
    }
}

impl Value {
    /// The type; a null has none.
    pub(crate) const fn column_type(&self) -> Option<ColumnType> {
        match self {
            Self::Null => None,
            Self::Bool(_) => Some(ColumnType::Bool),
            Self::Int(_) => Some(ColumnType::Int),
            Self::Text(_) => Some(ColumnType::Text),
            Self::Guid(_) => Some(ColumnType::Guid),
            Self::Time(_) => Some(ColumnType::Time),
        }
    }

    /// The order of filters and sorting: null first, text without regard to case
    /// (Microsoft: "Filter rows using OData": all filters on string values are case insensitive).
    ///
    /// Values of different types are never compared, because such a query is refused.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => fold(a).cmp(fold(b)),
            (Self::Guid(a), Self::Guid(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::Text(_) => 3,
            Self::Guid(_) => 4,
            Self::Time(_) => 5,
        }
    }
}

/// The characters of a text in the form in which they are compared.
pub(super) fn fold(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_compares_without_case_and_null_comes_first() {
        let text = |t: &str| Value::Text(t.into());
        assert_eq!(text("ÅSA").compare(&text("åsa")), Ordering::Equal);
        assert_eq!(text("b").compare(&text("Ab")), Ordering::Greater);
        assert_eq!(Value::Null.compare(&text("")), Ordering::Less);
        assert_eq!(Value::Null.compare(&Value::Null), Ordering::Equal);
    }

    #[test]
    fn a_value_is_read_from_text_by_the_type_of_its_column() {
        let id = Uuid::from_u128(0xd502_6a4d);
        let braced = format!("{{{}}}", id.to_string().to_uppercase());
        assert_eq!(ColumnType::Guid.read(&braced), Some(Value::Guid(id)));
        assert_eq!(ColumnType::Int.read("16"), Some(Value::Int(16)));
        assert_eq!(ColumnType::Bool.read("1"), Some(Value::Bool(true)));
        assert_eq!(ColumnType::Time.read("yesterday"), None);
    }
}
