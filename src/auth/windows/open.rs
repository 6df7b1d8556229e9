//! From the settings and the environment's challenge to a Windows user at one server.

use secrecy::SecretString;

use super::super::discover::offer;
use super::super::{Challenge, Http, SignInError, SignInTarget, WindowsProtocol};
use super::account::Account;
use super::lane::LaneServer;
use super::legs::Scheme;
use super::source::Windows;

/// Asks the environment what it offers, and then for the password. Nobody is signed in yet.
pub(in super::super) async fn open(
    asked: WindowsProtocol,
    user: &str,
    place: &SignInTarget,
    http: &Http,
    password: impl FnOnce() -> Result<SecretString, SignInError>,
) -> Result<Windows, SignInError> {
    let name = Account::name(user)?;
    if place.known.is_some() {
        return Err(SignInError::unusable(
            format!("sign-in `{}`", asked.as_str()),
            "it is for a server of your own, not for Microsoft's services",
        ));
    }
    let (challenge, root) = offer(http, &place.environment).await?;
    let scheme = scheme(asked, &challenge).ok_or_else(|| {
        SignInError::unusable(
            format!("sign-in `{}`", asked.as_str()),
            "this environment offers no Windows authentication; use a way that gets a token",
        )
    })?;
    let probe = root
        .join("WhoAmI")
        .map_err(|error| SignInError::unusable("signing in", error))?;
    Ok(Windows::new(LaneServer {
        account: Account::new(name, password()?),
        scheme,
        probe,
    }))
}

/// The requested scheme where it is offered, else the offered one.
fn scheme(asked: WindowsProtocol, challenge: &Challenge) -> Option<Scheme> {
    match (asked, challenge.negotiate, challenge.ntlm) {
        (_, false, false) => None,
        (WindowsProtocol::Ntlm, _, true) | (WindowsProtocol::Negotiate, false, true) => {
            Some(Scheme::Ntlm)
        }
        (WindowsProtocol::Negotiate, true, _) | (WindowsProtocol::Ntlm, true, false) => {
            Some(Scheme::Negotiate)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_counts_where_it_is_offered() {
        let choose = |asked, negotiate, ntlm| {
            let challenge = Challenge {
                negotiate,
                ntlm,
                ..Challenge::default()
            };
            scheme(asked, &challenge)
        };
        for (asked, own) in [
            (WindowsProtocol::Ntlm, Scheme::Ntlm),
            (WindowsProtocol::Negotiate, Scheme::Negotiate),
        ] {
            assert_eq!(choose(asked, true, true), Some(own));
            assert_eq!(choose(asked, true, false), Some(Scheme::Negotiate));
            assert_eq!(choose(asked, false, true), Some(Scheme::Ntlm));
            assert_eq!(choose(asked, false, false), None);
        }
    }
}
