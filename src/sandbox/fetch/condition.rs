//! Conditions: how an operator tests a value.

use std::cmp::Ordering;

use jiff::Timestamp;
use roxmltree::Node;

use super::dates::{NoBounds, bounds, moment};
use super::errors;
use crate::errors::ApiError;
use crate::odata::{Asker, ColumnType, Pattern, Value};

#[derive(Clone, Debug)]
pub(super) enum Group {
    All(Vec<Group>),
    Any(Vec<Group>),
    One(Condition),
}

#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) scope: usize,
    pub(super) column: &'static str,
    pub(super) test: ConditionTest,
    pub(super) negated: bool,
}

/// The operand of a test; references to the asker and the time are resolved already.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ConditionTest {
    Null,
    In(Vec<Value>),
    /// Compares with the value; the result must be one of these orderings.
    Ordered(&'static [Ordering], Value),
    Between(Value, Value),
    Like(Pattern),
    Span(Option<Timestamp>, Option<Timestamp>),
}

impl Condition {
    /// Whether the value matches. A null matches negated tests: `ne`, `not-in` and `not-like` also return rows without
    /// a value.
    pub(super) fn holds(&self, value: &Value) -> bool {
        let empty = *value == Value::Null;
        if self.test == ConditionTest::Null {
            return empty != self.negated;
        }
        (!empty && self.test.matches_value(value)) != self.negated
    }
}

impl ConditionTest {
    fn matches_value(&self, value: &Value) -> bool {
        match self {
            Self::Null => false,
            Self::In(values) => values.iter().any(|it| it.compare(value).is_eq()),
            Self::Ordered(orders, other) => orders.contains(&value.compare(other)),
            Self::Between(low, high) => value.compare(low).is_ge() && value.compare(high).is_le(),
            Self::Like(pattern) => match value {
                Value::Text(text) => pattern.matches(text),
                _ => false,
            },
            Self::Span(from, to) => match value {
                Value::Time(at) => from.is_none_or(|it| *at >= it) && to.is_none_or(|it| *at < it),
                _ => false,
            },
        }
    }
}

pub(super) struct ConditionValues<'a> {
    pub(super) operator: &'a str,
    pub(super) values: Vec<&'a str>,
}

impl<'a> ConditionValues<'a> {
    pub(super) fn of(node: Node<'a, '_>) -> Self {
        let children = node.children().filter(|it| it.has_tag_name("value"));
        let children = children.map(|it| it.text().unwrap_or_default());
        Self {
            operator: node.attribute("operator").unwrap_or_default(),
            values: node
                .attribute("value")
                .into_iter()
                .chain(children)
                .collect(),
        }
    }

    /// The test for a column of this type, and whether it is negated.
    pub(super) fn test(
        &self,
        kind: ColumnType,
        asker: &Asker,
        now: Timestamp,
    ) -> Result<(ConditionTest, bool), ApiError> {
        use Ordering::{Equal, Greater, Less};
        let ordered = |orders| -> Result<ConditionTest, ApiError> {
            Ok(ConditionTest::Ordered(orders, self.one(kind)?))
        };
        let (test, negated) = match self.operator {
            "null" => (ConditionTest::Null, false),
            "not-null" => (ConditionTest::Null, true),
            "eq" => (ConditionTest::In(vec![self.one(kind)?]), false),
            "ne" | "neq" => (ConditionTest::In(vec![self.one(kind)?]), true),
            "in" => (ConditionTest::In(self.many(kind)?), false),
            "not-in" => (ConditionTest::In(self.many(kind)?), true),
            "gt" => (ordered(&[Greater])?, false),
            "ge" => (ordered(&[Greater, Equal])?, false),
            "lt" => (ordered(&[Less])?, false),
            "le" => (ordered(&[Less, Equal])?, false),
            "between" => (self.between(kind)?, false),
            "not-between" => (self.between(kind)?, true),
            "like" => (self.like(false, false)?, false),
            "not-like" => (self.like(false, false)?, true),
            "begins-with" => (self.like(false, true)?, false),
            "not-begin-with" => (self.like(false, true)?, true),
            "ends-with" => (self.like(true, false)?, false),
            "not-end-with" => (self.like(true, false)?, true),
            other => match own(other, asker) {
                Some((ids, negated)) if kind == ColumnType::Guid => {
                    (ConditionTest::In(ids), negated)
                }
                Some(_) => return Err(self.wrong_column(kind)),
                None => (self.span(kind, now)?, false),
            },
        };
        Ok((test, negated))
    }

    fn one(&self, kind: ColumnType) -> Result<Value, ApiError> {
        match self.values[..] {
            [text] => value(kind, text),
            _ => Err(self.wrong_number("one value")),
        }
    }

    fn many(&self, kind: ColumnType) -> Result<Vec<Value>, ApiError> {
        if self.values.is_empty() {
            return Err(self.wrong_number("values"));
        }
        self.values.iter().map(|text| value(kind, text)).collect()
    }

    fn between(&self, kind: ColumnType) -> Result<ConditionTest, ApiError> {
        match self.values[..] {
            [low, high] => Ok(ConditionTest::Between(
                value(kind, low)?,
                value(kind, high)?,
            )),
            _ => Err(self.wrong_number("two values")),
        }
    }

    fn like(&self, before: bool, after: bool) -> Result<ConditionTest, ApiError> {
        match self.values[..] {
            [text] => Ok(ConditionTest::Like(Pattern::new(text, before, after))),
            _ => Err(self.wrong_number("one value")),
        }
    }

    fn span(&self, kind: ColumnType, now: Timestamp) -> Result<ConditionTest, ApiError> {
        match bounds(self.operator, self.values.first().copied(), now) {
            Ok((from, to)) if kind == ColumnType::Time => Ok(ConditionTest::Span(from, to)),
            Ok(_) => Err(self.wrong_column(kind)),
            Err(NoBounds::OtherOperator) => Err(errors::invalid(format!(
                "The condition operator '{}' is not valid.",
                self.operator
            ))),
            Err(NoBounds::Value) => Err(self.wrong_number("a valid value")),
        }
    }

    fn wrong_number(&self, wanted: &str) -> ApiError {
        errors::invalid(format!(
            "The condition operator '{}' takes {wanted}.",
            self.operator
        ))
    }

    fn wrong_column(&self, kind: ColumnType) -> ApiError {
        errors::invalid(format!(
            "The condition operator '{}' is not valid for the attribute type '{}'.",
            self.operator,
            kind.edm_name()
        ))
    }
}

/// Reads the text of a value.
fn value(kind: ColumnType, text: &str) -> Result<Value, ApiError> {
    let read = match kind {
        ColumnType::Time => moment(text).map(Value::Time),
        ColumnType::Text => kind.read(text),
        _ => kind.read(text.trim()),
    };
    read.ok_or_else(|| {
        errors::invalid(format!(
            "The value '{text}' of the condition is not of the type '{}'.",
            kind.edm_name()
        ))
    })
}

/// The ids for an operator about the asker, and whether it is negated.
fn own(operator: &str, asker: &Asker) -> Option<(Vec<Value>, bool)> {
    let user = || Value::Guid(asker.user);
    let unit = || Value::Guid(asker.business_unit);
    let teams = || asker.teams.iter().copied().map(Value::Guid);
    Some(match operator {
        "eq-userid" => (vec![user()], false),
        "ne-userid" => (vec![user()], true),
        "eq-businessid" => (vec![unit()], false),
        "ne-businessid" => (vec![unit()], true),
        "eq-userteams" => (teams().collect(), false),
        "eq-useroruserteams" => (teams().chain([user()]).collect(), false),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn asker() -> Asker {
        Asker {
            user: Uuid::from_u128(1),
            business_unit: Uuid::from_u128(2),
            teams: vec![Uuid::from_u128(3)],
        }
    }

    fn holds(operator: &str, values: &[&str], value: &Value) -> bool {
        let written = ConditionValues {
            operator,
            values: values.to_vec(),
        };
        let kind = value.column_type().unwrap_or(ColumnType::Text);
        let now = "2026-11-24T18:30:00Z".parse().unwrap();
        let (test, negated) = written.test(kind, &asker(), now).unwrap();
        let condition = Condition {
            scope: 0,
            column: "x",
            test,
            negated,
        };
        condition.holds(value)
    }

    #[test]
    fn each_operator_fits_what_it_says() {
        let text = |text: &str| Value::Text(text.to_owned());
        let time = Value::Time("2026-11-26T10:00:00Z".parse().unwrap());
        for (operator, values, value) in [
            ("eq", &["abc"][..], text("ABC")),
            ("ne", &["abc"], text("x")),
            ("ne", &["abc"], Value::Null),
            ("null", &[], Value::Null),
            ("not-null", &[], text("")),
            ("ge", &["3"], Value::Int(3)),
            ("lt", &["3"], Value::Int(2)),
            ("in", &["1", "3"], Value::Int(3)),
            ("not-in", &["1", "3"], Value::Int(2)),
            ("between", &["1", "3"], Value::Int(2)),
            ("like", &["a%c"], text("abc")),
            ("not-like", &["%b%"], text("ac")),
            ("begins-with", &["ab"], text("abc")),
            ("eq-userid", &[], Value::Guid(Uuid::from_u128(1))),
            ("ne-userid", &[], Value::Guid(Uuid::from_u128(3))),
            ("eq-businessid", &[], Value::Guid(Uuid::from_u128(2))),
            ("eq-useroruserteams", &[], Value::Guid(Uuid::from_u128(3))),
            ("next-x-days", &["2"], time.clone()),
            ("on-or-after", &["2026-11-26"], time.clone()),
            ("ge", &["2026-11-26T09:00:00Z"], time),
        ] {
            assert!(
                holds(operator, values, &value),
                "{operator} {values:?} {value:?}"
            );
        }
        for (operator, values, value) in [
            ("eq", &["abc"][..], Value::Null),
            ("gt", &["3"], Value::Int(3)),
            ("like", &["a"], text("ab")),
            ("eq-userteams", &[], Value::Guid(Uuid::from_u128(1))),
        ] {
            assert!(
                !holds(operator, values, &value),
                "{operator} {values:?} {value:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (operator, values, kind) in [
            ("equals", &["1"][..], ColumnType::Int),
            ("", &[], ColumnType::Int),
            ("eq", &[], ColumnType::Int),
            ("eq", &["one"], ColumnType::Int),
            ("in", &[], ColumnType::Int),
            ("between", &["1"], ColumnType::Int),
            ("eq-userid", &[], ColumnType::Int),
            ("today", &[], ColumnType::Text),
            ("next-x-days", &["many"], ColumnType::Time),
        ] {
            let written = ConditionValues {
                operator,
                values: values.to_vec(),
            };
            let refused = written.test(kind, &asker(), Timestamp::default());
            assert_eq!(refused.unwrap_err().code, "0x80040203", "{operator}");
        }
    }
}
