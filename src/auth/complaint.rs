//! The errors of a tool that issues tokens.

use serde::Deserialize;

use crate::model::disclosure::{without_secrets, without_tokens};
use crate::model::text::{CUT, clean, decode};

use super::answer;
use super::refusal::code_in;

/// How much of an error is shown, in characters: four lines of a terminal.
const EXCERPT: usize = 300;

/// The output of a program, in any encoding.
pub(super) fn text(output: &[u8]) -> String {
    decode(output).unwrap_or_else(|_| String::from_utf8_lossy(output).into_owned())
}

/// The error that a tool marks as one, or that has an Entra code; tools write it to either output.
pub(super) fn error_in(written: &[u8]) -> Option<String> {
    let lines = lines(written);
    let named = lines
        .iter()
        .any(|line| after(line, "ERROR:").is_some() || code_in(line).is_some());
    named.then(|| last_error(&lines))
}

/// The error of a tool, for people.
pub(super) fn complaint(stderr: &[u8]) -> String {
    last_error(&lines(stderr))
}

/// The lines of an output, without colours, blank lines and warnings. `azd` wraps its lines in JSON.
fn lines(written: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Line {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        message: String,
    }
    let text = answer::plain(&text(written));
    let unwrapped = text.lines().map(|line| {
        serde_json::from_str(line).map_or_else(|_| line.to_owned(), |line: Line| line.data.message)
    });
    let text = unwrapped.collect::<Vec<_>>().join("\n");
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && after(line, "WARNING:").is_none());
    lines.map(str::to_owned).collect()
}

/// The last error without the text around it: both tools write `ERROR:` before one; an Entra code may be in a later
/// line.
fn last_error(lines: &[String]) -> String {
    let error = lines
        .iter()
        .rposition(|line| after(line, "ERROR:").is_some());
    let said = &lines[error.unwrap_or(0)..];
    let with_code = said.iter().find(|line| code_in(line).is_some());
    // A program without a marked error usually says last what failed.
    let last = if error.is_some() {
        said.first()
    } else {
        said.last()
    };
    let line = with_code.or(last);
    let line = line.map_or("it failed without an error message", |line| {
        after(line, "ERROR:").unwrap_or(line)
    });
    let line = without_secrets(&without_tokens(line.trim()));
    let line = clean(&line);
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}{CUT}", &line[..end]),
        None => line.into_owned(),
    }
}

/// The text after a word at the start of a line, in any case.
fn after<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = line.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_of_a_tool_counts_and_no_warning() {
        for (stderr, said) in [
            (
                "ERROR: Please run 'az login' to setup account.\nmore",
                "Please run 'az login' to setup account.",
            ),
            (
                "WARNING: in preview.\nERROR: AADSTS700082: The refresh token has expired.\nPlease run:\naz login\n",
                "AADSTS700082: The refresh token has expired.",
            ),
            (
                "\u{1b}[31mERROR: Traceback\u{1b}[0m\nERROR: no network\nWARNING: old",
                "no network",
            ),
            (
                "ERROR: fetching token:\n(invalid_grant) AADSTS50076: a second factor\n",
                "(invalid_grant) AADSTS50076: a second factor",
            ),
            (
                r#"{"type":"consoleMessage","data":{"message":"\nERROR: not logged in\n"}}"#,
                "not logged in",
            ),
            ("WARNING: old\nbroken\n", "broken"),
            ("a\u{202e}b\u{9b}c", "a·b·c"),
            ("WARNING: old\n", "it failed without an error message"),
            ("", "it failed without an error message"),
        ] {
            assert_eq!(complaint(stderr.as_bytes()), said, "{stderr}");
        }
        assert_eq!(
            complaint("x".repeat(5_000).as_bytes()).chars().count(),
            EXCERPT + 1
        );
        assert_eq!(complaint(b"\xff\xfeE\0R\0R\0O\0R\0:\0 \0n\0o\0"), "no");
    }

    #[test]
    fn a_program_that_breaks_says_last_what_was_wrong_and_no_token_is_repeated() {
        let broken = "Traceback (most recent call last):\n  File x\nModuleNotFoundError: No module named msal";
        let last = "ModuleNotFoundError: No module named msal";
        assert_eq!(complaint(broken.as_bytes()), last);
        let token = "ERROR: AADSTS50013: Assertion eyJ0.eyJh.c2ln failed";
        assert!(!complaint(token.as_bytes()).contains("eyJ"));
    }
}
