use super::*;
use crate::settings::{KeepKind, SignInKind};
use proptest::prelude::*;

fn editor(text: &str) -> (tempfile::TempDir, ConfigEditor) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    let editor = ConfigEditor::open(&path).unwrap();
    (folder, editor)
}

fn written(editor: &ConfigEditor) -> String {
    editor.save().unwrap();
    std::fs::read_to_string(editor.path()).unwrap()
}

fn browser() -> NewProfile {
    NewProfile {
        sign_in: SignInKeys {
            sign_in: Some(SignInKind::Browser),
            client_id: Some("00000000-0000-0000-0000-000000000001".into()),
            keep: Some(KeepKind::File),
            ..SignInKeys::default()
        },
        ..NewProfile::default()
    }
}

#[test]
fn a_new_file_holds_what_was_set_and_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/config.toml");
    let mut editor = ConfigEditor::open(&path).unwrap();
    let url = "https://contoso.crm4.dynamics.com".parse().unwrap();
    editor.set("contoso", &url, &browser()).unwrap();
    editor.set_default("contoso").unwrap();
    let text = written(&editor);
    assert_eq!(
        text,
        "default-environment = \"contoso\"\n\n[environments.contoso]\n\
         url = \"https://contoso.crm4.dynamics.com\"\nsign-in = \"browser\"\n\
         client-id = \"00000000-0000-0000-0000-000000000001\"\nkeep = \"file\"\n"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_stay_when_the_file_is_changed() {
    let (_folder, mut editor) =
        editor("\u{feff}# Ours.\r\n[environments.a]\r\nurl = \"https://a.example\" # here\r\n");
    let url = "https://b.example".parse().unwrap();
    editor.set("b", &url, &browser()).unwrap();
    editor.set_default("a").unwrap();
    let text = written(&editor);
    assert!(text.starts_with('\u{feff}'), "{text:?}");
    assert_eq!(
        text.matches("\r\n").count(),
        text.matches('\n').count(),
        "{text:?}"
    );
    assert!(text.contains("# here\r\n"), "{text:?}");
    editor.remove("b").unwrap();
    let text = written(&editor);
    assert!(!text.replace("\r\n", "").contains('\n'), "{text:?}");
    assert!(ConfigEditor::open(editor.path()).is_ok());
}

#[test]
fn a_file_that_is_read_only_is_not_replaced() {
    let (_folder, mut editor) = editor("# Ours.\n");
    let url = "https://b.example".parse().unwrap();
    editor.set("b", &url, &browser()).unwrap();
    let mut rights = std::fs::metadata(editor.path()).unwrap().permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(editor.path(), rights).unwrap();
    let why = editor.save().unwrap_err().to_string();
    assert!(why.contains("read-only"), "{why}");
    assert_eq!(std::fs::read_to_string(editor.path()).unwrap(), "# Ours.\n");
}

#[cfg(unix)]
#[test]
fn only_a_regular_file_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("config.toml");
    std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
    let editor = ConfigEditor::open(&link).unwrap();
    assert!(editor.save().is_err());
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    let socket = folder.path().join("socket");
    let editor = ConfigEditor {
        path: socket.clone(),
        document: DocumentMut::new(),
        form: TextForm::default(),
    };
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let error = editor.save().unwrap_err().to_string();
    assert!(error.contains("not a regular file"), "{error}");
    assert!(!std::fs::metadata(&socket).unwrap().is_file());
}

#[test]
fn comments_and_everything_beyond_signing_in_stay() {
    let before = "# Ours.\npace.concurrency = 4 # few\n\n# The big one.\n[environments.contoso]\n\
                  url = 'https://contoso.example/' # as in the browser\n# Agreed in May.\nmax-changes = \"10%\"\n\
                  sign-in = \"client-secret\" # for now\nclient-id = \"a\"\nclient-secret-file = \"s\"\n\
                  production = true\n\n[environments.test]\nurl = \"https://test.example\"\n# The end.\n";
    let (_folder, mut editor) = editor(before);
    let url = "https://CONTOSO.example".parse().unwrap();
    editor.set("contoso", &url, &browser()).unwrap();
    let text = written(&editor);
    for kept in [
        "# Ours.\npace.concurrency = 4 # few\n",
        "# The big one.\n",
        "url = 'https://contoso.example/' # as in the browser\n",
        "# Agreed in May.\nmax-changes = \"10%\"\n",
        "sign-in = \"browser\" # for now\n",
        "production = true\n",
        "# The end.\n",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    assert!(!text.contains("client-secret-file"), "{text}");
}

#[test]
fn an_environment_is_removed_with_the_default_that_named_it() {
    let (_folder, mut editor) = editor(
        "default-environment = \"a\"\n[environments.a]\nurl = \"https://a.example\"\n\
         [environments.b]\nurl = \"https://b.example\"\n",
    );
    let why = editor.remove("c").unwrap_err().to_string();
    assert!(why.starts_with("NAME names an environment"), "{why}");
    assert!(editor.remove("a").unwrap());
    assert!(!editor.remove("b").unwrap());
    let file = editor.file().unwrap();
    assert_eq!(file, ConfigFile::default());
}

#[test]
fn the_head_of_the_file_stays_whatever_is_removed() {
    for text in [
        "# Ours.\ndefault-environment = \"a\" # for now\n[environments.a]\nurl = \"https://a.example\"\n",
        "# Ours.\n\n# The one.\n[environments.a]\nurl = \"https://a.example\"\n",
        "# Ours.\n\ndefault-environment = \"a\"\n\n[environments.a]\nurl = \"https://a.example\"\n",
    ] {
        let (_folder, mut editor) = editor(text);
        editor.remove("a").unwrap();
        let text = written(&editor);
        assert!(text.starts_with("# Ours.\n"), "{text}");
        assert!(
            !text.contains("The one") && !text.contains("default"),
            "{text}"
        );
        assert_eq!(editor.file().unwrap(), ConfigFile::default());
    }
}

#[test]
fn a_name_that_stands_for_another_address_or_is_none_is_refused() {
    let (_folder, mut editor) = editor("[environments.a]\nurl = \"https://a.example\"\n");
    let url = "https://b.example".parse().unwrap();
    let why = editor.set("a", &url, &browser()).unwrap_err();
    assert!(why.to_string().contains("https://a.example"), "{why}");
    for name in ["", "-a", "a b", "a\n", "ä", "a\"", "."] {
        let why = editor.set(name, &url, &browser()).unwrap_err();
        assert!(matches!(why, SettingsError::Name), "{name:?}");
    }
}

#[test]
fn a_name_is_made_of_the_address_and_is_one_that_the_file_takes() {
    let (_folder, editor) = editor(
        "[environments.mine]\nurl = \"https://there.example\"\n[environments.contoso]\nurl = \"https://x.example\"\n",
    );
    for (url, name) in [
        ("https://contoso.crm4.dynamics.com", "contoso-2"),
        ("https://Fabrikam-Test.crm4.dynamics.com", "fabrikam-test"),
        ("https://crm.contoso.example/Sales", "sales"),
        ("https://there.example:443/", "mine"),
        ("http://127.0.0.1:5000", "environment"),
        ("http://localhost:5000", "localhost"),
    ] {
        let url = url.parse().unwrap();
        let made = editor.name_for(&url).unwrap();
        assert_eq!(made, name);
        assert!(check_name(&made).is_ok());
    }
}

#[test]
fn environments_are_found_however_the_file_writes_them() {
    for text in [
        "environments.a.url = \"https://a.example\"\n",
        "environments = { a = { url = \"https://a.example\" } }\n",
        "[environments]\na = { url = \"https://a.example\" } # one\n",
    ] {
        let (_folder, mut editor) = editor(text);
        for name in ["a", "b"] {
            let url = format!("https://{name}.example").parse().unwrap();
            editor.set(name, &url, &browser()).unwrap();
        }
        let file = ConfigFile::parse(&written(&editor)).unwrap();
        for name in ["a", "b"] {
            let sign_in = file.environments[name].sign_in();
            assert_eq!(sign_in, browser().sign_in, "{text}");
        }
    }
}

proptest! {
    #[test]
    fn what_was_set_reads_back_whatever_it_is(
        name in "[a-zA-Z0-9][a-zA-Z0-9._-]{0,12}",
        value in "\\PC{0,20}",
        port in any::<u16>(),
    ) {
        let (_folder, mut editor) = editor("");
        let new = NewProfile {
            sign_in: SignInKeys {
                user: Some(value),
                redirect_port: Some(port),
                microsoft_app: Some(true),
                ..SignInKeys::default()
            },
            production: Some(true),
            max_changes: Some(UserLimit::Percent(7)),
        };
        let url = "https://a.example".parse().unwrap();
        editor.set(&name, &url, &new).unwrap();
        editor.set_default(&name).unwrap();
        let file = ConfigFile::parse(&written(&editor)).unwrap();
        let (default, profile) = file.default_profile().unwrap().unwrap();
        prop_assert_eq!(default, &name);
        prop_assert_eq!(profile.sign_in(), new.sign_in);
        prop_assert!(profile.production);
        prop_assert_eq!(profile.max_changes, Some(UserLimit::Percent(7)));
    }
}
