//! What the Web API needs from any sign-in method.

use std::fmt;

use futures_util::future::BoxFuture;
use http::HeaderValue;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::claims::Claims;
use super::{SignInError, check_audience};

/// A bearer token. Never printed: its `Debug` is redacted, and the header made of it is marked sensitive.
#[derive(Clone)]
pub struct Bearer {
    secret: SecretString,
    /// How many tokens its source had handed out before this one.
    generation: u64,
    /// When it ends, as whoever handed it out said.
    end: Option<Timestamp>,
}

impl Bearer {
    /// Takes a token as it came; surrounding white space is no part of it.
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

    /// When it ends: what it says of itself counts most.
    pub(super) fn end(&self) -> Option<Timestamp> {
        let claimed = Claims::of(self.secret.expose_secret()).and_then(|claims| claims.expires);
        claimed.or(self.end)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Refuses an address that the token is not for, by what it says of itself.
    pub fn check(&self, address: &Url) -> Result<(), SignInError> {
        check_audience(self.secret.expose_secret(), address).map_err(|wrong| {
            SignInError::WrongAudience {
                wrong: Box::new(wrong),
                scope: scope(address),
            }
        })
    }

    /// Why a server refused the token, where its own words say it: it has ended, by the server's clock or by ours, or
    /// does not begin before later by the server's clock.
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

/// The scope of a token for an address, as tools want it.
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
    /// A token that is good now. Sources keep theirs and renew it early.
    fn bearer(&self) -> BoxFuture<'_, Result<Bearer, SignInError>>;

    /// The server would not take this token: the next one has to be another.
    ///
    /// Answers whether there can be another one: once after a refusal, and not again when the new one is
    /// refused too. Many workers may bring back the same token; that counts as one refusal.
    fn refused(&self, bearer: &Bearer) -> bool;

    /// How this signs in, for people, without any secret.
    fn describe(&self) -> String;

    /// Who is being waited for, as [`Self::describe`] calls it, while a token is being obtained.
    fn waits_for(&self) -> Option<String> {
        None
    }

    /// Whether an AD FS vouches for the caller, so that the server is one of the customer's own.
    fn is_on_premises(&self) -> bool {
        false
    }
}
