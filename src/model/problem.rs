//! What failed for one user or one filter, in stable words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::FilterId;

/// The part of a run in which a problem occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// While reading users and their filters.
    Survey,
    /// While setting states.
    Apply,
    /// While checking the result of a write.
    Verify,
}

impl Stage {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Survey => "survey",
            Self::Apply => "apply",
            Self::Verify => "verify",
        }
    }
}

macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why a user was skipped, failed or left alone. The words are stable: programs match on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum ProblemKind {
            $($(#[$doc])* $name,)*
        }

        impl ProblemKind {
            /// Every kind, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

problem_kinds! {
    /// The user is disabled.
    Disabled = "disabled",
    /// The account was deleted from the directory.
    Deleted = "deleted",
    /// An application user: it has no mailbox.
    ApplicationUser = "application-user",
    /// Microsoft's support user.
    SupportUser = "support-user",
    /// A partner's delegated administrator.
    DelegatedAdmin = "delegated-admin",
    /// A non-interactive user.
    NonInteractive = "non-interactive",
    /// A stub user that the platform manages.
    StubUser = "stub-user",
    /// SYSTEM or INTEGRATION.
    SystemAccount = "system-account",
    /// The user has no security role.
    NoRoles = "no-roles",
    /// The user may not read sync filters.
    NoReadPrivilege = "no-read-privilege",
    /// The user may not change sync filters.
    NoWritePrivilege = "no-write-privilege",
    /// Another privilege is missing.
    NoPrivilege = "no-privilege",
    /// The user has no licence.
    NoLicence = "no-licence",
    /// The user is not a member of the organisation.
    NotAMember = "not-a-member",
    /// The server does not know the id that was impersonated.
    UnknownUser = "unknown-user",
    /// The run file names the user otherwise than the environment does.
    OtherUser = "other-user",
    /// Access was denied for another reason.
    AccessDenied = "access-denied",
    /// The header was not honoured for this user.
    ImpersonationDropped = "impersonation-dropped",
    /// The answer held a row of another owner.
    ForeignRow = "foreign-row",
    /// The row is gone.
    Gone = "gone",
    /// Somebody else changed the state since.
    ChangedSince = "changed-since",
    /// Others kept changing the row while we tried.
    ChangedMeanwhile = "changed-meanwhile",
    /// The status that the row had could not be restored; the state was.
    StatusNotRestored = "status-not-restored",
    /// The row does not have the state that was set.
    NotAsWritten = "not-as-written",
    /// The server refused for a reason that this program has no word for.
    Refused = "refused",
    /// The server asked for a wait that is too long.
    Throttled = "throttled",
    /// The server failed, also when the request was repeated.
    ServerError = "server-error",
    /// The server could not be reached, also when the request was repeated.
    Unreachable = "unreachable",
    /// The answer is not one of the Web API.
    BadAnswer = "bad-answer",
}

impl ProblemKind {
    /// Whether a filter was left as somebody else has set or deleted it, or works although its status is another.
    pub const fn is_left(self) -> bool {
        matches!(
            self,
            Self::Gone | Self::ChangedSince | Self::StatusNotRestored
        )
    }

    /// Whether a user was skipped before any request, which is not a failure.
    pub const fn is_skip(self) -> bool {
        matches!(
            self,
            Self::Disabled
                | Self::Deleted
                | Self::ApplicationUser
                | Self::SupportUser
                | Self::DelegatedAdmin
                | Self::NonInteractive
                | Self::StubUser
                | Self::SystemAccount
        )
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Stage {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Survey, Self::Apply, Self::Verify];
        all.into_iter().find(|one| one.as_str() == text).ok_or(())
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for ProblemKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut kinds = Self::ALL.iter();
        kinds.find(|k| k.as_str() == text).copied().ok_or(())
    }
}

/// One problem: what, where, and what the server said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The part of the run in which it occurred.
    pub stage: Stage,
    /// The stable word.
    pub kind: ProblemKind,
    /// The filter, where it concerns one.
    pub filter: Option<FilterId>,
    /// The server's error code, such as `0x80042f09`.
    pub code: Option<String>,
    /// What the server said, or what this program observed.
    pub message: String,
    /// The server's request id, for Microsoft's support.
    pub request_id: Option<String>,
}

impl Problem {
    /// A problem that this program observed, and not the server.
    pub fn seen(stage: Stage, kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            stage,
            kind,
            filter: None,
            code: None,
            message: message.into(),
            request_id: None,
        }
    }

    /// The same problem, for one filter.
    pub fn about(mut self, filter: FilterId) -> Self {
        self.filter = Some(filter);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_word_and_reads_back() {
        for kind in ProblemKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
