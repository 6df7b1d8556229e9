//! Through a gateway that lets through so many requests a second and refuses the rest in its own words.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::Fallible;
use super::server::{Server, arguments};
use super::table::{Table, one, print_line, real, two};
use super::tool::deactivate;

const USERS: u64 = 150;
/// What a gateway of a small company lets through.
const A_SECOND: f64 = 20.0;
const LATENCY_MS: u64 = 50;

/// What a gateway counts.
enum Limiter {
    /// A token bucket: what there is to spare, at most a second's worth, and when that was.
    Spare(f64, Instant),
    /// What it let through in the last second: nothing to spare.
    LastSecond(VecDeque<Instant>),
}

impl Limiter {
    fn lets_through(&mut self) -> bool {
        let now = Instant::now();
        match self {
            Self::Spare(spare, since) => {
                let there = (*spare + (now - *since).as_secs_f64() * A_SECOND).min(A_SECOND);
                let through = there >= 1.0;
                (*spare, *since) = (if through { there - 1.0 } else { there }, now);
                through
            }
            Self::LastSecond(passed) => {
                passed.retain(|at| now - *at < Duration::from_secs(1));
                let through = real(passed.len() as u64) < A_SECOND;
                passed.extend(through.then_some(now));
                through
            }
        }
    }
}

/// A limiter before a server.
struct Gateway {
    server: String,
    http: reqwest::Client,
    says_when: bool,
    limiter: Mutex<Limiter>,
    through: AtomicU64,
    refused: AtomicU64,
}

impl Gateway {
    async fn start(
        server: &str,
        limiter: Limiter,
        says_when: bool,
    ) -> Fallible<(Arc<Self>, String)> {
        let gateway = Arc::new(Self {
            server: server.trim_end_matches('/').to_owned(),
            http: syncfilters::auth::client_builder().no_proxy().build()?,
            says_when,
            limiter: Mutex::new(limiter),
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

    async fn answer(
        &self,
        method: Method,
        uri: &Uri,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Response {
        let limiter = self.limiter.lock();
        if !limiter
            .unwrap_or_else(PoisonError::into_inner)
            .lets_through()
        {
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
        "counts",
        "says when",
        "users",
        "failed",
        "let through",
        "refused",
        "seconds",
        "a second",
        "share",
    ]);
    for (last_second, says_when) in [(false, true), (false, false), (true, true), (true, false)] {
        let limiter = if last_second {
            Limiter::LastSecond(VecDeque::new())
        } else {
            Limiter::Spare(A_SECOND, Instant::now())
        };
        let mut server = Server::start(&arguments(&[("users", USERS), ("latency", LATENCY_MS)]))?;
        let (gateway, url) = Gateway::start(&server.url, limiter, says_when).await?;
        server.url = url;
        let tool = deactivate(&server, &[]).await?;
        let through = real(gateway.through.load(Ordering::Relaxed));
        table.row(&[
            if last_second {
                "the last second"
            } else {
                "what is spare"
            }
            .to_owned(),
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
