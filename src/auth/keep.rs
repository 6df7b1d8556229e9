//! Keeps a sign-in for the next command: the refresh token, and never an access token.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::model::disclosure::shown_path;
use crate::private_file::make_folder;

use super::secret::read_private;
use super::{SignInError, key_store};

pub(super) const WHAT: &str = "keeping the sign-in";

/// Where a sign-in is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TokenStore {
    /// In memory, for this command only.
    #[default]
    No,
    /// In the key store of the operating system; where there is none, for this command only.
    Keyring,
    /// In a file in this folder that only its owner may read.
    File(PathBuf),
}

/// One kept sign-in: of one application, at one authority, for one environment.
pub(super) struct Kept {
    keep: TokenStore,
    name: String,
    /// The only address to which the refresh token may be sent: its issuer.
    token_url: String,
    current: Mutex<Option<SecretString>>,
    /// Whether the owner of a locked key store may be asked to unlock it.
    may_ask: bool,
    /// Why the key store cannot be used.
    trouble: Mutex<Option<String>>,
}

impl Kept {
    /// `name` identifies kept sign-ins and contains no secret. `token_url` is where the refresh token may be sent.
    pub(super) fn new(keep: TokenStore, name: String, token_url: String) -> Self {
        Self {
            keep,
            name,
            token_url,
            current: Mutex::default(),
            may_ask: false,
            trouble: Mutex::default(),
        }
    }

    /// Sets whether somebody can be asked to unlock a key store.
    pub(super) fn with_somebody_there(self, may_ask: bool) -> Self {
        Self { may_ask, ..self }
    }

    /// Why the key store cannot be used, once it was tried.
    pub(super) fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock();
        trouble.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The answer of a key store. One that cannot be used counts as empty.
    fn unless_trouble<T>(&self, answer: Result<T, String>) -> Option<T> {
        answer
            .map_err(|why| {
                let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
                *trouble = Some(why);
            })
            .ok()
    }

    /// Whether a sign-in is kept for the next command, of any issuer.
    pub(super) fn is_there(&self) -> Result<bool, SignInError> {
        match &self.keep {
            TokenStore::No => Ok(false),
            TokenStore::Keyring => key_store::load(&self.name, self.may_ask)
                .map(|kept| kept.is_some())
                .map_err(|why| key_store::unusable(&why)),
            TokenStore::File(folder) => Ok(own_file(folder, &self.name)?.is_some()),
        }
    }

    /// The refresh token of this command, else the kept one.
    pub(super) fn load(&self) -> Result<Option<SecretString>, SignInError> {
        if let Some(current) = self.current().clone() {
            return Ok(Some(current));
        }
        let kept = match &self.keep {
            TokenStore::No => None,
            TokenStore::Keyring => self
                .unless_trouble(key_store::load(&self.name, self.may_ask))
                .flatten(),
            TokenStore::File(folder) => {
                let path = own_file(folder, &self.name)?;
                path.map(|path| read_private(&path, WHAT)).transpose()?
            }
        };
        let kept = kept.and_then(|text| self.unseal(&text));
        self.current().clone_from(&kept);
        Ok(kept)
    }

    /// Ignores a refresh token of another issuer.
    fn unseal(&self, text: &SecretString) -> Option<SecretString> {
        let (issuer, refresh) = text.expose_secret().split_once('\n')?;
        (issuer == self.token_url).then(|| SecretString::from(refresh))
    }

    /// Keeps the newest refresh token.
    pub(super) fn store(&self, refresh: &SecretString) -> Result<(), SignInError> {
        *self.current() = Some(refresh.clone());
        let sealed = SecretString::from(format!("{}\n{}", self.token_url, refresh.expose_secret()));
        match &self.keep {
            TokenStore::No => Ok(()),
            TokenStore::Keyring => {
                self.unless_trouble(key_store::store(&self.name, &sealed, self.may_ask));
                Ok(())
            }
            TokenStore::File(folder) => write_private(folder, &self.name, &sealed)
                .map_err(|error| SignInError::unusable(WHAT, error)),
        }
    }

    /// Deletes it from memory and from where it is kept. Returns whether there was one.
    pub(super) fn forget(&self) -> Result<bool, SignInError> {
        let current = self.current().take().is_some();
        let kept = match &self.keep {
            TokenStore::No => false,
            TokenStore::Keyring => key_store::forget(&self.name, self.may_ask)
                .map_err(|why| key_store::unusable(&why))?,
            TokenStore::File(folder) => {
                match std::fs::remove_file(folder.join(file_name(&self.name))) {
                    Ok(()) => true,
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
                    Err(error) => {
                        return Err(SignInError::unusable("forgetting the sign-in", error));
                    }
                }
            }
        };
        Ok(current || kept)
    }

    /// Does this work outside the asynchronous tasks: a key store may wait for its owner to unlock it, and
    /// the other tasks continue meanwhile.
    pub(super) async fn apart<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, SignInError> + Send + 'static,
    ) -> Result<T, SignInError> {
        let kept = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || work(&kept)).await;
        done.unwrap_or_else(|error| Err(SignInError::unusable(WHAT, error)))
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<SecretString>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

/// A name that every file system accepts, and that is different for every kept sign-in.
fn file_name(name: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    let mut text = String::from("sign-in-");
    text.extend(hash.as_ref()[..12].iter().map(|byte| format!("{byte:02x}")));
    text
}

/// The path of a kept sign-in, if there is one. Only this program writes there, and it writes regular files.
///
/// # Errors
/// Where something other than a regular file has this name: the target of a link was written by somebody else.
fn own_file(folder: &Path, name: &str) -> Result<Option<PathBuf>, SignInError> {
    let path = folder.join(file_name(name));
    match std::fs::symlink_metadata(&path) {
        Ok(about) if about.is_file() => Ok(Some(path)),
        Ok(_) => {
            let why = format!(
                "{} is a link or a device, not a file of this program; remove it and sign in again",
                shown_path(&path, "the kept sign-in")
            );
            Err(SignInError::unusable(WHAT, why))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SignInError::unusable(WHAT, error)),
    }
}

/// Writes to a temporary file with a random name in the same folder, private from the start, and renames it when it is
/// complete.
fn write_private(folder: &Path, name: &str, secret: &SecretString) -> std::io::Result<()> {
    use std::io::Write;
    make_folder(folder)?;
    let mut draft = tempfile::Builder::new()
        .prefix(".sign-in-")
        .tempfile_in(folder)?;
    draft.write_all(secret.expose_secret().as_bytes())?;
    draft.as_file().sync_all()?;
    draft.persist(folder.join(file_name(name)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_in_a_file_is_closed_to_others_and_gone_after_logout() {
        let folder = tempfile::tempdir().unwrap();
        let keep = TokenStore::File(folder.path().join("deep"));
        let at = |issuer: &str| Kept::new(keep.clone(), "environment client".into(), issuer.into());
        let new = || at("https://login.example/token");
        assert!(new().load().unwrap().is_none());
        new().store(&"first".into()).unwrap();
        new().store(&"canary".into()).unwrap();
        let kept = new().load().unwrap().unwrap();
        assert_eq!(kept.expose_secret(), "canary");
        assert!(at("https://other.example/token").load().unwrap().is_none());
        let files: Vec<_> = std::fs::read_dir(folder.path().join("deep"))
            .unwrap()
            .collect();
        assert_eq!(files.len(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let about = files[0].as_ref().unwrap().metadata().unwrap();
            assert_eq!(about.permissions().mode() & 0o777, 0o600);
        }
        assert!(new().forget().unwrap());
        assert!(!new().forget().unwrap());
        assert!(new().load().unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_or_a_pipe_in_the_place_of_a_kept_sign_in_is_neither_read_nor_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let keep = TokenStore::File(folder.path().to_owned());
        let kept = || Kept::new(keep.clone(), "x".into(), "y".into());
        let path = folder.path().join(file_name("x"));
        let elsewhere = folder.path().join("elsewhere");
        std::fs::write(&elsewhere, "y\ncanary").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        for look in [kept().load().map(drop), kept().is_there().map(drop)] {
            let why = look.unwrap_err().to_string();
            assert!(why.contains("link") && !why.contains("canary"), "{why}");
        }
        // What is written takes the place of the link, and nothing that it leads to.
        kept().store(&"new".into()).unwrap();
        assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "y\ncanary");
        assert!(kept().load().unwrap().is_some());
        std::fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        assert!(kept().load().is_err());
    }

    #[test]
    fn a_sign_in_that_is_not_kept_lasts_for_the_command() {
        let kept = Kept::new(TokenStore::No, "x".into(), "y".into());
        kept.store(&"canary".into()).unwrap();
        assert_eq!(kept.load().unwrap().unwrap().expose_secret(), "canary");
        assert!(!format!("{kept:?}").contains("canary"));
        assert!(
            Kept::new(TokenStore::No, "x".into(), "y".into())
                .load()
                .unwrap()
                .is_none()
        );
    }
}
