//! The local page: the same engine for a browser on this machine.
//!
//! It asks, shows and passes on: what may be done is decided by the engine, and what is said is written where the
//! terminal takes it from. Nobody but whoever started it gets in: see `guard` and `session`.

mod actions;
mod assets;
mod blocking;
mod checks;
mod choose;
mod connections;
mod download;
mod driver;
mod environments;
mod events;
mod form;
mod guard;
mod live;
mod live_runs;
mod new_run_command;
mod open_connections;
mod places;
mod progress;
mod quit;
mod routes;
mod run;
mod run_actions;
mod run_files;
mod run_list;
mod screens;
mod server;
mod session;
mod signing_in;
mod site;
mod streams;
mod text;
mod users;

pub use environments::{
    ConfiguredEnvironments, Environments, ListedEnvironment, ListedEnvironments, SignInLines,
    Working,
};
pub use live::RunObserver;
pub use routes::serve;
pub use server::Listeners;
pub use site::Site;
