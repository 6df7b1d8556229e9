//! Signing in from the terminal: which way, who is asked, and what is said about it.

use std::io::{self, IsTerminal};
use std::sync::{Arc, LazyLock};

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::auth::{
    self, Http, NoPrompt, Notice, SecretFrom, SignInError, SignInMethod, SignInTarget, SignedIn,
    UserPrompt,
};
use crate::dataverse::{self, Identity};
use crate::model::EnvironmentUrl;
use crate::report::terminal;
use crate::settings::{Chosen, ProcessEnvironment, Target, choose};

use super::connect::variable;
use super::error::CliError;
use super::printer::Printer;

/// A way of signing in that is ready.
pub(super) struct SignIn {
    /// The environment, where there are several.
    name: Option<String>,
    chosen: Chosen,
    signed_in: SignedIn,
}

impl SignIn {
    /// Settles on a way of signing in and makes it ready.
    pub(super) async fn open(
        target: &Target,
        interrupted: &CancellationToken,
    ) -> Result<Self, CliError> {
        Self::open_named(None, target, interrupted).await
    }

    /// The same where there are several environments: what is said has the name of this one.
    pub(super) async fn open_named(
        name: Option<&str>,
        target: &Target,
        interrupted: &CancellationToken,
    ) -> Result<Self, CliError> {
        let (chosen, place) = (chosen(target)?, place(target));
        let http = Http::new().map_err(CliError::Http)?;
        let person = person();
        let opening = auth::sign_in(&chosen.method, &place, &http, &person);
        let signed_in = tokio::select! {
            () = interrupted.cancelled() => return Err(dataverse::Error::Interrupted.into()),
            signed_in = opening => signed_in?,
        };
        if chosen.found {
            let whose = whose(name);
            Printer::warn(&format!("{whose}Signing in with {}.", signed_in.describe()));
        }
        Ok(Self {
            name: name.map(str::to_owned),
            chosen,
            signed_in,
        })
    }

    pub(super) fn signed_in(&self) -> SignedIn {
        self.signed_in.clone()
    }

    pub(super) fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// Signs in now: gets a token, or signs a connection in.
    pub(super) async fn first(&self, interrupted: &CancellationToken) -> Result<(), CliError> {
        tokio::select! {
            () = interrupted.cancelled() => Err(dataverse::Error::Interrupted.into()),
            done = self.signed_in.now() => Ok(done?),
        }
    }
}

/// Says who signed in. A token that was given, and a way that was named, are known to whoever gave them.
pub(super) fn announce(sign_in: &SignIn, identity: &Identity) {
    if sign_in.chosen.found {
        let (who, name) = (&identity.caller.user, &identity.organization.name);
        let whose = whose(sign_in.name.as_deref());
        Printer::warn(&format!("{whose}Signed in to {name} as {who}."));
    }
}

fn whose(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("{name}: "))
}

/// The way of signing in that flags, variables and profile settle on.
pub(super) fn chosen(target: &Target) -> Result<Chosen, CliError> {
    Ok(choose(&target.sign_in, surroundings(&variable))?)
}

/// Where to sign in.
pub(super) fn place(target: &Target) -> SignInTarget {
    SignInTarget {
        environment: EnvironmentUrl::clone(&target.environment),
        tenant: target.sign_in.tenant.clone(),
        authority: target.sign_in.authority.clone(),
        known: None,
    }
}

static PATH: LazyLock<Option<std::ffi::OsString>> = LazyLock::new(|| std::env::var_os("PATH"));

/// The surroundings of this process.
pub(super) fn surroundings(
    variable: &(dyn Fn(&str) -> Option<String> + Sync),
) -> ProcessEnvironment<'_> {
    ProcessEnvironment {
        variable,
        path: PATH.as_deref(),
    }
}

/// Whoever sits at the terminal, where there is one.
pub(super) fn person() -> Arc<dyn UserPrompt> {
    if io::stdin().is_terminal() && terminal::stderr_is_screen() {
        Arc::new(AtTheTerminal)
    } else {
        Arc::new(NoPrompt)
    }
}

/// Whether a person has to sign in, so that there is something to keep.
pub(super) const fn is_personal(method: &SignInMethod) -> bool {
    matches!(
        method,
        SignInMethod::DeviceCode { .. } | SignInMethod::Browser { .. }
    )
}

/// Whether somebody may be turned to: to sign in, or for a secret. Two of these at once would be in each other's way.
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

#[derive(Debug)]
struct AtTheTerminal;

impl UserPrompt for AtTheTerminal {
    fn is_there(&self) -> bool {
        true
    }

    fn tell(&self, notice: &Notice) {
        for line in notice_lines(notice) {
            Printer::warn(&line);
        }
    }

    fn open(&self, address: &str) -> bool {
        webbrowser::open(address).is_ok()
    }

    fn ask(&self, what: &str) -> Option<SecretString> {
        Printer::ask_secret(&capital(what))
    }
}

fn notice_lines(notice: &Notice) -> [String; 2] {
    match notice {
        Notice::Code {
            address,
            code,
            minutes,
        } => [
            format!(
                "To sign in, open {address} on any device and enter the code {code}, within {minutes} minutes."
            ),
            "Enter a code only if you started this yourself.".to_owned(),
        ],
        Notice::Browser {
            opened: true,
            address,
        } => [
            "Finish signing in in the browser that has opened. If none has, open".to_owned(),
            address.clone(),
        ],
        Notice::Browser {
            opened: false,
            address,
        } => [
            "To sign in, open in a browser on this machine".to_owned(),
            address.clone(),
        ],
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The error of a command that needs a person's sign-in.
pub(super) fn not_personal(chosen: &Chosen) -> CliError {
    SignInError::Unusable {
        what: format!("sign-in `{}`", chosen.method.word()),
        why: "it keeps nothing, so there is nothing to log in to or out of; only `browser` and `device-code` do".into(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_where_to_go_and_with_what() {
        let lines = notice_lines(&Notice::Code {
            address: "https://microsoft.com/devicelogin".into(),
            code: "ABC-DEF".into(),
            minutes: 15,
        });
        for part in ["https://microsoft.com/devicelogin", "ABC-DEF", "15 minutes"] {
            assert!(lines[0].contains(part), "{lines:?}");
        }
    }
}
