//! The answers of `setup` as flags: which are missing, and the command that repeats them.

use crate::model::EnvironmentUrl;
use crate::model::shell::quoted;
use crate::settings::{NewProfile, SignInKeys, SignInKind};

use super::setup_application::needs_application;
use super::shared_args::ConnectionArgs;

/// The flags that are missing where nobody can be asked, all at once. What follows from the address is found out later.
pub(super) fn missing(has_address: bool, keys: &SignInKeys, makes_app: bool) -> Vec<String> {
    let mut missing = Vec::new();
    let mut need = |is_there: bool, flag: &str| {
        if !is_there {
            missing.push(flag.to_owned());
        }
    };
    need(has_address, "--url");
    need(keys.sign_in.is_some(), "--sign-in");
    let Some(kind) = keys.sign_in else {
        return missing;
    };
    let has_client = keys.client_id.is_some() || makes_app;
    match kind {
        SignInKind::Browser | SignInKind::DeviceCode => need(
            has_client || keys.microsoft_app == Some(true),
            "--client-id, --microsoft-app or --create-app",
        ),
        kind if needs_application(kind) => need(has_client, "--client-id or --create-app"),
        _ => {}
    }
    match kind {
        _ if makes_app => {}
        SignInKind::ClientSecret => need(
            keys.client_secret_file.is_some() || keys.client_secret_variable.is_some(),
            "--client-secret-file or --client-secret-variable",
        ),
        SignInKind::Certificate => need(keys.certificate.is_some(), "--certificate"),
        SignInKind::Password | SignInKind::Ntlm | SignInKind::Negotiate => {
            need(keys.user.is_some(), "--account");
            need(
                keys.password_file.is_some() || keys.password_variable.is_some(),
                "--password-file or --password-variable",
            );
        }
        _ => {}
    }
    missing
}

/// The command that gives the same answers without a question.
pub(super) fn repeat_command(
    name: &str,
    url: &EnvironmentUrl,
    new: &NewProfile,
    connection: &ConnectionArgs,
) -> String {
    let mut words = vec!["syncfilters setup".to_owned()];
    let mut flag = |flag: &str, value: &str| words.push(format!("{flag} {}", quoted(value)));
    flag("--url", &url.to_string());
    flag("--name", name);
    for (key, value) in new.sign_in.texts() {
        // `--user` chooses users.
        let key = if key == "user" { "account" } else { &key };
        flag(&format!("--{key}"), &value);
    }
    if let Some(limit) = new.max_changes {
        flag("--max-changes", &limit.to_string());
    }
    if let Some(path) = &connection.config {
        flag("--config", &path.to_string_lossy());
    }
    if new.sign_in.microsoft_app == Some(true) {
        words.push("--microsoft-app".into());
    }
    if new.production == Some(true) {
        words.push("--production".into());
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Cli, Command};
    use crate::settings::KeepKind;
    use clap::Parser;

    fn keys(kind: SignInKind) -> SignInKeys {
        SignInKeys {
            sign_in: Some(kind),
            ..SignInKeys::default()
        }
    }

    #[test]
    fn every_flag_that_is_missing_is_named_at_once() {
        let nothing = SignInKeys::default();
        assert_eq!(missing(false, &nothing, false), ["--url", "--sign-in"]);
        let named = |kind| missing(true, &keys(kind), false);
        assert_eq!(
            named(SignInKind::Browser),
            ["--client-id, --microsoft-app or --create-app"]
        );
        assert_eq!(
            named(SignInKind::ClientSecret),
            [
                "--client-id or --create-app",
                "--client-secret-file or --client-secret-variable"
            ]
        );
        assert_eq!(
            named(SignInKind::Ntlm),
            ["--account", "--password-file or --password-variable"]
        );
        for kind in [
            SignInKind::AzureCli,
            SignInKind::Given,
            SignInKind::ManagedIdentity,
            SignInKind::Auto,
        ] {
            assert!(named(kind).is_empty(), "{kind}");
        }
        let created = missing(true, &keys(SignInKind::Certificate), true);
        assert!(created.is_empty(), "{created:?}");
    }

    #[test]
    fn the_command_that_repeats_the_answers_gives_the_same_ones() {
        let new = NewProfile {
            sign_in: SignInKeys {
                user: Some("CONTOSO\\svc".into()),
                password_variable: Some("PASSWORD".into()),
                authority: Some("adfs.contoso.example".into()),
                client_id: Some("a".into()),
                redirect_port: Some(54_321),
                keep: Some(KeepKind::No),
                ..keys(SignInKind::Password)
            },
            production: Some(true),
            max_changes: Some("10%".parse().unwrap()),
        };
        let url = "https://crm.contoso.example/contoso".parse().unwrap();
        let typed = |args: &[&str]| {
            let Command::Setup(args) = Cli::try_parse_from(args).unwrap().command else {
                panic!("{args:?}");
            };
            args
        };
        let none = typed(&["syncfilters", "setup"]);
        let command = repeat_command("main", &url, &new, &none.connection);
        let command = command.replace('\'', "");
        let args = typed(&command.split(' ').collect::<Vec<_>>());
        let again = args.profile.profile(&args.connection).unwrap();
        assert_eq!(again.sign_in, new.sign_in);
        assert_eq!(again.production, new.production);
        assert_eq!(again.max_changes, new.max_changes);
        assert_eq!(args.name.as_deref(), Some("main"));
        assert_eq!(
            args.connection.url.as_deref(),
            Some("https://crm.contoso.example/contoso")
        );
    }
}
