//! The listening side: loopback addresses only, bounded in everything, and a guard before every answer.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, Extension, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::form::{LARGEST_FORM, LARGEST_LIST};
use super::guard::{OwnAddresses, RequestRefusal, is_in, judge};
use super::live::usage;
use super::open_connections::{OpenConnection, OpenConnections};
use super::screens::ErrorScreen;
use super::site::SharedSite;

/// Forms with lists that are read at once: each is up to [`LARGEST_LIST`], and a workbook many times that.
const LISTS: usize = 2;
/// How long a request may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);
/// Bytes of the headers of a request.
const HEADERS: usize = 16 * 1024;
/// How long the answers under way may take when the page ends.
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// Ports that are tried where one is to be free on both addresses.
const TRIES: usize = 8;

/// What every answer carries: nothing is kept, shown inside of another page, or taken from elsewhere.
const ALWAYS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'",
    ),
    (header::CACHE_CONTROL, "no-store"),
    // Nobody else learns the address. With `no-referrer` a browser sends `Origin: null` with the page's own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// The sockets on which the page is served.
#[derive(Debug)]
pub struct Listeners {
    sockets: Vec<TcpListener>,
    /// The port, the same on both addresses.
    pub port: u16,
}

impl Listeners {
    /// Takes a port on both loopback addresses, any free one for 0. A machine without IPv6 has one of them.
    ///
    /// # Errors
    /// Where the port is taken.
    pub async fn bind(port: u16) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            let taken = first.local_addr()?.port();
            match TcpListener::bind((Ipv6Addr::LOCALHOST, taken)).await {
                Ok(second) => {
                    return Ok(Self {
                        sockets: vec![first, second],
                        port: taken,
                    });
                }
                // Somebody else listens there: a browser that tries that address first would find them.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    if port != 0 || tries == TRIES {
                        return Err(error);
                    }
                }
                Err(_) => {
                    return Ok(Self {
                        sockets: vec![first],
                        port: taken,
                    });
                }
            }
        }
    }
}

/// Serves the page until the token is cancelled.
pub(super) async fn serve(
    listeners: Listeners,
    site: SharedSite,
    pages: Router<SharedSite>,
    stop: CancellationToken,
) {
    let guarded = Guarded {
        site: Arc::clone(&site),
        own: Arc::new(OwnAddresses::of_port(listeners.port)),
        lists: Arc::new(Semaphore::new(LISTS)),
    };
    let router = pages
        // What comes is bounded by the guard.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(guarded, guard))
        .with_state(site);
    let open = Arc::new(OpenConnections::default());
    let mut serving = tokio::task::JoinSet::new();
    for socket in listeners.sockets {
        serving.spawn(accept(
            socket,
            router.clone(),
            Arc::clone(&open),
            stop.clone(),
        ));
    }
    while serving.join_next().await.is_some() {}
}

async fn accept(
    socket: TcpListener,
    router: Router,
    open: Arc<OpenConnections>,
    stop: CancellationToken,
) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = socket.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        // Too many open files, or a connection that has gone already.
        let Ok((stream, from)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if !is_loopback(from) {
            continue;
        }
        let Some(place) = open.open() else {
            continue;
        };
        let open = Arc::clone(&open);
        let own = router.clone().layer(Extension(Arc::clone(&place)));
        let service = TowerToHyperService::new(own);
        let stop = stop.clone();
        connections.spawn(async move {
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new())
                .header_read_timeout(ARRIVAL)
                .max_buf_size(HEADERS);
            let connection = http.serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            tokio::select! {
                // A connection that breaks is the business of whoever broke it.
                _ = connection.as_mut() => {}
                () = place.closed.cancelled() => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = tokio::time::timeout(LAST_ANSWERS, connection).await;
                }
            }
            open.close(&place);
        });
    }
    let _ = tokio::time::timeout(LAST_ANSWERS, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
}

fn is_loopback(from: SocketAddr) -> bool {
    match from.ip() {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => address.is_loopback(),
    }
}

/// What the guard needs.
#[derive(Clone)]
struct Guarded {
    site: SharedSite,
    own: Arc<OwnAddresses>,
    /// Places for forms with lists.
    lists: Arc<Semaphore>,
}

/// Before every answer: whether it is given, and what each carries.
async fn guard(
    State(guarded): State<Guarded>,
    Extension(connection): Extension<Arc<OpenConnection>>,
    request: Request,
    next: Next,
) -> Result<Response, Infallible> {
    let Guarded { site, own, lists } = &guarded;
    // Held until the answer is there: what a list was read into is gone then. It is closed never.
    let _place = if carries_list(request.uri().path(), request.headers()) {
        lists.acquire().await.ok()
    } else {
        None
    };
    let mut response = match admit(site, own, (request, &connection)).await {
        Ok(request) => next.run(request).await,
        Err(answer) => answer,
    };
    for (name, value) in ALWAYS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// The request with its whole body, or the answer instead.
async fn admit(
    site: &SharedSite,
    own: &OwnAddresses,
    (request, connection): (Request, &OpenConnection),
) -> Result<Request, Response> {
    let (parts, body) = request.into_parts();
    judge((&parts.method, &parts.uri, &parts.headers), own).map_err(refused)?;
    let ticket = ticket(&parts.method, parts.uri.path(), parts.uri.query());
    if let Some(ticket) = ticket {
        return Err(match site.sessions.redeem(&ticket, Instant::now()) {
            Some(cookie) => let_in(Some(&cookie)),
            // The address was used before, by this browser: it is in already.
            None if is_in(&parts.headers, &site.sessions).is_ok() => let_in(None),
            None => refused(RequestRefusal::NotIn),
        });
    }
    is_in(&parts.headers, &site.sessions).map_err(refused)?;
    connection.let_in();
    site.touch();
    let body = if parts.method == Method::POST {
        let most = if carries_list(parts.uri.path(), &parts.headers) {
            LARGEST_LIST
        } else {
            LARGEST_FORM
        };
        match tokio::time::timeout(ARRIVAL, to_bytes(body, most)).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(_)) => {
                let most = most / 1024;
                let why = format!("the form has more than {most} KiB, or did not arrive whole");
                let said = ErrorScreen::new(site, usage(&why));
                return Err((StatusCode::PAYLOAD_TOO_LARGE, said).into_response());
            }
            Err(_) => {
                let said =
                    ErrorScreen::new(site, usage("the form did not arrive within 30 seconds"));
                return Err((StatusCode::REQUEST_TIMEOUT, said).into_response());
            }
        }
    } else {
        Bytes::new()
    };
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Whether it is the form of a new plan, which has lists and is sent in parts.
fn carries_list(path: &str, headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    ["/runs", "/choose/count"].contains(&path)
        && kind.is_some_and(|kind| kind.starts_with("multipart/form-data"))
}

/// What leads in, where the address that was printed is asked for.
fn ticket(method: &Method, path: &str, query: Option<&str>) -> Option<String> {
    if *method != Method::GET || path != "/" {
        return None;
    }
    let mut pairs = url::form_urlencoded::parse(query?.as_bytes());
    pairs
        .find(|(name, _)| name == "token")
        .map(|(_, value)| value.into_owned())
}

/// Lets a browser in. The next page is asked for by this one and not by a redirection: a browser that was sent here by
/// another program sends the cookie only then.
fn let_in(cookie: Option<&str>) -> Response {
    let page = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url=/\">\
                <link rel=\"icon\" href=\"/icon.svg\"><title>syncfilters</title><p><a href=\"/\">Open the page</a></p></html>";
    let mut response = Html(page).into_response();
    if let Some(Ok(cookie)) = cookie.map(HeaderValue::from_str) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Says nothing of any environment: other accounts of the machine can ask, too.
fn refused(why: RequestRefusal) -> Response {
    let said = match why {
        RequestRefusal::OtherHost => "This address is not served here.",
        RequestRefusal::Method => {
            "This cannot be asked for in this way. <a href=\"/\">Go to the environments.</a>"
        }
        RequestRefusal::OtherOrigin => {
            "This form does not come from this page. <a href=\"/\">Go to the environments.</a>"
        }
        RequestRefusal::NotIn => {
            "This page is open to whoever started it. Use the address that <code>syncfilters ui</code> printed: it leads \
             in once, within a minute. Press Enter where the command runs, and it prints another."
        }
    };
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>syncfilters</title><p>{said}</p></html>"
    );
    (why.status(), Html(page)).into_response()
}
