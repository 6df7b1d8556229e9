//! Templates: reading them, and the one way to set their state.
//!
//! They belong to the organisation, so the caller acts as itself: nobody is impersonated.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, IF_MATCH};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use uuid::Uuid;

use crate::model::{
    FilterType, Kind, State, StateAndStatus, Status, Template, TemplateId, UnknownCode,
};

use super::channel::{Answer, Call};
use super::error::Error;
use super::fault::Fault;
use super::reader::{Reader, bad_answer, read};
use super::rows::{Page, read_json, with_query};

const COLUMNS: &str = "savedqueryid,name,returnedtypecode,querytype,isdefault,statecode,statuscode";
const READING: &str = "reading the templates";
const WRITING: &str = "setting the state of a template";
const PREFER: HeaderName = HeaderName::from_static("prefer");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// So that the answer itself shows what was written.
const REPRESENTATION: HeaderValue = HeaderValue::from_static("return=representation");

/// A `savedquery` row.
#[derive(Debug, Deserialize)]
struct TemplateRow {
    #[serde(rename = "@odata.etag", default)]
    etag: Option<String>,
    savedqueryid: Uuid,
    #[serde(default)]
    name: Option<String>,
    returnedtypecode: String,
    querytype: i32,
    #[serde(default)]
    isdefault: bool,
    statecode: i32,
    statuscode: Option<i32>,
}

impl TryFrom<TemplateRow> for Template {
    type Error = UnknownCode;

    fn try_from(row: TemplateRow) -> Result<Self, UnknownCode> {
        let kind = Kind::of_template_code(row.querytype).ok_or(UnknownCode {
            what: "querytype",
            code: row.querytype,
        })?;
        Ok(Self {
            id: TemplateId(row.savedqueryid),
            name: row.name.unwrap_or_default(),
            filter_type: FilterType::new(&row.returnedtypecode),
            kind,
            default: row.isdefault,
            now: StateAndStatus {
                state: State::try_from(row.statecode)?,
                status: Status(row.statuscode),
            },
            etag: row.etag,
        })
    }
}

impl Reader {
    /// The templates for filters of these kinds, ordered by kind, type and name.
    pub async fn templates(&self, kinds: &[Kind]) -> Result<Vec<Template>, Error> {
        let codes = kinds
            .iter()
            .map(|kind| format!("querytype eq {}", kind.template_code()));
        let codes: Vec<_> = codes.collect();
        let query = format!("$select={COLUMNS}&$filter={}", codes.join(" or "));
        let mut url = with_query(self.url("savedqueries")?, &query);
        let mut templates = Vec::new();
        loop {
            let page: Page<TemplateRow> = read(self.channel(), &Call::get(READING, url)).await?;
            for row in page.value {
                let template = Template::try_from(row);
                templates.push(template.map_err(|error| bad_answer(READING, &error))?);
            }
            match page.next_link {
                Some(link) => url = self.follow(READING, &link)?,
                None => break,
            }
        }
        templates.sort_by(|a, b| order(a).cmp(&order(b)));
        Ok(templates)
    }

    /// One template as it is now; `None` where it is gone.
    pub async fn template(&self, id: TemplateId) -> Result<Option<Template>, Error> {
        let url = self.url(&format!("savedqueries({id})"))?;
        let url = with_query(url, &format!("$select={COLUMNS}"));
        match read::<TemplateRow>(self.channel(), &Call::get(READING, url)).await {
            Ok(row) => {
                let template = Template::try_from(row);
                Ok(Some(template.map_err(|error| bad_answer(READING, &error))?))
            }
            Err(Error::Refused { fault, .. }) if fault.status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn order(template: &Template) -> (Kind, &FilterType, &str, TemplateId) {
    let Template {
        kind,
        filter_type,
        name,
        id,
        ..
    } = template;
    (*kind, filter_type, name, *id)
}

/// What became of the state of a template.
#[derive(Debug)]
pub enum TemplateWritten {
    /// It was set, and this is the row as the server shows it after.
    Shown(Box<Template>),
    /// The row has to be read: it was set without being shown, or no answer came back.
    Unknown {
        /// Why it is not known; nothing where the server was merely silent.
        why: Option<String>,
    },
    /// The row has another version than was read, or is not there. Nothing was done.
    Stale,
    /// The server refused. Nothing was done.
    Refused(Box<Fault>),
    /// This is a dry run. Nothing was sent.
    Dry,
}

/// Sets the states of templates in one environment, as the caller itself.
#[derive(Clone, Debug)]
pub struct TemplateWriter {
    reader: Reader,
    dry_run: bool,
}

impl TemplateWriter {
    /// A writer to where this reader reads. With `dry_run` it sends nothing.
    pub const fn new(reader: Reader, dry_run: bool) -> Self {
        Self { reader, dry_run }
    }

    /// Sets the state of the version that was read. An error means that it would go no better with another
    /// template.
    pub async fn set_state(
        &self,
        template: &Template,
        to: StateAndStatus,
    ) -> Result<TemplateWritten, Error> {
        if self.dry_run {
            return Ok(TemplateWritten::Dry);
        }
        let version = template.etag.as_deref().unwrap_or(ANY_VERSION);
        let written = self.send(template.id, to, version).await?;
        match &written {
            // Some tables have no versions to hold against (`OptimisticConcurrencyNotEnabled`).
            TemplateWritten::Refused(fault) if fault.is_concurrency_unsupported() => {
                self.send(template.id, to, ANY_VERSION).await
            }
            _ => Ok(written),
        }
    }

    async fn send(
        &self,
        id: TemplateId,
        to: StateAndStatus,
        version: &str,
    ) -> Result<TemplateWritten, Error> {
        let url = self.reader.url(&format!("savedqueries({id})"))?;
        let url = with_query(url, &format!("$select={COLUMNS}"));
        let version =
            HeaderValue::try_from(version).map_err(|error| bad_answer(WRITING, &error))?;
        let call = Call::write(WRITING, Method::PATCH, url, body(to))
            .header(CONTENT_TYPE, JSON)
            .header(PREFER, REPRESENTATION)
            .header(IF_MATCH, version);
        match self.reader.channel().send(&call).await {
            Ok(answer) => Ok(outcome(&answer)),
            Err(
                error @ (Error::Lost { .. } | Error::BadAnswer { .. } | Error::Redirected { .. }),
            ) => Ok(TemplateWritten::Unknown {
                why: Some(error.to_string()),
            }),
            Err(error) => Err(error),
        }
    }
}

/// Never without: a PATCH without `If-Match` creates a row that is missing (Microsoft: "Perform conditional
/// operations using the Web API").
const ANY_VERSION: &str = "*";

fn outcome(answer: &Answer) -> TemplateWritten {
    if answer.status.is_success() {
        let shown = read_json::<TemplateRow>(&answer.body).ok();
        let shown = shown.and_then(|row| Template::try_from(row).ok());
        return shown.map_or(TemplateWritten::Unknown { why: None }, |row| {
            TemplateWritten::Shown(Box::new(row))
        });
    }
    let fault = answer.fault();
    match answer.status {
        StatusCode::PRECONDITION_FAILED | StatusCode::NOT_FOUND => TemplateWritten::Stale,
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            TemplateWritten::Unknown {
                why: Some(fault.to_string()),
            }
        }
        _ => TemplateWritten::Refused(Box::new(fault)),
    }
}

/// State and status always go together: a state alone leaves the status to the server.
fn body(to: StateAndStatus) -> Bytes {
    let body = serde_json::json!({"statecode": to.state.code(), "statuscode": to.status});
    Bytes::from(body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_no_template_is_refused() {
        let row = |querytype: i32| {
            let row = serde_json::json!({
                "savedqueryid": "00000000-0000-0000-0000-000000000001", "returnedtypecode": "appointment",
                "querytype": querytype, "isdefault": true, "statecode": 0, "statuscode": 1,
            });
            Template::try_from(read_json::<TemplateRow>(row.to_string().as_bytes()).unwrap())
        };
        let template = row(131_072).unwrap();
        assert!(template.default && template.reaches_new_users());
        assert_eq!(row(256).unwrap_err().to_string(), "unknown querytype 256");
    }
}
