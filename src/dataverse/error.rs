//! Why a request has no usable answer.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use crate::auth::{ProxyFault, ProxyRefusal, SignInError};
use crate::model::{Problem, ProblemKind, Stage};

use super::fault::ServerFault;

/// Why a request failed, after all retries.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A final refusal of the server.
    #[error("{what}: {fault}")]
    Refused {
        /// The purpose of the request.
        what: String,
        /// The refusal.
        fault: Box<ServerFault>,
    },
    /// The server did not accept the token.
    #[error("{what}: the server did not accept the token: {fault}")]
    Unauthorized {
        /// The purpose of the request.
        what: String,
        /// The refusal.
        fault: Box<ServerFault>,
    },
    /// The server was never reached. Nothing was done.
    #[error("{what}: cannot reach {host}: {why}")]
    Unreachable {
        /// The purpose of the request.
        what: String,
        /// The host.
        host: String,
        /// The innermost cause.
        why: String,
    },
    /// The request was sent and has no answer. It may have been done.
    #[error("{what}: no answer came back: {why}")]
    Lost {
        /// The purpose of the request.
        what: String,
        /// The innermost cause.
        why: String,
    },
    /// The waits that the server asked for used up the allowance.
    #[error("{what}: the server throttled the requests for {} seconds in all, longer than allowed", waited.as_secs())]
    WaitTooLong {
        /// The purpose of the request.
        what: String,
        /// The wait in all.
        waited: Duration,
    },
    /// The server asked for a wait of more than half an hour.
    #[error(
        "{what}: throttled by the server for {} minutes, until {}",
        wait.as_secs().div_ceil(60),
        until.strftime("%Y-%m-%d %H:%M:%S UTC")
    )]
    Postponed {
        /// The purpose of the request.
        what: String,
        /// The wait.
        wait: Duration,
        /// The end of the wait, by the clock of this machine.
        until: Timestamp,
    },
    /// A proxy did not forward the request. Nothing was done.
    #[error("{what}: {host} was not reached: {refusal}")]
    Proxy {
        /// The purpose of the request.
        what: String,
        /// The host to be reached.
        host: String,
        /// The proxy's failure.
        refusal: Box<ProxyRefusal>,
    },
    /// The answer is not one of the Web API.
    #[error("{what}: the answer is not what the Web API answers: {why}")]
    BadAnswer {
        /// The purpose of the request.
        what: String,
        /// What is wrong with it, and how it begins.
        why: String,
    },
    /// The answer points to another server. A token is sent only to the host that it is meant for.
    #[error(
        "{what}: the answer points to another server, {}; it was not followed",
        origin(url)
    )]
    ForeignUrl {
        /// The purpose of the request.
        what: String,
        /// The address that it points to.
        url: Box<Url>,
    },
    /// The answer is a redirect, which is not followed.
    #[error("{what}: the server redirects to {to}; redirects are not followed")]
    Redirected {
        /// The purpose of the request.
        what: String,
        /// The address that it points to.
        to: String,
    },
    /// There is no token.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The run is being interrupted. Nothing was sent.
    #[error("interrupted")]
    Interrupted,
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

impl Error {
    pub(crate) fn refused(what: &str, fault: ServerFault) -> Self {
        Self::Refused {
            what: what.to_owned(),
            fault: Box::new(fault),
        }
    }

    /// The refusal, if it is one.
    pub fn fault(&self) -> Option<&ServerFault> {
        match self {
            Self::Refused { fault, .. } | Self::Unauthorized { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// Whether it concerns the run and not one user: every other user would fail in the same way.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Unauthorized { .. }
            | Self::ForeignUrl { .. }
            | Self::Postponed { .. }
            | Self::SignIn(_)
            | Self::Interrupted => true,
            Self::Proxy { refusal, .. } => refusal.why == ProxyFault::Password,
            Self::Refused { fault, .. } => fault.is_impersonation_refused(),
            Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::WaitTooLong { .. }
            | Self::BadAnswer { .. }
            | Self::Redirected { .. } => false,
        }
    }

    /// The stable word for this error.
    pub fn kind(&self) -> ProblemKind {
        match self {
            Self::Refused { fault, .. } | Self::Unauthorized { fault, .. } => fault.kind(),
            Self::Unreachable { .. } | Self::Proxy { .. } | Self::Interrupted => {
                ProblemKind::Unreachable
            }
            Self::Lost { .. } => ProblemKind::ServerError,
            Self::WaitTooLong { .. } | Self::Postponed { .. } => ProblemKind::Throttled,
            Self::BadAnswer { .. } | Self::ForeignUrl { .. } | Self::Redirected { .. } => {
                ProblemKind::BadAnswer
            }
            Self::SignIn(_) => ProblemKind::AccessDenied,
        }
    }

    /// The error as a problem of one user.
    pub fn into_problem(self, stage: Stage) -> Problem {
        let kind = self.kind();
        match self {
            Self::Refused { fault, .. } | Self::Unauthorized { fault, .. } => {
                fault_problem(stage, &fault)
            }
            other => Problem::seen(stage, kind, other.to_string()),
        }
    }
}

/// A refusal as a problem of one user.
pub fn fault_problem(stage: Stage, fault: &ServerFault) -> Problem {
    Problem {
        stage,
        kind: fault.kind(),
        filter: None,
        code: fault.code_text(),
        message: fault.message.clone(),
        request_id: fault.request_id.clone(),
    }
}
