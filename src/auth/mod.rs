//! Signing in: where the bearer token comes from, or how a connection is signed in.

mod advice;
mod answer;
mod application;
mod authority;
mod body;
mod browser;
mod cache;
mod certificate;
mod challenge;
mod claims;
mod client;
mod discover;
mod endpoint;
mod error;
mod federation;
mod given;
mod http;
mod interactive;
mod keep;
mod managed_identity;
mod method;
mod open;
mod person;
mod pfx;
mod refusal;
mod secret;
mod sign_in;
mod source;
mod token;
mod tool;
mod transport;
#[cfg(feature = "on-premises")]
mod windows;

pub use authority::{Authority, resource};
pub use challenge::Challenge;
pub use claims::{WrongAudience, audience_fits};
pub use discover::{Discovered, challenge, judge};
pub use error::SignInError;
pub use federation::Federation;
pub use given::GivenToken;
pub use http::{Http, HttpError};
pub use keep::Keep;
pub use managed_identity::Service;
pub use method::{Method, WindowsProtocol};
pub use open::{Place, forget, open};
pub use person::{Nobody, Notice, Person};
pub use refusal::Refusal;
pub use secret::SecretFrom;
pub use sign_in::sign_in;
pub use source::{Bearer, TokenSource};
pub use tool::Tool;
pub use transport::{Pass, SendError, SignedIn, Transport};
#[cfg(feature = "on-premises")]
pub use windows::{Taken, Windows};
