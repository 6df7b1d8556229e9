//! Converts the body of a `$batch` request to operations.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};

use super::multipart::{boundary, first_line, headers, split};
use crate::errors::ApiError;

/// The most operations in a batch (Microsoft: "Execute batch operations using the Web API").
pub(super) const MOST: usize = 1000;

/// One operation in the body.
#[derive(Clone, Debug)]
pub(super) struct BatchPart {
    pub(super) content_id: Option<String>,
    pub(super) method: Method,
    /// Absolute, relative to the origin, or relative to the service.
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A plain operation, or several that succeed or fail together.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Single(BatchPart),
    ChangeSet(Vec<BatchPart>),
}

/// Reads the whole body before any operation is executed.
pub(super) fn decode(request: &HeaderMap, body: &[u8]) -> Result<Vec<Item>, ApiError> {
    let content_type = text(request, CONTENT_TYPE.as_str());
    let Some(boundary) = boundary(&content_type) else {
        return Err(ApiError::bad_request(format!(
            "The content type '{content_type}' is not valid for a batch request: it must be multipart/mixed and name a boundary."
        )));
    };
    let mut items = Vec::new();
    let mut count = 0;
    for content in split(body, boundary) {
        let item = item(content)?;
        count += match &item {
            Item::Single(_) => 1,
            Item::ChangeSet(parts) => parts.len(),
        };
        if count > MOST {
            return Err(ApiError::bad_request(format!(
                "The current batch message contains too many parts. Only batch messages with a maximum number of '{MOST}' operations are allowed."
            )));
        }
        items.push(item);
    }
    if items.is_empty() {
        return Err(ApiError::bad_request(format!(
            "The batch request contains no operation between delimiters '--{boundary}'."
        )));
    }
    Ok(items)
}

fn item(content: &[u8]) -> Result<Item, ApiError> {
    let (mime, rest) = headers(content)?;
    let content_type = text(&mime, CONTENT_TYPE.as_str());
    if let Some(inner) = boundary(&content_type) {
        let parts = split(rest, inner).into_iter().map(member);
        return Ok(Item::ChangeSet(parts.collect::<Result<_, _>>()?));
    }
    Ok(Item::Single(operation(&mime, rest)?))
}

/// An operation of a change set.
fn member(content: &[u8]) -> Result<BatchPart, ApiError> {
    let (mime, rest) = headers(content)?;
    let part = operation(&mime, rest)?;
    if part.method == Method::GET {
        return Err(ApiError::bad_request(
            "An invalid HTTP method 'GET' was detected for a request in a change set. Requests in change sets only support the HTTP methods 'POST', 'PUT', 'DELETE', and 'PATCH'.",
        ));
    }
    Ok(part)
}

fn operation(mime: &HeaderMap, content: &[u8]) -> Result<BatchPart, ApiError> {
    let content_type = text(mime, CONTENT_TYPE.as_str());
    let media = content_type.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/http") {
        return Err(ApiError::bad_request(format!(
            "The content type '{content_type}' of a batch part is not valid: it must be application/http or multipart/mixed."
        )));
    }
    let (line, rest) = first_line(content)
        .ok_or_else(|| ApiError::bad_request("A batch part contains no request line."))?;
    let line = String::from_utf8_lossy(line).into_owned();
    let (method, url) = request_line(&line).ok_or_else(|| {
        ApiError::bad_request(format!(
            "The request line '{line}' of a batch part is not valid."
        ))
    })?;
    let (own, body) = headers(rest)?;
    let content_id = [mime, &own].into_iter().find_map(|it| it.get("Content-ID"));
    Ok(BatchPart {
        content_id: content_id
            .and_then(|it| it.to_str().ok())
            .map(str::to_owned),
        method,
        url,
        headers: own,
        body: Bytes::copy_from_slice(body.trim_ascii()),
    })
}

/// `PATCH /api/data/v9.2/userqueries(…) HTTP/1.1`; an address may contain spaces in a filter.
fn request_line(line: &str) -> Option<(Method, String)> {
    let (method, rest) = line.trim().split_once(' ')?;
    let url = match rest.rsplit_once(' ') {
        Some((url, version)) if version.starts_with("HTTP/") => url,
        _ => return None,
    };
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    Some((method, url.trim().to_owned()))
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|it| it.to_str().ok());
    value.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Result<Vec<Item>, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            "multipart/mixed; boundary=\"b\"".parse().unwrap(),
        );
        decode(&headers, body.as_bytes())
    }

    fn single(items: &[Item]) -> &BatchPart {
        match &items[0] {
            Item::Single(part) => part,
            Item::ChangeSet(_) => panic!("a change set"),
        }
    }

    #[test]
    fn a_part_without_a_body_may_end_without_a_blank_line() {
        let head = "--b\nContent-Type: application/http\n\nGET userqueries?$filter=a eq 1 HTTP/1.1";
        for tail in [
            "\n--b--",
            "\n\n--b--",
            "\nAccept: application/json\n\n\n--b--",
            "\n",
        ] {
            let items = read(&format!("{head}{tail}")).unwrap();
            assert_eq!(single(&items).url, "userqueries?$filter=a eq 1");
            assert!(single(&items).body.is_empty());
        }
    }

    #[test]
    fn headers_and_bodies_belong_to_their_part() {
        let body = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nPATCH /x HTTP/1.1\r\nIf-Match: *\r\nContent-Type: application/json; type=entry\r\n\r\n{\"a\":1}\r\n--b--\r\n";
        let items = read(body).unwrap();
        let part = single(&items);
        assert_eq!(part.method, Method::PATCH);
        assert_eq!(part.headers["if-match"], "*");
        assert_eq!(&part.body[..], b"{\"a\":1}");
    }

    fn change_set(method: &str) -> String {
        format!(
            "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\n{method} /x HTTP/1.1\r\n\r\n\r\n--c--\r\n--b--"
        )
    }

    #[test]
    fn a_change_set_keeps_content_ids_and_refuses_get() {
        let items = read(&change_set("DELETE")).unwrap();
        let Item::ChangeSet(parts) = &items[0] else {
            panic!("a single part");
        };
        assert_eq!(parts[0].content_id.as_deref(), Some("1"));
        assert_eq!(read(&change_set("GET")).unwrap_err().status, 400);
    }

    #[test]
    fn too_many_operations_are_refused() {
        let part = "--b\nContent-Type: application/http\n\nGET x HTTP/1.1\n";
        assert!(read(&part.repeat(MOST)).is_ok());
        let error = read(&part.repeat(MOST + 1)).unwrap_err();
        assert!(error.message.contains("'1000'"));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, "multipart/mixed; boundary=b".parse().unwrap());
            let _ = decode(&headers, &body);
        }

        #[test]
        fn nor_does_one_that_looks_like_a_batch(
            lines in prop::collection::vec(
                prop::sample::select(vec![
                    "--b", "--b--", "--c", "--c--", "", "Content-Type: application/http",
                    "Content-Type: multipart/mixed; boundary=c", "Content-ID: 1", "GET x HTTP/1.1",
                    "PATCH $1 HTTP/1.1", "é: ü", ":", "{\"a\":1}",
                ]),
                0..20,
            ),
            crlf in any::<bool>(),
        ) {
            let _ = read(&lines.join(if crlf { "\r\n" } else { "\n" }));
        }
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        assert!(read("").is_err());
        assert!(read("--b\nContent-Type: text/plain\n\nGET x HTTP/1.1\n--b--").is_err());
        assert!(read("--b\nContent-Type: application/http\n\nnonsense\n--b--").is_err());
        assert!(decode(&HeaderMap::new(), b"--b--").is_err());
    }
}
