//! The one HTTP client of all sign-ins: no redirects, its own time limits, and repeats only of what is passing.

use std::error::Error as _;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use jiff::Timestamp;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use tracing::debug;
use url::Url;

use crate::pacing::{Decision, Facts, Failure, Repeat, RetryPolicy, RetryState, Signal, classify};

use super::SignInError;
use super::authority::is_safe;
use super::body;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const WHOLE_TIMEOUT: Duration = Duration::from_mins(1);
/// The largest answer that is read; a token is a few kilobytes.
const LARGEST_ANSWER: usize = 1 << 20;

/// Patience with a token endpoint: well under a minute in all.
const PATIENCE: RetryPolicy = RetryPolicy {
    max_attempts: 4,
    base: Duration::from_millis(800),
    cap: Duration::from_secs(8),
    quiet_allowance: Duration::from_mins(2),
    outage_allowance: Duration::from_mins(1),
};

/// Sends requests for tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Http {
    /// Through the proxy, where there is one.
    world: reqwest::Client,
    /// Never through a proxy: the metadata services of the machine itself.
    machine: reqwest::Client,
    patience: RetryPolicy,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach {host}: {why}")]
pub struct HttpError {
    /// Which host.
    pub host: String,
    /// The reason, down to the last cause.
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
    /// Makes the clients. Nothing is sent.
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self {
            world: builder().build()?,
            machine: builder().no_proxy().build()?,
            patience: PATIENCE,
        })
    }

    /// The same with other patience, for tests that cannot wait.
    #[must_use]
    pub fn with_patience(mut self, patience: RetryPolicy) -> Self {
        self.patience = patience;
        self
    }

    /// Sends a request to a provider somewhere in the world: encrypted, or to this machine.
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
        self.repeat(&self.world, request, &url, |_| false).await
    }

    /// Sends a request to a metadata service of this machine. `passing` are statuses that pass there by themselves.
    pub(super) async fn send_to_machine(
        &self,
        request: HttpRequest,
        passing: fn(u16) -> bool,
    ) -> Result<HttpResponse, HttpError> {
        let url = Url::parse(&request.uri().to_string()).map_err(|error| HttpError {
            host: "the metadata service".into(),
            why: error.to_string(),
        })?;
        self.repeat(&self.machine, request, &url, passing).await
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
            let status = result.as_ref().map(|answer| answer.status().as_u16()).ok();
            debug!(host, path, status, "sign-in");
            let after = match seen.signal {
                Signal::Success | Signal::Neutral | Signal::Auth => None,
                _ => match state.decide(&seen, repeat, &mut rand::rng()) {
                    Decision::Retry { after } if after <= self.patience.quiet_allowance => {
                        Some(after)
                    }
                    _ => None,
                },
            };
            match (after, result) {
                (Some(after), _) => tokio::time::sleep(after).await,
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
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("syncfilters/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(WHOLE_TIMEOUT)
        .pool_max_idle_per_host(1)
        // IIS answers a request over HTTP/2 that wants Windows authentication with a reset, and not with what it wants.
        .http1_only()
}

async fn once(
    client: &reqwest::Client,
    request: HttpRequest,
    url: &Url,
) -> Result<HttpResponse, reqwest::Error> {
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
    let mut response = request.send().await?;
    let mut answer = http::Response::new(Vec::new());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    while let Some(piece) = response.chunk().await? {
        if answer.body().len() + piece.len() > LARGEST_ANSWER {
            break;
        }
        answer.body_mut().extend_from_slice(&piece);
    }
    // AD FS and proxies label JSON in more than one way; what it is, is decided by reading it.
    if answer.status().is_success() && answer.body().first() == Some(&b'{') {
        let json = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(CONTENT_TYPE, json);
    }
    Ok(answer)
}

fn facts(result: &Result<HttpResponse, reqwest::Error>, passing: fn(u16) -> bool) -> Facts<'_> {
    match result {
        Ok(answer) => Facts {
            status: Some(match answer.status().as_u16() {
                status if passing(status) => 503,
                status => status,
            }),
            retry_after: answer
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()),
            ..Facts::default()
        },
        Err(error) => Facts {
            failure: Some(if error.is_connect() || error.is_builder() {
                Failure::NotSent
            } else if error.is_timeout() {
                Failure::Timeout
            } else {
                Failure::Interrupted
            }),
            ..Facts::default()
        },
    }
}

/// The innermost cause says it; those around it repeat the whole URL.
fn unanswered(url: &Url, error: &reqwest::Error) -> HttpError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let why = if error.source().is_none() || error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        cause.to_string()
    };
    HttpError {
        host: url.origin().ascii_serialization(),
        why,
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = BoxFuture<'c, Result<HttpResponse, HttpError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.send(request).boxed()
    }
}
