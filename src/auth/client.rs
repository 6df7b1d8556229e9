//! The HTTP client: its TLS provider, and for requests to the environment its time limits and what it must not do by
//! itself.

use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use url::Url;

use super::proxy::goes_direct;

/// Time limits of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// For making a connection.
    pub connect: Duration,
    /// For a pause without a byte from the server.
    pub silence: Duration,
    /// For everything, from the first attempt to connect to the last byte of the answer.
    pub whole: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            // Around the world, with name lookup, proxy and TLS, it takes one or two seconds; lost packets are sent
            // again after 1, 3 and 7 seconds.
            connect: Duration::from_secs(15),
            // The platform gives up on its own requests after about two minutes.
            silence: Duration::from_secs(150),
            // For a page of 5,000 rows over a slow line, and twice as long as the platform works on one request.
            whole: Duration::from_mins(5),
        }
    }
}

/// A builder of the HTTP library, with the TLS provider installed.
///
/// Use no other one: without the provider, which is installed once per process, the library panics.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn client_builder() -> reqwest::ClientBuilder {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have installed the same provider first.
        let _ = ring::default_provider().install_default();
    }
    reqwest::Client::builder()
}

/// A builder of the client for one server. The caller sets the number of connections that are kept.
///
/// Cookies are not kept, so that a web server's affinity cookie does not bind the run to one server
/// (Microsoft: "Send parallel requests"). Redirects are not followed. The HTTP library's own
/// retries are off, so that every attempt is counted.
pub(super) fn builder(server: &Url, limits: TimeLimits) -> reqwest::ClientBuilder {
    let builder = client_builder()
        .user_agent(concat!("syncfilters/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(limits.connect)
        .read_timeout(limits.silence)
        .timeout(limits.whole)
        .tcp_nodelay(true);
    if goes_direct(server) {
        builder.no_proxy()
    } else {
        builder
    }
}
