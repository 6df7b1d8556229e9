//! The options of `trial`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::plan::UserLimit;

use super::shared_args::{ConnectionArgs, ConsentArgs, pause};

/// `trial`.
#[derive(Debug, Args)]
pub(super) struct TrialArgs {
    /// The user who agreed to it: UPN, e-mail address, DOMAIN\name or id
    ///
    /// One active calendar filter of this user is switched off, written some more times, and put back, as a run with an
    /// undo. Nothing can be lost where the mailbox synchronises nothing or the filter selects nothing; else
    /// --accept-calendar-loss has to be given.
    #[arg(long, value_name = "USER", help_heading = "Trial")]
    pub(super) user: String,
    /// Look at the version of the filter again after this time, such as `20m`: a synchronisation could move it
    #[arg(long, value_name = "TIME", value_parser = pause, default_value = "0s", help_heading = "Trial")]
    pub(super) wait: Duration,
    /// Do not ask; needs --confirm-user
    #[arg(long, requires = "confirm_user", help_heading = "Safety")]
    pub(super) yes: bool,
    /// Give the user of --user once more, instead of typing it
    #[arg(long, value_name = "USER", help_heading = "Safety")]
    pub(super) confirm_user: Option<String>,
    /// Accept that items that are not synchronised for a moment can be deleted from Exchange
    #[arg(long, help_heading = "Safety")]
    pub(super) accept_calendar_loss: bool,
    /// Give the name of the environment, where the configuration file says `production = true`
    #[arg(long, value_name = "NAME", help_heading = "Safety")]
    pub(super) confirm_environment: Option<String>,
    /// Refuse a plan that changes more users than this (or `max-changes` in the configuration file)
    #[arg(long, value_name = "N|P%", help_heading = "Safety")]
    pub(super) max_changes: Option<UserLimit>,
    /// Write the facts to this new file, without names, addresses and ids; `-` is standard output
    #[arg(
        long,
        value_name = "FILE",
        default_value = "facts.json",
        help_heading = "Output"
    )]
    pub(super) output: PathBuf,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

impl TrialArgs {
    /// The answers given by flags.
    pub(super) fn consent(&self) -> ConsentArgs {
        ConsentArgs {
            yes: self.yes,
            accept_calendar_loss: self.accept_calendar_loss,
            confirm_environment: self.confirm_environment.iter().cloned().collect(),
            max_changes: self.max_changes,
            ..ConsentArgs::default()
        }
    }
}
