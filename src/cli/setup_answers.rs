//! The answers of `setup` as flags: the missing ones, and the command that repeats them.

use crate::model::EnvironmentUrl;
use crate::model::shell::quoted;
use crate::settings::{NewProfile, SignInKeys, SignInKind};

use super::environment_args::SetupArgs;
use super::setup_application::needs_application;
use super::shared_args::OutputArgs;

/// The flags that are missing where no user can be asked, all at once. What depends on the address is found out later.
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

/// The command that gives the same answers without questions.
pub(super) fn repeat_command(
    name: &str,
    url: &EnvironmentUrl,
    new: &NewProfile,
    (args, output): (&SetupArgs, &OutputArgs),
) -> String {
    let connection = &args.connection;
    let mut words = vec!["syncfilters setup".to_owned()];
    let mut flag = |flag: &str, value: &str| words.push(format!("{flag} {}", quoted(value)));
    flag("--url", &url.to_string());
    flag("--name", name);
    for (key, value) in new.sign_in.texts() {
        // `--user` selects users.
        let key = if key == "user" { "account" } else { &key };
        flag(&format!("--{key}"), &value);
    }
    if let Some(limit) = new.max_changes {
        flag("--max-changes", &limit.to_string());
    }
    for (name, path) in [
        ("--config", &connection.config),
        ("--state-dir", &output.state_dir),
        ("--log-file", &output.log_file),
    ] {
        if let Some(path) = path {
            flag(name, &path.to_string_lossy());
        }
    }
    for (name, number) in [
        ("--concurrency", connection.concurrency),
        ("--max-requests-per-5m", connection.max_requests_per_5m),
        ("--budget-window", connection.budget_window),
    ] {
        if let Some(number) = number {
            flag(name, &number.to_string());
        }
    }
    if let Some(format) = output.format {
        flag("--format", format.as_str());
    }
    if new.sign_in.microsoft_app == Some(true) {
        words.push("--microsoft-app".into());
    }
    if new.production == Some(true) {
        words.push("--production".into());
    }
    if args.default {
        words.push("--default".into());
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Cli, Command};
    use clap::{CommandFactory, Parser};

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

    fn typed(words: &[String]) -> (Box<SetupArgs>, OutputArgs) {
        let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}: {words:?}"));
        let Command::Setup(args) = cli.command else {
            panic!("{words:?}");
        };
        (args, cli.output)
    }

    /// The values of flags that take no word.
    const VALUES: [(&str, &str); 12] = [
        ("sign-in", "password"),
        ("keep", "no"),
        ("redirect-port", "54321"),
        ("max-changes", "10%"),
        ("concurrency", "2"),
        ("max-requests-per-5m", "100"),
        ("budget-window", "1000"),
        ("format", "json"),
        ("url", "https://crm.contoso.example/contoso"),
        ("account", "CONTOSO\\svc"),
        ("access-token-variable", "TOKEN"),
        ("color", "never"),
    ];

    /// Flags that are not repeated, with the reason.
    const NOT_REPEATED: [(&str, &str); 10] = [
        (
            "create-app",
            "the application is there, and --client-id names it",
        ),
        ("run-az", "the same"),
        ("write-anyway", "the error says what it does"),
        ("environment", "`setup` refuses it"),
        ("no-pager", "`setup` has no long list"),
        ("no-progress", "`setup` shows no progress"),
        ("color", "it is about this terminal"),
        ("verbose", "it is about this terminal"),
        ("quiet", "it is about this terminal"),
        ("help", "nothing is set up with it"),
    ];

    #[test]
    fn every_flag_that_was_given_is_in_the_command_that_repeats_the_answers() {
        let mut command = Cli::command();
        command.build();
        let setup = command.find_subcommand("setup").unwrap().clone();
        let mut checked = 0;
        for argument in setup.get_arguments() {
            let flag = argument.get_long().unwrap();
            if NOT_REPEATED.iter().any(|(it, _)| *it == flag) {
                continue;
            }
            let mut words = vec!["syncfilters".to_owned(), "setup".to_owned()];
            words.push(format!("--{flag}"));
            if argument.get_action().takes_values() {
                let value = VALUES.iter().find(|(it, _)| *it == flag);
                words.push(value.map_or("NAME", |(_, value)| value).to_owned());
            }
            let (args, output) = typed(&words);
            let new = args.profile.profile(&args.connection).unwrap();
            let url = "https://crm.contoso.example/contoso".parse().unwrap();
            let name = args.name.as_deref().unwrap_or("main");
            let command = repeat_command(name, &url, &new, (&args, &output));
            let wanted = words[2..].join(" ");
            assert!(
                command.replace(['\'', '"'], "").contains(&wanted),
                "{wanted}: {command}"
            );
            // It works as printed.
            let again: Vec<_> = command
                .replace(['\'', '"'], "")
                .split(' ')
                .map(str::to_owned)
                .collect();
            let (again, _) = typed(&again);
            assert_eq!(
                again.profile.profile(&again.connection).unwrap().sign_in,
                new.sign_in
            );
            checked += 1;
        }
        assert!(checked > 20, "{checked}");
    }
}
