//! Windows authentication at an on-premises server: NTLM, plain or inside Negotiate.
//!
//! It signs connections in, not requests. A *lane* is one connection: it is signed in before its first request, and
//! again after a 401. There are as many lanes as requests under way at once.

mod account;
mod binding;
mod conversation;
mod lane;
mod legs;
mod open;
mod source;

pub(super) use open::open;
pub use source::{LaneGuard, Windows};
