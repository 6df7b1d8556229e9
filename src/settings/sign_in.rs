//! How to sign in, as flags, variables and profiles say it.

use serde::Deserialize;
use toml_edit::Value;
use uuid::Uuid;

use crate::plan::UserLimit;

use super::{KeepKind, PacingKeys, SettingsError, SignInKind};

/// A value as it is written into the configuration file.
trait AsToml {
    fn as_toml(&self) -> Value;
}

impl AsToml for String {
    fn as_toml(&self) -> Value {
        self.as_str().into()
    }
}

impl AsToml for u16 {
    fn as_toml(&self) -> Value {
        i64::from(*self).into()
    }
}

impl AsToml for bool {
    fn as_toml(&self) -> Value {
        (*self).into()
    }
}

impl AsToml for SignInKind {
    fn as_toml(&self) -> Value {
        self.as_str().into()
    }
}

impl AsToml for KeepKind {
    fn as_toml(&self) -> Value {
        self.as_str().into()
    }
}

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident: $type:ty,)*) => {
        /// What one layer says about signing in.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct SignInKeys {
            $($(#[$doc])* pub $key: Option<$type>,)*
        }

        impl SignInKeys {
            /// This layer, completed by `below` where it has no value.
            pub fn or(self, below: Self) -> Self {
                Self { $($key: self.$key.or(below.$key),)* }
            }

            /// The values of this layer, as keys of the configuration file.
            pub(super) fn entries(&self) -> Vec<(String, Value)> {
                let mut entries = Vec::new();
                $(if let Some(value) = &self.$key {
                    entries.push((stringify!($key).replace('_', "-"), value.as_toml()));
                })*
                entries
            }

            /// The values as text, without Boolean ones.
            pub fn texts(&self) -> Vec<(String, String)> {
                let text = |value: Value| match value {
                    Value::String(text) => Some(text.into_value()),
                    Value::Integer(number) => Some(number.into_value().to_string()),
                    _ => None,
                };
                let entries = self.entries().into_iter();
                entries
                    .filter_map(|(key, value)| Some((key, text(value)?)))
                    .collect()
            }

            /// The keys of the configuration file that are about signing in.
            pub(super) fn names() -> Vec<String> {
                vec![$(stringify!($key).replace('_', "-"),)*]
            }

            /// Refuses a client id that Entra ID cannot know. It is not repeated, because it may be a secret in the
            /// wrong place, and Entra ID would repeat it. AD FS accepts any text.
            pub(super) fn check_client_id(&self) -> Result<(), SettingsError> {
                let is_id = |id: &String| Uuid::try_parse(id).is_ok();
                if self.authority.is_some() || self.client_id.as_ref().is_none_or(is_id) {
                    return Ok(());
                }
                Err(SettingsError::SignIn {
                    why: "the id of the application is not a UUID; it is given with --client-id, AZURE_CLIENT_ID or \
                          `client-id`"
                        .into(),
                })
            }
        }

        /// One environment of the configuration file.
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct Profile {
            /// Its address.
            pub url: String,
            /// How fast to go there.
            #[serde(default)]
            pub pace: PacingKeys,
            /// The most users that a plan may change there, or the most of a hundred of those selected.
            #[serde(default)]
            #[cfg_attr(test, schemars(schema_with = "super::schema::limit"))]
            pub max_changes: Option<UserLimit>,
            /// Whether its name has to be given before anything is written there.
            #[serde(default)]
            pub production: bool,
            /// The id of the organisation, where the guards of this environment hold at whatever address it answers.
            #[serde(default)]
            #[cfg_attr(test, schemars(with = "Option<String>"))]
            pub organization: Option<Uuid>,
            $($(#[$doc])* #[serde(default)] pub $key: Option<$type>,)*
        }

        impl Profile {
            /// The values of the profile that are about signing in.
            pub fn sign_in(&self) -> SignInKeys {
                SignInKeys { $($key: self.$key.clone(),)* }
            }
        }
    };
}

keys! {
    /// The sign-in method.
    sign_in: SignInKind,
    /// The tenant, by its id or by one of its domains; else the one that the environment names.
    tenant: String,
    /// The id of the application, or of a user-assigned managed identity.
    client_id: String,
    /// Whether a person signs in by way of Microsoft's public client for Dataverse tools where no `client-id` is given;
    /// in the commercial cloud only.
    microsoft_app: bool,
    /// The environment variable that holds a bearer token for this environment, used as it is.
    access_token_variable: String,
    /// The environment variable that holds the client secret.
    client_secret_variable: String,
    /// The private file that holds the client secret; `-` is standard input.
    client_secret_file: String,
    /// The private PEM file with the certificate and its key, or a PFX file.
    certificate: String,
    /// The environment variable that holds the password of the PFX file.
    certificate_password_variable: String,
    /// The private file that holds the password of the PFX file; `-` is standard input.
    certificate_password_file: String,
    /// The file with the token of another provider.
    federated_token_file: String,
    /// The id of the service connection of Azure Pipelines.
    service_connection: String,
    /// The service account or user of Windows, as `user@domain` or `DOMAIN\user`.
    user: String,
    /// The environment variable that holds its password.
    password_variable: String,
    /// The private file that holds its password; `-` is standard input.
    password_file: String,
    /// The host of your own identity provider (AD FS), which is trusted for this environment.
    authority: String,
    /// The port of `http://localhost:PORT` as AD FS knows it.
    redirect_port: u16,
    /// Where the sign-in of a person is kept for the next command.
    keep: KeepKind,
}

/// The folder of kept sign-ins, below the state folder.
pub(super) const KEPT: &str = "sign-ins";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for kind in SignInKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert!("azure".parse::<SignInKind>().is_err());
    }

    #[test]
    fn the_upper_layer_counts_key_by_key() {
        let upper = SignInKeys {
            tenant: Some("upper".into()),
            ..SignInKeys::default()
        };
        let lower = SignInKeys {
            tenant: Some("lower".into()),
            client_id: Some("lower".into()),
            ..SignInKeys::default()
        };
        let both = upper.or(lower);
        assert_eq!(both.tenant.as_deref(), Some("upper"));
        assert_eq!(both.client_id.as_deref(), Some("lower"));
    }
}
