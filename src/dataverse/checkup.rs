//! What `doctor` asks beyond what a run reads. Nothing here writes.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::call::Call;
use super::error::Error;
use super::reader::{Reader, read};
use super::rows::{FILTER_COLUMNS, Page, real_etag, with_query};

/// What the server says about its own limits, where it says anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many requests at once it recommends (`x-ms-dop-hint`).
    pub recommended: Option<u32>,
    /// How many requests are left of the five-minute budget of the server that answered.
    pub remaining: Option<u32>,
}

/// What a look at the table of sync filters showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterTable {
    /// The caller has none of its own, so that there is no row to look at.
    NoRow,
    /// There is a row.
    Row {
        /// Whether it has an `ETag`, on which optimistic concurrency depends.
        etag: bool,
    },
}

impl Reader {
    /// Whether the caller holds a privilege, by its name; `None` where the server does not know the question.
    ///
    /// Microsoft: function `RetrieveUserPrivilegeByPrivilegeName`, since 9.1. It counts roles of teams, too.
    pub async fn holds_privilege(&self, name: &str) -> Result<Option<bool>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            role_privileges: Vec<Value>,
        }
        const UNKNOWN: [StatusCode; 3] = [
            StatusCode::BAD_REQUEST,
            StatusCode::NOT_FOUND,
            StatusCode::NOT_IMPLEMENTED,
        ];
        let id = self.identity().caller.id;
        let path = format!(
            "systemusers({id})/Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='{name}')"
        );
        let call = Call::get("asking for a privilege of the caller", self.url(&path)?);
        match read::<Answer>(self.channel(), &call).await {
            Ok(answer) => Ok(Some(!answer.role_privileges.is_empty())),
            Err(Error::Refused { fault, .. }) if UNKNOWN.contains(&fault.status) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads at most one of the caller's own filters, with every column that a run reads.
    pub async fn filter_table(&self) -> Result<FilterTable, Error> {
        let query = format!("$select={FILTER_COLUMNS}&$filter=querytype eq 256&$top=1");
        let url = with_query(self.url("userqueries")?, &query);
        let call = Call::get("reading the table of sync filters", url);
        let page: Page<Value> = read(self.channel(), &call).await?;
        Ok(match page.value.first() {
            None => FilterTable::NoRow,
            Some(row) => FilterTable::Row {
                etag: real_etag(
                    row.get("@odata.etag")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                )
                .is_some(),
            },
        })
    }

    /// What the server says about its limits.
    ///
    /// Microsoft: "Service protection API limits" and "Send parallel requests".
    pub async fn limits(&self) -> Result<Limits, Error> {
        let call = Call::get("asking for limits", self.url("WhoAmI")?);
        let answer = self.channel().send(&call).await?;
        Ok(Limits {
            recommended: answer.number("x-ms-dop-hint"),
            remaining: answer.number("x-ms-ratelimit-burst-remaining-xrm-requests"),
        })
    }
}
