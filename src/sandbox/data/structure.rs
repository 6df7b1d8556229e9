//! Business units, security roles and teams.

use super::rng::Rng;
use super::samples;
use crate::rights::{Depth, Privilege as P, Rights};
use crate::rows::{Role, Team, Unit};

/// Rights that every role has.
const COMMON: Rights = Rights::of(&[
    P::ReadUser,
    P::ReadBusinessUnit,
    P::ReadRole,
    P::ReadTeam,
    P::ReadQuery,
    P::ReadOrganization,
]);

/// Own views and filters, all verbs (as in the role exports of the platform, at user depth).
const OWN_FILTERS: Rights = Rights::of(&[
    P::ReadUserQuery,
    P::WriteUserQuery,
    P::CreateUserQuery,
    P::DeleteUserQuery,
]);

/// The administrator's role, with all rights.
pub(super) const ADMINISTRATOR: &str = "System Administrator";
/// A role that reads filters and cannot write them, and reads no activities.
pub(super) const SYNC_READER: &str = "Sync reader";
/// A role without rights on filters.
pub(super) const NO_VIEWS: &str = "No views";
/// The roles of ordinary people.
pub(super) const ORDINARY: &[&str] = &[
    "Salesperson",
    "Sales Manager",
    "Customer Service Representative",
    "Basic User",
    "System Customizer",
];

/// The depth at which a role of ordinary people reads activities.
fn depth(role: &str) -> Depth {
    match role {
        "Sales Manager" => Depth::Unit,
        "Customer Service Representative" => Depth::Organization,
        _ => Depth::User,
    }
}

fn roles() -> Vec<(&'static str, Rights)> {
    let everyday = COMMON
        .and(OWN_FILTERS)
        .and(Rights::of(&[P::ReadActivity, P::ReadContact]));
    let mut roles = vec![
        (ADMINISTRATOR, Rights::all()),
        ("Delegate", Rights::of(&[P::ActOnBehalfOfAnotherUser])),
        (SYNC_READER, COMMON.and(Rights::of(&[P::ReadUserQuery]))),
        (NO_VIEWS, COMMON),
    ];
    let customizer = everyday.and(Rights::of(&[P::WriteQuery]));
    for &name in ORDINARY {
        let rights = if name == "System Customizer" {
            customizer
        } else {
            everyday.reaching(depth(name))
        };
        roles.push((name, rights));
    }
    roles
}

/// The organisation without people.
#[derive(Debug)]
pub(super) struct Structure {
    pub(super) units: Vec<Unit>,
    pub(super) roles: Vec<Role>,
    pub(super) teams: Vec<Team>,
}

impl Structure {
    /// A unit's copy of a role.
    pub(super) fn role(&self, name: &str, unit: usize) -> Option<usize> {
        self.roles
            .iter()
            .position(|role| role.name == name && role.unit == unit)
    }
}

/// The tree of units, a copy of each role in each unit, and the teams.
pub(super) fn structure(rng: &mut Rng) -> Structure {
    let units = units(rng);
    let mut all = Vec::new();
    for unit in 0..units.len() {
        for (name, rights) in roles() {
            all.push(Role {
                id: rng.id(),
                name,
                unit,
                rights,
                version: 1_000 + all.len() as u64,
            });
        }
    }
    let mut structure = Structure {
        units,
        roles: all,
        teams: Vec::new(),
    };
    for (index, &(name, role)) in samples::TEAMS.iter().enumerate() {
        let unit = index % structure.units.len();
        let roles = role.and_then(|role| structure.role(role, unit));
        structure.teams.push(Team {
            id: rng.id(),
            name: name.to_owned(),
            unit,
            roles: roles.into_iter().collect(),
            version: 3_000 + index as u64,
        });
    }
    structure
}

fn units(rng: &mut Rng) -> Vec<Unit> {
    let mut units = vec![unit(rng, "Contoso", None, 0)];
    for (name, below) in samples::UNITS {
        let parent = units.len();
        units.push(unit(rng, name, Some(0), parent));
        for name in *below {
            units.push(unit(rng, name, Some(parent), units.len()));
        }
    }
    units
}

fn unit(rng: &mut Rng, name: &str, parent: Option<usize>, index: usize) -> Unit {
    Unit {
        id: rng.id(),
        name: name.to_owned(),
        parent,
        version: 500 + index as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_has_its_own_copy_of_each_role() {
        let structure = structure(&mut Rng::new(1));
        for unit in 0..structure.units.len() {
            assert!(structure.role("Basic User", unit).is_some());
        }
        let copies = structure.roles.iter().filter(|it| it.name == "Basic User");
        assert_eq!(copies.count(), structure.units.len());
    }

    #[test]
    fn parents_come_before_their_units() {
        let structure = structure(&mut Rng::new(1));
        for (index, unit) in structure.units.iter().enumerate() {
            assert_eq!(unit.parent.is_none(), index == 0);
            assert!(unit.parent.is_none_or(|parent| parent < index));
        }
    }

    #[test]
    fn some_teams_give_a_role_and_some_do_not() {
        let structure = structure(&mut Rng::new(1));
        assert!(structure.teams.iter().any(|it| it.roles.is_empty()));
        assert!(structure.teams.iter().any(|it| !it.roles.is_empty()));
    }
}
