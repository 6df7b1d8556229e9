//! Signing in: where the bearer token comes from.

mod given;
mod source;

pub use given::GivenToken;
pub use source::{Bearer, SignInError, TokenSource};
