//! The one HTTP client of all sign-ins: no redirects, its own time limits, and repetition of temporary failures only.

use std::collections::HashSet;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::StatusCode;
use http::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use jiff::Timestamp;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use tracing::debug;
use url::Url;

use crate::model::last_cause;
use crate::pacing::{Facts, Repeat, RetryDecision, RetryPolicy, RetryState, Signal, classify};

use super::authority::is_safe;
use super::body;
use super::bounded_body::{mebibytes, read_whole};
use super::client::client_builder;
use super::proxy::{ProxyFault, goes_direct, wants_password};
use super::{SendError, SignInError};

/// How long making a connection may take, as for requests to the environment.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a request may take: providers answer within seconds, or within tens of seconds during a failover.
const WHOLE_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest answer that is read, in bytes; a token has a few kilobytes, with many groups some tens of kilobytes.
const LONGEST_ANSWER: usize = 1 << 20;

/// Retries at a token endpoint: somebody waits for the command to start, so the three pauses take less than 20 s in
/// all.
const PATIENCE: RetryPolicy = RetryPolicy {
    max_attempts: 4,
    base: Duration::from_millis(800),
    cap: Duration::from_secs(8),
    wait_allowance: Duration::from_mins(2),
    // A provider that asks for a longer wait is tried again by another command.
    outage_allowance: Duration::from_mins(1),
    bad_answer_allowance: Duration::from_mins(1),
};

/// Sends requests for tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Http {
    /// Uses the proxy, where there is one.
    world: reqwest::Client,
    /// Uses no proxy: for this machine, its metadata services, and hosts in `NO_PROXY`.
    direct: reqwest::Client,
    patience: RetryPolicy,
    /// Hosts that have answered once. For other hosts a failure to connect is more likely a wrong address than an
    /// outage.
    answered: Arc<Mutex<HashSet<String>>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach {host}: {why}")]
pub struct HttpError {
    /// The host that was asked.
    pub host: String,
    /// The innermost cause.
    pub why: String,
}

impl HttpError {
    pub(super) fn during(self, what: &str) -> SignInError {
        SignInError::Unreachable {
            what: what.to_owned(),
            host: self.host,
            why: self.why,
        }
    }
}

impl Http {
    /// Makes the clients. Sends nothing.
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self {
            world: builder().build()?,
            direct: builder().no_proxy().build()?,
            patience: PATIENCE,
            answered: Arc::default(),
        })
    }

    /// Uses other retries, for tests that cannot wait.
    #[must_use]
    pub fn with_patience(mut self, patience: RetryPolicy) -> Self {
        self.patience = patience;
        self
    }

    /// Sends a request to a provider: encrypted, or to this machine.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = Url::parse(&request.uri().to_string()).map_err(|error| HttpError {
            host: request.uri().host().unwrap_or_default().to_owned(),
            why: error.to_string(),
        })?;
        if !is_safe(&url) {
            return Err(HttpError {
                host: url.origin().ascii_serialization(),
                why: "it is not encrypted; nothing was sent".into(),
            });
        }
        let client = if goes_direct(&url) {
            &self.direct
        } else {
            &self.world
        };
        self.repeat(client, request, &url, |_| false).await
    }

    /// Sends a request to a metadata service of this machine. `passing` are statuses that are temporary there.
    pub(super) async fn send_to_machine(
        &self,
        request: HttpRequest,
        passing: fn(u16) -> bool,
    ) -> Result<HttpResponse, HttpError> {
        let url = Url::parse(&request.uri().to_string()).map_err(|error| HttpError {
            host: "the metadata service".into(),
            why: error.to_string(),
        })?;
        self.repeat(&self.direct, request, &url, passing).await
    }

    async fn repeat(
        &self,
        client: &reqwest::Client,
        request: HttpRequest,
        url: &Url,
        passing: fn(u16) -> bool,
    ) -> Result<HttpResponse, HttpError> {
        let repeat = if body::may_repeat(request.body()) {
            Repeat::Safe
        } else {
            Repeat::OnlyIfNotDone
        };
        let mut state = RetryState::new(self.patience);
        loop {
            let result = once(client, request.clone(), url).await;
            let seen = classify(&facts(&result, passing), Timestamp::now());
            let (host, path) = (url.host_str().unwrap_or_default(), url.path());
            let known = self.is_known(host, result.is_ok());
            let status = result.as_ref().map(|answer| answer.status().as_u16()).ok();
            debug!(host, path, status, "sign-in");
            let after = match (seen.signal, &result) {
                (Signal::Success | Signal::Neutral | Signal::Auth, _) => None,
                (_, Err(error)) if is_final(error, url) => None,
                _ => match state.decide(&seen, repeat, known, &mut rand::rng(), Instant::now()) {
                    RetryDecision::Retry { after } if after <= self.patience.wait_allowance => {
                        Some(after)
                    }
                    _ => None,
                },
            };
            match (after, result) {
                (Some(after), _) => tokio::time::sleep(after).await,
                (None, Ok(answer))
                    if answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED =>
                {
                    return Err(HttpError {
                        host: url.origin().ascii_serialization(),
                        why: wants_password(url).to_string(),
                    });
                }
                (None, Ok(mut answer)) => {
                    let sent = request.body();
                    let clean =
                        body::clean(answer.status(), std::mem::take(answer.body_mut()), sent);
                    *answer.body_mut() = clean;
                    return Ok(answer);
                }
                (None, Err(error)) => return Err(unanswered(url, &error)),
            }
        }
    }

    /// Whether this host has ever answered; `answers` says whether it does now.
    fn is_known(&self, host: &str, answers: bool) -> bool {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answers && !answered.contains(host) {
            answered.insert(host.to_owned());
        }
        answered.contains(host)
    }
}

/// Failures that a repetition does not cure: an answer that is too long, and a proxy's refusal of the password, which
/// must not be sent again.
fn is_final(error: &SendError, url: &Url) -> bool {
    let proxy = error.proxy_refusal(url);
    matches!(error, SendError::TooLong { .. } | SendError::SignIn(_))
        || proxy.is_some_and(|refusal| refusal.why == ProxyFault::Password)
}

fn builder() -> reqwest::ClientBuilder {
    client_builder()
        .user_agent(concat!("syncfilters/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(WHOLE_TIMEOUT)
        .pool_max_idle_per_host(1)
        // To an HTTP/2 request that needs Windows authentication, IIS answers with a reset and without a challenge.
        .http1_only()
}

async fn once(
    client: &reqwest::Client,
    request: HttpRequest,
    url: &Url,
) -> Result<HttpResponse, SendError> {
    let (parts, body) = request.into_parts();
    let mut headers = parts.headers;
    for (name, value) in &mut headers {
        if !matches!(name.as_str(), "accept" | "content-type" | "metadata") {
            value.set_sensitive(true);
        }
    }
    let mut request = client.request(parts.method, url.clone()).headers(headers);
    if !body.is_empty() {
        request = request.body(body);
    }
    let response = request.send().await.map_err(SendError::Request)?;
    let mut answer = read_whole(response, LONGEST_ANSWER).await?.map(Vec::from);
    // AD FS and proxies label JSON with several content types, so the content decides.
    if answer.status().is_success() && answer.body().first() == Some(&b'{') {
        let json = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(CONTENT_TYPE, json);
    }
    Ok(answer)
}

fn facts(result: &Result<HttpResponse, SendError>, passing: fn(u16) -> bool) -> Facts<'_> {
    match result {
        Ok(answer) => Facts {
            status: Some(match answer.status().as_u16() {
                status if passing(status) => 503,
                status => status,
            }),
            retry_after: text(answer.headers(), &RETRY_AFTER),
            date: text(answer.headers(), &DATE),
            ..Facts::default()
        },
        Err(error) => Facts {
            failure: Some(error.failure()),
            ..Facts::default()
        },
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn unanswered(url: &Url, error: &SendError) -> HttpError {
    let why = match (error, error.proxy_refusal(url)) {
        (_, Some(refusal)) => refusal.to_string(),
        (SendError::TooLong { longest }, _) => {
            format!("its answer is longer than {}", mebibytes(*longest))
        }
        (SendError::SignIn(error), _) => error.to_string(),
        (SendError::Request(error) | SendError::Connection(error), _) => why(error),
    };
    HttpError {
        host: url.origin().ascii_serialization(),
        why,
    }
}

fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        last_cause(error).to_string()
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = BoxFuture<'c, Result<HttpResponse, HttpError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.send(request).boxed()
    }
}
