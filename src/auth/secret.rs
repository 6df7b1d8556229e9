//! Where secrets are read from: never from the command line.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::bounded_file;
use crate::model::disclosure;
use crate::model::shell::Shell;
use crate::model::text::{NotText, decode};

use super::SignInError;
use super::file_rights::others_may;

/// The longest file with a secret, a key or a token, in bytes; a certificate with its chain has some thousand.
pub(super) const LONGEST_FILE: usize = 1 << 20;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFrom {
    /// In an environment variable of this name.
    Variable(String),
    /// In a file that only its owner may read.
    File(PathBuf),
    /// The first line of standard input.
    Stdin,
    /// Typed by the user at the terminal.
    Prompt,
}

/// The longest secret from standard input, in bytes. Secrets are short; a longer input was given by mistake.
const LARGEST: u64 = 64 * 1024;

impl SecretFrom {
    /// Reads the secret. `ask` asks the user, where there is one.
    pub(super) fn read(
        &self,
        what: &str,
        ask: impl FnOnce(&str) -> Option<SecretString>,
    ) -> Result<SecretString, SignInError> {
        let doing = || format!("reading the {what}");
        let secret = match self {
            Self::Variable(name) => {
                variable(name).map_err(|why| SignInError::unusable(doing(), why))?
            }
            Self::File(path) => read_private(path, &doing())?,
            Self::Stdin => {
                let line = first_line(&mut std::io::stdin().lock());
                let line = line.map_err(|error| SignInError::unusable(doing(), error))?;
                decoded(&line).map_err(|why| SignInError::unusable(doing(), why))?
            }
            Self::Prompt => ask(what).ok_or_else(|| SignInError::NobodyThere { what: doing() })?,
        };
        let secret = secret.expose_secret();
        // A variable may be set from a file that begins with a byte order mark.
        let trimmed = secret.strip_prefix('\u{feff}').unwrap_or(secret);
        let trimmed = trimmed.trim_end_matches(['\r', '\n']);
        if trimmed.is_empty() {
            return Err(SignInError::unusable(doing(), "it is empty"));
        }
        Ok(SecretString::from(trimmed))
    }
}

/// Reads a variable. Its name is not shown unless it exists, because it may be the secret itself in the wrong place.
fn variable(name: &str) -> Result<SecretString, String> {
    match std::env::var(name) {
        Ok(text) => Ok(SecretString::from(text)),
        // A variable of this name exists, so it can be shown.
        Err(std::env::VarError::NotUnicode(_)) => Err(format!("{name} does not hold text")),
        Err(std::env::VarError::NotPresent) => Err(match disclosure::variable_name(name) {
            Some(name) => format!("{name} is not set"),
            None => {
                "the variable is not set (its name is not shown, because it may be the secret; \
                     where the settings ask for the name of a variable, write its name)"
                    .to_owned()
            }
        }),
    }
}

/// A path for messages. A text in place of a path may be the secret or the key itself.
pub(super) fn shown_path(path: &Path) -> String {
    disclosure::shown_path(path, "the file")
}

/// The text of a secret, in any encoding.
fn decoded(bytes: &[u8]) -> Result<SecretString, NotText> {
    decode(bytes).map(SecretString::from)
}

/// Reads up to the first line break, which has two bytes in UTF-16.
fn first_line(input: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut input = input.take(LARGEST);
    input.read_until(b'\n', &mut line)?;
    if line.starts_with(&[0xff, 0xfe]) && line.ends_with(b"\n") {
        input.take(1).read_to_end(&mut line)?;
    }
    Ok(line)
}

/// Reads a file that only its owner may read.
pub(super) fn read_private(path: &Path, doing: &str) -> Result<SecretString, SignInError> {
    let named = |why: String| SignInError::unusable(doing, format!("{}: {why}", shown_path(path)));
    let about = std::fs::metadata(path).map_err(|error| named(error.to_string()))?;
    if !about.is_file() {
        return Err(named("it is not a file".into()));
    }
    if about.len() > LARGEST {
        return Err(named("it is too large for a secret".into()));
    }
    if let Some(others) = others_may(path).map_err(|error| named(error.to_string()))? {
        let command = Shell::HERE.close_to_others("FILE");
        return Err(named(format!(
            "{others}; make it yours alone with `{command}`"
        )));
    }
    let bytes = bounded_file::read(path, LONGEST_FILE).map_err(|error| named(error.to_string()))?;
    decoded(&bytes).map_err(|why| named(why.to_string()))
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
    fn a_secret_in_the_place_of_a_name_is_not_shown() {
        for secret in [
            "Xb8Q~canary.1",
            "canary",
            "c4n4ry_Canary",
            "CANARY4711",
            "canary/with/slashes",
            "/canary",
            "-----BEGIN canary\nx",
            "Canary 1",
        ] {
            let why = read(&SecretFrom::Variable(secret.into())).unwrap_err();
            assert!(
                !why.to_lowercase().contains("anary") && why.contains("not shown"),
                "{why}"
            );
            let why = read(&SecretFrom::File(secret.into())).unwrap_err();
            assert!(
                !why.to_lowercase().contains("anary") && why.contains("not shown"),
                "{why}"
            );
        }
        let missing = std::env::temp_dir().join("syncfilters-no-such-file");
        let why = read(&SecretFrom::File(missing.clone())).unwrap_err();
        assert!(why.contains(missing.to_str().unwrap()), "{why}");
    }

    #[cfg(unix)]
    #[test]
    fn the_encoding_of_a_file_is_no_part_of_the_secret() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let utf_16 = "\u{feff}Zoë\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [
            b"Zo\xc3\xab\n".to_vec(),
            b"\xef\xbb\xbfZo\xc3\xab".to_vec(),
            utf_16,
        ] {
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            assert_eq!(read(&SecretFrom::File(path.clone())).unwrap(), "Zoë");
        }
        for bytes in [&b"Zo\xeb"[..], b"Z\0o\0"] {
            std::fs::write(&path, bytes).unwrap();
            let why = read(&SecretFrom::File(path.clone())).unwrap_err();
            assert!(why.contains("UTF-8") && !why.contains("Zo"), "{why}");
        }
    }

    #[test]
    fn a_line_of_standard_input_is_read_in_its_encoding() {
        let utf_16: Vec<u8> = "\u{feff}a\r\nb\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [
            b"a\r\nb\n".to_vec(),
            b"\xef\xbb\xbfa\nb".to_vec(),
            b"a".to_vec(),
            utf_16,
        ] {
            let line = first_line(&mut &bytes[..]).unwrap();
            let secret = decoded(&line).unwrap();
            assert_eq!(secret.expose_secret().trim_end(), "a", "{bytes:x?}");
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
