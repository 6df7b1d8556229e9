//! From rows to results: follows links and applies filters.

use std::collections::BTreeSet;

use super::condition::Group;
use super::model::{Fetch, FetchScope, How, Join};
use crate::odata::{Row as _, Value};
use crate::rows::PersonIndex;
use crate::tables::{Kind, RowRef};

/// The source of rows: only those that the asker can read.
pub(crate) trait Source<'a> {
    /// The rows of a table; of activities those of these owners, if owners are given.
    fn rows(
        &self,
        kind: Kind,
        owners: Option<BTreeSet<PersonIndex>>,
    ) -> Box<dyn Iterator<Item = RowRef<'a>> + 'a>;

    /// The rows of a table with this value in a column.
    fn linked(&self, kind: Kind, column: &str, value: &Value) -> Vec<RowRef<'a>>;

    fn person(&self, id: uuid::Uuid) -> Option<PersonIndex>;
}

/// One result: a row of each table; `None` where an outer link has no row.
pub(super) type Tuple<'a> = Vec<Option<RowRef<'a>>>;

pub(super) fn value(tuple: &[Option<RowRef<'_>>], scope: usize, column: &str) -> Value {
    let row = tuple.get(scope).copied().flatten();
    row.map_or(Value::Null, |row| row.value(column))
}

impl Group {
    pub(super) fn holds(&self, tuple: &[Option<RowRef<'_>>]) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|it| it.holds(tuple)),
            Self::Any(parts) => parts.iter().any(|it| it.holds(tuple)),
            Self::One(it) => it.holds(&value(tuple, it.scope, it.column)),
        }
    }

    /// Whether the query reads only one table.
    fn is_own(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_own),
            Self::One(it) => it.scope == 0,
        }
    }
}

/// Passes each result to the visitor until it returns `false`.
pub(super) fn each<'a>(
    fetch: &Fetch,
    source: &dyn Source<'a>,
    visit: &mut dyn FnMut(Tuple<'a>) -> bool,
) {
    let kind = fetch.scopes[0].table.kind;
    let owners = fetch.owners(source);
    let early = fetch.filter.is_own();
    for row in source.rows(kind, owners) {
        let base = vec![Some(row)];
        if early && !fetch.filter.holds(&base) {
            continue;
        }
        let mut tuples = vec![base];
        for scope in &fetch.scopes[1..] {
            if let Some(join) = &scope.join {
                tuples = follow(source, scope, join, tuples);
            }
        }
        for tuple in tuples {
            if (early || fetch.filter.holds(&tuple)) && !visit(tuple) {
                return;
            }
        }
    }
}

fn follow<'a>(
    source: &dyn Source<'a>,
    scope: &FetchScope,
    join: &Join,
    tuples: Vec<Tuple<'a>>,
) -> Vec<Tuple<'a>> {
    let mut longer = Vec::with_capacity(tuples.len());
    for tuple in tuples {
        let key = value(&tuple, join.parent, join.to);
        let ends = if key == Value::Null {
            Vec::new()
        } else {
            source.linked(scope.table.kind, join.from, &key)
        };
        let with = |end: Option<RowRef<'a>>| {
            let mut tuple = tuple.clone();
            tuple.push(end);
            tuple
        };
        let before = longer.len();
        for end in ends {
            let linked = with(Some(end));
            if scope.filter.holds(&linked) {
                longer.push(linked);
                if join.how == How::Exists {
                    break;
                }
            }
        }
        if longer.len() == before && join.how == How::Outer {
            longer.push(with(None));
        }
    }
    longer
}
