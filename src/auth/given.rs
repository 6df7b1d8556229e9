//! A bearer token that was obtained elsewhere, used as it is.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::answer;
use super::source::scope;
use super::{Bearer, SignInError, TokenSource};

/// How far the clock of this machine may be ahead before a valid token is taken for an expired one: what Microsoft's
/// libraries allow between two machines. A token that ended within that time is sent, and the server's refusal is
/// explained from its claims ([`Bearer::why_refused`]).
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A token from `SYNCFILTERS_ACCESS_TOKEN`. It cannot be renewed.
#[derive(Debug)]
pub struct GivenToken(Bearer);

impl GivenToken {
    /// Accepts a token as people and tools pass it on: also after `Bearer`, in quotation marks, or within the
    /// JSON answer of `az` or `azd`. Refuses an empty one and one that cannot be put into a header.
    pub fn new(text: &str) -> Result<Self, SignInError> {
        let (token, end) = read(text)?;
        Self::of(&token, end)
    }

    /// As [`Self::new`]; also refuses a token that by its own claims is not for this address or this time.
    pub fn for_address(text: &str, address: &Url, now: Timestamp) -> Result<Self, SignInError> {
        let (token, end) = read(text)?;
        let bearer = Bearer::new(token.expose_secret()).with_end(end);
        if let Some(end) = bearer.end().filter(|end| now.duration_since(*end) > SKEW) {
            return Err(SignInError::TokenExpired {
                end,
                scope: scope(address),
            });
        }
        bearer.check(address)?;
        Self::of(&token, end)
    }

    fn of(token: &SecretString, end: Option<Timestamp>) -> Result<Self, SignInError> {
        if token.expose_secret().is_empty() {
            return Err(SignInError::Missing);
        }
        // RFC 6750 2.1 allows nothing else in a token, though a header does.
        if !token.expose_secret().bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SignInError::NotAToken);
        }
        let bearer = Bearer::new(token.expose_secret()).with_end(end);
        bearer.header()?;
        Ok(Self(bearer))
    }
}

/// The token in a text, and its expiry where the text says it.
fn read(text: &str) -> Result<(SecretString, Option<Timestamp>), SignInError> {
    let text = bare(text);
    if text.is_empty() {
        return Err(SignInError::Missing);
    }
    if text.contains('{') {
        let handed = answer::find(text, &TimeZone::system()).ok_or(SignInError::NotAToken)?;
        let token = SecretString::from(bare(handed.token.expose_secret()));
        return Ok((token, handed.ends));
    }
    Ok((SecretString::from(text), None))
}

/// A token without the characters that people copy with it.
fn bare(text: &str) -> &str {
    let mut text = text;
    loop {
        let before = text;
        text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        for quote in ['"', '\''] {
            if let Some(inner) = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)) {
                text = inner;
            }
        }
        for word in ["Authorization:", "Bearer"] {
            if let Some((head, rest)) = text.split_at_checked(word.len())
                && head.eq_ignore_ascii_case(word)
                && !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.')
            {
                text = rest;
            }
        }
        if text == before {
            return text;
        }
    }
}

impl TokenSource for GivenToken {
    fn bearer(&self) -> BoxFuture<'_, Result<Bearer, SignInError>> {
        ready(Ok(self.0.clone())).boxed()
    }

    fn refused(&self, _: &Bearer) -> bool {
        false
    }

    fn describe(&self) -> String {
        "a given access token".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::claims::tests::token;
    use serde_json::json;

    fn header(text: &str) -> Result<String, SignInError> {
        let header = GivenToken::new(text)?.0.header()?;
        Ok(header.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = GivenToken::new("canary-4711\n").unwrap();
        let header = token.0.header().unwrap();
        let printed = format!("{token:?} {header:?} {}", token.describe());
        assert!(!printed.contains("canary"), "{printed}");
        assert_eq!(header.to_str().unwrap(), "Bearer canary-4711");
    }

    #[test]
    fn an_empty_or_broken_token_is_refused_before_any_request() {
        for token in [
            "",
            "  \n",
            "two\nlines",
            "\"\"",
            "Bearer ",
            "\u{feff}",
            "{}",
            r#""{\"accessToken\": 7}""#,
            r#""{\"accessToken\": \"\"}""#,
            r#""{\"accessToken""#,
            "Zoë",
        ] {
            assert!(GivenToken::new(token).is_err(), "{token:?}");
        }
    }

    #[test]
    fn a_token_is_taken_as_people_and_tools_hand_it_over() {
        for text in [
            "a.b-_~+/=",
            "Bearer a.b-_~+/=",
            "bearer   a.b-_~+/=\r\n",
            "\"a.b-_~+/=\"",
            "'Bearer a.b-_~+/='",
            "Bearer \"a.b-_~+/=\"",
            "Authorization: Bearer a.b-_~+/=",
            "\u{feff}a.b-_~+/=",
            "{\"accessToken\": \"a.b-_~+/=\", \"expires_on\": 1795600000}",
            "WARNING: old\n{\"token\": \"a.b-_~+/=\"}\n",
            // As a variable of a pipeline holds it, in JSON itself.
            r#""{\"accessToken\": \"a.b-_~+/=\", \"expires_on\": 1795600000}""#,
            r#"'"{\n  \"accessToken\": \"a.b-_~+\/=\"\n}\n"'"#,
            r#"{\"accessToken\": \"a.b-_~+/=\"}"#,
            r#""\"{\\\"token\\\": \\\"a.b-_~+/=\\\"}\"""#,
        ] {
            assert_eq!(header(text).unwrap(), "Bearer a.b-_~+/=", "{text}");
        }
    }

    #[test]
    fn a_refused_token_that_has_ended_is_told_from_its_claims() {
        let now = Timestamp::from_second(1_795_600_000).unwrap();
        let seconds = SignedDuration::from_secs;
        let address = Url::parse("https://contoso.crm4.dynamics.com/").unwrap();
        let ends = |end: i64| GivenToken::new(&token(&json!({ "exp": end }))).unwrap().0;
        let why = |token: &Bearer, answered| token.why_refused(&address, answered, now);
        for ended in [ends(1_795_600_000), ends(1_795_599_940)] {
            assert_eq!(why(&ended, None).unwrap().kind(), "token-expired");
        }
        // By the clock of the server, where ours is late.
        let early = ends(1_795_600_030);
        assert!(why(&early, Some(now + seconds(60))).is_some());
        assert!(why(&early, Some(now)).is_none() && why(&early, None).is_none());
        let opaque = r#"{"accessToken": "opaque", "expires_on": 1795599970}"#;
        assert!(why(&GivenToken::new(opaque).unwrap().0, None).is_some());
        assert!(why(&GivenToken::new("opaque").unwrap().0, None).is_none());
    }

    #[test]
    fn a_refused_token_that_is_not_good_yet_is_told_by_the_clock_of_the_server() {
        let now = Timestamp::from_second(1_795_600_000).unwrap();
        let address = Url::parse("https://contoso.crm4.dynamics.com/").unwrap();
        let claims = json!({ "nbf": 1_795_600_030, "exp": 1_795_603_600 });
        let early = GivenToken::new(&token(&claims)).unwrap().0;
        let why = |answered| early.why_refused(&address, answered, now);
        let said = why(Some(now)).unwrap();
        assert_eq!(said.kind(), "token-not-yet-valid");
        assert!(said.to_string().contains("the clock of the server"));
        assert!(why(None).is_none());
        assert!(why(Some(now + SignedDuration::from_mins(1))).is_none());
    }

    #[test]
    fn a_token_that_speaks_against_itself_is_refused_before_any_request() {
        let now = Timestamp::from_second(1_795_600_000).unwrap();
        let address = Url::parse("https://contoso.crm4.dynamics.com/").unwrap();
        let given = |text: &str| GivenToken::for_address(text, &address, now).map(drop);
        let claims = |ends: i64, audience: &str| token(&json!({ "exp": ends, "aud": audience }));
        let own = "https://contoso.crm4.dynamics.com";
        assert!(given("opaque").is_ok());
        assert!(given(&claims(1_795_603_600, own)).is_ok());
        // The clock may be ahead by some minutes.
        assert!(given(&claims(1_795_599_800, own)).is_ok());
        for expired in [
            claims(1_795_599_000, own),
            "{\"accessToken\": \"opaque\", \"expires_on\": \"1795599000\"}".to_owned(),
        ] {
            let error = given(&expired).unwrap_err();
            assert_eq!(error.kind(), "token-expired");
            assert!(error.to_string().contains("2026-11-25"), "{error}");
        }
        let bare = claims(1_795_603_600, "fabrikam.crm4.dynamics.com");
        assert_eq!(given(&bare).unwrap_err().kind(), "token-for-another-host");
        let other = claims(1_795_603_600, "https://fabrikam.crm4.dynamics.com");
        let error = given(&format!("Bearer {other}")).unwrap_err();
        assert_eq!(error.kind(), "token-for-another-host");
        assert!(error.to_string().contains("fabrikam.crm4"), "{error}");
        assert!(
            error
                .hint()
                .unwrap()
                .contains("--scope https://contoso.crm4.dynamics.com/.default")
        );
    }
}
