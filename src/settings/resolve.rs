//! Combines all layers: flag, variable, profile, file default, built-in. The first one with a value counts.

use std::num::NonZeroU32;

use crate::model::{ClaimedAddress, EnvironmentUrl};
use crate::pacing;
use crate::plan::{Guards, GuardsByOrganization};

use super::guards::is_at;
use super::{
    Address, ConfigFile, ConfigSource, Origin, PacingKeys, Profile, SettingsError, SignInKeys,
};

/// Values of the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLineSettings {
    /// `--url`.
    pub url: Option<String>,
    /// `--environment`.
    pub environment: Option<String>,
    /// `--concurrency` and `--max-requests-per-5m`.
    pub pace: PacingKeys,
    /// `--sign-in`, `--tenant` and `--client-id`.
    pub sign_in: SignInKeys,
}

/// Values of the environment variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// `SYNCFILTERS_URL`.
    pub url: Option<String>,
    /// `SYNCFILTERS_ENVIRONMENT`.
    pub environment: Option<String>,
    /// `SYNCFILTERS_SIGN_IN`, `SYNCFILTERS_ACCESS_TOKEN` and the standard variables of Azure.
    pub sign_in: SignInKeys,
}

/// The environment to connect to, and how.
#[derive(Clone, Debug)]
pub struct ResolvedTarget {
    /// The address that requests go to.
    pub environment: Address,
    /// Where the address came from.
    pub origin: Origin,
    /// Where the environment was named: the same, or what named its profile.
    pub named_by: Origin,
    /// How fast requests are sent.
    pub pacing: pacing::Settings,
    /// The flags of the pacing.
    pub flags: PacingKeys,
    /// How to sign in.
    pub sign_in: SignInKeys,
    /// The guards at this address, as they are in the configuration file.
    pub guards: Guards,
    /// All guards of the configuration file, to be looked up again once the organisation is known.
    pub guards_by_organization: GuardsByOrganization,
    /// Where the guards are read again.
    pub config: ConfigSource,
    /// The name that was given for it.
    pub named: Option<String>,
}

/// The address in a run file.
#[derive(Clone, Copy, Debug)]
pub struct RunAddress<'a> {
    /// The address itself.
    pub claimed: &'a ClaimedAddress,
    /// Whether the file is in the own store. Any other file may have been written by anybody and is not trusted.
    pub is_own: bool,
}

/// Chooses the environment. With a run it is the run's, whose address has to be known from
/// another source than a foreign file: a flag, a variable or a profile. Tokens are sent to the address as it
/// is written there, however the file spells it.
///
/// # Errors
/// Where no environment is named, where an address is invalid, and where it is not that of the run.
pub fn resolve(
    asked: &CommandLineSettings,
    variables: &Variables,
    file: &ConfigFile,
    run: Option<RunAddress<'_>>,
) -> Result<ResolvedTarget, SettingsError> {
    let layers = Layers {
        asked,
        variables,
        file,
    };
    let named = layers.named()?;
    match (named, run) {
        (Some(target), Some(run)) if !target.environment.is_that_of(run.claimed) => {
            Err(SettingsError::OtherAddress {
                origin: target.named_by,
                given: target.environment.to_string(),
                run: run.claimed.to_string(),
            })
        }
        (Some(target), _) => Ok(target),
        (None, Some(run)) => layers.by_run(run),
        (None, None) => match &file.default_environment {
            Some(name) => layers.by_name(name, &Origin::File("default-environment")),
            None => Err(SettingsError::NoEnvironment),
        },
    }
}

struct Layers<'a> {
    asked: &'a CommandLineSettings,
    variables: &'a Variables,
    file: &'a ConfigFile,
}

impl Layers<'_> {
    /// The environment that a flag or a variable names.
    fn named(&self) -> Result<Option<ResolvedTarget>, SettingsError> {
        let Self {
            asked, variables, ..
        } = self;
        for (url, url_from, name, name_from) in [
            (
                &asked.url,
                Origin::Flag("--url"),
                &asked.environment,
                Origin::Flag("--environment"),
            ),
            (
                &variables.url,
                Origin::Variable("SYNCFILTERS_URL"),
                &variables.environment,
                Origin::Variable("SYNCFILTERS_ENVIRONMENT"),
            ),
        ] {
            if let Some(url) = url {
                return self.by_url(url, url_from).map(Some);
            }
            if let Some(name) = name {
                return self.by_name(name, &name_from).map(Some);
            }
        }
        Ok(None)
    }

    fn by_run(&self, run: RunAddress<'_>) -> Result<ResolvedTarget, SettingsError> {
        let claimed = run.claimed.believed();
        if let Some((name, _)) = self.profile_of(claimed) {
            return self.by_name(name, &Origin::Run);
        }
        if run.is_own {
            let address = Address::of_own_run(run.claimed);
            return Ok(self.target(address, (Origin::Run, Origin::Run), None, None));
        }
        Err(SettingsError::UnconfirmedAddress {
            run: run.claimed.to_string(),
        })
    }

    fn by_url(&self, url: &str, origin: Origin) -> Result<ResolvedTarget, SettingsError> {
        let address = Address::given(url, &origin)?;
        let profile = self.profile_of(&address).map(|(_, profile)| profile);
        Ok(self.target(address, (origin.clone(), origin), profile, None))
    }

    fn by_name(&self, name: &str, named_by: &Origin) -> Result<ResolvedTarget, SettingsError> {
        let profile = self.file.profile(name, named_by)?;
        let origin = Origin::Profile(name.to_owned());
        let address = Address::given(&profile.url, &origin)?;
        let origins = (origin, named_by.clone());
        Ok(self.target(address, origins, Some(profile), Some(name)))
    }

    /// The profile with the same address, which counts however the address was given. Of several the default counts.
    fn profile_of(&self, environment: &EnvironmentUrl) -> Option<(&String, &Profile)> {
        let here = self.file.environments.iter();
        let mut here = here.filter(|(_, profile)| is_at(profile, environment));
        let is_default =
            |(name, _): &(&String, &Profile)| Some(*name) == self.file.default_environment.as_ref();
        here.clone().find(is_default).or_else(|| here.next())
    }

    fn target(
        &self,
        environment: Address,
        (origin, named_by): (Origin, Origin),
        profile: Option<&Profile>,
        named: Option<&str>,
    ) -> ResolvedTarget {
        let guards_by_organization = self.file.guards_by_organization();
        let pace = profile.map(|profile| profile.pace).unwrap_or_default();
        let sign_in = profile.map(Profile::sign_in).unwrap_or_default();
        let asked = self.asked.sign_in.clone();
        ResolvedTarget {
            guards: guards_by_organization.at_address(environment.as_url(), named),
            guards_by_organization,
            config: ConfigSource::None,
            named: named.map(str::to_owned),
            environment,
            origin,
            flags: self.asked.pace,
            named_by,
            pacing: pacing_of(&[self.asked.pace, pace, self.file.pace]),
            sign_in: asked.or(self.variables.sign_in.clone()).or(sign_in),
        }
    }
}

fn pacing_of(layers: &[PacingKeys]) -> pacing::Settings {
    let first = |of: fn(&PacingKeys) -> Option<NonZeroU32>| layers.iter().find_map(of);
    pacing::Settings {
        fixed_concurrency: first(|pace| pace.concurrency).map(NonZeroU32::get),
        max_requests_per_5m: first(|pace| pace.max_requests_per_5m).map(NonZeroU32::get),
        ..pacing::Settings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> ConfigFile {
        ConfigFile::parse(
            "default-environment = \"test\"\n[pace]\nconcurrency = 3\n\
             [environments.test]\nurl = \"https://test.example\"\n\
             [environments.production]\nurl = \"https://production.example\"\npace.concurrency = 9\n",
        )
        .unwrap()
    }

    fn url(text: &str) -> CommandLineSettings {
        CommandLineSettings {
            url: Some(text.into()),
            ..CommandLineSettings::default()
        }
    }

    #[test]
    fn the_nearest_layer_counts() {
        let (file, none) = (file(), Variables::default());
        let variable = Variables {
            environment: Some("production".into()),
            ..none.clone()
        };
        let address = |asked: &CommandLineSettings, variables| {
            let target = resolve(asked, variables, &file, None).unwrap();
            (target.environment.to_string(), target.origin)
        };
        let asked = url("https://flag.example");
        assert_eq!(address(&asked, &variable).1, Origin::Flag("--url"));
        let nothing = CommandLineSettings::default();
        assert_eq!(address(&nothing, &variable).0, "https://production.example");
        assert_eq!(address(&nothing, &none).0, "https://test.example");
    }

    /// Where a run leads that names this address; the kind of error otherwise.
    fn of_run(
        asked: &CommandLineSettings,
        variables: &Variables,
        claimed: &str,
        is_own: bool,
    ) -> Result<String, &'static str> {
        let claimed = claimed.parse().unwrap();
        let run = RunAddress {
            claimed: &claimed,
            is_own,
        };
        match resolve(asked, variables, &file(), Some(run)) {
            Ok(target) => Ok(target.environment.to_string()),
            Err(SettingsError::OtherAddress { .. }) => Err("other"),
            Err(SettingsError::UnconfirmedAddress { .. }) => Err("unconfirmed"),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_run_leads_only_to_an_address_that_somebody_gave_or_that_an_own_run_has() {
        let (nothing, none) = (CommandLineSettings::default(), Variables::default());
        let evil = "https://evil.example";
        assert_eq!(of_run(&nothing, &none, evil, false), Err("unconfirmed"));
        assert_eq!(of_run(&nothing, &none, evil, true), Ok(evil.into()));
        // A profile counts although it was not selected, and as it is written there.
        let spelt = "https://PRODUCTION.example.:443";
        for is_own in [true, false] {
            let address = of_run(&nothing, &none, spelt, is_own);
            assert_eq!(address, Ok("https://production.example".into()));
            let given = of_run(&url("https://evil.example:443/"), &none, evil, is_own);
            assert_eq!(given, Ok(evil.into()));
        }
    }

    #[test]
    fn what_was_given_and_what_the_run_says_have_to_agree() {
        let (nothing, none) = (CommandLineSettings::default(), Variables::default());
        let evil = "https://evil.example";
        let by_name = |name: &str| Some(name.to_owned());
        let variables = Variables {
            environment: by_name("production"),
            ..none.clone()
        };
        let by_url = Variables {
            url: by_name("https://production.example"),
            ..none.clone()
        };
        let flag = CommandLineSettings {
            environment: by_name("production"),
            ..CommandLineSettings::default()
        };
        for is_own in [true, false] {
            for (asked, variables) in [
                (&url("https://production.example"), &none),
                (&flag, &none),
                (&nothing, &variables),
                (&nothing, &by_url),
                // The flag counts, and the variable is not asked.
                (
                    &flag,
                    &Variables {
                        url: by_name(evil),
                        ..none.clone()
                    },
                ),
            ] {
                assert_eq!(of_run(asked, variables, evil, is_own), Err("other"));
            }
            // The default is what is meant where nothing else is named, and the run names something else.
            let run = "https://production.example";
            assert_eq!(of_run(&nothing, &none, run, is_own), Ok(run.into()));
        }
    }

    #[test]
    fn a_profile_sets_the_pace_of_its_address_however_that_was_named() {
        let target = resolve(
            &url("https://production.example/"),
            &Variables::default(),
            &file(),
            None,
        );
        assert_eq!(target.unwrap().pacing.fixed_concurrency, Some(9));
        let target = resolve(
            &url("https://other.example"),
            &Variables::default(),
            &file(),
            None,
        );
        assert_eq!(target.unwrap().pacing.fixed_concurrency, Some(3));
    }

    #[test]
    fn signing_in_is_settled_key_by_key_flag_before_variable_before_profile() {
        let file = ConfigFile::parse(
            "[environments.a]\nurl = \"https://a.example\"\nsign-in = \"client-secret\"\n\
             client-id = \"profile\"\ntenant = \"profile\"\nclient-secret-file = \"profile\"\n",
        )
        .unwrap();
        let mut asked = url("https://a.example");
        asked.sign_in.tenant = Some("flag".into());
        let mut variables = Variables::default();
        variables.sign_in.tenant = Some("variable".into());
        variables.sign_in.client_id = Some("variable".into());
        let keys = resolve(&asked, &variables, &file, None).unwrap().sign_in;
        assert_eq!(keys.tenant.as_deref(), Some("flag"));
        assert_eq!(keys.client_id.as_deref(), Some("variable"));
        assert_eq!(keys.client_secret_file.as_deref(), Some("profile"));
    }

    #[test]
    fn an_unknown_profile_is_refused_with_a_suggestion_and_its_origin() {
        let asked = CommandLineSettings {
            environment: Some("productoin".into()),
            ..CommandLineSettings::default()
        };
        let error = resolve(&asked, &Variables::default(), &file(), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--environment names an environment that is not in the configuration file; it has production, test; did you mean `production`?"
        );
    }

    #[test]
    fn without_any_environment_there_is_an_error_and_no_guess() {
        let error = resolve(
            &CommandLineSettings::default(),
            &Variables::default(),
            &ConfigFile::default(),
            None,
        );
        assert!(matches!(error, Err(SettingsError::NoEnvironment)));
    }
}
