//! The interface between the Web API and all sign-in methods.

use std::fmt;

use futures_util::future::BoxFuture;
use http::HeaderValue;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::claims::Claims;
use super::{SignInError, check_audience};

/// A bearer token. It is never printed: `Debug` is redacted, and its header is marked sensitive.
#[derive(Clone)]
pub struct Bearer {
    secret: SecretString,
    /// Counts the tokens of its source.
    generation: u64,
    /// Its expiry, as the issuer said.
    end: Option<Timestamp>,
}

impl Bearer {
    /// Accepts a token. White space around it is removed.
    pub fn new(token: &str) -> Self {
        Self::of_generation(token, 0)
    }

    pub(super) fn of_generation(token: &str, generation: u64) -> Self {
        Self {
            secret: SecretString::from(token.trim()),
            generation,
            end: None,
        }
    }

    pub(super) fn with_end(self, end: Option<Timestamp>) -> Self {
        Self { end, ..self }
    }

    /// Its expiry; its own claim has precedence.
    pub(super) fn end(&self) -> Option<Timestamp> {
        let claimed = Claims::of(self.secret.expose_secret()).and_then(|claims| claims.expires);
        claimed.or(self.end)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Refuses an address that the token, by its own claims, is not for.
    pub fn check(&self, address: &Url) -> Result<(), SignInError> {
        check_audience(self.secret.expose_secret(), address).map_err(|wrong| {
            SignInError::WrongAudience {
                wrong: Box::new(wrong),
                scope: scope(address),
            }
        })
    }

    /// Why a server refused the token, where the token's claims explain it: it has expired, by the server's clock or by
    /// ours, or its validity has not begun by the server's clock.
    pub(super) fn why_refused(
        &self,
        address: &Url,
        answered: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<SignInError> {
        let begin = Claims::of(self.secret.expose_secret()).and_then(|claims| claims.begins);
        if let (Some(begin), Some(answered)) = (begin, answered)
            && begin > answered
        {
            return Some(SignInError::TokenNotYet { begin, answered });
        }
        let end = self.end()?;
        let over = end <= now || answered.is_some_and(|answered| end <= answered);
        over.then(|| SignInError::TokenExpired {
            end,
            scope: scope(address),
        })
    }

    /// The value of the `Authorization` header.
    pub fn header(&self) -> Result<HeaderValue, SignInError> {
        let text = format!("Bearer {}", self.secret.expose_secret());
        let mut value = HeaderValue::try_from(text).map_err(|_| SignInError::NotAToken)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// The scope of a token for an address, as tools take it.
pub(super) fn scope(address: &Url) -> String {
    format!("{}/.default", address.origin().ascii_serialization())
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(..)")
    }
}

/// A sign-in method.
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// A token that is valid now. Sources cache theirs and renew it early.
    fn bearer(&self) -> BoxFuture<'_, Result<Bearer, SignInError>>;

    /// The server refused this token, and the next one has to be another one.
    ///
    /// Returns whether there can be another one: once after a refusal, and not again if the new one is
    /// refused too. Several workers may report the same token; that counts as one refusal.
    fn refused(&self, bearer: &Bearer) -> bool;

    /// How this signs in, for people. It contains no secret.
    fn describe(&self) -> String;

    /// Whom or what a wait for a token is for, as [`Self::describe`] names it.
    fn waits_for(&self) -> Option<String> {
        None
    }

    /// Whether AD FS signed the caller in, so that the server is an on-premises one.
    fn is_on_premises(&self) -> bool {
        false
    }
}
