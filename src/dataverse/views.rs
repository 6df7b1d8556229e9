//! Saved views of users: which there are, and the users that one shows.
//!
//! Microsoft: "Retrieve and execute predefined queries".

use std::collections::HashSet;

use serde::Deserialize;
use uuid::Uuid;

use crate::model::UserId;

use super::call::Call;
use super::error::Error;
use super::read::bad_answer;
use super::reader::Reader;
use super::rows::{PagedRow, with_query};

const WHAT: &str = "choosing the users of a view";

/// A saved view of users: a `savedquery` or a `userquery`.
#[derive(Clone, Debug)]
pub struct ViewRow {
    /// `savedqueryid` or `userqueryid`.
    pub id: Uuid,
    /// `name`.
    pub name: String,
    /// Whether it belongs to the caller, and not to the system.
    pub own: bool,
}

#[derive(Deserialize)]
struct SystemView {
    savedqueryid: Uuid,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct OwnView {
    userqueryid: Uuid,
    #[serde(default)]
    name: Option<String>,
}

impl PagedRow for SystemView {
    fn key(&self) -> Option<u128> {
        Some(self.savedqueryid.as_u128())
    }
}

impl PagedRow for OwnView {
    fn key(&self) -> Option<u128> {
        Some(self.userqueryid.as_u128())
    }
}

/// A view may lack the key column, which must not be taken for an empty view.
#[derive(Deserialize)]
struct ShownUser {
    #[serde(default)]
    systemuserid: Option<Uuid>,
}

impl PagedRow for ShownUser {
    fn key(&self) -> Option<u128> {
        self.systemuserid.map(|id| id.as_u128())
    }
}

impl Reader {
    /// The views of users that the caller can see: the system's and the caller's own.
    pub async fn views_of_users(&self) -> Result<Vec<ViewRow>, Error> {
        let of_users = "$filter=querytype%20eq%200%20and%20returnedtypecode%20eq%20%27systemuser%27%20and%20statecode%20eq%200";
        let query = format!("$select=savedqueryid,name&{of_users}");
        let system: Vec<SystemView> = self
            .rows("listing the views of users", "savedqueries", &query)
            .await?;
        // Other users may have shared theirs.
        let caller = self.identity().caller.id;
        let query =
            format!("$select=userqueryid,name&{of_users}%20and%20_ownerid_value%20eq%20{caller}");
        let own: Vec<OwnView> = self
            .rows("listing your own views of users", "userqueries", &query)
            .await?;
        let system = system.into_iter().map(|row| ViewRow {
            id: row.savedqueryid,
            name: row.name.unwrap_or_default(),
            own: false,
        });
        let own = own.into_iter().map(|row| ViewRow {
            id: row.userqueryid,
            name: row.name.unwrap_or_default(),
            own: true,
        });
        Ok(system.chain(own).collect())
    }

    /// Adds all users that a view shows.
    pub async fn users_in_view(
        &self,
        id: Uuid,
        own: bool,
        found: &mut HashSet<UserId>,
    ) -> Result<(), Error> {
        let parameter = if own { "userQuery" } else { "savedQuery" };
        let url = with_query(self.url("systemusers")?, &format!("{parameter}={id}"));
        let call = Call::get(WHAT, url).with_long_pages();
        for user in self.all::<ShownUser>(call).await? {
            let id = user
                .systemuserid
                .ok_or_else(|| bad_answer(WHAT, &"a row comes without `systemuserid`"))?;
            found.insert(UserId(id));
        }
        Ok(())
    }
}
