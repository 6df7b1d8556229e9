//! An imitation of the Web API to rehearse and test against; it shares no code with the client.
//!
//! [`Sandbox::start`] makes an organisation from a seed and serves it on a loopback address, including
//! what clients have to handle: special users, impersonation that is silently ignored, limits, faults. Documented
//! behaviour is imitated as documented; where sources are silent or contradict each other there is a [`Switch`].

mod access;
mod actions;
mod activities;
mod address;
mod batch;
mod challenge;
mod changes;
mod counts;
mod cut;
mod data;
mod definitions;
mod errors;
mod exchange;
mod faults;
mod fetch;
mod functions;
mod handle;
mod impersonate;
mod limits;
mod location;
mod message;
mod metadata;
mod odata;
mod options;
mod patch;
mod precondition;
mod predefined;
mod predefined_query;
mod prefer;
mod read;
mod record;
mod rights;
mod rows;
mod server;
mod service;
mod snapshot;
mod store;
mod switches;
mod tables;
mod version;
mod write;

pub use counts::Counts;
pub use faults::{Fault, Faults, FaultsError};
pub use handle::Sandbox;
pub use options::{Limits, Options};
pub use record::RecordedRequest;
pub use rows::UserKind;
pub use snapshot::{ActivitySnapshot, FilterEdit, FilterSnapshot, UserSnapshot};
pub use switches::{Switch, Switches, UnknownSwitch};
pub use version::{UnknownVersion, Version};
