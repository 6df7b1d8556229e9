//! The chosen sign-in method, and a sign-in that is ready.

use crate::auth::{SecretFrom, SignInError, SignInMethod, SignInTarget, SignedIn};
use crate::model::EnvironmentUrl;
use crate::settings::{ChoiceError, ChosenMethod, ResolvedTarget, check_microsoft_app, choose};

use super::ConnectError;
use super::options::process_environment;

/// A sign-in that is ready.
#[derive(Debug)]
pub struct SignIn {
    /// The name of the environment, where there are several.
    pub(super) name: Option<String>,
    pub(super) chosen: ChosenMethod,
    pub(super) signed_in: SignedIn,
}

impl SignIn {
    /// The signed-in caller.
    pub fn signed_in(&self) -> SignedIn {
        self.signed_in.clone()
    }

    /// The sign-in method, and how it was chosen.
    pub fn chosen(&self) -> &ChosenMethod {
        &self.chosen
    }
}

/// The sign-in method according to flags, variables and profile.
pub fn chosen(target: &ResolvedTarget) -> Result<ChosenMethod, ChoiceError> {
    let chosen = choose(&target.sign_in, process_environment())?;
    check_microsoft_app(&chosen.method, &target.environment)?;
    Ok(chosen)
}

/// As [`chosen`], for methods in which a user signs in, so that there is something to keep.
///
/// # Errors
/// Where the sign-in method keeps nothing.
pub fn personal(target: &ResolvedTarget) -> Result<ChosenMethod, ConnectError> {
    let chosen = chosen(target)?;
    if is_personal(&chosen.method) {
        return Ok(chosen);
    }
    Err(SignInError::Unusable {
        what: format!("sign-in `{}`", chosen.method.word()),
        why: "it keeps no sign-in; use `browser` or `device-code`".into(),
    }
    .into())
}

/// The environment and identity provider to sign in to.
pub fn sign_in_target(target: &ResolvedTarget) -> SignInTarget {
    SignInTarget {
        environment: EnvironmentUrl::clone(&target.environment),
        tenant: target.sign_in.tenant.clone(),
        authority: target.sign_in.authority.clone(),
        known: None,
    }
}

/// Whether a user has to sign in, so that there is something to keep.
pub const fn is_personal(method: &SignInMethod) -> bool {
    matches!(
        method,
        SignInMethod::DeviceCode { .. } | SignInMethod::Browser { .. }
    )
}

/// Whether a user may be asked, to sign in or for a secret. Two such questions at once would disturb each other.
pub(super) fn may_turn_to_a_person(method: &SignInMethod) -> bool {
    let asks = |secret: &SecretFrom| matches!(secret, SecretFrom::Prompt | SecretFrom::Stdin);
    match method {
        SignInMethod::DeviceCode { .. } | SignInMethod::Browser { .. } => true,
        SignInMethod::ClientSecret { secret, .. }
        | SignInMethod::Password {
            password: secret, ..
        }
        | SignInMethod::Windows {
            password: secret, ..
        } => asks(secret),
        SignInMethod::Certificate { password, .. } => password.as_ref().is_some_and(asks),
        SignInMethod::Given { .. }
        | SignInMethod::Federation { .. }
        | SignInMethod::ManagedIdentity { .. }
        | SignInMethod::Tool { .. } => false,
    }
}
