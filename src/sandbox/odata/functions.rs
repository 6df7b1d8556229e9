//! The query functions of the platform (Microsoft: "Filter rows using OData", Dataverse query functions).

use jiff::SignedDuration;
use uuid::Uuid;

use super::expr::{Argument, Operand};
use super::{ColumnType, Context, QueryError, Value};

/// The most levels of a tree that are searched: more than the platform allows, so that a circle ends.
const MAX_LEVELS: usize = 100;

/// The test of a query function on the value of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Test {
    In(Vec<Value>),
    /// From the first to the second, both included.
    Between(Value, Value),
    /// An id that belongs to the asker.
    Own(Own),
    /// A row between this one and the root.
    Above {
        id: Uuid,
        /// Whether this row itself matches.
        or_equal: bool,
    },
    /// A row below this one.
    Under {
        id: Uuid,
        /// Whether this row itself matches.
        or_equal: bool,
    },
    /// A time between that long ago and now.
    Last(SignedDuration),
    /// A time longer ago.
    OlderThan(SignedDuration),
}

/// The ids of the asker to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    User,
    BusinessUnit,
    Teams,
    UserOrTeams,
}

/// The parameters of one function, with aliases resolved.
pub(super) struct Parameters<'a> {
    /// The function, without its namespace.
    pub function: &'a str,
    /// Name and value.
    pub given: Vec<(String, Argument)>,
}

impl Parameters<'_> {
    /// A required parameter.
    fn get(&self, name: &str) -> Result<&Argument, QueryError> {
        let found = self.given.iter().find(|(given, _)| given == name);
        found
            .map(|(_, value)| value)
            .ok_or_else(|| self.refuse(&format!("The parameter '{name}' is missing.")))
    }

    /// `PropertyName`.
    pub(super) fn property(&self) -> Result<&str, QueryError> {
        match self.get("PropertyName")? {
            Argument::One(Operand::Literal(Value::Text(name))) => Ok(name),
            _ => Err(self.refuse("The parameter 'PropertyName' is not a string.")),
        }
    }

    /// `PropertyValue`, which may be a string for any column type.
    fn value(&self, kind: ColumnType) -> Result<Value, QueryError> {
        let Argument::One(Operand::Literal(value)) = self.get("PropertyValue")? else {
            return Err(self.refuse("The parameter 'PropertyValue' is not a single value."));
        };
        match value {
            Value::Text(text) => self.read(kind, text),
            value if value.column_type() == Some(kind) => Ok(value.clone()),
            _ => {
                Err(self
                    .refuse("The parameter 'PropertyValue' is of another type than the property."))
            }
        }
    }

    /// `PropertyValues`, always strings.
    fn values(&self, kind: ColumnType) -> Result<Vec<Value>, QueryError> {
        match self.get("PropertyValues")? {
            Argument::Many(texts) => texts.iter().map(|text| self.read(kind, text)).collect(),
            Argument::One(_) => Err(self.refuse("The parameter 'PropertyValues' is not an array.")),
        }
    }

    fn read(&self, kind: ColumnType, text: &str) -> Result<Value, QueryError> {
        kind.read(text).ok_or_else(|| {
            self.refuse(&format!(
                "The value '{text}' is not of the type '{}'.",
                kind.edm_name()
            ))
        })
    }

    fn id(&self, kind: ColumnType) -> Result<Uuid, QueryError> {
        match self.value(kind)? {
            Value::Guid(id) => Ok(id),
            _ => Err(self.wrong_column(kind)),
        }
    }

    fn span(&self, kind: ColumnType, hours: i64) -> Result<SignedDuration, QueryError> {
        if kind != ColumnType::Time {
            return Err(self.wrong_column(kind));
        }
        match self.value(ColumnType::Int)? {
            Value::Int(n @ 1..=1_000_000) => Ok(SignedDuration::from_hours(n * hours)),
            _ => Err(self.refuse("The parameter 'PropertyValue' is out of range.")),
        }
    }

    fn wrong_column(&self, kind: ColumnType) -> QueryError {
        self.refuse(&format!("The property has the type '{}'.", kind.edm_name()))
    }

    fn refuse(&self, why: &str) -> QueryError {
        QueryError::query(format!(
            "The query function 'Microsoft.Dynamics.CRM.{}' cannot be used so. {why}",
            self.function
        ))
    }
}

/// Whether the function is imitated.
pub(super) fn known(function: &str) -> bool {
    const KNOWN: [&str; 19] = [
        "In",
        "NotIn",
        "Between",
        "NotBetween",
        "EqualUserId",
        "NotEqualUserId",
        "EqualBusinessId",
        "NotEqualBusinessId",
        "EqualUserTeams",
        "EqualUserOrUserTeams",
        "Above",
        "AboveOrEqual",
        "Under",
        "UnderOrEqual",
        "NotUnder",
        "LastXDays",
        "LastXHours",
        "OlderThanXDays",
        "OlderThanXHours",
    ];
    KNOWN.contains(&function)
}

/// The test of a function on a column of this type, and whether it is negated.
pub(super) fn test(
    parameters: &Parameters<'_>,
    kind: ColumnType,
) -> Result<(Test, bool), QueryError> {
    let own = |own| {
        if kind == ColumnType::Guid {
            Ok(Test::Own(own))
        } else {
            Err(parameters.wrong_column(kind))
        }
    };
    let under = |or_equal| {
        Ok(Test::Under {
            id: parameters.id(kind)?,
            or_equal,
        })
    };
    let above = |or_equal| {
        Ok(Test::Above {
            id: parameters.id(kind)?,
            or_equal,
        })
    };
    let test = match parameters.function {
        "In" | "NotIn" => Test::In(parameters.values(kind)?),
        "Between" | "NotBetween" => match &parameters.values(kind)?[..] {
            [low, high] => Test::Between(low.clone(), high.clone()),
            _ => return Err(parameters.refuse("The parameter 'PropertyValues' needs two values.")),
        },
        "EqualUserId" | "NotEqualUserId" => own(Own::User)?,
        "EqualBusinessId" | "NotEqualBusinessId" => own(Own::BusinessUnit)?,
        "EqualUserTeams" => own(Own::Teams)?,
        "EqualUserOrUserTeams" => own(Own::UserOrTeams)?,
        "Above" => above(false)?,
        "AboveOrEqual" => above(true)?,
        "Under" | "NotUnder" => under(false)?,
        "UnderOrEqual" => under(true)?,
        "LastXDays" => Test::Last(parameters.span(kind, 24)?),
        "LastXHours" => Test::Last(parameters.span(kind, 1)?),
        "OlderThanXDays" => Test::OlderThan(parameters.span(kind, 24)?),
        "OlderThanXHours" => Test::OlderThan(parameters.span(kind, 1)?),
        _ => return Err(parameters.refuse("There is no such function.")),
    };
    Ok((test, parameters.function.starts_with("Not")))
}

impl Test {
    /// Whether a value passes; null never does.
    pub(super) fn holds(&self, value: &Value, ctx: &Context<'_>) -> bool {
        match (self, value) {
            (_, Value::Null) => false,
            (Self::In(values), value) => values.iter().any(|v| v.compare(value).is_eq()),
            (Self::Between(low, high), value) => {
                low.compare(value).is_le() && value.compare(high).is_le()
            }
            (Self::Own(own), Value::Guid(id)) => own.holds(*id, ctx),
            (Self::Above { id, or_equal }, Value::Guid(row)) => reaches(*id, *row, *or_equal, ctx),
            (Self::Under { id, or_equal }, Value::Guid(row)) => reaches(*row, *id, *or_equal, ctx),
            (Self::Last(span), Value::Time(time)) => {
                *time <= ctx.now && ctx.now.duration_since(*time) <= *span
            }
            (Self::OlderThan(span), Value::Time(time)) => ctx.now.duration_since(*time) > *span,
            _ => false,
        }
    }
}

impl Own {
    fn holds(self, id: Uuid, ctx: &Context<'_>) -> bool {
        let asker = ctx.asker;
        match self {
            Self::User => id == asker.user,
            Self::BusinessUnit => id == asker.business_unit,
            Self::Teams => asker.teams.contains(&id),
            Self::UserOrTeams => id == asker.user || asker.teams.contains(&id),
        }
    }
}

/// Whether `to` is above `from` in the tree.
fn reaches(from: Uuid, to: Uuid, or_equal: bool, ctx: &Context<'_>) -> bool {
    if from == to {
        return or_equal;
    }
    std::iter::successors(Some(from), |id| ctx.hierarchy.parent(*id))
        .take(MAX_LEVELS)
        .skip(1)
        .any(|id| id == to)
}
