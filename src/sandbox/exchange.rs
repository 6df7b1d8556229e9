//! One HTTP request from arrival to answer: the gateway, the sign-in, the limits, the service.

use std::time::Duration;

use bytes::Bytes;
use http::header::{COOKIE, HOST};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::address::AddressTarget;
use super::challenge::Unauthorized;
use super::errors::ApiError;
use super::faults::Fault;
use super::impersonate::acting;
use super::limits::{Key, LimitRefusal};
use super::location::{Location, locate};
use super::message::{IncomingCall, Reply};
use super::rows::PersonIndex;
use super::service::{OperationContext, Scope, Service};
use super::switches::Switch;
use super::{batch, challenge};

/// Faults outside the service, in the order in which they are tried.
const ON_THE_WAY: &[Fault] = &[
    Fault::LostRequest,
    Fault::Gateway502Html,
    Fault::Unavailable503,
    Fault::Internal500,
    Fault::Html200,
    Fault::ExpiredToken,
    Fault::LostAnswer,
    Fault::LostCommit502,
    Fault::Truncated,
    Fault::Slow,
];

/// The result of a request.
#[derive(Debug)]
pub(super) enum ExchangeOutcome {
    Answered(Reply),
    /// The connection is closed without an answer.
    Cut,
    /// The body is interrupted in the middle.
    Truncated(Reply),
}

// Pages as a gateway sends them in place of an answer.
const SIGN_IN_PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in to your account</title></head><body><form method=\"post\" action=\"https://login.example/\">Sign in</form></body></html>";
const BAD_GATEWAY_PAGE: &str = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>Microsoft-Azure-Application-Gateway/v2</center></body></html>";

fn page(status: StatusCode, html: &'static str) -> Reply {
    let mut reply = Reply::new(status).typed("text/html; charset=utf-8", html);
    reply.headers.remove("odata-version");
    reply
}

/// Passes a request through everything between a client and the service.
pub(super) async fn exchange(
    service: &Service,
    parts: Parts,
    body: Option<Bytes>,
) -> ExchangeOutcome {
    service.counts().total += 1;
    let fault = service.strike(ON_THE_WAY);
    let latency = service.options.latency;
    let latency = if fault == Some(Fault::Slow) {
        (latency * 20).max(Duration::from_millis(200))
    } else {
        latency
    };
    tokio::time::sleep(latency).await;
    if let Some(reply) =
        hostile(service).or_else(|| not_carried_out(service, fault, &parts.headers))
    {
        service.counts().status(reply.status.as_u16());
        return ExchangeOutcome::Answered(reply);
    }
    if fault == Some(Fault::LostRequest) {
        return ExchangeOutcome::Cut;
    }
    let reply = carried_out(service, parts, body).await;
    match fault {
        Some(Fault::LostAnswer) => ExchangeOutcome::Cut,
        Some(Fault::LostCommit502) => {
            ExchangeOutcome::Answered(page(StatusCode::BAD_GATEWAY, BAD_GATEWAY_PAGE))
        }
        Some(Fault::Truncated) => ExchangeOutcome::Truncated(reply),
        _ => ExchangeOutcome::Answered(reply),
    }
}

/// Switches that give every request the same wrong answer.
fn hostile(service: &Service) -> Option<Reply> {
    let switches = service.options.switches;
    if switches.on(Switch::Redirect) {
        let reply = Reply::new(StatusCode::FOUND);
        return Some(reply.with("location", "https://other.example/api/data/v9.2/"));
    }
    switches
        .on(Switch::HtmlInsteadOfJson)
        .then(|| page(StatusCode::OK, SIGN_IN_PAGE))
}

/// The answer of a fault that prevents the request from being executed.
fn not_carried_out(service: &Service, fault: Option<Fault>, headers: &HeaderMap) -> Option<Reply> {
    Some(match fault? {
        Fault::Gateway502Html => page(StatusCode::BAD_GATEWAY, BAD_GATEWAY_PAGE),
        Fault::Unavailable503 => Reply::new(StatusCode::SERVICE_UNAVAILABLE)
            .typed("text/plain", "The service is unavailable.")
            .with("retry-after", "1"),
        Fault::Internal500 => service.refuse(&ApiError::internal(), headers),
        Fault::Html200 => page(StatusCode::OK, SIGN_IN_PAGE),
        Fault::ExpiredToken => {
            let tenant = service.store().organization.tenant;
            challenge::challenge(tenant, &origin(headers), service.options.switches)
        }
        _ => return None,
    })
}

/// The origin as the client addressed it, such as `http://127.0.0.1:5000`.
fn origin(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|it| it.to_str().ok());
    format!("http://{}", host.unwrap_or("127.0.0.1"))
}

async fn carried_out(service: &Service, parts: Parts, body: Option<Bytes>) -> Reply {
    let refused = |result: Result<Reply, ApiError>| {
        let reply = result.unwrap_or_else(|error| service.refuse(&error, &parts.headers));
        service.counts().status(reply.status.as_u16());
        reply.with("x-ms-service-request-id", &Uuid::new_v4().to_string())
    };
    let uri = parts.uri.path_and_query().map_or("/", |it| it.as_str());
    let options = &service.options;
    let location = match locate(uri, &options.prefix(), options.version) {
        Ok(location) => location,
        Err(error) => return refused(Err(error)),
    };
    let origin = parts
        .uri
        .authority()
        .map_or_else(|| origin(&parts.headers), |it| format!("http://{it}"));
    let caller = challenge::caller(&parts.headers, &service.store());
    let caller = match caller {
        Ok(caller) => caller,
        Err(Unauthorized::Error(error)) => return refused(Err(error)),
        Err(Unauthorized::Challenge) => {
            let tenant = service.store().organization.tenant;
            return refused(Ok(challenge::challenge(tenant, &origin, options.switches)));
        }
    };
    let Some(body) = body else {
        return refused(Err(ApiError::of_request(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The request body is too large.",
        )));
    };
    let scope = Scope {
        caller,
        root: format!(
            "{origin}/{}api/data/{}/",
            options.prefix(),
            location.version
        ),
        outer: parts.headers.clone(),
    };
    let call = call(parts, location, body);
    limited(service, &scope, &call).await
}

fn call(parts: Parts, location: Location, body: Bytes) -> IncomingCall {
    IncomingCall {
        method: parts.method,
        path: location.path,
        query: location.query,
        headers: parts.headers,
        body,
    }
}

/// Executes the request under the service protection limits.
async fn limited(service: &Service, scope: &Scope, call: &IncomingCall) -> Reply {
    let key = key(service, scope, call);
    let entered = service.clock();
    let admitted = service.limiter().enter(key, entered);
    let reply = match admitted {
        Ok(()) => {
            let reply = execute(service, scope, call).await;
            let took = service.clock().saturating_sub(entered);
            service.limiter().leave(key, entered, took);
            reply
        }
        Err(refusal) => {
            let reply = service.refuse(&throttled(service, refusal), &call.headers);
            service.counts().status(reply.status.as_u16());
            reply
        }
    };
    decorate(service, key, reply)
}

async fn execute(service: &Service, scope: &Scope, call: &IncomingCall) -> Reply {
    if call.method == http::Method::POST
        && AddressTarget::parse(&call.path) == Ok(AddressTarget::Batch)
    {
        service.counts().batches += 1;
        return batch::run(service, scope, call).await;
    }
    tokio::time::sleep(service.options.execution).await;
    service.answer(scope, call, OperationContext::Alone)
}

/// The caller and web server for which the request counts.
fn key(service: &Service, scope: &Scope, call: &IncomingCall) -> Key {
    let options = &service.options;
    let store = service.store();
    let user: PersonIndex = if options.switches.on(Switch::LimitsPerImpersonatedUser) {
        let acting = acting(
            &scope.outer,
            &store,
            scope.caller,
            options.version,
            options.switches,
        );
        acting.map_or(scope.caller, |it| it.user)
    } else {
        scope.caller
    };
    let servers = options.limits.servers.max(1);
    let stuck = affinity(&call.headers).filter(|&server| server < servers);
    Key {
        principal: store.people[user].id,
        server: stuck.unwrap_or_else(|| service.next_server(servers)),
    }
}

/// The web server in the cookie.
fn affinity(headers: &HeaderMap) -> Option<usize> {
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|it| it.to_str().ok());
    let mut values = cookies
        .flat_map(|it| it.split(';'))
        .filter_map(|it| it.trim().split_once('='));
    let (_, value) = values.find(|(name, _)| *name == "ARRAffinity")?;
    value.strip_prefix("server")?.parse().ok()
}

fn throttled(service: &Service, refusal: LimitRefusal) -> ApiError {
    let wait = refusal.retry_after.as_millis().div_ceil(1000).max(1);
    let seconds = i64::try_from(wait).unwrap_or(i64::MAX);
    let retry_after = if service.options.switches.on(Switch::RetryAfterDate) {
        http_date(Timestamp::now(), seconds)
    } else {
        seconds.to_string()
    };
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, refusal.code, refusal.message).later(retry_after)
}

/// The time after this many seconds, in the form `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(now: Timestamp, seconds: i64) -> String {
    let then = now
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(now);
    then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Adds the headers of every answer of the service.
fn decorate(service: &Service, key: Key, reply: Reply) -> Reply {
    let remaining = service.limiter().remaining(key);
    let reply = reply
        .with("x-ms-service-request-id", &Uuid::new_v4().to_string())
        .with(
            "x-ms-dop-hint",
            &service.options.limits.parallelism_hint.to_string(),
        )
        .with(
            "set-cookie",
            &format!("ARRAffinity=server{}; path=/; HttpOnly", key.server),
        );
    match remaining {
        Some(left) => reply
            .with(
                "x-ms-ratelimit-burst-remaining-xrm-requests",
                &left.requests.to_string(),
            )
            .with(
                "x-ms-ratelimit-time-remaining-xrm-requests",
                &format!("{:.2}", left.execution.as_secs_f64()),
            ),
        None => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_http_wants_it() {
        let now: Timestamp = "1994-11-06T08:49:27Z".parse().unwrap();
        assert_eq!(http_date(now, 10), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_cookie_sticks_to_its_server() {
        let mut headers = HeaderMap::new();
        assert_eq!(affinity(&headers), None);
        headers.insert(COOKIE, "a=b; ARRAffinity=server3".parse().unwrap());
        assert_eq!(affinity(&headers), Some(3));
    }
}
