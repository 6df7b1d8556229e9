//! The organisation as tests and demonstrations read it, without the Web API.

use jiff::Timestamp;
use uuid::Uuid;

use super::activities;
use super::data::Activity;
use super::rights::Privilege;
use super::rows::{FilterRecord, Mailbox, UserKind, UserRecord};
use super::store::Store;
use super::tables::kind_of;

/// A `userquery` row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterSnapshot {
    /// `userqueryid`.
    pub id: Uuid,
    /// `systemuserid` of the owner.
    pub owner: Uuid,
    /// `domainname` of the owner.
    pub owner_login: String,
    /// `name`.
    pub name: String,
    /// `returnedtypecode`, a logical name.
    pub filter_type: String,
    /// `querytype`: 256 Outlook, 16 offline, 0 a personal view.
    pub querytype: i32,
    /// `statecode`: 0 active, 1 inactive.
    pub statecode: i32,
    /// `statuscode`.
    pub statuscode: Option<i32>,
    /// `parentqueryid`: the template it came from.
    pub template: Option<Uuid>,
    /// The number in the `ETag`.
    pub version: u64,
    /// `systemuserid` behind `modifiedby`.
    pub modified_by: Uuid,
    /// `systemuserid` behind `modifiedonbehalfby`.
    pub modified_on_behalf_by: Option<Uuid>,
}

/// A `systemuser` row with further data of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
#[non_exhaustive]
pub struct UserSnapshot {
    /// `systemuserid`.
    pub id: Uuid,
    /// `azureactivedirectoryobjectid`.
    pub object_id: Option<Uuid>,
    /// `domainname`; empty for a few.
    pub login: String,
    /// `internalemailaddress`.
    pub email: Option<String>,
    /// `fullname`.
    pub name: String,
    /// Name of the business unit.
    pub business_unit: String,
    /// Names of the roles assigned directly.
    pub roles: Vec<String>,
    /// Names of the teams.
    pub teams: Vec<String>,
    /// The kind of user.
    pub kind: UserKind,
    /// `isdisabled`.
    pub disabled: bool,
    /// `accessmode`.
    pub access_mode: i32,
    /// `islicensed`.
    pub licensed: bool,
    /// Deleted in the directory.
    pub deleted: bool,
    /// `systemmanagedusertype` 2.
    pub stub: bool,
    /// Has an `applicationid`.
    pub application: bool,
    /// Has a role, directly or through a team.
    pub has_role: bool,
    /// Holds `prvReadUserQuery`.
    pub may_read_filters: bool,
    /// Holds `prvWriteUserQuery`.
    pub may_write_filters: bool,
    /// `defaultfilterspopulated`.
    pub populated: bool,
    /// Has a mailbox that the server or Dynamics 365 for Outlook synchronises by the filters.
    pub synchronises: bool,
    /// `actdeliverymethod` of the mailbox.
    pub delivery: Option<u8>,
}

/// Every filter, by id.
pub(super) fn filters(store: &Store) -> Vec<FilterSnapshot> {
    let mut all: Vec<_> = store.filters().map(|it| filter(store, it)).collect();
    all.sort_unstable_by_key(|it| it.id);
    all
}

fn filter(store: &Store, filter: &FilterRecord) -> FilterSnapshot {
    let owner = &store.people[filter.owner];
    FilterSnapshot {
        id: filter.id,
        owner: owner.id,
        owner_login: owner.login.clone(),
        name: filter.name.to_string(),
        filter_type: filter.table.to_string(),
        querytype: filter.query_type,
        statecode: filter.state,
        statuscode: filter.status,
        template: filter.parent,
        version: filter.version,
        modified_by: store.people[filter.modified_by].id,
        modified_on_behalf_by: filter.on_behalf.map(|it| store.people[it].id),
    }
}

/// Every user, in the order of the table.
pub(super) fn users(store: &Store) -> Vec<UserSnapshot> {
    let all = store.people.iter().enumerate();
    all.map(|(index, it)| user(store, index, it)).collect()
}

fn user(store: &Store, index: usize, person: &UserRecord) -> UserSnapshot {
    let rights = store.rights(index);
    UserSnapshot {
        id: person.id,
        object_id: person.object_id,
        login: person.login.clone(),
        email: person.email.clone(),
        name: person.full_name(),
        business_unit: store.units[person.unit].name.clone(),
        roles: person
            .roles
            .iter()
            .map(|&it| store.roles[it].name.to_owned())
            .collect(),
        teams: person
            .teams
            .iter()
            .map(|&it| store.teams[it].name.clone())
            .collect(),
        kind: person.kind,
        disabled: person.disabled,
        access_mode: person.access_mode,
        licensed: person.licensed,
        deleted: person.deleted,
        stub: person.managed_type == 2,
        application: person.application_id.is_some(),
        has_role: store.role_count(index) > 0,
        may_read_filters: rights.has(Privilege::ReadUserQuery),
        may_write_filters: rights.has(Privilege::WriteUserQuery),
        populated: person.populated,
        delivery: person.mailbox.map(|it| it.delivery),
        synchronises: person.mailbox.is_some_and(Mailbox::synchronises),
    }
}

/// An appointment, the series of one, or a service activity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActivitySnapshot {
    /// `activityid`.
    pub id: Uuid,
    /// The logical name of its table.
    pub table: String,
    /// `subject`.
    pub subject: String,
    /// `systemuserid` of the owner.
    pub owner: Uuid,
    /// `systemuserid` of the participants besides the owner.
    pub guests: Vec<Uuid>,
    /// `scheduledstart`.
    pub start: Timestamp,
    /// `scheduledend`.
    pub end: Timestamp,
    /// `statecode`: 0 open, 1 completed, 2 cancelled, 3 scheduled.
    pub statecode: i32,
}

/// All activities in which a user takes part, as owner or guest, whoever may read them.
pub(super) fn activities(store: &Store, user: Uuid) -> Vec<ActivitySnapshot> {
    let person = store.person(user).into_iter();
    let parties = person.flat_map(|it| activities::taking_part(store, it));
    let mut all: Vec<Activity> = parties.map(|it| it.activity).collect();
    all.dedup();
    let of = |it: &Activity| ActivitySnapshot {
        id: activities::id(store, it),
        table: kind_of(it).logical_name().to_owned(),
        subject: it.subject().to_owned(),
        owner: store.people[it.owner].id,
        guests: activities::guests(store, it),
        start: it.start(),
        end: it.end(),
        statecode: it.state.into(),
    };
    all.iter().map(of).collect()
}

/// The columns of a filter that another user can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterEdit {
    /// `name`.
    pub name: String,
    /// `statecode`.
    pub statecode: i32,
    /// `statuscode`.
    pub statuscode: Option<i32>,
    /// `description`.
    pub description: Option<String>,
}

impl FilterEdit {
    pub(super) fn of(filter: &FilterRecord) -> Self {
        Self {
            name: filter.name.to_string(),
            statecode: filter.state,
            statuscode: filter.status,
            description: filter.description.as_deref().map(str::to_owned),
        }
    }

    pub(super) fn apply(self, filter: &mut FilterRecord) {
        filter.name = self.name.into();
        (filter.state, filter.status) = (self.statecode, self.statuscode);
        filter.description = self.description.map(Into::into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generate;

    #[test]
    fn filters_are_sorted_and_name_their_owner() {
        let store = generate(40, 1);
        let all = filters(&store);
        assert!(all.is_sorted_by_key(|it| it.id));
        let users = users(&store);
        for filter in &all {
            let owner = users.iter().find(|it| it.id == filter.owner).unwrap();
            assert_eq!(owner.login, filter.owner_login);
        }
    }
}
