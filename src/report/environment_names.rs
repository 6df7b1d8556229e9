//! Names of environments in a table in which two may have the same name.

use std::collections::{BTreeMap, BTreeSet};

use crate::journal::RunHeader;
use crate::model::CanonicalAddress;

use super::text::clean;

/// The names in the given order; the address in place of a name that several addresses have.
pub fn told_apart<'a>(
    environments: impl IntoIterator<Item = (&'a str, &'a RunHeader)>,
) -> Vec<String> {
    let all: Vec<_> = environments
        .into_iter()
        .map(|(name, run)| (name, run.environment.canonical()))
        .collect();
    let mut addresses: BTreeMap<&str, BTreeSet<&CanonicalAddress>> = BTreeMap::new();
    for (name, address) in &all {
        addresses.entry(name).or_default().insert(address);
    }
    let shown = all.iter().map(|(name, address)| {
        let is_shared = addresses.get(name).is_some_and(|of| of.len() > 1);
        if is_shared {
            address.to_string()
        } else {
            clean(name).into_owned()
        }
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Operation;
    use crate::report::test_runs::header;

    #[test]
    fn a_name_that_two_addresses_have_is_shown_as_the_address() {
        let at = |url: &str| RunHeader {
            environment: url.parse().unwrap(),
            ..header(Operation::Deactivate)
        };
        let [one, two] = ["https://one.example/crm", "https://two.example/crm"].map(at);
        let shown = told_apart([
            ("Contoso", &one),
            ("Contoso", &two),
            ("Other", &one),
            ("Contoso", &one),
        ]);
        let expected = [
            "one.example/crm",
            "two.example/crm",
            "Other",
            "one.example/crm",
        ];
        assert_eq!(shown, expected);
        assert_eq!(
            told_apart([("Contoso", &one), ("Contoso", &one)]),
            ["Contoso"; 2]
        );
    }
}
