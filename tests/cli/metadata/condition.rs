//! The names in an `OData` condition.

use std::collections::BTreeMap;

use super::documents::Documents;

/// Words of the language itself (`OData` Version 4.0, part 2: URL conventions), as far as Dynamics takes them.
const WORDS: [&str; 12] = [
    "and", "or", "not", "eq", "ne", "gt", "ge", "lt", "le", "null", "true", "false",
];
/// Functions over texts, from the same document.
const FUNCTIONS: [&str; 3] = ["contains", "startswith", "endswith"];
const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A name, or a word of the language.
    Name(String),
    Text(String),
    /// A number, a date or an id.
    Value,
    Sign(char),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(&c) = rest.peek() {
        if c == '\'' {
            rest.next();
            let mut inside = String::new();
            while let Some(c) = rest.next() {
                if c == '\'' && rest.next_if_eq(&'\'').is_none() {
                    break;
                }
                inside.push(c);
            }
            tokens.push(Token::Text(inside));
        } else if c.is_ascii_alphanumeric() || "_-@".contains(c) {
            let of_a_value = c.is_ascii_digit() || c == '-';
            let belongs = |c: &char| {
                c.is_ascii_alphanumeric() || "_-@.".contains(*c) || of_a_value && "+:".contains(*c)
            };
            let mut run = String::new();
            while let Some(c) = rest.next_if(belongs) {
                run.push(c);
            }
            let is_value = of_a_value || uuid::Uuid::try_parse(&run).is_ok();
            tokens.push(if is_value {
                Token::Value
            } else {
                Token::Name(run)
            });
        } else {
            rest.next();
            if !c.is_whitespace() {
                tokens.push(Token::Sign(c));
            }
        }
    }
    tokens
}

/// Every name in a condition over rows of a type that is not declared.
pub(super) fn unknown_in_condition(documents: &Documents, of: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut unknown = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Token::Name(first) = &tokens[at] else {
            at += 1;
            continue;
        };
        at += 1;
        let calls = tokens.get(at) == Some(&Token::Sign('('));
        if WORDS.contains(&first.as_str()) || calls && FUNCTIONS.contains(&first.as_str()) {
            continue;
        }
        if let Some(function) = first.strip_prefix(NAMESPACE).filter(|_| calls) {
            at = query_function(documents, of, function, (&tokens, at + 1), &mut unknown);
            continue;
        }
        let variable = variables.get(first).cloned();
        let mut current = variable.clone().or_else(|| Some(of.to_owned()));
        let mut name = (variable.is_none()).then(|| first.clone());
        loop {
            if let (Some(name), Some(here)) = (&name, &current) {
                let next = documents.navigation(here, name).map(str::to_owned);
                if next.is_none() && !documents.has_property(here, name) {
                    unknown.push(format!("{name} of {here}"));
                }
                current = next;
            }
            let [Some(Token::Sign('/')), Some(Token::Name(next))] =
                [tokens.get(at), tokens.get(at + 1)]
            else {
                break;
            };
            at += 2;
            if ["any", "all"].contains(&next.as_str()) {
                // `any(x:x/name eq 'y')`
                if let (Some(Token::Name(x)), Some(here)) = (tokens.get(at + 1), &current) {
                    variables.insert(x.clone(), here.clone());
                    at += 3;
                }
                break;
            }
            if current.is_none() {
                unknown.push(format!("{next} below {first}, which leads nowhere"));
                break;
            }
            name = Some(next.clone());
        }
    }
    unknown
}

/// The parameters of a query function; where the next token is. `PropertyName` gives the name of a property.
fn query_function(
    documents: &Documents,
    of: &str,
    function: &str,
    (tokens, mut at): (&[Token], usize),
    unknown: &mut Vec<String>,
) -> usize {
    let Some(declared) = documents.operation(function) else {
        unknown.push(format!("function {function}"));
        return at;
    };
    let mut parameter = "";
    while let Some(token) = tokens.get(at).filter(|it| **it != Token::Sign(')')) {
        match token {
            Token::Name(name) => {
                if !declared.parameters.contains(name) {
                    unknown.push(format!("parameter {name} of {function}"));
                }
                parameter = name;
            }
            Token::Text(property) if parameter == "PropertyName" => {
                if !documents.has_property(of, property) {
                    unknown.push(format!("{property} of {of}"));
                }
            }
            Token::Text(_) | Token::Value | Token::Sign(_) => {}
        }
        at += 1;
    }
    at + 1
}
