//! The annotations that a request asks for.

/// The patterns of `Prefer: odata.include-annotations="..."`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Annotations(Vec<String>);

impl Annotations {
    /// Reads the list between the quotation marks: names separated by commas, `*` at the end of a name or alone
    /// as a wildcard, `-` before a name to exclude it.
    pub(crate) fn parse(list: &str) -> Self {
        let patterns = list.split(',').map(|p| p.trim().to_owned());
        Self(patterns.filter(|p| !p.is_empty()).collect())
    }

    /// Whether an annotation was asked for, by its full name
    /// (`OData.Community.Display.V1.FormattedValue`). The last matching pattern decides.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let matches = |pattern: &str| match pattern.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == pattern,
        };
        self.0
            .iter()
            .fold(false, |wanted, pattern| match pattern.strip_prefix('-') {
                Some(left_out) => wanted && !matches(left_out),
                None => wanted || matches(pattern),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
    const LOOKUP: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";

    #[test]
    fn a_star_wants_everything_and_nothing_asked_wants_nothing() {
        assert!(Annotations::parse("*").wants(FORMATTED));
        assert!(!Annotations::parse("").wants(FORMATTED));
        assert!(!Annotations::default().wants(LOOKUP));
    }

    #[test]
    fn wildcards_and_lists_choose() {
        let both = Annotations::parse("OData.*, Microsoft.Dynamics.CRM.lookuplogicalname");
        assert!(both.wants(FORMATTED) && both.wants(LOOKUP));
        assert!(!Annotations::parse("OData.*").wants(LOOKUP));
        let all_but_one = Annotations::parse("*,-Microsoft.Dynamics.CRM.*");
        assert!(all_but_one.wants(FORMATTED) && !all_but_one.wants(LOOKUP));
    }
}
