//! The engine and the Web API client against the sandbox, on loopback.

#![allow(clippy::disallowed_methods, reason = "tests make files of their own")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "the reads of a run borrow, and a method as it stands borrows for too long"
)]

mod administrator;
mod dangers;
mod everybody;
mod exact_undo;
mod faults;
mod groups;
mod impact;
mod mailboxes;
mod narrowing;
mod older_servers;
mod replan;
mod resume;
mod server_variants;
mod undo_by_version;
mod undo_of_undo;
mod undo_properties;
mod world;
