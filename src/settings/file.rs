//! The configuration file.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde::Deserialize;

use crate::bounded_file;
use crate::model::text::{clean, is_unsafe};
use crate::plan::BoundError;

use super::nearest::nearest;
use super::text_form::TextForm;
use super::{Origin, PacingKeys, Profile, SettingsError};

/// What the configuration file says. Every key is optional; unknown keys are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConfigFile {
    /// The environment to use where none is named.
    pub default_environment: Option<String>,
    /// How fast to go, for every environment that does not say otherwise.
    pub pace: PacingKeys,
    /// The environments by name.
    pub environments: BTreeMap<String, Profile>,
}

impl ConfigFile {
    /// Reads the file. A missing one counts as empty, unless it was asked for.
    pub fn read(path: &Path, asked_for: bool) -> Result<Self, SettingsError> {
        let invalid = |why: String| SettingsError::Invalid {
            path: path.to_owned(),
            why,
        };
        match read_text(path)? {
            Some((text, _)) => Self::parse(&text).map_err(invalid),
            None if !asked_for => Ok(Self::default()),
            None => Err(SettingsError::Unreadable {
                path: path.to_owned(),
                source: io::Error::new(ErrorKind::NotFound, "there is no such file"),
            }),
        }
    }

    /// Parses the text of a configuration file. The error is one line: the position, the key, the mistake,
    /// and a suggestion for an unknown key. It contains no value and no line of the file, which could be secrets.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file = read_toml(text)?;
        match file
            .environments
            .keys()
            .find(|name| name.contains(is_unsafe))
        {
            Some(name) => Err(format!(
                "the name of environment `{}` holds a character that cannot be seen",
                clean(name)
            )),
            None => Ok(file),
        }
    }
}

impl ConfigFile {
    /// The default environment.
    ///
    /// # Errors
    /// Where the file names one that it does not have.
    pub fn default_profile(&self) -> Result<Option<(&str, &Profile)>, SettingsError> {
        let Some(name) = self.default_environment.as_deref() else {
            return Ok(None);
        };
        let profile = self.profile(name, &Origin::File("default-environment"))?;
        Ok(Some((name, profile)))
    }

    /// The environment with this name.
    ///
    /// # Errors
    /// Where there is none. The name is not repeated, because it may be a secret in the wrong place.
    pub fn profile(&self, name: &str, named_by: &Origin) -> Result<&Profile, SettingsError> {
        let names = self.environments.keys();
        self.environments
            .get(name)
            .ok_or_else(|| SettingsError::UnknownProfile {
                origin: named_by.clone(),
                suggestion: nearest(name, names.clone().map(String::as_str)).map(str::to_owned),
                names: names.cloned().collect(),
            })
    }
}

/// The longest configuration file that is read, in bytes: room for thousands of environments.
const LONGEST: usize = 1 << 20;

/// The text of the file with plain line ends, and its form; `None` where it does not exist.
pub(super) fn read_text(path: &Path) -> Result<Option<(String, TextForm)>, SettingsError> {
    match bounded_file::read(path, LONGEST) {
        Ok(bytes) => match TextForm::read(&bytes) {
            Ok(read) => Ok(Some(read)),
            Err(why) => Err(SettingsError::Invalid {
                path: path.to_owned(),
                why: why.to_string(),
            }),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SettingsError::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

fn read_toml(text: &str) -> Result<ConfigFile, String> {
    let place = |error: &toml::de::Error| match error.span() {
        Some(span) => format!("{}: ", position(text, span.start)),
        None => String::new(),
    };
    let document = toml::Deserializer::parse(text)
        .map_err(|error| format!("{}{}", place(&error), error.message()))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        // An unknown key may be a secret that was put before the `=`.
        let key = match unknown_field(error.message()) {
            Some(_) => String::new(),
            None => shown_key(&path),
        };
        let what = without_value(error.message());
        let mut why = format!("{}{key}{what}", place(&error));
        if let Some(name) = suggestion(error.message()) {
            let _ = write!(why, "; did you mean `{name}`?");
        }
        why
    })
}

/// The position of a byte in a text, as editors show it.
fn position(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!("line {line}, column {column}")
}

/// The key that an error is about. `.` is the whole file, and `?` is a key that the library does not name.
fn shown_key(path: &str) -> String {
    let known = !path.is_empty() && path != "." && !path.contains('?');
    let shown = clean(path);
    if known {
        format!("`{shown}`: ")
    } else {
        String::new()
    }
}

/// A message of the library without the value. Types and names of keys in it stay.
fn without_value(message: &str) -> String {
    if let Some((_, expected)) = unknown_field(message) {
        return format!("unknown key{expected}");
    }
    if let Some((_, expected)) = unknown(message, "unknown variant `") {
        return format!("unknown value{expected}");
    }
    for kind in ["invalid type: ", "invalid value: "] {
        let Some(rest) = message.strip_prefix(kind) else {
            continue;
        };
        // As in `invalid type: string "…", expected u32`: the words before the value name its type.
        let (found, expected) = rest.rsplit_once(", expected ").unwrap_or((rest, ""));
        let found: Vec<_> = found
            .split(' ')
            .take_while(|word| word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-'))
            .collect();
        let expected = if expected.is_empty() {
            String::new()
        } else {
            format!(", expected {expected}")
        };
        return format!("{kind}{}{expected}", found.join(" "));
    }
    let ours = ["missing field ", "duplicate field ", "duplicate key"];
    if ours.iter().any(|begin| message.starts_with(begin)) {
        return message.to_owned();
    }
    if message.starts_with("UUID parsing failed") {
        return "the value is not a UUID".to_owned();
    }
    // The messages of our own types do not contain the value.
    if message == BoundError.to_string() {
        return message.to_owned();
    }
    "the value is not one that this key takes".to_owned()
}

/// The unknown key of a message "unknown field `x`, expected one of `a`, `b`", and the text after it. The
/// key can be any text; the text after it is ours.
fn unknown_field(message: &str) -> Option<(&str, &str)> {
    unknown(message, "unknown field `")
}

fn unknown<'a>(message: &'a str, begin: &str) -> Option<(&'a str, &'a str)> {
    let rest = message.strip_prefix(begin)?;
    let end = rest
        .rfind("`, expected ")
        .or_else(|| rest.rfind("`, there are no "))?;
    Some((&rest[..end], &rest[end + 1..]))
}

/// The most similar of the names that a message expects.
fn suggestion(message: &str) -> Option<&str> {
    let (name, expected) =
        unknown_field(message).or_else(|| unknown(message, "unknown variant `"))?;
    nearest(name, expected.split('`').skip(1).step_by(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_configuration_is_one() {
        let file = ConfigFile::parse(include_str!("../../config/example.toml")).unwrap();
        let name = file.default_environment.unwrap();
        assert!(file.environments.contains_key(&name));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_a_suggestion() {
        let why = ConfigFile::parse(
            "[environments.contoso]\nurl = \"https://contoso.example\"\npacee = 1\n",
        )
        .unwrap_err();
        assert!(why.contains("line 3"), "{why}");
        assert!(why.ends_with("did you mean `pace`?"), "{why}");
    }

    #[test]
    fn an_unknown_way_of_signing_in_is_refused_with_a_suggestion() {
        let why = ConfigFile::parse(
            "[environments.contoso]\nurl = \"https://contoso.example\"\nsign-in = \"device\"\n",
        )
        .unwrap_err();
        assert!(why.contains("line 3"), "{why}");
        assert!(why.ends_with("did you mean `device-code`?"), "{why}");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_with_its_line() {
        let why = ConfigFile::parse("[pace]\nconcurrency = \"many\"\n").unwrap_err();
        assert!(why.contains("line 2"), "{why}");
    }

    #[test]
    fn no_value_of_the_file_stands_in_an_error() {
        let head = "[environments.contoso]\nurl = \"https://contoso.example\"\n";
        for (line, said) in [
            (
                "client-secret = \"Canary~1\"",
                "column 1: unknown key, expected one of",
            ),
            (
                "client-secret = \"Canary~1\"",
                "did you mean `client-secret-",
            ),
            ("\"client-secret-Canary~1\" = 1", "unknown key, expected"),
            (
                "\"CANARY`, expected 4711\" = 1",
                "unknown key, expected one of",
            ),
            ("\"pace\".\"Canary\" = 1", "unknown key, expected"),
            (
                "sign-in = \"Canary~1\"",
                "`environments.contoso.sign-in`: unknown value, expected",
            ),
            (
                "pace.concurrency = \"Canary~1\"",
                "pace.concurrency`: invalid type: string, expected",
            ),
            (
                "pace = \"Canary~1, expected Canary\"",
                "invalid type: string, expected",
            ),
            (
                "redirect-port = 4711471147114711",
                "redirect-port`: invalid value: integer, expected u16",
            ),
            (
                "max-changes = \"Canary~1\"",
                "max-changes`: the value is neither a number",
            ),
            ("keep = \"Canary`, `file\"", "unknown value, expected"),
            ("client-secret-variable = Canary~1", "line 3, column"),
            ("client-secret-variable = \"Canary~1", "line 3, column"),
            (
                "client-secret-variable = [\"Canary~1\"]",
                "invalid type: sequence, expected a string",
            ),
            ("\"Canary\" Canary", "line 3, column"),
        ] {
            let why = ConfigFile::parse(&format!("{head}{line}\n")).unwrap_err();
            let lower = why.to_lowercase();
            assert!(!lower.contains("canary") && !why.contains("4711"), "{why}");
            assert!(
                why.starts_with("line 3, column ") && why.contains(said),
                "{line}: {why}"
            );
            assert!(!why.contains('\n'), "{why}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_read_aloud_is_refused() {
        let why =
            ConfigFile::parse("[environments.\"a\\u001b[2J\\nb\"]\nurl = \"https://a.example\"\n");
        assert_eq!(
            why.unwrap_err(),
            "the name of environment `a·[2J b` holds a character that cannot be seen"
        );
    }

    #[test]
    fn a_file_of_windows_is_read_whatever_its_encoding() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let text =
            "default-environment = \"a\"\r\n[environments.a]\r\nurl = \"https://a.example\"\r\n";
        let utf_16 = format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [format!("\u{feff}{text}").into_bytes(), utf_16] {
            std::fs::write(&path, bytes).unwrap();
            let file = ConfigFile::read(&path, true).unwrap();
            assert_eq!(file.default_environment.as_deref(), Some("a"));
        }
        std::fs::write(&path, b"a = 1\nb = \"Zo\xeb\"\n").unwrap();
        let why = ConfigFile::read(&path, true).unwrap_err().to_string();
        assert!(
            why.ends_with("line 2 is not UTF-8; save the file as UTF-8"),
            "{why}"
        );
    }

    #[test]
    fn a_missing_file_matters_only_where_it_was_asked_for() {
        let path = Path::new("/does/not/exist.toml");
        assert_eq!(
            ConfigFile::read(path, false).unwrap(),
            ConfigFile::default()
        );
        assert!(ConfigFile::read(path, true).is_err());
    }
}
