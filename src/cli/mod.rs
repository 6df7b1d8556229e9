//! One file per command; the only module that prints.

mod app;
mod args;
mod candidates;
mod carry_out;
mod change;
mod check;
mod checklist;
mod command_line;
mod completions;
mod conclude;
mod config;
mod connect;
mod consent;
mod create_app;
#[cfg(feature = "sandbox")]
mod demo;
#[cfg(feature = "sandbox")]
mod demo_args;
#[cfg(feature = "sandbox")]
mod demo_page;
mod destination;
mod discover;
mod doctor;
mod doctor_args;
mod environment_args;
mod environments;
mod error;
#[cfg(test)]
mod examples;
mod exit;
mod formats;
mod interrupt;
mod list;
mod log_file;
mod login;
mod printer;
mod profile_args;
mod prune;
mod questions;
mod report;
mod resume;
mod run_choice;
mod runs;
mod runs_args;
#[cfg(feature = "sandbox")]
mod sandbox;
mod scope;
mod scope_args;
mod setup;
mod setup_answers;
mod setup_application;
mod setup_credentials;
mod setup_writing;
mod shared_args;
mod sign_in;
mod site;
mod skipped_names;
mod start;
mod status;
mod support;
mod support_report;
mod template_args;
mod templates;
mod transfer;
mod trial;
mod trial_args;
mod ui;
mod undo;
mod until;
mod user_lists;
mod whoami;
#[cfg(not(feature = "sandbox"))]
mod without_sandbox;

use app::App;
#[cfg(not(feature = "sandbox"))]
use without_sandbox::{self as demo, self as demo_args, self as sandbox};

pub use start::main;
