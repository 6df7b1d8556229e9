//! Why a request did not lead to an answer that can be used.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use crate::auth::{ProxyFault, ProxyRefusal, SignInError};
use crate::model::{Problem, ProblemKind, Stage};

use super::fault::ServerFault;

/// Why a request failed, after everything that was worth trying again had been tried.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused, for good.
    #[error("{what}: {fault}")]
    Refused {
        /// What was asked.
        what: String,
        /// What it said.
        fault: Box<ServerFault>,
    },
    /// The server did not take the token.
    #[error("{what}: the server did not accept the token: {fault}")]
    Unauthorized {
        /// What was asked.
        what: String,
        /// What it said.
        fault: Box<ServerFault>,
    },
    /// It was never reached: nothing was done.
    #[error("{what}: cannot reach {host}: {why}")]
    Unreachable {
        /// What was asked.
        what: String,
        /// Which host.
        host: String,
        /// The reason, down to the last cause.
        why: String,
    },
    /// It was sent, and no answer came back: it may have been done.
    #[error("{what}: no answer came back: {why}")]
    Lost {
        /// What was asked.
        what: String,
        /// The reason, down to the last cause.
        why: String,
    },
    /// The server asked for a longer wait than we are ready for.
    #[error("{what}: the server throttled the requests for {} seconds in all, longer than allowed", waited.as_secs())]
    WaitTooLong {
        /// What was asked.
        what: String,
        /// How long was waited in all.
        waited: Duration,
    },
    /// The server asked for a wait of more than half an hour.
    #[error(
        "{what}: throttled by the server for {} minutes, until {}",
        wait.as_secs().div_ceil(60),
        until.strftime("%Y-%m-%d %H:%M:%S UTC")
    )]
    Postponed {
        /// What was asked.
        what: String,
        /// For how long.
        wait: Duration,
        /// Until when, by the clock of this machine.
        until: Timestamp,
    },
    /// A proxy did not let the request through: nothing was done.
    #[error("{what}: {host} was not reached: {refusal}")]
    Proxy {
        /// What was asked.
        what: String,
        /// Which host was to be reached.
        host: String,
        /// What the proxy did.
        refusal: Box<ProxyRefusal>,
    },
    /// The answer was not what the Web API answers.
    #[error("{what}: the answer is not what the Web API answers: {why}")]
    BadAnswer {
        /// What was asked.
        what: String,
        /// What was wrong with it, and its first words.
        why: String,
    },
    /// The answer pointed to another server. The token goes only to the host it was meant for.
    #[error(
        "{what}: the answer points to another server, {}; it was not followed",
        origin(url)
    )]
    ForeignUrl {
        /// What was asked.
        what: String,
        /// Where it pointed.
        url: Box<Url>,
    },
    /// The answer was a redirect. They are not followed.
    #[error("{what}: the server redirects to {to}; redirects are not followed")]
    Redirected {
        /// What was asked.
        what: String,
        /// Where to.
        to: String,
    },
    /// There is no token.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The run is being interrupted; nothing was sent.
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

    /// Whether this is about the run and not about one user: no other user would fare better.
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
