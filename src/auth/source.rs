//! What the Web API needs from any way of signing in.

use std::fmt;

use futures_util::future::BoxFuture;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// A bearer token. Never printed: its `Debug` is redacted, and the header made of it is marked sensitive.
#[derive(Clone)]
pub struct Bearer(SecretString);

impl Bearer {
    /// Takes a token as it came; surrounding white space is no part of it.
    pub fn new(token: &str) -> Self {
        Self(SecretString::from(token.trim()))
    }

    /// The value of the `Authorization` header.
    pub fn header(&self) -> Result<HeaderValue, SignInError> {
        let text = format!("Bearer {}", self.0.expose_secret());
        let mut value = HeaderValue::try_from(text).map_err(|_| SignInError::NotAToken)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(..)")
    }
}

/// A way of signing in.
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// A token that is good now. Sources keep theirs and renew it early.
    fn bearer(&self) -> BoxFuture<'_, Result<Bearer, SignInError>>;

    /// The server would not take the last token: the next one has to be new.
    ///
    /// Answers whether there can be a new one at all.
    fn refused(&self) -> bool;

    /// How this signs in, for people, without any secret.
    fn describe(&self) -> String;
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The text is not a token.
    #[error("the access token holds characters that no token has")]
    NotAToken,
    /// There is none.
    #[error("there is no access token")]
    Missing,
}
