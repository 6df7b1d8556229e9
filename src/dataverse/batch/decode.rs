//! Reads the answer to a `$batch`.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::super::answer::Answer;

/// The deepest nesting of multiparts: the batch, and a change set in it.
const MAX_DEPTH: usize = 2;
/// The most headers of a part: those of the documented samples have fewer than ten.
const MAX_HEADERS: usize = 64;

/// Why an answer is not the answer to a batch.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The content type is another one.
    #[error("the answer is not `multipart/mixed` with a boundary but `{0}`")]
    NotMultipart(String),
    /// The end is missing, in the part with this number, from 1.
    #[error("the answer breaks off: part {0} has no end")]
    BreaksOff(usize),
    /// A part cannot be read.
    #[error("part {part} is not an HTTP answer: {why}")]
    BadPart {
        /// Its number, from 1.
        part: usize,
        /// The reason.
        why: String,
    },
}

/// The answers in a batch, in order, including those in change sets.
///
/// Line ends may be CRLF or bare LF, boundaries quoted or bare. An incomplete body is an error,
/// because requests of the missing part may have been done.
pub fn decode(content_type: &str, body: &Bytes) -> Result<Vec<Answer>, BatchError> {
    let mut answers = Vec::new();
    decode_level(content_type, body, 1, &mut answers)?;
    Ok(answers)
}

fn decode_level(
    content_type: &str,
    body: &Bytes,
    depth: usize,
    answers: &mut Vec<Answer>,
) -> Result<(), BatchError> {
    let boundary = boundary_of(content_type)
        .ok_or_else(|| BatchError::NotMultipart(content_type.to_owned()))?;
    for part in split(body, &boundary).map_err(|()| BatchError::BreaksOff(answers.len() + 1))? {
        let bad = |why: &str| BatchError::BadPart {
            part: answers.len() + 1,
            why: why.to_owned(),
        };
        let (mime, content) = headers_of(&part).map_err(|why| bad(&why))?;
        let inner = mime.get("content-type").and_then(|v| v.to_str().ok());
        match inner {
            Some(inner) if boundary_of(inner).is_some() => {
                if depth == MAX_DEPTH {
                    return Err(bad("multiparts nest too deep"));
                }
                decode_level(inner, &content, depth + 1, answers)?;
            }
            _ => {
                let answer = answer_of(&content).map_err(|why| bad(&why))?;
                answers.push(answer);
            }
        }
    }
    Ok(())
}

/// The boundary named by a `multipart/mixed` content type.
fn boundary_of(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';');
    let media_type = parameters.next()?.trim();
    if !media_type.eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let boundary = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !boundary.is_empty())
            .then(|| boundary.to_owned())
    })
}

/// The parts between delimiters, without the line end that belongs to the following delimiter.
fn split(body: &Bytes, boundary: &str) -> Result<Vec<Bytes>, ()> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut part_start = None;
    let mut at = 0;
    while at < body.len() {
        let line_end = body[at..].iter().position(|b| *b == b'\n');
        let next = line_end.map_or(body.len(), |n| at + n + 1);
        let line = body[at..next].trim_ascii_end();
        let closing = line
            .strip_suffix(b"--")
            .is_some_and(|l| l == delimiter.as_bytes());
        if closing || line == delimiter.as_bytes() {
            if let Some(start) = part_start {
                parts.push(body.slice(start..without_line_end(body, start, at)));
            }
            if closing {
                return Ok(parts);
            }
            part_start = Some(next);
        }
        at = next;
    }
    Err(())
}

fn without_line_end(body: &[u8], start: usize, mut end: usize) -> usize {
    for byte in [b'\n', b'\r'] {
        if end > start && body[end - 1] == byte {
            end -= 1;
        }
    }
    end
}

/// MIME headers and the content after them; a part may have no headers.
fn headers_of(part: &Bytes) -> Result<(HeaderMap, Bytes), String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    match httparse::parse_headers(part, &mut headers) {
        Ok(httparse::Status::Complete((length, headers))) => {
            Ok((header_map(headers)?, part.slice(length..)))
        }
        Ok(httparse::Status::Partial) => Err("its headers have no end".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// The answer in a part. The part is complete because its delimiter was found; some servers omit the blank line after
/// the headers of an answer without a body.
fn answer_of(content: &Bytes) -> Result<Answer, String> {
    if let Some(answer) = parse_answer(content)? {
        return Ok(answer);
    }
    let closed = Bytes::from([content, &b"\r\n\r\n"[..]].concat());
    parse_answer(&closed)?.ok_or_else(|| "its headers have no end".into())
}

fn parse_answer(content: &Bytes) -> Result<Option<Answer>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(content) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let status = response.code.unwrap_or_default();
    Ok(Some(Answer {
        status: StatusCode::from_u16(status).map_err(|e| e.to_string())?,
        headers: header_map(response.headers)?,
        body: content.slice(length..),
    }))
}

fn header_map(headers: &[httparse::Header<'_>]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for header in headers {
        let name = HeaderName::try_from(header.name).map_err(|e| e.to_string())?;
        let value = HeaderValue::from_bytes(header.value).map_err(|e| e.to_string())?;
        map.append(name, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTENT_TYPE: &str = "multipart/mixed; boundary=batchresponse_1";

    fn read(text: &str) -> Result<Vec<Answer>, BatchError> {
        decode(CONTENT_TYPE, &Bytes::from(text.to_owned()))
    }

    fn documented() -> String {
        "--batchresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
         HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\nOData-EntityId: https://x/tasks(1)\r\n\r\n\r\n\
         --batchresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
         HTTP/1.1 412 Precondition Failed\r\nREQ_ID: 5ecd\r\nContent-Type: application/json; odata.metadata=minimal\r\n\r\n\
         {\"error\":{\"code\":\"\",\"message\":\"x\"}}\r\n\
         --batchresponse_1--\r\n"
            .to_owned()
    }

    #[test]
    fn each_part_keeps_its_status_headers_and_body() {
        let answers = read(&documented()).unwrap();
        let statuses: Vec<_> = answers.iter().map(|a| a.status.as_u16()).collect();
        assert_eq!(statuses, [204, 412]);
        assert_eq!(answers[0].body.trim_ascii(), b"");
        assert_eq!(answers[1].headers["req_id"], "5ecd");
        assert_eq!(answers[1].body, r#"{"error":{"code":"","message":"x"}}"#);
    }

    #[test]
    fn bare_line_feeds_and_quoted_boundaries_read_the_same() {
        let body = Bytes::from(documented().replace("\r\n", "\n"));
        let content_type = "Multipart/Mixed; charset=utf-8; Boundary=\"batchresponse_1\"";
        let answers = decode(content_type, &body).unwrap();
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[1].body, r#"{"error":{"code":"","message":"x"}}"#);
    }

    #[test]
    fn the_members_of_a_change_set_stand_in_its_place() {
        let text = "--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_2\r\n\r\n\
            --changesetresponse_2\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\n\
            HTTP/1.1 204 No Content\r\n\r\n\r\n\
            --changesetresponse_2\r\nContent-Type: application/http\r\nContent-ID: 2\r\n\r\n\
            HTTP/1.1 200 OK\r\n\r\n{}\r\n\
            --changesetresponse_2--\r\n--batchresponse_1--";
        let statuses: Vec<_> = read(text)
            .unwrap()
            .iter()
            .map(|a| a.status.as_u16())
            .collect();
        assert_eq!(statuses, [204, 200]);
    }

    #[test]
    fn an_answer_without_body_may_lack_its_blank_line() {
        for end in ["", "\r\n", "\r\n\r\n"] {
            let text = format!(
                "--batchresponse_1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\nOData-Version: 4.0{end}\r\n--batchresponse_1--"
            );
            let answers = read(&text).unwrap();
            assert_eq!(answers[0].headers["odata-version"], "4.0", "{end:?}");
        }
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error() {
        let whole = documented();
        for cut in [whole.len() - 5, whole.len() / 2, 30, 0] {
            assert!(read(&whole[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_batch_answer_is_an_error_that_says_so() {
        let error = decode("text/html", &Bytes::from_static(b"<html>")).unwrap_err();
        assert_eq!(error, BatchError::NotMultipart("text/html".into()));
        let error = read("--batchresponse_1\r\n\r\nhello\r\n--batchresponse_1--").unwrap_err();
        assert!(
            matches!(error, BatchError::BadPart { part: 1, .. }),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body: Vec<u8>) {
            let _ = decode(CONTENT_TYPE, &Bytes::from(body));
        }

        #[test]
        fn a_damaged_answer_never_panics(at in 0_usize..400, byte: u8) {
            let mut body = documented().into_bytes();
            let at = at % body.len();
            body[at] = byte;
            let _ = decode(CONTENT_TYPE, &Bytes::from(body));
        }
    }
}
