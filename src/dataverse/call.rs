//! One request, and its headers.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, IF_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;
use uuid::Uuid;

use crate::pacing::Repeat;

use super::batch::{self, Part};

pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Rows on a page: the most that the server sends (Microsoft: `odata.maxpagesize`).
const PAGE_SIZE: HeaderValue = HeaderValue::from_static("odata.maxpagesize=5000");
/// A failed part must not stop the others.
const CONTINUE: HeaderValue = HeaderValue::from_static("odata.continue-on-error");
pub(super) const JSON: &str = "application/json";
/// Makes the answer to a write contain the row as it was written.
pub(super) const REPRESENTATION: &str = "return=representation";

/// One request to send.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Its purpose, in words of an error message: "reading the sync filters".
    pub(crate) what: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether it may be repeated when its result is not known.
    pub(crate) repeat: Repeat,
}

impl Call {
    pub(crate) fn get(what: &'static str, url: Url) -> Self {
        Self {
            what,
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            repeat: Repeat::Safe,
        }
    }

    /// A change of an existing row, answered with the row as it was written. It is never repeated when its result is not
    /// known, because the row then has to be read first. `version` is the version that the row must have, or `*`: a PATCH
    /// without `If-Match` creates a missing row (Microsoft: "Perform conditional operations using the Web API").
    pub(crate) fn update(what: &'static str, url: Url, body: Bytes, version: HeaderValue) -> Self {
        Self {
            method: Method::PATCH,
            body,
            repeat: Repeat::OnlyIfNotDone,
            ..Self::get(what, url)
        }
        .header(CONTENT_TYPE, HeaderValue::from_static(JSON))
        .header(PREFER, HeaderValue::from_static(REPRESENTATION))
        .header(IF_MATCH, version)
    }

    /// Several requests in one, for the address of `$batch`.
    pub(super) fn batch(what: &'static str, url: Url, parts: &[Part], repeat: Repeat) -> Self {
        let boundary = format!("batch_{}", Uuid::new_v4().as_hyphenated());
        let content_type = HeaderValue::try_from(batch::content_type(&boundary))
            .expect("letters, digits and hyphens can stand in a header");
        let call = Self {
            method: Method::POST,
            body: batch::encode(&boundary, parts),
            repeat,
            ..Self::get(what, url)
        };
        call.header(CONTENT_TYPE, content_type)
            .header(PREFER, CONTINUE)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Asks for the longest pages.
    pub(super) fn with_long_pages(self) -> Self {
        self.header(PREFER, PAGE_SIZE)
    }

    /// Whether it impersonates a user.
    pub(super) fn is_impersonated(&self) -> bool {
        ["callerobjectid", "mscrmcallerid"]
            .iter()
            .any(|name| self.headers.contains_key(*name))
    }

    /// The request to send, without the sign-in.
    pub(super) fn request(&self) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method.clone(), self.url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(JSON));
        for name in ["odata-maxversion", "odata-version"] {
            headers.insert(name, HeaderValue::from_static("4.0"));
        }
        headers.extend(self.headers.clone());
        if self.method == Method::GET {
            // Against caches on the way (Microsoft: "Compose HTTP requests and handle errors").
            headers.insert("if-none-match", HeaderValue::from_static("null"));
        }
        if !self.body.is_empty() {
            *request.body_mut() = Some(self.body.clone().into());
        }
        request
    }
}

/// A read as part of a batch.
pub(super) fn reading_part(url: &Url) -> Part {
    let query = url.query().map_or_else(String::new, |q| format!("?{q}"));
    Part {
        method: Method::GET,
        target: format!("{}{query}", url.path()),
        headers: vec![("Accept", JSON.into())],
        body: Bytes::new(),
    }
}
