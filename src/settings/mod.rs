//! Flags, variables, profiles and the configuration file become one value, with where it came from.

mod address;
mod error;
mod file;
mod guards;
mod locate;
mod method;
mod resolve;
#[cfg(test)]
mod schema;
mod sign_in;

pub use address::Address;
pub use error::SettingsError;
pub use file::{ConfigFile, PacingKeys};
pub use locate::{ConfigSource, config_path, state_dir};
pub use method::{ChoiceError, ChosenMethod, ProcessEnvironment, choose, from_variables};
pub use resolve::{CommandLineSettings, Origin, ResolvedTarget, RunAddress, Variables, resolve};
pub use sign_in::{KeepKind, Profile, SignInKeys, SignInKind};
