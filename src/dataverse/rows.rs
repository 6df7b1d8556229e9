//! Rows in the form of the Web API.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::model::{
    AccessMode, Filter, FilterId, FilterKind, FilterType, Modification, ObjectId, ServerVersion,
    State, StateAndStatus, Status, UnitId, UnknownCode, User, UserId,
};

use super::fault::excerpt;

/// The columns of `userqueries` that are read. Not `fetchxml`, because it is large.
pub(crate) const FILTER_COLUMNS: &str = "userqueryid,name,returnedtypecode,querytype,statecode,statuscode,_ownerid_value,modifiedon,_modifiedby_value,_modifiedonbehalfby_value,_parentqueryid_value";

pub(super) trait PagedRow: DeserializeOwned {
    /// Identifies the row; `None` where it cannot be identified and counts as new.
    fn key(&self) -> Option<u128>;
}

/// One page of rows, and the address of the next one.
#[derive(Debug, Deserialize)]
pub(crate) struct ODataPage<T> {
    pub(crate) value: Vec<T>,
    #[serde(rename = "@odata.nextLink", default)]
    pub(crate) next_link: Option<String>,
    /// Whether there are more rows. Pages of `FetchXML` say this without a link.
    #[serde(
        rename = "@Microsoft.Dynamics.CRM.morerecords",
        default,
        deserialize_with = "said_true"
    )]
    pub(crate) more: bool,
}

impl<T> ODataPage<T> {
    /// Whether this is the last page.
    pub(crate) fn is_all(&self) -> bool {
        self.next_link.is_none() && !self.more
    }
}

/// True in any form: a list is treated as incomplete rather than as short.
fn said_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let said = Value::deserialize(deserializer)?;
    Ok(match said {
        Value::Bool(said) => said,
        Value::String(said) => said.trim().eq_ignore_ascii_case("true"),
        Value::Number(said) => said.as_i64() != Some(0),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    })
}

/// A version in the form of a validator (RFC 9110, 8.8.3), else none: it is sent back in a header, which must contain
/// nothing else.
pub(crate) fn real_etag(etag: Option<String>) -> Option<String> {
    etag.filter(|etag| {
        let opaque = etag.strip_prefix("W/").unwrap_or(etag);
        let inside = opaque.strip_prefix('"').and_then(|o| o.strip_suffix('"'));
        let is_part = |b: u8| b == 0x21 || (0x23..=0x7E).contains(&b);
        inside.is_some_and(|inside| !inside.is_empty() && inside.bytes().all(is_part))
    })
}

/// Reads exactly one JSON document. The error says where it is wrong and how it begins.
pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    if body.trim_ascii().is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut document = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut document).map_err(|error| {
        let at = error.path().to_string();
        let place = if at == "." {
            String::new()
        } else {
            format!("at `{at}`: ")
        };
        let begins = excerpt(body).unwrap_or_else(|| "nothing".into());
        format!("{place}{}; it begins with: {begins}", error.inner())
    })?;
    match document.end() {
        Ok(()) => Ok(read),
        Err(_) => Err("more follows after the document".to_owned()),
    }
}

/// A `systemuser` row. Columns that this server does not have are absent.
#[derive(Debug, Deserialize)]
pub(crate) struct UserRow {
    systemuserid: Uuid,
    #[serde(default)]
    azureactivedirectoryobjectid: Option<Uuid>,
    #[serde(default)]
    domainname: Option<String>,
    #[serde(default)]
    fullname: Option<String>,
    #[serde(default)]
    internalemailaddress: Option<String>,
    #[serde(default)]
    isdisabled: Option<bool>,
    #[serde(default)]
    accessmode: Option<i32>,
    #[serde(default)]
    applicationid: Option<Uuid>,
    #[serde(default)]
    isintegrationuser: Option<bool>,
    #[serde(default)]
    defaultfilterspopulated: Option<bool>,
    #[serde(default)]
    azurestate: Option<i32>,
    #[serde(default)]
    deletedstate: Option<i32>,
    #[serde(default)]
    systemmanagedusertype: Option<i32>,
    #[serde(rename = "_businessunitid_value", default)]
    unit: Option<Uuid>,
}

impl PagedRow for UserRow {
    fn key(&self) -> Option<u128> {
        Some(self.systemuserid.as_u128())
    }
}

/// `systemmanagedusertype`: Impersonable Stub User.
const STUB_USER: i32 = 2;

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: UserId(row.systemuserid),
            object_id: row
                .azureactivedirectoryobjectid
                .filter(|id| !id.is_nil())
                .map(ObjectId),
            login: row.domainname.unwrap_or_default(),
            full_name: row.fullname.unwrap_or_default(),
            email: row.internalemailaddress.filter(|email| !email.is_empty()),
            disabled: row.isdisabled.unwrap_or(false),
            access_mode: AccessMode::from(row.accessmode.unwrap_or(0)),
            application: row.applicationid.is_some_and(|id| !id.is_nil()),
            integration: row.isintegrationuser.unwrap_or(false),
            stub: row.systemmanagedusertype == Some(STUB_USER),
            // 1: soft deleted; azurestate 2: not found or hard deleted.
            deleted: row.azurestate.is_some_and(|s| s != 0)
                || row.deletedstate.is_some_and(|s| s != 0),
            // Absent or null: the user may have filters.
            filters_populated: row.defaultfilterspopulated.unwrap_or(true),
            unit: row.unit.map(UnitId),
        }
    }
}

/// A `userquery` row.
#[derive(Debug, Deserialize)]
pub(crate) struct FilterRow {
    #[serde(rename = "@odata.etag", default)]
    etag: Option<String>,
    userqueryid: Uuid,
    #[serde(rename = "_ownerid_value")]
    owner: Uuid,
    #[serde(default)]
    name: Option<String>,
    returnedtypecode: String,
    querytype: i32,
    statecode: i32,
    statuscode: Option<i32>,
    #[serde(default)]
    modifiedon: Option<String>,
    #[serde(rename = "_modifiedby_value", default)]
    modified_by: Option<Uuid>,
    #[serde(rename = "_modifiedonbehalfby_value", default)]
    modified_on_behalf_by: Option<Uuid>,
    #[serde(rename = "_parentqueryid_value", default)]
    template: Option<Uuid>,
    #[serde(default)]
    fetchxml: Option<String>,
}

impl PagedRow for FilterRow {
    fn key(&self) -> Option<u128> {
        Some(self.userqueryid.as_u128())
    }
}

impl TryFrom<FilterRow> for Filter {
    type Error = UnknownCode;

    fn try_from(row: FilterRow) -> Result<Self, UnknownCode> {
        Ok(Self {
            id: FilterId(row.userqueryid),
            owner: UserId(row.owner),
            name: row.name.unwrap_or_default(),
            filter_type: FilterType::new(&row.returnedtypecode),
            kind: FilterKind::try_from(row.querytype)?,
            now: StateAndStatus {
                state: State::try_from(row.statecode)?,
                status: Status(row.statuscode),
            },
            etag: real_etag(row.etag),
            modified: Modification {
                on: row.modifiedon.and_then(|on| on.parse::<Timestamp>().ok()),
                by: row.modified_by.map(UserId),
                on_behalf: row.modified_on_behalf_by.map(UserId),
            },
            template: row.template,
            query: row.fetchxml,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WhoAmI {
    pub(crate) user_id: Uuid,
    pub(crate) organization_id: Uuid,
}

/// The answer to `RetrieveVersion`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RetrieveVersion {
    pub(crate) version: String,
}

/// The answer to `RetrieveCurrentOrganization`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CurrentOrganization {
    pub(crate) detail: OrganizationDetail,
}

/// The parts of it that are used.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OrganizationDetail {
    pub(crate) endpoints: Endpoints,
}

/// Addresses by their purpose, which is not used.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Endpoints {
    pub(crate) values: Option<Vec<String>>,
}

/// A row of `systemusers` with the id only.
#[derive(Debug, Deserialize)]
pub(crate) struct UserIdRow {
    pub(crate) systemuserid: Uuid,
}

impl PagedRow for UserIdRow {
    fn key(&self) -> Option<u128> {
        Some(self.systemuserid.as_u128())
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct OrganizationRow {
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) orgdborgsettings: Option<String>,
}

/// `DistinctPhysicalAndLogicalDeletesForExchangeSync` from the organisation's settings.
///
/// The column contains XML with an element of the setting's name; where the element is missing the
/// setting has its default, false (Microsoft: "`OrgDbOrgSettings`").
pub(crate) fn distinct_deletes(settings: &str) -> bool {
    const NAME: &str = "distinctphysicalandlogicaldeletesforexchangesync";
    let settings = settings.to_ascii_lowercase();
    let element = settings.split_once(&format!("<{NAME}>"));
    element.is_some_and(|(_, rest)| rest.trim_start().starts_with("true"))
}

/// The columns of `systemusers` to request: all that this server may have.
///
/// Versions differ, and a `$select` with an unknown column is refused. A refusal removes all columns of the
/// same version as the one that it names, and the request is repeated.
#[derive(Clone, Debug)]
pub(crate) struct UserColumns {
    optional: Vec<&'static [&'static str]>,
}

/// Columns of every version that has a Web API.
const USER_COLUMNS: &str = "systemuserid,domainname,fullname,internalemailaddress,isdisabled,accessmode,isintegrationuser,defaultfilterspopulated,_businessunitid_value";
/// Columns that older 8.x servers lack.
const SINCE_LATE_8: [&str; 2] = ["azureactivedirectoryobjectid", "applicationid"];
/// Columns that version 9.1 of 2020 lacks.
const SINCE_9_2: [&str; 3] = ["azurestate", "deletedstate", "systemmanagedusertype"];

impl UserColumns {
    pub(crate) fn of_version(version: ServerVersion) -> Self {
        let mut optional = Vec::new();
        if version >= (ServerVersion { major: 8, minor: 1 }) {
            optional.push(&SINCE_LATE_8[..]);
        }
        if version >= (ServerVersion { major: 9, minor: 2 }) {
            optional.push(&SINCE_9_2[..]);
        }
        Self { optional }
    }

    /// The value of `$select`.
    pub(crate) fn select(&self) -> String {
        let mut columns = vec![USER_COLUMNS];
        columns.extend(self.optional.iter().copied().flatten());
        columns.join(",")
    }

    /// Removes the column that a refusal names and those of the same version, else the newest ones; false where none
    /// are left to remove.
    pub(crate) fn give_up(&mut self, refusal: &str) -> bool {
        let named = self
            .optional
            .iter()
            .position(|columns| columns.iter().any(|column| refusal.contains(column)));
        match named {
            Some(at) => {
                self.optional.remove(at);
            }
            None => return self.optional.pop().is_some(),
        }
        true
    }
}

/// A URL with a query. The parts are names, ids and numbers of this program, so only spaces need encoding;
/// text from elsewhere has been encoded before.
pub(crate) fn with_query(mut url: Url, query: &str) -> Url {
    url.set_query(Some(query));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_with_a_null_status_is_read() {
        let row = r#"{"@odata.etag":"W/\"5\"","userqueryid":"00000000-0000-0000-0000-000000000001",
            "_ownerid_value":"00000000-0000-0000-0000-000000000002","name":"My Appointments","returnedtypecode":"appointment",
            "querytype":256,"statecode":0,"statuscode":null,"modifiedon":"2026-01-02T03:04:05Z"}"#;
        let filter = Filter::try_from(read_json::<FilterRow>(row.as_bytes()).unwrap()).unwrap();
        assert_eq!(filter.now.status, Status(None));
        assert!(filter.modified.on.is_some());
    }

    #[test]
    fn only_a_version_is_taken_for_one() {
        for good in ["W/\"5\"", "\"abc\"", "W/\"123456789\""] {
            assert_eq!(real_etag(Some(good.into())).as_deref(), Some(good));
        }
        for bad in [
            "",
            " ",
            "W/\"\"",
            "\"\"",
            "5",
            "W/5",
            "W/\"1\r\nX: y\"",
            "W/\"a\"b\"",
            "*",
        ] {
            assert_eq!(real_etag(Some(bad.into())), None, "{bad:?}");
        }
    }

    #[test]
    fn more_rows_are_more_rows_in_whichever_form_that_is_said() {
        let page = |more: &str| {
            let text = format!(r#"{{"value":[],"@Microsoft.Dynamics.CRM.morerecords":{more}}}"#);
            read_json::<ODataPage<UserIdRow>>(text.as_bytes()).unwrap()
        };
        assert!(
            ["true", "\"True\"", "1"]
                .iter()
                .all(|more| !page(more).is_all())
        );
        assert!(
            ["false", "null", "\"false\"", "0"]
                .iter()
                .all(|more| page(more).is_all())
        );
    }

    #[test]
    fn a_state_that_the_platform_does_not_have_is_no_filter() {
        let row = r#"{"userqueryid":"00000000-0000-0000-0000-000000000001","_ownerid_value":"00000000-0000-0000-0000-000000000002",
            "returnedtypecode":"appointment","querytype":256,"statecode":7,"statuscode":1}"#;
        let error = Filter::try_from(read_json::<FilterRow>(row.as_bytes()).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "unknown statecode 7");
    }

    #[test]
    fn a_broken_document_says_where_and_how_it_begins() {
        let error =
            read_json::<ODataPage<FilterRow>>(br#"{"value":[{"userqueryid":5}]}"#).unwrap_err();
        assert!(error.starts_with("at `value[0].userqueryid`"), "{error}");
        let error = read_json::<WhoAmI>(b"<html><body>Sign in</body></html>").unwrap_err();
        assert!(error.ends_with("it begins with: Sign in"), "{error}");
    }

    #[test]
    fn columns_are_given_up_together_by_name_and_else_from_the_newest() {
        let of = |major, minor| UserColumns::of_version(ServerVersion { major, minor });
        let mut columns = of(9, 2);
        assert!(columns.give_up("Could not find a property named 'applicationid' on type 'x'."));
        assert!(!columns.select().contains("azureactivedirectoryobjectid"));
        assert!(columns.select().contains("systemmanagedusertype"));
        assert!(columns.give_up("bad request"));
        assert_eq!(columns.select(), USER_COLUMNS);
        assert!(!columns.give_up(""));
    }

    #[test]
    fn columns_that_a_version_is_known_to_lack_are_not_asked_for() {
        let of = |major, minor| UserColumns::of_version(ServerVersion { major, minor }).select();
        assert_eq!(of(8, 0), USER_COLUMNS);
        assert!(of(8, 2).contains("applicationid") && !of(9, 1).contains("azurestate"));
        assert!(of(9, 2).contains("azurestate"));
    }

    #[test]
    fn the_setting_that_spares_calendars_is_found_in_the_settings() {
        let settings = |value| {
            format!(
                "<OrgSettings><A>true</A><DistinctPhysicalAndLogicalDeletesForExchangeSync>{value}</DistinctPhysicalAndLogicalDeletesForExchangeSync></OrgSettings>"
            )
        };
        assert!(distinct_deletes(&settings("true")));
        assert!(!distinct_deletes(&settings("false")));
        assert!(!distinct_deletes("<OrgSettings><A>true</A></OrgSettings>"));
    }
}
