//! Windows authentication at a server of one's own: NTLM, bare or within Negotiate.
//!
//! It signs connections in, not requests. A *lane* is one connection: it is signed in before its first request, and
//! again when a request is answered with 401. There are as many lanes as requests under way at once.

mod account;
mod binding;
mod conversation;
mod lane;
mod legs;
mod open;
mod source;

pub(super) use open::open;
pub use source::{LaneGuard, Windows};
