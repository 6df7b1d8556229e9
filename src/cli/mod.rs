//! One file per command; the only room that prints.

mod app;
mod args;
mod change;
mod check;
mod checklist;
mod completions;
mod connect;
mod consent;
mod demo;
mod doctor;
mod driver;
mod environments;
mod error;
#[cfg(test)]
mod examples;
mod exit;
mod formats;
mod interrupt;
mod list;
mod login;
mod many;
mod printer;
mod resume;
mod runs;
mod sandbox;
mod scope;
mod scope_args;
mod show;
mod sign_in;
mod template_args;
mod templates;
mod undo;
mod waves;
mod whoami;

use app::App;

pub use app::main;
