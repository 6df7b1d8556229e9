//! `$orderby`, and the order of rows that it makes.

use std::cmp::Ordering;

use super::check::column;
use super::filter::Path;
use super::{ColumnType, QueryError, Row, Table, Value};

/// One column to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrderBy {
    pub path: Path,
    pub descending: bool,
}

impl OrderBy {
    /// The name in a paging cookie.
    pub(super) fn name(&self) -> String {
        let hops = self.path.hops.iter().map(String::as_str);
        let names: Vec<&str> = hops.chain([self.path.column.as_str()]).collect();
        names.join(".")
    }
}

/// Reads the value of `$orderby`. The key comes last, so that the order is always complete.
pub(super) fn read(text: Option<&str>, table: &dyn Table) -> Result<Vec<OrderBy>, QueryError> {
    let text = text.unwrap_or_default();
    let mut order: Vec<OrderBy> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|_| !text.is_empty()) {
        let words: Vec<&str> = part.split_whitespace().collect();
        let (name, descending) = match words[..] {
            [name] | [name, "asc"] => (name, false),
            [name, "desc"] => (name, true),
            _ => return Err(QueryError::syntax(text.find(part).unwrap_or(0), text)),
        };
        let segments: Vec<String> = name.split('/').map(str::to_owned).collect();
        push(&mut order, column(&segments, table)?, descending);
    }
    let key = Path {
        scope: 0,
        hops: Vec::new(),
        column: table.key().to_owned(),
        kind: ColumnType::Guid,
    };
    push(&mut order, key, false);
    Ok(order)
}

fn push(order: &mut Vec<OrderBy>, path: Path, descending: bool) {
    if !order.iter().any(|known| known.path == path) {
        order.push(OrderBy { path, descending });
    }
}

/// The values of a row by which it is sorted.
pub(super) fn keys(order: &[OrderBy], row: &dyn Row) -> Vec<Value> {
    order.iter().map(|column| column.path.of(row)).collect()
}

/// Which of two rows comes first: null first when ascending, last when descending.
pub(super) fn compare<'v>(
    order: &[OrderBy],
    left: &[Value],
    right: impl IntoIterator<Item = &'v Value>,
) -> Ordering {
    let pairs = left.iter().zip(right);
    let mut orders = order.iter().zip(pairs).map(|(column, (a, b))| {
        let ascending = a.compare(b);
        if column.descending {
            ascending.reverse()
        } else {
            ascending
        }
    });
    orders.find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odata::fixture::USERS;

    fn refusal(text: &str) -> String {
        read(Some(text), &USERS).unwrap_err().message
    }

    #[test]
    fn the_key_completes_every_order_once() {
        let names = |raw: &str| {
            let order = read(Some(raw).filter(|r| !r.is_empty()), &USERS).unwrap();
            order
                .iter()
                .map(|o| (o.name(), o.descending))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(""), [("systemuserid".into(), false)]);
        assert_eq!(
            names("businessunitid/name desc, fullname asc,fullname desc"),
            [
                ("businessunitid.name".into(), true),
                ("fullname".into(), false),
                ("systemuserid".into(), false)
            ]
        );
        assert_eq!(names("systemuserid desc"), [("systemuserid".into(), true)]);
        assert!(refusal("fullname down").starts_with("Syntax error"));
        assert!(refusal("nothing").starts_with("Could not find"));
    }

    #[test]
    fn null_comes_first_unless_the_order_descends() {
        let order = read(Some("nickname desc,accessmode"), &USERS).unwrap();
        let row = |nickname: Value, mode| [nickname, Value::Int(mode)];
        let a = || Value::Text("a".into());
        assert_eq!(
            compare(&order, &row(a(), 1), &row(Value::Null, 0)),
            Ordering::Less
        );
        assert_eq!(
            compare(&order, &row(a(), 1), &row(a(), 0)),
            Ordering::Greater
        );
    }
}
