//! What the configuration file asks for before anything is written to an environment.

use crate::model::EnvironmentUrl;
use crate::plan::Limit;

use super::{ConfigFile, Profile};

/// What has to be kept to and agreed to in an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// What the environment is called in the configuration file; none where it is not in there.
    pub name: Option<String>,
    /// Whether that name has to be given before anything is written: `production`.
    pub production: bool,
    /// How many users may be changed where no flag says it: `max-changes`.
    pub limit: Option<Limit>,
}

impl Guards {
    /// The guards of an address. They hold however it was named: where it stands in the file several times, what
    /// any entry asks for holds, and the entry of this name comes first.
    pub(super) fn of(environment: &EnvironmentUrl, named: Option<&str>, file: &ConfigFile) -> Self {
        let mut profiles: Vec<_> = file
            .environments
            .iter()
            .filter(|(_, profile)| is_at(profile, environment))
            .collect();
        profiles.sort_by_key(|(name, _)| Some(name.as_str()) != named);
        let limit = |(name, profile): &(&String, &Profile)| {
            let bound = profile.max_changes?;
            Some(Limit::of_profile(bound, (*name).clone()))
        };
        Self {
            name: profiles.first().map(|(name, _)| (*name).clone()),
            production: profiles.iter().any(|(_, profile)| profile.production),
            limit: profiles.iter().find_map(limit),
        }
    }
}

/// Whether a profile is about this address.
pub(super) fn is_at(profile: &Profile, environment: &EnvironmentUrl) -> bool {
    let url = profile.url.parse::<EnvironmentUrl>();
    url.is_ok_and(|url| url.as_url() == environment.as_url())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Bound;

    fn guards(named: Option<&str>, address: &str) -> Guards {
        let file = ConfigFile::parse(
            "[environments.alias]\nurl = \"https://contoso.example\"\n\
             [environments.contoso]\nurl = \"https://contoso.example/\"\nproduction = true\nmax-changes = \"10%\"\n\
             [environments.test]\nurl = \"https://test.example\"\n",
        )
        .unwrap();
        Guards::of(&address.parse().unwrap(), named, &file)
    }

    #[test]
    fn a_guard_holds_however_the_environment_is_named() {
        let limit = Some(Limit::of_profile(Bound::Percent(10), "contoso".into()));
        for named in [None, Some("alias"), Some("contoso")] {
            let guards = guards(named, "https://contoso.example");
            assert!(guards.production);
            assert_eq!(guards.limit, limit);
            assert_eq!(guards.name.as_deref(), named.or(Some("alias")));
        }
        let none = guards(Some("test"), "https://test.example");
        assert_eq!((none.production, none.limit), (false, None));
        assert_eq!(guards(None, "https://other.example"), Guards::default());
    }

    #[test]
    fn a_limit_that_is_none_is_refused_with_its_line() {
        let why = ConfigFile::parse(
            "[environments.a]\nurl = \"https://a.example\"\nmax-changes = \"many\"\n",
        )
        .unwrap_err();
        assert!(why.contains("line 3") && why.contains("`many`"), "{why}");
    }
}
