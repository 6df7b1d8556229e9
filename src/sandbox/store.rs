//! The organisation in memory: its rows, their indexes, and a journal to undo writes.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::data::Calendars;
use super::rights::Rights;
use super::rows::{
    FilterRecord, OrganizationRecord, PersonIndex, Role, Team, Unit, UserRecord, ViewRecord,
};

/// Every row of the organisation.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) organization: OrganizationRecord,
    pub(super) units: Vec<Unit>,
    pub(super) roles: Vec<Role>,
    pub(super) teams: Vec<Team>,
    pub(super) people: Vec<UserRecord>,
    pub(super) views: Vec<ViewRecord>,
    /// The account of the administrator's token.
    pub(super) administrator: PersonIndex,
    /// Computes appointments.
    pub(super) calendars: Calendars,
    by_id: HashMap<Uuid, PersonIndex>,
    by_object_id: HashMap<Uuid, PersonIndex>,
    filters: HashMap<Uuid, FilterRecord>,
    by_owner: Vec<Vec<Uuid>>,
    shared: HashMap<PersonIndex, Vec<Uuid>>,
    next_version: u64,
    journal: Option<Vec<Before>>,
}

/// The state of a row before a write of the running change set.
#[derive(Debug)]
enum Before {
    Filter(Uuid, Option<FilterRecord>),
    View(usize, ViewRecord),
}

/// The initial rows of a store.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) organization: OrganizationRecord,
    pub(super) units: Vec<Unit>,
    pub(super) roles: Vec<Role>,
    pub(super) teams: Vec<Team>,
    pub(super) people: Vec<UserRecord>,
    pub(super) views: Vec<ViewRecord>,
    pub(super) filters: Vec<FilterRecord>,
    pub(super) administrator: PersonIndex,
    pub(super) calendars: Calendars,
    pub(super) next_version: u64,
}

impl Store {
    pub(super) fn new(rows: Rows) -> Self {
        let by_id = rows.people.iter().enumerate();
        let by_id = by_id.map(|(index, it)| (it.id, index)).collect();
        let by_object_id = rows.people.iter().enumerate();
        let by_object_id = by_object_id
            .filter_map(|(index, it)| Some((it.object_id?, index)))
            .collect();
        let mut store = Self {
            by_owner: vec![Vec::new(); rows.people.len()],
            filters: HashMap::with_capacity(rows.filters.len()),
            shared: HashMap::new(),
            organization: rows.organization,
            units: rows.units,
            roles: rows.roles,
            teams: rows.teams,
            people: rows.people,
            views: rows.views,
            administrator: rows.administrator,
            calendars: rows.calendars,
            by_id,
            by_object_id,
            next_version: rows.next_version,
            journal: None,
        };
        for filter in rows.filters {
            store.put(filter);
        }
        store
    }

    pub(super) fn person(&self, id: Uuid) -> Option<PersonIndex> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn person_by_object_id(&self, id: Uuid) -> Option<PersonIndex> {
        self.by_object_id.get(&id).copied()
    }

    /// All rights of direct roles and of the roles of teams.
    pub(super) fn rights(&self, person: PersonIndex) -> Rights {
        let person = &self.people[person];
        let through_teams = person
            .teams
            .iter()
            .flat_map(|&team| &self.teams[team].roles);
        let roles = person.roles.iter().chain(through_teams);
        roles.fold(Rights::none(), |all, &role| {
            all.and(self.roles[role].rights)
        })
    }

    /// The rights of direct roles: the right to act on behalf of others is not inherited through teams
    /// (Microsoft: "Impersonate another user").
    pub(super) fn direct_rights(&self, person: PersonIndex) -> Rights {
        let roles = self.people[person].roles.iter();
        roles.fold(Rights::none(), |all, &role| {
            all.and(self.roles[role].rights)
        })
    }

    /// The number of roles of a person, including those of teams.
    pub(super) fn role_count(&self, person: PersonIndex) -> usize {
        let person = &self.people[person];
        let through_teams = person
            .teams
            .iter()
            .map(|&team| self.teams[team].roles.len());
        person.roles.len() + through_teams.sum::<usize>()
    }

    pub(super) fn filter(&self, id: Uuid) -> Option<&FilterRecord> {
        self.filters.get(&id)
    }

    pub(super) fn filters(&self) -> impl Iterator<Item = &FilterRecord> {
        self.filters.values()
    }

    pub(super) fn filters_of(&self, owner: PersonIndex) -> impl Iterator<Item = &FilterRecord> {
        self.by_owner[owner]
            .iter()
            .filter_map(|id| self.filters.get(id))
    }

    pub(super) fn shared_with(&self, person: PersonIndex) -> impl Iterator<Item = &FilterRecord> {
        let ids = self.shared.get(&person).into_iter().flatten();
        ids.filter_map(|id| self.filters.get(id))
    }

    pub(super) fn view(&self, id: Uuid) -> Option<usize> {
        self.views.iter().position(|view| view.id == id)
    }

    fn bump(&mut self) -> u64 {
        // All tables of an organisation share the version numbers, so they increase in steps.
        self.next_version += 3;
        self.next_version
    }

    fn put(&mut self, filter: FilterRecord) {
        if let Some(person) = filter.shared_with {
            let ids = self.shared.entry(person).or_default();
            if !ids.contains(&filter.id) {
                ids.push(filter.id);
            }
        }
        let (id, owner) = (filter.id, filter.owner);
        if self.filters.insert(id, filter).is_none() {
            self.by_owner[owner].push(id);
        }
    }

    fn take(&mut self, id: Uuid) -> Option<FilterRecord> {
        let filter = self.filters.remove(&id)?;
        self.by_owner[filter.owner].retain(|&it| it != id);
        Some(filter)
    }

    fn remember(&mut self, id: Uuid) {
        if let Some(journal) = &mut self.journal {
            journal.push(Before::Filter(id, self.filters.get(&id).cloned()));
        }
    }

    /// Adds a filter or replaces the one of the same id, with a new version; returns that version.
    pub(super) fn write(&mut self, mut filter: FilterRecord) -> u64 {
        self.remember(filter.id);
        let version = self.bump();
        filter.version = version;
        self.put(filter);
        version
    }

    /// As [`Store::write`], with its present version.
    pub(super) fn write_in_place(&mut self, filter: FilterRecord) {
        self.remember(filter.id);
        self.put(filter);
    }

    /// Removes a filter; `false` when there is none.
    pub(super) fn remove(&mut self, id: Uuid) -> bool {
        self.remember(id);
        self.take(id).is_some()
    }

    /// Replaces a view, with a new version.
    pub(super) fn write_view(&mut self, index: usize, mut view: ViewRecord) {
        view.version = self.bump();
        let before = std::mem::replace(&mut self.views[index], view);
        if let Some(journal) = &mut self.journal {
            journal.push(Before::View(index, before));
        }
    }

    /// A change by the owner, which a change set does not undo.
    pub(super) fn meanwhile(
        &mut self,
        id: Uuid,
        now: Timestamp,
        change: impl FnOnce(&mut FilterRecord),
    ) {
        let version = self.bump();
        if let Some(filter) = self.filters.get_mut(&id) {
            change(filter);
            filter.version = version;
            filter.modified_on = now;
            filter.modified_by = filter.owner;
            filter.on_behalf = None;
        }
    }

    /// Gives every filter a new version, without a modification.
    pub(super) fn upgrade(&mut self) {
        let ids: Vec<Uuid> = self.filters.keys().copied().collect();
        for id in ids {
            let version = self.bump();
            if let Some(filter) = self.filters.get_mut(&id) {
                filter.version = version;
            }
        }
    }

    /// Records that this person made the last change of a filter on behalf of its owner.
    pub(super) fn on_behalf(&mut self, id: Uuid, caller: usize) {
        if let Some(filter) = self.filters.get_mut(&id) {
            filter.on_behalf = Some(caller);
        }
    }

    /// The owner deletes it, which a change set does not undo.
    pub(super) fn meanwhile_gone(&mut self, id: Uuid) {
        self.take(id);
    }

    /// Starts a change set whose writes can be undone.
    pub(super) fn begin(&mut self) {
        self.journal = Some(Vec::new());
    }

    pub(super) fn commit(&mut self) {
        self.journal = None;
    }

    /// Undoes every write since [`Store::begin`].
    pub(super) fn roll_back(&mut self) {
        let Some(journal) = self.journal.take() else {
            return;
        };
        for before in journal.into_iter().rev() {
            match before {
                Before::Filter(id, Some(filter)) => {
                    self.take(id);
                    self.put(filter);
                }
                Before::Filter(id, None) => {
                    self.take(id);
                }
                Before::View(index, view) => self.views[index] = view,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::data::generate;

    #[test]
    fn a_write_gets_a_new_version_even_when_nothing_changes() {
        let mut store = generate(30, 1);
        let filter = store.filters().next().cloned().unwrap();
        let version = store.write(filter.clone());
        assert!(version > filter.version);
        assert_eq!(store.filter(filter.id).unwrap().version, version);
    }

    #[test]
    fn rolling_back_restores_changed_created_and_deleted_rows() {
        let mut store = generate(30, 1);
        let mut some: Vec<_> = store.filters().cloned().collect();
        some.sort_by_key(|it| it.id);
        let (changed, deleted) = (some[0].clone(), some[1].clone());
        let mut created = some[2].clone();
        created.id = uuid::Uuid::from_u128(1);
        let count = some.len();

        store.begin();
        let mut inactive = changed.clone();
        inactive.state = 1;
        store.write(inactive);
        store.write(created.clone());
        assert!(store.remove(deleted.id));
        assert_eq!(
            store
                .filters_of(created.owner)
                .filter(|it| it.id == created.id)
                .count(),
            1
        );
        store.roll_back();

        assert_eq!(store.filters().count(), count);
        assert_eq!(store.filter(changed.id).unwrap().version, changed.version);
        assert_eq!(store.filter(deleted.id).unwrap().version, deleted.version);
        assert!(store.filter(created.id).is_none());
        assert!(
            store
                .filters_of(created.owner)
                .all(|it| it.id != created.id)
        );
    }

    #[test]
    fn a_committed_write_stays() {
        let mut store = generate(30, 1);
        let filter = store.filters().next().cloned().unwrap();
        store.begin();
        let version = store.write(filter.clone());
        store.commit();
        store.roll_back();
        assert_eq!(store.filter(filter.id).unwrap().version, version);
    }
}
