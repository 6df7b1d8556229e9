//! Checks the syntax tree of a filter: all names must exist, and all comparisons must be valid.

use super::expr::{Argument, Expr, Operand, Operator, TextFunction};
use super::filter::{Collection, ODataFilter, Path, Term};
use super::functions::{self, Parameters};
use super::like::Pattern;
use super::options::QueryOptions;
use super::parse::parse_alias;
use super::{ColumnType, Dialect, QueryError, Table, Value};

type Checked<T> = Result<T, QueryError>;

/// Checks a filter on a table. Aliases are looked up in the options.
pub(super) fn check(
    expr: &Expr,
    table: &dyn Table,
    options: &QueryOptions,
    dialect: Dialect,
) -> Checked<ODataFilter> {
    let mut checker = Checker {
        scopes: vec![("$it".to_owned(), table)],
        options,
        conditions_left: dialect.max_conditions,
    };
    checker.filter(expr)
}

/// A column of the table itself or of a related row, as `$orderby` accepts it.
pub(super) fn column(segments: &[String], table: &dyn Table) -> Checked<Path> {
    let (hops, last, end) = walk(segments, table)?;
    let Some(kind) = end.column(last) else {
        return Err(QueryError::no_property(last, end.logical_name()));
    };
    Ok(Path {
        scope: 0,
        hops,
        column: last.to_owned(),
        kind,
    })
}

/// Follows all segments but the last. They must be single-valued.
fn walk<'s, 't>(
    segments: &'s [String],
    table: &'t dyn Table,
) -> Checked<(Vec<String>, &'s str, &'t dyn Table)> {
    let Some((last, hops)) = segments.split_last() else {
        return Err(QueryError::no_property("", table.logical_name()));
    };
    let mut table = table;
    for (at, hop) in hops.iter().enumerate() {
        let Some(navigation) = table.navigation(hop) else {
            return Err(QueryError::no_property(hop, table.logical_name()));
        };
        if navigation.many {
            return Err(QueryError::query(format!(
                "The parent value for a property access of a property '{}' is not a single value. Property \
                 access can only be applied to a single value.",
                segments[at + 1]
            )));
        }
        table = navigation.table;
    }
    Ok((hops.to_vec(), last, table))
}

struct Checker<'a> {
    /// The tables that names can refer to: the row itself first, then the variables of lambdas.
    scopes: Vec<(String, &'a dyn Table)>,
    options: &'a QueryOptions,
    conditions_left: usize,
}

impl<'a> Checker<'a> {
    fn filter(&mut self, expr: &Expr) -> Checked<ODataFilter> {
        Ok(match expr {
            Expr::And(parts) => ODataFilter::All(self.filters(parts)?),
            Expr::Or(parts) => ODataFilter::Any(self.filters(parts)?),
            Expr::Not(inner) => ODataFilter::Not(Box::new(self.filter(inner)?)),
            Expr::Compare(left, operator, right) => self.compare(left, *operator, right)?,
            Expr::Call(function, arguments) => self.call(*function, arguments)?,
            Expr::Custom(name, parameters) => self.custom(name, parameters)?,
            Expr::Lambda { path, all, body } => self.lambda(path, *all, body.as_ref())?,
        })
    }

    fn filters(&mut self, parts: &[Expr]) -> Checked<Vec<ODataFilter>> {
        parts.iter().map(|part| self.filter(part)).collect()
    }

    fn count_condition(&mut self) -> Checked<()> {
        let left = self.conditions_left.checked_sub(1);
        self.conditions_left = left.ok_or_else(QueryError::too_many_conditions)?;
        Ok(())
    }

    fn compare(
        &mut self,
        left: &Operand,
        operator: Operator,
        right: &Operand,
    ) -> Checked<ODataFilter> {
        self.count_condition()?;
        let (left, right) = (self.side(left)?, self.side(right)?);
        let (left_type, right_type) = (left.type_name(), right.type_name());
        let refusal =
            || QueryError::incompatible(&left_type, &right_type, &format!("{operator:?}"));
        let (Side::Term(left), Side::Term(right)) = (left, right) else {
            return Err(refusal());
        };
        let kinds = (left.kind(), right.kind());
        let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
        match (&left, &right) {
            (Term::Literal(_), Term::Literal(_)) => Err(QueryError::query(
                "A comparison needs a property on at least one side.",
            )),
            _ if matches!(kinds, (Some(a), Some(b)) if a != b) => Err(refusal()),
            _ if ordered && matches!(kinds.0.or(kinds.1), Some(ColumnType::Bool)) => Err(refusal()),
            _ => Ok(ODataFilter::Compare(left, operator, right)),
        }
    }

    fn side(&self, operand: &Operand) -> Checked<Side> {
        match operand {
            Operand::Literal(value) => Ok(Side::Term(Term::Literal(value.clone()))),
            Operand::Alias(name) => Ok(Side::Term(Term::Literal(self.alias_value(name)?))),
            Operand::Path(segments) => {
                let (scope, rest) = self.scope(segments);
                let (hops, last, end) = walk(rest, self.scopes[scope].1)?;
                if let Some(kind) = end.column(last) {
                    let column = last.to_owned();
                    return Ok(Side::Term(Term::Column(Path {
                        scope,
                        hops,
                        column,
                        kind,
                    })));
                }
                match end.navigation(last) {
                    Some(navigation) => {
                        Ok(Side::Entity(navigation.table.logical_name().to_owned()))
                    }
                    None => Err(QueryError::no_property(last, end.logical_name())),
                }
            }
        }
    }

    /// The scope of a path: that of the variable at its start, else the row itself.
    fn scope<'s>(&self, segments: &'s [String]) -> (usize, &'s [String]) {
        let named = |first: &String| self.scopes.iter().rposition(|(name, _)| name == first);
        match segments.split_first() {
            Some((first, rest)) => named(first).map_or((0, segments), |scope| (scope, rest)),
            None => (0, segments),
        }
    }

    /// The value of an alias. An undefined one is null (OData 4.0, part 1, parameter aliases).
    fn alias(&self, name: &str) -> Checked<Argument> {
        match self.options.alias(name) {
            None => Ok(Argument::One(Operand::Literal(Value::Null))),
            Some(text) => parse_alias(text),
        }
    }

    fn alias_value(&self, name: &str) -> Checked<Value> {
        match self.alias(name)? {
            Argument::One(Operand::Literal(value)) => Ok(value),
            _ => Err(QueryError::query(format!(
                "The value of the parameter alias '{name}' is not a literal."
            ))),
        }
    }

    fn call(&mut self, function: TextFunction, arguments: &[Operand]) -> Checked<ODataFilter> {
        self.count_condition()?;
        let sides: Vec<Side> = arguments
            .iter()
            .map(|a| self.side(a))
            .collect::<Checked<_>>()?;
        let name = function.word();
        match &sides[..] {
            [
                Side::Term(Term::Column(path)),
                Side::Term(Term::Literal(Value::Text(text))),
            ] if path.kind == ColumnType::Text => {
                let (before, after) = match function {
                    TextFunction::Contains => (true, true),
                    TextFunction::StartsWith => (false, true),
                    TextFunction::EndsWith => (true, false),
                };
                Ok(ODataFilter::Like(
                    path.clone(),
                    Pattern::new(text, before, after),
                ))
            }
            _ => Err(QueryError::query(format!(
                "No function signature for the function with name '{name}' matches the specified arguments. \
                 The function signatures considered are: {name}(Edm.String Nullable=true, Edm.String \
                 Nullable=true)."
            ))),
        }
    }

    fn custom(&mut self, name: &str, parameters: &[(String, Argument)]) -> Checked<ODataFilter> {
        self.count_condition()?;
        if !functions::known(name) {
            return Err(QueryError::query(format!(
                "An unknown function with name 'Microsoft.Dynamics.CRM.{name}' was found. This may also be a \
                 function import or a key lookup on a navigation property, which is not allowed."
            )));
        }
        let resolve = |(parameter, argument): &'_ (String, Argument)| match argument {
            Argument::One(Operand::Alias(alias)) => Ok((parameter.clone(), self.alias(alias)?)),
            other => Ok((parameter.clone(), other.clone())),
        };
        let given: Vec<_> = parameters.iter().map(resolve).collect::<Checked<_>>()?;
        let parameters = Parameters {
            function: name,
            given,
        };
        let path = self.attribute(parameters.property()?)?;
        let (test, negated) = functions::test(&parameters, path.kind)?;
        Ok(ODataFilter::Test {
            path,
            test,
            negated,
        })
    }

    /// `PropertyName` is the name of the attribute: `ownerid` means the column `_ownerid_value`.
    fn attribute(&self, name: &str) -> Checked<Path> {
        let table = self.scopes[0].1;
        let lookup = format!("_{name}_value");
        let candidates = [name, lookup.as_str()].map(|n| (n, table.column(n)));
        let found = candidates
            .into_iter()
            .find_map(|(n, kind)| Some((n, kind?)));
        let Some((column, kind)) = found else {
            return Err(QueryError::no_property(name, table.logical_name()));
        };
        Ok(Path {
            scope: 0,
            hops: Vec::new(),
            column: column.to_owned(),
            kind,
        })
    }

    fn lambda(
        &mut self,
        path: &[String],
        all: bool,
        body: Option<&(String, Box<Expr>)>,
    ) -> Checked<ODataFilter> {
        self.count_condition()?;
        let (scope, rest) = self.scope(path);
        let (hops, name, holder): (_, _, &'a dyn Table) = walk(rest, self.scopes[scope].1)?;
        let Some(navigation) = holder.navigation(name) else {
            return Err(QueryError::no_property(name, holder.logical_name()));
        };
        if !navigation.many {
            return Err(QueryError::query(
                "Any/All may only be used following a collection.",
            ));
        }
        let path = Collection {
            scope,
            hops,
            name: name.to_owned(),
        };
        let body = match body {
            None => None,
            Some((variable, condition)) => {
                self.scopes.push((variable.clone(), navigation.table));
                let inner = self.filter(condition);
                self.scopes.pop();
                Some(Box::new(inner?))
            }
        };
        Ok(ODataFilter::Related { path, all, body })
    }
}

/// One side of a comparison, which may not be a value.
enum Side {
    Term(Term),
    /// A navigation property, with the logical name of its table.
    Entity(String),
}

impl Side {
    fn type_name(&self) -> String {
        match self {
            Self::Entity(logical_name) => format!("Microsoft.Dynamics.CRM.{logical_name}"),
            Self::Term(term) => term
                .kind()
                .map_or("<null>", ColumnType::edm_name)
                .to_owned(),
        }
    }
}

impl Term {
    fn kind(&self) -> Option<ColumnType> {
        match self {
            Self::Column(path) => Some(path.kind),
            Self::Literal(value) => value.column_type(),
        }
    }
}
