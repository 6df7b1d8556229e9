//! Why a request has no answer.

use std::io::{self, ErrorKind};

use url::Url;

use crate::model::causes;
use crate::pacing::Failure;

use super::SignInError;
use super::proxy::{self, ProxyRefusal};

/// Why there is no answer to a request.
#[derive(Debug)]
pub enum SendError {
    /// The request was sent, or sending had begun.
    Request(reqwest::Error),
    /// Its connection could not be signed in because the server did not answer. Nothing of the request was sent.
    Connection(reqwest::Error),
    /// Signing in failed. Nothing of the request was done.
    SignIn(SignInError),
    /// The answer is longer than the limit. Its part that was read is dropped.
    TooLong {
        /// The limit, in bytes.
        longest: usize,
    },
}

impl SendError {
    /// The failure as the pacing sees it. Only a connection that was never made, or never signed in, certainly sent
    /// nothing.
    pub(crate) fn failure(&self) -> Failure {
        match self {
            Self::Connection(_) | Self::SignIn(_) => Failure::NotSent,
            Self::Request(error) if error.is_connect() || error.is_builder() => Failure::NotSent,
            Self::Request(error) if error.is_timeout() => Failure::Timeout,
            Self::Request(error) if is_not_http(error) => Failure::NotHttp,
            Self::Request(_) => Failure::Interrupted,
            Self::TooLong { .. } => Failure::Unusable,
        }
    }

    /// The failure of a proxy, where that is the cause.
    pub(crate) fn proxy_refusal(&self, url: &Url) -> Option<ProxyRefusal> {
        match self {
            Self::Request(error) | Self::Connection(error) => proxy::refusal(error, url),
            Self::SignIn(_) | Self::TooLong { .. } => None,
        }
    }
}

/// Whether the response could not be read: its head, its chunks, or its compression.
fn is_not_http(error: &reqwest::Error) -> bool {
    causes(error).any(|inner| {
        let parse = inner.downcast_ref().is_some_and(hyper::Error::is_parse);
        let data = inner.downcast_ref().is_some_and(|error: &io::Error| {
            matches!(
                error.kind(),
                ErrorKind::InvalidData | ErrorKind::InvalidInput
            )
        });
        parse || data
    })
}

impl From<SignInError> for SendError {
    fn from(error: SignInError) -> Self {
        Self::SignIn(error)
    }
}
