//! The HTTP client: its cryptography, and of requests to the environment its time limits and what it must not do by
//! itself.

use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use url::Url;

use super::proxy::goes_direct;

/// How long a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// Until there is a connection.
    pub connect: Duration,
    /// Without a byte from the server.
    pub silence: Duration,
    /// In all, from the first try to connect to the last byte of the answer, however its bytes come.
    pub whole: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            // Across the world, with name lookup, proxy and TLS, it takes one or two seconds; lost packets are sent
            // again after 1, 3 and 7 seconds.
            connect: Duration::from_secs(15),
            // The platform gives up on its own requests after about two minutes.
            silence: Duration::from_secs(150),
            // A page of 5,000 rows over a slow line, and twice what the platform works on one.
            whole: Duration::from_mins(5),
        }
    }
}

/// A client as the HTTP library has it, with the cryptography of TLS.
///
/// Nothing else may make one: without that, which is once for the whole process, the library panics.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn client_builder() -> reqwest::ClientBuilder {
    if CryptoProvider::get_default().is_none() {
        // Another thread that was quicker installed the same.
        let _ = ring::default_provider().install_default();
    }
    reqwest::Client::builder()
}

/// A client to be, for one server; how many connections it keeps is for its user to say.
///
/// No cookies are kept, so that a web server's affinity cookie does not pin the run to one server
/// (Microsoft: "Send parallel requests"); redirects are not followed; the HTTP library's own
/// retries are off, so that every attempt is ours and counted.
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
