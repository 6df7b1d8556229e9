//! Writes the body of a `$batch`.

use bytes::{BufMut, Bytes, BytesMut};
use http::Method;

/// One request inside a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The HTTP method.
    pub method: Method,
    /// Path and query from the server's root.
    pub target: String,
    /// Its own headers, such as `If-Match`.
    pub headers: Vec<(&'static str, String)>,
    /// JSON, or empty.
    pub body: Bytes,
}

/// The `Content-Type` of a batch with this boundary.
pub fn content_type(boundary: &str) -> String {
    format!("multipart/mixed; boundary=\"{boundary}\"")
}

/// The body of a batch. Lines end in CRLF, as MIME requires; each part ends in a blank line even without a body.
///
/// The parts are not in a change set, because a row that fails must not undo the others of its user.
pub fn encode(boundary: &str, parts: &[Part]) -> Bytes {
    let mut out = BytesMut::new();
    for part in parts {
        let Part {
            method,
            target,
            headers,
            body,
        } = part;
        line(&mut out, &format!("--{boundary}"));
        line(&mut out, "Content-Type: application/http");
        line(&mut out, "Content-Transfer-Encoding: binary");
        line(&mut out, "");
        line(&mut out, &format!("{method} {target} HTTP/1.1"));
        for (name, value) in headers {
            line(&mut out, &format!("{name}: {value}"));
        }
        line(&mut out, "");
        out.put_slice(body);
        line(&mut out, "");
    }
    line(&mut out, &format!("--{boundary}--"));
    out.freeze()
}

fn line(out: &mut BytesMut, text: &str) {
    out.put_slice(text.as_bytes());
    out.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_written_as_documented() {
        let parts = [
            Part {
                method: Method::PATCH,
                target: "/api/data/v9.2/userqueries(1)".into(),
                headers: vec![("If-Match", "W/\"7\"".into())],
                body: Bytes::from_static(b"{\"statecode\":1}"),
            },
            Part {
                method: Method::GET,
                target: "/api/data/v9.2/WhoAmI".into(),
                headers: vec![],
                body: Bytes::new(),
            },
        ];
        let text = String::from_utf8(encode("batch_1", &parts).to_vec()).unwrap();
        let expected = "--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
            PATCH /api/data/v9.2/userqueries(1) HTTP/1.1\r\nIf-Match: W/\"7\"\r\n\r\n{\"statecode\":1}\r\n\
            --batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
            GET /api/data/v9.2/WhoAmI HTTP/1.1\r\n\r\n\r\n\
            --batch_1--\r\n";
        assert_eq!(text, expected);
        assert_eq!(
            content_type("batch_1"),
            "multipart/mixed; boundary=\"batch_1\""
        );
    }
}
