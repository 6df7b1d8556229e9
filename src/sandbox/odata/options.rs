//! From the raw query string to named options.

use std::collections::HashMap;

use url::form_urlencoded;

use super::QueryError;

/// Options that Dataverse supports and that are refused here, because ignoring them would answer another question.
const NOT_IMITATED: [&str; 3] = ["fetchXml", "savedQuery", "userQuery"];

/// The options of a query string, decoded: `%20` and `+` are spaces, `%24filter` is `$filter`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct QueryOptions {
    /// `$name` to value.
    system: HashMap<String, String>,
    /// `@name` to value, the name with its `@`.
    aliases: HashMap<String, String>,
}

impl QueryOptions {
    /// Reads a query string. A name that begins neither with `$` nor with `@` is ignored, as by the
    /// platform: `filter=` without `$` therefore returns every row.
    pub(super) fn read(raw: &str) -> Result<Self, QueryError> {
        let mut options = Self::default();
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            if NOT_IMITATED.contains(&name.as_ref()) {
                return Err(not_supported(&name));
            }
            options.enter(name.trim(), value.trim().to_owned())?;
        }
        Ok(options)
    }

    /// Reads the options inside the parentheses of an expanded property; they are already decoded. The
    /// aliases are those of the whole query.
    pub(super) fn nested(pairs: Vec<(String, String)>, outer: &Self) -> Result<Self, QueryError> {
        let mut options = Self {
            aliases: outer.aliases.clone(),
            ..Self::default()
        };
        for (name, value) in pairs {
            options.enter(&name, value)?;
        }
        Ok(options)
    }

    fn enter(&mut self, name: &str, value: String) -> Result<(), QueryError> {
        let target = match name.chars().next() {
            Some('$') => &mut self.system,
            Some('@') => &mut self.aliases,
            _ => return Ok(()),
        };
        match target.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(QueryError::query(format!(
                "Query option '{name}' was specified more than once, but it must be specified at most once."
            ))),
        }
    }

    /// Takes an option; its name is case-sensitive. An empty value counts as not given.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.system.remove(name).filter(|value| !value.is_empty())
    }

    /// The value of `@name`.
    pub(super) fn alias(&self, name: &str) -> Option<&str> {
        self.aliases.get(name).map(String::as_str)
    }

    /// Refuses the options that were not taken.
    pub(super) fn finish(mut self) -> Result<(), QueryError> {
        self.system.remove("$format");
        match self.system.into_keys().min() {
            None => Ok(()),
            Some(name) if name == "$skip" => {
                Err(QueryError::query("Skip Clause is not supported in CRM"))
            }
            Some(name) => Err(not_supported(&name)),
        }
    }
}

fn not_supported(name: &str) -> QueryError {
    QueryError::query(format!("The query parameter '{name}' is not supported."))
}

/// Refuses options that need several rows.
pub(super) fn refuse_collection_options(options: &mut QueryOptions) -> Result<(), QueryError> {
    let names = [
        "$filter",
        "$orderby",
        "$count",
        "$skip",
        "$top",
        "$skiptoken",
    ];
    if names.into_iter().all(|name| options.take(name).is_none()) {
        return Ok(());
    }
    Err(QueryError::query(
        "The query specified in the URI is not valid. Query options $filter, $orderby, $count, $skip, and $top \
         can be applied only on collections.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_percent_decoded() {
        let mut options =
            QueryOptions::read("%24filter=name+eq%20'a%26b%2Bc'&%24select=name&%40p1='x'").unwrap();
        assert_eq!(options.take("$filter").unwrap(), "name eq 'a&b+c'");
        assert_eq!(options.take("$select").unwrap(), "name");
        assert_eq!(options.alias("@p1"), Some("'x'"));
        assert_eq!(options.finish(), Ok(()));
    }

    #[test]
    fn an_option_in_another_case_or_without_meaning_is_refused() {
        for (raw, message) in [
            (
                "$Filter=a",
                "The query parameter '$Filter' is not supported.",
            ),
            ("$skip=5", "Skip Clause is not supported in CRM"),
            (
                "$search=a",
                "The query parameter '$search' is not supported.",
            ),
        ] {
            let refusal = QueryOptions::read(raw).unwrap().finish().unwrap_err();
            assert_eq!(refusal.message, message);
        }
        let twice = QueryOptions::read("$top=1&%24top=2").unwrap_err();
        assert!(twice.message.contains("more than once"), "{twice}");
        assert!(QueryOptions::read("fetchXml=%3Cfetch/%3E").is_err());
    }

    #[test]
    fn an_option_without_its_dollar_is_ignored() {
        assert_eq!(
            QueryOptions::read("filter=a&foo=1").unwrap().finish(),
            Ok(())
        );
    }
}
