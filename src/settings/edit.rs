//! Changing the configuration file: what is not changed stays as it was written, comments included.

use std::io::Write;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::model::{EnvironmentUrl, is_same_place};
use crate::plan::UserLimit;

use super::file::read_text;
use super::{ConfigFile, Origin, SettingsError, SignInKeys};

const DEFAULT: &str = "default-environment";
const ENVIRONMENTS: &str = "environments";

/// What is written about an environment.
#[derive(Clone, Debug, Default)]
pub struct NewProfile {
    /// How to sign in. Keys about signing in that are not here are removed.
    pub sign_in: SignInKeys,
    /// Whether its name has to be given before anything is written there; `None` leaves what is there.
    pub production: Option<bool>,
    /// The most users that a plan may change there; `None` leaves what is there.
    pub max_changes: Option<UserLimit>,
}

/// The configuration file while it is changed.
#[derive(Debug)]
pub struct ConfigEditor {
    path: PathBuf,
    document: DocumentMut,
}

impl ConfigEditor {
    /// Reads the file; one that does not exist is begun.
    pub fn open(path: &Path) -> Result<Self, SettingsError> {
        let invalid = |why: String| SettingsError::Invalid {
            path: path.to_owned(),
            why,
        };
        let text = read_text(path)?.unwrap_or_default();
        // Its error says the place and repeats no value.
        ConfigFile::parse(&text).map_err(invalid)?;
        let document = text
            .parse()
            .map_err(|_| invalid("it is not TOML".to_owned()))?;
        Ok(Self {
            path: path.to_owned(),
            document,
        })
    }

    /// Which file it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file says with the changes so far.
    pub fn file(&self) -> Result<ConfigFile, SettingsError> {
        ConfigFile::parse(&self.document.to_string()).map_err(|why| SettingsError::Invalid {
            path: self.path.clone(),
            why,
        })
    }

    /// The name of the environment with this address; where there is none, a free one that is made of the address.
    pub fn name_for(&self, url: &EnvironmentUrl) -> Result<String, SettingsError> {
        let file = self.file()?;
        let is_here = |text: &str| {
            let there = text.parse::<EnvironmentUrl>();
            there.is_ok_and(|there| is_same_place(there.as_url(), url.as_url()))
        };
        let mut all = file.environments.iter();
        if let Some((name, _)) = all.find(|(_, profile)| is_here(&profile.url)) {
            return Ok(name.clone());
        }
        let base = name_of(url);
        let numbered = (2..).map(|n: u32| format!("{base}-{n}"));
        let mut names = std::iter::once(base.clone()).chain(numbered);
        let free = names.find(|name| !file.environments.contains_key(name));
        Ok(free.unwrap_or(base))
    }

    /// Writes an environment, as a new one or over the one of this name. What the file says beyond signing in stays.
    ///
    /// # Errors
    /// Where the name is none that the file takes, or stands for another address.
    pub fn set(
        &mut self,
        name: &str,
        url: &EnvironmentUrl,
        new: &NewProfile,
    ) -> Result<(), SettingsError> {
        check_name(name)?;
        if let Some(there) = self.file()?.environments.get(name) {
            let same = there
                .url
                .parse::<EnvironmentUrl>()
                .is_ok_and(|there| is_same_place(there.as_url(), url.as_url()));
            if !same {
                return Err(SettingsError::NameTaken {
                    name: name.to_owned(),
                    url: there
                        .url
                        .parse::<EnvironmentUrl>()
                        .map_or_else(|_| "which is invalid".to_owned(), |url| url.to_string()),
                });
            }
        }
        let table = self.profile_mut(name)?;
        if table.get("url").is_none() {
            table.insert("url", toml_edit::value(url.to_string()));
        }
        let entries = new.sign_in.entries();
        for key in SignInKeys::names() {
            if !entries.iter().any(|(kept, _)| *kept == key) {
                table.remove(&key);
            }
        }
        for (key, value) in entries {
            set(table, &key, value);
        }
        if let Some(production) = new.production {
            set(table, "production", production.into());
        }
        match new.max_changes {
            Some(UserLimit::Users(users)) => {
                let users = i64::try_from(users).unwrap_or(i64::MAX);
                set(table, "max-changes", users.into());
            }
            Some(share) => set(table, "max-changes", share.to_string().into()),
            None => {}
        }
        Ok(())
    }

    /// Removes an environment. Where it was the default, there is none afterwards; the answer says so.
    ///
    /// # Errors
    /// Where there is no such environment.
    pub fn remove(&mut self, name: &str) -> Result<bool, SettingsError> {
        let file = self.file()?;
        file.profile(name, &Origin::Argument("NAME"))?;
        let before = self.document.to_string();
        if let Some(all) = self.environments_mut() {
            all.remove(name);
        }
        let was_default = file.default_environment.as_deref() == Some(name);
        let mut text = self.document.to_string();
        if was_default {
            text = without_line(&text, DEFAULT).unwrap_or(text);
        }
        // What stands at the head of the file is about the file, whatever comes first in it.
        let head = head(&before);
        if !text.starts_with(head) {
            text.insert_str(0, head);
        }
        self.document = text.parse().map_err(|_| SettingsError::Invalid {
            path: self.path.clone(),
            why: "it would not be TOML any more".to_owned(),
        })?;
        Ok(was_default)
    }

    /// Makes an environment the one that is meant where none is named.
    ///
    /// # Errors
    /// Where there is no such environment.
    pub fn set_default(&mut self, name: &str) -> Result<(), SettingsError> {
        self.file()?.profile(name, &Origin::Argument("NAME"))?;
        set(self.document.as_table_mut(), DEFAULT, name.into());
        Ok(())
    }

    /// Writes the file whole, or leaves it as it was. Its rights stay; a new file is private.
    pub fn save(&self) -> Result<(), SettingsError> {
        self.file()?;
        self.write().map_err(|source| SettingsError::Unwritable {
            path: self.path.clone(),
            source,
        })
    }

    fn write(&self) -> std::io::Result<()> {
        // Where the file is a link, what it leads to is changed.
        let path = match std::fs::canonicalize(&self.path) {
            Ok(path) => path,
            // A link that leads nowhere would be replaced by a file.
            Err(error) if std::fs::symlink_metadata(&self.path).is_ok() => return Err(error),
            Err(_) => self.path.clone(),
        };
        // The draft takes the place of whatever is there, a device too.
        if std::fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
            return Err(std::io::Error::other("it is no regular file"));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(folder)?;
        let mut draft = tempfile::Builder::new()
            .prefix(".config-")
            .tempfile_in(folder)?;
        draft.write_all(self.document.to_string().as_bytes())?;
        draft.as_file().sync_all()?;
        if let Ok(before) = std::fs::metadata(&path) {
            draft.as_file().set_permissions(before.permissions())?;
        }
        draft.persist(&path)?;
        Ok(())
    }

    fn environments_mut(&mut self) -> Option<&mut dyn TableLike> {
        self.document.get_mut(ENVIRONMENTS)?.as_table_like_mut()
    }

    fn profile_mut(&mut self, name: &str) -> Result<&mut dyn TableLike, SettingsError> {
        // The file was read as one, so that only a fault of ours leads here.
        let no_table = || SettingsError::Invalid {
            path: PathBuf::new(),
            why: "`environments` is not a table of tables".to_owned(),
        };
        if self.document.get(ENVIRONMENTS).is_none() {
            let mut all = Table::new();
            // Its entries have heads of their own.
            all.set_implicit(true);
            self.document.insert(ENVIRONMENTS, Item::Table(all));
        }
        let all = self.environments_mut().ok_or_else(no_table)?;
        if all.get(name).is_none() {
            let mut table = Table::new();
            if !all.is_empty() {
                table.decor_mut().set_prefix("\n");
            }
            all.insert(name, Item::Table(table));
        }
        all.get_mut(name)
            .and_then(Item::as_table_like_mut)
            .ok_or_else(no_table)
    }
}

/// The comment at the head of a file, with the blank line that ends it; nothing where it is about what follows.
fn head(text: &str) -> &str {
    let end = text.find("\n\n").map_or(0, |at| at + 2);
    let head = &text[..end];
    let is_comment = |line: &str| line.trim().is_empty() || line.starts_with('#');
    if head.lines().all(is_comment) {
        head
    } else {
        ""
    }
}

/// The text without the line of a key at the top level. The comments above it stay.
fn without_line(text: &str, key: &str) -> Option<String> {
    let document = toml_edit::Document::parse(text).ok()?;
    let (key, value) = document.as_table().get_key_value(key)?;
    let (begin, end) = (key.span()?.start, value.span()?.end);
    let begin = text[..begin].rfind('\n').map_or(0, |at| at + 1);
    let end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    Some(format!("{}{}", &text[..begin], &text[end..]))
}

/// A name made of an address: the organisation's, which is the path on-premises and the first part of the host online.
fn name_of(url: &EnvironmentUrl) -> String {
    let url = url.as_url();
    let path = url.path().trim_matches('/').rsplit('/').next();
    let host = url.domain().and_then(|host| host.split('.').next());
    let text = path.filter(|path| !path.is_empty()).or(host);
    let good = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let name: String = text.unwrap_or_default().chars().filter(good).collect();
    let name = name.trim_start_matches('-').to_ascii_lowercase();
    if name.is_empty() {
        "environment".to_owned()
    } else {
        name
    }
}

/// Sets a value. What stands around the one that was there stays: blanks and comments.
fn set(table: &mut dyn TableLike, key: &str, mut value: Value) {
    if let Some(Item::Value(there)) = table.get_mut(key) {
        *value.decor_mut() = there.decor().clone();
        *there = value;
    } else {
        table.insert(key, Item::Value(value));
    }
}

/// A name that needs no quotes, in the file and in a shell, and that is no option.
pub fn check_name(name: &str) -> Result<(), SettingsError> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let begins = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric());
    if begins && name.bytes().all(good) {
        Ok(())
    } else {
        Err(SettingsError::Name)
    }
}

#[cfg(test)]
mod tests {
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
        };
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let error = editor.save().unwrap_err().to_string();
        assert!(error.contains("no regular file"), "{error}");
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
}
