//! Raw HTTP against the sandbox: one test for each documented behaviour.

#![allow(clippy::disallowed_methods, reason = "tests make files of their own")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod batches;
mod bench;
mod calendars;
mod faults;
mod fetchxml;
mod impersonation;
mod limits;
mod mailboxes;
mod reading;
mod surroundings;
mod templates;
mod views;
mod writing;
