//! The HTTP client of requests to the environment: its time limits, and what it must not do by itself.

use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the server may be silent; the platform gives up on its own requests after about two minutes.
const READ_TIMEOUT: Duration = Duration::from_secs(150);
/// How long the whole may take.
const WHOLE_TIMEOUT: Duration = Duration::from_mins(5);

/// A client to be; how many connections it keeps is for its user to say.
///
/// No cookies are kept, so that a web server's affinity cookie does not pin the run to one server
/// (Microsoft: "Send parallel requests"); redirects are not followed; the HTTP library's own
/// retries are off, so that every attempt is ours and counted.
pub(super) fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("syncfilters/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .timeout(WHOLE_TIMEOUT)
        .tcp_nodelay(true)
}
