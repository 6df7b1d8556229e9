//! The configuration file, changed and checked from the command line.

use std::path::PathBuf;

use crate::world::{Ended, World, bare};

struct Home(tempfile::TempDir);

impl Home {
    fn with(text: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        if !text.is_empty() {
            std::fs::create_dir_all(home.path().parent().unwrap()).unwrap();
            std::fs::write(home.path(), text).unwrap();
        }
        home
    }

    fn path(&self) -> PathBuf {
        self.0.path().join(".config/syncfilters/config.toml")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    fn run(&self, args: &[&str]) -> Ended {
        Ended::from(bare(&self.0, args).output().unwrap())
    }
}

#[test]
fn environments_are_added_chosen_and_removed_and_comments_stay() {
    let home = Home::with("");
    let add = |name: &str, url: &str| {
        home.run(&[
            "environments",
            "add",
            name,
            "--url",
            url,
            "--sign-in",
            "azure-cli",
        ])
    };
    let url = "https://contoso.crm4.dynamics.com/main.aspx?appid=1";
    // The Azure CLI may be on another machine.
    let ended = add("contoso", url).must_be(0);
    assert_eq!(
        ended.stdout,
        "contoso  https://contoso.crm4.dynamics.com  azure-cli  (default)\n"
    );
    let text = format!("# Ours.\n{}# The end.\n", home.text());
    std::fs::write(home.path(), text).unwrap();
    add("test", "https://test.crm4.dynamics.com").must_be(0);
    let ended = home.run(&["environments", "default", "test"]).must_be(0);
    assert!(ended.stdout.contains("azure-cli  (default)\n"), "{ended:?}");
    let ended = home
        .run(&["environments", "remove", "test", "--format", "json"])
        .must_be(0);
    assert!(ended.stderr.contains("It was the default"), "{ended:?}");
    assert_eq!(ended.json()["environments"].as_array().unwrap().len(), 1);
    let text = home.text();
    assert!(text.starts_with("# Ours.\n"), "{text}");
    assert!(
        text.contains("# The end.") && !text.contains("test"),
        "{text}"
    );
    for args in [
        &["environments", "remove", "test"][..],
        &["environments", "default", "test"],
        &["environments", "add", "other"],
        &[
            "environments",
            "add",
            "contoso",
            "--url",
            "https://b.example",
        ],
        &["environments", "add", "a b", "--url", "https://b.example"],
        &["environments", "--config", "x.toml", "remove", "contoso"],
    ] {
        home.run(args).must_be(2);
        assert_eq!(home.text(), text, "{args:?}");
    }
}

#[test]
fn an_environment_that_could_not_be_used_is_not_written() {
    let home = Home::with("");
    let url = "https://contoso.example";
    let add = ["environments", "add", "a", "--url", url, "--sign-in"];
    let ended = home.run(&[&add[..], &["browser"]].concat()).must_be(2);
    assert!(ended.stderr.contains("needs `client-id`"), "{ended:?}");
    let ended = home
        .run(&[&add[..], &["browser", "--microsoft-app"]].concat())
        .must_be(2);
    assert!(ended.stderr.contains("commercial cloud"), "{ended:?}");
    assert!(!home.path().exists());
    let cloud = "https://contoso.crm4.dynamics.com";
    let add = ["environments", "add", "a", "--url", cloud];
    let more = ["--sign-in", "browser", "--microsoft-app", "--keep", "file"];
    home.run(&[&add[..], &more].concat()).must_be(0);
    assert!(
        home.text().contains("microsoft-app = true\n"),
        "{}",
        home.text()
    );
}

#[test]
fn the_configuration_is_checked_as_a_whole_and_nothing_is_sent() {
    let good = "default-environment = \"a\"\n[environments.a]\nurl = \"https://a.example\"\n";
    let home = Home::with(good);
    let ended = home.run(&["config", "check"]).must_be(0);
    assert!(ended.stderr.contains("1 environment, the default is `a`"));
    let bad =
        "default-environment = \"b\"\n[environments.a]\nurl = \"canary\"\nsign-in = \"ntlm\"\n";
    let home = Home::with(bad);
    let ended = home
        .run(&["config", "check", "--format", "json"])
        .must_be(2);
    let message = ended.json()["error"]["message"].to_string();
    for part in ["3 problems", "default-environment", "`url`", "`user`"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains("canary"), "{message}");
    let home = Home::with("");
    home.run(&["config", "check"]).must_be(2);
}

#[test]
fn an_environment_that_was_added_is_used_by_its_name() {
    let world = World::with_users(25);
    let url = world.sandbox.url();
    let add = [
        "environments",
        "add",
        "here",
        "--url",
        &url,
        "--access-token-variable",
        "TOKEN",
    ];
    Ended::from(world.bare(&add).output().unwrap()).must_be(0);
    let mut whoami = world.bare(&["whoami", "--environment", "here"]);
    whoami.env("TOKEN", world.sandbox.token());
    Ended::from(whoami.output().unwrap()).must_be(0);
}

#[test]
fn a_check_of_the_configuration_is_one_document_where_that_is_asked_for() {
    let home = Home::with("");
    std::fs::create_dir_all(home.path().parent().unwrap()).unwrap();
    let check = ["config", "check", "--format"];
    let good = "default-environment = \"a\"\n[environments.a]\nurl = \"https://a.example\"\n";
    std::fs::write(home.path(), good).unwrap();
    let document = home
        .run(&[&check[..], &["json"]].concat())
        .must_be(0)
        .json();
    assert_eq!(document["valid"], true);
    assert_eq!(document["default"], "a");
    assert_eq!(document["environments"][0], "a");
    std::fs::write(home.path(), good.replace("https", "ftp")).unwrap();
    let document = home
        .run(&[&check[..], &["json"]].concat())
        .must_be(2)
        .json();
    assert_eq!(document["valid"], false);
    assert_eq!(document["problems"][0]["environment"], "a");
    let ended = home.run(&[&check[..], &["csv"]].concat()).must_be(2);
    assert!(
        ended.stderr.contains("choose --format table or json"),
        "{ended:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_as_configuration_is_refused_and_not_waited_for() {
    let home = Home::with("");
    let pipe = home.0.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let pipe = pipe.to_str().unwrap();
    let add = [
        "environments",
        "add",
        "a",
        "--url",
        "https://a.example",
        "--config",
        pipe,
    ];
    for args in [&["config", "check", "--config", pipe][..], &add] {
        let ended = home.run(args).must_be(2);
        assert!(ended.stderr.contains("pipe or a device"), "{ended:?}");
    }
}

#[test]
fn an_address_that_is_no_environment_is_refused_by_every_command_alike() {
    let home = Home::with("");
    let url = "https://make.powerapps.com/environments/1/home";
    for args in [
        &[
            "environments",
            "add",
            "a",
            "--url",
            url,
            "--sign-in",
            "azure-cli",
        ][..],
        &["setup", "--url", url, "--sign-in", "azure-cli"],
        &["list", "--url", url],
    ] {
        let ended = home.run(args).must_be(2);
        assert!(
            ended.stderr.contains("Power Apps")
                && ended.stderr.contains("https://contoso.crm4.dynamics.com"),
            "{ended:?}"
        );
    }
    assert!(!home.path().exists());
    let quoted = "\"https://contoso.crm4.dynamics.com/apps/sales/main.aspx\"";
    let ended = home
        .run(&[
            "environments",
            "add",
            "a",
            "--url",
            quoted,
            "--sign-in",
            "azure-cli",
        ])
        .must_be(0);
    assert!(
        ended
            .stdout
            .contains("a  https://contoso.crm4.dynamics.com  "),
        "{ended:?}"
    );
}
