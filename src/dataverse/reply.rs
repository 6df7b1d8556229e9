//! The result of a write, of a filter or of a template.

use http::StatusCode;

use crate::model::{Problem, ProblemKind, Stage};

use super::answer::Answer;
use super::error::{Error, fault_problem};
use super::fault::ServerFault;

/// The result of one write.
#[derive(Clone, Debug)]
pub enum WriteReply<R> {
    /// Done, with the row as the server returned it.
    Shown(Box<R>),
    /// Refused by Dataverse. Nothing was done.
    Refused(Box<ServerFault>),
    /// Not known: any other answer, or none. The row has to be read.
    Unclear(Why),
    /// The request never reached the server. Nothing was done.
    NotSent(Why),
}

/// Why the result of a write is not known.
#[derive(Clone, Debug)]
pub enum Why {
    /// The server answered with this refusal.
    Said(Box<ServerFault>),
    /// The server reported success without the row, as servers do that do not support the preference.
    Silent,
    /// There was no answer, or none with a result.
    Seen {
        /// The stable word.
        kind: ProblemKind,
        /// The observation, for people.
        message: String,
    },
    /// The run is being interrupted.
    Interrupted,
}

impl Why {
    /// The result as a problem of one row.
    pub fn problem(&self, stage: Stage) -> Problem {
        match self {
            Self::Said(fault) => fault_problem(stage, fault),
            Self::Seen { kind, message } => Problem::seen(stage, *kind, message.clone()),
            Self::Silent => {
                let why = "the server said that it was done, and the row does not show it";
                Problem::seen(stage, ProblemKind::NotAsWritten, why)
            }
            Self::Interrupted => Problem::seen(stage, ProblemKind::Unreachable, "interrupted"),
        }
    }

    pub(super) fn seen(kind: ProblemKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Seen { kind, message }
    }
}

impl<R> WriteReply<R> {
    /// The meaning of an answer; `read` reads the row from its body.
    ///
    /// Only a refusal by Dataverse itself, with an error document and a matching status, certainly did nothing. A 412
    /// or 404 can answer the second of two attempts of which the first was done, and a 429 or 5xx can come from
    /// a gateway.
    pub(super) fn of(answer: &Answer, read: impl FnOnce(&[u8]) -> Option<R>) -> Self {
        if answer.status.is_success() {
            return match read(&answer.body) {
                Some(row) => Self::Shown(Box::new(row)),
                None if answer.body.is_empty() => Self::Unclear(Why::Silent),
                None => {
                    let why = "the answer to the write is not the row";
                    Self::Unclear(Why::seen(ProblemKind::BadAnswer, why))
                }
            };
        }
        if answer.status.is_redirection() {
            let why = format!("the answer was {}", answer.status);
            return Self::Unclear(Why::seen(ProblemKind::BadAnswer, why));
        }
        let fault = Box::new(answer.fault());
        if is_refusal(&fault) {
            Self::Refused(fault)
        } else {
            Self::Unclear(Why::Said(fault))
        }
    }

    /// The result of a write without an answer.
    pub(super) fn of_error(error: &Error) -> Self {
        let why = || Why::seen(error.kind(), error.to_string());
        match error {
            Error::Interrupted => Self::NotSent(Why::Interrupted),
            Error::Unreachable { .. }
            | Error::Proxy { .. }
            | Error::SignIn(_)
            | Error::ForeignUrl { .. } => Self::NotSent(why()),
            Error::Refused { fault, .. } | Error::Unauthorized { fault, .. } => {
                Self::Refused(fault.clone())
            }
            Error::Lost { .. }
            | Error::WaitTooLong { .. }
            | Error::Postponed { .. }
            | Error::BadAnswer { .. }
            | Error::Redirected { .. } => Self::Unclear(why()),
        }
    }
}

/// Whether a refusal certainly means that nothing was done.
///
/// A gateway's page has no error document. "Versions are not supported" refuses the form of the request and not the
/// change, so the row is read before it is written in another form.
fn is_refusal(fault: &ServerFault) -> bool {
    let stale = [
        StatusCode::PRECONDITION_FAILED,
        StatusCode::NOT_FOUND,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    if fault.is_default_template_refused() {
        return true;
    }
    fault.status.is_client_error()
        && !stale.contains(&fault.status)
        && fault.documented
        && !fault.is_concurrency_unsupported()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::HeaderMap;

    fn reply(status: u16, body: &str) -> WriteReply<String> {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_owned()),
        };
        let read = |body: &[u8]| (body == b"row").then(|| "row".to_owned());
        WriteReply::of(&answer, read)
    }

    const DOCUMENT: &str = r#"{"error":{"code":"0x80040203","message":"no"}}"#;

    #[test]
    fn only_the_row_and_a_documented_refusal_say_what_was_done() {
        assert!(matches!(reply(200, "row"), WriteReply::Shown(_)));
        for status in [400, 403, 405, 409, 413] {
            let refused = reply(status, DOCUMENT);
            assert!(matches!(refused, WriteReply::Refused(_)), "{status}");
            let page = reply(status, "<html>blocked</html>");
            assert!(matches!(page, WriteReply::Unclear(_)), "{status}");
        }
        for status in [302, 304, 404, 408, 412, 429, 500, 502, 503] {
            let unclear = reply(status, DOCUMENT);
            assert!(matches!(unclear, WriteReply::Unclear(_)), "{status}");
        }
    }

    #[test]
    fn a_success_without_a_body_is_not_the_same_as_a_page_with_status_200() {
        assert!(matches!(reply(204, ""), WriteReply::Unclear(Why::Silent)));
        let page = reply(200, "<html>sign in</html>");
        assert!(matches!(page, WriteReply::Unclear(Why::Seen { .. })));
    }

    #[test]
    fn versions_that_cannot_be_demanded_are_no_refusal_of_the_change() {
        let fault = r#"{"error":{"code":"0x8006088d","message":"not enabled"}}"#;
        assert!(matches!(reply(400, fault), WriteReply::Unclear(_)));
    }

    #[test]
    fn the_rules_for_default_templates_refuse_with_any_status() {
        let fault = r#"{"error":{"code":"0x8004027b","message":"no"}}"#;
        assert!(matches!(reply(500, fault), WriteReply::Refused(_)));
    }
}
