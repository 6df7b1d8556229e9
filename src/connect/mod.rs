//! From settings to connected environments: one way for every front end.
//!
//! A front end provides plain values ([`ConnectionOptions`]), a user to ask ([`crate::auth::UserPrompt`]) and a
//! receiver of messages ([`Notices`]). This module prints nothing and knows no command line.

mod checklist;
mod connector;
mod doctor;
mod doctor_checks;
mod environments;
mod error;
mod options;
mod privileges;
mod provider;
mod several;
mod sign_in;

pub use checklist::{Check, CheckResult, Checklist};
pub use connector::{Connector, Notices};
pub use environments::{NamedEnvironment, environment_of_run, environments};
pub use error::ConnectError;
pub use options::{ConnectionOptions, Layers, config_file, process_environment, use_state_dir};
pub use privileges::NeededBy;
pub use provider::{AtHand, Provider, uses_provider};
pub use several::side_by_side;
pub use sign_in::{SignIn, chosen, is_personal, personal, sign_in_target};
