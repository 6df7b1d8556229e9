//! A web server on loopback that wants Windows authentication of every connection, in front of the
//! sandbox. The server's side of the handshakes is that of the `sspi` crate.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sspi::ntlm::NtlmConfig;
use sspi::{
    AuthIdentity, BufferType, CredentialUse, DataRepresentation, Negotiate, NegotiateConfig, Ntlm,
    Secret, SecurityBuffer, SecurityStatus, ServerRequestFlags, Sspi, SspiImpl, Username,
};
use syncfilters::sandbox::Sandbox;

/// The user that there is.
pub(crate) const USER: &str = "CONTOSO\\svc";
/// The password that is right, until another is.
pub(crate) const PASSWORD: &str = "canary-password";

/// The server.
#[derive(Clone)]
pub(crate) struct Iis {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

struct Inner {
    upstream: String,
    token: String,
    http: reqwest::Client,
    offers: Vec<&'static str>,
    password: Mutex<String>,
    connections: Mutex<HashMap<SocketAddr, Connection>>,
    counts: Counts,
    /// Every so many requests, a connection that has served one is signed out before the next is looked at.
    forgets_every: AtomicUsize,
    /// After so many requests all connections are signed out, and the password is another.
    changes_after: AtomicUsize,
    /// Every connection is signed out after the request that signed it in.
    keeps_nothing: AtomicBool,
    /// The user as whom nothing is answered, whoever has signed in.
    refuses: Mutex<Vec<String>>,
}

/// What happened so far.
#[derive(Default)]
pub(crate) struct Counts {
    /// Proofs of a password that arrived.
    pub(crate) proofs: AtomicUsize,
    /// Those that were right.
    pub(crate) accepted: AtomicUsize,
    /// Requests over connections that were signed in.
    pub(crate) requests: AtomicUsize,
    /// Changes that lost their body on the way.
    pub(crate) empty_changes: AtomicUsize,
    /// Requests that were turned away although their connection had been signed in.
    pub(crate) forgotten: AtomicUsize,
}

enum Connection {
    Talking(Package),
    SignedIn { served: bool },
}

enum Package {
    Ntlm(Box<Ntlm>),
    Negotiate(Box<Negotiate>),
}

/// What the server says to one message of a handshake.
enum Said {
    Next(Vec<u8>),
    Accepted,
    Refused,
}

impl Iis {
    pub(crate) async fn start(sandbox: &Sandbox, offers: &[&'static str]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let http = syncfilters::auth::client_builder().no_proxy().no_gzip();
        let server = Self {
            url,
            inner: Arc::new(Inner {
                upstream: sandbox.url().trim_end_matches('/').to_owned(),
                token: sandbox.token().to_owned(),
                http: http.build().unwrap(),
                offers: offers.to_vec(),
                password: Mutex::new(PASSWORD.to_owned()),
                connections: Mutex::default(),
                counts: Counts::default(),
                forgets_every: AtomicUsize::new(usize::MAX),
                changes_after: AtomicUsize::new(usize::MAX),
                keeps_nothing: AtomicBool::new(false),
                refuses: Mutex::default(),
            }),
        };
        let inner = Arc::clone(&server.inner);
        let answer = move |ConnectInfo(from): ConnectInfo<SocketAddr>,
                           method: Method,
                           uri: Uri,
                           headers: HeaderMap,
                           body: Bytes| {
            let inner = Arc::clone(&inner);
            async move { inner.answer(from, method, &uri, headers, body).await }
        };
        let router = axum::Router::new().fallback(answer);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        server
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.inner.counts
    }

    pub(crate) fn forget_every(&self, requests: usize) {
        self.inner.forgets_every.store(requests, Ordering::Relaxed);
    }

    pub(crate) fn change_password_after(&self, requests: usize) {
        self.inner.changes_after.store(requests, Ordering::Relaxed);
    }

    pub(crate) fn set_password(&self, password: &str) {
        password.clone_into(&mut self.inner.password.lock().unwrap());
        self.inner.connections.lock().unwrap().clear();
    }

    /// Answers 401 to everything that is asked as this user.
    pub(crate) fn refuse(&self, user: &str) {
        self.inner.refuses.lock().unwrap().push(user.to_owned());
    }

    pub(crate) fn keep_nothing(&self) {
        self.inner.keeps_nothing.store(true, Ordering::Relaxed);
    }
}

impl Inner {
    async fn answer(
        &self,
        from: SocketAddr,
        method: Method,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Response {
        if let Some(value) = headers.get("authorization") {
            let (scheme, message) = value.to_str().unwrap().split_once(' ').unwrap();
            let message = STANDARD.decode(message).unwrap();
            match self.handshake(from, scheme, message) {
                Said::Accepted => {}
                Said::Next(token) => {
                    return challenge(&[format!("{scheme} {}", STANDARD.encode(token))]);
                }
                Said::Refused => return self.unauthorized(),
            }
        } else if !self.is_signed_in(from) {
            return self.unauthorized();
        }
        let refused = self.refuses.lock().unwrap().clone();
        let is_refused = |value: &axum::http::HeaderValue| {
            refused
                .iter()
                .any(|user| value.as_bytes() == user.as_bytes())
        };
        let acts_as = ["mscrmcallerid", "callerobjectid"].map(|name| headers.get(name));
        if acts_as.into_iter().flatten().any(is_refused) {
            self.counts.requests.fetch_add(1, Ordering::Relaxed);
            return self.unauthorized();
        }
        self.forward(method, uri, headers, body).await
    }

    fn unauthorized(&self) -> Response {
        let offers = self.offers.iter().map(|offer| (*offer).to_owned());
        challenge(&offers.collect::<Vec<_>>())
    }

    fn is_signed_in(&self, from: SocketAddr) -> bool {
        let count = self.counts.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let mut connections = self.connections.lock().unwrap();
        if count == self.changes_after.load(Ordering::Relaxed) {
            *self.password.lock().unwrap() = "another".into();
            connections.clear();
        }
        let due = count.is_multiple_of(self.forgets_every.load(Ordering::Relaxed));
        match connections.get_mut(&from) {
            Some(Connection::SignedIn { served: true }) if due => {
                connections.remove(&from);
                self.counts.forgotten.fetch_add(1, Ordering::Relaxed);
                false
            }
            Some(Connection::SignedIn { served }) => {
                *served = true;
                true
            }
            _ => false,
        }
    }

    fn handshake(&self, from: SocketAddr, scheme: &str, message: Vec<u8>) -> Said {
        let identity = AuthIdentity {
            username: Username::parse(USER).unwrap(),
            password: Secret::new(self.password.lock().unwrap().clone()),
        };
        let talking = self.connections.lock().unwrap().remove(&from);
        let (mut package, proof) = match talking {
            Some(Connection::Talking(package)) => (package, true),
            _ if scheme == "NTLM" => (Package::Ntlm(Box::default()), false),
            _ => (
                Package::Negotiate(Box::new(negotiate(identity.clone()))),
                false,
            ),
        };
        if proof {
            self.counts.proofs.fetch_add(1, Ordering::Relaxed);
        }
        let said = package.step(&identity, message);
        let now = match &said {
            Said::Next(_) => Connection::Talking(package),
            Said::Accepted => {
                self.counts.accepted.fetch_add(1, Ordering::Relaxed);
                Connection::SignedIn { served: false }
            }
            Said::Refused => return said,
        };
        if !(matches!(now, Connection::SignedIn { .. })
            && self.keeps_nothing.load(Ordering::Relaxed))
        {
            self.connections.lock().unwrap().insert(from, now);
        }
        said
    }

    /// Passes the request on to the sandbox, and its answer back.
    async fn forward(
        &self,
        method: Method,
        uri: &Uri,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Response {
        if method != Method::GET && body.is_empty() {
            self.counts.empty_changes.fetch_add(1, Ordering::Relaxed);
        }
        headers.remove("content-length");
        let token = format!("Bearer {}", self.token);
        headers.insert("authorization", token.parse().unwrap());
        let url = format!("{}{uri}", self.upstream);
        let request = self.http.request(method, url).headers(headers).body(body);
        let answer = request.send().await.unwrap();
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        for own in ["transfer-encoding", "content-length", "connection"] {
            headers.remove(own);
        }
        (status, headers, answer.bytes().await.unwrap()).into_response()
    }
}

impl Package {
    fn step(&mut self, identity: &AuthIdentity, message: Vec<u8>) -> Said {
        let result = match self {
            Self::Ntlm(ntlm) => {
                let mut handle = ntlm
                    .acquire_credentials_handle()
                    .with_credential_use(CredentialUse::Inbound)
                    .with_auth_data(identity)
                    .execute(&mut **ntlm)
                    .unwrap()
                    .credentials_handle;
                accept(&mut **ntlm, &mut handle, message)
            }
            Self::Negotiate(negotiate) => accept(&mut **negotiate, &mut None, message),
        };
        match result {
            Ok((SecurityStatus::ContinueNeeded, token)) => Said::Next(token),
            Ok((SecurityStatus::Ok, _)) => Said::Accepted,
            Ok((status, _)) => panic!("{status:?}"),
            Err(_) => Said::Refused,
        }
    }
}

fn negotiate(identity: AuthIdentity) -> Negotiate {
    let config = NegotiateConfig::new(
        Box::new(NtlmConfig::default()),
        Some("!kerberos,!pku2u,ntlm".into()),
        "iis".into(),
    );
    Negotiate::new_server(config, vec![identity]).unwrap()
}

fn accept<P: Sspi + SspiImpl>(
    package: &mut P,
    handle: &mut P::CredentialsHandle,
    message: Vec<u8>,
) -> sspi::Result<(SecurityStatus, Vec<u8>)> {
    let mut input = vec![SecurityBuffer::new(message, BufferType::Token)];
    let mut output = vec![SecurityBuffer::new(Vec::new(), BufferType::Token)];
    let builder = package
        .accept_security_context()
        .with_credentials_handle(handle)
        .with_context_requirements(ServerRequestFlags::ALLOCATE_MEMORY)
        .with_target_data_representation(DataRepresentation::Native)
        .with_input(&mut input)
        .with_output(&mut output);
    let accepted = package.accept_security_context_impl(builder)?;
    let mut status = { accepted }.resolve_to_result()?.status;
    if status == SecurityStatus::CompleteNeeded {
        status = package.complete_auth_token(&mut output)?;
    }
    Ok((status, output.swap_remove(0).buffer))
}

fn challenge(offers: &[String]) -> Response {
    let text = "<html>401 - Unauthorized: Access is denied due to invalid credentials.</html>";
    let mut response = (StatusCode::UNAUTHORIZED, text).into_response();
    for offer in offers {
        let value = offer.parse().unwrap();
        response.headers_mut().append("www-authenticate", value);
    }
    response
}
