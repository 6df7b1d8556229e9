//! What is written about an environment into the configuration file, as flags.

use clap::Args;

use crate::plan::UserLimit;
use crate::settings::{NewProfile, SignInKeys};

use super::error::CliError;
use super::shared_args::ConnectionArgs;

/// What is written about an environment. No secret is among it: where a secret is, is.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Profile")]
pub(super) struct ProfileArgs {
    /// Sign in by way of Microsoft's public client for Dataverse tools, and not an application of your own
    ///
    /// In the commercial cloud only. The consent page shows it as `Dynamics 365 Example Client Application`, and
    /// Conditional Access can refuse it.
    #[arg(long, conflicts_with = "client_id")]
    pub(super) microsoft_app: bool,
    /// The variable that holds a bearer token for this environment
    #[arg(long, value_name = "VARIABLE")]
    pub(super) access_token_variable: Option<String>,
    /// The private file that holds the client secret
    #[arg(long, value_name = "FILE")]
    pub(super) client_secret_file: Option<String>,
    /// The variable that holds the client secret
    #[arg(long, value_name = "VARIABLE", conflicts_with = "client_secret_file")]
    pub(super) client_secret_variable: Option<String>,
    /// The private PEM file with the certificate and its key, or a PFX file
    #[arg(long, value_name = "FILE")]
    pub(super) certificate: Option<String>,
    /// The private file that holds the password of the PFX file
    #[arg(long, value_name = "FILE")]
    pub(super) certificate_password_file: Option<String>,
    /// The variable that holds the password of the PFX file
    #[arg(
        long,
        value_name = "VARIABLE",
        conflicts_with = "certificate_password_file"
    )]
    pub(super) certificate_password_variable: Option<String>,
    /// The file with the token of another provider
    #[arg(long, value_name = "FILE")]
    pub(super) federated_token_file: Option<String>,
    /// The id of the service connection of Azure Pipelines
    #[arg(long, value_name = "ID")]
    pub(super) service_connection: Option<String>,
    /// The service account at AD FS, or the user of Windows: `user@domain` or `DOMAIN\user`
    #[arg(long, value_name = "ACCOUNT")]
    pub(super) account: Option<String>,
    /// The private file that holds its password
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<String>,
    /// The variable that holds its password
    #[arg(long, value_name = "VARIABLE", conflicts_with = "password_file")]
    pub(super) password_variable: Option<String>,
    /// The host of your own identity provider (AD FS), which is trusted for this environment
    #[arg(long, value_name = "HOST")]
    pub(super) authority: Option<String>,
    /// The port of `http://localhost:PORT` as AD FS knows it
    #[arg(long, value_name = "PORT")]
    pub(super) redirect_port: Option<u16>,
    /// Ask for the name of the environment before anything is written there
    #[arg(long)]
    pub(super) production: bool,
    /// Refuse plans that change more users than this, or than this share of those selected
    #[arg(long, value_name = "N|P%")]
    pub(super) max_changes: Option<UserLimit>,
}

impl ProfileArgs {
    /// The profile, including flags that every command has. A text that cannot be the name of a variable may be a
    /// secret in the wrong place, and is neither written nor repeated.
    pub(super) fn profile(&self, connection: &ConnectionArgs) -> Result<NewProfile, CliError> {
        for (flag, named) in [
            ("--access-token-variable", &self.access_token_variable),
            ("--client-secret-variable", &self.client_secret_variable),
            (
                "--certificate-password-variable",
                &self.certificate_password_variable,
            ),
            ("--password-variable", &self.password_variable),
        ] {
            if named.as_deref().is_some_and(|named| !is_variable(named)) {
                return Err(CliError::Usage(format!(
                    "{flag} takes the name of a variable: letters, digits and `_`, and no digit first. Put the secret into \
                     that variable, not into the command"
                )));
            }
        }
        Ok(NewProfile {
            sign_in: SignInKeys {
                sign_in: connection.sign_in,
                tenant: connection.tenant.clone(),
                client_id: connection.client_id.clone(),
                microsoft_app: self.microsoft_app.then_some(true),
                access_token_variable: self.access_token_variable.clone(),
                client_secret_variable: self.client_secret_variable.clone(),
                client_secret_file: self.client_secret_file.clone(),
                certificate: self.certificate.clone(),
                certificate_password_variable: self.certificate_password_variable.clone(),
                certificate_password_file: self.certificate_password_file.clone(),
                federated_token_file: self.federated_token_file.clone(),
                service_connection: self.service_connection.clone(),
                user: self.account.clone(),
                password_variable: self.password_variable.clone(),
                password_file: self.password_file.clone(),
                authority: self.authority.clone(),
                redirect_port: self.redirect_port,
                keep: connection.keep,
            },
            production: self.production.then_some(true),
            max_changes: self.max_changes,
        })
    }
}

/// Whether a shell can set a variable of this name (POSIX, Base Definitions 3.216).
fn is_variable(text: &str) -> bool {
    let mut bytes = text.bytes();
    let begins = bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    begins && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Connecting {
        #[command(flatten)]
        connection: ConnectionArgs,
    }

    #[test]
    fn what_is_no_name_of_a_variable_is_refused_and_not_repeated() {
        let connection = Connecting::parse_from(["syncfilters"]).connection;
        for secret in [
            "Qx18Q~canary",
            "eyJhb.canary.sig",
            "1canary",
            "a canary",
            "",
        ] {
            let args = ProfileArgs {
                client_secret_variable: Some(secret.to_owned()),
                ..ProfileArgs::default()
            };
            let error = args.profile(&connection).unwrap_err().to_string();
            assert!(error.contains("--client-secret-variable"), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
        let args = ProfileArgs {
            password_variable: Some("CRM_PASSWORD_2".to_owned()),
            ..ProfileArgs::default()
        };
        assert!(args.profile(&connection).is_ok());
    }
}
