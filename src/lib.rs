//! Switch the appointment synchronisation of every Dynamics 365 user off or on, the supported way.
//!
//! The setting lives in each user's own sync filters (`userquery` rows). For every chosen system user the
//! tool impersonates that user through the Web API, reads the filters, and sets their state, with a plan
//! before, a record of everything, and an undo that is exact.
//!
//! The modules, the lowest first; each may use only those above it in this list:
//!
//! - [`model`]: the nouns: environment, user, sync filter, state.
//! - [`pacing`]: what a response means, when to try again, how many at once, how fast.
//! - [`auth`]: where the bearer token comes from.
//! - [`dataverse`]: the Web API: requests, paging, `$batch`, errors, impersonation.
//! - [`plan`]: a survey and a wanted state become the changes to make; no I/O.
//! - [`settings`]: flags, variables and the configuration file become one value.
//! - [`trial`]: what no document says of a server, and what is concluded from what was seen.
//! - [`journal`]: the run file: what was before, what we intend, what came back.
//! - [`rollout`]: the engine: survey, apply, resume, undo, as one stream of events.
//! - [`report`]: everything that is read by a person or a program.
//! - [`connect`]: from settings to environments that have answered; the same for every front end.
//! - [`ui`]: the page in a browser of this machine.
//! - [`cli`]: one file per command; the only module that prints.
//!
//! The sandbox, an imitation of the Web API to rehearse and test against, is a crate of its own: it and the client
//! can share no code, so that they cannot share a mistake either.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests make files of their own")
)]

pub mod auth;
mod bounded_file;
pub mod cli;
pub mod connect;
pub mod dataverse;
pub mod journal;
pub mod model;
pub mod pacing;
pub mod plan;
mod private_file;
pub mod report;
pub mod rollout;
pub mod settings;
pub mod trial;
pub mod ui;

#[cfg(feature = "sandbox")]
pub use syncfilters_sandbox as sandbox;
