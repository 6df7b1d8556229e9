//! The data of the sandbox, made from a seed.

mod builtin;
mod calendar;
mod filters;
mod mailboxes;
mod organization;
mod people;
mod rng;
mod samples;
mod structure;
mod user_views;
mod views;

pub(super) use calendar::{Activity, ActivityKind, Calendars, NEIGHBOURS};
#[cfg(test)]
pub(super) use organization::generate;
pub(super) use organization::{organization, settings};
