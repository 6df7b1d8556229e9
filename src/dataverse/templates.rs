//! Templates: reading them, and the one way to set their state and whether they are defaults.
//!
//! They belong to the organisation, so the caller acts as itself: nobody is impersonated.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, IF_MATCH};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use uuid::Uuid;

use crate::model::{
    FilterType, Kind, State, StateAndStatus, Status, Template, TemplateId, TemplateWrite,
    UnknownCode,
};

use super::answer::Answer;
use super::call::Call;
use super::error::Error;
use super::fault::Fault;
use super::pages::Row;
use super::reader::{Reader, bad_answer, read};
use super::rows::{read_json, real_etag, with_query};

const COLUMNS: &str = "savedqueryid,name,returnedtypecode,querytype,isdefault,statecode,statuscode";
const READING: &str = "reading the templates";
const WRITING: &str = "setting a template";
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

impl Row for TemplateRow {
    fn key(&self) -> Option<u128> {
        Some(self.savedqueryid.as_u128())
    }
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
            etag: real_etag(row.etag),
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
        let url = with_query(self.url("savedqueries")?, &query);
        let rows: Vec<TemplateRow> = self.all(Call::get(READING, url)).await?;
        let templates = rows.into_iter().map(Template::try_from);
        let mut templates: Vec<_> = templates
            .collect::<Result<_, _>>()
            .map_err(|error| bad_answer(READING, &error))?;
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

/// What became of a write of a template.
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

/// Sets templates in one environment, as the caller itself.
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

    /// Writes to the version that was read, in one request. An error means that it would go no better with another
    /// template.
    pub async fn write(
        &self,
        template: &Template,
        to: TemplateWrite,
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
        to: TemplateWrite,
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
        // Whatever the status says: older servers answer many a refusal with 500.
        _ if matches!(fault.code, Some(INACTIVE_DEFAULT | SECOND_DEFAULT)) => {
            TemplateWritten::Refused(Box::new(fault))
        }
        StatusCode::PRECONDITION_FAILED | StatusCode::NOT_FOUND => TemplateWritten::Stale,
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            TemplateWritten::Unknown {
                why: Some(fault.to_string()),
            }
        }
        _ => TemplateWritten::Refused(Box::new(fault)),
    }
}

/// `CannotSetInactiveViewAsDefault` (Microsoft's list of web service error codes).
const INACTIVE_DEFAULT: u32 = 0x8004_027B;
/// `CannotHaveMultipleDefaultFilterTemplates`, in the same list.
const SECOND_DEFAULT: u32 = 0x8004_027D;

impl Fault {
    /// Whether a write of `isdefault` together with a state was refused, and one after the other may be accepted: the
    /// server judged them one by one, or refused for a reason that it does not name. That there is another default
    /// template is a reason that stays.
    pub fn may_be_accepted_in_two(&self) -> bool {
        match self.code {
            Some(INACTIVE_DEFAULT) => true,
            Some(SECOND_DEFAULT) => false,
            _ => self.status == StatusCode::BAD_REQUEST,
        }
    }
}

/// State and status always go together: a state alone leaves the status to the server.
fn body(to: TemplateWrite) -> Bytes {
    let mut body = serde_json::Map::new();
    if let Some(default) = to.default {
        body.insert("isdefault".into(), default.into());
    }
    if let Some(StateAndStatus { state, status }) = to.now {
        body.insert("statecode".into(), state.code().into());
        body.insert("statuscode".into(), status.0.into());
    }
    Bytes::from(serde_json::Value::Object(body).to_string())
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

    #[test]
    fn default_state_and_status_go_in_one_body() {
        let now = Some(State::Inactive.with_default_status());
        let text = |default, now| {
            String::from_utf8(body(TemplateWrite { default, now }).to_vec()).unwrap()
        };
        let whole: serde_json::Value = serde_json::from_str(&text(Some(false), now)).unwrap();
        let expected = serde_json::json!({"isdefault": false, "statecode": 1, "statuscode": 2});
        assert_eq!(whole, expected);
        assert_eq!(text(Some(true), None), r#"{"isdefault":true}"#);
    }

    #[test]
    fn what_is_refused_together_is_tried_apart_unless_there_is_another_default() {
        let fault = |status, code| Fault {
            status,
            code,
            message: String::new(),
            request_id: None,
        };
        let (bad, inner) = (StatusCode::BAD_REQUEST, StatusCode::INTERNAL_SERVER_ERROR);
        for (status, code, apart) in [
            (bad, Some(INACTIVE_DEFAULT), true),
            (inner, Some(INACTIVE_DEFAULT), true),
            (bad, None, true),
            (bad, Some(SECOND_DEFAULT), false),
            (StatusCode::FORBIDDEN, Some(0x8004_0220), false),
        ] {
            let fault = fault(status, code);
            assert_eq!(fault.may_be_accepted_in_two(), apart, "{fault:?}");
        }
    }
}
