//! Which users are skipped before any request: accounts that cannot have sync filters.

use crate::model::{AccessMode, ProblemKind, User};

/// Why this user is skipped; `None` where impersonation is worth a request.
///
/// Decided only by what the columns say with certainty. Whether a user has a role, a licence or the privilege is
/// left to the server, because roles also come from teams and on-premises there are no licences.
pub fn ineligible(user: &User) -> Option<ProblemKind> {
    if user.deleted {
        // Most are disabled as well; "deleted" says more.
        return Some(ProblemKind::Deleted);
    }
    if user.disabled {
        // For a disabled user the server may answer with the caller's own rows.
        return Some(ProblemKind::Disabled);
    }
    if user.stub {
        return Some(ProblemKind::StubUser);
    }
    if user.application {
        return Some(ProblemKind::ApplicationUser);
    }
    if user.integration || is_system(user) {
        return Some(ProblemKind::SystemAccount);
    }
    match user.access_mode {
        AccessMode::Support => Some(ProblemKind::SupportUser),
        AccessMode::NonInteractive => Some(ProblemKind::NonInteractive),
        AccessMode::DelegatedAdmin => Some(ProblemKind::DelegatedAdmin),
        AccessMode::ReadWrite
        | AccessMode::Administrative
        | AccessMode::Read
        | AccessMode::Other(_) => None,
    }
}

/// SYSTEM cannot sign in and has no mailbox; it is the only user without a login.
fn is_system(user: &User) -> bool {
    user.login.trim().is_empty() && user.object_id.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::change::tests::user;

    #[test]
    fn an_ordinary_user_is_surveyed_whatever_the_licence_columns_say() {
        assert_eq!(ineligible(&user(1)), None);
        let administrative = User {
            access_mode: AccessMode::Administrative,
            ..user(1)
        };
        assert_eq!(ineligible(&administrative), None);
    }

    #[test]
    fn accounts_that_cannot_hold_filters_are_skipped_with_their_reason() {
        let plain = user(1);
        for (user, kind) in [
            (
                User {
                    disabled: true,
                    application: true,
                    ..plain.clone()
                },
                ProblemKind::Disabled,
            ),
            (
                User {
                    deleted: true,
                    disabled: true,
                    ..plain.clone()
                },
                ProblemKind::Deleted,
            ),
            (
                User {
                    stub: true,
                    ..plain.clone()
                },
                ProblemKind::StubUser,
            ),
            (
                User {
                    application: true,
                    ..plain.clone()
                },
                ProblemKind::ApplicationUser,
            ),
            (
                User {
                    integration: true,
                    ..plain.clone()
                },
                ProblemKind::SystemAccount,
            ),
            (
                User {
                    login: String::new(),
                    object_id: None,
                    ..plain.clone()
                },
                ProblemKind::SystemAccount,
            ),
            (
                User {
                    access_mode: AccessMode::Support,
                    ..plain.clone()
                },
                ProblemKind::SupportUser,
            ),
            (
                User {
                    access_mode: AccessMode::NonInteractive,
                    ..plain.clone()
                },
                ProblemKind::NonInteractive,
            ),
            (
                User {
                    access_mode: AccessMode::DelegatedAdmin,
                    ..plain
                },
                ProblemKind::DelegatedAdmin,
            ),
        ] {
            assert_eq!(ineligible(&user), Some(kind));
        }
    }
}
