//! The syntax tree of a filter, before its names are checked.

use std::fmt::{self, Display as _};

use super::Value;

/// A filter as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// `a and b and c`: at least two.
    And(Vec<Expr>),
    /// `a or b or c`: at least two.
    Or(Vec<Expr>),
    /// `not (a)`.
    Not(Box<Expr>),
    /// `left eq right`.
    Compare(Operand, Operator, Operand),
    /// `contains(name,'x')` and its like.
    Call(TextFunction, Vec<Operand>),
    /// `Microsoft.Dynamics.CRM.Name(Parameter=value,...)`: the name without its namespace.
    Custom(String, Vec<(String, Argument)>),
    /// `path/any(x:...)`, `path/all(x:...)`, `path/any()`.
    Lambda {
        path: Vec<String>,
        /// True for `all`, false for `any`.
        all: bool,
        /// The variable and the condition; only `any` may be without.
        body: Option<(String, Box<Expr>)>,
    },
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    /// `businessunitid/name`.
    Path(Vec<String>),
    /// `'x'`, `256`, `null`.
    Literal(Value),
    /// `@p1`.
    Alias(String),
}

/// A parameter of a query function.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Argument {
    /// `'lastname'`.
    One(Operand),
    /// `["a","b"]`.
    Many(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `eq`.
    Equal,
    /// `ne`.
    NotEqual,
    /// `gt`.
    GreaterThan,
    /// `ge`.
    GreaterThanOrEqual,
    /// `lt`.
    LessThan,
    /// `le`.
    LessThanOrEqual,
}

impl Operator {
    /// Reads the word; operators are written in lower case only.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "gt" => Self::GreaterThan,
            "ge" => Self::GreaterThanOrEqual,
            "lt" => Self::LessThan,
            "le" => Self::LessThanOrEqual,
            _ => return None,
        })
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::GreaterThan => "gt",
            Self::GreaterThanOrEqual => "ge",
            Self::LessThan => "lt",
            Self::LessThanOrEqual => "le",
        }
    }
}

/// The OData functions that the platform supports (Microsoft: "Filter rows using OData").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextFunction {
    /// `contains`.
    Contains,
    /// `startswith`.
    StartsWith,
    /// `endswith`.
    EndsWith,
}

impl TextFunction {
    /// Reads the name.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "contains" => Self::Contains,
            "startswith" => Self::StartsWith,
            "endswith" => Self::EndsWith,
            _ => return None,
        })
    }

    /// The name.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => join(f, parts, " and "),
            Self::Or(parts) => join(f, parts, " or "),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Compare(left, operator, right) => {
                write!(f, "{left} {} {right}", operator.word())
            }
            Self::Call(function, arguments) => {
                write!(f, "{}(", function.word())?;
                list(f, arguments)?;
                f.write_str(")")
            }
            Self::Custom(name, parameters) => write_custom(f, name, parameters),
            Self::Lambda { path, all, body } => {
                write!(
                    f,
                    "{}/{}(",
                    path.join("/"),
                    if *all { "all" } else { "any" }
                )?;
                if let Some((variable, condition)) = body {
                    write!(f, "{variable}:{condition}")?;
                }
                f.write_str(")")
            }
        }
    }
}

/// Writes nested chains in parentheses, so that the text is parsed to the same tree.
fn join(f: &mut fmt::Formatter<'_>, parts: &[Expr], between: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        match part {
            Expr::And(_) | Expr::Or(_) => write!(f, "({part})")?,
            _ => part.fmt(f)?,
        }
    }
    Ok(())
}

fn list(f: &mut fmt::Formatter<'_>, operands: &[Operand]) -> fmt::Result {
    for (at, operand) in operands.iter().enumerate() {
        if at > 0 {
            f.write_str(",")?;
        }
        operand.fmt(f)?;
    }
    Ok(())
}

fn write_custom(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    parameters: &[(String, Argument)],
) -> fmt::Result {
    write!(f, "Microsoft.Dynamics.CRM.{name}(")?;
    for (at, (parameter, argument)) in parameters.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        write!(f, "{comma}{parameter}={argument}")?;
    }
    f.write_str(")")
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(segments) => f.write_str(&segments.join("/")),
            Self::Alias(name) => f.write_str(name),
            Self::Literal(Value::Null) => f.write_str("null"),
            Self::Literal(Value::Bool(value)) => value.fmt(f),
            Self::Literal(Value::Int(value)) => value.fmt(f),
            Self::Literal(Value::Text(text)) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Literal(Value::Guid(id)) => id.fmt(f),
            Self::Literal(Value::Time(time)) => time.fmt(f),
        }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(operand) => operand.fmt(f),
            Self::Many(values) => {
                let texts: Vec<_> = values
                    .iter()
                    .map(|v| serde_json::Value::from(v.as_str()).to_string())
                    .collect();
                write!(f, "[{}]", texts.join(","))
            }
        }
    }
}
