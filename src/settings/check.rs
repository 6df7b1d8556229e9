//! Finds mistakes in a configuration file that can be read. Sends nothing to any server.

use std::path::Path;

use serde::Serialize;

use crate::model::EnvironmentUrl;
use crate::model::disclosure::named_path;

use super::{
    ChoiceError, ConfigFile, ProcessEnvironment, Profile, SignInKeys, SignInKind,
    check_microsoft_app, choose,
};

/// A mistake and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingsProblem {
    /// The environment; `None` for the file as a whole.
    pub environment: Option<String>,
    /// The mistake. It contains no value of the file, which may be a secret in the wrong place.
    pub what: String,
}

/// All mistakes in a file. Variables are ignored, except where a method always reads them.
pub fn problems(file: &ConfigFile, process: ProcessEnvironment<'_>) -> Vec<SettingsProblem> {
    let mut problems = Vec::new();
    if let Err(error) = file.default_profile() {
        problems.push(SettingsProblem {
            environment: None,
            what: error.to_string(),
        });
    }
    for (name, profile) in &file.environments {
        let found = of_profile(profile, process);
        problems.extend(found.into_iter().map(|what| SettingsProblem {
            environment: Some(name.clone()),
            what,
        }));
    }
    problems
}

fn of_profile(profile: &Profile, process: ProcessEnvironment<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let url = profile.url.parse::<EnvironmentUrl>();
    if let Err(error) = &url {
        wrong.push(format!("`url`: {error}"));
    }
    let keys = profile.sign_in();
    match choose(&keys, process) {
        Ok(chosen) => {
            let checked = url.map(|url| check_microsoft_app(&chosen.method, &url));
            if let Ok(Err(error)) = checked {
                wrong.push(error.to_string());
            }
        }
        // The program or credential may exist on the machine where the file is used.
        Err(ChoiceError::SignIn(_)) => {}
        Err(ChoiceError::Settings(_)) if is_by_a_tool(keys.sign_in) => {}
        Err(ChoiceError::Settings(error)) => wrong.push(error.to_string()),
    }
    wrong.extend(missing_files(&keys));
    wrong
}

/// Whether a program signs in, which needs no key.
fn is_by_a_tool(kind: Option<SignInKind>) -> bool {
    matches!(
        kind,
        Some(SignInKind::AzureCli | SignInKind::AzureDeveloperCli)
    )
}

/// Files that the keys name and that do not exist.
fn missing_files(keys: &SignInKeys) -> Vec<String> {
    [
        ("client-secret-file", &keys.client_secret_file),
        ("certificate", &keys.certificate),
        ("certificate-password-file", &keys.certificate_password_file),
        ("federated-token-file", &keys.federated_token_file),
        ("password-file", &keys.password_file),
    ]
    .into_iter()
    .filter_map(|(key, path)| {
        let path = Path::new(path.as_deref().filter(|path| *path != "-")?);
        (!path.is_file()).then(|| format!("`{key}`: {} is not there", named_path("the file", path)))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Option<String>, String)> {
        let variable = |_: &str| None;
        let process = ProcessEnvironment {
            variable: &variable,
            path: None,
            state_dir: None,
        };
        let file = ConfigFile::parse(text).unwrap();
        let problems = problems(&file, process).into_iter();
        problems.map(|it| (it.environment, it.what)).collect()
    }

    #[test]
    fn every_problem_of_a_file_is_found_at_once_and_no_value_is_repeated() {
        let found = found(
            "default-environment = \"canary\"\n\
             [environments.a]\nurl = \"ftp://canary\"\n\
             [environments.b]\nurl = \"https://b.example\"\nsign-in = \"browser\"\n\
             [environments.c]\nurl = \"https://c.example\"\nsign-in = \"certificate\"\n\
             client-id = \"00000000-0000-0000-0000-000000000001\"\ncertificate = \"/no/such/canary\"\n\
             [environments.d]\nurl = \"https://d.example\"\nsign-in = \"browser\"\nmicrosoft-app = true\n\
             [environments.good]\nurl = \"https://good.example\"\n",
        );
        let expected = [
            (None, "`default-environment`"),
            (Some("a"), "`url`: "),
            (Some("b"), "needs `client-id`"),
            (Some("c"), "`certificate`: "),
            (Some("d"), "commercial cloud"),
        ];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((environment, what), (expected, part)) in found.iter().zip(expected) {
            assert_eq!(environment.as_deref(), expected);
            assert!(what.contains(part), "{what}");
            assert!(!what.contains("canary"), "{what}");
        }
    }

    #[test]
    fn a_file_as_the_documentation_has_it_has_no_problem() {
        let text = include_str!("../../config/online-person.toml");
        assert_eq!(found(text), []);
    }
}
