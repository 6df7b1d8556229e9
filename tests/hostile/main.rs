//! Servers, gateways and proxies that do what none should: the client against a raw server of its own on loopback,
//! because client and sandbox must not share a mistake.

#![allow(clippy::disallowed_methods, reason = "tests make files of their own")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod bodies;
mod client;
mod interrupted;
mod limits;
mod lists;
mod proxies;
mod refusals;
mod server;
mod slow;
mod start;
