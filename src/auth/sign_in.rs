//! From a sign-in method to a signed-in caller: with tokens, or with Windows authentication.

use std::sync::Arc;

use super::method::WindowsProtocol;
use super::open::open;
use super::{Http, SecretFrom, SignInError, SignInMethod, SignInTarget, SignedIn, UserPrompt};

/// Makes a sign-in method ready. The environment is asked which methods it accepts; nobody is signed in yet.
pub async fn sign_in(
    method: &SignInMethod,
    place: &SignInTarget,
    http: &Http,
    prompt: &Arc<dyn UserPrompt>,
) -> Result<SignedIn, SignInError> {
    match method {
        SignInMethod::Windows {
            protocol,
            user,
            password,
        } => windows(*protocol, user, password, place, http, prompt).await,
        other => open(other, place, http, prompt).await.map(SignedIn::Tokens),
    }
}

#[cfg(feature = "on-premises")]
async fn windows(
    protocol: WindowsProtocol,
    user: &str,
    password: &SecretFrom,
    place: &SignInTarget,
    http: &Http,
    prompt: &Arc<dyn UserPrompt>,
) -> Result<SignedIn, SignInError> {
    let ask = |what: &str| prompt.ask(&format!("{what} of {user}"));
    let password = || password.read("password", ask);
    let windows = super::windows::open(protocol, user, place, http, password).await?;
    Ok(SignedIn::Windows(Arc::new(windows)))
}

#[cfg(not(feature = "on-premises"))]
#[expect(
    clippy::unused_async,
    reason = "the signature of the one that does something"
)]
async fn windows(
    protocol: WindowsProtocol,
    _: &str,
    _: &SecretFrom,
    _: &SignInTarget,
    _: &Http,
    _: &Arc<dyn UserPrompt>,
) -> Result<SignedIn, SignInError> {
    Err(SignInError::unusable(
        format!("sign-in `{}`", protocol.as_str()),
        "this program was built without Windows authentication; build it with `cargo install --path . --features on-premises`",
    ))
}

#[cfg(test)]
#[cfg(not(feature = "on-premises"))]
mod tests {
    use super::*;
    use crate::auth::NoPrompt;

    #[tokio::test]
    async fn without_the_feature_windows_authentication_is_refused_by_its_name() {
        let method = SignInMethod::Windows {
            protocol: WindowsProtocol::Ntlm,
            user: "CONTOSO\\svc".into(),
            password: SecretFrom::Prompt,
        };
        let place = SignInTarget {
            environment: "https://crm.contoso.example/contoso".parse().unwrap(),
            tenant: None,
            authority: None,
            known: None,
        };
        let nobody: Arc<dyn UserPrompt> = Arc::new(NoPrompt);
        let refused = sign_in(&method, &place, &Http::new().unwrap(), &nobody).await;
        let error = refused.unwrap_err();
        assert!(error.is_configuration());
        assert!(
            error.to_string().contains("--features on-premises"),
            "{error}"
        );
    }
}
