//! A secret in the wrong place: whatever key, variable or flag it was given as, and however it looks, nothing repeats
//! it, on the screen or in a document.

use std::process::Command;

use crate::world::{Ended, bare};

/// Secrets as they look: of Entra ID, of capitals, with dots, a long one, with slashes, and a word.
const LOOKS: [&str; 7] = [
    "Xb8Q~Canary.4711-abcdefghijklmnopqrstuv",
    "CANARY4711ABCDEF",
    "Can.ary.Canary.4711",
    "CanaryCanaryCanaryCanaryCanaryCanaryCanaryCanaryCanaryCanaryCanaryCanary",
    "Can/Canary+4711/Canary==",
    "/Canary4711",
    "correct-canary-staple",
];

const COMMANDS: [&[&str]; 7] = [
    &["whoami"],
    &["doctor"],
    &["list"],
    &["login"],
    &["logout"],
    &["environments"],
    &["plan", "deactivate"],
];

/// Nobody listens there, so that what gets as far as a request ends soon.
const URL: &str = "http://127.0.0.1:1";

fn assert_kept(command: &mut Command, secret: &str) {
    let ended = Ended::from(command.output().unwrap());
    let all = format!("{}{}", ended.stdout, ended.stderr);
    // A line of the log begins with its time, in which any four digits stand now and then.
    let is_time = |word: &&str| word.starts_with("20") && word.ends_with('z');
    let all = all.to_lowercase();
    let all: Vec<_> = all
        .split_whitespace()
        .filter(|word| !is_time(word))
        .collect();
    let all = all.join(" ");
    assert!(
        !all.contains("canary") && !all.contains("4711"),
        "{command:?} prints {secret}:\n{all}"
    );
}

fn keeps(home: &tempfile::TempDir, args: &[&str], secret: &str, set: &dyn Fn(&mut Command)) {
    let log = home.path().join("requests.log");
    for (format, verbose) in [("table", None), ("json", Some("-vv"))] {
        let mut command = bare(home, args);
        command.args(["--format", format]).args(verbose);
        command.arg("--log-file").arg(&log);
        set(&mut command);
        assert_kept(&mut command, secret);
    }
    // There is none where the command line itself was refused.
    let logged = std::fs::read_to_string(&log).unwrap_or_default();
    // Each line begins with its time, in which any four digits stand now and then.
    let after_time = |line: &str| line.split_once("\",").map(|(_, rest)| rest.to_lowercase());
    let logged: String = logged.lines().filter_map(after_time).collect();
    assert!(
        !logged.contains("canary") && !logged.contains("4711"),
        "{args:?} logs {secret}:\n{logged}"
    );
    // A log is read once for each of some thousand commands.
    let _ = std::fs::remove_file(log);
}

/// Every key of a profile, with what makes it count.
const KEYS: [(&str, &str); 19] = [
    ("sign-in", ""),
    ("tenant", "sign-in = \"azure-cli\""),
    (
        "tenant",
        "sign-in = \"client-secret\"\nclient-id = \"00000000-0000-0000-0000-000000000001\"\nclient-secret-variable = \"PATH\"",
    ),
    (
        "client-id",
        "sign-in = \"client-secret\"\nclient-secret-variable = \"PATH\"",
    ),
    ("client-id", "sign-in = \"device-code\""),
    ("access-token-variable", ""),
    (
        "client-secret-variable",
        "sign-in = \"client-secret\"\nclient-id = \"00000000-0000-0000-0000-000000000001\"",
    ),
    (
        "client-secret-file",
        "sign-in = \"client-secret\"\nclient-id = \"00000000-0000-0000-0000-000000000001\"",
    ),
    (
        "certificate",
        "sign-in = \"certificate\"\nclient-id = \"00000000-0000-0000-0000-000000000001\"",
    ),
    (
        "certificate-password-variable",
        "sign-in = \"certificate\"\ncertificate = \"/etc/hostname\"\nclient-id = \"00000000-0000-0000-0000-000000000001\"",
    ),
    (
        "certificate-password-file",
        "sign-in = \"certificate\"\ncertificate = \"/etc/hostname\"\nclient-id = \"00000000-0000-0000-0000-000000000001\"",
    ),
    (
        "federated-token-file",
        "sign-in = \"federation\"\nclient-id = \"00000000-0000-0000-0000-000000000001\"",
    ),
    ("user", "sign-in = \"ntlm\"\npassword-variable = \"PATH\""),
    (
        "password-variable",
        "sign-in = \"negotiate\"\nuser = \"CONTOSO\\\\svc\"",
    ),
    (
        "password-file",
        "sign-in = \"ntlm\"\nuser = \"CONTOSO\\\\svc\"",
    ),
    ("authority", "sign-in = \"device-code\"\nclient-id = \"a\""),
    ("keep", "sign-in = \"device-code\"\nclient-id = \"a\""),
    ("organization", ""),
    ("max-changes", ""),
];

#[test]
fn a_secret_as_the_value_of_any_key_of_the_configuration_is_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config.toml");
    for (of_look, secret) in LOOKS.into_iter().enumerate() {
        let mut texts: Vec<_> = KEYS
            .iter()
            .map(|(key, rest)| {
                format!("default-environment = \"it\"\n[environments.it]\nurl = \"{URL}\"\n{key} = \"{secret}\"\n{rest}\n")
            })
            .collect();
        let it = "default-environment = \"it\"\n[environments.it]\n";
        for url in [
            secret.to_owned(),
            format!("https://me:{secret}@contoso.example"),
            format!("https://{secret}@127.0.0.1:1"),
            format!("http://contoso.example/{secret}?{secret}#{secret}"),
            format!("{URL}/?code={secret}#{secret}"),
            format!("ftp://{secret}/{secret}"),
            format!("https://a b{secret}"),
        ] {
            texts.push(format!("{it}url = \"{url}\"\n"));
        }
        texts.push(format!(
            "default-environment = \"{secret}\"\n[environments.it]\nurl = \"{URL}\"\n"
        ));
        texts.push(format!("default-environment = \"{secret}\"\n"));
        for table in ["", "[pace]\n", it] {
            texts.push(format!("{table}\"{secret}\" = 1\n"));
            texts.push(format!("{table}\"client-secret-{secret}\" = 1\n"));
            texts.push(format!("{table}{secret} = 1\n"));
            texts.push(format!("{table}pace = {secret}\n"));
            texts.push(format!("{table}pace = \"{secret}\"\n"));
            texts.push(format!("{table}concurrency = \"{secret}\"\n"));
        }
        texts.push(format!("{secret}\n"));
        // Every command reads the file alike: each text meets one of them, and each command every kind of text.
        for (at, text) in texts.iter().enumerate() {
            std::fs::write(&path, text).unwrap();
            let command = COMMANDS[(at + of_look) % COMMANDS.len()];
            for format in ["table", "json"] {
                let mut args = command.to_vec();
                args.extend(["--format", format, "--config", path.to_str().unwrap(), "-q"]);
                assert_kept(&mut bare(&home, &args), text);
            }
        }
    }
}

#[test]
fn a_secret_in_any_variable_is_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    for secret in LOOKS {
        for variable in [
            "SYNCFILTERS_URL",
            "SYNCFILTERS_ENVIRONMENT",
            "SYNCFILTERS_SIGN_IN",
            "SYNCFILTERS_ACCESS_TOKEN",
            "AZURE_TENANT_ID",
            "AZURE_CLIENT_ID",
            "AZURE_CLIENT_SECRET",
            "AZURE_CLIENT_CERTIFICATE_PATH",
            "AZURE_CLIENT_CERTIFICATE_PASSWORD",
            "AZURE_FEDERATED_TOKEN_FILE",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "HTTPS_PROXY",
            "SYNCFILTERS_CONFIG",
        ] {
            keeps(&home, &["whoami"], secret, &|command| {
                command
                    .env("SYNCFILTERS_URL", URL)
                    .env("AZURE_TENANT_ID", "contoso.example")
                    .env("AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000001");
                if variable != "AZURE_CLIENT_SECRET" {
                    command.env("AZURE_CLIENT_CERTIFICATE_PATH", "/etc/hostname");
                }
                command.env(variable, secret);
            });
        }
    }
}

/// The options that take a number, a list of numbers, a word, a time, a digest or an id, with a command that has them.
const VALUES: [(&[&str], &str); 19] = [
    (&["list"], "--concurrency"),
    (&["list"], "--max-requests-per-5m"),
    (&["list"], "--environments-at-once"),
    (&["list"], "--kind"),
    (&["list"], "--survey"),
    (&["list"], "--format"),
    (&["list"], "--color"),
    (&["deactivate"], "--max-changes"),
    (&["deactivate"], "--stop-after-failures"),
    (&["deactivate"], "--wave"),
    (&["deactivate"], "--wave-pause"),
    (&["apply", "3f2a9c"], "--expect"),
    (&["templates", "list"], "--only"),
    (&["environments", "discover"], "--cloud"),
    (&["demo"], "--users"),
    (&["sandbox"], "--port"),
    (&["sandbox"], "--server-version"),
    (&["sandbox"], "--fault"),
    (&["sandbox"], "--switch"),
];

#[test]
fn a_secret_as_the_value_of_an_option_that_takes_another_is_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    for secret in LOOKS {
        for (command, option) in VALUES {
            for joined in [false, true] {
                let value = format!("{option}={secret}");
                let given = if joined {
                    vec![value.as_str()]
                } else {
                    vec![option, secret]
                };
                let args = [command, &given].concat();
                let mut command = bare(&home, &args);
                assert_kept(command.env("SYNCFILTERS_URL", URL), secret);
            }
        }
        // An option that takes no value, and a word where another is to stand.
        for args in [
            vec!["deactivate".to_owned(), format!("--yes={secret}")],
            vec!["plan".to_owned(), secret.to_owned()],
            vec!["check".to_owned(), secret.to_owned()],
            vec!["completions".to_owned(), secret.to_owned()],
        ] {
            let args: Vec<_> = args.iter().map(String::as_str).collect();
            assert_kept(&mut bare(&home, &args), secret);
        }
    }
}

#[test]
fn a_secret_in_the_place_of_a_file_or_a_run_is_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    for secret in LOOKS {
        for (args, option) in [
            (&["list"][..], "--config"),
            (&["list"], "--users-from"),
            (&["list"], "--exclude-from"),
            (&["plan", "deactivate"], "--other-engine"),
            (&["report", "3f2a9c"], "--state-dir"),
        ] {
            let args = [args, &[option, secret]].concat();
            keeps(&home, &args, secret, &|command| {
                command
                    .env("SYNCFILTERS_URL", URL)
                    .env("SYNCFILTERS_ACCESS_TOKEN", "x");
            });
        }
        for command in ["report", "resume", "undo", "apply"] {
            keeps(&home, &[command, secret], secret, &|command| {
                command.env("SYNCFILTERS_URL", URL);
            });
        }
    }
}

/// The name of a host is asked for at the proxy alone; a word that is a host by itself is not one.
#[test]
fn a_secret_in_the_place_of_a_proxy_is_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    for secret in LOOKS {
        keeps(&home, &["whoami"], secret, &|command| {
            command
                .env("SYNCFILTERS_URL", "https://contoso.example")
                .env("SYNCFILTERS_ACCESS_TOKEN", "x")
                .env("HTTPS_PROXY", secret);
        });
    }
}

#[test]
fn a_secret_given_as_a_flag_or_a_word_is_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    for secret in LOOKS {
        for flag in [
            "--url",
            "--environment",
            "--sign-in",
            "--tenant",
            "--client-id",
        ] {
            keeps(&home, &["whoami", flag, secret], secret, &|command| {
                if flag != "--url" && flag != "--environment" {
                    command.env("SYNCFILTERS_URL", URL);
                }
                if flag != "--client-id" {
                    command.env("AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000001");
                }
                command.env("AZURE_CLIENT_SECRET", "x");
            });
        }
        for url in [
            format!("https://me:{secret}@contoso.example"),
            format!("http://contoso.example/?code={secret}"),
            format!("{URL}/main.aspx?code={secret}#{secret}"),
            format!("ftp://contoso.example/{secret}"),
        ] {
            keeps(&home, &["whoami", "--url", &url], secret, &|command| {
                command.env("SYNCFILTERS_ACCESS_TOKEN", "x");
            });
        }
        if secret.starts_with('/') {
            continue;
        }
        keeps(&home, &["login", secret], secret, &|_| ());
        keeps(&home, &[secret], secret, &|_| ());
        let flag = format!("--client-secret={secret}");
        keeps(&home, &["login", &flag], secret, &|_| ());
    }
}
