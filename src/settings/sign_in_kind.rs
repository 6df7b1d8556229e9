//! The sign-in methods, and where a sign-in is kept, by their words in settings.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::nearest::nearest;

macro_rules! words {
    ($(#[$doc:meta])* $type:ident, $error:literal { $($(#[$variant_doc:meta])* $name:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum $type {
            $($(#[$variant_doc])* #[serde(rename = $word)] $name,)*
        }

        impl $type {
            /// Every one, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word used in settings.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let mut all = Self::ALL.iter();
                let found = all.find(|one| one.as_str() == text).copied();
                // The text is not repeated: it may be a secret in the wrong place.
                found.ok_or_else(|| {
                    let words: Vec<_> = Self::ALL.iter().map(|one| one.as_str()).collect();
                    let alike = nearest(text, words.iter().copied())
                        .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
                    format!("{}; possible: {}{alike}", $error, words.join(", "))
                })
            }
        }
    };
}

words! {
    /// A sign-in method.
    SignInKind, "no sign-in method" {
        /// What the environment variables, then the machine, have to offer.
        Auto = "auto",
        /// The token in `SYNCFILTERS_ACCESS_TOKEN`.
        Given = "given",
        /// An application with a secret.
        ClientSecret = "client-secret",
        /// An application with a certificate.
        Certificate = "certificate",
        /// An application that another provider vouches for: a token file, GitHub Actions, Azure Pipelines.
        Federation = "federation",
        /// The managed identity of an Azure machine.
        ManagedIdentity = "managed-identity",
        /// Whoever signed in to `az`.
        AzureCli = "azure-cli",
        /// Whoever signed in to `azd`.
        AzureDeveloperCli = "azure-developer-cli",
        /// A person with a code on another device.
        DeviceCode = "device-code",
        /// A person in the browser.
        Browser = "browser",
        /// A service account with its password, at AD FS only.
        Password = "password",
        /// A user of Windows with a password, at a server of your own, by NTLM.
        Ntlm = "ntlm",
        /// The same by Negotiate, with NTLM inside.
        Negotiate = "negotiate",
    }
}

words! {
    /// Where the sign-in of a person is kept for the next command.
    KeepKind, "no place for a sign-in" {
        /// Nowhere.
        No = "no",
        /// In the key store of the operating system.
        Keyring = "keyring",
        /// In a private file below the state folder.
        File = "file",
    }
}
