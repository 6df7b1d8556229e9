//! Signing in, against an imitation that replays what Entra, AD FS and Azure's services answer, and against a
//! certified `OpenID` provider.

#![allow(clippy::disallowed_methods, reason = "tests make files of their own")]
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod ad_fs;
mod applications;
mod binary;
mod discovery;
mod fixtures;
#[cfg(feature = "on-premises")]
mod iis;
mod imitation;
mod long_runs;
mod machines;
mod people;
mod provider;
mod setup;
#[cfg(feature = "on-premises")]
mod windows;
