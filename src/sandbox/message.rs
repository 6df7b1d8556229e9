//! One operation and its answer, alone or as a part of a batch.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use uuid::Uuid;

use super::errors::ApiError;
use super::odata::Annotations;

/// `Content-Type` of every JSON answer.
const JSON: &str = "application/json; odata.metadata=minimal";

/// One operation, with an address below the service root.
#[derive(Clone, Debug)]
pub(super) struct IncomingCall {
    pub(super) method: Method,
    /// Relative to the service root, still percent-encoded: `userqueries(…)`.
    pub(super) path: String,
    /// The text after `?`, still percent-encoded.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The answer to one operation.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn new(status: StatusCode) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("OData-Version", HeaderValue::from_static("4.0"));
        Self {
            status,
            headers,
            body: Bytes::new(),
        }
    }

    pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status).typed(JSON, body)
    }

    pub(super) fn typed(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = body.into();
        self
    }

    /// Adds a header; an invalid value is omitted.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub(super) fn etag(self, version: u64) -> Self {
        self.with("etag", &format!("W/\"{version}\""))
    }

    pub(super) fn error(error: &ApiError, old: bool, annotations: &Annotations) -> Self {
        let reply = Self::json(error.status, error.body(old, annotations));
        let reply = reply.with("req_id", &Uuid::new_v4().to_string());
        match &error.retry_after {
            Some(after) => reply.with("retry-after", after),
            None => reply,
        }
    }

    /// 2xx or 3xx.
    pub(super) fn is_success(&self) -> bool {
        self.status.as_u16() < 400
    }
}
