//! Changes the configuration file and keeps everything else as it was written, comments included.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::bounded_file::check_regular;
use crate::model::{EnvironmentUrl, is_same_place};
use crate::plan::UserLimit;
use crate::private_file::{make_folder, private};

use super::file::read_text;
use super::text_form::TextForm;
use super::{ConfigFile, Origin, SettingsError, SignInKeys};

const DEFAULT: &str = "default-environment";
const ENVIRONMENTS: &str = "environments";

/// The values of an environment to write.
#[derive(Clone, Debug, Default)]
pub struct NewProfile {
    /// How to sign in. Other keys about signing in are removed.
    pub sign_in: SignInKeys,
    /// Whether its name has to be confirmed before writes; `None` keeps the present value.
    pub production: Option<bool>,
    /// The most users that a plan may change there; `None` keeps the present value.
    pub max_changes: Option<UserLimit>,
}

/// A configuration file with changes that are not saved yet.
#[derive(Debug)]
pub struct ConfigEditor {
    path: PathBuf,
    document: DocumentMut,
    form: TextForm,
}

impl ConfigEditor {
    /// Reads the file. If it does not exist, starts an empty one.
    pub fn open(path: &Path) -> Result<Self, SettingsError> {
        let invalid = |why: String| SettingsError::Invalid {
            path: path.to_owned(),
            why,
        };
        let (text, form) = read_text(path)?.unwrap_or_default();
        // Its error names the position and contains no value.
        ConfigFile::parse(&text).map_err(invalid)?;
        let document = text
            .parse()
            .map_err(|_| invalid("it is not TOML".to_owned()))?;
        Ok(Self {
            path: path.to_owned(),
            document,
            form,
        })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's contents with the changes so far.
    pub fn file(&self) -> Result<ConfigFile, SettingsError> {
        ConfigFile::parse(&self.document.to_string()).map_err(|why| SettingsError::Invalid {
            path: self.path.clone(),
            why,
        })
    }

    /// The name of the environment with this address; else a free name made from the address.
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

    /// Refuses a name that is not allowed, or that belongs to another address.
    pub fn check_is_free(&self, name: &str, url: &EnvironmentUrl) -> Result<(), SettingsError> {
        check_name(name)?;
        let file = self.file()?;
        let Some(there) = file.environments.get(name) else {
            return Ok(());
        };
        let there = there.url.parse::<EnvironmentUrl>();
        match there {
            Ok(there) if is_same_place(there.as_url(), url.as_url()) => Ok(()),
            there => Err(SettingsError::NameTaken {
                name: name.to_owned(),
                url: there.map_or_else(|_| "which is invalid".to_owned(), |url| url.to_string()),
            }),
        }
    }

    /// Writes an environment: a new one, or in place of the one with this name. Keys that are not about signing in
    /// stay.
    ///
    /// # Errors
    /// Where the name is not allowed, or belongs to another address.
    pub fn set(
        &mut self,
        name: &str,
        url: &EnvironmentUrl,
        new: &NewProfile,
    ) -> Result<(), SettingsError> {
        self.check_is_free(name, url)?;
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

    /// Removes an environment. Returns whether it was the default, which is then removed as well.
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
        // A comment at the start of the file is about the file, whatever comes first in it.
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

    /// Makes an environment the default.
    ///
    /// # Errors
    /// Where there is no such environment.
    pub fn set_default(&mut self, name: &str) -> Result<(), SettingsError> {
        self.file()?.profile(name, &Origin::Argument("NAME"))?;
        set(self.document.as_table_mut(), DEFAULT, name.into());
        Ok(())
    }

    /// Refuses a file that cannot be changed.
    pub fn check_writable(&self) -> Result<(), SettingsError> {
        self.place()
            .map(drop)
            .map_err(|source| self.unwritable(source))
    }

    fn unwritable(&self, source: std::io::Error) -> SettingsError {
        SettingsError::Unwritable {
            path: self.path.clone(),
            source,
        }
    }

    /// The file to replace, with its metadata where it exists.
    fn place(&self) -> std::io::Result<(PathBuf, Option<std::fs::Metadata>)> {
        // Where the file is a link, its target is changed.
        let path = match std::fs::canonicalize(&self.path) {
            Ok(path) => path,
            // A dangling link would be replaced by a file.
            Err(error) if std::fs::symlink_metadata(&self.path).is_ok() => return Err(error),
            Err(_) => self.path.clone(),
        };
        // The draft replaces anything that is there, even a device.
        let before = std::fs::metadata(&path).ok();
        if let Some(before) = &before {
            check_regular(before)?;
            check_writable(&path, before)?;
        }
        Ok((path, before))
    }

    /// Writes the whole file, or leaves it as it was. Its permissions stay; a new file is private.
    pub fn save(&self) -> Result<(), SettingsError> {
        self.file()?;
        self.write().map_err(|source| self.unwritable(source))
    }

    fn write(&self) -> std::io::Result<()> {
        let (path, before) = self.place()?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        make_folder(folder)?;
        let mut draft = tempfile::Builder::new()
            .prefix(".config-")
            .tempfile_in(folder)?;
        draft.write_all(&self.form.bytes(&self.document.to_string()))?;
        draft.as_file().sync_all()?;
        if let Some(before) = before {
            draft.as_file().set_permissions(before.permissions())?;
        }
        draft.persist(&path)?;
        Ok(())
    }

    fn environments_mut(&mut self) -> Option<&mut dyn TableLike> {
        self.document.get_mut(ENVIRONMENTS)?.as_table_like_mut()
    }

    fn profile_mut(&mut self, name: &str) -> Result<&mut dyn TableLike, SettingsError> {
        // The file was read as one before, so only a defect of this program leads here.
        let no_table = || SettingsError::Invalid {
            path: PathBuf::new(),
            why: "`environments` is not a table of tables".to_owned(),
        };
        if self.document.get(ENVIRONMENTS).is_none() {
            let mut all = Table::new();
            // Its entries have their own headers.
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

/// Refuses a write-protected file, which the folder would allow to replace.
fn check_writable(path: &Path, about: &std::fs::Metadata) -> std::io::Result<()> {
    if about.permissions().readonly() {
        let why = "it is read-only; nothing was written";
        return Err(std::io::Error::new(ErrorKind::PermissionDenied, why));
    }
    private().append(true).open(path).map(drop)
}

/// The comment at the start of the file, with the blank line that ends it; empty where it is about what follows.
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

/// The text without the line of a top-level key. The comments above it stay.
fn without_line(text: &str, key: &str) -> Option<String> {
    let document = toml_edit::Document::parse(text).ok()?;
    let (key, value) = document.as_table().get_key_value(key)?;
    let (begin, end) = (key.span()?.start, value.span()?.end);
    let begin = text[..begin].rfind('\n').map_or(0, |at| at + 1);
    let end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    Some(format!("{}{}", &text[..begin], &text[end..]))
}

/// A name made from an address: the organisation, which is the path on-premises and the first label of the host online.
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

/// Sets a value and keeps the blanks and comments around the old one.
fn set(table: &mut dyn TableLike, key: &str, mut value: Value) {
    if let Some(Item::Value(there)) = table.get_mut(key) {
        *value.decor_mut() = there.decor().clone();
        *there = value;
    } else {
        table.insert(key, Item::Value(value));
    }
}

/// Accepts names that need no quotation marks in the file or in a shell and are not options.
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
mod tests;
