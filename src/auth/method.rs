//! Every sign-in method, as a plain value.

use std::path::PathBuf;

use super::federation::Federation;
use super::keep::TokenStore;
use super::managed_identity::IdentityService;
use super::secret::SecretFrom;
use super::tool::Tool;

/// A sign-in method, with everything that it needs but the secrets themselves.
#[derive(Clone, Debug)]
pub enum SignInMethod {
    /// A token that somebody else obtained.
    Given {
        /// Where it is.
        token: SecretFrom,
    },
    /// An application with a secret.
    ClientSecret {
        /// The application's id.
        client_id: String,
        /// Its secret.
        secret: SecretFrom,
    },
    /// An application with a certificate.
    Certificate {
        /// The application's id.
        client_id: String,
        /// A PEM file with certificate and key, or a PFX file.
        file: PathBuf,
        /// The password of the PFX file.
        password: Option<SecretFrom>,
    },
    /// An application that another provider vouches for.
    Federation {
        /// The application's id.
        client_id: String,
        /// The other provider.
        from: Federation,
    },
    /// The managed identity of the machine.
    ManagedIdentity {
        /// The client id of a user-assigned identity.
        client_id: Option<String>,
        /// Who hands out its tokens.
        service: IdentityService,
    },
    /// Whoever signed in to a tool.
    Tool {
        /// The tool.
        tool: Tool,
        /// Where it is.
        program: PathBuf,
    },
    /// A person with a code on another device.
    DeviceCode {
        /// The application by way of which the person signs in.
        client_id: String,
        /// Where the sign-in is kept.
        keep: TokenStore,
    },
    /// A person in the browser.
    Browser {
        /// The application by way of which the person signs in.
        client_id: String,
        /// The port of the redirect address, where it has to be a certain one.
        port: Option<u16>,
        /// Where the sign-in is kept.
        keep: TokenStore,
    },
    /// A service account with its password; AD FS only.
    Password {
        /// The application by way of which it signs in.
        client_id: String,
        /// `user@domain` or `DOMAIN\user`.
        user: String,
        /// Its password.
        password: SecretFrom,
    },
    /// A user of Windows at a server of one's own, with a password.
    Windows {
        /// How the server is shown that the password is known.
        protocol: WindowsProtocol,
        /// `DOMAIN\user` or `user@domain`.
        user: String,
        /// The password.
        password: SecretFrom,
    },
}

/// Windows authentication, by the name that web servers give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowsProtocol {
    /// NTLM as it is.
    Ntlm,
    /// NTLM within Negotiate.
    Negotiate,
}

impl WindowsProtocol {
    /// The word used in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ntlm => "ntlm",
            Self::Negotiate => "negotiate",
        }
    }
}

impl SignInMethod {
    /// The word used in settings.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Given { .. } => "given",
            Self::ClientSecret { .. } => "client-secret",
            Self::Certificate { .. } => "certificate",
            Self::Federation { .. } => "federation",
            Self::ManagedIdentity { .. } => "managed-identity",
            Self::Tool {
                tool: Tool::Azure, ..
            } => "azure-cli",
            Self::Tool {
                tool: Tool::AzureDeveloper,
                ..
            } => "azure-developer-cli",
            Self::DeviceCode { .. } => "device-code",
            Self::Browser { .. } => "browser",
            Self::Password { .. } => "password",
            Self::Windows { protocol, .. } => protocol.as_str(),
        }
    }
}
