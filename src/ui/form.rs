//! What a form of the page sends.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use ring::digest::{Context, SHA256};

use super::live::usage;
use super::screens::ErrorScreen;
use super::site::SharedSite;

/// Bytes of a form with lists of users, at most: 100,000 addresses are some 3 MiB, and as a workbook less.
pub(super) const LARGEST_LIST: usize = 16 * 1024 * 1024;
/// Bytes of every other form, at most: two hundred names of users on a page and what was typed.
pub(super) const LARGEST_FORM: usize = 64 * 1024;
/// Fields of a form at most.
const MOST_FIELDS: usize = 4096;

/// The only field that is a file: the users of a new plan.
pub(super) const FILE: &str = "file";

/// A file that was given with a form.
#[derive(Clone, Debug)]
pub(super) struct GivenFile {
    pub(super) name: String,
    pub(super) bytes: Bytes,
}

/// Names and values, of a form or of an address.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Those of the address.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        Self::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default()
    }

    /// None where there are too many: what is left out could be somebody's name.
    fn parse(text: &[u8]) -> Option<Self> {
        let pairs = url::form_urlencoded::parse(text).take(MOST_FIELDS + 1);
        let fields: Vec<_> = pairs
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        (fields.len() <= MOST_FIELDS).then_some(Self(fields))
    }

    /// The value of a field; empty where it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        let own = self.0.iter().find(|(own, _)| own == name);
        own.map_or("", |(_, value)| value)
    }

    /// Every value of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.0.iter().filter(move |(own, _)| own == name);
        own.map(|(_, value)| value.as_str())
    }

    /// Whether one of these fields is there twice, of which only one could be meant.
    pub(super) fn repeats(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.all(name).nth(1).is_some())
    }

    /// Whether a box was ticked.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

/// A form that came from the page. There is no other way to one than its token.
#[derive(Clone, Debug, Default)]
pub(super) struct Posted {
    pub(super) fields: Fields,
    files: BTreeMap<String, GivenFile>,
}

impl Posted {
    /// What tells this form from others: the same for two that say the same.
    pub(super) fn digest(&self) -> String {
        let mut digest = Context::new(&SHA256);
        let mut add = |part: &[u8]| {
            digest.update(&part.len().to_le_bytes());
            digest.update(part);
        };
        for (name, value) in &self.fields.0 {
            add(name.as_bytes());
            add(value.as_bytes());
        }
        for (name, file) in &self.files {
            add(name.as_bytes());
            add(file.name.as_bytes());
            add(&file.bytes);
        }
        base64::engine::general_purpose::STANDARD.encode(digest.finish())
    }

    /// The file of a field, where one was given.
    pub(super) fn file(&self, name: &str) -> Option<&GivenFile> {
        self.files.get(name)
    }

    async fn parts(mut parts: Multipart) -> Option<Self> {
        let mut posted = Self::default();
        while let Some(field) = parts.next_field().await.ok()? {
            let name = field.name()?.to_owned();
            let file = field.file_name().map(str::to_owned);
            let bytes = field.bytes().await.ok()?;
            // A list in a field that nobody reads would be lost.
            if file.is_some() && name != FILE {
                return None;
            }
            match file {
                // No file was chosen. One without a byte has a name.
                Some(file) if file.is_empty() && bytes.is_empty() => {}
                Some(file) => {
                    let given = GivenFile { name: file, bytes };
                    if posted.files.insert(name, given).is_some() {
                        return None;
                    }
                }
                None => posted
                    .fields
                    .0
                    .push((name, String::from_utf8(bytes.to_vec()).ok()?)),
            }
            if posted.fields.0.len() + posted.files.len() > MOST_FIELDS {
                return None;
            }
        }
        Some(posted)
    }
}

/// The name of the field with the token.
const TOKEN: &str = "form-token";

impl FromRequest<SharedSite> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, site: &SharedSite) -> Result<Self, Response> {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let posted = if kind.starts_with("multipart/form-data") {
            match Multipart::from_request(request, site).await {
                Ok(parts) => Self::parts(parts).await,
                Err(_) => None,
            }
        } else {
            let body = Bytes::from_request(request, site).await;
            let fields = body.ok().and_then(|body| Fields::parse(&body));
            fields.map(|fields| Self {
                fields,
                files: BTreeMap::new(),
            })
        };
        let refused =
            |status, why: &str| (status, ErrorScreen::new(site, usage(why))).into_response();
        let posted = posted.ok_or_else(|| {
            let why = "the form could not be read; go back in the browser and send it again";
            refused(StatusCode::BAD_REQUEST, why)
        })?;
        if site.sessions.is_own_form(posted.fields.text(TOKEN)) {
            Ok(posted)
        } else {
            let why = "the form does not come from this start of syncfilters; load its page again";
            Err(refused(StatusCode::FORBIDDEN, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_can_be_there_several_times_or_not_at_all() {
        let posted = Fields::parse(b"shown=1&shown=2&word=a%20b+c&tick").unwrap();
        assert_eq!(posted.all("shown").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(posted.text("word"), "a b c");
        assert!(posted.has("tick") && !posted.has("other"));
        assert_eq!(posted.text("other"), "");
    }

    #[test]
    fn a_form_with_too_many_fields_is_refused_and_not_cut() {
        let body = |fields| "a=1&".repeat(fields);
        let most = Fields::parse(body(MOST_FIELDS).as_bytes()).unwrap();
        assert_eq!(most.all("a").count(), MOST_FIELDS);
        assert!(Fields::parse(body(MOST_FIELDS + 1).as_bytes()).is_none());
    }
}
