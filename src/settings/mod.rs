//! Flags, variables, profiles and the configuration file become one value, with where it came from.

mod error;
mod file;
mod locate;
mod resolve;

pub use error::SettingsError;
pub use file::{ConfigFile, Pace, Profile};
pub use locate::{config_path, state_dir};
pub use resolve::{Asked, Origin, Target, Variables, resolve};
