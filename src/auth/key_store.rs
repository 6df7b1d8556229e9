//! The key store of the operating system: Credential Manager on Windows, the Keychain on macOS, the Secret Service
//! elsewhere. Messages of a key store may contain the secret, so only the kind of an error is shown.

use super::SignInError;
use super::keep::WHAT;

pub(super) use system::{forget, load, store};

/// The name of the entries, which people see in their key store.
#[cfg(feature = "keyring")]
const SERVICE: &str = "syncfilters";

/// The error where a key store is required and cannot be used.
pub(super) fn unusable(why: &str) -> SignInError {
    SignInError::unusable(
        WHAT,
        format!("{why}; `--keep file`, or `keep = \"file\"`, keeps the sign-in in a private file"),
    )
}

#[cfg(not(feature = "keyring"))]
mod system {
    use secrecy::SecretString;

    fn absent<T>() -> Result<T, String> {
        Err("this program was built without a key store".to_owned())
    }

    pub(in super::super) fn load(_: &str, _: bool) -> Result<Option<SecretString>, String> {
        absent()
    }

    pub(in super::super) fn store(_: &str, _: &SecretString, _: bool) -> Result<(), String> {
        absent()
    }

    pub(in super::super) fn forget(_: &str, _: bool) -> Result<bool, String> {
        absent()
    }
}

#[cfg(all(feature = "keyring", any(windows, target_os = "macos")))]
mod system {
    use keyring::{Entry, Error};
    use secrecy::{ExposeSecret, SecretString};

    use super::SERVICE;

    fn entry(name: &str) -> Result<Entry, String> {
        Entry::new(SERVICE, name).map_err(|error| failed(&error))
    }

    fn failed(error: &Error) -> String {
        match error {
            Error::NoStorageAccess(_) => "the key store is locked or not there",
            Error::TooLong(..) => "the key store does not take a text of this length",
            _ => "the key store refused",
        }
        .to_owned()
    }

    pub(in super::super) fn load(name: &str, _: bool) -> Result<Option<SecretString>, String> {
        match entry(name)?.get_secret() {
            Ok(secret) => Ok(String::from_utf8(secret).ok().map(SecretString::from)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// As bytes: Credential Manager stores up to 2,560 of them, and half as many characters of a password.
    pub(in super::super) fn store(
        name: &str,
        secret: &SecretString,
        _: bool,
    ) -> Result<(), String> {
        entry(name)?
            .set_secret(secret.expose_secret().as_bytes())
            .map_err(|error| failed(&error))
    }

    pub(in super::super) fn forget(name: &str, _: bool) -> Result<bool, String> {
        match entry(name)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(failed(&error)),
        }
    }
}

#[cfg(all(feature = "keyring", unix, not(target_os = "macos")))]
mod system {
    use std::collections::HashMap;

    use secrecy::{ExposeSecret, SecretString};
    use secret_service::blocking::{Item, SecretService};
    use secret_service::{EncryptionType, Error};

    use super::SERVICE;

    const LOCKED: &str = "the key store is locked, and nobody is here to unlock it";

    /// Uses a new thread: the library blocks, which a thread of the asynchronous tasks must not do.
    fn apart<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
        let done = std::thread::scope(|threads| threads.spawn(work).join());
        done.unwrap_or_else(|_| Err("the key store could not be asked".to_owned()))
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is given to `map_err` by its name"
    )]
    fn failed(error: Error) -> String {
        match error {
            Error::Unavailable | Error::Zbus(_) => "no key store (Secret Service) is running here",
            Error::NoResult => "the key store has no default collection",
            Error::Locked | Error::Prompt => "the key store was not unlocked",
            _ => "the key store refused",
        }
        .to_owned()
    }

    fn connect() -> Result<SecretService<'static>, String> {
        SecretService::connect(EncryptionType::Dh).map_err(failed)
    }

    fn attributes(name: &str) -> HashMap<&str, &str> {
        HashMap::from([("service", SERVICE), ("username", name)])
    }

    /// The entries of this name, unlocked.
    fn items<'a>(
        service: &'a SecretService<'_>,
        name: &str,
        may_ask: bool,
    ) -> Result<Vec<Item<'a>>, String> {
        let found = service.search_items(attributes(name)).map_err(failed)?;
        if !found.locked.is_empty() && !may_ask {
            return Err(LOCKED.to_owned());
        }
        for item in &found.locked {
            item.unlock().map_err(failed)?;
        }
        Ok(found.unlocked.into_iter().chain(found.locked).collect())
    }

    pub(in super::super) fn load(
        name: &str,
        may_ask: bool,
    ) -> Result<Option<SecretString>, String> {
        apart(|| {
            let service = connect()?;
            let Some(item) = items(&service, name, may_ask)?.into_iter().next() else {
                return Ok(None);
            };
            let secret = item.get_secret().map_err(failed)?;
            Ok(String::from_utf8(secret).ok().map(SecretString::from))
        })
    }

    pub(in super::super) fn store(
        name: &str,
        secret: &SecretString,
        may_ask: bool,
    ) -> Result<(), String> {
        apart(|| {
            let service = connect()?;
            let collection = service.get_default_collection().map_err(failed)?;
            if collection.is_locked().map_err(failed)? {
                if !may_ask {
                    return Err(LOCKED.to_owned());
                }
                collection.unlock().map_err(failed)?;
            }
            let label = format!("{SERVICE}: sign-in to {name}");
            let secret = secret.expose_secret().as_bytes();
            collection
                .create_item(&label, attributes(name), secret, true, "text/plain")
                .map(drop)
                .map_err(failed)
        })
    }

    pub(in super::super) fn forget(name: &str, may_ask: bool) -> Result<bool, String> {
        apart(|| {
            let service = connect()?;
            let items = items(&service, name, may_ask)?;
            for item in &items {
                item.delete().map_err(failed)?;
            }
            Ok(!items.is_empty())
        })
    }
}
