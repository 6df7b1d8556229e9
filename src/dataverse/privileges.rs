//! How far a privilege of a user reaches.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::model::UserId;

use super::answer::Answer;
use super::rows::read_json;

/// How far a privilege to read reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadDepth {
    /// Every row of the organisation.
    Organization,
    /// Less.
    Part,
}

/// How far a privilege reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivilegeReach {
    /// The whole organisation.
    Organization,
    /// Less.
    Part,
    /// No role gives it.
    None,
    /// The server does not say.
    Unknown,
}

impl PrivilegeReach {
    /// By the role that reaches furthest.
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

/// Where it is asked how far a privilege of a user reaches, roles of teams included (Microsoft: function
/// `RetrieveUserPrivilegeByPrivilegeName`, from version 9 on).
pub(super) fn privilege_path(user: UserId, name: &str) -> String {
    format!(
        "systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='{name}')"
    )
}

/// What the server says of a privilege, once for each role that gives it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PrivilegesHeld {
    pub(super) role_privileges: Vec<PrivilegeHeld>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PrivilegeHeld {
    /// The name or the number of a member of `PrivilegeDepth`.
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

/// The depth of the role that reaches furthest.
pub(super) fn furthest<'a>(held: impl IntoIterator<Item = &'a PrivilegeHeld>) -> ReadDepth {
    let mut held = held.into_iter();
    let all = held.any(|one| one.depth() == ReadDepth::Organization);
    if all {
        ReadDepth::Organization
    } else {
        ReadDepth::Part
    }
}

/// How far an answer says that the privilege reaches; `None` where it does not say.
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
