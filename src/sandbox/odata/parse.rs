//! Parses the words of a filter to a syntax tree.

use super::cursor::{Parsed, Parser};
use super::expr::{Argument, Expr, Operand, Operator, TextFunction};
use super::lex::TokenKind;
use super::{QueryError, Value};

/// The namespace of the platform's query functions.
const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";

/// Reads a filter. The newer operator `in` is not documented and not supported (Microsoft: "Filter rows using OData").
pub(super) fn parse(text: &str) -> Result<Expr, QueryError> {
    let mut parser = Parser::new(text)?;
    let expr = parser.or()?;
    parser.end()?;
    Ok(expr)
}

/// Reads the value of `@name`: a literal or an array.
pub(super) fn parse_alias(text: &str) -> Result<Argument, QueryError> {
    let mut parser = Parser::new(text)?;
    let argument = parser.argument()?;
    parser.end()?;
    Ok(argument)
}

impl Parser<'_> {
    fn or(&mut self) -> Parsed<Expr> {
        self.chain("or", Self::and, Expr::Or)
    }

    fn and(&mut self) -> Parsed<Expr> {
        self.chain("and", Self::unary, Expr::And)
    }

    fn chain(
        &mut self,
        keyword: &str,
        part: fn(&mut Self) -> Parsed<Expr>,
        make: fn(Vec<Expr>) -> Expr,
    ) -> Parsed<Expr> {
        let first = part(self)?;
        if self.peek_word() != Some(keyword) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.keyword(keyword) {
            parts.push(part(self)?);
        }
        Ok(make(parts))
    }

    /// `not` binds tighter than `eq`, so its operand is a call, a lambda or an expression in parentheses.
    fn unary(&mut self) -> Parsed<Expr> {
        let start = self.next;
        if self.keyword("not") {
            let inner = self.deeper(Self::unary)?;
            return match inner {
                Expr::Compare(..) if !self.opens_at(start + 1) => {
                    self.next = start + 1;
                    Err(self.unexpected())
                }
                inner => Ok(Expr::Not(Box::new(inner))),
            };
        }
        if self.mark('(') {
            let inner = self.deeper(Self::or)?;
            self.expect(')')?;
            return Ok(inner);
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Parsed<Expr> {
        if let (Some(name), true) = (self.peek_word(), self.opens_at(self.next + 1)) {
            let name = name.to_owned();
            self.next += 2;
            return self.call(&name);
        }
        let operand = self.operand()?;
        match operand {
            Operand::Path(path) if self.mark('(') => self.lambda(path),
            left => self.comparison(left),
        }
    }

    /// After the opening parenthesis.
    fn call(&mut self, name: &str) -> Parsed<Expr> {
        if let Some(short) = name.strip_prefix(NAMESPACE) {
            let parameters = self.parameters()?;
            return Ok(Expr::Custom(short.to_owned(), parameters));
        }
        let Some(function) = TextFunction::from_word(name) else {
            return Err(QueryError::query(format!(
                "An unknown function with name '{name}' was found. This may also be a function import or a \
                 key lookup on a navigation property, which is not allowed."
            )));
        };
        Ok(Expr::Call(function, self.operands()?))
    }

    /// `a,b,c)`; at least one.
    fn operands(&mut self) -> Parsed<Vec<Operand>> {
        let mut operands = vec![self.operand()?];
        while self.mark(',') {
            operands.push(self.operand()?);
        }
        self.expect(')')?;
        Ok(operands)
    }

    /// `Name=value,Name=value)`; at least one.
    fn parameters(&mut self) -> Parsed<Vec<(String, Argument)>> {
        let mut parameters = Vec::new();
        loop {
            let name = self.word()?;
            self.expect('=')?;
            parameters.push((name, self.argument()?));
            if !self.mark(',') {
                break;
            }
        }
        self.expect(')')?;
        Ok(parameters)
    }

    fn argument(&mut self) -> Parsed<Argument> {
        if let Some(TokenKind::Array(values)) = self.peek() {
            let values = values.clone();
            self.next += 1;
            return Ok(Argument::Many(values));
        }
        self.operand().map(Argument::One)
    }

    /// After the opening parenthesis of a call on a path, which must be a lambda.
    fn lambda(&mut self, mut path: Vec<String>) -> Parsed<Expr> {
        let all = match path.pop().as_deref() {
            Some("any") => false,
            Some("all") => true,
            _ => {
                self.next -= 1;
                return Err(self.unexpected());
            }
        };
        if !all && self.mark(')') {
            return Ok(Expr::Lambda {
                path,
                all,
                body: None,
            });
        }
        let variable = self.word()?;
        self.expect(':')?;
        let condition = self.deeper(Self::or)?;
        self.expect(')')?;
        let body = Some((variable, Box::new(condition)));
        Ok(Expr::Lambda { path, all, body })
    }

    fn comparison(&mut self, left: Operand) -> Parsed<Expr> {
        let Some(operator) = self.peek_word().and_then(Operator::from_word) else {
            return Err(self.unexpected());
        };
        self.next += 1;
        Ok(Expr::Compare(left, operator, self.operand()?))
    }

    fn operand(&mut self) -> Parsed<Operand> {
        if let Some(TokenKind::Literal(value)) = self.peek() {
            let value = value.clone();
            self.next += 1;
            return Ok(Operand::Literal(value));
        }
        let word = self.word()?;
        Ok(match word.as_str() {
            "null" => Operand::Literal(Value::Null),
            "true" => Operand::Literal(Value::Bool(true)),
            "false" => Operand::Literal(Value::Bool(false)),
            alias if alias.starts_with('@') => Operand::Alias(word),
            _ => {
                let mut path = vec![word];
                while self.mark('/') {
                    path.push(self.word()?);
                }
                Operand::Path(path)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Expr {
        parse(text).unwrap()
    }

    fn refused(text: &str) -> String {
        parse(text).unwrap_err().message
    }

    #[test]
    fn and_binds_tighter_than_or() {
        assert_eq!(
            parsed("a eq 1 or b eq 2 and c eq 3").to_string(),
            "a eq 1 or (b eq 2 and c eq 3)"
        );
        assert_eq!(
            parsed("(a eq 1 or b eq 2) and c eq 3").to_string(),
            "(a eq 1 or b eq 2) and c eq 3"
        );
    }

    #[test]
    fn not_needs_a_call_or_parentheses() {
        assert_eq!(
            parsed("not contains(a,'x')").to_string(),
            "not (contains(a,'x'))"
        );
        assert_eq!(parsed("not(a eq 1)").to_string(), "not (a eq 1)");
        assert_eq!(
            refused("not a eq 1"),
            "Syntax error at position 4 in 'not a eq 1'."
        );
    }

    #[test]
    fn lambdas_nest_and_any_may_be_empty() {
        for text in [
            "r/any()",
            "r/any(x:x/name eq 'a')",
            "r/all(x:x/t/any(y:y/n eq x/n and y/m ne null))",
        ] {
            assert_eq!(parsed(text).to_string(), text);
        }
        assert!(parse("r/all()").is_err());
        assert!(parse("r/some(x:x/a eq 1)").is_err());
    }

    #[test]
    fn query_functions_take_named_parameters_and_aliases() {
        for text in [
            "Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)",
            r#"Microsoft.Dynamics.CRM.In(PropertyName='lastname',PropertyValues=["A","B"])"#,
        ] {
            assert_eq!(parsed(text).to_string(), text);
        }
        assert_eq!(
            parse_alias("[\"A\"]").unwrap(),
            Argument::Many(vec!["A".into()])
        );
    }

    #[test]
    fn what_the_platform_does_not_have_is_refused() {
        for text in [
            "a in (1,2)",
            "a add 1 eq 2",
            "a has 1",
            "a EQ 1",
            "a eq 1 eq 2",
            "a eq",
            "",
            "()",
            "a",
            "a eq 1)",
            "(a eq 1",
            "guid'e39c5d16-675b-48d1-8e67-667427e9c084' eq a",
            "a eq 1.5",
            "a/ eq 1",
        ] {
            let message = refused(text);
            assert!(
                message.starts_with("Syntax error at position "),
                "{text}: {message}"
            );
        }
        assert!(
            refused("tolower(a) eq 'x'").starts_with("An unknown function with name 'tolower'")
        );
    }

    #[test]
    fn nesting_without_end_is_refused_rather_than_followed() {
        let text = "(".repeat(100_000);
        assert_eq!(refused(&text), "Recursion depth exceeded allowed limit.");
        let text = "not ".repeat(100_000);
        assert_eq!(refused(&text), "Recursion depth exceeded allowed limit.");
    }
}
