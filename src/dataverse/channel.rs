//! All requests to one environment: pacing, retries, and the checks of every answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use http::header::LOCATION;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use url::Url;

use crate::auth::{
    Credential, ProxyFault, ProxyRefusal, SendError, SignedIn, TimeLimits, Transport, mebibytes,
    wants_password,
};
use crate::model::last_cause;
use crate::pacing::{
    Facts, Failure, GiveUp, Observation, Pacer, Repeat, RetryDecision, Signal, classify,
};
use crate::settings::Address;

use super::answer::{Answer, observe};
use super::call::Call;
use super::error::Error;

/// The connection to one environment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Channel {
    shared: Arc<Shared>,
    interrupted: CancellationToken,
}

/// The state that all clones share, whatever can interrupt them.
#[derive(Debug)]
struct Shared {
    transport: Transport,
    environment: Address,
    on_premises: bool,
    pacer: Pacer,
    /// The address of WhoAmI, once that has worked.
    who_am_i: OnceLock<Url>,
    /// Whether `$batch` does not exist, or is refused by something on the way.
    no_batch: AtomicBool,
    /// A proxy's refusal of the password, which is not sent again.
    refused: OnceLock<ProxyRefusal>,
}

impl Channel {
    /// A channel to one environment for a signed-in caller. Sends nothing.
    pub fn new(
        environment: Address,
        signed_in: impl Into<SignedIn>,
        pacer: Pacer,
        interrupted: CancellationToken,
    ) -> Result<Self, reqwest::Error> {
        let limits = TimeLimits::default();
        Self::with_limits(environment, signed_in, pacer, interrupted, limits)
    }

    /// As [`Self::new`], with other time limits.
    pub fn with_limits(
        environment: Address,
        signed_in: impl Into<SignedIn>,
        pacer: Pacer,
        interrupted: CancellationToken,
        limits: TimeLimits,
    ) -> Result<Self, reqwest::Error> {
        let signed_in = signed_in.into();
        Ok(Self {
            shared: Arc::new(Shared {
                on_premises: signed_in.is_on_premises(),
                transport: Transport::new(signed_in, environment.as_url(), limits)?,
                environment,
                pacer,
                who_am_i: OnceLock::new(),
                no_batch: AtomicBool::new(false),
                refused: OnceLock::new(),
            }),
            interrupted,
        })
    }

    /// The same connections, sign-in and pace, with requests that stop when `token` is cancelled, and not when this
    /// channel's own token is. For both, pass a child of that token.
    pub fn under(&self, token: CancellationToken) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            interrupted: token,
        }
    }

    /// The address of the environment.
    pub fn environment(&self) -> &Address {
        &self.shared.environment
    }

    /// Whether AD FS or Windows signed the caller in.
    pub(super) fn is_on_premises(&self) -> bool {
        self.shared.on_premises
    }

    /// When this token is cancelled, no more requests are sent. Reads under way are given up; the answer to a write is
    /// awaited.
    pub fn interrupted(&self) -> &CancellationToken {
        &self.interrupted
    }

    /// The pace at which requests are sent.
    pub fn pacer(&self) -> &Pacer {
        &self.shared.pacer
    }

    /// Stores the address at which WhoAmI has worked.
    pub(super) fn learn_who_am_i(&self, url: Url) {
        // Any one of them will do.
        let _ = self.shared.who_am_i.set(url);
    }

    pub(super) fn learn_no_batch(&self) {
        self.shared.no_batch.store(true, Ordering::Relaxed);
    }

    /// Whether `$batch` was refused before.
    pub(super) fn has_no_batch(&self) -> bool {
        self.shared.no_batch.load(Ordering::Relaxed)
    }

    /// Takes in an answer that came inside another: its Retry-After holds for all requests, too.
    pub(super) fn note(&self, answer: &Answer) {
        let seen = observe(answer, Repeat::OnlyIfNotDone);
        if seen.signal.is_limit() {
            self.shared.pacer.note(&seen);
        }
    }

    /// Sends a request until there is a final answer, and returns that whatever its status.
    ///
    /// Limits are waited out, temporary failures are retried, and a refused sign-in is renewed
    /// once. A write with an unknown result is [`Error::Lost`] and is not sent again here.
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
            if let Some(refusal) = self.shared.refused.get() {
                return Err(proxy_error(call, refusal.clone()));
            }
            let mut attempt = self.attempt(call, None).await?;
            if attempt.seen.signal == Signal::Auth {
                attempt.forget_long_body();
                let (credential, users_own) = self.is_users_own(call, attempt.credential).await?;
                attempt.credential = credential;
                if users_own {
                    return attempt.into_answer(call);
                }
            }
            let after = match attempt.seen.signal {
                Signal::Success | Signal::Neutral => return attempt.into_answer(call),
                Signal::Auth if !renewed && self.shared.transport.refused(&attempt.credential) => {
                    renewed = true;
                    continue;
                }
                Signal::Auth => {
                    let environment = self.shared.environment.as_url();
                    return Err(attempt.into_unauthorized(call, environment));
                }
                _ if attempt.is_refused_password() => return attempt.into_answer(call),
                Signal::Concurrency | Signal::Budget(_) | Signal::Throttled | Signal::Overload => {
                    let pacer = &self.shared.pacer;
                    match pacer.decide(&mut state, &attempt.seen, call.repeat) {
                        RetryDecision::Retry { after } => after,
                        RetryDecision::GiveUp(why) => return attempt.give_up(call, why),
                    }
                }
            };
            // Its memory is needed by others while this one waits.
            drop(attempt);
            self.pause(after).await?;
        }
    }

    /// Whether a refused sign-in is about the impersonated user only: then WhoAmI still works for the caller with the
    /// same token.
    async fn is_users_own(
        &self,
        call: &Call,
        credential: Credential,
    ) -> Result<(Credential, bool), Error> {
        let Some(url) = self
            .shared
            .who_am_i
            .get()
            .filter(|_| call.is_impersonated())
        else {
            return Ok((credential, false));
        };
        let ask = Call::get("asking who signed in", url.clone());
        let attempt = self.attempt(&ask, Some(credential)).await?;
        let works = attempt.seen.signal == Signal::Success;
        Ok((attempt.credential, works))
    }

    async fn attempt(&self, call: &Call, credential: Option<Credential>) -> Result<Attempt, Error> {
        let permit = tokio::select! {
            biased;
            () = self.interrupted.cancelled() => return Err(Error::Interrupted),
            permit = self.shared.pacer.admit() => permit,
        };
        let transport = &self.shared.transport;
        let mut credential = if let Some(credential) = credential {
            credential
        } else {
            tokio::select! {
                () = self.interrupted.cancelled() => return Err(Error::Interrupted),
                credential = transport.credential() => credential?,
            }
        };
        credential.check(self.shared.environment.as_url())?;
        let started = Instant::now();
        let sending = transport.send(call.request(), &mut credential);
        let sent = match call.repeat {
            // Nothing depends on the answer, and a server may not answer for minutes.
            Repeat::Safe => tokio::select! {
                () = self.interrupted.cancelled() => return Err(Error::Interrupted),
                sent = sending => sent,
            },
            Repeat::OnlyIfNotDone => sending.await,
        };
        let result = match sent {
            Ok(answer) => Ok(Answer::from(answer)),
            Err(SendError::SignIn(error)) => return Err(error.into()),
            Err(error) => Err(error),
        };
        let attempt = Attempt::new(call, result, credential);
        if let Some(left) = attempt.remaining() {
            self.shared.pacer.remaining(left);
        }
        permit.finish(&attempt.seen);
        if let Some(refusal) = attempt
            .proxy
            .as_ref()
            .filter(|_| attempt.is_refused_password())
        {
            // Any one of them will do.
            let _ = self.shared.refused.set(refusal.clone());
        }
        if let Ok(answer) = &attempt.result {
            if let Some(hint) = answer.number("x-ms-dop-hint") {
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

/// One attempt and its meaning for the pace.
struct Attempt {
    result: Result<Answer, SendError>,
    seen: Observation,
    /// The failure of a proxy, where that is the cause.
    proxy: Option<ProxyRefusal>,
    credential: Credential,
}

impl Attempt {
    fn new(call: &Call, result: Result<Answer, SendError>, credential: Credential) -> Self {
        let proxy = match &result {
            Ok(answer) if answer.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Some(wants_password(&call.url))
            }
            Ok(_) => None,
            Err(error) => error.proxy_refusal(&call.url),
        };
        let seen = match &result {
            Ok(answer) => observe(answer, call.repeat),
            Err(error) => {
                let facts = Facts {
                    failure: Some(error.failure()),
                    ..Facts::default()
                };
                classify(&facts, Timestamp::now())
            }
        };
        Self {
            result,
            seen,
            proxy,
            credential,
        }
    }

    /// How many requests the server that granted this one has left.
    fn remaining(&self) -> Option<u32> {
        let granted = matches!(self.seen.signal, Signal::Success | Signal::Neutral);
        let answer = self.result.as_ref().ok().filter(|_| granted)?;
        answer.requests_left()
    }

    fn is_refused_password(&self) -> bool {
        let proxy = self.proxy.as_ref();
        proxy.is_some_and(|refusal| refusal.why == ProxyFault::Password)
    }

    /// Frees the memory of the answer, except for the part from which a refusal is read.
    fn forget_long_body(&mut self) {
        /// A refusal of the Web API has some hundred bytes.
        const ENOUGH: usize = 64 << 10;
        if let Ok(answer) = &mut self.result {
            let kept = answer.body.len().min(ENOUGH);
            answer.body = Bytes::copy_from_slice(&answer.body[..kept]);
        }
    }

    /// A redirect is no answer, because the token is for this server only; neither is the answer of a proxy.
    fn into_answer(self, call: &Call) -> Result<Answer, Error> {
        if let Some(refusal) = self.proxy {
            return Err(proxy_error(call, refusal));
        }
        let answer = self.result.map_err(|error| unanswered(call, &error))?;
        if answer.status == StatusCode::PARTIAL_CONTENT && call.repeat == Repeat::Safe {
            // No range was requested: a seemingly complete list may be a part of one.
            return Err(Error::BadAnswer {
                what: call.what.into(),
                why: "it is a part of an answer (status 206)".into(),
            });
        }
        if answer.status.is_redirection() {
            let to = answer.headers.get(LOCATION).and_then(|to| to.to_str().ok());
            return Err(Error::Redirected {
                what: call.what.into(),
                to: without_query(to.unwrap_or("nowhere")),
            });
        }
        Ok(answer)
    }

    fn into_unauthorized(self, call: &Call, environment: &Url) -> Error {
        let answer = match self.result {
            Ok(answer) => answer,
            Err(error) => return unanswered(call, &error),
        };
        if let Some(why) = self.credential.why_refused(environment, answer.date()) {
            return why.into();
        }
        Error::Unauthorized {
            what: call.what.into(),
            fault: Box::new(answer.fault()),
        }
    }

    fn give_up(self, call: &Call, why: GiveUp) -> Result<Answer, Error> {
        let what = call.what.to_owned();
        match (why, self.result) {
            (GiveUp::WaitTooLong { waited }, _) => Err(Error::WaitTooLong { what, waited }),
            (GiveUp::Postponed { wait }, _) => Err(Error::Postponed {
                what,
                wait,
                until: Timestamp::now() + wait,
            }),
            (_, Err(error)) => Err(match self.proxy {
                Some(refusal) => proxy_error(call, refusal),
                None => unanswered(call, &error),
            }),
            (GiveUp::Unknown, Ok(answer)) => Err(Error::Lost {
                what,
                why: answer.fault().to_string(),
            }),
            (GiveUp::Attempts, Ok(answer)) => Ok(answer),
        }
    }
}

fn proxy_error(call: &Call, refusal: ProxyRefusal) -> Error {
    Error::Proxy {
        what: call.what.into(),
        host: call.url.origin().ascii_serialization(),
        refusal: Box::new(refusal),
    }
}

fn unanswered(call: &Call, error: &SendError) -> Error {
    let what = call.what.to_owned();
    let cause = match error {
        SendError::TooLong { longest } => {
            return Error::BadAnswer {
                what,
                why: format!("it is longer than {}", mebibytes(*longest)),
            };
        }
        SendError::SignIn(error) => return error.clone().into(),
        SendError::Request(cause) | SendError::Connection(cause) => cause,
    };
    let why = last_cause(cause).to_string();
    match error.failure() {
        Failure::NotSent => Error::Unreachable {
            what,
            host: call.url.origin().ascii_serialization(),
            why,
        },
        Failure::NotHttp => Error::BadAnswer {
            what,
            why: format!("it is not HTTP that can be read: {why}"),
        },
        Failure::Timeout => Error::Lost {
            what,
            why: "it did not come in time".into(),
        },
        Failure::Interrupted | Failure::Unusable => Error::Lost { what, why },
    }
}

fn without_query(location: &str) -> String {
    location
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_owned()
}
