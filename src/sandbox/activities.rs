//! Appointments and their participants: who owns them, and who can read them.

use uuid::Uuid;

use super::data::{Activity, ActivityKind, NEIGHBOURS};
use super::impersonate::Acting;
use super::rights::Depth;
use super::rows::{PersonIndex, UserKind, UserRecord};
use super::store::Store;

/// An `activityparty` row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Party {
    pub(super) activity: Activity,
    pub(super) person: PersonIndex,
    /// `participationtypemask`: 5 required attendee, 7 organizer, 9 owner, 10 resource.
    pub(super) part: u8,
    /// Its number among the parties, from 1.
    slot: u8,
}

impl Party {
    /// `activitypartyid`.
    pub(super) fn id(&self, store: &Store) -> Uuid {
        let (owner, number) = (self.activity.owner, self.activity.number);
        store.calendars.id(owner, number, self.slot)
    }
}

/// `activityid`.
pub(super) fn id(store: &Store, activity: &Activity) -> Uuid {
    store.calendars.id(activity.owner, activity.number, 0)
}

/// Accounts that are not people have no calendar.
fn has_calendar(person: &UserRecord) -> bool {
    !matches!(
        person.kind,
        UserKind::BuiltIn | UserKind::Stub | UserKind::NonInteractive
    )
}

/// All activities that a person owns, in all three tables.
pub(super) fn owned(store: &Store, owner: PersonIndex) -> impl Iterator<Item = Activity> {
    let there = store.people.get(owner).is_some_and(has_calendar);
    let calendar = there.then(|| store.calendars.of(owner));
    calendar.into_iter().flatten()
}

/// The owner as organizer and as owner, then the guests.
pub(super) fn parties(store: &Store, activity: &Activity) -> Vec<Party> {
    let organizer = if activity.kind == ActivityKind::Service {
        10
    } else {
        7
    };
    // Contacts have no parties, and tasks only the owner.
    let own: &[_] = match activity.kind {
        ActivityKind::Contact => &[],
        kind if kind.is_meeting() => &[(activity.owner, organizer), (activity.owner, 9)],
        _ => &[(activity.owner, 9)],
    };
    let own = own.iter().copied();
    let guests = activity.guests().map(|guest| (guest, 5));
    let all = own.chain(guests);
    let people = all.filter(|&(person, _)| store.people.get(person).is_some_and(has_calendar));
    let parties = people.zip(1..);
    parties
        .map(|((person, part), slot)| Party {
            activity: *activity,
            person,
            part,
            slot,
        })
        .collect()
}

/// The ids of the participants besides the owner.
pub(super) fn guests(store: &Store, activity: &Activity) -> Vec<Uuid> {
    let all = parties(store, activity).into_iter();
    let guests = all.filter(|it| it.person != activity.owner);
    guests.map(|it| store.people[it.person].id).collect()
}

/// An activity by its id, from any table.
pub(super) fn activity(store: &Store, id: Uuid) -> Option<Activity> {
    let (activity, slot) = store.calendars.find(id)?;
    let there = store.people.get(activity.owner).is_some_and(has_calendar);
    (slot == 0 && there).then_some(activity)
}

pub(super) fn party(store: &Store, id: Uuid) -> Option<Party> {
    let (activity, slot) = store.calendars.find(id)?;
    let all = parties(store, &activity);
    all.into_iter().find(|it| it.slot == slot)
}

/// The owners whose activities a person can take part in.
pub(super) fn hosts(person: PersonIndex) -> impl Iterator<Item = PersonIndex> {
    person.saturating_sub(NEIGHBOURS)..=person
}

/// All activities in which a person takes part, as owner or guest.
pub(super) fn taking_part(store: &Store, person: PersonIndex) -> impl Iterator<Item = Party> {
    let all = hosts(person).flat_map(|host| owned(store, host));
    let parties = all.flat_map(|it| parties(store, &it));
    parties.filter(move |it| it.person == person)
}

/// Whether a user can read the activities of an owner: their own, and others by the depth of their roles. Taking part
/// in an activity does not give access to it.
pub(super) fn sees(store: &Store, acting: &Acting, owner: PersonIndex) -> bool {
    match acting.rights.activities() {
        Depth::User => owner == acting.user,
        Depth::Unit => {
            let unit = |person: PersonIndex| store.people.get(person).map(|it| it.unit);
            owner == acting.user || unit(owner) == unit(acting.user)
        }
        Depth::Organization => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generate;

    #[test]
    fn owners_take_part_in_what_they_own_and_guests_in_what_others_own() {
        let store = generate(60, 1);
        let people = || (0..store.people.len()).filter(|&it| has_calendar(&store.people[it]));
        for person in people() {
            let own = owned(&store, person).filter(|it| it.kind != ActivityKind::Contact);
            let own = own.count();
            let part = taking_part(&store, person).filter(|it| it.part == 9);
            assert_eq!(part.count(), own);
        }
        let only_guest = people()
            .filter(|&person| taking_part(&store, person).any(|it| it.activity.owner != person));
        assert!(only_guest.count() > 20);
    }

    #[test]
    fn rows_are_found_by_their_ids() {
        let store = generate(30, 1);
        let all = (0..store.people.len()).flat_map(|owner| owned(&store, owner));
        for it in all.take(300) {
            assert_eq!(activity(&store, id(&store, &it)), Some(it));
            for member in parties(&store, &it) {
                assert_eq!(party(&store, member.id(&store)), Some(member));
                assert_eq!(activity(&store, member.id(&store)), None);
            }
        }
    }

    #[test]
    fn roles_say_whose_activities_are_seen() {
        let store = generate(60, 1);
        let caller = Acting::caller(&store, store.administrator);
        assert!(sees(&store, &caller, 20));
        let own = Acting {
            user: 20,
            rights: caller.rights.reaching(Depth::User),
            ..caller
        };
        assert!(sees(&store, &own, 20) && !sees(&store, &own, 21));
    }
}
