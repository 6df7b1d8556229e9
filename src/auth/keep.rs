//! Keeping a sign-in for the next command: the refresh token, and never an access token.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::private_file::private;

use super::SignInError;
use super::secret::read_private;

const WHAT: &str = "keeping the sign-in";

/// Where a sign-in is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TokenStore {
    /// In memory, for this command only.
    #[default]
    No,
    /// In the key store of the operating system.
    Keyring,
    /// In a file in this folder that only its owner may read.
    File(PathBuf),
}

/// One kept sign-in: of one application, at one authority, for one environment.
pub(super) struct Kept {
    keep: TokenStore,
    name: String,
    /// Where the refresh token may be sent: to whoever issued it.
    token_url: String,
    current: Mutex<Option<SecretString>>,
}

impl Kept {
    /// `name` tells kept sign-ins apart; it holds no secret. `token_url` is where the refresh token may be sent.
    pub(super) fn new(keep: TokenStore, name: String, token_url: String) -> Self {
        Self {
            keep,
            name,
            token_url,
            current: Mutex::default(),
        }
    }

    /// The refresh token: the one of this command, else the one that was kept.
    pub(super) fn load(&self) -> Result<Option<SecretString>, SignInError> {
        if let Some(current) = self.current().clone() {
            return Ok(Some(current));
        }
        let kept = match &self.keep {
            TokenStore::No => None,
            TokenStore::Keyring => keyring::load(&self.name)?,
            TokenStore::File(folder) => {
                let path = folder.join(file_name(&self.name));
                if !path.exists() {
                    return Ok(None);
                }
                Some(read_private(&path, WHAT)?)
            }
        };
        let kept = kept.and_then(|text| self.unseal(&text));
        self.current().clone_from(&kept);
        Ok(kept)
    }

    /// A refresh token of another issuer is as good as none.
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
            TokenStore::Keyring => keyring::store(&self.name, &sealed),
            TokenStore::File(folder) => write_private(folder, &self.name, &sealed)
                .map_err(|error| SignInError::unusable(WHAT, error)),
        }
    }

    /// Forgets it, here and where it is kept; answers whether there was one.
    pub(super) fn forget(&self) -> Result<bool, SignInError> {
        let current = self.current().take().is_some();
        let kept = match &self.keep {
            TokenStore::No => false,
            TokenStore::Keyring => keyring::forget(&self.name)?,
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

    /// Does one of these apart from the asynchronous tasks: a key store may wait for its owner to unlock it, and
    /// meanwhile the others go on.
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

/// A name that every file system takes, and that two kept sign-ins never share.
fn file_name(name: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    let mut text = String::from("sign-in-");
    text.extend(hash.as_ref()[..12].iter().map(|byte| format!("{byte:02x}")));
    text
}

/// Written beside its place, closed to others from the start, and moved there whole.
fn write_private(folder: &Path, name: &str, secret: &SecretString) -> std::io::Result<()> {
    use std::io::Write;
    std::fs::create_dir_all(folder)?;
    let path = folder.join(file_name(name));
    let draft = folder.join(format!("{}.{}", file_name(name), std::process::id()));
    let mut file = private().create(true).truncate(true).open(&draft)?;
    file.write_all(secret.expose_secret().as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, &path)
}

#[cfg(not(feature = "keyring"))]
mod keyring {
    use super::{SecretString, SignInError, WHAT};

    fn absent<T>() -> Result<T, SignInError> {
        Err(SignInError::unusable(
            WHAT,
            "this program was built without a key store; `keep = \"file\"` keeps the sign-in in a private file",
        ))
    }

    pub(super) fn load(_: &str) -> Result<Option<SecretString>, SignInError> {
        absent()
    }

    pub(super) fn store(_: &str, _: &SecretString) -> Result<(), SignInError> {
        absent()
    }

    pub(super) fn forget(_: &str) -> Result<bool, SignInError> {
        absent()
    }
}

#[cfg(feature = "keyring")]
mod keyring {
    use super::{SecretString, SignInError, WHAT};
    use ::keyring::{Entry, Error};
    use secrecy::ExposeSecret;

    /// The name under which people find it in their key store.
    const SERVICE: &str = "syncfilters";

    fn entry(name: &str) -> Result<Entry, SignInError> {
        Entry::new(SERVICE, name).map_err(|error| failed(&error))
    }

    /// What a key store says can hold what is kept; its kind says enough.
    fn failed(error: &Error) -> SignInError {
        let why = match error {
            Error::NoStorageAccess(_) => "the key store is locked or not there",
            Error::TooLong(..) => "the key store does not take a text of this length",
            _ => "the key store refused",
        };
        SignInError::unusable(
            WHAT,
            format!("{why}; `keep = \"file\"` keeps the sign-in in a private file"),
        )
    }

    pub(super) fn load(name: &str) -> Result<Option<SecretString>, SignInError> {
        match entry(name)?.get_password() {
            Ok(secret) => Ok(Some(SecretString::from(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    pub(super) fn store(name: &str, secret: &SecretString) -> Result<(), SignInError> {
        let entry = entry(name)?;
        entry
            .set_password(secret.expose_secret())
            .map_err(|error| failed(&error))
    }

    pub(super) fn forget(name: &str) -> Result<bool, SignInError> {
        match entry(name)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(failed(&error)),
        }
    }
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
