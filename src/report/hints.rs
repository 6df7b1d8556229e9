//! What an administrator can do about a problem.

use crate::model::ProblemKind;

/// What an administrator can do about a problem of this kind: one sentence.
///
/// If a privilege is missing, the server names the user even if it is the caller who lacks it.
pub const fn hint(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Disabled => {
            "Leave it, or enable the user first: a disabled user cannot be impersonated."
        }
        ProblemKind::Deleted => "Leave it: the account was deleted and synchronises nothing.",
        ProblemKind::ApplicationUser => {
            "Leave it: an application user has no mailbox and synchronises nothing."
        }
        ProblemKind::SupportUser => "Leave it: Microsoft's support user synchronises nothing.",
        ProblemKind::DelegatedAdmin => "Leave it: a partner's administrator synchronises nothing.",
        ProblemKind::NonInteractive => {
            "Leave it, or set the access mode to Read-Write if a person uses this account."
        }
        ProblemKind::StubUser => "Leave it: the platform manages this user.",
        ProblemKind::SystemAccount => "Leave it: SYSTEM and INTEGRATION synchronise nothing.",
        ProblemKind::NoRoles => "Give the user a security role, then resume the run.",
        ProblemKind::NoReadPrivilege => {
            "Give the user and the caller Read on Saved View; the access mode has to be Read-Write."
        }
        ProblemKind::NoWritePrivilege => {
            "Give the user and the caller Write on Saved View; the access mode has to be Read-Write."
        }
        ProblemKind::NoPrivilege => {
            "Give the user and the caller the privilege that the message names."
        }
        ProblemKind::NoLicence => "Assign a licence to the user, or leave the user out.",
        ProblemKind::NotAMember => {
            "Add the user to the environment's security group, or leave the user out."
        }
        ProblemKind::UnknownUser => {
            "Check that the user still exists in this environment and has an Entra object id."
        }
        ProblemKind::OtherUser => {
            "Plan anew for this user: the run file came from elsewhere, and its names are not to be trusted."
        }
        ProblemKind::AccessDenied => {
            "Read the message and compare the user's security roles with those of a user who works."
        }
        ProblemKind::ImpersonationDropped => {
            "Check that the caller may act on behalf of other users, with `syncfilters doctor`."
        }
        ProblemKind::ForeignRow => {
            "Check with `syncfilters doctor` that impersonation is honoured before you resume the run."
        }
        ProblemKind::Gone => "Leave it: the filter was deleted since it was read.",
        ProblemKind::ChangedSince => {
            "Look at it; undo with --include-changed puts it back if its state is still the run's."
        }
        ProblemKind::ChangedMeanwhile => {
            "Resume the run when nothing else is changing the user's filters."
        }
        ProblemKind::StatusNotRestored => {
            "Leave it: the filter works by its state; only the status code differs from before."
        }
        ProblemKind::NotAsWritten => {
            "Look for a plug-in or workflow on Saved View that sets the state back, then resume the run."
        }
        ProblemKind::Refused => "Read the message; give its request id to Microsoft's support.",
        ProblemKind::Throttled => {
            "Resume the run later, when less else is asked of the environment."
        }
        ProblemKind::ServerError => {
            "Resume the run later; if it stays, give the request id to Microsoft's support."
        }
        ProblemKind::Unreachable => {
            "Check the network and the proxy with `syncfilters doctor`, then resume the run."
        }
        ProblemKind::BadAnswer => {
            "Check that the URL leads to the CRM itself and that no proxy alters its answers."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_is_one_short_sentence() {
        for kind in ProblemKind::ALL {
            let hint = hint(*kind);
            assert!(hint.ends_with('.') && hint.len() <= 100, "{kind}: {hint}");
            assert!(hint.starts_with(char::is_uppercase), "{kind}: {hint}");
        }
    }
}
