//! Requests of `doctor` that a run does not make. Nothing here writes.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::call::Call;
use super::conditions::encoded;
use super::error::Error;
use super::privileges::{PrivilegeHeld, PrivilegeReach, PrivilegesHeld, ReadDepth, privilege_path};
use super::read::read;
use super::reader::Reader;
use super::rows::{FILTER_COLUMNS, ODataPage, with_query};

/// The server's limits, as far as it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerLimits {
    /// The recommended number of requests at once (`x-ms-dop-hint`).
    pub recommended: Option<u32>,
    /// Requests left in the five-minute budget of the web server that answered.
    pub remaining: Option<u32>,
}

const WHAT: &str = "asking for the privileges of the caller";

#[derive(Deserialize)]
struct PrivilegeRow {
    privilegeid: Uuid,
    #[serde(default)]
    name: String,
}

impl Reader {
    /// The levels of these privileges of the caller, in this order. Roles of teams count, too.
    ///
    /// Takes two requests on servers of version 8, and one for each privilege on others.
    pub async fn privileges(&self, names: &[&str]) -> Result<Vec<PrivilegeReach>, Error> {
        if !self.identity().version.is_nine() {
            return self.privileges_by_id(names).await;
        }
        let mut reaches = Vec::new();
        for name in names {
            let held = self.privileges_held(name).await?;
            reaches.push(held.map_or(PrivilegeReach::Unknown, |held| PrivilegeReach::of(&held)));
        }
        Ok(reaches)
    }

    /// From all privileges of the caller by their ids (Microsoft: function `RetrieveUserPrivileges`, from 8.0 on).
    async fn privileges_by_id(&self, names: &[&str]) -> Result<Vec<PrivilegeReach>, Error> {
        let unknown = || vec![PrivilegeReach::Unknown; names.len()];
        let Some(ids) = self.privilege_ids(names).await? else {
            return Ok(unknown());
        };
        let id = self.identity().caller.id;
        let path = format!("systemusers({id})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()");
        let call = Call::get(WHAT, self.url(&path)?);
        let Some(held) = known(read::<PrivilegesHeld>(self.channel(), &call).await)? else {
            return Ok(unknown());
        };
        let reach = |name: &&str| {
            let Some(id) = ids.iter().find(|row| row.name.eq_ignore_ascii_case(name)) else {
                return PrivilegeReach::Unknown;
            };
            let own = held.role_privileges.iter();
            PrivilegeReach::of(own.filter(|one| one.privilege_id == Some(id.privilegeid)))
        };
        Ok(names.iter().map(reach).collect())
    }

    async fn privilege_ids(&self, names: &[&str]) -> Result<Option<Vec<PrivilegeRow>>, Error> {
        let conditions: Vec<_> = names.iter().map(|it| format!("name eq '{it}'")).collect();
        let query = format!(
            "$select=privilegeid,name&$filter={}",
            encoded(&conditions.join(" or "))
        );
        let url = with_query(self.url("privileges")?, &query);
        let page = read::<ODataPage<PrivilegeRow>>(self.channel(), &Call::get(WHAT, url)).await;
        Ok(known(page)?.map(|page| page.value))
    }

    /// The level of one of the caller's read privileges; `None` where the server does not support the question.
    pub async fn read_depth(&self, name: &str) -> Result<Option<ReadDepth>, Error> {
        let reach = self.privileges(&[name]).await?.into_iter().next();
        Ok(match reach.unwrap_or(PrivilegeReach::Unknown) {
            PrivilegeReach::Organization => Some(ReadDepth::Organization),
            PrivilegeReach::Part | PrivilegeReach::None => Some(ReadDepth::Part),
            PrivilegeReach::Unknown => None,
        })
    }

    /// The roles that give the caller a privilege.
    async fn privileges_held(&self, name: &str) -> Result<Option<Vec<PrivilegeHeld>>, Error> {
        let id = self.identity().caller.id;
        let call = Call::get(WHAT, self.url(&privilege_path(id, name))?);
        let held = known(read::<PrivilegesHeld>(self.channel(), &call).await)?;
        Ok(held.map(|held| held.role_privileges))
    }

    /// Reads at most one of the caller's own filters, with all columns that a run reads.
    pub async fn filter_table(&self) -> Result<(), Error> {
        let query = format!("$select={FILTER_COLUMNS}&$filter=querytype eq 256&$top=1");
        let url = with_query(self.url("userqueries")?, &query);
        let call = Call::get("reading the table of sync filters", url);
        let _: ODataPage<Value> = read(self.channel(), &call).await?;
        Ok(())
    }

    /// The limits that the server names.
    ///
    /// Microsoft: "Service protection API limits" and "Send parallel requests".
    pub async fn limits(&self) -> Result<ServerLimits, Error> {
        let call = Call::get("asking for limits", self.url("WhoAmI")?);
        let answer = self.channel().send(&call).await?;
        Ok(ServerLimits {
            recommended: answer.number("x-ms-dop-hint"),
            remaining: answer.requests_left(),
        })
    }
}

/// The answer to a question that not every server supports; `None` where it does not.
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
