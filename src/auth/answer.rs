//! Reads what a tool that issues tokens writes: with colours, warnings around it, and times in several forms.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::claims::{Claims, seconds};

/// Positions at which an answer may begin, at most: a tool writes a few lines before it, not a hundred.
const BEGINNINGS: usize = 100;
/// How often an answer may be quoted as a JSON string: once by a pipeline's variable, and once by its expression.
const QUOTED: usize = 2;

/// A token with its expiry time.
#[derive(Debug)]
pub(super) struct Handed {
    pub(super) token: SecretString,
    /// `None` where the answer does not say it.
    pub(super) ends: Option<Timestamp>,
}

/// The answers of `az`, `azd`, `Get-AzAccessToken` and the token services. Names and forms differ with their versions:
/// `expires_on` is a number in `az`, text in `az` with a managed identity, and text with decimals in others.
#[derive(Deserialize)]
struct Answer {
    #[serde(
        rename = "accessToken",
        alias = "access_token",
        alias = "token",
        alias = "Token"
    )]
    token: SecretString,
    #[serde(default)]
    expires_on: Value,
    #[serde(default, rename = "expiresOn", alias = "ExpiresOn")]
    expires_at: Value,
}

impl Answer {
    fn ends(&self, zone: &TimeZone) -> Option<Timestamp> {
        let text = self.expires_at.as_str().map(str::trim);
        let with_zone = || text?.parse().ok();
        let claimed = || Claims::of(self.token.expose_secret())?.expires;
        // `az` before 2.54 gives local time without a zone.
        let local = || {
            let time: DateTime = text?.parse().ok()?;
            zone.to_timestamp(time).ok()
        };
        seconds(&self.expires_on)
            .or_else(with_zone)
            .or_else(claimed)
            .or_else(local)
    }
}

/// Finds the token in the output of a tool; `zone` is this machine's time zone. The whole answer may be quoted as a
/// JSON string, as pipelines pass it on.
pub(super) fn find(output: &str, zone: &TimeZone) -> Option<Handed> {
    let mut output = plain(output);
    for _ in 0..QUOTED {
        if let Some(handed) = find_unquoted(&output, zone) {
            return Some(handed);
        }
        output = unquoted(&output)?;
    }
    find_unquoted(&output, zone)
}

/// The content of a JSON string, with or without the quotation marks around it.
fn unquoted(text: &str) -> Option<String> {
    let text = text.trim();
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    serde_json::from_str(&format!("\"{}\"", inner.unwrap_or(text))).ok()
}

fn find_unquoted(output: &str, zone: &TimeZone) -> Option<Handed> {
    let beginnings = output.match_indices('{').map(|(at, _)| at);
    let answer = beginnings.take(BEGINNINGS).find_map(|at| {
        let mut values = serde_json::Deserializer::from_str(&output[at..]).into_iter::<Answer>();
        let answer = values.next()?.ok()?;
        (!answer.token.expose_secret().trim().is_empty()).then_some(answer)
    })?;
    Some(Handed {
        ends: answer.ends(zone),
        token: answer.token,
    })
}

/// Text without terminal colours, which some tools write to pipes too.
pub(super) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::claims::tests::token;
    use proptest::prelude::*;
    use serde_json::json;

    const END: i64 = 1_795_600_000;

    fn read(output: &str) -> Option<(String, Option<i64>)> {
        let handed = find(output, &TimeZone::fixed(jiff::tz::offset(1)))?;
        let ends = handed.ends.map(Timestamp::as_second);
        Some((handed.token.expose_secret().to_owned(), ends))
    }

    #[test]
    fn a_token_is_found_among_colours_and_warnings() {
        let answer =
            r#"{"accessToken": "eyJ0.eyJ9.x", "expires_on": 1795600000, "tokenType": "Bearer"}"#;
        let coloured = answer.replace("\"eyJ0", "\u{1b}[33m\"eyJ0");
        for output in [
            answer.to_owned(),
            format!("{answer}\n\u{1b}[0m"),
            format!("WARNING: You have 2 updates available.\n{answer}"),
            format!("WARNING: {{\"a\": 1}} {{ is odd\n{answer}\nWARNING: {{}}"),
            format!("\u{1b}[36m{coloured}\u{1b}[39m\r\n"),
        ] {
            assert_eq!(
                read(&output),
                Some(("eyJ0.eyJ9.x".into(), Some(END))),
                "{output}"
            );
        }
        for output in [
            "",
            "canary",
            "{}",
            "{\"accessToken\": \"\"}",
            "{\"accessToken\": 7}",
        ] {
            assert_eq!(read(output), None, "{output}");
        }
    }

    #[test]
    fn the_end_is_read_in_every_form_that_tools_write() {
        let claims = token(&json!({ "exp": END }));
        for (answer, ends) in [
            (json!({ "accessToken": "a", "expires_on": END }), Some(END)),
            (
                json!({ "accessToken": "a", "expires_on": "1795600000" }),
                Some(END),
            ),
            (
                json!({ "accessToken": "a", "expires_on": "1795600000.5" }),
                Some(END),
            ),
            (
                json!({ "access_token": "a", "expires_on": 1_795_600_000.25 }),
                Some(END),
            ),
            (
                json!({ "token": "a", "expiresOn": "2026-11-25T11:46:40Z" }),
                Some(1_795_607_200),
            ),
            (
                json!({ "Token": "a", "ExpiresOn": "2026-11-25T11:46:40+02:00" }),
                Some(END),
            ),
            // What the token says of itself counts more than a time without a zone.
            (
                json!({ "accessToken": claims, "expiresOn": "2026-01-01 00:00:00.000000" }),
                Some(END),
            ),
            (
                json!({ "accessToken": "a", "expiresOn": "2026-11-25 10:46:40.000000" }),
                Some(END),
            ),
            (
                json!({ "accessToken": "a", "expiresOn": {"DateTime": "x"} }),
                None,
            ),
            (json!({ "accessToken": "a" }), None),
        ] {
            assert_eq!(read(&answer.to_string()).unwrap().1, ends, "{answer}");
        }
    }

    proptest! {
        #[test]
        fn no_output_makes_the_reading_panic(output in any::<String>()) {
            let _ = read(&output);
            let _ = read(&format!("{output}{{\"token\":\"a\"}}"));
        }
    }
}
