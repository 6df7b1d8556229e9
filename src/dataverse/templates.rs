//! Templates: reads them, and writes their state and default flag. Nothing else writes them.
//!
//! They belong to the organisation, so the caller acts as itself and no user is impersonated.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use uuid::Uuid;

use crate::model::{
    FilterKind, FilterType, Modification, State, StateAndStatus, Status, Template, TemplateId,
    TemplateWrite, UnknownCode, UserId,
};

use super::call::Call;
use super::error::Error;
use super::fault::ServerFault;
use super::read::{bad_answer, read};
use super::reader::Reader;
use super::reply::{Why, WriteReply};
use super::rows::{PagedRow, read_json, real_etag, with_query};

const COLUMNS: &str = "savedqueryid,name,returnedtypecode,querytype,isdefault,statecode,statuscode,modifiedon,_modifiedby_value,_modifiedonbehalfby_value";
const READING: &str = "reading the templates";
const WRITING: &str = "setting a template";

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
    #[serde(default)]
    modifiedon: Option<String>,
    #[serde(rename = "_modifiedby_value", default)]
    modified_by: Option<Uuid>,
    #[serde(rename = "_modifiedonbehalfby_value", default)]
    modified_on_behalf_by: Option<Uuid>,
}

impl PagedRow for TemplateRow {
    fn key(&self) -> Option<u128> {
        Some(self.savedqueryid.as_u128())
    }
}

impl TryFrom<TemplateRow> for Template {
    type Error = UnknownCode;

    fn try_from(row: TemplateRow) -> Result<Self, UnknownCode> {
        let kind = FilterKind::of_template_code(row.querytype).ok_or(UnknownCode {
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
            modified: Modification {
                on: row.modifiedon.and_then(|on| on.parse().ok()),
                by: row.modified_by.map(UserId),
                on_behalf: row.modified_on_behalf_by.map(UserId),
            },
        })
    }
}

impl Reader {
    /// The templates for filters of these kinds, ordered by kind, type and name.
    pub async fn templates(&self, kinds: &[FilterKind]) -> Result<Vec<Template>, Error> {
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

    /// One template as it is now; `None` where it no longer exists.
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

fn order(template: &Template) -> (FilterKind, &FilterType, &str, TemplateId) {
    let Template {
        kind,
        filter_type,
        name,
        id,
        ..
    } = template;
    (*kind, filter_type, name, *id)
}

/// Writes templates of one environment, as the caller itself.
#[derive(Clone, Debug)]
pub struct TemplateWriter {
    reader: Reader,
}

impl TemplateWriter {
    /// A writer for the environment of this reader.
    pub const fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// Writes to the version that was read, in one request. An error means that every other template would fail in the
    /// same way.
    pub async fn write(
        &self,
        template: &Template,
        to: TemplateWrite,
    ) -> Result<WriteReply<Template>, Error> {
        let version = template.etag.as_deref().unwrap_or(ANY_VERSION);
        let reply = self.send(template.id, to, version).await?;
        match &reply {
            // Some tables do not support versions (`OptimisticConcurrencyNotEnabled`).
            WriteReply::Unclear(Why::Said(fault)) if fault.is_concurrency_unsupported() => {
                self.send(template.id, to, ANY_VERSION).await
            }
            _ => Ok(reply),
        }
    }

    async fn send(
        &self,
        id: TemplateId,
        to: TemplateWrite,
        version: &str,
    ) -> Result<WriteReply<Template>, Error> {
        let url = self.reader.url(&format!("savedqueries({id})"))?;
        let url = with_query(url, &format!("$select={COLUMNS}"));
        let version =
            HeaderValue::try_from(version).map_err(|error| bad_answer(WRITING, &error))?;
        let call = Call::update(WRITING, url, body(to), version);
        match self.reader.channel().send(&call).await {
            Ok(answer) => Ok(WriteReply::of(&answer, shown)),
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => Ok(WriteReply::of_error(&error)),
        }
    }
}

fn shown(body: &[u8]) -> Option<Template> {
    let row = read_json::<TemplateRow>(body).ok()?;
    Template::try_from(row).ok()
}

/// Any version. Always sent, because a PATCH without `If-Match` creates a missing row (Microsoft: "Perform conditional
/// operations using the Web API").
const ANY_VERSION: &str = "*";

/// `CannotSetInactiveViewAsDefault` (Microsoft's list of web service error codes).
const INACTIVE_DEFAULT: u32 = 0x8004_027B;
/// `CannotHaveMultipleDefaultFilterTemplates`, in the same list.
const SECOND_DEFAULT: u32 = 0x8004_027D;

impl ServerFault {
    /// Whether the platform's rules for default templates are the reason, whatever the status: older servers answer
    /// many refusals with 500.
    pub(super) const fn is_default_template_refused(&self) -> bool {
        matches!(self.code, Some(INACTIVE_DEFAULT | SECOND_DEFAULT))
    }

    /// Whether `isdefault` and a state were refused together, and may be accepted one after the other: the
    /// server checked them separately, or gave no reason. Another default template is a permanent
    /// reason.
    pub fn may_be_accepted_in_two(&self) -> bool {
        match self.code {
            Some(INACTIVE_DEFAULT) => true,
            Some(SECOND_DEFAULT) => false,
            _ => self.status == StatusCode::BAD_REQUEST,
        }
    }
}

/// State and status are always sent together: with a state alone the server chooses the status.
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
        let fault = |status, code| ServerFault {
            status,
            code,
            message: String::new(),
            request_id: None,
            documented: true,
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
