//! Reads what users are selected by: roles, teams, business units, and conditions.

use std::collections::HashSet;

use serde::Deserialize;
use uuid::Uuid;

use crate::model::UserId;

use super::call::Call;
use super::conditions::{encoded, quoted};
use super::error::Error;
use super::read::read;
use super::reader::Reader;
use super::rows::{ODataPage, PagedRow, UserIdRow, with_query};

/// Rows with a name to which users belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Security roles: `roles`.
    Role,
    /// Teams: `teams`.
    Team,
}

impl Holder {
    const fn set(self) -> &'static str {
        match self {
            Self::Role => "roles",
            Self::Team => "teams",
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Role => "roleid",
            Self::Team => "teamid",
        }
    }
}

/// A `businessunit` row.
#[derive(Clone, Debug, Deserialize)]
pub struct UnitRow {
    /// `businessunitid`.
    pub businessunitid: Uuid,
    /// `name`.
    #[serde(default)]
    pub name: Option<String>,
    /// `_parentbusinessunitid_value`.
    #[serde(rename = "_parentbusinessunitid_value", default)]
    pub parent: Option<Uuid>,
}

impl PagedRow for UnitRow {
    fn key(&self) -> Option<u128> {
        Some(self.businessunitid.as_u128())
    }
}

#[derive(Deserialize)]
struct NameRow {
    #[serde(alias = "roleid", alias = "teamid")]
    id: Uuid,
    #[serde(default)]
    name: Option<String>,
}

impl PagedRow for NameRow {
    fn key(&self) -> Option<u128> {
        Some(self.id.as_u128())
    }
}

#[derive(Deserialize)]
struct TeamIdRow {
    teamid: Uuid,
}

impl PagedRow for TeamIdRow {
    fn key(&self) -> Option<u128> {
        Some(self.teamid.as_u128())
    }
}

impl Reader {
    /// The names, repeated for each row that has one: of all rows, or of those with this name.
    pub async fn names(&self, of: Holder, only: Option<&str>) -> Result<Vec<String>, Error> {
        let mut query = format!("$select={},name", of.key());
        if let Some(name) = only {
            query.push_str("&$filter=name%20eq%20");
            query.push_str(&encoded(&quoted(name)));
        }
        let rows: Vec<NameRow> = self.rows("looking up a name", of.set(), &query).await?;
        Ok(rows.into_iter().filter_map(|row| row.name).collect())
    }

    /// Every business unit.
    pub async fn business_units(&self) -> Result<Vec<UnitRow>, Error> {
        let query = "$select=businessunitid,name,_parentbusinessunitid_value";
        self.rows("listing the business units", "businessunits", query)
            .await
    }

    /// The teams through which their members have a role of this name, in any business unit.
    pub async fn teams_with_role(&self, role: &str) -> Result<Vec<Uuid>, Error> {
        let filter = format!("teamroles_association/any(x:x/name eq {})", quoted(role));
        let query = format!("$select=teamid&$filter={}", encoded(&filter));
        let rows: Vec<TeamIdRow> = self.rows("listing the teams", "teams", &query).await?;
        Ok(rows.into_iter().map(|row| row.teamid).collect())
    }

    /// Adds all users that match a condition.
    pub async fn users_where(
        &self,
        condition: &str,
        found: &mut HashSet<UserId>,
    ) -> Result<(), Error> {
        let query = format!("$select=systemuserid&$filter={}", encoded(condition));
        let rows: Vec<UserIdRow> = self
            .rows("choosing the users", "systemusers", &query)
            .await?;
        found.extend(rows.iter().map(|row| UserId(row.systemuserid)));
        Ok(())
    }

    /// Requests one user that matches a condition, to find out whether the server supports it.
    pub async fn try_condition(&self, condition: &str) -> Result<(), Error> {
        let query = format!("$select=systemuserid&$top=1&$filter={}", encoded(condition));
        let url = with_query(self.url("systemusers")?, &query);
        let call = Call::get("trying the condition", url);
        read::<ODataPage<UserIdRow>>(&self.channel, &call).await?;
        Ok(())
    }

    pub(super) async fn rows<T: PagedRow>(
        &self,
        what: &'static str,
        set: &str,
        query: &str,
    ) -> Result<Vec<T>, Error> {
        let url = with_query(self.url(set)?, query);
        self.all(Call::get(what, url).with_long_pages()).await
    }
}
