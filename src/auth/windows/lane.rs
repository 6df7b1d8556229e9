//! One connection: signing it in, and sending requests over it.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Method, Response, StatusCode};
use hyper_util::client::legacy::connect::HttpInfo;
use reqwest::tls::TlsInfo;
use tracing::debug;
use url::Url;

use super::super::bounded_body::{LONGEST, read_whole};
use super::super::client::{self, TimeLimits};
use super::super::refusal::SignInRefusal;
use super::super::{SendError, SignInError};
use super::account::Account;
use super::binding;
use super::conversation::Conversation;
use super::legs::{self, Leg, Scheme};

/// The most legs of a handshake: NTLM has two, Negotiate may need one more.
const LEGS: usize = 4;
/// How often a handshake is started where the connection does not last for a whole one, as in `source`.
const BEGINNINGS: usize = 3;

/// What a handshake needs to know of its server.
#[derive(Debug)]
pub(super) struct LaneServer {
    pub(super) account: Account,
    pub(super) scheme: Scheme,
    /// The request of a handshake: cheap, and never a write.
    pub(super) probe: Url,
}

/// The one connection that the HTTP library keeps, identified by its local address where that is known.
type Connection = Option<SocketAddr>;

#[derive(Debug)]
pub(super) struct Lane {
    http: reqwest::Client,
    signed_in: bool,
}

/// A completely read answer: only then can its connection be used again.
#[derive(Debug)]
pub(super) struct LaneReply {
    response: Response<Bytes>,
    connection: Connection,
    /// The server's certificate, as DER.
    certificate: Option<Vec<u8>>,
}

/// How a handshake ended.
#[derive(Debug)]
pub(super) enum LaneOutcome {
    SignedIn,
    /// The server did not complete it now, and answered this instead.
    Answered(Response<Bytes>),
}

enum Handshake {
    Ended(LaneOutcome),
    /// The legs used different connections.
    Moved,
}

impl Lane {
    pub(super) fn new(probe: &Url) -> Result<Self, SignInError> {
        // IIS does not support Windows authentication over HTTP/2.
        let http = client::builder(probe, TimeLimits::default())
            .http1_only()
            .pool_max_idle_per_host(1)
            .tls_info(true)
            .build()
            .map_err(|error| SignInError::unusable("making a connection", error))?;
        Ok(Self {
            http,
            signed_in: false,
        })
    }

    pub(super) const fn is_signed_in(&self) -> bool {
        self.signed_in
    }

    /// Sends a request. A connection whose answer is 401, or missing, no longer counts as signed in.
    pub(super) async fn send(
        &mut self,
        request: reqwest::Request,
    ) -> Result<Response<Bytes>, SendError> {
        let signed_in = std::mem::take(&mut self.signed_in);
        let answer = self.exchange(request).await?.response;
        self.signed_in = signed_in && answer.status() != StatusCode::UNAUTHORIZED;
        Ok(answer)
    }

    /// Signs the connection in. `trusted` says whether the server accepted the password before.
    pub(super) async fn sign_in(
        &mut self,
        server: &LaneServer,
        trusted: bool,
    ) -> Result<LaneOutcome, SendError> {
        for _ in 0..BEGINNINGS {
            match self.handshake(server, trusted).await? {
                Handshake::Ended(outcome) => return Ok(outcome),
                Handshake::Moved => {}
            }
        }
        Err(not_kept(&server.probe).into())
    }

    async fn handshake(
        &mut self,
        server: &LaneServer,
        trusted: bool,
    ) -> Result<Handshake, SendError> {
        let host = server.probe.host_str().unwrap_or_default();
        let mut conversation = Conversation::new(server.scheme, server.account.identity(), host)?;
        let (mut said, mut bound, mut connection) = (None, None, None);
        for leg in 0..LEGS {
            let proved = leg > 0;
            let message = conversation.next(said.take(), bound.take())?;
            let answer = match self.exchange(leg_request(server, &message)?).await {
                Ok(answer) => answer,
                Err(SendError::Request(error)) if proved && !trusted => {
                    return Err(unproved(server, &error).into());
                }
                Err(SendError::Request(error)) => return Err(SendError::Connection(error)),
                Err(error) => return Err(error),
            };
            let moved = proved && answer.connection != connection;
            connection = answer.connection;
            let (status, headers) = (answer.response.status(), answer.response.headers());
            debug!(
                leg,
                status = status.as_u16(),
                moved,
                "signing in a connection"
            );
            match legs::read(server.scheme, proved, status, headers) {
                Leg::Accepted => {
                    self.signed_in = true;
                    return Ok(Handshake::Ended(LaneOutcome::SignedIn));
                }
                Leg::Next(token) => {
                    said = Some(token);
                    bound = answer.certificate.as_deref().map(binding::to_certificate);
                }
                Leg::Refused | Leg::NotOffered if moved => return Ok(Handshake::Moved),
                Leg::Refused => return Err(refused(server).into()),
                Leg::NotOffered => return Err(not_offered(server).into()),
                Leg::Other if proved && !trusted => {
                    return Err(unproved(server, &format_args!("status {status}")).into());
                }
                Leg::Other => return Ok(Handshake::Ended(LaneOutcome::Answered(answer.response))),
            }
        }
        let why = "the handshake does not come to an end";
        Err(SignInError::bad_answer(what(server), why).into())
    }

    async fn exchange(&self, request: reqwest::Request) -> Result<LaneReply, SendError> {
        let answer = self.http.execute(request).await;
        let answer = answer.map_err(SendError::Request)?;
        let seen = answer.extensions();
        let connection = seen.get::<HttpInfo>().map(HttpInfo::local_addr);
        let tls = seen.get::<TlsInfo>();
        let certificate = tls
            .and_then(|tls| tls.peer_certificate())
            .map(<[u8]>::to_vec);
        Ok(LaneReply {
            response: read_whole(answer, LONGEST).await?,
            connection,
            certificate,
        })
    }
}

/// One leg: the probe with one message of the handshake.
fn leg_request(server: &LaneServer, message: &[u8]) -> Result<reqwest::Request, SignInError> {
    let text = format!("{} {}", server.scheme.as_str(), STANDARD.encode(message));
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| SignInError::bad_answer(what(server), "the handshake cannot go on"))?;
    value.set_sensitive(true);
    let mut request = reqwest::Request::new(Method::GET, server.probe.clone());
    request.headers_mut().insert(AUTHORIZATION, value);
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(ACCEPT, json);
    Ok(request)
}

fn what(server: &LaneServer) -> String {
    format!("signing in to Windows as {}", server.account)
}

fn refused(server: &LaneServer) -> SignInError {
    let said = "the server does not accept this user with this password";
    SignInError::Refused {
        what: what(server),
        refusal: Box::new(SignInRefusal::plain("logon_denied", Some(said))),
        consent: None,
    }
}

/// The error where it is not known whether the password is right. Repeating a wrong one would lock the account.
fn unproved(server: &LaneServer, why: &dyn std::fmt::Display) -> SignInError {
    let why = format!(
        "the password was sent and not answered ({why}); it is not sent again by itself, so that the account is not locked"
    );
    SignInError::bad_answer(what(server), why)
}

fn not_offered(server: &LaneServer) -> SignInError {
    let scheme = server.scheme.as_str();
    SignInError::bad_answer(
        what(server),
        format!("the server does not go on with {scheme}"),
    )
}

/// The error where a signed-in connection is not accepted as one.
pub(super) fn not_kept(probe: &Url) -> SignInError {
    SignInError::NotKept {
        address: probe.origin().ascii_serialization(),
    }
}
