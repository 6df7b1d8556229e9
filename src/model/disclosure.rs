//! Which settings may be repeated in a message: none that may be a secret in the wrong place.
//!
//! A message names the key, flag or variable that a value came from, and its position. It repeats the value only where
//! what the value names exists.

use std::ffi::OsStr;
use std::path::{Component, Path};

use super::RunId;

/// Prefixes of the variables that this program reads by itself. Nobody has to write these names into the settings.
const KNOWN_VARIABLES: [&str; 4] = ["SYNCFILTERS_", "AZURE_", "ACTIONS_ID_TOKEN_", "SYSTEM_"];

/// The name of an environment variable, where it certainly is one: it is set, or this program reads it by itself. A
/// secret in capital letters looks like a name, too.
pub fn variable_name(name: &str) -> Option<&str> {
    let known = KNOWN_VARIABLES.iter().any(|begin| name.starts_with(begin));
    // The system accepts no such name, and the standard library panics on it.
    let possible = !name.is_empty() && !name.contains(['=', '\0']);
    (possible && (known || std::env::var_os(name).is_some())).then_some(name)
}

/// Extensions of the files that this program reads and writes. Secrets do not end in these.
const KNOWN_EXTENSIONS: [&str; 12] = [
    "cer", "csv", "html", "json", "key", "md", "pem", "pfx", "run", "toml", "tsv", "txt",
];

/// A path, where it certainly is one: it exists, its folder exists, or it has the extension of a file that this program
/// reads or writes. The root folder and the working folder do not count: with them a secret without a slash, or with
/// one at its start, would be a path.
pub fn path(path: &Path) -> Option<&Path> {
    let extension = path.extension().and_then(OsStr::to_str);
    if extension.is_some_and(|extension| KNOWN_EXTENSIONS.contains(&extension)) {
        return Some(path);
    }
    let folder = path.parent().filter(|folder| {
        let named = |part| matches!(part, Component::Normal(_));
        folder.components().any(named) && folder.is_dir()
    });
    (folder.is_some() || path.exists()).then_some(path)
}

/// What a message calls a file or folder: its path, where it certainly is one; else `unnamed`, such as `the file`, and
/// why it is not named.
pub fn shown_path(given: &Path, unnamed: &str) -> String {
    match path(given) {
        Some(path) => path.display().to_string(),
        None => format!("{unnamed} ({NOT_NAMED})"),
    }
}

/// As [`shown_path`], with a noun before the path, such as `the configuration file`.
pub fn named_path(what: &str, given: &Path) -> String {
    match path(given) {
        Some(path) => format!("{what} {}", path.display()),
        None => format!("{what} ({NOT_NAMED})"),
    }
}

const NOT_NAMED: &str =
    "its name is not shown, because it may be a secret; no folder of its path exists";

/// Text from elsewhere without access tokens: a JSON Web Token begins with `eyJ`, which is how `{"` is encoded.
pub fn without_tokens(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.+/=".contains(c);
    let (mut kept, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("eyJ") {
        let (before, token) = rest.split_at(at);
        kept.push_str(before);
        kept.push_str("(not shown)");
        rest = token.trim_start_matches(is_part);
    }
    kept + rest
}

/// Words after which another program may repeat a secret.
const BEFORE_SECRETS: [&str; 5] = ["secret", "password", "passwd", "pwd", "passphrase"];

/// The output of another program up to where it may repeat a secret: the value after such a word, and the
/// first word after it that does not belong to a sentence. `Invalid client secret provided.` stays.
pub fn without_secrets(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let words = BEFORE_SECRETS.iter();
    let ends = words.filter_map(|word| Some(lower.find(word)? + word.len()));
    let Some(end) = ends.min() else {
        return text.to_owned();
    };
    let after = &text[end..];
    let mut kept = end;
    for part in after.split_inclusive(char::is_whitespace) {
        let is_first = kept == end;
        let word = part.trim();
        let plain = if is_first {
            // Endings of the word itself, such as `secrets` or `password.`; a value may follow any other character.
            word.trim_end_matches(['.', ',', ';'])
                .chars()
                .all(|c| c.is_ascii_lowercase())
        } else {
            is_word_of_a_sentence(word)
        };
        if !plain {
            return format!("{} (not shown)", text[..kept].trim_end());
        }
        kept += part.len();
    }
    text.to_owned()
}

/// Words of the sentences that Entra ID and its tools write about secrets. Any other word could be a secret.
fn is_word_of_a_sentence(word: &str) -> bool {
    const WORDS: [&str; 40] = [
        "a",
        "added",
        "an",
        "and",
        "app",
        "are",
        "been",
        "being",
        "by",
        "client",
        "ensure",
        "error",
        "expired",
        "for",
        "from",
        "has",
        "have",
        "id",
        "in",
        "incorrect",
        "invalid",
        "is",
        "keys",
        "missing",
        "new",
        "not",
        "of",
        "or",
        "please",
        "provided",
        "refresh",
        "request",
        "secret",
        "sent",
        "the",
        "to",
        "token",
        "validating",
        "value",
        "was",
    ];
    let plain = word
        .trim_end_matches(['.', ',', ';', ':'])
        .to_ascii_lowercase();
    plain.is_empty() || WORDS.contains(&plain.as_str())
}

/// The longest number or list of numbers, in characters: enough for three waves of millions of users.
const LONGEST_NUMBER: usize = 24;

/// Whether a text consists of digits and the separators of sizes, percentages and lists of numbers.
pub fn is_number(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_digit() || b"%,.+- ".contains(&b);
    text.len() <= LONGEST_NUMBER && text.bytes().all(plain)
}

/// Whether a text can be the id of a run, or a prefix of one.
pub fn is_run_id(text: &str) -> bool {
    text.len() <= RunId::DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The longest label of a domain name, in bytes (RFC 1035 2.3.4).
const LONGEST_LABEL: usize = 63;

/// Whether a text is a domain name with at least two labels. Secrets of Entra ID are not, because they contain a tilde,
/// and tokens are not, because their parts are too long.
pub fn is_domain_name(text: &str) -> bool {
    let label = |label: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    let Some((_, last)) = text.rsplit_once('.') else {
        return false;
    };
    // The last label has letters only, or is an internationalised one such as `xn--…`.
    let ends = last.bytes().all(|b| b.is_ascii_alphabetic()) || last.starts_with("xn--");
    ends && last.len() > 1 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_access_token_is_left_in_what_somebody_else_wrote() {
        for (text, left) in [
            (
                "Assertion eyJ0.eyJh.c2ln failed",
                "Assertion (not shown) failed",
            ),
            (
                r#"{"accessToken":"eyJ0.eyJh.c2ln"}"#,
                r#"{"accessToken":"(not shown)"}"#,
            ),
            ("eyJ0 eyJ1", "(not shown) (not shown)"),
            ("AADSTS50013: no", "AADSTS50013: no"),
        ] {
            assert_eq!(without_tokens(text), left);
        }
    }

    #[test]
    fn what_another_program_says_ends_where_it_may_repeat_a_secret() {
        for (said, shown) in [
            (
                "login failed with --password Canary1",
                "login failed with --password (not shown)",
            ),
            (
                "client_secret=canary was refused",
                "client_secret (not shown)",
            ),
            ("Invalid secret 'canary~x'", "Invalid secret (not shown)"),
            ("the password is canary", "the password is (not shown)"),
            ("passwords: canary", "password (not shown)"),
            ("PASSWORD:canary", "PASSWORD (not shown)"),
            ("{\"password\":\"canary\"}", "{\"password (not shown)"),
            ("no network", "no network"),
            (
                "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client \
                 secret value, not the client secret ID, for a secret added to app 'canary'.",
                "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client \
                 secret value, not the client secret ID, for a secret added to app (not shown)",
            ),
            (
                "AADSTS700082: The refresh token has expired.",
                "AADSTS700082: The refresh token has expired.",
            ),
        ] {
            assert_eq!(without_secrets(said), shown);
        }
    }

    #[test]
    fn a_variable_is_named_only_where_there_is_one() {
        assert_eq!(variable_name("PATH"), Some("PATH"));
        let known = "SYNCFILTERS_ACCESS_TOKEN";
        assert_eq!(variable_name(known), Some(known));
        for secret in ["CANARY4711", "Canary~1", "", "A=B", "A\0B"] {
            assert_eq!(variable_name(secret), None, "{secret:?}");
        }
    }

    #[test]
    fn a_path_is_named_only_where_its_folder_exists() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.pem");
        assert_eq!(path(&missing), Some(missing.as_path()));
        assert_eq!(path(Path::new("/etc")), Some(Path::new("/etc")));
        for mistyped in ["pilto.csv", "/no/such/config.toml", "plan.run"] {
            assert_eq!(path(Path::new(mistyped)), Some(Path::new(mistyped)));
        }
        for secret in [
            "Canary",
            "/Canary",
            "Can/ary",
            "../Canary",
            "",
            "/",
            "a\0b/c",
        ] {
            let shown = path(Path::new(secret));
            assert!(shown.is_none_or(|path| path == Path::new("/")), "{secret}");
        }
    }

    #[test]
    fn numbers_and_ids_of_runs_are_told_from_secrets() {
        for number in ["", "0", "-1", "10,100", "12.5%", "18446744073709551616"] {
            assert!(is_number(number), "{number}");
        }
        for id in ["3f2a", "3F2A9C0D1B7E"] {
            assert!(is_run_id(id) && !is_number(id), "{id}");
        }
        for secret in [
            "Xb8Q~c",
            "canary",
            "CANARY4711ABCDEF",
            "1234567890123456789012345",
        ] {
            assert!(!is_number(secret) && !is_run_id(secret), "{secret}");
        }
    }

    #[test]
    fn names_of_domains_are_told_from_secrets() {
        for name in [
            "contoso.crm4.dynamics.com",
            "a-b.Example",
            "x.xn--p1ai",
            "a.b.example.",
        ] {
            assert!(is_domain_name(name), "{name}");
        }
        let long = format!("{}.example", "a".repeat(64));
        for other in [
            "contoso",
            "Xb8Q~c.ab",
            "a.b.1",
            "a..bc",
            "-a.bc",
            "a_b.cd",
            &long,
            "",
        ] {
            assert!(!is_domain_name(other), "{other}");
        }
    }
}
