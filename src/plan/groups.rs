//! Users selected by roles, teams, business units, views, and conditions of the administrator.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::alike::{ALIKE, did_you_mean};

/// Groups of users. Values of one kind are alternatives; a user has to match all kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Groups {
    /// Names of security roles, which users have directly or through a team.
    pub roles: Vec<String>,
    /// Names of teams.
    pub teams: Vec<String>,
    /// Names or ids of business units.
    pub units: Vec<String>,
    /// Whether the sub-units of these units are excluded.
    pub only_these_units: bool,
    /// `OData` conditions over `systemusers`.
    pub conditions: Vec<String>,
    /// Names or ids of saved views of users.
    pub views: Vec<String>,
}

impl Groups {
    /// Whether there is no group, so that all users match.
    pub fn is_empty(&self) -> bool {
        self.describe().is_none()
    }

    /// The groups in words that follow "every user"; `None` where there are none.
    pub fn describe(&self) -> Option<String> {
        let Self {
            roles,
            teams,
            units,
            only_these_units,
            conditions,
            views,
        } = self;
        let sub_units = match (only_these_units, units.len()) {
            (true, _) => " alone",
            (false, 1) => " with its sub-units",
            (false, _) => " with their sub-units",
        };
        let parts = [
            alternatives("with role", roles, ""),
            alternatives("in team", teams, ""),
            alternatives("in business unit", units, sub_units),
            alternatives("where", conditions, ""),
            alternatives("in view", views, ""),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" and "))
    }
}

fn alternatives(before: &str, values: &[String], after: &str) -> Option<String> {
    let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
    (!values.is_empty()).then(|| format!("{before} {}{after}", values.join(" or ")))
}

/// A group that cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupMismatch {
    /// The name does not exist.
    #[error("no {what} `{name}` in this environment{}", did_you_mean(nearest.as_deref()))]
    Unknown {
        /// The kind of name, such as `role`.
        what: &'static str,
        /// The name as it was given.
        name: String,
        /// The most similar name, if there is one.
        nearest: Option<String>,
    },
    /// The server does not list the names, so it is not known whether this one exists.
    #[error("the {what} `{name}` cannot be checked: {says}; leave it out, or give `all`")]
    Unchecked {
        /// The kind of name, such as `filter type`.
        what: &'static str,
        /// The name as it was given.
        name: String,
        /// Why it cannot be checked.
        says: String,
    },
    /// Several business units have the name.
    #[error("several business units are called `{name}`: {}; give the id of one", units.join(", "))]
    Several {
        /// The name as it was given.
        name: String,
        /// The units, each with its id.
        units: Vec<String>,
    },
    /// Several saved views have the name.
    #[error("several views of users are called `{name}`: {}; give the id of one", views.join(", "))]
    SeveralViews {
        /// The name as it was given.
        name: String,
        /// The views, each with its owner and its id.
        views: Vec<String>,
    },
    /// The server refuses to execute the view.
    #[error("the server cannot run the view `{name}`: {says}")]
    View {
        /// The name as it was given.
        name: String,
        /// The server's message.
        says: String,
    },
    /// The server refuses the condition.
    #[error("the server refuses the condition `{condition}`: {says}")]
    Condition {
        /// The condition as it was given.
        condition: String,
        /// The server's message.
        says: String,
    },
}

/// Finds a name among `names`, without regard to case.
///
/// # Errors
/// The most similar name, if there is one.
pub fn find_name<'n>(
    wanted: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Result<&'n str, Option<String>> {
    let wanted = wanted.trim().to_lowercase();
    let mut nearest: Option<(f64, &str)> = None;
    for name in names {
        let candidate = name.trim().to_lowercase();
        if candidate == wanted {
            return Ok(name);
        }
        let alike = strsim::jaro_winkler(&wanted, &candidate);
        if alike >= ALIKE && nearest.is_none_or(|(best, _)| alike > best) {
            nearest = Some((alike, name));
        }
    }
    Err(nearest.map(|(_, name)| name.to_owned()))
}

/// A saved view of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserView {
    /// `savedqueryid` or `userqueryid`.
    pub id: Uuid,
    /// `name`.
    pub name: String,
    /// Whether it belongs to the caller, and not to the system.
    pub own: bool,
}

/// Finds the one view with this name or id.
///
/// # Errors
/// Where no view has the name, with the most similar one, or where several have it.
pub fn find_view<'v>(wanted: &str, views: &'v [UserView]) -> Result<&'v UserView, GroupMismatch> {
    let key = wanted.trim().to_lowercase();
    let bare = key.trim_start_matches('{').trim_end_matches('}');
    let id = Uuid::parse_str(bare).ok();
    let same = |view: &&UserView| {
        Some(view.id) == id || (id.is_none() && view.name.trim().to_lowercase() == key)
    };
    let meant: Vec<_> = views.iter().filter(same).collect();
    let named = |view: &&UserView| {
        let whose = if view.own { "your own" } else { "the system's" };
        format!("{} ({whose}, {})", view.name, view.id)
    };
    match meant[..] {
        [view] => Ok(view),
        [] => Err(GroupMismatch::Unknown {
            what: "view of users",
            name: wanted.to_owned(),
            nearest: find_name(wanted, views.iter().map(|view| view.name.as_str()))
                .err()
                .flatten(),
        }),
        _ => Err(GroupMismatch::SeveralViews {
            name: wanted.to_owned(),
            views: meant.iter().map(named).collect(),
        }),
    }
}

/// A `businessunit` row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessUnit {
    /// `businessunitid`.
    pub id: Uuid,
    /// `name`.
    pub name: String,
    /// `_parentbusinessunitid_value`; the root has none.
    pub parent: Option<Uuid>,
}

/// The ids of the units with this name or id, including all units below if `below` is set.
///
/// # Errors
/// Where no unit has the name, or several have it.
pub fn find_units(
    wanted: &str,
    below: bool,
    units: &[BusinessUnit],
) -> Result<Vec<Uuid>, GroupMismatch> {
    let key = wanted.trim().to_lowercase();
    let id = Uuid::parse_str(&key).ok();
    let same = |unit: &&BusinessUnit| {
        Some(unit.id) == id || (id.is_none() && unit.name.trim().to_lowercase() == key)
    };
    let meant: Vec<_> = units.iter().filter(same).collect();
    match meant[..] {
        [unit] if below => Ok(with_sub_units(unit.id, units)),
        [unit] => Ok(vec![unit.id]),
        [] => Err(GroupMismatch::Unknown {
            what: "business unit",
            name: wanted.to_owned(),
            nearest: find_name(wanted, units.iter().map(|unit| unit.name.as_str()))
                .err()
                .flatten(),
        }),
        _ => Err(GroupMismatch::Several {
            name: wanted.to_owned(),
            units: meant
                .iter()
                .map(|unit| format!("{} ({})", unit.name, unit.id))
                .collect(),
        }),
    }
}

/// Breadth first. A unit is visited once, so that a circle in the data ends.
fn with_sub_units(root: Uuid, units: &[BusinessUnit]) -> Vec<Uuid> {
    let mut found = vec![root];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        for unit in units {
            if unit.parent == Some(parent) && !found.contains(&unit.id) {
                found.push(unit.id);
            }
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(id: u128, name: &str, parent: Option<u128>) -> BusinessUnit {
        BusinessUnit {
            id: Uuid::from_u128(id),
            name: name.into(),
            parent: parent.map(Uuid::from_u128),
        }
    }

    fn tree() -> Vec<BusinessUnit> {
        vec![
            unit(4, "Berlin", Some(3)),
            unit(1, "Contoso", None),
            unit(2, "Sales", Some(1)),
            unit(3, "Europe", Some(1)),
            unit(5, "Sales", Some(3)),
        ]
    }

    fn ids(found: Vec<Uuid>) -> Vec<u128> {
        found.into_iter().map(|id| id.as_u128()).collect()
    }

    #[test]
    fn a_unit_has_its_sub_units_unless_it_is_meant_alone() {
        let found = find_units("europe", true, &tree()).unwrap();
        assert_eq!(ids(found), [3, 4, 5]);
        assert_eq!(ids(find_units("Europe", false, &tree()).unwrap()), [3]);
        let everything = find_units("Contoso", true, &tree()).unwrap();
        assert_eq!(everything.len(), 5);
    }

    #[test]
    fn a_circle_of_units_ends() {
        let circle = [unit(1, "A", Some(2)), unit(2, "B", Some(1))];
        assert_eq!(ids(find_units("A", true, &circle).unwrap()), [1, 2]);
    }

    #[test]
    fn several_units_of_one_name_are_named_and_an_id_tells_them_apart() {
        let error = find_units("Sales", true, &tree()).unwrap_err().to_string();
        assert!(error.contains(&Uuid::from_u128(2).to_string()), "{error}");
        assert!(error.contains(&Uuid::from_u128(5).to_string()), "{error}");
        let id = Uuid::from_u128(5).to_string();
        assert_eq!(ids(find_units(&id, true, &tree()).unwrap()), [5]);
    }

    #[test]
    fn a_view_is_named_by_id_or_name_and_never_guessed() {
        let view = |id, name: &str, own| UserView {
            id: Uuid::from_u128(id),
            name: name.into(),
            own,
        };
        let views = [
            view(1, "Enabled Users", false),
            view(2, "Pilot", true),
            view(3, "pilot", false),
        ];
        let found = |wanted: &str| find_view(wanted, &views).map(|view| view.id.as_u128());
        assert_eq!(found(" enabled users "), Ok(1));
        let id = format!("{{{}}}", Uuid::from_u128(3)).to_uppercase();
        assert_eq!(found(&id), Ok(3));
        let several = found("Pilot").unwrap_err().to_string();
        assert!(several.contains("Pilot (your own, ") && several.contains("pilot (the system's, "));
        let unknown = found("Enabled User").unwrap_err().to_string();
        assert!(
            unknown.ends_with("did you mean `Enabled Users`?"),
            "{unknown}"
        );
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest() {
        let error = find_units("Eurpe", true, &tree()).unwrap_err().to_string();
        assert_eq!(
            error,
            "no business unit `Eurpe` in this environment; did you mean `Europe`?"
        );
        assert_eq!(find_name("zzz", ["Europe"]), Err(None));
        assert_eq!(find_name(" EUROPE", ["Europe"]), Ok("Europe"));
    }
}
