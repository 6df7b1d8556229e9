//! Aggregates: counts, sums and extremes, of all results or by group.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use jiff::tz::TimeZone;

use super::errors::{self, AGGREGATE_LIMIT};
use super::joins::{Source, Tuple, each, value};
use super::model::{By, Fetch, Function, Output, Part, Role};
use crate::errors::ApiError;
use crate::odata::Value;

#[derive(Clone, Debug, Default)]
struct Gathered {
    rows: i64,
    values: i64,
    sum: i64,
    least: Option<Value>,
    greatest: Option<Value>,
    seen: HashSet<String>,
}

impl Gathered {
    fn add(&mut self, value: Value, function: Function) {
        self.rows += 1;
        if value == Value::Null {
            return;
        }
        self.values += 1;
        if let Value::Int(number) = value {
            self.sum = self.sum.saturating_add(number);
        }
        match function {
            Function::CountColumn { distinct: true } => {
                self.seen.insert(key(&value));
            }
            Function::Least
                if self
                    .least
                    .as_ref()
                    .is_none_or(|it| value.compare(it).is_lt()) =>
            {
                self.least = Some(value);
            }
            Function::Greatest
                if self
                    .greatest
                    .as_ref()
                    .is_none_or(|it| value.compare(it).is_gt()) =>
            {
                self.greatest = Some(value);
            }
            _ => {}
        }
    }

    fn result(self, function: Function) -> Value {
        let count = |number: usize| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        match function {
            Function::Count => Value::Int(self.rows),
            Function::CountColumn { distinct: true } => count(self.seen.len()),
            Function::CountColumn { distinct: false } => Value::Int(self.values),
            Function::Sum if self.values > 0 => Value::Int(self.sum),
            Function::Average if self.values > 0 => Value::Int(self.sum / self.values),
            Function::Least => self.least.unwrap_or(Value::Null),
            Function::Greatest => self.greatest.unwrap_or(Value::Null),
            Function::Sum | Function::Average => Value::Null,
        }
    }
}

/// A text for a value; equal values have equal texts.
fn key(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_lowercase(),
        other => format!("{other:?}"),
    }
}

/// The rows of an aggregate query, with a value for each column of the result; at most `at_most` rows are read.
pub(crate) fn aggregate(
    fetch: &Fetch,
    source: &dyn Source<'_>,
    at_most: Option<usize>,
) -> Result<Vec<Vec<Value>>, ApiError> {
    let limit = [at_most, fetch.limit].into_iter().flatten();
    let limit = limit.fold(AGGREGATE_LIMIT, usize::min);
    let mut groups: BTreeMap<Vec<String>, (Vec<Value>, Vec<Gathered>)> = BTreeMap::new();
    let blank = || vec![Gathered::default(); fetch.outputs.len()];
    if fetch
        .outputs
        .iter()
        .all(|it| matches!(it.role, Role::Aggregate(_)))
    {
        groups.insert(Vec::new(), (Vec::new(), blank()));
    }
    let mut rows = 0;
    each(fetch, source, &mut |tuple| {
        rows += 1;
        if rows > limit {
            return false;
        }
        let values = grouped(fetch, &tuple);
        let place = values.iter().map(key).collect();
        let (_, gathered) = groups.entry(place).or_insert_with(|| (values, blank()));
        for (gathered, output) in gathered.iter_mut().zip(&fetch.outputs) {
            if let Role::Aggregate(function) = output.role {
                gathered.add(value(&tuple, output.scope, output.column), function);
            }
        }
        true
    });
    if rows > limit {
        return Err(errors::too_many_rows());
    }
    let rows = groups.into_values();
    let mut rows: Vec<_> = rows.map(|(group, all)| row(fetch, group, all)).collect();
    rows.sort_by(|a, b| compare(fetch, a, b));
    let size = fetch.top.or(fetch.count).unwrap_or(usize::MAX);
    rows.truncate(size);
    Ok(rows)
}

fn grouped(fetch: &Fetch, tuple: &Tuple<'_>) -> Vec<Value> {
    let groups = fetch.outputs.iter().filter_map(|it| match it.role {
        Role::Group(part) => Some(part_of(value(tuple, it.scope, it.column), part)),
        _ => None,
    });
    groups.collect()
}

fn row(fetch: &Fetch, group: Vec<Value>, gathered: Vec<Gathered>) -> Vec<Value> {
    let mut group = group.into_iter();
    let columns = fetch.outputs.iter().zip(gathered);
    let column = |(output, gathered): (&Output, Gathered)| match output.role {
        Role::Aggregate(function) => gathered.result(function),
        _ => group.next().unwrap_or(Value::Null),
    };
    columns.map(column).collect()
}

fn compare(fetch: &Fetch, a: &[Value], b: &[Value]) -> Ordering {
    let orders = fetch.orders.iter().filter_map(|order| match order.by {
        By::Output(place) => Some((place, order.descending)),
        By::Column { .. } => None,
    });
    let mut compared = orders.map(|(place, descending)| {
        let ascending = a[place].compare(&b[place]);
        if descending {
            ascending.reverse()
        } else {
            ascending
        }
    });
    compared.find(|it| it.is_ne()).unwrap_or(Ordering::Equal)
}

fn part_of(value: Value, part: Option<Part>) -> Value {
    let (Value::Time(moment), Some(part)) = (&value, part) else {
        return value;
    };
    let date = TimeZone::UTC.to_datetime(*moment).date();
    Value::Int(match part {
        Part::Day => date.day().into(),
        Part::Week => i64::from(date.day_of_year() - 1) / 7 + 1,
        Part::Month => date.month().into(),
        Part::Quarter => i64::from(date.month() - 1) / 3 + 1,
        Part::Year => date.year().into(),
    })
}
