//! The configuration file.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::num::NonZeroU32;
use std::path::Path;

use serde::Deserialize;

use super::{Profile, SettingsError};

/// What the configuration file says. Every key is optional; unknown keys are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConfigFile {
    /// The environment to use where none is named.
    pub default_environment: Option<String>,
    /// How fast to go, for every environment that does not say otherwise.
    pub pace: Pace,
    /// The environments by name.
    pub environments: BTreeMap<String, Profile>,
}

/// How fast to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pace {
    /// Requests at once; left to the server's recommendation where it is not given.
    pub concurrency: Option<NonZeroU32>,
    /// Requests in five minutes, at most.
    pub max_requests_per_5m: Option<NonZeroU32>,
}

impl ConfigFile {
    /// Reads the file. One that does not exist is as good as an empty one, unless it was asked for.
    pub fn read(path: &Path, asked_for: bool) -> Result<Self, SettingsError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|why| SettingsError::Invalid {
                path: path.to_owned(),
                why,
            }),
            Err(error) if error.kind() == ErrorKind::NotFound && !asked_for => Ok(Self::default()),
            Err(source) => Err(SettingsError::Unreadable {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Reads the text of a configuration file; the error has the line, and a suggestion for an unknown key.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let mut why = error.to_string().trim_end().to_owned();
            if let Some(name) = suggestion(error.message()) {
                why = format!("{why}\ndid you mean `{name}`?");
            }
            why
        })
    }
}

/// How alike a suggestion has to be, from 0 to 1.
const ALIKE: f64 = 0.7;

/// Which of the names on offer comes nearest to this one.
pub(super) fn nearest<'a>(name: &str, offered: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = offered.map(|other| (strsim::jaro_winkler(name, other), other));
    let best = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

/// The message is "unknown field (or variant) `x`, expected one of `a`, `b`": every second piece is a name.
fn suggestion(message: &str) -> Option<&str> {
    let mut names = message
        .strip_prefix("unknown field ")
        .or_else(|| message.strip_prefix("unknown variant "))?
        .split('`')
        .skip(1)
        .step_by(2);
    let unknown = names.next()?;
    nearest(unknown, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_configuration_is_one() {
        let file = ConfigFile::parse(include_str!("../../config/example.toml")).unwrap();
        let name = file.default_environment.unwrap();
        assert!(file.environments.contains_key(&name));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_a_suggestion() {
        let why = ConfigFile::parse(
            "[environments.contoso]\nurl = \"https://contoso.example\"\npacee = 1\n",
        )
        .unwrap_err();
        assert!(why.contains("line 3"), "{why}");
        assert!(why.ends_with("did you mean `pace`?"), "{why}");
    }

    #[test]
    fn an_unknown_way_of_signing_in_is_refused_with_a_suggestion() {
        let why = ConfigFile::parse(
            "[environments.contoso]\nurl = \"https://contoso.example\"\nsign-in = \"device\"\n",
        )
        .unwrap_err();
        assert!(why.contains("line 3"), "{why}");
        assert!(why.ends_with("did you mean `device-code`?"), "{why}");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_with_its_line() {
        let why = ConfigFile::parse("[pace]\nconcurrency = \"many\"\n").unwrap_err();
        assert!(why.contains("line 2"), "{why}");
    }

    #[test]
    fn a_missing_file_matters_only_where_it_was_asked_for() {
        let path = Path::new("/does/not/exist.toml");
        assert_eq!(
            ConfigFile::read(path, false).unwrap(),
            ConfigFile::default()
        );
        assert!(ConfigFile::read(path, true).is_err());
    }
}
