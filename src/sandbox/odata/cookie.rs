//! The paging cookie inside `$skiptoken` (Microsoft: "Page results").
//!
//! It contains the sort columns of the first and the last row of the previous page. A client must send
//! it unchanged: a token that differs in any character from what the server writes is refused.

use std::fmt::Write as _;

use super::percent::{decode, encode_inner};
use super::{ColumnType, QueryError, Value};

/// The position at which the next page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    /// The number of the previous page, from 1.
    pub page: u32,
    /// The columns by which the rows are sorted, the most significant first.
    pub marks: Vec<CookieColumn>,
}

/// One column of the first and the last row of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CookieColumn {
    /// The column.
    pub column: String,
    /// Its value in the last row.
    pub last: Value,
    /// Its value in the first row.
    pub first: Value,
}

impl Cookie {
    /// The value of `$skiptoken`, decoded. In a URL it is encoded again, so that the cookie inside is encoded
    /// twice.
    pub(super) fn write(&self) -> String {
        let mut inner = format!("<cookie page=\"{}\">", self.page);
        for mark in &self.marks {
            let (last, first) = (
                attribute("last", &mark.last),
                attribute("first", &mark.first),
            );
            let _ = write!(inner, "<{} {last} {first} />", mark.column);
        }
        inner.push_str("</cookie>");
        format!(
            "<cookie pagenumber=\"{}\" pagingcookie=\"{}\" istracking=\"False\" />",
            self.page.saturating_add(1),
            encode_inner(&inner)
        )
    }

    /// Reads a token; the query must sort by the same columns.
    pub(super) fn read(token: &str, columns: &[(&str, ColumnType)]) -> Result<Self, QueryError> {
        let cookie = parse(token, columns).filter(|cookie| cookie.write() == token);
        cookie.ok_or_else(QueryError::cookie)
    }
}

fn parse(token: &str, columns: &[(&str, ColumnType)]) -> Option<Cookie> {
    let rest = token.strip_prefix("<cookie pagenumber=\"")?;
    let (_, rest) = rest.split_once("\" pagingcookie=\"")?;
    let inner = decode(rest.strip_suffix("\" istracking=\"False\" />")?)?;
    let (page, rest) = inner.strip_prefix("<cookie page=\"")?.split_once("\">")?;
    let mut rest = rest.strip_suffix("</cookie>")?;
    let mut marks = Vec::with_capacity(columns.len());
    for (column, kind) in columns {
        rest = rest.strip_prefix('<')?.strip_prefix(*column)?;
        let (last, after) = read_attribute("last", *kind, rest)?;
        let (first, after) = read_attribute("first", *kind, after)?;
        rest = after.strip_prefix(" />")?;
        let column = (*column).to_owned();
        marks.push(CookieColumn {
            column,
            last,
            first,
        });
    }
    let page = page.parse().ok()?;
    rest.is_empty().then_some(Cookie { page, marks })
}

fn read_attribute<'t>(name: &str, kind: ColumnType, text: &'t str) -> Option<(Value, &'t str)> {
    let text = text.strip_prefix(' ')?.strip_prefix(name)?;
    if let Some(rest) = text.strip_prefix("null=\"1\"") {
        return Some((Value::Null, rest));
    }
    let (value, rest) = text.strip_prefix("=\"")?.split_once('"')?;
    Some((kind.read(&unescape(value))?, rest))
}

fn attribute(name: &str, value: &Value) -> String {
    let text = match value {
        Value::Null => return format!("{name}null=\"1\""),
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(text) => escape(text),
        Value::Guid(id) => format!("{{{}}}", id.hyphenated().to_string().to_uppercase()),
        Value::Time(time) => time.to_string().replace('Z', "+00:00"),
    };
    format!("{name}=\"{text}\"")
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('"', "&quot;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

fn unescape(text: &str) -> String {
    let text = text.replace("&gt;", ">").replace("&lt;", "<");
    text.replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odata::percent::encode_outer;
    use uuid::Uuid;

    const SORT: [(&str, ColumnType); 2] = [
        ("createdon", ColumnType::Time),
        ("contactid", ColumnType::Guid),
    ];

    fn mark(column: &str, last: Value, first: Value) -> CookieColumn {
        CookieColumn {
            column: column.into(),
            last,
            first,
        }
    }

    fn guid(text: &str) -> Value {
        Value::Guid(Uuid::try_parse(text).unwrap())
    }

    #[test]
    fn in_a_url_it_looks_as_documented() {
        let cookie = Cookie {
            page: 1,
            marks: vec![mark(
                "contactid",
                guid("d5026a4d-d01c-ed11-b83e-000d3a572421"),
                guid("49b0be2e-d01c-ed11-b83e-000d3a572421"),
            )],
        };
        assert_eq!(
            encode_outer(&cookie.write()),
            "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e%253c\
             contactid%2520last%253d%2522%257bD5026A4D-D01C-ED11-B83E-000D3A572421%257d%2522%2520first%253d\
             %2522%257b49B0BE2E-D01C-ED11-B83E-000D3A572421%257d%2522%2520%252f%253e%253c%252fcookie%253e%22\
             %20istracking=%22False%22%20/%3E"
        );
    }

    fn sorted(last: Value, first: Value) -> Cookie {
        let key = guid("d5026a4d-d01c-ed11-b83e-000d3a572421");
        Cookie {
            page: 3,
            marks: vec![
                mark("createdon", last, first),
                mark("contactid", key.clone(), key),
            ],
        }
    }

    #[test]
    fn it_reads_back_nulls_and_moments_included() {
        let time = Value::Time("2024-05-01T12:00:00.5Z".parse().unwrap());
        for cookie in [
            sorted(time.clone(), Value::Null),
            sorted(time.clone(), time),
        ] {
            assert_eq!(Cookie::read(&cookie.write(), &SORT), Ok(cookie));
        }
    }

    #[test]
    fn text_with_marks_of_its_own_reads_back() {
        let text = Value::Text("a\"<b>&amp;%20 Å'".into());
        let cookie = Cookie {
            page: 1,
            marks: vec![mark("name", text.clone(), text)],
        };
        assert_eq!(
            Cookie::read(&cookie.write(), &[("name", ColumnType::Text)]),
            Ok(cookie)
        );
    }

    #[test]
    fn a_token_that_was_touched_is_refused() {
        let token = sorted(Value::Null, Value::Null).write();
        let decoded = decode(&token).unwrap();
        for touched in [
            decoded,
            token.replace('%', "%25"),
            token.replace("%3c", "%3C"),
            token.replace("pagenumber=\"4\"", "pagenumber=\"5\""),
            token.replace("contactid", "accountid"),
            token.replace("False", "True"),
            format!("{token} "),
            String::new(),
            "100".into(),
        ] {
            let refusal = Cookie::read(&touched, &SORT).unwrap_err();
            assert_eq!(
                (refusal.status, refusal),
                (400, QueryError::cookie()),
                "{touched}"
            );
        }
        assert!(
            Cookie::read(&token, &SORT[1..]).is_err(),
            "sorted otherwise"
        );
    }
}
