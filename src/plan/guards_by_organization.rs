//! The guards of the configuration file, by organisation.

use url::Url;
use uuid::Uuid;

use crate::model::CanonicalAddress;

use super::{Guards, Limit};

/// The guards of all entries in the configuration file. Which entries concern an organisation does not depend on
/// how the organisation was named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardsByOrganization(Vec<GuardEntry>);

/// The guards of one entry in the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardEntry {
    /// The name of the entry.
    pub name: String,
    /// Its address; none where it cannot be read.
    pub address: Option<CanonicalAddress>,
    /// Its organisation, where it names one.
    pub organization: Option<Uuid>,
    /// `production`: whether the name has to be confirmed before writes.
    pub production: bool,
    /// `max-changes`: how many users may be changed.
    pub limit: Option<Limit>,
}

/// The facts about a connected organisation.
#[derive(Clone, Copy, Debug)]
pub struct KnownOrganization<'a> {
    /// The address that requests go to.
    pub address: &'a Url,
    /// Its id.
    pub id: Uuid,
    /// The addresses that it gives for itself, for comparison only.
    pub own_addresses: &'a [Url],
    /// The runs of the own store: the address and the organisation of each.
    pub own_runs: &'a [(CanonicalAddress, Uuid)],
}

impl GuardsByOrganization {
    /// The guards of these entries.
    pub fn new(entries: impl IntoIterator<Item = GuardEntry>) -> Self {
        Self(entries.into_iter().collect())
    }

    /// Whether any entry has a guard.
    pub fn asks_for_something(&self) -> bool {
        let asks = |entry: &GuardEntry| entry.production || entry.limit.is_some();
        self.0.iter().any(asks)
    }

    /// The entries with this address, before the organisation is known.
    pub fn for_address(&self, address: &Url) -> Vec<&GuardEntry> {
        let address = CanonicalAddress::of(address);
        let mut entries = self.0.iter().collect::<Vec<_>>();
        entries.retain(|entry| entry.address.as_ref() == Some(&address));
        entries
    }

    /// The guards at an address, before the organisation is known. The name that
    /// was used, if any, comes first.
    pub fn at_address(&self, address: &Url, named: Option<&str>) -> Guards {
        together(&self.for_address(address), named)
    }

    /// The guards of an organisation. All its entries hold together: those with its id, with
    /// the address of the requests or one that the organisation gives for itself, and those at whose address a run of
    /// the own store met this organisation. The name that was used, if any, comes first.
    pub fn holding(&self, organization: KnownOrganization<'_>, named: Option<&str>) -> Guards {
        let KnownOrganization {
            address,
            id,
            own_addresses,
            own_runs,
        } = organization;
        let called = std::iter::once(address).chain(own_addresses);
        let met = own_runs.iter().filter(|(_, of)| *of == id);
        let addresses: Vec<_> = called
            .map(CanonicalAddress::of)
            .chain(met.map(|(at, _)| at.clone()))
            .collect();
        let mut entries = self.0.iter().collect::<Vec<_>>();
        entries.retain(|entry| {
            let here = entry.address.as_ref();
            entry.organization == Some(id) || here.is_some_and(|here| addresses.contains(here))
        });
        together(&entries, named)
    }
}

fn together(entries: &[&GuardEntry], used: Option<&str>) -> Guards {
    let mut names: Vec<_> = entries.iter().map(|entry| entry.name.clone()).collect();
    names.sort_by_key(|name| Some(name.as_str()) != used);
    Guards {
        names,
        production: entries.iter().any(|entry| entry.production),
        limits: entries
            .iter()
            .filter_map(|entry| entry.limit.clone())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::UserLimit;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn entry(name: &str, address: &str) -> GuardEntry {
        GuardEntry {
            name: name.into(),
            address: Some(CanonicalAddress::of(&url(address))),
            organization: None,
            production: false,
            limit: None,
        }
    }

    fn limit(users: u64) -> Limit {
        Limit::of_profile(UserLimit::Users(users), "a".into())
    }

    const HERE: Uuid = Uuid::from_u128(1);
    const ELSEWHERE: Uuid = Uuid::from_u128(2);

    fn known(address: &Url) -> KnownOrganization<'_> {
        KnownOrganization {
            address,
            id: HERE,
            own_addresses: &[],
            own_runs: &[],
        }
    }

    #[test]
    fn all_entries_of_an_organisation_hold_together_and_the_name_that_was_used_comes_first() {
        let all_guards = GuardsByOrganization::new([
            GuardEntry {
                limit: Some(limit(5)),
                ..entry("a", "https://contoso.crm4.dynamics.com")
            },
            GuardEntry {
                production: true,
                limit: Some(limit(3)),
                ..entry("b", "https://contoso.api.crm4.dynamics.com")
            },
            entry("c", "https://other.crm4.dynamics.com"),
        ]);
        let address = url("https://CONTOSO.crm4.dynamics.com.");
        for guards in [
            all_guards.at_address(&address, Some("b")),
            all_guards.holding(known(&address), Some("b")),
        ] {
            assert_eq!(guards.names, ["b", "a"]);
            assert!(guards.production);
            assert_eq!(guards.limits, [limit(5), limit(3)]);
        }
        let nothing = url("https://nothing.example");
        assert_eq!(all_guards.holding(known(&nothing), None), Guards::default());
    }

    #[test]
    fn an_organisation_is_known_by_its_id_its_own_addresses_and_earlier_runs() {
        let called = url("https://10.0.0.7/Contoso");
        let all_guards = GuardsByOrganization::new([
            GuardEntry {
                organization: Some(HERE),
                ..entry("id", "https://a.example")
            },
            GuardEntry {
                organization: Some(ELSEWHERE),
                ..entry("other id", "https://b.example")
            },
            entry("own address", "https://crm.contoso.example/Contoso"),
            entry("run", "https://old.contoso.example"),
            entry("run of another", "https://other.contoso.example"),
        ]);
        let at = |text: &str| CanonicalAddress::of(&url(text));
        let guards = all_guards.holding(
            KnownOrganization {
                own_addresses: &[url("https://CRM.contoso.example:443/contoso/")],
                own_runs: &[
                    (at("https://old.contoso.example"), HERE),
                    (at("https://other.contoso.example"), ELSEWHERE),
                ],
                ..known(&called)
            },
            None,
        );
        assert_eq!(guards.names, ["id", "own address", "run"]);
    }
}
