//! The binary: which way wins, what is said, and what is never said.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use syncfilters::sandbox::{Options, Sandbox, Version};
use tempfile::TempDir;

use crate::fixtures::private;
use crate::imitation::{AD_FS, ENTRA, Imitation, aadsts, token};

pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The binary in this home, with these variables and no others.
    pub(crate) fn command(&self, args: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_syncfilters"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .envs(variables.iter().copied());
        command
    }

    /// A configuration file with one environment.
    fn configure(&self, imitation: &Imitation, keys: &str) {
        let url = &imitation.url;
        self.configure_at(url, &format!("authority = \"{url}\"\n{keys}"));
    }

    pub(crate) fn configure_at(&self, url: &str, keys: &str) {
        let text =
            format!("default-environment = \"it\"\n[environments.it]\nurl = \"{url}\"\n{keys}\n");
        let folder = self.path().join("config/syncfilters");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), text).unwrap();
    }

    /// Runs the binary with a log file. Every secret of these tests is called `canary`: whatever the sign-in method is,
    /// none gets into the log.
    pub(crate) async fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let log = self.path().join("requests.log");
        let mut command = self.command(args, variables);
        command.arg("--log-file").arg(&log);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let logged = std::fs::read_to_string(log).unwrap();
        assert!(logged.contains("the command ends"), "{logged}");
        assert!(!logged.contains("canary"), "{args:?}: {logged}");
        output
    }

    pub(crate) fn everything_written(&self) -> String {
        fn read(folder: &Path, all: &mut String) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    read(&path, all);
                } else {
                    all.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
                }
            }
        }
        let mut all = String::new();
        read(&self.path().join("state"), &mut all);
        all
    }
}

pub(crate) fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

const SECRET: [(&str, &str); 2] = [
    ("AZURE_CLIENT_ID", "app-1"),
    ("AZURE_CLIENT_SECRET", "canary-secret"),
];

#[tokio::test]
async fn what_was_found_and_who_it_is_are_said_before_anything_else() {
    let (home, imitation) = (Home::new(), Imitation::start(ENTRA).await);
    imitation.script("token", &[token("canary-token")]);
    home.configure(&imitation, "");
    let output = home.run(&["whoami", "--format", "json"], &SECRET).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["caller"]["user"], "robot@contoso.example");
    assert_eq!(document["sign_in"]["kind"], "client-secret");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("client secret of application app-1"),
        "{stderr}"
    );
}

#[tokio::test]
async fn a_profile_names_its_way_and_a_flag_counts_more() {
    let (home, imitation) = (Home::new(), Imitation::start(ENTRA).await);
    imitation.script("token", &[token("token-1")]);
    let secret = private(home.path(), "secret", "canary-secret\n");
    let keys = format!(
        "sign-in = \"client-secret\"\nclient-id = \"of-profile\"\nclient-secret-file = \"{}\"",
        secret.display()
    );
    home.configure(&imitation, &keys);
    let output = home.run(&["whoami", "--client-id", "of-flag"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(imitation.seen("token")[0].fields["client_id"], "of-flag");
    let output = home.run(&["whoami", "--sign-in", "device-code"], &[]).await;
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
}

#[tokio::test]
async fn a_secret_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (home, imitation) = (Home::new(), Imitation::start(ENTRA).await);
    let secret = private(home.path(), "secret", "canary-secret\n");
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o644)).unwrap();
    let keys = format!(
        "sign-in = \"client-secret\"\nclient-id = \"a\"\nclient-secret-file = \"{}\"",
        secret.display()
    );
    home.configure(&imitation, &keys);
    let output = home.run(&["whoami"], &[]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("chmod 600"), "{}", said(&output));
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_renewed_once_and_then_the_run_stops() {
    let (home, imitation) = (Home::new(), Imitation::start(ENTRA).await);
    home.configure(&imitation, "");
    imitation.accept(&["token-2"]);
    imitation.script("token", &[token("token-1"), token("token-2")]);
    let output = home.run(&["whoami"], &SECRET).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    imitation.accept(&["another"]);
    imitation.script("token", &[token("token-3")]);
    let asked = imitation.seen("token").len();
    let output = home.run(&["whoami"], &SECRET).await;
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert_eq!(imitation.seen("token").len() - asked, 2);
}

#[tokio::test]
async fn a_refusal_teaches_in_text_and_in_json() {
    let (home, imitation) = (Home::new(), Imitation::start(ENTRA).await);
    home.configure(&imitation, "");
    let refusal = aadsts(
        7_000_222,
        "invalid_client",
        "The client secret keys are expired.",
    );
    imitation.script("token", &[refusal]);
    let output = home.run(&["whoami", "--format", "json"], &SECRET).await;
    assert_eq!(output.status.code(), Some(4));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["error"]["kind"], "sign-in-refused");
    let hint = document["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("expired"), "{hint}");
    assert!(said(&output).contains("correlation-1"));
}

#[tokio::test]
async fn no_secret_is_ever_said_logged_or_kept() {
    let (home, imitation) = (Home::new(), Imitation::start(AD_FS).await);
    let password = private(home.path(), "password", "canary-password\n");
    let keys = format!(
        "sign-in = \"password\"\nclient-id = \"a\"\nuser = \"svc\"\npassword-file = \"{}\"",
        password.display()
    );
    home.configure(&imitation, &keys);
    let refusal = serde_json::json!({"error": "invalid_grant",
        "error_description": "you sent canary-password, which is wrong"});
    let good = serde_json::json!({"access_token": "canary-access", "refresh_token": "canary-refresh",
        "id_token": "canary-id", "token_type": "bearer", "expires_in": "3600"});
    for answer in [(400, refusal), (200, good)] {
        imitation.script("token", &[answer]);
        for command in [
            &["whoami"][..],
            &["doctor"],
            &["list"],
            &["plan", "deactivate"],
        ] {
            for more in [&["-vv"][..], &["-vv", "--format", "json"]] {
                let output = home.run(&[command, more].concat(), &SECRET).await;
                assert!(!said(&output).contains("canary"), "{}", said(&output));
            }
        }
    }
    std::fs::create_dir_all(home.path().join("state")).unwrap();
    assert!(!home.everything_written().contains("canary"));
}

#[tokio::test]
async fn the_statement_of_another_provider_is_never_said() {
    let (home, imitation) = (Home::new(), Imitation::start(ENTRA).await);
    home.configure(&imitation, "");
    let file = private(home.path(), "statement", "canary-statement\n");
    let variables = [
        ("AZURE_CLIENT_ID", "app-1"),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
    ];
    let text = "canary-statement fits no federated credential.";
    for answer in [
        aadsts(700_213, "invalid_client", text),
        token("canary-access"),
    ] {
        imitation.script("token", &[answer]);
        for command in [["whoami", "-vv"], ["doctor", "-vv"]] {
            let output = home.run(&command, &variables).await;
            assert!(!said(&output).contains("canary"), "{}", said(&output));
        }
    }
    let sent = &imitation.seen("token")[0];
    assert_eq!(sent.fields["client_assertion"], "canary-statement");
}

#[tokio::test]
async fn the_doctor_names_the_step_that_fails_and_its_remedy() {
    let (home, imitation) = (Home::new(), Imitation::start(ENTRA).await);
    home.configure(&imitation, "");
    imitation.script(
        "token",
        &[aadsts(
            700_016,
            "unauthorized_client",
            "Application was not found.",
        )],
    );
    let output = home.run(&["doctor", "--format", "json"], &SECRET).await;
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results: Vec<_> = document["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            (
                check["check"].as_str().unwrap(),
                check["result"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        results[..4],
        [
            ("address", "ok"),
            ("where to sign in", "ok"),
            ("token", "failed"),
            ("identity", "skipped")
        ]
    );
    let hint = document["checks"][2]["hint"].as_str().unwrap();
    assert!(hint.contains("client id"), "{hint}");
}

#[tokio::test]
async fn the_doctor_finds_the_sandbox_well_and_writes_nothing() {
    let home = Home::new();
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (before, url) = (sandbox.filters(), sandbox.url());
    let variables = [
        ("SYNCFILTERS_URL", url.as_str()),
        ("SYNCFILTERS_ACCESS_TOKEN", sandbox.token()),
    ];
    let output = home.run(&["doctor", "--format", "json"], &variables).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    for check in document["checks"].as_array().unwrap() {
        let result = check["result"].as_str().unwrap();
        assert!(matches!(result, "ok" | "warning"), "{check}");
        assert_eq!(result == "warning", check["hint"].is_string(), "{check}");
    }
    assert_eq!(named(&document, "privileges")["result"], "ok");
    assert_eq!(named(&document, "impersonation")["result"], "ok");
    assert_eq!(format!("{:?}", sandbox.filters()), format!("{before:?}"));
}

#[tokio::test]
async fn the_doctor_says_which_privilege_the_caller_lacks_and_where_it_belongs() {
    let home = Home::new();
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let people = sandbox.users();
    let person = people
        .iter()
        .find(|user| user.may_write_filters && user.roles == ["Salesperson"]);
    let (url, token) = (sandbox.url(), sandbox.token_of(person.unwrap().id));
    let variables = [
        ("SYNCFILTERS_URL", url.as_str()),
        ("SYNCFILTERS_ACCESS_TOKEN", token.as_str()),
    ];
    let output = home.run(&["doctor", "--format", "json"], &variables).await;
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let check = named(&document, "privileges");
    assert_eq!(check["result"], "failed", "{check}");
    let text = check.to_string();
    assert!(text.contains("prvActOnBehalfOfAnotherUser"), "{check}");
    assert!(!text.contains("prvReadUserQuery"), "{check}");
}

#[tokio::test]
async fn the_doctor_checks_the_privileges_that_the_given_options_need_on_every_version() {
    let home = Home::new();
    for version in [Version::V8_2, Version::V9_2] {
        let options = Options {
            version,
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        let people = sandbox.users();
        let person = people
            .iter()
            .find(|user| user.may_write_filters && user.roles == ["Salesperson"])
            .unwrap();
        let (url, token) = (sandbox.url(), sandbox.token_of(person.id));
        let checked = async |token: &str, more: &[&str]| {
            let variables = [
                ("SYNCFILTERS_URL", url.as_str()),
                ("SYNCFILTERS_ACCESS_TOKEN", token),
            ];
            let args = [&["doctor", "--format", "json"], more].concat();
            let output = home.run(&args, &variables).await;
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            named(&document, "privileges").clone()
        };
        let all = [
            "--impact",
            "--type",
            "contact",
            "--role",
            "Salesperson",
            "--team",
            "Field Sales",
            "--business-unit",
            "Europe",
            "--view",
            "Pilot group",
            "--survey",
            "administrator",
            "--templates",
        ];
        let check = checked(sandbox.token(), &all).await;
        assert_eq!(check["result"], "ok", "{version}: {check}");
        for name in ["prvReadActivity", "prvReadRole", "prvAdminFilter"] {
            assert!(check["found"].as_str().unwrap().contains(name), "{check}");
        }
        let check = checked(&token, &[]).await;
        assert_eq!(check["result"], "failed", "{version}: {check}");
        let text = check.to_string();
        assert!(text.contains("prvActOnBehalfOfAnotherUser"), "{check}");
        assert!(!text.contains("prvWriteQuery"), "{check}");
        let check = checked(&token, &["--templates"]).await;
        assert!(check.to_string().contains("prvWriteQuery"), "{check}");
    }
}

fn named<'a>(document: &'a Value, name: &str) -> &'a Value {
    let mut checks = document["checks"].as_array().unwrap().iter();
    checks.find(|check| check["check"] == name).unwrap()
}

#[tokio::test]
async fn login_needs_a_place_to_keep_and_a_person() {
    let (home, imitation) = (Home::new(), Imitation::start(ENTRA).await);
    home.configure(&imitation, "sign-in = \"browser\"\nclient-id = \"a\"");
    let output = home.run(&["login"], &[]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    home.configure(
        &imitation,
        "sign-in = \"browser\"\nclient-id = \"a\"\nkeep = \"file\"",
    );
    let output = home.run(&["login"], &[]).await;
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let output = home.run(&["logout"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(
        said(&output).contains("no kept sign-in"),
        "{}",
        said(&output)
    );
}

/// No key store runs here, whatever the machine has.
const NO_KEY_STORE: (&str, &str) = ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");

#[tokio::test]
async fn without_a_key_store_a_person_is_asked_and_told_and_a_scheduler_gets_an_error() {
    let (home, imitation) = (Home::new(), Imitation::start(ENTRA).await);
    home.configure(&imitation, "sign-in = \"device-code\"\nclient-id = \"a\"");
    let codes = serde_json::json!({
        "device_code": "device-1", "user_code": "ABC-DEF", "expires_in": 900, "interval": 0,
        "verification_uri": "https://microsoft.com/devicelogin"
    });
    imitation.script("devicecode", &[(200, codes)]);
    let (status, mut good) = token("canary-token");
    good["refresh_token"] = "canary-refresh".into();
    imitation.script("token", &[(status, good)]);
    let args = ["whoami", "--keep", "keyring"];
    let output = home.run(&args, &[NO_KEY_STORE]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("--keep file"), "{}", said(&output));
    let at_terminal = |args: &[&str]| {
        let mut command = home.command(args, &[NO_KEY_STORE, ("TERM", "dumb")]);
        command.stdin(std::process::Stdio::inherit());
        tokio::task::spawn_blocking(move || {
            let mut screen = rexpect::session::spawn_command(command, Some(60_000)).unwrap();
            let shown = screen.exp_eof().unwrap();
            (shown, format!("{:?}", screen.process().wait().unwrap()))
        })
    };
    let (shown, status) = at_terminal(&args).await.unwrap();
    assert!(shown.contains("ABC-DEF"), "{shown}");
    assert!(shown.contains("is not kept for later commands"), "{shown}");
    assert!(shown.contains("robot@contoso.example"), "{shown}");
    assert!(status.contains(", 0)"), "{status}");
    let (shown, status) = at_terminal(&["login", "--keep", "keyring"]).await.unwrap();
    assert!(status.contains(", 2)"), "{status}: {shown}");
    // In a file it is kept, and serves the next command.
    let (shown, status) = at_terminal(&["login", "--keep", "file"]).await.unwrap();
    assert!(status.contains(", 0)"), "{status}: {shown}");
    let output = home.run(&["whoami", "--keep", "file"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let output = home.run(&["logout", "--keep", "file"], &[]).await;
    assert!(said(&output).contains("is forgotten"), "{}", said(&output));
}
