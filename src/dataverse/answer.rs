//! An answer, alone or as part of a batch, and its meaning for the pace.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::pacing::{Facts, Observation, Repeat, Signal, classify};

use super::fault::ServerFault;

/// A completely received answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers; for a part without those of the MIME part around it.
    pub headers: HeaderMap,
    /// The body as it was received; empty where there is none.
    pub body: Bytes,
}

impl From<Response<Bytes>> for Answer {
    fn from(answer: Response<Bytes>) -> Self {
        let (parts, body) = answer.into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

impl Answer {
    pub(super) fn fault(&self) -> ServerFault {
        ServerFault::new(self.status, &self.headers, &self.body)
    }

    /// The content type, where this answers a batch.
    pub(super) fn multipart(&self) -> Option<&str> {
        let content_type = self.header(&CONTENT_TYPE)?;
        let start = content_type.trim_start().to_ascii_lowercase();
        start.starts_with("multipart/").then_some(content_type)
    }

    /// Whether this is a success without a body, although something was asked for.
    pub(super) fn is_empty_success(&self) -> bool {
        self.status == StatusCode::OK && self.body.trim_ascii().is_empty()
    }

    /// Whether `$batch` was refused by something that is not a Web API or does not support `$batch`: a gateway's page
    /// in place of an answer, or a status that says that the resource does not exist. The Web API itself refuses with
    /// an error document, and would refuse single requests as well.
    pub(super) fn refuses_batches(&self) -> bool {
        if self.multipart().is_some() || self.status.is_server_error() && !self.is_501() {
            return false;
        }
        let no_such_thing = matches!(
            self.status,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
        );
        no_such_thing || self.is_501() || !is_document(&self.body)
    }

    fn is_501(&self) -> bool {
        self.status == StatusCode::NOT_IMPLEMENTED
    }

    /// The time of the server's clock.
    pub(super) fn date(&self) -> Option<Timestamp> {
        let date = rfc2822::parse(self.header(&DATE)?.trim()).ok()?;
        Some(date.timestamp())
    }

    /// How many requests the web server that answered still grants, as it says. Spelled as in recorded answers of
    /// Dataverse.
    pub(super) fn requests_left(&self) -> Option<u32> {
        self.number("x-ms-ratelimit-burst-remaining-xrm-requests")
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.headers.get(name)?.to_str().ok()?.trim().parse().ok()
    }

    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn is_document(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// The meaning of an answer for the pace. The outer status of a batch is that of the part
/// that stopped it, and says nothing about the parts before it, which may have been done: only the parts can be
/// judged.
pub(super) fn observe(answer: &Answer, repeat: Repeat) -> Observation {
    if answer.multipart().is_some() {
        return Observation {
            signal: Signal::Success,
            retry_after: None,
            not_done: false,
            trouble: None,
        };
    }
    let status = answer.status;
    let fault = (!status.is_success() && !status.is_redirection()).then(|| answer.fault());
    let facts = Facts {
        status: Some(status.as_u16()),
        code: fault.as_ref().and_then(|fault| fault.code),
        retry_after: answer.header(&RETRY_AFTER),
        date: answer.header(&DATE),
        failure: None,
        // For a write this is a valid answer.
        empty: repeat == Repeat::Safe && answer.is_empty_success(),
        transient: fault.as_ref().is_some_and(ServerFault::is_deadlock),
    };
    classify(&facts, Timestamp::now())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use http::HeaderValue;

    /// An answer without headers.
    pub(in crate::dataverse) fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_owned()),
        }
    }

    fn answer_of_type(status: u16, content_type: &'static str, body: &'static str) -> Answer {
        let content_type = HeaderValue::from_static(content_type);
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn a_batch_that_was_stopped_by_a_limit_is_not_sent_again_as_a_whole() {
        let stopped = answer_of_type(429, "multipart/mixed; boundary=x", "");
        assert_eq!(observe(&stopped, Repeat::Safe).signal, Signal::Success);
        let refused = answer_of_type(429, "application/json", "");
        assert_eq!(observe(&refused, Repeat::Safe).signal, Signal::Throttled);
    }

    #[test]
    fn nothing_in_answer_to_a_read_is_no_answer_and_to_a_write_it_is_one() {
        for body in ["", " \r\n"] {
            let empty = answer_of_type(200, "application/json", body);
            assert_eq!(observe(&empty, Repeat::Safe).signal, Signal::Overload);
            let written = observe(&empty, Repeat::OnlyIfNotDone);
            assert_eq!(written.signal, Signal::Success);
        }
        let nothing_to_say = answer_of_type(204, "application/json", "");
        let seen = observe(&nothing_to_say, Repeat::Safe);
        assert_eq!(seen.signal, Signal::Success);
    }

    #[test]
    fn what_is_left_is_a_number_or_nothing_at_all() {
        let name = HeaderName::from_static("x-ms-ratelimit-burst-remaining-xrm-requests");
        for (text, left) in [
            ("5999", Some(5999)),
            ("0", Some(0)),
            ("-1", None),
            ("NaN", None),
            ("5,999", None),
            ("99999999999999", None),
            ("", None),
        ] {
            let mut answer = answer(200, "");
            answer.headers.insert(&name, HeaderValue::from_static(text));
            assert_eq!(answer.requests_left(), left, "{text}");
        }
        assert_eq!(answer(200, "").requests_left(), None);
    }

    #[test]
    fn a_page_of_a_gateway_refuses_batches_and_a_document_of_the_web_api_does_not() {
        let page = "<html><body>Request rejected</body></html>";
        let document = r#"{"error":{"code":"0x80040220","message":"missing prvReadUserQuery"}}"#;
        for (status, body, refuses) in [
            (403, page, true),
            (200, page, true),
            (400, "", true),
            (413, page, true),
            (415, page, true),
            (404, document, true),
            (405, document, true),
            (501, document, true),
            (403, document, false),
            (400, document, false),
            // These are temporary, or reported as they are.
            (502, page, false),
            (503, page, false),
        ] {
            let answer = answer_of_type(status, "text/html", body);
            assert_eq!(answer.refuses_batches(), refuses, "{status} {body}");
        }
    }
}
