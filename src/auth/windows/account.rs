//! The Windows user that signs in.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sspi::{AuthIdentity, Secret, Username};

use super::super::SignInError;

/// A user and the password. Never printed: `Debug` shows the name only.
pub(super) struct Account {
    username: Username,
    password: SecretString,
}

impl Account {
    /// Reads the name from the settings. A name without a domain is refused, because the server would have to
    /// guess the domain.
    pub(super) fn name(user: &str) -> Result<Username, SignInError> {
        let wrong = || {
            SignInError::unusable(
                "`user` of the configuration file",
                "it has to be DOMAIN\\user or user@domain.example",
            )
        };
        let qualified = user.split(['\\', '@']).all(|part| !part.trim().is_empty());
        if !qualified || !user.contains(['\\', '@']) {
            return Err(wrong());
        }
        Username::parse(user).map_err(|_| wrong())
    }

    pub(super) fn new(username: Username, password: SecretString) -> Self {
        Self { username, password }
    }

    /// Name and password for one handshake, dropped after it.
    pub(super) fn identity(&self) -> AuthIdentity {
        AuthIdentity {
            username: self.username.clone(),
            password: Secret::new(self.password.expose_secret().to_owned()),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.username.inner())
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_with_the_domain_or_refused() {
        for good in ["CONTOSO\\svc", "svc@contoso.example"] {
            assert_eq!(Account::name(good).unwrap().inner(), good);
        }
        for wrong in [
            "svc",
            "",
            "\\svc",
            "CONTOSO\\",
            "@contoso.example",
            "a\\b\\c",
        ] {
            let why = Account::name(wrong).unwrap_err().to_string();
            assert!(why.contains("DOMAIN\\user"), "{wrong}: {why}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        let name = Account::name("CONTOSO\\svc").unwrap();
        let account = Account::new(name, SecretString::from("canary"));
        let printed = format!("{account} {account:?} {:?}", account.identity());
        assert!(!printed.contains("canary"), "{printed}");
    }
}
