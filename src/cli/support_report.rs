//! `doctor --report`: one file for support. It contains no secret, and no value that could be one.

use std::io::Write;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::connect::{Check, NamedEnvironment, config_file, process_environment};
use crate::model::disclosure::{is_domain_name, shown_path};
use crate::report::{ReportError, write_json};
use crate::settings::{SignInKeys, config_path, problems};

use super::error::CliError;
use super::printer::Printer;
use super::support::LastError;

/// Optional parts of a build, and whether this build has them.
const PARTS: [(&str, bool); 4] = [
    ("keyring", cfg!(feature = "keyring")),
    ("on-premises", cfg!(feature = "on-premises")),
    ("pfx", cfg!(feature = "pfx")),
    ("sandbox", cfg!(feature = "sandbox")),
];

/// Variables that have an effect. The report says whether they are set, and not their values.
const VARIABLES: [&str; 18] = [
    "SYNCFILTERS_ACCESS_TOKEN",
    "SYNCFILTERS_CONFIG",
    "SYNCFILTERS_ENVIRONMENT",
    "SYNCFILTERS_SIGN_IN",
    "SYNCFILTERS_STATE_DIR",
    "SYNCFILTERS_URL",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_TENANT_ID",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// Creates the file before there is anything to write. An existing one is not overwritten.
pub(super) fn begin(path: &Path) -> Result<impl Write, CliError> {
    Printer::result_in(Some(path)).map_err(|source| CliError::File {
        name: shown_path(path, "the report"),
        source,
    })
}

/// One environment with its checks, or why it could not be checked.
#[derive(Serialize)]
pub(super) struct ReportedEnvironment {
    name: String,
    url: String,
    named_by: String,
    sign_in: Map<String, Value>,
    checks: Vec<Check>,
    error: Option<String>,
}

impl ReportedEnvironment {
    pub(super) fn new(one: &NamedEnvironment, checks: &[Check], error: Option<String>) -> Self {
        Self {
            name: one.name.clone(),
            url: one.target.environment.to_string(),
            named_by: one.target.named_by.to_string(),
            sign_in: without_secrets(&one.target.sign_in),
            checks: checks.to_vec(),
            error,
        }
    }
}

/// Writes the report; without environments, the reason.
pub(super) fn write(
    out: &mut dyn Write,
    config: Option<&Path>,
    environments: &Result<Vec<ReportedEnvironment>, String>,
    last_error: Option<&LastError>,
) -> Result<(), CliError> {
    let parts: Vec<_> = PARTS
        .into_iter()
        .filter_map(|(part, is_there)| is_there.then_some(part))
        .collect();
    let is_set = |name: &&str| std::env::var_os(name).is_some();
    let variables: Vec<_> = VARIABLES.into_iter().filter(is_set).collect();
    let document = json!({
        "format": 1,
        "time": Timestamp::now().to_string(),
        "version": env!("CARGO_PKG_VERSION"),
        "system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "parts": parts,
        "variables_set": variables,
        "configuration": configuration(config),
        "environments": environments.as_deref().unwrap_or_default(),
        "no_environments_because": environments.as_ref().err(),
        "last_error": last_error,
    });
    write_json(out, &document).map_err(ReportError::from)?;
    out.flush().map_err(CliError::Output)
}

fn configuration(config: Option<&Path>) -> Value {
    let Ok((path, _)) = config_path(config) else {
        return Value::Null;
    };
    let found = match config_file(config) {
        Ok(file) => {
            let wrong = problems(&file, process_environment()).into_iter();
            wrong.map(|problem| problem.what).collect()
        }
        Err(error) => vec![error.to_string()],
    };
    json!({
        "file": shown_path(&path, "the configuration file"),
        "exists": path.exists(),
        "problems": found,
    })
}

/// The settings of the sign-in. A value that is not a known word, an id or a host name may be a secret in the wrong
/// place, so only its key is written.
fn without_secrets(keys: &SignInKeys) -> Map<String, Value> {
    let texts = keys.texts().into_iter().map(|(key, text)| {
        let ours = matches!(key.as_str(), "sign-in" | "keep" | "redirect-port");
        let told = ours || Uuid::try_parse(&text).is_ok() || is_domain_name(&text);
        let value = if told { text } else { "(set)".to_owned() };
        (key, Value::String(value))
    });
    let app = keys
        .microsoft_app
        .map(|on| ("microsoft-app".to_owned(), Value::Bool(on)));
    texts.chain(app).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SignInKind;

    #[test]
    fn of_a_value_that_may_be_a_secret_only_the_key_is_told() {
        let keys = SignInKeys {
            sign_in: Some(SignInKind::ClientSecret),
            tenant: Some("contoso.example".into()),
            client_id: Some("0b2a1c1e-6d1f-4c51-8b86-0f1d2f3a4b5c".into()),
            client_secret_file: Some("Xb8Q~canary".into()),
            user: Some("canary".into()),
            microsoft_app: Some(true),
            ..SignInKeys::default()
        };
        let told = Value::Object(without_secrets(&keys));
        assert!(!told.to_string().contains("canary"), "{told}");
        assert_eq!(told["client-secret-file"], "(set)");
        assert_eq!(told["tenant"], "contoso.example");
        assert_eq!(told["microsoft-app"], true);
    }
}
