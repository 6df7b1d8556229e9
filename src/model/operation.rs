//! What a run does, and how it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::State;

/// What a run does to its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Set every matching filter to inactive.
    Deactivate,
    /// Set every matching filter to active.
    Reactivate,
    /// Restore what another run changed.
    Undo,
}

impl Operation {
    /// The word in commands and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deactivate => "deactivate",
            Self::Reactivate => "reactivate",
            Self::Undo => "undo",
        }
    }

    /// The state that every matching filter is to have; none for undo, where each row has its own.
    pub const fn wanted(self) -> Option<State> {
        match self {
            Self::Deactivate => Some(State::Inactive),
            Self::Reactivate => Some(State::Active),
            Self::Undo => None,
        }
    }
}

/// What a run changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The sync filters of users.
    #[default]
    Filters,
    /// The templates of the organisation, from which new users receive their filters.
    Templates,
}

impl Target {
    /// The noun for one changed row.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Filters => "filter",
            Self::Templates => "template",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything planned was done.
    Complete,
    /// Finished, but some users failed.
    Partial,
    /// Stopped or interrupted before the end; can be resumed.
    Stopped,
    /// Planned, and not applied yet.
    Planned,
    /// Nothing had to be changed.
    Nothing,
}

impl Outcome {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Stopped => "stopped",
            Self::Planned => "planned",
            Self::Nothing => "nothing",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
