//! People, the odd ones in fixed small shares.

use super::rng::Rng;
use super::structure::{NO_VIEWS, ORDINARY, SYNC_READER, Structure};
use super::words;
use crate::rows::{Oddity, UserRecord};

/// From this many users on there is at least one of each odd kind.
const ONE_OF_EACH: usize = 25;

/// Shares of odd users, of a thousand.
const SHARES: &[(Oddity, usize)] = &[
    (Oddity::Disabled, 60),
    (Oddity::NotPopulated, 30),
    (Oddity::TeamRoleOnly, 30),
    (Oddity::NoRole, 10),
    (Oddity::Unlicensed, 10),
    (Oddity::ReadOnlyFilters, 5),
    (Oddity::NoFilterRights, 5),
    (Oddity::NonInteractive, 5),
    (Oddity::ReadAccess, 5),
    (Oddity::SoftDeleted, 5),
    (Oddity::Administrative, 3),
    (Oddity::Stub, 3),
    (Oddity::SharedEmail, 3),
    (Oddity::ManyFilters, 2),
    (Oddity::EmptyLogin, 1),
];

/// What is odd about each of `count` people.
pub(super) fn oddities(dice: &mut Rng, count: usize) -> Vec<Oddity> {
    let mut oddities = vec![Oddity::None; count];
    let mut places = dice.order(count).into_iter();
    for &(oddity, share) in SHARES {
        let least = usize::from(count >= ONE_OF_EACH);
        let quota = (count * share / 1000).max(least);
        for place in places.by_ref().take(quota) {
            oddities[place] = oddity;
        }
    }
    oddities
}

/// The people, in no particular order; where they are to be plain, nobody is odd.
pub(super) fn people(
    dice: &mut Rng,
    count: usize,
    plain: bool,
    structure: &Structure,
) -> Vec<UserRecord> {
    let oddities = if plain {
        vec![Oddity::None; count]
    } else {
        oddities(dice, count)
    };
    let mut people: Vec<UserRecord> = Vec::with_capacity(count);
    for (number, oddity) in oddities.into_iter().enumerate() {
        let mut person = ordinary(dice, number, structure);
        apply(&mut person, oddity, structure, dice);
        if oddity == Oddity::SharedEmail {
            share_email(&mut people, &mut person);
        }
        people.push(person);
    }
    people
}

fn ordinary(dice: &mut Rng, number: usize, structure: &Structure) -> UserRecord {
    let (first, last) = (*dice.pick(words::FIRST), *dice.pick(words::LAST));
    let login = words::login(first, last, number);
    let email = if dice.share(0.1) {
        login.replace("@contoso.example", "@mail.contoso.example")
    } else {
        login.clone()
    };
    let unit = dice.below(structure.units.len());
    let mut roles = structure
        .role(dice.pick::<&str>(ORDINARY), unit)
        .into_iter()
        .collect::<Vec<_>>();
    if dice.share(0.3) {
        let second = structure.role(dice.pick::<&str>(ORDINARY), unit);
        roles.extend(second.filter(|role| !roles.contains(role)));
    }
    let teams = if dice.share(0.4) {
        vec![dice.below(structure.teams.len())]
    } else {
        Vec::new()
    };
    UserRecord {
        id: dice.id(),
        object_id: Some(dice.id()),
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        login,
        email: Some(email),
        unit,
        roles,
        teams,
        oddity: Oddity::None,
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
        created_on: dice.moment(2000),
        version: 1_000_000 + 7 * number as u64,
    }
}

fn apply(person: &mut UserRecord, oddity: Oddity, structure: &Structure, dice: &mut Rng) {
    person.oddity = oddity;
    match oddity {
        Oddity::None | Oddity::BuiltIn | Oddity::ManyFilters | Oddity::SharedEmail => {}
        Oddity::Disabled => {
            person.disabled = true;
            person.licensed = dice.share(0.3);
        }
        Oddity::NoRole => {
            person.roles.clear();
            // Members of a team without a role have no role either.
            person
                .teams
                .retain(|&team| structure.teams[team].roles.is_empty());
        }
        Oddity::TeamRoleOnly => {
            person.roles.clear();
            let giving = structure
                .teams
                .iter()
                .position(|team| !team.roles.is_empty());
            person.teams = giving.into_iter().collect();
        }
        Oddity::ReadOnlyFilters => only_role(person, SYNC_READER, structure),
        Oddity::NoFilterRights => only_role(person, NO_VIEWS, structure),
        Oddity::Unlicensed => person.licensed = false,
        Oddity::Administrative => person.access_mode = 1,
        Oddity::ReadAccess => person.access_mode = 2,
        Oddity::NonInteractive => {
            person.access_mode = 4;
            person.populated = false;
        }
        Oddity::Stub => {
            person.managed_type = 2;
            person.populated = false;
            person.roles.clear();
            person.teams.clear();
        }
        Oddity::SoftDeleted => {
            person.deleted = true;
            person.disabled = true;
        }
        Oddity::NotPopulated => person.populated = false,
        Oddity::EmptyLogin => person.login.clear(),
    }
}

fn only_role(person: &mut UserRecord, role: &str, structure: &Structure) {
    person.roles = structure.role(role, person.unit).into_iter().collect();
    person.teams.clear();
}

fn share_email(before: &mut [UserRecord], person: &mut UserRecord) {
    if let Some(other) = before.iter().rev().find(|it| it.oddity == Oddity::None) {
        person.email.clone_from(&other.email);
    } else {
        person.oddity = Oddity::None;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::structure::structure;
    use super::*;

    #[test]
    fn from_twenty_five_users_on_each_oddity_occurs() {
        for count in [25, 60, 1000] {
            let oddities = oddities(&mut Rng::new(5), count);
            for (oddity, _) in SHARES {
                assert!(oddities.contains(oddity), "{oddity:?} of {count}");
            }
        }
    }

    #[test]
    fn most_people_are_ordinary_in_a_large_organisation() {
        let oddities = oddities(&mut Rng::new(5), 10_000);
        let ordinary = oddities.iter().filter(|&&it| it == Oddity::None).count();
        assert!(ordinary > 8_000, "{ordinary}");
    }

    #[test]
    fn logins_are_unique_apart_from_the_empty_ones() {
        let mut dice = Rng::new(5);
        let structure = structure(&mut dice);
        let mut seen = HashSet::new();
        for person in people(&mut dice, 2000, false, &structure) {
            if !person.login.is_empty() {
                assert!(seen.insert(person.login));
            }
        }
    }

    #[test]
    fn somebody_shares_an_email() {
        let mut dice = Rng::new(5);
        let structure = structure(&mut dice);
        let people = people(&mut dice, 200, false, &structure);
        let mut emails: Vec<_> = people.iter().filter_map(|it| it.email.as_ref()).collect();
        emails.sort();
        assert!(emails.windows(2).any(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn plain_people_are_not_odd() {
        let mut dice = Rng::new(5);
        let structure = structure(&mut dice);
        let people = people(&mut dice, 500, true, &structure);
        assert_eq!(people.len(), 500);
        assert!(people.iter().all(|it| it.oddity == Oddity::None));
    }
}
