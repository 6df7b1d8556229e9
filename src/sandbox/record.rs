//! Records requests, for tests of what a client sends.

use std::sync::{Mutex, PoisonError};

use super::message::IncomingCall;

/// One operation as it arrived, alone or as a part of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    /// `GET`, `PATCH`, and so on.
    pub method: String,
    /// Below the service root, still percent-encoded: `userqueries(…)`.
    pub path: String,
    /// The text after `?`, still percent-encoded.
    pub query: String,
    /// The body as text; empty where there is none.
    pub body: String,
}

/// Records operations after it was started. It grows with every operation, so it is for tests only.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Option<Vec<RecordedRequest>>>);

impl Recorder {
    /// Starts with an empty record.
    pub(super) fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// All operations since the start.
    pub(super) fn recorded(&self) -> Vec<RecordedRequest> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone().unwrap_or_default()
    }

    pub(super) fn keep(&self, call: &IncomingCall) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &mut *kept {
            kept.push(RecordedRequest {
                method: call.method.to_string(),
                path: call.path.clone(),
                query: call.query.clone(),
                body: String::from_utf8_lossy(&call.body).into_owned(),
            });
        }
    }
}
