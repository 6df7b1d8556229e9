//! The levels of a user's privileges.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::model::UserId;

use super::answer::Answer;
use super::rows::read_json;

/// The level of a read privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadDepth {
    /// All rows of the organisation.
    Organization,
    /// A lower level.
    Part,
}

/// The level of a privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivilegeReach {
    /// All rows of the organisation.
    Organization,
    /// A lower level.
    Part,
    /// The user does not have it.
    None,
    /// The server does not say.
    Unknown,
}

impl PrivilegeReach {
    /// The highest level of all roles.
    pub(super) fn of<'a>(held: impl IntoIterator<Item = &'a PrivilegeHeld>) -> Self {
        let mut held = held.into_iter().peekable();
        if held.peek().is_none() {
            return Self::None;
        }
        match furthest(held) {
            ReadDepth::Organization => Self::Organization,
            ReadDepth::Part => Self::Part,
        }
    }
}

/// The path that returns the levels of a user's privilege, including roles of teams (Microsoft: function
/// `RetrieveUserPrivilegeByPrivilegeName`, from version 9 on).
pub(super) fn privilege_path(user: UserId, name: &str) -> String {
    format!(
        "systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='{name}')"
    )
}

/// The server's answer about a privilege: one entry for each role that gives it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PrivilegesHeld {
    pub(super) role_privileges: Vec<PrivilegeHeld>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PrivilegeHeld {
    /// A member of `PrivilegeDepth`, by name or number.
    #[serde(default)]
    depth: Value,
    #[serde(default)]
    pub(super) privilege_id: Option<Uuid>,
}

impl PrivilegeHeld {
    /// Microsoft: `PrivilegeDepth`: Basic 0, Local 1, Deep 2, Global 3.
    pub(super) fn depth(&self) -> ReadDepth {
        if self.depth == "Global" || self.depth == 3 {
            ReadDepth::Organization
        } else {
            ReadDepth::Part
        }
    }
}

/// The highest depth of all roles.
pub(super) fn furthest<'a>(held: impl IntoIterator<Item = &'a PrivilegeHeld>) -> ReadDepth {
    let mut held = held.into_iter();
    let all = held.any(|one| one.depth() == ReadDepth::Organization);
    if all {
        ReadDepth::Organization
    } else {
        ReadDepth::Part
    }
}

/// The depth in an answer; `None` where it contains none.
pub(super) fn read_depth(answer: &Answer) -> Option<ReadDepth> {
    if !answer.status.is_success() {
        return None;
    }
    let held = read_json::<PrivilegesHeld>(&answer.body).ok()?;
    Some(furthest(&held.role_privileges))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataverse::answer::tests::answer;

    #[test]
    fn the_role_that_reaches_furthest_says_how_far_a_privilege_reaches() {
        let depth = |held: &str| {
            let body = format!(r#"{{"RolePrivileges":[{held}]}}"#);
            read_depth(&answer(200, &body))
        };
        let (basic, global) = (r#"{"Depth":"Basic"}"#, r#"{"Depth":"Global"}"#);
        assert_eq!(depth(basic), Some(ReadDepth::Part));
        assert_eq!(depth(""), Some(ReadDepth::Part));
        let both = format!("{basic},{global}");
        assert_eq!(depth(&both), Some(ReadDepth::Organization));
        assert_eq!(depth(r#"{"Depth":3}"#), Some(ReadDepth::Organization));
        assert_eq!(read_depth(&answer(403, "{}")), None);
    }
}
