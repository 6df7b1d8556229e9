//! Through a gateway that lets through so many requests a second and refuses the rest in its own words.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::body::Bytes;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::Fallible;
use super::server::{Server, arguments};
use super::table::{Table, one, print_line, real, two};
use super::tool::deactivate;

const USERS: u64 = 150;
/// What a gateway of a small company lets through, and as many to spare.
const A_SECOND: f64 = 20.0;
const LATENCY_MS: u64 = 50;

/// A token bucket before a server.
struct Gateway {
    server: String,
    http: reqwest::Client,
    says_when: bool,
    /// What there is to spare, and when that was.
    spare: Mutex<(f64, Instant)>,
    through: AtomicU64,
    refused: AtomicU64,
}

impl Gateway {
    async fn start(server: &str, says_when: bool) -> Fallible<(Arc<Self>, String)> {
        let gateway = Arc::new(Self {
            server: server.trim_end_matches('/').to_owned(),
            http: syncfilters::auth::client_builder().no_proxy().build()?,
            says_when,
            spare: Mutex::new((A_SECOND, Instant::now())),
            through: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let answering = Arc::clone(&gateway);
        let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let gateway = Arc::clone(&answering);
            async move { gateway.answer(method, &uri, headers, body).await }
        };
        let router = axum::Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((gateway, url))
    }

    fn lets_through(&self) -> bool {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let more = (now - spare.1).as_secs_f64() * A_SECOND;
        let there = (spare.0 + more).min(A_SECOND);
        let through = there >= 1.0;
        *spare = (if through { there - 1.0 } else { there }, now);
        through
    }

    async fn answer(
        &self,
        method: Method,
        uri: &Uri,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Response {
        if !self.lets_through() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            let refusal = (StatusCode::TOO_MANY_REQUESTS, "Too many requests");
            return if self.says_when {
                ([("retry-after", "1")], refusal).into_response()
            } else {
                refusal.into_response()
            };
        }
        self.through.fetch_add(1, Ordering::Relaxed);
        for name in [TRANSFER_ENCODING, CONNECTION, CONTENT_LENGTH] {
            headers.remove(name);
        }
        let request = self
            .http
            .request(method, format!("{}{uri}", self.server))
            .headers(headers)
            .body(body);
        let Ok(answer) = request.send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        // These are about one connection (RFC 9110 7.6.1); the next has its own.
        for name in [TRANSFER_ENCODING, CONNECTION, CONTENT_LENGTH] {
            headers.remove(name);
        }
        match answer.bytes().await {
            Ok(body) => (status, headers, body).into_response(),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        }
    }
}

/// The tool against what the gateway lets through in the same time.
pub(crate) async fn measure() -> Fallible<()> {
    print_line("through a gateway …")?;
    let mut table = Table::new(&[
        "says when",
        "users",
        "failed",
        "let through",
        "refused",
        "seconds",
        "a second",
        "share",
    ]);
    for says_when in [true, false] {
        let mut server = Server::start(&arguments(&[("users", USERS), ("latency", LATENCY_MS)]))?;
        let (gateway, url) = Gateway::start(&server.url, says_when).await?;
        server.url = url;
        let tool = deactivate(&server, &[]).await?;
        let through = real(gateway.through.load(Ordering::Relaxed));
        table.row(&[
            says_when.to_string(),
            tool.users().to_string(),
            tool.failed.to_string(),
            one(through),
            gateway.refused.load(Ordering::Relaxed).to_string(),
            one(tool.seconds),
            one(through / tool.seconds),
            two(through / (A_SECOND * (tool.seconds + 1.0))),
        ]);
    }
    table.print(&format!(
        "## through a gateway: {A_SECOND} requests a second, 429 without a code\n\nshare = let through / what could have been"
    ))
}
