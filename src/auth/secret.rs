//! Where a secret is read from: never from the command line.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::SignInError;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFrom {
    /// In an environment variable of this name.
    Variable(String),
    /// In a file that nobody else may read.
    File(PathBuf),
    /// On standard input, as its first line.
    Stdin,
    /// In the head of the person at the terminal.
    Prompt,
}

/// Secrets are short; this is no place for a file that was named by mistake.
const LARGEST: u64 = 64 * 1024;

impl SecretFrom {
    /// Reads it. `ask` asks the person, where there is one.
    pub(super) fn read(
        &self,
        what: &str,
        ask: impl FnOnce(&str) -> Option<SecretString>,
    ) -> Result<SecretString, SignInError> {
        let doing = || format!("reading the {what}");
        let secret = match self {
            Self::Variable(name) => std::env::var(name)
                .map(SecretString::from)
                .map_err(|_| SignInError::unusable(doing(), format!("{name} is not set")))?,
            Self::File(path) => read_private(path, &doing())?,
            Self::Stdin => {
                let mut line = String::new();
                std::io::stdin()
                    .read_line(&mut line)
                    .map_err(|error| SignInError::unusable(doing(), error))?;
                SecretString::from(line)
            }
            Self::Prompt => ask(what).ok_or_else(|| SignInError::NobodyThere { what: doing() })?,
        };
        let trimmed = secret.expose_secret().trim_end_matches(['\r', '\n']);
        if trimmed.is_empty() {
            return Err(SignInError::unusable(doing(), "it is empty"));
        }
        Ok(SecretString::from(trimmed))
    }
}

/// Reads a file that only its owner may read.
pub(super) fn read_private(path: &Path, doing: &str) -> Result<SecretString, SignInError> {
    let named = |why: String| SignInError::unusable(doing, format!("{}: {why}", path.display()));
    let about = std::fs::metadata(path).map_err(|error| named(error.to_string()))?;
    if !about.is_file() {
        return Err(named("it is not a file".into()));
    }
    if about.len() > LARGEST {
        return Err(named("it is too large for a secret".into()));
    }
    if let Some(others) = others_may(&about) {
        return Err(named(format!(
            "{others}; make it yours alone with `chmod 600`"
        )));
    }
    std::fs::read_to_string(path)
        .map(SecretString::from)
        .map_err(|error| named(error.to_string()))
}

/// What others than the owner may do with the file, if anything.
#[cfg(unix)]
fn others_may(about: &std::fs::Metadata) -> Option<&'static str> {
    use std::os::unix::fs::PermissionsExt;
    match about.permissions().mode() & 0o077 {
        0 => None,
        bits if bits & 0o007 != 0 => Some("everybody may use it"),
        _ => Some("its group may use it"),
    }
}

/// Elsewhere a file inherits the rights of its folder, and the user's own folder is closed to others.
#[cfg(not(unix))]
fn others_may(_: &std::fs::Metadata) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(from: &SecretFrom) -> Result<String, String> {
        from.read("secret", |_| None)
            .map(|secret| secret.expose_secret().to_owned())
            .map_err(|error| error.to_string())
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "canary \r\n").unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let result = read(&SecretFrom::File(path.clone()));
            assert_eq!(result.is_ok(), good, "{mode:o}");
            match result {
                Ok(secret) => assert_eq!(secret, "canary "),
                Err(why) => assert!(
                    why.contains("chmod 600") && !why.contains("canary"),
                    "{why}"
                ),
            }
        }
    }

    #[test]
    fn what_is_missing_is_named_and_never_shown() {
        let missing = SecretFrom::Variable("SYNCFILTERS_NO_SUCH_VARIABLE".into());
        assert!(read(&missing).unwrap_err().contains("NO_SUCH_VARIABLE"));
        assert!(read(&SecretFrom::File("/no/such/file".into())).is_err());
        assert!(read(&SecretFrom::Prompt).unwrap_err().contains("person"));
    }
}
