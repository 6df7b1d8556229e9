//! Combines flags, variables, profiles and the configuration file into one value that knows where it came from.

mod address;
mod check;
mod edit;
mod error;
mod file;
mod guards;
mod locate;
mod method;
mod microsoft_app;
mod nearest;
mod origin;
mod pacing_keys;
mod resolve;
#[cfg(test)]
mod schema;
mod sign_in;
mod sign_in_kind;
mod text_form;

pub use address::Address;
pub use check::{SettingsProblem, problems};
pub use edit::{ConfigEditor, NewProfile, check_name};
pub use error::SettingsError;
pub use file::ConfigFile;
pub use locate::{ConfigSource, config_path, state_dir};
pub use method::{ChoiceError, ChosenMethod, ProcessEnvironment, choose, from_variables};
pub use microsoft_app::{MICROSOFT_APP, MICROSOFT_APP_NAME, check_microsoft_app};
pub use origin::Origin;
pub use pacing_keys::PacingKeys;
pub use resolve::{CommandLineSettings, ResolvedTarget, RunAddress, Variables, resolve};
pub use sign_in::{Profile, SignInKeys};
pub use sign_in_kind::{KeepKind, SignInKind};
