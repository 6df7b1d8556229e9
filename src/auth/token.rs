//! An access token with its lifetime, and when to renew it.

use std::fmt;
use std::time::Duration;

use oauth2::TokenResponse;
use oauth2::basic::BasicTokenResponse;
use secrecy::SecretString;
use tokio::time::Instant;

/// The lifetime of a token whose provider does not say it: the shortest that can be configured in Entra ID (Microsoft:
/// "Configurable token lifetimes").
const UNKNOWN_LIFETIME: Duration = Duration::from_mins(10);
/// How long before its end a token is renewed, at most: the provider may then be unavailable for five minutes.
const EARLY: Duration = Duration::from_mins(5);
/// How long before its end a token is no longer used: it has to be valid on arrival, by the server's clock.
const TOO_LATE: Duration = Duration::from_secs(30);
/// The pause after an early renewal that failed: there are ten attempts before the token ends.
const PAUSE: Duration = Duration::from_secs(30);

/// The result of a sign-in.
pub(super) struct Token {
    pub(super) access: SecretString,
    pub(super) lifetime: Duration,
    pub(super) refresh: Option<SecretString>,
}

impl Token {
    pub(super) fn new(access: &str, lifetime: Option<Duration>) -> Self {
        Self {
            access: SecretString::from(access.trim()),
            lifetime: lifetime.unwrap_or(UNKNOWN_LIFETIME),
            refresh: None,
        }
    }
}

impl From<BasicTokenResponse> for Token {
    fn from(answer: BasicTokenResponse) -> Self {
        let mut token = Self::new(answer.access_token().secret(), answer.expires_in());
        let refresh = answer.refresh_token();
        token.refresh = refresh.map(|refresh| SecretString::from(refresh.secret().as_str()));
        token
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(.., {} s)", self.lifetime.as_secs())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    renew_at: Instant,
    ends_at: Instant,
}

/// Whether a token can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    /// It is valid, but the next one should be requested.
    Aging,
    /// It is no longer valid.
    Dead,
}

impl Times {
    /// A token received at `now`. It is renewed five minutes before its end, or after four fifths of a short lifetime.
    pub(super) fn new(now: Instant, lifetime: Duration) -> Self {
        Self {
            renew_at: now + lifetime - EARLY.min(lifetime / 5),
            ends_at: now + lifetime - TOO_LATE.min(lifetime / 10),
        }
    }

    pub(super) fn age(self, now: Instant) -> Age {
        if now >= self.ends_at {
            Age::Dead
        } else if now >= self.renew_at {
            Age::Aging
        } else {
            Age::Fresh
        }
    }

    /// An early renewal failed: the present token is still valid, so the next attempt comes a little later.
    pub(super) fn renewal_failed(&mut self, now: Instant) {
        self.renew_at = now + PAUSE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_token_is_renewed_before_its_end_and_not_used_up_to_it() {
        let start = Instant::now();
        let times = Times::new(start, MINUTE * 60);
        assert_eq!(times.age(start), Age::Fresh);
        assert_eq!(times.age(start + MINUTE * 54), Age::Fresh);
        assert_eq!(times.age(start + MINUTE * 55), Age::Aging);
        assert_eq!(times.age(start + MINUTE * 60 - TOO_LATE), Age::Dead);
    }

    #[test]
    fn a_token_with_a_short_life_is_used_for_most_of_it() {
        let start = Instant::now();
        let times = Times::new(start, Duration::from_secs(10));
        assert_eq!(times.age(start + Duration::from_secs(7)), Age::Fresh);
        assert_eq!(times.age(start + Duration::from_secs(8)), Age::Aging);
        assert_eq!(times.age(start + Duration::from_secs(9)), Age::Dead);
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::new("canary", None);
        assert!(!format!("{token:?}").contains("canary"));
    }
}
