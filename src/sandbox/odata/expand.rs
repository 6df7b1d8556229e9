//! `$expand` and the options inside its parentheses.

use super::options::{QueryOptions, refuse_collection_options};
use super::percent::encode_outer;
use super::{Dialect, Query, QueryError, Table};

/// The deepest nesting of expanded properties. The platform's limit is not imitated; this one bounds the recursion.
const MAX_DEPTH: usize = 10;

#[derive(Clone, Debug)]
pub(super) struct Expand {
    /// The navigation property.
    pub name: String,
    /// Whether it is a collection.
    pub many: bool,
    /// The options inside the parentheses.
    pub query: Query,
}

/// Reads the value of `$expand`.
pub(super) fn read(
    text: &str,
    table: &dyn Table,
    outer: &QueryOptions,
    dialect: Dialect,
    depth: usize,
) -> Result<Vec<Expand>, QueryError> {
    if depth == MAX_DEPTH {
        return Err(QueryError::query(format!(
            "The request includes a $expand path which is too deep. The maximum depth allowed is {MAX_DEPTH}."
        )));
    }
    let parts = split(text, ',').ok_or_else(|| QueryError::syntax(text.chars().count(), text))?;
    parts
        .into_iter()
        .map(|part| read_one(part.trim(), table, outer, dialect, depth))
        .collect()
}

fn read_one(
    text: &str,
    table: &dyn Table,
    outer: &QueryOptions,
    dialect: Dialect,
    depth: usize,
) -> Result<Expand, QueryError> {
    let (name, inside) = match text.split_once('(') {
        None => (text, ""),
        Some((name, rest)) => match rest.strip_suffix(')') {
            Some(inside) => (name.trim_end(), inside),
            None => return Err(QueryError::syntax(text.chars().count(), text)),
        },
    };
    let Some(navigation) = table.navigation(name) else {
        return Err(QueryError::no_property(name, table.logical_name()));
    };
    let pairs = pairs(inside)?;
    let encode = |(name, value): &(String, String)| format!("{name}={}", encode_outer(value));
    let raw: Vec<String> = pairs.iter().map(encode).collect();
    let mut options = QueryOptions::nested(pairs, outer)?;
    if !navigation.many {
        refuse_collection_options(&mut options)?;
    }
    let query = Query::build(raw.join("&"), options, navigation.table, dialect, depth + 1)?;
    if query.after.is_some() || query.count {
        return Err(QueryError::query(
            "The options $count and $skiptoken are not supported inside $expand.",
        ));
    }
    Ok(Expand {
        name: name.to_owned(),
        many: navigation.many,
        query,
    })
}

/// `$select=a,b;$top=1`.
fn pairs(inside: &str) -> Result<Vec<(String, String)>, QueryError> {
    let refusal = || QueryError::syntax(inside.chars().count(), inside);
    let parts = split(inside, ';').ok_or_else(refusal)?;
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').ok_or_else(refusal)?;
            let name = name.trim();
            if name.starts_with('$') {
                Ok((name.to_owned(), value.trim().to_owned()))
            } else {
                Err(refusal())
            }
        })
        .collect()
}

/// Splits at a mark outside of parentheses and strings; `None` where those are not closed.
fn split(text: &str, mark: char) -> Option<Vec<&str>> {
    let (mut depth, mut quoted, mut start) = (0_usize, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            c if c == mark && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (depth == 0 && !quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odata::fixture::USERS;
    use proptest::prelude::*;

    fn expanded(text: &str) -> Result<Vec<Expand>, QueryError> {
        read(
            text,
            &USERS,
            &QueryOptions::default(),
            Dialect::default(),
            0,
        )
    }

    #[test]
    fn options_inside_the_parentheses_belong_to_the_property() {
        let expanded = expanded(
            "businessunitid($select=name),user_userquery($select=name;$filter=name eq 'a;b' and \
             contains(name,'('); $top=2;$expand=owninguser($select=fullname))",
        )
        .unwrap();
        let [unit, filters] = &expanded[..] else {
            panic!("{expanded:?}");
        };
        assert!(!unit.many && filters.many);
        assert_eq!(unit.query.select.as_deref(), Some(&["name".to_owned()][..]));
        assert_eq!(
            (filters.query.top, filters.query.expand.len()),
            (Some(2), 1)
        );
        assert!(filters.query.filter.is_some());
    }

    #[test]
    fn what_cannot_be_expanded_is_refused() {
        for text in [
            "fullname",
            "nothing",
            "businessunitid(",
            "businessunitid(name)",
            "businessunitid($select=x)",
            "businessunitid($filter=name eq 'a')",
            "user_userquery($skip=1)",
            "businessunitid)",
            "",
            "user_userquery($count=true)",
            "businessunitid(select=name)",
        ] {
            assert_eq!(expanded(text).unwrap_err().status, 400, "{text}");
        }
        let deep = "user_userquery($expand=owninguser($expand=".repeat(500);
        let closed = format!("{deep}businessunitid{}", "))".repeat(500));
        assert!(expanded(&closed).unwrap_err().message.contains("too deep"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*|[a-z(),;='$]{0,20}") {
            let _ = expanded(&text);
        }
    }
}
