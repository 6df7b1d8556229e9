//! Listens for connections and answers requests.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

use super::cut::{CutListener, Cutter};
use super::exchange::{ExchangeOutcome, exchange};
use super::message::Reply;
use super::service::Service;

/// The path of the counts. It is outside of the imitated API.
const COUNTS: &str = "sandbox/counts";

/// Serves until the token is cancelled; open connections end after the request under way.
pub(super) fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    stop: CancellationToken,
) -> JoinHandle<io::Result<()>> {
    let counts_path = format!("/{}{COUNTS}", service.options.prefix());
    let router = Router::new()
        .route(&counts_path, get(counts))
        .fallback(handle)
        .layer(CompressionLayer::new())
        .with_state(service);
    let router = router.into_make_service_with_connect_info::<Cutter>();
    tokio::spawn(async move {
        axum::serve(CutListener(listener), router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    })
}

async fn counts(State(service): State<Arc<Service>>) -> Response {
    let counts = serde_json::to_vec(&*service.counts()).unwrap_or_default();
    let mut response = Response::new(Body::from(counts));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

async fn handle(
    State(service): State<Arc<Service>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, service.options.max_body).await.ok();
    // In a separate task, so that the work continues when the client disconnects, as on a real server.
    let work = tokio::spawn(async move {
        service.counts().begin();
        let outcome = exchange(&service, parts, body).await;
        let status = match &outcome {
            ExchangeOutcome::Answered(reply) | ExchangeOutcome::Truncated(reply) => reply.status,
            ExchangeOutcome::Cut => StatusCode::OK,
        };
        let now = service.clock();
        service.counts().end(status.as_u16(), now);
        outcome
    });
    Ok(match work.await {
        Ok(ExchangeOutcome::Answered(reply)) => response(reply.status, reply),
        Ok(ExchangeOutcome::Truncated(reply)) => truncated(reply),
        Ok(ExchangeOutcome::Cut) => {
            cutter.cut();
            Response::new(Body::empty())
        }
        Err(_) => {
            let reply = Reply::new(StatusCode::INTERNAL_SERVER_ERROR);
            response(reply.status, reply)
        }
    })
}

fn response(status: StatusCode, reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = status;
    *response.headers_mut() = reply.headers;
    response
}

/// Half of the body, and then the end of the connection.
fn truncated(reply: Reply) -> Response {
    let half = reply.body.slice(..reply.body.len() / 2);
    let first = stream::once(async move { Ok::<Bytes, io::Error>(half) });
    let then = stream::once(async {
        // Gives the first half time to be sent.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(io::ErrorKind::ConnectionReset.into())
    });
    let mut response = Response::new(Body::from_stream(first.chain(then)));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}
