//! A bearer token that somebody else obtained, used as it is.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::{Bearer, SignInError, TokenSource};

/// A token from `SYNCFILTERS_ACCESS_TOKEN`. It cannot be renewed.
#[derive(Debug)]
pub struct GivenToken(Bearer);

impl GivenToken {
    /// Takes the token; refuses an empty one and one that cannot stand in a header.
    pub fn new(token: &str) -> Result<Self, SignInError> {
        if token.trim().is_empty() {
            return Err(SignInError::Missing);
        }
        let bearer = Bearer::new(token);
        bearer.header()?;
        Ok(Self(bearer))
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
        for token in ["", "  \n", "two\nlines"] {
            assert!(GivenToken::new(token).is_err(), "{token:?}");
        }
    }
}
