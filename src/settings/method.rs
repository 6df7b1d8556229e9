//! From the settings to one sign-in method.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::auth::{
    Federation, IdentityService, SecretFrom, SignInError, SignInMethod, TokenStore, Tool,
    WindowsProtocol,
};

use super::microsoft_app::MICROSOFT_APP;
use super::sign_in::KEPT;
use super::{KeepKind, SettingsError, SignInKeys, SignInKind, state_dir};

/// The variable that holds a bearer token.
const TOKEN: &str = "SYNCFILTERS_ACCESS_TOKEN";

/// The environment variables and program folders of the process, passed in so that decisions can be tested.
#[derive(Clone, Copy)]
pub struct ProcessEnvironment<'a> {
    /// Looks up an environment variable; an empty one counts as not set.
    pub variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The folders that are searched for programs.
    pub path: Option<&'a OsStr>,
    /// The folder of run files that was asked for; none for the usual one.
    pub state_dir: Option<&'a Path>,
}

impl ProcessEnvironment<'_> {
    fn has(&self, name: &str) -> bool {
        (self.variable)(name).is_some()
    }
}

/// The chosen sign-in method.
#[derive(Clone, Debug)]
pub struct ChosenMethod {
    /// The method.
    pub method: SignInMethod,
    /// Whether it was found automatically, because none was named.
    pub found: bool,
}

/// The settings for signing in from environment variables: our own, then the standard ones of Azure.
///
/// Microsoft: `EnvironmentCredential` and `WorkloadIdentityCredential` name the variables.
pub fn from_variables(process: ProcessEnvironment<'_>) -> Result<SignInKeys, SettingsError> {
    let variable = process.variable;
    let present = |name: &str| process.has(name).then(|| name.to_owned());
    let named = variable("SYNCFILTERS_SIGN_IN").map(|word| {
        word.parse::<SignInKind>()
            .map_err(|why| SettingsError::SignIn {
                why: format!("SYNCFILTERS_SIGN_IN holds {why}"),
            })
    });
    let given = process.has(TOKEN).then_some(SignInKind::Given);
    Ok(SignInKeys {
        sign_in: given.or(named.transpose()?),
        access_token_variable: given.map(|_| TOKEN.to_owned()),
        tenant: variable("AZURE_TENANT_ID"),
        client_id: variable("AZURE_CLIENT_ID"),
        client_secret_variable: present("AZURE_CLIENT_SECRET"),
        certificate: variable("AZURE_CLIENT_CERTIFICATE_PATH"),
        certificate_password_variable: present("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        federated_token_file: variable("AZURE_FEDERATED_TOKEN_FILE"),
        ..SignInKeys::default()
    })
}

/// Chooses one sign-in method.
pub fn choose(
    keys: &SignInKeys,
    process: ProcessEnvironment<'_>,
) -> Result<ChosenMethod, ChoiceError> {
    let chooser = Chooser { keys, process };
    match keys.sign_in.unwrap_or(SignInKind::Auto) {
        // Naming a variable with a token names the method, too.
        SignInKind::Auto if keys.access_token_variable.is_some() => Ok(ChosenMethod {
            method: chooser.method(SignInKind::Given)?,
            found: false,
        }),
        SignInKind::Auto => Ok(ChosenMethod {
            method: chooser.auto()?,
            found: true,
        }),
        kind => Ok(ChosenMethod {
            method: chooser.method(kind)?,
            found: false,
        }),
    }
}

/// Why no sign-in method could be chosen.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// A setting is missing or wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No method was found.
    #[error(transparent)]
    SignIn(#[from] SignInError),
}

struct Chooser<'a> {
    keys: &'a SignInKeys,
    process: ProcessEnvironment<'a>,
}

impl Chooser<'_> {
    /// The standard variables (or the same as keys), then federation, then the Azure CLI. A managed identity has to
    /// be named, because looking for one takes long where there is none.
    fn auto(&self) -> Result<SignInMethod, ChoiceError> {
        let keys = self.keys;
        let application = keys.client_id.is_some();
        let secret = keys.client_secret_variable.is_some() || keys.client_secret_file.is_some();
        let kind = if application && secret {
            SignInKind::ClientSecret
        } else if application && keys.certificate.is_some() {
            SignInKind::Certificate
        } else if application && self.federation().is_some() {
            SignInKind::Federation
        } else if self.find(Tool::Azure).is_some() {
            SignInKind::AzureCli
        } else {
            return Err(SignInError::NoWay {
                looked_for: "SYNCFILTERS_ACCESS_TOKEN, AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or \
                    AZURE_CLIENT_CERTIFICATE_PATH, a federated token (AZURE_FEDERATED_TOKEN_FILE, GitHub Actions, \
                    Azure Pipelines), and the Azure CLI"
                    .into(),
            }
            .into());
        };
        Ok(self.method(kind)?)
    }

    fn method(&self, kind: SignInKind) -> Result<SignInMethod, SettingsError> {
        let keys = self.keys;
        let client_id = || {
            keys.check_client_id()?;
            need(kind, "client-id", keys.client_id.as_ref())
        };
        // Only a user signs in through it, and only where that was chosen.
        let client_of_a_person = || match (&keys.client_id, keys.microsoft_app) {
            (None, Some(true)) => Ok(MICROSOFT_APP.to_owned()),
            _ => client_id(),
        };
        Ok(match kind {
            SignInKind::Auto | SignInKind::Given => SignInMethod::Given {
                token: SecretFrom::Variable(
                    keys.access_token_variable
                        .clone()
                        .unwrap_or_else(|| TOKEN.to_owned()),
                ),
            },
            SignInKind::ClientSecret => SignInMethod::ClientSecret {
                client_id: client_id()?,
                secret: secret(
                    keys.client_secret_variable.as_deref(),
                    keys.client_secret_file.as_deref(),
                )
                .unwrap_or(SecretFrom::Prompt),
            },
            SignInKind::Certificate => SignInMethod::Certificate {
                client_id: client_id()?,
                file: PathBuf::from(need(kind, "certificate", keys.certificate.as_ref())?),
                password: secret(
                    keys.certificate_password_variable.as_deref(),
                    keys.certificate_password_file.as_deref(),
                ),
            },
            SignInKind::Federation => {
                let from = self.federation();
                SignInMethod::Federation {
                    client_id: client_id()?,
                    from: need(kind, "federated-token-file", from.as_ref())?,
                }
            }
            SignInKind::ManagedIdentity => SignInMethod::ManagedIdentity {
                client_id: {
                    keys.check_client_id()?;
                    keys.client_id.clone()
                },
                service: IdentityService::from_variables(self.process.variable),
            },
            SignInKind::AzureCli => self.tool(Tool::Azure, kind)?,
            SignInKind::AzureDeveloperCli => self.tool(Tool::AzureDeveloper, kind)?,
            SignInKind::DeviceCode => SignInMethod::DeviceCode {
                client_id: client_of_a_person()?,
                keep: self.keep()?,
            },
            SignInKind::Browser => SignInMethod::Browser {
                client_id: client_of_a_person()?,
                port: keys.redirect_port,
                keep: self.keep()?,
            },
            SignInKind::Password => SignInMethod::Password {
                client_id: client_id()?,
                user: need(kind, "user", keys.user.as_ref())?,
                password: self.password(),
            },
            SignInKind::Ntlm => self.windows(WindowsProtocol::Ntlm, kind)?,
            SignInKind::Negotiate => self.windows(WindowsProtocol::Negotiate, kind)?,
        })
    }

    fn windows(
        &self,
        protocol: WindowsProtocol,
        kind: SignInKind,
    ) -> Result<SignInMethod, SettingsError> {
        Ok(SignInMethod::Windows {
            protocol,
            user: need(kind, "user", self.keys.user.as_ref())?,
            password: self.password(),
        })
    }

    fn password(&self) -> SecretFrom {
        let keys = self.keys;
        secret(
            keys.password_variable.as_deref(),
            keys.password_file.as_deref(),
        )
        .unwrap_or(SecretFrom::Prompt)
    }

    fn federation(&self) -> Option<Federation> {
        let variable = self.process.variable;
        if let Some(path) = &self.keys.federated_token_file {
            return Some(Federation::File(path.into()));
        }
        let present = |name: &str| {
            let there = self.process.has(name);
            there.then(|| SecretFrom::Variable(name.to_owned()))
        };
        if let (Some(url), Some(token)) = (
            variable("ACTIONS_ID_TOKEN_REQUEST_URL"),
            present("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
        ) {
            return Some(Federation::GitHub { url, token });
        }
        let connection = self.keys.service_connection.clone();
        Some(Federation::Pipelines {
            url: variable("SYSTEM_OIDCREQUESTURI")?,
            connection: connection
                .or_else(|| variable("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"))?,
            token: present("SYSTEM_ACCESSTOKEN")?,
        })
    }

    fn find(&self, tool: Tool) -> Option<PathBuf> {
        tool.find(self.process.path)
    }

    fn tool(&self, tool: Tool, kind: SignInKind) -> Result<SignInMethod, SettingsError> {
        let program = self.find(tool).ok_or_else(|| SettingsError::SignIn {
            why: format!("sign-in `{kind}`: the program is in no folder of PATH"),
        })?;
        Ok(SignInMethod::Tool { tool, program })
    }

    fn keep(&self) -> Result<TokenStore, SettingsError> {
        Ok(match self.keys.keep.unwrap_or(KeepKind::No) {
            KeepKind::No => TokenStore::No,
            KeepKind::Keyring => TokenStore::Keyring,
            KeepKind::File => TokenStore::File(state_dir(self.process.state_dir)?.join(KEPT)),
        })
    }
}

fn need<T: Clone>(
    kind: SignInKind,
    key: &'static str,
    value: Option<&T>,
) -> Result<T, SettingsError> {
    value
        .cloned()
        .ok_or(SettingsError::MissingKey { kind, key })
}

fn secret(variable: Option<&str>, file: Option<&str>) -> Option<SecretFrom> {
    match (variable, file) {
        (Some(name), _) => Some(SecretFrom::Variable(name.to_owned())),
        (None, Some("-")) => Some(SecretFrom::Stdin),
        (None, Some(path)) => Some(SecretFrom::File(path.into())),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(
        profile: SignInKeys,
        variables: &[(&str, &str)],
        path: Option<&OsStr>,
    ) -> Result<(String, bool), String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let process = ProcessEnvironment {
            variable: &variable,
            path,
            state_dir: None,
        };
        let keys = from_variables(process).map_err(|error| error.to_string())?;
        choose(&keys.or(profile), process)
            .map(|chosen| (chosen.method.word().to_owned(), chosen.found))
            .map_err(|error| error.to_string())
    }

    fn profile(kind: SignInKind) -> SignInKeys {
        SignInKeys {
            sign_in: Some(kind),
            ..SignInKeys::default()
        }
    }

    const APPLICATION: &str = "0b2a1c1e-6d1f-4c51-8b86-0f1d2f3a4b5c";
    const SECRET: [(&str, &str); 2] = [
        ("AZURE_CLIENT_ID", APPLICATION),
        ("AZURE_CLIENT_SECRET", "s"),
    ];

    #[test]
    fn a_given_token_counts_more_than_a_profile() {
        let token = [(TOKEN, "t")];
        let asked = chosen(profile(SignInKind::Browser), &token, None);
        assert_eq!(asked, Ok(("given".into(), false)));
    }

    #[test]
    fn an_environment_with_a_token_of_its_own_needs_nothing_else() {
        let own = SignInKeys {
            access_token_variable: Some("TOKEN_OF_TEST".into()),
            ..SignInKeys::default()
        };
        let found = chosen(own.clone(), &SECRET[..1], None);
        assert_eq!(found, Ok(("given".into(), false)));
        let variable = |_: &str| None;
        let process = ProcessEnvironment {
            variable: &variable,
            path: None,
            state_dir: None,
        };
        let method = choose(&own, process).unwrap().method;
        let SignInMethod::Given { token } = method else {
            panic!("{method:?}");
        };
        assert_eq!(token, SecretFrom::Variable("TOKEN_OF_TEST".into()));
    }

    #[test]
    fn auto_takes_variables_then_federation_then_the_azure_cli() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("az"), "").unwrap();
        std::fs::write(folder.path().join("az.cmd"), "").unwrap();
        let path = Some(folder.path().as_os_str());
        let github = [
            ("AZURE_CLIENT_ID", APPLICATION),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x.example"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t"),
        ];
        let both = [&SECRET[..], &github[1..]].concat();
        let auto =
            |variables: &[(&str, &str)], path| chosen(SignInKeys::default(), variables, path);
        assert_eq!(auto(&both, path), Ok(("client-secret".into(), true)));
        assert_eq!(auto(&github, path), Ok(("federation".into(), true)));
        assert_eq!(auto(&github[1..], path), Ok(("azure-cli".into(), true)));
        let why = auto(&[], None).unwrap_err();
        assert!(why.contains("AZURE_CLIENT_ID"), "{why}");
    }

    #[test]
    fn what_a_profile_names_is_used_and_nothing_else_is_tried() {
        let asked = chosen(profile(SignInKind::DeviceCode), &[], None);
        assert_eq!(asked, Err("sign-in `device-code` needs `client-id`".into()));
        let asked = chosen(profile(SignInKind::ManagedIdentity), &SECRET, None);
        assert_eq!(asked, Ok(("managed-identity".into(), false)));
        for kind in [SignInKind::Ntlm, SignInKind::Negotiate] {
            let asked = chosen(profile(kind), &[], None);
            assert_eq!(asked, Err(format!("sign-in `{kind}` needs `user`")));
            let named = SignInKeys {
                user: Some("CONTOSO\\svc".into()),
                ..profile(kind)
            };
            assert_eq!(chosen(named, &[], None), Ok((kind.to_string(), false)));
        }
    }

    #[test]
    fn the_client_of_microsoft_is_used_only_where_it_was_chosen_and_no_other_is_given() {
        let method = |microsoft_app, client_id: Option<&str>, kind| {
            let keys = SignInKeys {
                microsoft_app,
                client_id: client_id.map(str::to_owned),
                ..profile(kind)
            };
            let variable = |_: &str| None;
            let process = ProcessEnvironment {
                variable: &variable,
                path: None,
                state_dir: None,
            };
            match choose(&keys, process).map(|chosen| chosen.method) {
                Ok(SignInMethod::Browser { client_id, .. }) => Ok(client_id),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error.to_string()),
            }
        };
        let browser = SignInKind::Browser;
        assert_eq!(
            method(Some(true), None, browser),
            Ok(MICROSOFT_APP.to_owned())
        );
        let own = method(Some(true), Some(APPLICATION), browser);
        assert_eq!(own, Ok(APPLICATION.to_owned()));
        for chosen in [None, Some(false)] {
            assert!(method(chosen, None, browser).is_err());
        }
        assert!(method(Some(true), None, SignInKind::ClientSecret).is_err());
    }

    #[test]
    fn pipelines_need_their_service_connection() {
        let variables = [
            ("AZURE_CLIENT_ID", APPLICATION),
            ("SYSTEM_OIDCREQUESTURI", "https://x.example"),
            ("SYSTEM_ACCESSTOKEN", "t"),
        ];
        assert!(chosen(profile(SignInKind::Federation), &variables, None).is_err());
        let connected = SignInKeys {
            service_connection: Some("c".into()),
            ..profile(SignInKind::Federation)
        };
        assert!(chosen(connected, &variables, None).is_ok());
    }

    #[test]
    fn an_application_that_entra_cannot_know_is_refused_and_not_repeated() {
        let given = |authority: Option<&str>| SignInKeys {
            client_id: Some("Xb8Q~canary".into()),
            authority: authority.map(str::to_owned),
            ..profile(SignInKind::ClientSecret)
        };
        let why = chosen(given(None), &[], None).unwrap_err();
        assert!(
            why.contains("not a UUID") && !why.contains("canary"),
            "{why}"
        );
        assert!(chosen(given(Some("adfs.contoso.example")), &[], None).is_ok());
    }

    #[test]
    fn a_word_that_is_not_a_sign_in_method_is_refused() {
        let why = chosen(
            SignInKeys::default(),
            &[("SYNCFILTERS_SIGN_IN", "magic")],
            None,
        );
        let why = why.unwrap_err();
        assert!(
            why.starts_with("SYNCFILTERS_SIGN_IN holds no sign-in method; possible: auto, given, "),
            "{why}"
        );
        assert!(!why.contains("magic"), "{why}");
    }

    #[test]
    fn a_sign_in_is_kept_in_the_state_folder_that_was_asked_for() {
        let keys = SignInKeys {
            client_id: Some(APPLICATION.into()),
            keep: Some(KeepKind::File),
            ..profile(SignInKind::Browser)
        };
        let process = ProcessEnvironment {
            variable: &|_| None,
            path: None,
            state_dir: Some(Path::new("/asked/for")),
        };
        let SignInMethod::Browser { keep, .. } = choose(&keys, process).unwrap().method else {
            panic!("another method");
        };
        let expected = Path::new("/asked/for").join(KEPT);
        assert_eq!(keep, TokenStore::File(expected));
    }
}
