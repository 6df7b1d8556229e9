//! The sync filters and personal views of people.

use std::sync::Arc;

use super::rng::Rng;
use super::samples;
use super::views::fetch_xml;
use crate::rows::{FilterRecord, PersonIndex, UserKind, UserRecord, ViewRecord};

/// The texts of filters for one table, which many rows share.
struct Kind {
    table: Arc<str>,
    name: Arc<str>,
    fetch_xml: Arc<str>,
    outlook: Option<uuid::Uuid>,
    offline: Option<uuid::Uuid>,
}

/// Makes the filters of one person after another.
pub(super) struct Maker<'a> {
    rng: &'a mut Rng,
    kinds: Vec<Kind>,
    own_names: Vec<Arc<str>>,
    views: Vec<(Arc<str>, Arc<str>, Arc<str>)>,
    /// The number of ordinary people so far: the first few get one peculiarity each.
    ordinary: usize,
    version: u64,
    filters: Vec<FilterRecord>,
    /// Queries that cannot be executed; empty where all users are ordinary.
    broken: Vec<Arc<str>>,
}

/// Peculiarities of single filters; each occurs for this share of ordinary people, and at least once. Large enough to
/// occur in a small organisation, and small enough that most filters are ordinary.
const PECULIAR: &[(Peculiarity, f64)] = &[
    (Peculiarity::InactiveByUser, 0.03),
    (Peculiarity::NullStatus, 0.01),
    (Peculiarity::StatusAll, 0.01),
    (Peculiarity::TwoOfOneType, 0.02),
    (Peculiarity::OwnName, 0.04),
    (Peculiarity::PersonalViews, 0.3),
    (Peculiarity::Offline, 0.2),
    (Peculiarity::WithoutTemplate, 0.01),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peculiarity {
    InactiveByUser,
    NullStatus,
    StatusAll,
    TwoOfOneType,
    OwnName,
    PersonalViews,
    Offline,
    WithoutTemplate,
}

impl<'a> Maker<'a> {
    pub(super) fn new(
        rng: &'a mut Rng,
        templates: &[ViewRecord],
        people: usize,
        plain: bool,
    ) -> Self {
        let template = |table: &str, query_type: i32| {
            let found = templates.iter().find(|view| {
                view.is_default && view.query_type == query_type && &*view.table == table
            });
            found.map(|view| view.id)
        };
        let kinds = samples::FILTERS
            .iter()
            .map(|&(table, name, conditions)| Kind {
                table: table.into(),
                name: name.into(),
                fetch_xml: fetch_xml(table, conditions),
                outlook: template(table, 131_072),
                offline: template(table, 8192),
            });
        let views = samples::VIEWS.iter();
        let views = views.map(|&(table, name)| (table.into(), name.into(), fetch_xml(table, "")));
        Self {
            kinds: kinds.collect(),
            own_names: samples::OWN_FILTERS
                .iter()
                .map(|&name| name.into())
                .collect(),
            views: views.collect(),
            ordinary: 0,
            version: 2_000_000,
            broken: if plain { &[][..] } else { samples::BROKEN }
                .iter()
                .map(|&text| text.into())
                .collect(),
            filters: Vec::with_capacity(people * 10),
            rng,
        }
    }

    /// Everything made so far, and the last version number.
    pub(super) fn finish(self) -> (Vec<FilterRecord>, u64) {
        (self.filters, self.version)
    }

    /// Makes the filters of one person. `people` is the number of people with whom a view may be shared.
    pub(super) fn serve(&mut self, owner: PersonIndex, person: &UserRecord, people: usize) {
        if !person.populated {
            return;
        }
        let first = self.filters.len();
        for kind in 0..self.kinds.len() {
            self.push(owner, kind, 256);
        }
        if person.kind == UserKind::ManyFilters {
            self.many(owner);
        }
        if person.kind == UserKind::Ordinary {
            for (index, &(peculiarity, share)) in PECULIAR.iter().enumerate() {
                if self.ordinary == index || self.rng.share(share) {
                    self.make_peculiar(peculiarity, owner, first, people);
                }
            }
            self.make_broken(first);
            self.ordinary += 1;
        }
    }

    fn many(&mut self, owner: PersonIndex) {
        for number in 0..64 {
            self.push(owner, number % self.kinds.len(), 256);
            if let Some(filter) = self.filters.last_mut() {
                filter.name = format!("{} {}", filter.name, number + 2).into();
                filter.parent = None;
            }
        }
    }

    /// Makes some filters for appointments invalid. They are not chosen at random, so that all other data stays
    /// the same without them.
    fn make_broken(&mut self, first: usize) {
        let place = self.ordinary % 400;
        let which = place.checked_sub(10).and_then(|it| self.broken.get(it));
        if let Some(text) = which {
            self.filters[first].fetch_xml = text.clone();
        }
    }

    fn make_peculiar(&mut self, which: Peculiarity, owner: usize, first: usize, people: usize) {
        // One of the three calendar filters, which come first.
        let calendar = first + self.rng.below(3);
        match which {
            Peculiarity::InactiveByUser => {
                let filter = &mut self.filters[calendar];
                (filter.state, filter.status) = (1, Some(2));
            }
            Peculiarity::NullStatus => self.filters[calendar].status = None,
            Peculiarity::StatusAll => {
                let filter = &mut self.filters[calendar];
                (filter.state, filter.status) = (0, Some(3));
            }
            Peculiarity::TwoOfOneType => {
                self.push(owner, 0, 256);
                if let Some(filter) = self.filters.last_mut() {
                    filter.fetch_xml = fetch_xml("appointment", samples::OWN_VISITS);
                }
                self.own_name();
            }
            Peculiarity::OwnName => {
                self.filters[calendar].name = self.rng.pick(&self.own_names).clone();
            }
            Peculiarity::PersonalViews => self.personal_views(owner, people),
            Peculiarity::Offline => {
                for kind in 0..self.kinds.len() {
                    self.push(owner, kind, 16);
                }
            }
            Peculiarity::WithoutTemplate => self.filters[calendar].parent = None,
        }
    }

    fn own_name(&mut self) {
        let name = self.rng.pick(&self.own_names).clone();
        if let Some(filter) = self.filters.last_mut() {
            filter.name = name;
            filter.parent = None;
        }
    }

    fn personal_views(&mut self, owner: PersonIndex, people: usize) {
        for _ in 0..=self.rng.below(3) {
            self.push(owner, 0, 0);
            let (table, name, fetch_xml) = self.rng.pick(&self.views).clone();
            // Personal views, unlike Outlook filters, can be shared.
            let shared = (self.rng.share(0.2)).then(|| self.rng.below(people));
            if let Some(view) = self.filters.last_mut() {
                (view.table, view.name, view.fetch_xml) = (table, name, fetch_xml);
                view.parent = None;
                view.shared_with = shared.filter(|&person| person != owner);
            }
        }
    }

    fn push(&mut self, owner: PersonIndex, kind: usize, query_type: i32) {
        let kind = &self.kinds[kind];
        self.version += 3;
        let created_on = self.rng.moment(900);
        self.filters.push(FilterRecord {
            id: self.rng.id(),
            owner,
            name: kind.name.clone(),
            table: kind.table.clone(),
            fetch_xml: kind.fetch_xml.clone(),
            description: None,
            query_type,
            state: 0,
            status: Some(1),
            parent: if query_type == 16 {
                kind.offline
            } else {
                kind.outlook
            },
            version: self.version,
            created_on,
            modified_on: created_on,
            modified_by: owner,
            on_behalf: None,
            created_on_behalf: None,
            shared_with: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::data::generate;
    use crate::rows::{FilterRecord, UserKind};
    use crate::store::Store;

    fn any(store: &Store, test: impl Fn(&FilterRecord) -> bool) -> bool {
        store.filters().any(test)
    }

    #[test]
    fn each_peculiarity_occurs_in_a_small_organisation() {
        for seed in 0..5 {
            let store = generate(40, seed);
            assert!(any(&store, |it| it.state == 1));
            assert!(any(&store, |it| it.state == 0 && it.status.is_none()));
            assert!(any(&store, |it| it.status == Some(3)));
            assert!(any(&store, |it| it.query_type == 0));
            assert!(any(&store, |it| it.query_type == 16));
            assert!(any(&store, |it| it.query_type == 256 && it.parent.is_none()));
        }
    }

    #[test]
    fn ordinary_people_have_a_filter_for_each_calendar_table() {
        let store = generate(200, 1);
        for (owner, person) in store.people.iter().enumerate() {
            if person.kind == UserKind::Ordinary {
                for table in [
                    "appointment",
                    "recurringappointmentmaster",
                    "serviceappointment",
                ] {
                    let mut filters = store.filters_of(owner);
                    assert!(filters.any(|it| &*it.table == table && it.query_type == 256));
                }
            }
        }
    }

    #[test]
    fn somebody_has_more_than_sixty_filters_and_the_unpopulated_have_none() {
        let store = generate(60, 1);
        for (owner, person) in store.people.iter().enumerate() {
            let count = store.filters_of(owner).count();
            match person.kind {
                UserKind::ManyFilters => assert!(count > 60),
                UserKind::NotPopulated => assert_eq!(count, 0),
                UserKind::BuiltIn => assert_eq!(count > 0, owner == store.administrator),
                _ => {}
            }
        }
    }
}
