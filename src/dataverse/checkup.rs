//! What `doctor` asks beyond what a run reads. Nothing here writes.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::call::Call;
use super::error::Error;
use super::privileges::{PrivilegeHeld, PrivilegesHeld, ReadDepth, furthest, privilege_path};
use super::read::read;
use super::reader::Reader;
use super::rows::{FILTER_COLUMNS, ODataPage, with_query};

/// What the server says about its own limits, where it says anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerLimits {
    /// How many requests at once it recommends (`x-ms-dop-hint`).
    pub recommended: Option<u32>,
    /// How many requests are left of the five-minute budget of the server that answered.
    pub remaining: Option<u32>,
}

impl Reader {
    /// Whether the caller holds a privilege, by its name; `None` where the server does not know the question.
    ///
    /// Roles of teams count, too.
    pub async fn holds_privilege(&self, name: &str) -> Result<Option<bool>, Error> {
        let held = self.privileges_held(name).await?;
        Ok(held.map(|held| !held.is_empty()))
    }

    /// How far a privilege of the caller to read reaches; `None` where the server does not know the question.
    pub async fn read_depth(&self, name: &str) -> Result<Option<ReadDepth>, Error> {
        let held = self.privileges_held(name).await?;
        Ok(held.map(|held| furthest(&held)))
    }

    /// What gives the caller a privilege. Servers of version 8 are asked for all privileges of the caller, by their ids
    /// (Microsoft: function `RetrieveUserPrivileges`, from 8.0 on).
    async fn privileges_held(&self, name: &str) -> Result<Option<Vec<PrivilegeHeld>>, Error> {
        const WHAT: &str = "asking for a privilege of the caller";
        #[derive(Deserialize)]
        struct PrivilegeRow {
            privilegeid: Uuid,
        }
        let id = self.identity().caller.id;
        if self.identity().version.is_nine() {
            let call = Call::get(WHAT, self.url(&privilege_path(id, name))?);
            let held = known(read::<PrivilegesHeld>(self.channel(), &call).await)?;
            return Ok(held.map(|held| held.role_privileges));
        }
        let query = format!("$select=privilegeid&$filter=name eq '{name}'");
        let url = with_query(self.url("privileges")?, &query);
        let page = read::<ODataPage<PrivilegeRow>>(self.channel(), &Call::get(WHAT, url)).await;
        let Some(privilege) = known(page)?.and_then(|page| page.value.into_iter().next()) else {
            return Ok(None);
        };
        let path = format!("systemusers({id})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()");
        let call = Call::get(WHAT, self.url(&path)?);
        let held = known(read::<PrivilegesHeld>(self.channel(), &call).await)?;
        Ok(held.map(|held| {
            let mut held = held.role_privileges;
            held.retain(|one| one.privilege_id == Some(privilege.privilegeid));
            held
        }))
    }

    /// Reads at most one of the caller's own filters, with every column that a run reads.
    pub async fn filter_table(&self) -> Result<(), Error> {
        let query = format!("$select={FILTER_COLUMNS}&$filter=querytype eq 256&$top=1");
        let url = with_query(self.url("userqueries")?, &query);
        let call = Call::get("reading the table of sync filters", url);
        let _: ODataPage<Value> = read(self.channel(), &call).await?;
        Ok(())
    }

    /// What the server says about its limits.
    ///
    /// Microsoft: "Service protection API limits" and "Send parallel requests".
    pub async fn limits(&self) -> Result<ServerLimits, Error> {
        let call = Call::get("asking for limits", self.url("WhoAmI")?);
        let answer = self.channel().send(&call).await?;
        Ok(ServerLimits {
            recommended: answer.number("x-ms-dop-hint"),
            remaining: answer.number("x-ms-ratelimit-burst-remaining-xrm-requests"),
        })
    }
}

/// An answer to a question that not every server knows.
fn known<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    const UNKNOWN: [StatusCode; 3] = [
        StatusCode::BAD_REQUEST,
        StatusCode::NOT_FOUND,
        StatusCode::NOT_IMPLEMENTED,
    ];
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Refused { fault, .. }) if UNKNOWN.contains(&fault.status) => Ok(None),
        Err(error) => Err(error),
    }
}
