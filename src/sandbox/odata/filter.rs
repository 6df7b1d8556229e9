//! A filter with checked names and types, and its evaluation.
//!
//! Evaluation has two values: a comparison with null is true for `null eq null` and `x ne null`, false otherwise, and
//! `not` inverts it. A negated query function is therefore true for a row without a value.

use std::cmp::Ordering;

use super::expr::Operator;
use super::functions::Test;
use super::like::Pattern;
use super::{ColumnType, Context, Row, Value};

/// A condition on a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ODataFilter {
    /// All must be true; true if empty.
    All(Vec<ODataFilter>),
    /// At least one must be true.
    Any(Vec<ODataFilter>),
    /// The condition must be false.
    Not(Box<ODataFilter>),
    /// A comparison of two values of one type, or with null.
    Compare(Term, Operator, Term),
    /// `contains` and its like.
    Like(Path, Pattern),
    /// `any` and `all`; without a condition, whether a related row exists.
    Related {
        path: Collection,
        /// True for `all`, false for `any`.
        all: bool,
        /// The condition on the related row, which is the innermost scope there.
        body: Option<Box<ODataFilter>>,
    },
    /// A query function of the platform.
    Test {
        path: Path,
        test: Test,
        /// Whether it must be false.
        negated: bool,
    },
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Column(Path),
    Literal(Value),
}

/// A column, possibly of another row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// The scope: 0 is the row itself, 1 the variable of the outermost lambda, and so on.
    pub scope: usize,
    /// The single-valued navigation properties on the way to the row.
    pub hops: Vec<String>,
    pub column: String,
    /// Its type.
    pub kind: ColumnType,
}

/// A collection-valued navigation property, possibly of another row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Collection {
    /// As in [`Path`].
    pub scope: usize,
    /// As in [`Path`].
    pub hops: Vec<String>,
    /// The navigation property.
    pub name: String,
}

impl Path {
    /// The value for the row `row` of scope 0.
    pub(super) fn of(&self, row: &dyn Row) -> Value {
        follow(row, &self.hops, &|end| end.value(&self.column)).unwrap_or(Value::Null)
    }

    fn get(&self, scopes: &[&dyn Row]) -> Value {
        scopes
            .get(self.scope)
            .map_or(Value::Null, |row| self.of(*row))
    }
}

/// Follows single-valued navigation properties; `None` where one has no row.
fn follow<T>(row: &dyn Row, hops: &[String], end: &dyn Fn(&dyn Row) -> T) -> Option<T> {
    match hops {
        [] => Some(end(row)),
        [hop, rest @ ..] => follow(row.related(hop).first()?, rest, end),
    }
}

impl ODataFilter {
    /// Whether the row matches.
    pub(super) fn holds(&self, row: &dyn Row, ctx: &Context<'_>) -> bool {
        self.eval(&[row], ctx)
    }

    fn eval(&self, scopes: &[&dyn Row], ctx: &Context<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.eval(scopes, ctx)),
            Self::Any(parts) => parts.iter().any(|part| part.eval(scopes, ctx)),
            Self::Not(inner) => !inner.eval(scopes, ctx),
            Self::Compare(left, operator, right) => {
                compare(&left.get(scopes), *operator, &right.get(scopes))
            }
            Self::Like(path, pattern) => match path.get(scopes) {
                Value::Text(text) => pattern.matches(&text),
                _ => false,
            },
            Self::Related { path, all, body } => path.quantify(scopes, ctx, *all, body.as_deref()),
            Self::Test {
                path,
                test,
                negated,
            } => test.holds(&path.get(scopes), ctx) != *negated,
        }
    }
}

impl Term {
    fn get(&self, scopes: &[&dyn Row]) -> Value {
        match self {
            Self::Column(path) => path.get(scopes),
            Self::Literal(value) => value.clone(),
        }
    }
}

impl Collection {
    fn quantify(
        &self,
        scopes: &[&dyn Row],
        ctx: &Context<'_>,
        all: bool,
        body: Option<&ODataFilter>,
    ) -> bool {
        let Some(from) = scopes.get(self.scope) else {
            return all;
        };
        let decide = |holder: &dyn Row| {
            let related = holder.related(&self.name);
            let mut matches = related.iter().map(|row| match body {
                None => true,
                Some(body) => {
                    let mut inner: Vec<&dyn Row> = scopes.to_vec();
                    inner.push(row);
                    body.eval(&inner, ctx)
                }
            });
            if all {
                matches.all(|one| one)
            } else {
                matches.any(|one| one)
            }
        };
        follow(*from, &self.hops, &decide).unwrap_or(all)
    }
}

/// Comparison as OData defines it: an ordering is never true if one side is null.
fn compare(left: &Value, operator: Operator, right: &Value) -> bool {
    let order = left.compare(right);
    let null = *left == Value::Null || *right == Value::Null;
    match operator {
        Operator::Equal => order == Ordering::Equal,
        Operator::NotEqual => order != Ordering::Equal,
        Operator::GreaterThan => !null && order == Ordering::Greater,
        Operator::GreaterThanOrEqual => !null && order != Ordering::Less,
        Operator::LessThan => !null && order == Ordering::Less,
        Operator::LessThanOrEqual => !null && order != Ordering::Greater,
    }
}
