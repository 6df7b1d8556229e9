//! Sends requests to the environment, whether each request or each connection is signed in.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use url::Url;

use super::bounded_body::{LONGEST, read_whole};
use super::client::{self, TimeLimits};
#[cfg(feature = "on-premises")]
use super::windows::{LaneGuard, Windows};
use super::{Bearer, SendError, SignInError, TokenSource};

/// Idle connections that are kept: more than the platform's 52 requests at once, so that every request can reuse one.
const IDLE_CONNECTIONS: usize = 64;

/// The signed-in caller. Cheap to clone.
#[derive(Clone, Debug)]
pub enum SignedIn {
    /// Every request carries a token.
    Tokens(Arc<dyn TokenSource>),
    /// Every connection is signed in, with Windows authentication.
    #[cfg(feature = "on-premises")]
    Windows(Arc<Windows>),
}

impl From<Arc<dyn TokenSource>> for SignedIn {
    fn from(tokens: Arc<dyn TokenSource>) -> Self {
        Self::Tokens(tokens)
    }
}

impl<T: TokenSource + 'static> From<Arc<T>> for SignedIn {
    fn from(tokens: Arc<T>) -> Self {
        Self::Tokens(tokens)
    }
}

impl SignedIn {
    /// Signs in now: gets a token, or signs one connection in.
    pub async fn now(&self) -> Result<(), SignInError> {
        match self {
            Self::Tokens(tokens) => tokens.bearer().await.map(drop),
            #[cfg(feature = "on-premises")]
            Self::Windows(windows) => windows.now().await,
        }
    }

    /// Whether AD FS or Windows signed the caller in, so that the server is an on-premises one. Unknown, and
    /// therefore false, for a token that was obtained elsewhere.
    pub fn is_on_premises(&self) -> bool {
        match self {
            Self::Tokens(tokens) => tokens.is_on_premises(),
            #[cfg(feature = "on-premises")]
            Self::Windows(_) => true,
        }
    }

    /// Whom or what a wait for a token is for, as [`Self::describe`] names it.
    pub fn waits_for(&self) -> Option<String> {
        match self {
            Self::Tokens(tokens) => tokens.waits_for(),
            #[cfg(feature = "on-premises")]
            Self::Windows(_) => None,
        }
    }

    /// How this signs in, for people. It contains no secret.
    pub fn describe(&self) -> String {
        match self {
            Self::Tokens(tokens) => tokens.describe(),
            #[cfg(feature = "on-premises")]
            Self::Windows(windows) => windows.describe(),
        }
    }
}

/// The credential of one request.
#[derive(Debug)]
pub enum Credential {
    /// A bearer token.
    Bearer(Bearer),
    /// A signed-in connection, for as long as the request is under way.
    #[cfg(feature = "on-premises")]
    Connection(LaneGuard),
}

/// Sends requests to one environment as the signed-in caller.
#[derive(Debug)]
pub struct Transport(Kind);

#[derive(Debug)]
enum Kind {
    Tokens {
        http: reqwest::Client,
        tokens: Arc<dyn TokenSource>,
    },
    #[cfg(feature = "on-premises")]
    Windows(Arc<Windows>),
}

impl Credential {
    /// Refuses an address that this credential is not for, as far as that is known, before anything is sent.
    pub fn check(&self, address: &Url) -> Result<(), SignInError> {
        match self {
            Self::Bearer(bearer) => bearer.check(address),
            // A connection is signed in only at its own server.
            #[cfg(feature = "on-premises")]
            Self::Connection(_) => Ok(()),
        }
    }

    /// Why a server refused this, where the claims explain it. `answered` is the time of the server's answer.
    pub fn why_refused(&self, address: &Url, answered: Option<Timestamp>) -> Option<SignInError> {
        match self {
            Self::Bearer(bearer) => bearer.why_refused(address, answered, Timestamp::now()),
            #[cfg(feature = "on-premises")]
            Self::Connection(_) => None,
        }
    }
}

impl Transport {
    /// Makes the HTTP client for one server. Sends nothing. The time limits of signed-in connections
    /// were set when they were opened.
    pub fn new(
        signed_in: SignedIn,
        server: &Url,
        limits: TimeLimits,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self(match signed_in {
            SignedIn::Tokens(tokens) => Kind::Tokens {
                http: client::builder(server, limits)
                    .pool_max_idle_per_host(IDLE_CONNECTIONS)
                    .build()?,
                tokens,
            },
            #[cfg(feature = "on-premises")]
            SignedIn::Windows(windows) => Kind::Windows(windows),
        }))
    }

    /// The credential of the next request. Cancel safe.
    pub async fn credential(&self) -> Result<Credential, SignInError> {
        match &self.0 {
            Kind::Tokens { tokens, .. } => tokens.bearer().await.map(Credential::Bearer),
            #[cfg(feature = "on-premises")]
            Kind::Windows(windows) => windows.take().map(Credential::Connection),
        }
    }

    /// Sends one request, once, and reads the whole answer.
    ///
    /// A request that was answered with 401 because its connection was not signed in was not done: it is sent again
    /// after signing in.
    pub async fn send(
        &self,
        mut request: reqwest::Request,
        credential: &mut Credential,
    ) -> Result<Response<Bytes>, SendError> {
        match (&self.0, credential) {
            (Kind::Tokens { http, .. }, Credential::Bearer(bearer)) => {
                let headers = request.headers_mut();
                headers.insert(AUTHORIZATION, bearer.header()?);
                let answer = http.execute(request).await;
                read_whole(answer.map_err(SendError::Request)?, LONGEST).await
            }
            #[cfg(feature = "on-premises")]
            (Kind::Windows(windows), Credential::Connection(taken)) => {
                windows.send(&request, taken).await
            }
            #[cfg(feature = "on-premises")]
            (Kind::Tokens { .. }, Credential::Connection(_))
            | (Kind::Windows(_), Credential::Bearer(_)) => {
                let why = "the sign-in of another environment";
                Err(SignInError::unusable("sending a request", why).into())
            }
        }
    }

    /// The server refused the request for its sign-in. Returns whether another attempt can succeed.
    pub fn refused(&self, credential: &Credential) -> bool {
        match (&self.0, credential) {
            (Kind::Tokens { tokens, .. }, Credential::Bearer(bearer)) => tokens.refused(bearer),
            // The connection was signed in again before this answer was returned.
            #[cfg(feature = "on-premises")]
            _ => false,
        }
    }
}
