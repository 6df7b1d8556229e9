//! The identity provider of an environment, and the sign-in methods that work with it.

use std::fmt;

use url::Url;

use crate::auth::{self, Authority, Http, SignInError};
use crate::dataverse;
use crate::model::EnvironmentUrl;
use crate::settings::SignInKind;

use super::{ConnectError, Connector};

/// The identity provider that an environment names to a request without a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Entra ID, or AD FS on a host that was given as trusted.
    Trusted(Authority),
    /// A host that is not trusted yet.
    Unknown {
        /// The host, for the key `authority` of the configuration file.
        host: String,
        /// Whether it looks like AD FS.
        is_ad_fs: bool,
    },
    /// The server itself, by Windows authentication.
    Windows,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trusted(authority) => authority.fmt(f),
            Self::Unknown { host, .. } => f.write_str(host),
            Self::Windows => f.write_str("the server itself, by Windows authentication"),
        }
    }
}

/// The means to sign in on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AtHand {
    /// The Azure CLI.
    pub azure_cli: bool,
    /// The Azure Developer CLI.
    pub azure_developer_cli: bool,
    /// A token in `SYNCFILTERS_ACCESS_TOKEN`.
    pub token: bool,
}

impl Provider {
    /// The sign-in methods that can work there, the most likely first.
    pub fn methods(&self, at_hand: AtHand) -> Vec<SignInKind> {
        use SignInKind::{
            AzureCli, AzureDeveloperCli, Browser, Certificate, ClientSecret, DeviceCode,
            Federation, Given, ManagedIdentity, Negotiate, Ntlm, Password,
        };
        let methods: &[SignInKind] = match self {
            Self::Trusted(authority) if authority.is_ad_fs() => &[Browser, DeviceCode, Password],
            Self::Unknown { is_ad_fs: true, .. } => &[Browser, DeviceCode, Password],
            Self::Trusted(_) | Self::Unknown { .. } => &[
                AzureCli,
                Browser,
                DeviceCode,
                Certificate,
                ClientSecret,
                Federation,
                ManagedIdentity,
                AzureDeveloperCli,
            ],
            Self::Windows => &[Ntlm, Negotiate],
        };
        let usable = |kind: &SignInKind| match kind {
            AzureCli => at_hand.azure_cli,
            AzureDeveloperCli => at_hand.azure_developer_cli,
            _ => true,
        };
        let token = at_hand.token.then_some(Given);
        let methods = methods.iter().copied().filter(usable);
        methods.chain(token).collect()
    }

    /// Whether a method can work there, on any machine.
    pub fn takes(&self, kind: SignInKind) -> bool {
        let everything = AtHand {
            azure_cli: true,
            azure_developer_cli: true,
            token: true,
        };
        kind == SignInKind::Auto || self.methods(everything).contains(&kind)
    }
}

/// Whether a method sends something to the identity provider that the environment names.
pub const fn uses_provider(kind: SignInKind) -> bool {
    !matches!(
        kind,
        SignInKind::Given
            | SignInKind::ManagedIdentity
            | SignInKind::AzureCli
            | SignInKind::AzureDeveloperCli
            | SignInKind::Ntlm
            | SignInKind::Negotiate
    )
}

impl Connector {
    /// Asks an environment where to sign in. `vouched` is a host that is trusted, `tenant` overrides the
    /// environment's.
    pub async fn find_provider(
        &self,
        environment: &EnvironmentUrl,
        vouched: Option<&str>,
        tenant: Option<&str>,
    ) -> Result<Provider, ConnectError> {
        let http = Http::new().map_err(ConnectError::Http)?;
        let asked = auth::challenge(&http, environment);
        let asked = Box::pin(self.with_progress(environment.to_string(), None, || None, asked));
        let challenge = tokio::select! {
            () = self.interrupted.cancelled() => return Err(dataverse::Error::Interrupted.into()),
            challenge = asked => challenge?,
        };
        let Some(uri) = &challenge.authorization_uri else {
            return Ok(Provider::Windows);
        };
        match Authority::trust(uri, vouched, tenant) {
            Ok(authority) => Ok(Provider::Trusted(authority)),
            Err(SignInError::Untrusted { host }) => {
                let path = Url::parse(uri).map(|url| url.path().to_ascii_lowercase());
                let is_ad_fs = path.is_ok_and(|path| path.starts_with("/adfs/"));
                Ok(Provider::Unknown { host, is_ad_fs })
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(is_ad_fs: bool) -> Provider {
        Provider::Unknown {
            host: "https://adfs.contoso.example".into(),
            is_ad_fs,
        }
    }

    #[test]
    fn only_methods_that_can_work_there_are_offered() {
        use SignInKind::{AzureCli, Browser, ClientSecret, Given, Ntlm, Password};
        let uri = "https://login.microsoftonline.com/1/oauth2/authorize";
        let entra = Provider::Trusted(Authority::trust(uri, None, None).unwrap());
        let nothing = AtHand::default();
        assert_eq!(entra.methods(nothing).first(), Some(&Browser));
        let with_az = AtHand {
            azure_cli: true,
            ..nothing
        };
        assert_eq!(entra.methods(with_az).first(), Some(&AzureCli));
        for refused in [Password, Ntlm, Given] {
            assert!(!entra.methods(nothing).contains(&refused), "{refused}");
        }
        let ad_fs = unknown(true).methods(nothing);
        assert!(ad_fs.contains(&Password) && !ad_fs.contains(&ClientSecret));
        assert!(!Provider::Windows.methods(nothing).contains(&Browser));
        let token = AtHand {
            token: true,
            ..nothing
        };
        assert!(Provider::Windows.methods(token).contains(&Given));
        assert!(entra.takes(AzureCli) && entra.takes(SignInKind::Auto) && !entra.takes(Password));
    }

    #[test]
    fn whoever_is_asked_for_a_password_or_code_has_to_be_trusted() {
        for kind in SignInKind::ALL {
            let sends_nothing = !uses_provider(*kind);
            let from_elsewhere = matches!(
                kind.as_str(),
                "given"
                    | "managed-identity"
                    | "azure-cli"
                    | "azure-developer-cli"
                    | "ntlm"
                    | "negotiate"
            );
            assert_eq!(sends_nothing, from_elsewhere, "{kind}");
        }
    }
}
