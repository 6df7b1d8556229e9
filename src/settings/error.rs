//! What can be wrong with the settings.

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
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The configuration file is not what it has to be.
    #[error("{} is invalid: {why}", named_path("the configuration file", path))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        why: String,
    },
    /// The configuration file cannot be written.
    #[error(
        "{} cannot be written: {source}",
        named_path("the configuration file", path)
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A name that the configuration file does not take. It is not repeated: it may be a secret in the wrong place.
    #[error(
        "the name of an environment consists of letters without accents, digits, `-`, `_` and `.`, and begins with a letter or digit"
    )]
    Name,
    /// A name that stands for another environment.
    #[error("environment `{name}` of the configuration file has another address, {url}")]
    NameTaken {
        /// The name.
        name: String,
        /// The address that it has.
        url: String,
    },
    /// Nothing says which environment.
    #[error("no environment was named")]
    NoEnvironment,
    /// There is no such profile. The name is not repeated: it may be a secret in the wrong place.
    #[error("{origin} names an environment that is not in the configuration file; {}{}",
        if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) },
        suggestion.as_ref().map_or_else(String::new, |s| format!("; did you mean `{s}`?")))]
    UnknownProfile {
        /// Where it was named.
        origin: Origin,
        /// The names of the environments in the configuration file.
        names: Vec<String>,
        /// The profile whose name comes nearest.
        suggestion: Option<String>,
    },
    /// The address of the environment is none.
    #[error("{origin}: {source}")]
    Url {
        /// Where it was given.
        origin: Origin,
        /// What is wrong with it.
        source: EnvironmentUrlError,
    },
    /// A run was made elsewhere than at the address that was given.
    #[error("the run was made at {run}, and {origin} is {given}")]
    OtherAddress {
        /// Where the other address was given.
        origin: Origin,
        /// That address.
        given: String,
        /// The run's.
        run: String,
    },
    /// A run file from elsewhere names an address that nobody else names.
    #[error(
        "the run file is not among your runs, and it says that it was made at {run}: no flag, variable or environment of the configuration file names that address"
    )]
    UnconfirmedAddress {
        /// What the file says.
        run: String,
    },
    /// A sign-in method lacks something.
    #[error("sign-in `{kind}` needs `{key}`")]
    MissingKey {
        /// The sign-in method.
        kind: SignInKind,
        /// The key of the configuration file.
        key: &'static str,
    },
    /// A sign-in method cannot be used.
    #[error("{why}")]
    SignIn {
        /// Why not.
        why: String,
    },
    /// The system does not say where the user's files live.
    #[error("this system does not say where your home folder is")]
    NoHome,
}
