//! The only writes of filters: SetState, as the owner of the row, in the version that was read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{HeaderValue, Method};
use url::Url;

use crate::model::{Filter, FilterId, ProblemKind, StateAndStatus};
use crate::pacing::Repeat;

use super::answer::Answer;
use super::batch::{self, Part};
use super::call::{Call, JSON, REPRESENTATION};
use super::error::Error;
use super::impersonation::Impersonated;
use super::read::bad_answer;
use super::reader::Reader;
use super::reply::{Why, WriteReply};
use super::rows::{FILTER_COLUMNS, FilterRow, read_json, with_query};

/// One state to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetState {
    /// The row.
    pub filter: FilterId,
    /// The state and status to set.
    pub to: StateAndStatus,
    /// The version that the row must still have. Without one the write requires only that the row exists, so the row
    /// has to be read just before.
    pub etag: Option<String>,
}

type Reply = WriteReply<Filter>;

/// Sets states in one environment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    pub(super) reader: Reader,
    /// Whether the table does not support versions in `If-Match`.
    any_version: Learnt,
}

pub(super) const WHAT: &str = "setting the state of sync filters";

impl Writer {
    /// A writer for the environment of this reader.
    pub fn new(reader: Reader) -> Self {
        Self {
            reader,
            any_version: Learnt::default(),
        }
    }

    /// Whether the server checks the version that a write requires. Otherwise a row has to be read
    /// just before it is written.
    pub fn demands_versions(&self) -> bool {
        !self.any_version.is_set() && !self.reader.is_without_concurrency()
    }

    /// Sets states as this user, in one request where the server supports it. The results are in the
    /// order of the states. An error means that nothing was done and that every other user would fail in the same way.
    ///
    /// One state is one PATCH. Several are one `$batch` whose outer request impersonates, because the server may ignore
    /// the header of a part. Its parts are not in a change set, because a change set that fails in one row (somebody
    /// just edited it) undoes the user's other rows and reports none of them.
    ///
    /// A server of version 8 does not support the preference to continue after an error, so there each
    /// state is a separate request.
    pub async fn set_states(
        &self,
        who: &Impersonated,
        states: &[SetState],
    ) -> Result<Vec<Reply>, Error> {
        let channel = self.reader.channel();
        let batches = self.reader.identity().version.is_nine() && !channel.has_no_batch();
        if states.len() > 1 && batches {
            return self.batch(who, states).await;
        }
        self.one_by_one(who, states).await
    }

    async fn one_by_one(
        &self,
        who: &Impersonated,
        states: &[SetState],
    ) -> Result<Vec<Reply>, Error> {
        let mut written = Vec::with_capacity(states.len());
        for state in states {
            let call = self.patch(who, state)?;
            match self.reader.channel().send(&call).await {
                Ok(answer) => written.push(self.outcome(&answer)),
                // What was done before has to be reported; the next user meets the same error.
                Err(error) if written.is_empty() && error.is_fatal() => return Err(error),
                Err(error) => written.push(Reply::of_error(&error)),
            }
        }
        Ok(written)
    }

    /// Where `$batch` itself is refused on the way, the state of the rows is not known: they are read before each is
    /// written alone, and so are all later rows.
    async fn batch(&self, who: &Impersonated, states: &[SetState]) -> Result<Vec<Reply>, Error> {
        let parts = states
            .iter()
            .map(|state| self.part(state))
            .collect::<Result<Vec<_>, _>>()?;
        let url = self.reader.url("$batch")?;
        let call = Call::batch(WHAT, url, &parts, Repeat::OnlyIfNotDone);
        let answer = match self
            .reader
            .channel()
            .send(&self.reader.as_user(call, who))
            .await
        {
            Ok(answer) => answer,
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => return Ok(for_all(states, || Reply::of_error(&error))),
        };
        if let Some(content_type) = answer.multipart() {
            return Ok(self.part_outcomes(content_type, &answer, states));
        }
        if answer.refuses_batches() {
            self.reader.channel().learn_no_batch();
            let why = || {
                Why::seen(
                    ProblemKind::BadAnswer,
                    "something refuses requests to $batch",
                )
            };
            return Ok(for_all(states, || Reply::Unclear(why())));
        }
        let fault = answer.fault();
        if fault.is_impersonation_refused() {
            return Err(Error::refused(WHAT, fault));
        }
        let reply = Reply::of(&answer, |_| None);
        Ok(for_all(states, || reply.clone()))
    }

    /// A part without an answer follows one that stopped the batch, or its answer was lost.
    fn part_outcomes(
        &self,
        content_type: &str,
        answer: &Answer,
        states: &[SetState],
    ) -> Vec<Reply> {
        let unanswered = |why: &str| Reply::Unclear(Why::seen(ProblemKind::ServerError, why));
        match batch::decode(content_type, &answer.body) {
            Err(error) => for_all(states, || unanswered(&error.to_string())),
            Ok(parts) => {
                let mut answers = parts.into_iter();
                let mut next = || answers.next().map(|part| self.part_outcome(&part));
                for_all(states, || {
                    next().unwrap_or_else(|| unanswered("the batch holds no answer for it"))
                })
            }
        }
    }

    /// A part can be refused by the service protection limits alone, with its own Retry-After.
    fn part_outcome(&self, part: &Answer) -> Reply {
        self.reader.channel().note(part);
        self.outcome(part)
    }

    fn outcome(&self, answer: &Answer) -> Reply {
        let reply = Reply::of(answer, shown);
        if let Reply::Unclear(Why::Said(fault)) = &reply
            && fault.is_concurrency_unsupported()
        {
            self.any_version.set();
        }
        reply
    }

    fn patch(&self, who: &Impersonated, state: &SetState) -> Result<Call, Error> {
        let url = self.row_url(state.filter)?;
        let version = header_value(if_match(state))?;
        let call = Call::update(WHAT, url, set_state_body(state.to), version);
        Ok(self.reader.as_user(call, who))
    }

    fn part(&self, state: &SetState) -> Result<Part, Error> {
        let url = self.row_url(state.filter)?;
        let query = url.query().unwrap_or_default();
        Ok(Part {
            method: Method::PATCH,
            target: format!("{}?{query}", url.path()),
            headers: vec![
                ("Content-Type", JSON.into()),
                ("Accept", JSON.into()),
                ("If-Match", if_match(state).to_owned()),
                ("Prefer", REPRESENTATION.into()),
            ],
            body: set_state_body(state.to),
        })
    }

    pub(super) fn row_url(&self, filter: FilterId) -> Result<Url, Error> {
        let url = self.reader.url(&format!("userqueries({filter})"))?;
        Ok(with_query(url, &format!("$select={FILTER_COLUMNS}")))
    }
}

/// Always present, because a PATCH without `If-Match` creates a missing row (Microsoft: "Perform conditional operations
/// using the Web API").
fn if_match(state: &SetState) -> &str {
    state.etag.as_deref().unwrap_or("*")
}

pub(super) fn shown(body: &[u8]) -> Option<Filter> {
    let row = read_json::<FilterRow>(body).ok()?;
    Filter::try_from(row).ok()
}

fn for_all(states: &[SetState], mut written: impl FnMut() -> Reply) -> Vec<Reply> {
    states.iter().map(|_| written()).collect()
}

/// State and status are always sent together: with a state alone the server chooses the status.
pub(super) fn set_state_body(to: StateAndStatus) -> Bytes {
    let body = serde_json::json!({"statecode": to.state.code(), "statuscode": to.status});
    Bytes::from(body.to_string())
}

pub(super) fn header_value(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(text).map_err(|error| bad_answer(WHAT, &error))
}

/// A fact that is learnt once and holds for the whole run.
#[derive(Clone, Debug, Default)]
struct Learnt(Arc<AtomicBool>);

impl Learnt {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{State, Status};

    #[test]
    fn state_and_status_go_together_also_where_the_status_is_null() {
        let body = |to| String::from_utf8(set_state_body(to).to_vec()).unwrap();
        assert_eq!(
            body(State::Inactive.with_default_status()),
            r#"{"statecode":1,"statuscode":2}"#
        );
        let null = StateAndStatus {
            state: State::Active,
            status: Status(None),
        };
        assert_eq!(body(null), r#"{"statecode":0,"statuscode":null}"#);
    }
}
