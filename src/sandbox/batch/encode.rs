//! Converts answers to the body of a `$batch` answer, in the documented form.

use http::header::CONTENT_TYPE;
use uuid::Uuid;

use crate::message::Reply;

/// The answer to one item of the batch.
#[derive(Clone, Debug)]
pub(super) enum PartAnswer {
    Single(Option<String>, Reply),
    /// Answers of a change set, or the answer that failed.
    ChangeSet(Vec<(Option<String>, Reply)>),
}

/// The header name as the samples spell it; others unchanged.
fn spelled(name: &str) -> &str {
    match name {
        "odata-version" => "OData-Version",
        "odata-entityid" => "OData-EntityId",
        "content-type" => "Content-Type",
        "req_id" => "REQ_ID",
        "etag" => "ETag",
        "retry-after" => "Retry-After",
        "preference-applied" => "Preference-Applied",
        other => other,
    }
}

/// The body, and the content type with its boundary.
pub(super) fn encode(answers: &[PartAnswer]) -> (String, Vec<u8>) {
    let boundary = format!("batchresponse_{}", Uuid::new_v4());
    let mut body = Vec::new();
    for answer in answers {
        push(&mut body, &format!("--{boundary}"));
        match answer {
            PartAnswer::Single(id, reply) => part(&mut body, id.as_deref(), reply),
            PartAnswer::ChangeSet(replies) => {
                let inner = format!("changesetresponse_{}", Uuid::new_v4());
                push(
                    &mut body,
                    &format!("Content-Type: multipart/mixed; boundary={inner}"),
                );
                push(&mut body, "");
                for (id, reply) in replies {
                    push(&mut body, &format!("--{inner}"));
                    part(&mut body, id.as_deref(), reply);
                }
                push(&mut body, &format!("--{inner}--"));
            }
        }
    }
    push(&mut body, &format!("--{boundary}--"));
    (format!("multipart/mixed; boundary={boundary}"), body)
}

fn push(body: &mut Vec<u8>, line: &str) {
    body.extend_from_slice(line.as_bytes());
    body.extend_from_slice(b"\r\n");
}

/// Writes a blank line after the headers even without a body.
fn part(body: &mut Vec<u8>, content_id: Option<&str>, reply: &Reply) {
    push(body, "Content-Type: application/http");
    push(body, "Content-Transfer-Encoding: binary");
    if let Some(id) = content_id {
        push(body, &format!("Content-ID: {id}"));
    }
    push(body, "");
    let reason = reply.status.canonical_reason().unwrap_or("Unknown");
    push(
        body,
        &format!("HTTP/1.1 {} {reason}", reply.status.as_u16()),
    );
    for (name, value) in &reply.headers {
        let mut value = value.to_str().unwrap_or_default().to_owned();
        if name == CONTENT_TYPE && reply.is_success() && value.starts_with("application/json") {
            value.push_str("; odata.streaming=true");
        }
        if name == "odata-entityid" {
            push(body, &format!("Location: {value}"));
        }
        push(body, &format!("{}: {value}", spelled(name.as_str())));
    }
    push(body, "");
    body.extend_from_slice(&reply.body);
    push(body, "");
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn text(answers: &[PartAnswer]) -> String {
        let (content_type, body) = encode(answers);
        let (_, boundary) = content_type.split_once("boundary=").unwrap();
        String::from_utf8(body).unwrap().replace(boundary, "B")
    }

    #[test]
    fn a_part_without_a_body_is_followed_by_two_blank_lines() {
        let reply = Reply::new(StatusCode::NO_CONTENT).with("odata-entityid", "http://x/y(1)");
        assert_eq!(
            text(&[PartAnswer::Single(None, reply)]),
            "--B\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\nLocation: http://x/y(1)\r\nOData-EntityId: http://x/y(1)\r\n\r\n\r\n--B--\r\n"
        );
    }

    #[test]
    fn a_body_follows_its_headers() {
        let reply = Reply::json(StatusCode::OK, "{}");
        let text = text(&[PartAnswer::Single(None, reply)]);
        assert!(text.contains(
            "Content-Type: application/json; odata.metadata=minimal; odata.streaming=true\r\n"
        ));
        assert!(text.contains("\r\n\r\n{}\r\n--B--"));
    }

    #[test]
    fn a_change_set_is_nested_with_its_content_ids() {
        let reply = Reply::new(StatusCode::NO_CONTENT);
        let text = text(&[PartAnswer::ChangeSet(vec![(Some("1".to_owned()), reply)])]);
        assert!(text.contains("Content-Type: multipart/mixed; boundary=changesetresponse_"));
        assert!(
            text.contains("Content-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\nHTTP/1.1 204")
        );
        assert_eq!(text.matches("--changesetresponse_").count(), 2);
    }
}
