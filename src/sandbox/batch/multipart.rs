//! Splits a multipart body as tolerantly as the service does.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::errors::ApiError;

/// The boundary of a `multipart/mixed` content type, quoted or bare; `None` for any other type.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let mut parameters = content_type.split(';').map(str::trim);
    if !parameters.next()?.eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"'))
    });
    value.filter(|it| !it.is_empty())
}

/// Lines with their start and the start of the next one. Lines end in CRLF or LF.
fn lines(body: &[u8]) -> impl Iterator<Item = (usize, &[u8], usize)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= body.len() {
            return None;
        }
        let rest = &body[start..];
        let length = rest
            .iter()
            .position(|&it| it == b'\n')
            .map_or(rest.len(), |it| it + 1);
        let line = (start, trim_end(&rest[..length]), start + length);
        start += length;
        Some(line)
    })
}

fn trim_end(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

/// The contents between delimiter lines; text before the first and after the last is ignored.
pub(super) fn split<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let delimiter = format!("--{boundary}");
    let end = format!("--{boundary}--");
    let mut parts = Vec::new();
    let mut open: Option<usize> = None;
    for (start, line, next) in lines(body) {
        let closes = line == end.as_bytes();
        if !closes && line != delimiter.as_bytes() {
            continue;
        }
        if let Some(from) = open.take() {
            parts.push(without_last_break(&body[from..start]));
        }
        if closes {
            return parts;
        }
        open = Some(next);
    }
    // The closing delimiter is missing, so the last part extends to the end.
    if let Some(from) = open.filter(|&from| from < body.len()) {
        parts.push(&body[from..]);
    }
    parts
}

/// Removes the line break before a delimiter, which belongs to the delimiter.
fn without_last_break(content: &[u8]) -> &[u8] {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content)
}

/// Header lines up to a blank line or the end, and the rest.
pub(super) fn headers(content: &[u8]) -> Result<(HeaderMap, &[u8]), ApiError> {
    let mut headers = HeaderMap::new();
    for (_, line, next) in lines(content) {
        if line.is_empty() {
            return Ok((headers, &content[next..]));
        }
        let text = String::from_utf8_lossy(line);
        let (name, value) = text.split_once(':').ok_or_else(|| invalid(&text))?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| invalid(&text))?;
        let value = HeaderValue::from_str(value.trim()).map_err(|_| invalid(&text))?;
        headers.append(name, value);
    }
    Ok((headers, &[]))
}

fn invalid(line: &str) -> ApiError {
    ApiError::bad_request(format!(
        "The message header '{line}' is invalid. The header value must be of the format '<header name>: <header value>'."
    ))
}

/// The first line that is not blank, and the rest.
pub(super) fn first_line(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut all = lines(content).filter(|(_, line, _)| !line.is_empty());
    all.next().map(|(_, line, next)| (line, &content[next..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_may_be_quoted_or_bare() {
        assert_eq!(boundary("multipart/mixed; boundary=\"b 1\""), Some("b 1"));
        assert_eq!(
            boundary("multipart/mixed;boundary=b_1;charset=utf-8"),
            Some("b_1")
        );
        assert_eq!(boundary("Multipart/Mixed; BOUNDARY=b"), Some("b"));
        assert_eq!(boundary("multipart/mixed"), None);
        assert_eq!(boundary("application/json"), None);
    }

    #[test]
    fn parts_are_what_stands_between_delimiters() {
        for eol in ["\r\n", "\n"] {
            let body = [
                "preamble", "--b", "one", "--b", "two", "", "--b--", "epilogue",
            ]
            .join(eol);
            let parts = split(body.as_bytes(), "b");
            assert_eq!(parts.len(), 2);
            assert_eq!(parts[0], b"one");
            assert_eq!(parts[1], format!("two{eol}").as_bytes());
        }
        assert!(split(b"nothing here", "b").is_empty());
        assert_eq!(split(b"--b\none", "b"), [b"one".as_slice()]);
    }

    #[test]
    fn a_longer_boundary_is_not_taken_for_a_shorter_one() {
        assert_eq!(split(b"--b\n--bb\n--b--", "b"), [b"--bb".as_slice()]);
    }

    #[test]
    fn headers_end_at_a_blank_line_or_at_the_end() {
        let (map, rest) = headers(b"A: 1\r\nB: 2\r\n\r\nbody").unwrap();
        assert_eq!((map.len(), rest), (2, b"body".as_slice()));
        let (map, rest) = headers(b"A: 1").unwrap();
        assert_eq!((map.len(), rest.len()), (1, 0));
        let error = headers(b"--batch_BATCH123\r\n").unwrap_err();
        assert!(
            error
                .message
                .starts_with("The message header '--batch_BATCH123' is invalid.")
        );
    }
}
