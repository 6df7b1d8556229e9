//! All requests to one environment: pacing, retries, and the checks that every answer needs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use url::Url;

use crate::auth::{Pass, SendError, SignedIn, Transport};
use crate::model::EnvironmentUrl;
use crate::pacing::{
    Decision, Facts, Failure, GiveUp, Observation, Pacer, Repeat, Signal, classify,
};

use super::error::Error;
use super::fault::Fault;

/// One request to make.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// What it is for, as errors say it: "reading the sync filters".
    pub(crate) what: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether it may be sent again when nobody knows what became of it.
    pub(crate) repeat: Repeat,
}

impl Call {
    pub(crate) fn get(what: &'static str, url: Url) -> Self {
        Self {
            what,
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            repeat: Repeat::Safe,
        }
    }

    /// A write: never repeated where its outcome is unknown, because then the row itself has to be asked.
    pub(crate) fn write(what: &'static str, method: Method, url: Url, body: Bytes) -> Self {
        Self {
            method,
            body,
            repeat: Repeat::OnlyIfNotDone,
            ..Self::get(what, url)
        }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The request as it leaves, but for the sign-in.
    fn request(&self) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method.clone(), self.url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for name in ["odata-maxversion", "odata-version"] {
            headers.insert(name, HeaderValue::from_static("4.0"));
        }
        headers.extend(self.headers.clone());
        if self.method == Method::GET {
            // Against caches on the way (Microsoft: "Compose HTTP requests and handle errors").
            headers.insert("if-none-match", HeaderValue::from_static("null"));
        }
        if !self.body.is_empty() {
            *request.body_mut() = Some(self.body.clone().into());
        }
        request
    }
}

/// An answer that arrived whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl From<Response<Bytes>> for Answer {
    fn from(answer: Response<Bytes>) -> Self {
        let (parts, body) = answer.into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

/// How to talk to one environment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Channel {
    shared: Arc<Shared>,
    interrupted: CancellationToken,
}

/// What everybody who talks to the environment has in common, whoever may interrupt them.
#[derive(Debug)]
struct Shared {
    transport: Transport,
    environment: EnvironmentUrl,
    pacer: Pacer,
}

impl Channel {
    /// A channel to one environment, for whoever signed in. Nothing is sent yet.
    pub fn new(
        environment: EnvironmentUrl,
        signed_in: impl Into<SignedIn>,
        pacer: Pacer,
        interrupted: CancellationToken,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            shared: Arc::new(Shared {
                transport: Transport::new(signed_in.into())?,
                environment,
                pacer,
            }),
            interrupted,
        })
    }

    /// The same connections, sign-in and pace, for requests that stop when `token` is cancelled, and not when this
    /// channel's own token is. A token that is to do both is a child of that one.
    pub fn under(&self, token: CancellationToken) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            interrupted: token,
        }
    }

    /// The environment at the other end.
    pub fn environment(&self) -> &EnvironmentUrl {
        &self.shared.environment
    }

    /// Cancelled, it lets no more requests leave; those under way are finished.
    pub fn interrupted(&self) -> &CancellationToken {
        &self.interrupted
    }

    /// The pace at which requests leave.
    pub fn pacer(&self) -> &Pacer {
        &self.shared.pacer
    }

    /// Takes note of an answer that came inside another: its Retry-After counts for everybody too.
    pub(super) fn note(&self, answer: &Answer) {
        let seen = observe(answer);
        if matches!(seen.signal, Signal::Budget(_) | Signal::Concurrency) {
            self.shared.pacer.note(&seen);
        }
    }

    /// Sends a request until there is an answer that is final, and hands it out whatever its status.
    ///
    /// Limits are waited out, failures in passing tried again; a sign-in that is not accepted is renewed
    /// once. A write whose outcome is not known is [`Error::Lost`] and never sent again from here.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer, Error> {
        if !self.shared.environment.is_same_server(&call.url) {
            return Err(Error::ForeignUrl {
                what: call.what.into(),
                url: Box::new(call.url.clone()),
            });
        }
        let mut state = self.shared.pacer.retry();
        let mut renewed = false;
        loop {
            let attempt = self.attempt(call).await?;
            match attempt.seen.signal {
                Signal::Success | Signal::Neutral => return attempt.into_answer(call),
                Signal::Auth if !renewed && self.shared.transport.refused(&attempt.pass) => {
                    renewed = true;
                }
                Signal::Auth => return Err(attempt.into_unauthorized(call)),
                Signal::Concurrency | Signal::Budget(_) | Signal::Overload => {
                    match self
                        .shared
                        .pacer
                        .decide(&mut state, &attempt.seen, call.repeat)
                    {
                        Decision::Retry { after } => self.pause(after).await?,
                        Decision::GiveUp(why) => return attempt.give_up(call, why),
                    }
                }
            }
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Attempt, Error> {
        let permit = tokio::select! {
            biased;
            () = self.interrupted.cancelled() => return Err(Error::Interrupted),
            permit = self.shared.pacer.admit() => permit,
        };
        let mut pass = tokio::select! {
            () = self.interrupted.cancelled() => return Err(Error::Interrupted),
            pass = self.shared.transport.pass() => pass?,
        };
        let started = Instant::now();
        let result = match self.shared.transport.send(call.request(), &mut pass).await {
            Ok(answer) => Ok(Answer::from(answer)),
            Err(SendError::SignIn(error)) => return Err(error.into()),
            Err(SendError::Request(error)) => Err(NoAnswer::Request(error)),
            Err(SendError::Connection(error)) => Err(NoAnswer::Connection(error)),
        };
        let attempt = Attempt::new(result, pass);
        permit.finish(&attempt.seen);
        if let Ok(answer) = &attempt.result {
            if let Some(hint) = number(&answer.headers, "x-ms-dop-hint") {
                self.shared.pacer.hint(hint);
            }
            let (method, path) = (&call.method, call.url.path());
            debug!(%method, path, status = answer.status.as_u16(), ms = started.elapsed().as_millis(), "answer");
        }
        Ok(attempt)
    }

    async fn pause(&self, duration: Duration) -> Result<(), Error> {
        tokio::select! {
            () = self.interrupted.cancelled() => Err(Error::Interrupted),
            () = tokio::time::sleep(duration) => Ok(()),
        }
    }
}

/// One attempt, and what it means.
struct Attempt {
    result: Result<Answer, NoAnswer>,
    seen: Observation,
    /// What it was made with.
    pass: Pass,
}

/// Why there is no answer.
enum NoAnswer {
    /// The request had left, or was just leaving.
    Request(reqwest::Error),
    /// There was no connection for it that was signed in.
    Connection(reqwest::Error),
}

impl Attempt {
    fn new(result: Result<Answer, NoAnswer>, pass: Pass) -> Self {
        let seen = match &result {
            Ok(answer) => observe(answer),
            Err(error) => {
                let facts = Facts {
                    failure: Some(failure(error)),
                    ..Facts::default()
                };
                classify(&facts, Timestamp::now())
            }
        };
        Self { result, seen, pass }
    }

    /// A redirect is no answer: the token is for this server only.
    fn into_answer(self, call: &Call) -> Result<Answer, Error> {
        let answer = self.result.map_err(|error| unanswered(call, &error))?;
        if answer.status.is_redirection() {
            let to = answer.headers.get(LOCATION).and_then(|to| to.to_str().ok());
            return Err(Error::Redirected {
                what: call.what.into(),
                to: without_query(to.unwrap_or("nowhere")),
            });
        }
        Ok(answer)
    }

    fn into_unauthorized(self, call: &Call) -> Error {
        match self.result {
            Ok(answer) => Error::Unauthorized {
                what: call.what.into(),
                fault: Box::new(answer.fault()),
            },
            Err(error) => unanswered(call, &error),
        }
    }

    fn give_up(self, call: &Call, why: GiveUp) -> Result<Answer, Error> {
        match (why, self.result) {
            (GiveUp::Quiet { waited }, _) => Err(Error::Quiet {
                what: call.what.into(),
                waited,
            }),
            (_, Err(error)) => Err(unanswered(call, &error)),
            (GiveUp::Unknown, Ok(answer)) => Err(Error::Lost {
                what: call.what.into(),
                why: answer.fault().to_string(),
            }),
            (GiveUp::Attempts, Ok(answer)) => Ok(answer),
        }
    }
}

impl Answer {
    pub(super) fn fault(&self) -> Fault {
        Fault::new(self.status, &self.headers, &self.body)
    }

    /// The content type, where this is the answer to a batch.
    pub(super) fn multipart(&self) -> Option<&str> {
        let content_type = self.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        content_type
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("multipart/")
            .then_some(content_type)
    }
}

/// What an answer means. The outer status of a batch is that of the part that stopped it, and says nothing of
/// the parts before that one, which may have been done: only the parts can be judged.
fn observe(answer: &Answer) -> Observation {
    if answer.multipart().is_some() {
        return Observation {
            signal: Signal::Success,
            retry_after: None,
            not_done: false,
        };
    }
    let status = answer.status;
    let fault = (!status.is_success() && !status.is_redirection()).then(|| answer.fault());
    let facts = Facts {
        status: Some(status.as_u16()),
        code: fault.as_ref().and_then(|fault| fault.code),
        retry_after: answer
            .headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()),
        failure: None,
        transient: fault.as_ref().is_some_and(Fault::is_deadlock),
    };
    classify(&facts, Timestamp::now())
}

/// Only a connection that was never made, or never signed in, surely carried nothing.
fn failure(error: &NoAnswer) -> Failure {
    let NoAnswer::Request(error) = error else {
        return Failure::NotSent;
    };
    if error.is_connect() || error.is_builder() {
        Failure::NotSent
    } else if error.is_timeout() {
        Failure::Timeout
    } else {
        Failure::Interrupted
    }
}

fn unanswered(call: &Call, error: &NoAnswer) -> Error {
    let (NoAnswer::Request(cause) | NoAnswer::Connection(cause)) = error;
    let (what, why) = (call.what.to_owned(), last_cause(cause));
    match failure(error) {
        Failure::NotSent => Error::Unreachable {
            what,
            host: call.url.origin().ascii_serialization(),
            why,
        },
        Failure::Timeout | Failure::Interrupted => Error::Lost { what, why },
    }
}

/// The innermost cause says it; those around it only say "error sending request", with the whole URL.
fn last_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn without_query(location: &str) -> String {
    location
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u32> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &'static str) -> Answer {
        let content_type = HeaderValue::from_static(content_type);
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
            body: Bytes::new(),
        }
    }

    #[test]
    fn a_batch_that_was_stopped_by_a_limit_is_not_sent_again_as_a_whole() {
        let stopped = answer(429, "multipart/mixed; boundary=x");
        assert_eq!(observe(&stopped).signal, Signal::Success);
        let refused = answer(429, "application/json");
        assert!(matches!(observe(&refused).signal, Signal::Budget(_)));
    }
}
