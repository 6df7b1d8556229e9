//! Exit codes: part of the contract.

use std::process::ExitCode;

use crate::model::Outcome;
use crate::report::ErrorClass;

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
    /// The exit code for a run that ended by itself.
    pub(super) const fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete | Outcome::Nothing | Outcome::Planned => Self::Done,
            Outcome::Partial => Self::Partial,
            Outcome::Stopped => Self::Stopped,
        }
    }
}

/// The most important first: an interrupted or stopped run has to be continued, a refusal or a failed sign-in
/// means that nothing was done, and failed users or pending changes mean that the rest was done.
const WORST_FIRST: [Exit; 9] = [
    Exit::Interrupted,
    Exit::Stopped,
    Exit::Refused,
    Exit::SignIn,
    Exit::Usage,
    Exit::Unexpected,
    Exit::Partial,
    Exit::Pending,
    Exit::Done,
];

impl Exit {
    /// The most important of several exit codes.
    pub(super) fn worst(exits: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| WORST_FIRST.iter().position(|one| one == exit);
        exits.into_iter().min_by_key(rank).unwrap_or(Self::Done)
    }
}

impl From<ErrorClass> for Exit {
    fn from(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Unexpected => Self::Unexpected,
            ErrorClass::Usage => Self::Usage,
            ErrorClass::SignIn => Self::SignIn,
            ErrorClass::Refused => Self::Refused,
            ErrorClass::Stopped => Self::Stopped,
            ErrorClass::Interrupted => Self::Interrupted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_ends_the_one_that_leaves_most_to_do_counts() {
        let worst = Exit::worst([Exit::Done, Exit::Pending, Exit::Partial]);
        assert_eq!(worst, Exit::Partial);
        let worst = Exit::worst([Exit::Unexpected, Exit::Usage, Exit::SignIn]);
        assert_eq!(worst, Exit::SignIn);
        let worst = Exit::worst([Exit::Stopped, Exit::Interrupted, Exit::Refused]);
        assert_eq!(worst, Exit::Interrupted);
        assert_eq!(Exit::worst([]), Exit::Done);
    }
}
