//! The calendars of people. They are computed for each read: an activity is a function of the seed, its owner
//! and a number, so that a large organisation needs no memory for them.

use jiff::{SignedDuration, Timestamp};
use uuid::{Builder, Uuid};

use super::rng::Rng;
use crate::rows::PersonIndex;

/// How far after an owner, in the order of people, the guests of an activity are at most. Bounds the search for a
/// guest's activities to this many owners.
pub(crate) const NEIGHBOURS: usize = 5;

/// The tables with rows that are synchronised: as meetings, as tasks (including letters, faxes and phone calls) and as
/// contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActivityKind {
    /// `appointment`.
    Appointment,
    /// `recurringappointmentmaster`.
    Recurring,
    /// `serviceappointment`.
    Service,
    /// `task`.
    Task,
    /// `letter`.
    Letter,
    /// `fax`.
    Fax,
    /// `phonecall`.
    PhoneCall,
    /// `contact`; not an activity, but handled as one.
    Contact,
}

impl ActivityKind {
    /// Whether it is synchronised as a meeting.
    pub(crate) const fn is_meeting(self) -> bool {
        matches!(self, Self::Appointment | Self::Recurring | Self::Service)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    pub(crate) owner: PersonIndex,
    /// Its number in the calendar of the owner.
    pub(crate) number: u16,
    pub(crate) kind: ActivityKind,
    subject: u8,
    place: u8,
    /// `statecode`: 0 open, 1 completed, 2 cancelled, 3 scheduled.
    pub(crate) state: u8,
    /// `statuscode`.
    pub(crate) status: u8,
    /// `instancetypecode`: 0 not recurring, 1 the series, 2 an instance of one.
    pub(crate) instance: u8,
    /// The distance from the owner to each guest; 0 for none.
    pub(crate) guests: [u8; 2],
    /// The start, in seconds since 1970.
    start: i64,
    minutes: u32,
}

// Sample texts: with non-ASCII characters and XML characters where clients have to encode them.
const SUBJECTS: &[&str] = &[
    "Customer visit",
    "Quarterly review",
    "Jour fixe",
    "Démonstration du produit",
    "Contract <draft> & terms",
    "Interview",
    "見積もりの確認",
    "1:1",
    "Onboarding",
    "Site inspection",
];
const NAMES: &[&str] = &[
    "Rosa Lind",
    "Jörg Weiß",
    "Ümit Ak",
    "O'Neil & Sons",
    "田中 一郎",
];
const PLACES: &[Option<&str>] = &[None, Some("Room 4.12"), Some("Online"), Some("Straße 7")];

impl Activity {
    pub(crate) fn subject(&self) -> &'static str {
        SUBJECTS[usize::from(self.subject) % SUBJECTS.len()]
    }

    /// `fullname` of a contact.
    pub(crate) fn name(&self) -> &'static str {
        NAMES[usize::from(self.subject) % NAMES.len()]
    }

    pub(crate) fn place(&self) -> Option<&'static str> {
        PLACES[usize::from(self.place) % PLACES.len()]
    }

    /// `scheduledstart`; of a series, that of its first instance.
    pub(crate) fn start(&self) -> Timestamp {
        Timestamp::from_second(self.start).unwrap_or_default()
    }

    /// `scheduledend`; of a series, that of its last instance.
    pub(crate) fn end(&self) -> Timestamp {
        let length = SignedDuration::from_mins(i64::from(self.minutes));
        self.start().checked_add(length).unwrap_or_default()
    }

    /// `createdon`.
    pub(crate) fn created(&self) -> Timestamp {
        let before = SignedDuration::from_hours(24 * 200);
        self.start().checked_sub(before).unwrap_or_default()
    }

    /// The participants besides the owner.
    pub(crate) fn guests(&self) -> impl Iterator<Item = PersonIndex> {
        let (owner, steps) = (self.owner, self.guests.into_iter().filter(|it| *it > 0));
        steps.map(move |step| owner + usize::from(step))
    }
}

/// Computes all calendars.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calendars {
    seed: u64,
    /// The start of the day on which the organisation was made, in seconds since 1970. There are no activities on that
    /// day, so that past and future ones stay the same during the day.
    today: i64,
}

/// How many activities of each sort one person owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shape {
    future: u16,
    past: u16,
    recurring: u16,
    service: u16,
    /// Tasks, letters, faxes, phone calls, contacts.
    others: [u16; 5],
}

/// The sort of an activity, by its number in a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Future,
    Past,
    Recurring,
    Service,
    Other(ActivityKind),
}

/// In the order of [`Shape::others`], each with the exclusive upper bound of its number per person.
const OTHERS: [(ActivityKind, usize); 5] = [
    (ActivityKind::Task, 7),
    (ActivityKind::Letter, 3),
    (ActivityKind::Fax, 2),
    (ActivityKind::PhoneCall, 5),
    (ActivityKind::Contact, 9),
];

impl Shape {
    fn sort(self, number: u16) -> Option<Sort> {
        let mut rest = number;
        for (sort, count) in [
            (Sort::Future, self.future),
            (Sort::Past, self.past),
            (Sort::Recurring, self.recurring),
            (Sort::Service, self.service),
        ] {
            if rest < count {
                return Some(sort);
            }
            rest -= count;
        }
        for ((kind, _), count) in OTHERS.into_iter().zip(self.others) {
            if rest < count {
                return Some(Sort::Other(kind));
            }
            rest -= count;
        }
        None
    }

    fn total(self) -> u16 {
        let others: u16 = self.others.iter().sum();
        self.future + self.past + self.recurring + self.service + others
    }
}

// In seconds.
const DAY: i64 = 86_400;

impl Calendars {
    pub(crate) fn new(seed: u64, now: Timestamp) -> Self {
        let today = now.as_second() - now.as_second().rem_euclid(DAY);
        Self { seed, today }
    }

    /// Random numbers for one owner and number.
    fn hash(&self, owner: PersonIndex, number: u64) -> u64 {
        let mut hash = self.seed ^ 0x5ca1_ab1e_0000_0000;
        for part in [owner as u64, number] {
            hash = (hash ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash ^= hash >> 29;
        }
        hash
    }

    fn shape(&self, owner: PersonIndex) -> Shape {
        let mut rng = Rng::new(self.hash(owner, u64::MAX));
        let mut below = |end| u16::try_from(rng.below(end)).unwrap_or(0);
        // One person in eight has no future activities.
        let future = if below(8) == 0 {
            0
        } else {
            below(13) + below(15) + below(14)
        };
        let past = below(25);
        let recurring = if below(10) < 7 { below(4) } else { 0 };
        let service = if below(10) == 0 { 1 + below(3) } else { 0 };
        // Drawn after all others, so that these activities do not change the meetings.
        let others = OTHERS.map(|(_, end)| below(end));
        Shape {
            future,
            past,
            recurring,
            service,
            others,
        }
    }

    /// All activities that one person owns.
    pub(crate) fn of(self, owner: PersonIndex) -> impl Iterator<Item = Activity> {
        let shape = self.shape(owner);
        (0..shape.total()).filter_map(move |number| self.make(owner, shape, number))
    }

    fn make(&self, owner: PersonIndex, shape: Shape, number: u16) -> Option<Activity> {
        let sort = shape.sort(number)?;
        let rng = &mut Rng::new(self.hash(owner, u64::from(number)));
        let small = |number: usize| u8::try_from(number).unwrap_or(0);
        let kind = match sort {
            Sort::Future | Sort::Past => ActivityKind::Appointment,
            Sort::Recurring => ActivityKind::Recurring,
            Sort::Service => ActivityKind::Service,
            Sort::Other(kind) => kind,
        };
        let (start, minutes) = self.when(rng, sort);
        let (state, status) = state(rng, sort);
        let instance = match sort {
            Sort::Recurring => 1,
            Sort::Future if rng.share(0.2) => 2,
            _ => 0,
        };
        let mut guests = [0, 0];
        if kind.is_meeting() && rng.share(0.4) {
            guests[0] = small(1 + rng.below(NEIGHBOURS));
            if rng.share(0.3) {
                let other = small(1 + rng.below(NEIGHBOURS));
                guests[1] = if other == guests[0] { 0 } else { other };
            }
        }
        Some(Activity {
            owner,
            number,
            kind,
            subject: small(rng.below(SUBJECTS.len())),
            place: small(rng.below(PLACES.len())),
            state,
            status,
            instance,
            guests,
            start,
            minutes,
        })
    }

    /// The start in seconds since 1970, and the length in minutes.
    fn when(&self, rng: &mut Rng, sort: Sort) -> (i64, u32) {
        let below = |rng: &mut Rng, end: usize| i64::try_from(rng.below(end)).unwrap_or(0);
        let clock = (8 * 3600) + below(rng, 18) * 1800;
        let day = match sort {
            Sort::Future => 1 + below(rng, 180),
            Sort::Service | Sort::Other(_) if rng.share(0.6) => 1 + below(rng, 60),
            Sort::Past | Sort::Service | Sort::Other(_) => -1 - below(rng, 400),
            Sort::Recurring => -30 - below(rng, 300),
        };
        let start = self.today + day * DAY + clock;
        let minutes = match sort {
            // Half of the series are over, half continue.
            Sort::Recurring if rng.share(0.5) => (1 - day + 1 + below(rng, 300)) * 24 * 60,
            Sort::Recurring => (below(rng, 28)) * 24 * 60 + 30,
            _ => 30 * (1 + below(rng, 4)),
        };
        (start, u32::try_from(minutes).unwrap_or(30))
    }

    /// The id encodes owner and number, so that a row is found without being stored. `slot` is 0 for the
    /// activity itself, and from 1 on for its parties.
    pub(crate) fn id(&self, owner: PersonIndex, number: u16, slot: u8) -> Uuid {
        let hash = self.hash(owner, u64::from(number)).to_be_bytes();
        let owner = u32::try_from(owner).unwrap_or(u32::MAX).to_be_bytes();
        let number = number.to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&hash);
        bytes[8] = hash[7];
        bytes[9] = slot;
        for at in 0..4 {
            bytes[10 + at] = owner[at] ^ hash[at];
        }
        for at in 0..2 {
            bytes[14 + at] = number[at] ^ hash[4 + at];
        }
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// The activity with an id, and the slot.
    pub(crate) fn find(&self, id: Uuid) -> Option<(Activity, u8)> {
        let bytes = id.as_bytes();
        let owner: [u8; 4] = std::array::from_fn(|at| bytes[10 + at] ^ bytes[at]);
        let number: [u8; 2] = std::array::from_fn(|at| bytes[14 + at] ^ bytes[4 + at]);
        let owner = usize::try_from(u32::from_be_bytes(owner)).ok()?;
        let (number, slot) = (u16::from_be_bytes(number), bytes[9]);
        let activity = self.make(owner, self.shape(owner), number)?;
        (self.id(owner, number, slot) == id).then_some((activity, slot))
    }
}

/// State and status of an activity.
fn state(rng: &mut Rng, sort: Sort) -> (u8, u8) {
    let throw = rng.below(20);
    match (sort, throw) {
        // One in five is completed, or is an inactive contact.
        (Sort::Other(ActivityKind::Contact), 0..=3) => (1, 2),
        (Sort::Other(ActivityKind::Contact), _) => (0, 1),
        (Sort::Other(_), 0..=3) => (1, 5),
        (Sort::Service, 0..=1) => (2, 9),
        (Sort::Service, _) => (3, 4),
        (Sort::Past, 0..=11) => (1, 3),
        (_, 19) => (2, 4),
        (Sort::Future, 17..=18) | (Sort::Other(_), _) => (0, 2),
        _ => (3, 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendars() -> Calendars {
        Calendars::new(7, "2026-11-24T18:30:00Z".parse().unwrap())
    }

    #[test]
    fn the_same_seed_makes_the_same_calendar_and_an_id_finds_its_activity() {
        let all: Vec<_> = calendars().of(12).collect();
        assert_eq!(all, calendars().of(12).collect::<Vec<_>>());
        for activity in all {
            let id = calendars().id(12, activity.number, 0);
            assert_eq!(calendars().find(id), Some((activity, 0)));
            let party = calendars().id(12, activity.number, 2);
            assert_eq!(calendars().find(party), Some((activity, 2)));
        }
        assert_eq!(calendars().find(Uuid::from_u128(1)), None);
        assert_eq!(calendars().find(Uuid::max()), None);
    }

    #[test]
    fn calendars_are_as_varied_as_real_ones() {
        let today: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let tomorrow: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        let (mut most, mut none, mut guests, mut service) = (0, 0, 0, 0);
        for owner in 0..500 {
            let all: Vec<_> = calendars().of(owner).collect();
            let single = all.iter().filter(|it| it.kind != ActivityKind::Recurring);
            for it in single {
                assert!(it.end() <= today || it.start() >= tomorrow, "{it:?}");
            }
            let future = all
                .iter()
                .filter(|it| it.kind == ActivityKind::Appointment && it.start() >= tomorrow);
            let future = future.count();
            most = most.max(future);
            none += usize::from(future == 0);
            guests += all.iter().filter(|it| it.guests().count() > 0).count();
            service += all
                .iter()
                .filter(|it| it.kind == ActivityKind::Service)
                .count();
        }
        assert!((20..=41).contains(&most), "{most}");
        assert!((20..150).contains(&none), "{none}");
        assert!(guests > 500 && service > 20, "{guests} {service}");
    }
}
