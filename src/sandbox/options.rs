//! The options of a sandbox.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Faults, Switches, Version};

/// All options of a sandbox.
#[derive(Clone, Debug)]
pub struct Options {
    /// People in the organisation, including special ones. Built-in accounts are added.
    pub users: usize,
    /// Ordinary users only: no disabled, unlicensed or otherwise special users.
    pub plain: bool,
    /// The same seed and number of users give the same organisation.
    pub seed: u64,
    /// The imitated server.
    pub version: Version,
    /// The latency of every request.
    pub latency: Duration,
    /// The execution time of every operation; each part of a batch is one.
    pub execution: Duration,
    /// Service protection limits.
    pub limits: Limits,
    /// The faults and their rates.
    pub faults: Faults,
    /// Behaviours that differ from their defaults.
    pub switches: Switches,
    /// The address to listen on; port 0 lets the system choose. Only loopback addresses are accepted.
    pub bind: SocketAddr,
    /// On-premises the organisation is part of the path: `contoso/`.
    pub path_prefix: Option<String>,
    /// The largest request body in bytes; a larger one is answered with 413.
    pub max_body: usize,
}

impl Default for Options {
    /// A small demo organisation without latency, limits and faults.
    fn default() -> Self {
        Self {
            // More than `people::ONE_OF_EACH`, so that every special kind of user occurs.
            users: 60,
            plain: false,
            seed: 1,
            version: Version::default(),
            latency: Duration::ZERO,
            execution: Duration::ZERO,
            limits: Limits::none(),
            faults: Faults::none(),
            switches: Switches::none(),
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            path_prefix: None,
            // Far more than a batch of 1,000 operations needs; it bounds the memory of one request.
            max_body: 16 * 1024 * 1024,
        }
    }
}

impl Options {
    /// The path of the organisation: empty, or `contoso/`.
    pub(super) fn prefix(&self) -> String {
        match self.path_prefix.as_deref().map(|it| it.trim_matches('/')) {
            None | Some("") => String::new(),
            Some(prefix) => format!("{prefix}/"),
        }
    }
}

/// Service protection limits (Microsoft: "Service protection API limits").
///
/// Evaluated for each caller on each web server over a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests in a window.
    pub requests: Option<u32>,
    /// Combined execution time in a window.
    pub execution: Option<Duration>,
    /// Requests at the same time.
    pub concurrent: Option<u32>,
    /// The window; the platform's is 300 seconds, a shorter one compresses time.
    pub window: Duration,
    /// Web servers behind the address; each counts on its own. At least 1.
    pub servers: usize,
    /// What `x-ms-dop-hint` recommends.
    pub parallelism_hint: u32,
}

impl Limits {
    /// No limits.
    pub const fn none() -> Self {
        Self {
            requests: None,
            execution: None,
            concurrent: None,
            window: Duration::from_mins(5),
            servers: 1,
            parallelism_hint: 4,
        }
    }

    /// The published numbers: 6000 requests, 20 minutes of execution time, 52 at once, in 5 minutes.
    pub const fn documented() -> Self {
        Self {
            requests: Some(6000),
            execution: Some(Duration::from_mins(20)),
            concurrent: Some(52),
            ..Self::none()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_organisation_path_ends_with_one_slash_or_is_empty() {
        for (given, prefix) in [
            (None, ""),
            (Some("/"), ""),
            (Some("contoso"), "contoso/"),
            (Some("/contoso/"), "contoso/"),
        ] {
            let options = Options {
                path_prefix: given.map(str::to_owned),
                ..Options::default()
            };
            assert_eq!(options.prefix(), prefix);
        }
    }
}
