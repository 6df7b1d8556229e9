//! One value from every layer: flag, variable, profile, file default, built-in; the first that says something counts.

use std::fmt;
use std::num::NonZeroU32;

use crate::model::EnvironmentUrl;
use crate::pacing;
use crate::plan::{GuardBook, Guards};

use super::file::nearest;
use super::guards::is_at;
use super::{ConfigFile, Pace, Profile, SettingsError, SignInKeys};

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `--url`.
    pub url: Option<String>,
    /// `--environment`.
    pub environment: Option<String>,
    /// `--concurrency` and `--max-requests-per-5m`.
    pub pace: Pace,
    /// `--sign-in`, `--tenant` and `--client-id`.
    pub sign_in: SignInKeys,
}

/// What the environment variables say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// `SYNCFILTERS_URL`.
    pub url: Option<String>,
    /// `SYNCFILTERS_ENVIRONMENT`.
    pub environment: Option<String>,
    /// `SYNCFILTERS_SIGN_IN`, `SYNCFILTERS_ACCESS_TOKEN` and the standard variables of Azure.
    pub sign_in: SignInKeys,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A profile of the configuration file.
    Profile(String),
    /// A default in the configuration file.
    File(&'static str),
    /// The run file.
    Run,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::Profile(name) => write!(f, "environment `{name}` of the configuration file"),
            Self::File(key) => write!(f, "`{key}` in the configuration file"),
            Self::Run => f.write_str("the run file"),
        }
    }
}

/// The environment to talk to, and how.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its address.
    pub environment: EnvironmentUrl,
    /// Where the address came from.
    pub origin: Origin,
    /// How fast to go.
    pub pacing: pacing::Settings,
    /// What the flags say of that.
    pub flags: Pace,
    /// How to sign in.
    pub sign_in: SignInKeys,
    /// What has to be kept to and agreed to before anything is written.
    pub guards: Guards,
    /// What the configuration file asks for, by organisation: the guards are looked up again once it is known.
    pub guard_book: GuardBook,
    /// The name that was used for it.
    pub named: Option<String>,
}

/// Decides which environment is meant. `run` is the one in a run file, which counts where nothing else is named.
pub fn resolve(
    asked: &Asked,
    variables: &Variables,
    file: &ConfigFile,
    run: Option<&EnvironmentUrl>,
) -> Result<Target, SettingsError> {
    let layers = Layers {
        asked,
        variables,
        file,
    };
    if let Some(url) = &asked.url {
        return layers.by_url(url, Origin::Flag("--url"));
    }
    if let Some(name) = &asked.environment {
        return layers.by_name(name, &Origin::Flag("--environment"));
    }
    if let Some(environment) = run {
        return Ok(layers.by_address(environment.clone(), Origin::Run));
    }
    if let Some(url) = &variables.url {
        return layers.by_url(url, Origin::Variable("SYNCFILTERS_URL"));
    }
    if let Some(name) = &variables.environment {
        return layers.by_name(name, &Origin::Variable("SYNCFILTERS_ENVIRONMENT"));
    }
    match &file.default_environment {
        Some(name) => layers.by_name(name, &Origin::File("default-environment")),
        None => Err(SettingsError::NoEnvironment),
    }
}

struct Layers<'a> {
    asked: &'a Asked,
    variables: &'a Variables,
    file: &'a ConfigFile,
}

impl Layers<'_> {
    fn by_url(&self, url: &str, origin: Origin) -> Result<Target, SettingsError> {
        Ok(self.by_address(parse(url, &origin)?, origin))
    }

    fn by_address(&self, environment: EnvironmentUrl, origin: Origin) -> Target {
        let profile = profile_of(&environment, self.file);
        self.target(environment, origin, profile, None)
    }

    fn by_name(&self, name: &str, origin: &Origin) -> Result<Target, SettingsError> {
        let Some(profile) = self.file.environments.get(name) else {
            let names = self.file.environments.keys().map(String::as_str);
            return Err(SettingsError::UnknownProfile {
                name: name.to_owned(),
                origin: origin.clone(),
                suggestion: nearest(name, names).map(str::to_owned),
            });
        };
        let origin = Origin::Profile(name.to_owned());
        let environment = parse(&profile.url, &origin)?;
        Ok(self.target(environment, origin, Some(profile), Some(name)))
    }

    fn target(
        &self,
        environment: EnvironmentUrl,
        origin: Origin,
        profile: Option<&Profile>,
        named: Option<&str>,
    ) -> Target {
        let guard_book = self.file.guard_book();
        let pace = profile.map(|profile| profile.pace).unwrap_or_default();
        let sign_in = profile.map(Profile::sign_in).unwrap_or_default();
        let asked = self.asked.sign_in.clone();
        Target {
            guards: guard_book.at_address(environment.as_url(), named),
            guard_book,
            named: named.map(str::to_owned),
            environment,
            origin,
            flags: self.asked.pace,
            pacing: pacing_of(&[self.asked.pace, pace, self.file.pace]),
            sign_in: asked.or(self.variables.sign_in.clone()).or(sign_in),
        }
    }
}

fn parse(url: &str, origin: &Origin) -> Result<EnvironmentUrl, SettingsError> {
    url.parse().map_err(|source| SettingsError::Url {
        origin: origin.clone(),
        source,
    })
}

/// The profile of the same address: it holds however the address was named.
fn profile_of<'a>(environment: &EnvironmentUrl, file: &'a ConfigFile) -> Option<&'a Profile> {
    let mut profiles = file.environments.values();
    profiles.find(|profile| is_at(profile, environment))
}

fn pacing_of(layers: &[Pace]) -> pacing::Settings {
    let first = |of: fn(&Pace) -> Option<NonZeroU32>| layers.iter().find_map(of);
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

    fn url(text: &str) -> Asked {
        Asked {
            url: Some(text.into()),
            ..Asked::default()
        }
    }

    #[test]
    fn the_nearest_layer_counts() {
        let (file, none) = (file(), Variables::default());
        let variable = Variables {
            environment: Some("production".into()),
            ..none.clone()
        };
        let run: EnvironmentUrl = "https://run.example".parse().unwrap();
        let address = |asked: &Asked, variables, run| {
            let target = resolve(asked, variables, &file, run).unwrap();
            (target.environment.to_string(), target.origin)
        };
        let asked = url("https://flag.example");
        assert_eq!(
            address(&asked, &variable, Some(&run)).1,
            Origin::Flag("--url")
        );
        let nothing = Asked::default();
        assert_eq!(address(&nothing, &variable, Some(&run)).1, Origin::Run);
        assert_eq!(
            address(&nothing, &variable, None).0,
            "https://production.example"
        );
        assert_eq!(address(&nothing, &none, None).0, "https://test.example");
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
        let asked = Asked {
            environment: Some("productoin".into()),
            ..Asked::default()
        };
        let error = resolve(&asked, &Variables::default(), &file(), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no environment `productoin` in the configuration (--environment); did you mean `production`?"
        );
    }

    #[test]
    fn without_any_environment_there_is_an_error_and_no_guess() {
        let error = resolve(
            &Asked::default(),
            &Variables::default(),
            &ConfigFile::default(),
            None,
        );
        assert!(matches!(error, Err(SettingsError::NoEnvironment)));
    }
}
