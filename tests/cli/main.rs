//! The binary, as a person or a program uses it.

#![allow(clippy::disallowed_methods, reason = "tests make files of their own")]
#![allow(
    clippy::useless_format,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "configurations stand in one list, and our files end in lower case"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod check;
mod consent;
mod contract;
mod foreign_run_files;
mod guards;
mod hostile_text;
mod killed;
mod lists;
mod metadata;
mod narrowing;
mod page;
mod printed_commands;
mod readme;
mod report_users;
mod run_files;
mod run_store;
mod saved_plans;
mod secrets;
mod settings;
mod setup;
mod several;
mod support;
mod template_runs;
mod templates;
#[cfg(unix)]
mod terminal;
mod trial;
mod undone_source;
mod workbooks;
mod world;
