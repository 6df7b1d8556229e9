//! Users, with fixed small shares of special ones.

use super::rng::Rng;
use super::samples;
use super::structure::{NO_VIEWS, ORDINARY, SYNC_READER, Structure};
use crate::rows::{UserKind, UserRecord};

/// The number of users from which on there is at least one of each special kind: more than there are kinds.
const ONE_OF_EACH: usize = 25;

/// Special users per thousand. Not measured: together so few that most users are ordinary.
const SHARES: &[(UserKind, usize)] = &[
    (UserKind::Disabled, 60),
    (UserKind::NotPopulated, 30),
    (UserKind::TeamRoleOnly, 30),
    (UserKind::NoRole, 10),
    (UserKind::Unlicensed, 10),
    (UserKind::ReadOnlyFilters, 5),
    (UserKind::NoFilterRights, 5),
    (UserKind::NonInteractive, 5),
    (UserKind::ReadAccess, 5),
    (UserKind::SoftDeleted, 5),
    (UserKind::Administrative, 3),
    (UserKind::Stub, 3),
    (UserKind::SharedEmail, 3),
    (UserKind::ManyFilters, 2),
    (UserKind::EmptyLogin, 1),
];

/// The kind of each of `count` users.
pub(super) fn kinds(rng: &mut Rng, count: usize) -> Vec<UserKind> {
    let mut kinds = vec![UserKind::Ordinary; count];
    let mut places = rng.order(count).into_iter();
    for &(kind, share) in SHARES {
        let least = usize::from(count >= ONE_OF_EACH);
        let quota = (count * share / 1000).max(least);
        for place in places.by_ref().take(quota) {
            kinds[place] = kind;
        }
    }
    kinds
}

/// The people, in random order; where they are to be plain, all are ordinary.
pub(super) fn people(
    rng: &mut Rng,
    count: usize,
    plain: bool,
    structure: &Structure,
) -> Vec<UserRecord> {
    let kinds = if plain {
        vec![UserKind::Ordinary; count]
    } else {
        kinds(rng, count)
    };
    let mut people: Vec<UserRecord> = Vec::with_capacity(count);
    for (number, kind) in kinds.into_iter().enumerate() {
        let mut person = ordinary(rng, number, structure);
        apply(&mut person, kind, structure, rng);
        if kind == UserKind::SharedEmail {
            share_email(&mut people, &mut person);
        }
        people.push(person);
    }
    people
}

fn ordinary(rng: &mut Rng, number: usize, structure: &Structure) -> UserRecord {
    let (first, last) = (*rng.pick(samples::FIRST), *rng.pick(samples::LAST));
    let login = samples::login(first, last, number);
    let email = if rng.share(0.1) {
        login.replace("@contoso.example", "@mail.contoso.example")
    } else {
        login.clone()
    };
    let unit = rng.below(structure.units.len());
    let mut roles = structure
        .role(rng.pick::<&str>(ORDINARY), unit)
        .into_iter()
        .collect::<Vec<_>>();
    if rng.share(0.3) {
        let second = structure.role(rng.pick::<&str>(ORDINARY), unit);
        roles.extend(second.filter(|role| !roles.contains(role)));
    }
    let teams = if rng.share(0.4) {
        vec![rng.below(structure.teams.len())]
    } else {
        Vec::new()
    };
    UserRecord {
        id: rng.id(),
        object_id: Some(rng.id()),
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        login,
        email: Some(email),
        unit,
        roles,
        teams,
        kind: UserKind::Ordinary,
        disabled: false,
        licensed: true,
        deleted: false,
        integration: false,
        setup: false,
        populated: true,
        access_mode: 0,
        managed_type: 0,
        application_id: None,
        mailbox: None,
        created_on: rng.moment(2000),
        version: 1_000_000 + 7 * number as u64,
    }
}

fn apply(person: &mut UserRecord, kind: UserKind, structure: &Structure, rng: &mut Rng) {
    person.kind = kind;
    match kind {
        UserKind::Ordinary | UserKind::BuiltIn | UserKind::ManyFilters | UserKind::SharedEmail => {}
        UserKind::Disabled => {
            person.disabled = true;
            person.licensed = rng.share(0.3);
        }
        UserKind::NoRole => {
            person.roles.clear();
            // Members of a team without a role have no role either.
            person
                .teams
                .retain(|&team| structure.teams[team].roles.is_empty());
        }
        UserKind::TeamRoleOnly => {
            person.roles.clear();
            let giving = structure
                .teams
                .iter()
                .position(|team| !team.roles.is_empty());
            person.teams = giving.into_iter().collect();
        }
        UserKind::ReadOnlyFilters => only_role(person, SYNC_READER, structure),
        UserKind::NoFilterRights => only_role(person, NO_VIEWS, structure),
        UserKind::Unlicensed => person.licensed = false,
        UserKind::Administrative => person.access_mode = 1,
        UserKind::ReadAccess => person.access_mode = 2,
        UserKind::NonInteractive => {
            person.access_mode = 4;
            person.populated = false;
        }
        UserKind::Stub => {
            person.managed_type = 2;
            person.populated = false;
            person.roles.clear();
            person.teams.clear();
        }
        UserKind::SoftDeleted => {
            person.deleted = true;
            person.disabled = true;
        }
        UserKind::NotPopulated => person.populated = false,
        UserKind::EmptyLogin => person.login.clear(),
    }
}

fn only_role(person: &mut UserRecord, role: &str, structure: &Structure) {
    person.roles = structure.role(role, person.unit).into_iter().collect();
    person.teams.clear();
}

fn share_email(before: &mut [UserRecord], person: &mut UserRecord) {
    if let Some(other) = before.iter().rev().find(|it| it.kind == UserKind::Ordinary) {
        person.email.clone_from(&other.email);
    } else {
        person.kind = UserKind::Ordinary;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::structure::structure;
    use super::*;

    #[test]
    fn from_twenty_five_users_on_each_special_user_occurs() {
        for count in [25, 60, 1000] {
            let kinds = kinds(&mut Rng::new(5), count);
            for (kind, _) in SHARES {
                assert!(kinds.contains(kind), "{kind:?} of {count}");
            }
        }
    }

    #[test]
    fn most_people_are_ordinary_in_a_large_organisation() {
        let kinds = kinds(&mut Rng::new(5), 10_000);
        let ordinary = kinds.iter().filter(|&&it| it == UserKind::Ordinary).count();
        assert!(ordinary > 8_000, "{ordinary}");
    }

    #[test]
    fn logins_are_unique_apart_from_the_empty_ones() {
        let mut rng = Rng::new(5);
        let structure = structure(&mut rng);
        let mut seen = HashSet::new();
        for person in people(&mut rng, 2000, false, &structure) {
            if !person.login.is_empty() {
                assert!(seen.insert(person.login));
            }
        }
    }

    #[test]
    fn somebody_shares_an_email() {
        let mut rng = Rng::new(5);
        let structure = structure(&mut rng);
        let people = people(&mut rng, 200, false, &structure);
        let mut emails: Vec<_> = people.iter().filter_map(|it| it.email.as_ref()).collect();
        emails.sort();
        assert!(emails.windows(2).any(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn plain_people_are_not_odd() {
        let mut rng = Rng::new(5);
        let structure = structure(&mut rng);
        let people = people(&mut rng, 500, true, &structure);
        assert_eq!(people.len(), 500);
        assert!(people.iter().all(|it| it.kind == UserKind::Ordinary));
    }
}
