//! All sign-in methods, as plain values.

use std::path::PathBuf;

use super::federation::Federation;
use super::keep::TokenStore;
use super::managed_identity::IdentityService;
use super::secret::SecretFrom;
use super::tool::Tool;

/// A sign-in method with everything that it needs except the secrets themselves.
#[derive(Clone, Debug)]
pub enum SignInMethod {
    /// A token that was obtained elsewhere.
    Given {
        /// Where to read it.
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
    /// An application with a statement of another provider.
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
        /// The service that issues its tokens.
        service: IdentityService,
    },
    /// The account that is signed in to a tool.
    Tool {
        /// Which tool.
        tool: Tool,
        /// The path of its program.
        program: PathBuf,
    },
    /// A user with a code on another device.
    DeviceCode {
        /// The id of the application through which the user signs in.
        client_id: String,
        /// Where the sign-in is kept.
        keep: TokenStore,
    },
    /// A user in the browser.
    Browser {
        /// The id of the application through which the user signs in.
        client_id: String,
        /// The port of the redirect address, where it is fixed.
        port: Option<u16>,
        /// Where the sign-in is kept.
        keep: TokenStore,
    },
    /// A service account with its password; AD FS only.
    Password {
        /// The id of the application through which it signs in.
        client_id: String,
        /// `user@domain` or `DOMAIN\user`.
        user: String,
        /// Its password.
        password: SecretFrom,
    },
    /// A Windows user at an on-premises server, with a password.
    Windows {
        /// How the password is proved to the server.
        protocol: WindowsProtocol,
        /// `DOMAIN\user` or `user@domain`.
        user: String,
        /// The password.
        password: SecretFrom,
    },
}

/// Windows authentication, with the name that web servers give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowsProtocol {
    /// Plain NTLM.
    Ntlm,
    /// NTLM inside Negotiate.
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
