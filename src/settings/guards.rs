//! The guards of the configuration file, which are checked before writes.

use crate::model::{CanonicalAddress, EnvironmentUrl};
use crate::plan::{GuardEntry, GuardsByOrganization, Limit};

use super::{ConfigFile, Profile};

impl ConfigFile {
    /// The guards of all environments in the file.
    pub fn guards_by_organization(&self) -> GuardsByOrganization {
        GuardsByOrganization::new(self.environments.iter().map(|(name, profile)| {
            GuardEntry {
                name: name.clone(),
                address: canonical(profile),
                organization: profile.organization,
                production: profile.production,
                limit: profile
                    .max_changes
                    .map(|bound| Limit::of_profile(bound, name.clone())),
            }
        }))
    }
}

/// The address for guards, which also hold for an address that is not valid for signing in.
fn canonical(profile: &Profile) -> Option<CanonicalAddress> {
    let usable = profile.url.parse::<EnvironmentUrl>();
    let url = usable.map(|url| url.as_url().clone()).ok();
    let url = url.or_else(|| profile.url.trim().parse::<url::Url>().ok())?;
    Some(CanonicalAddress::of(&url))
}

/// Whether a profile has this address.
pub(super) fn is_at(profile: &Profile, environment: &EnvironmentUrl) -> bool {
    canonical(profile) == Some(CanonicalAddress::of(environment.as_url()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Guards;
    use crate::plan::UserLimit;
    use uuid::Uuid;

    fn file() -> ConfigFile {
        ConfigFile::parse(
            "[environments.alias]\nurl = \"https://contoso.example\"\n\
             [environments.contoso]\nurl = \"https://contoso.example/\"\nproduction = true\nmax-changes = \"10%\"\n\
             organization = \"0b2a1c1e-6d1f-4c51-8b86-0f1d2f3a4b5c\"\n\
             [environments.test]\nurl = \"https://test.example\"\n\
             [environments.broken]\nurl = \"ftp://broken.example\"\nproduction = true\n",
        )
        .unwrap()
    }

    fn guards(named: Option<&str>, address: &str) -> Guards {
        let address = address.parse::<EnvironmentUrl>().unwrap();
        file()
            .guards_by_organization()
            .at_address(address.as_url(), named)
    }

    #[test]
    fn a_guard_holds_however_the_environment_is_named() {
        let limit = Some(Limit::of_profile(UserLimit::Percent(10), "contoso".into()));
        for named in [None, Some("alias"), Some("contoso")] {
            for address in ["https://contoso.example", "https://CONTOSO.example.:443"] {
                let guards = guards(named, address);
                assert!(guards.production);
                assert_eq!(guards.limits, limit.clone().into_iter().collect::<Vec<_>>());
                assert_eq!(
                    guards.names.first().map(String::as_str),
                    named.or(Some("alias"))
                );
            }
        }
        let none = guards(Some("test"), "https://test.example");
        assert_eq!((none.production, none.limits.len()), (false, 0));
        assert_eq!(guards(None, "https://other.example"), Guards::default());
    }

    #[test]
    fn a_guard_holds_also_where_nobody_could_sign_in_at_the_address_of_its_entry() {
        for url in [
            "http://localhost.:8080",
            "http://[::ffff:127.0.0.1]:8080",
            "http://0.0.0.0:8080",
            "http://foo.localhost:8080",
        ] {
            let text = format!("[environments.here]\nurl = \"{url}\"\nproduction = true\n");
            let all_guards = ConfigFile::parse(&text).unwrap().guards_by_organization();
            let address = "http://127.0.0.1:8080".parse::<EnvironmentUrl>().unwrap();
            assert!(
                all_guards.at_address(address.as_url(), None).production,
                "{url}"
            );
        }
    }

    #[test]
    fn a_guard_holds_for_its_organisation_at_whatever_address() {
        let address = "https://10.0.0.7".parse::<EnvironmentUrl>().unwrap();
        let known = crate::plan::KnownOrganization {
            address: address.as_url(),
            id: Uuid::from_u128(0x0b2a_1c1e_6d1f_4c51_8b86_0f1d_2f3a_4b5c),
            own_addresses: &[],
            own_runs: &[],
        };
        let guards = file().guards_by_organization().holding(known, None);
        assert_eq!(
            (guards.names, guards.production),
            (vec!["contoso".to_owned()], true)
        );
    }

    #[test]
    fn a_limit_or_an_organisation_that_is_none_is_refused_with_its_line() {
        for (line, value) in [
            ("max-changes = \"many\"", "neither a number of users"),
            ("organization = \"contoso\"", "UUID"),
        ] {
            let text = format!("[environments.a]\nurl = \"https://a.example\"\n{line}\n");
            let why = ConfigFile::parse(&text).unwrap_err();
            assert!(why.contains("line 3") && why.contains(value), "{why}");
        }
    }
}
