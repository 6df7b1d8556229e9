//! Errors in the settings.

use std::path::PathBuf;

use crate::model::EnvironmentUrlError;
use crate::model::disclosure::named_path;

use super::{Origin, SignInKind};

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The configuration file cannot be read.
    #[error(
        "{} cannot be read: {source}",
        named_path("the configuration file", path)
    )]
    Unreadable {
        /// The configuration file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The configuration file has a mistake.
    #[error("{} is invalid: {why}", named_path("the configuration file", path))]
    Invalid {
        /// The configuration file.
        path: PathBuf,
        /// The mistake and its position.
        why: String,
    },
    /// The configuration file cannot be written.
    #[error(
        "{} cannot be written: {source}",
        named_path("the configuration file", path)
    )]
    Unwritable {
        /// The configuration file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A name that is not allowed. It is not repeated, because it may be a secret in the wrong place.
    #[error(
        "the name of an environment consists of letters without accents, digits, `-`, `_` and `.`, and begins with a letter or digit"
    )]
    Name,
    /// A name that belongs to another environment.
    #[error("environment `{name}` of the configuration file has another address, {url}")]
    NameTaken {
        /// The name that was given.
        name: String,
        /// The address of that environment.
        url: String,
    },
    /// No environment was named.
    #[error("no environment was named")]
    NoEnvironment,
    /// There is no such profile. The name is not repeated, because it may be a secret in the wrong place.
    #[error("{origin} names an environment that is not in the configuration file; {}{}",
        if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) },
        suggestion.as_ref().map_or_else(String::new, |s| format!("; did you mean `{s}`?")))]
    UnknownProfile {
        /// Where the name came from.
        origin: Origin,
        /// The names of the environments in the configuration file.
        names: Vec<String>,
        /// The most similar name.
        suggestion: Option<String>,
    },
    /// The address of the environment is invalid.
    #[error("{origin}: {source}")]
    Url {
        /// Where the address came from.
        origin: Origin,
        /// What is wrong with it.
        source: EnvironmentUrlError,
    },
    /// The given address is not that of the run.
    #[error("the run was made at {run}, and {origin} is {given}")]
    OtherAddress {
        /// Where the given address came from.
        origin: Origin,
        /// The given address.
        given: String,
        /// The address of the run.
        run: String,
    },
    /// A run file from elsewhere contains an address that is not configured here.
    #[error(
        "the run file is not among your runs, and it says that it was made at {run}: no flag, variable or environment of the configuration file names that address"
    )]
    UnconfirmedAddress {
        /// That address.
        run: String,
    },
    /// A key of the sign-in method is missing.
    #[error("sign-in `{kind}` needs `{key}`")]
    MissingKey {
        /// The sign-in method.
        kind: SignInKind,
        /// The missing key of the configuration file.
        key: &'static str,
    },
    /// A sign-in method cannot be used.
    #[error("{why}")]
    SignIn {
        /// The reason.
        why: String,
    },
    /// The system does not name a folder for the user's files.
    #[error("this system does not say where your home folder is")]
    NoHome,
}
