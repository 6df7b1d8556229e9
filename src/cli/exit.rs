//! Exit codes: part of the contract.

use std::process::ExitCode;

use crate::model::Outcome;

/// How the command ended, for whoever started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Something that should not happen.
    Unexpected = 1,
    /// Wrong usage or configuration; nothing was changed.
    Usage = 2,
    /// Finished, but some users failed.
    Partial = 3,
    /// Sign-in refused or expired.
    SignIn = 4,
    /// Refused: a safety limit, impersonation not honoured, or declined.
    Refused = 5,
    /// Stopped early; it can be resumed.
    Stopped = 6,
    /// Changes are pending.
    Pending = 10,
    /// Interrupted; it can be resumed.
    Interrupted = 130,
}

impl Exit {
    /// How a run that ended by itself ends the command.
    pub(super) const fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete | Outcome::Nothing | Outcome::Planned => Self::Done,
            Outcome::Partial => Self::Partial,
            Outcome::Stopped => Self::Stopped,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
