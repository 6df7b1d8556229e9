//! A row of any table, for the query engine.

use super::activity_values;
use super::at::At;
use super::find::places;
use super::values;
use crate::access::Reach;
use crate::data::Activity;
use crate::rows::{FilterRecord, PersonIndex};
use crate::store::Store;

/// A row with the user who reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowRef<'a> {
    pub(crate) store: &'a Store,
    pub(crate) viewer: PersonIndex,
    pub(crate) at: At<'a>,
}

impl<'a> RowRef<'a> {
    pub(crate) fn new(store: &'a Store, viewer: PersonIndex, at: At<'a>) -> Self {
        Self { store, viewer, at }
    }

    fn to(self, at: At<'a>) -> Self {
        Self { at, ..self }
    }

    pub(crate) fn version(&self) -> u64 {
        let store = self.store;
        match self.at {
            At::User(index)
            | At::Principal(index)
            | At::Mailbox(index)
            | At::Assignment(index, _)
            | At::Membership(index, _) => store.people[index].version,
            At::Filter(filter) => filter.version,
            At::View(index) => store.views[index].version,
            At::Unit(index) => store.units[index].version,
            At::Role(index) => store.roles[index].version,
            At::Team(index) => store.teams[index].version,
            At::Organization => store.organization.version,
            At::Privilege(_) => 1,
            At::Activity(activity) => activity_values::version(&activity),
            At::Party(party) => activity_values::version(&party.activity),
        }
    }

    /// The rows at the other end of a navigation property.
    pub(crate) fn follow(self, navigation: &str) -> Vec<Self> {
        let ends = match self.at {
            At::User(index) => self.leave_user(index, navigation),
            At::Filter(filter) => self.leave_filter(filter, navigation),
            At::View(index) => self.leave_view(index, navigation),
            At::Unit(index) => self.leave_unit(index, navigation),
            At::Role(index) => self.leave_role(index, navigation),
            At::Team(index) => self.leave_team(index, navigation),
            At::Activity(activity) => self.leave_activity(&activity, navigation),
            At::Party(party) if navigation == "partyid_systemuser" => vec![At::User(party.person)],
            // Only for its name: the platform's navigation property is not imitated.
            At::Mailbox(index) if navigation == "regardingobjectid" => vec![At::User(index)],
            At::Organization
            | At::Privilege(_)
            | At::Principal(_)
            | At::Mailbox(_)
            | At::Party(_)
            | At::Assignment(..)
            | At::Membership(..) => Vec::new(),
        };
        ends.into_iter().map(|at| self.to(at)).collect()
    }

    fn leave_user(self, index: PersonIndex, navigation: &str) -> Vec<At<'a>> {
        let person = &self.store.people[index];
        match navigation {
            "businessunitid" => vec![At::Unit(person.unit)],
            "defaultmailbox" => person.mailbox.iter().map(|_| At::Mailbox(index)).collect(),
            "systemuserroles_association" => person.roles.iter().map(|&it| At::Role(it)).collect(),
            "teammembership_association" => person.teams.iter().map(|&it| At::Team(it)).collect(),
            "user_userquery" => {
                let filters = self.store.filters_of(index);
                let seen = filters.filter(|it| Reach::of(self.viewer).reads(it));
                seen.map(At::Filter).collect()
            }
            _ => Vec::new(),
        }
    }

    fn leave_filter(self, filter: &'a FilterRecord, navigation: &str) -> Vec<At<'a>> {
        match navigation {
            "ownerid" => vec![At::Principal(filter.owner)],
            "owninguser" | "createdby" => vec![At::User(filter.owner)],
            "owningbusinessunit" => vec![At::Unit(self.store.people[filter.owner].unit)],
            "modifiedby" => vec![At::User(filter.modified_by)],
            "modifiedonbehalfby" => filter.on_behalf.map(At::User).into_iter().collect(),
            "createdonbehalfby" => filter.created_on_behalf.map(At::User).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn leave_activity(self, activity: &Activity, navigation: &str) -> Vec<At<'a>> {
        match navigation {
            "ownerid" => vec![At::Principal(activity.owner)],
            "owninguser" | "createdby" | "modifiedby" => vec![At::User(activity.owner)],
            "owningbusinessunit" => vec![At::Unit(self.store.people[activity.owner].unit)],
            _ => Vec::new(),
        }
    }

    fn leave_view(self, index: usize, navigation: &str) -> Vec<At<'a>> {
        let view = &self.store.views[index];
        match navigation {
            "createdby" => vec![At::User(self.store.administrator)],
            "modifiedby" => vec![At::User(view.modified_by)],
            "modifiedonbehalfby" => view.on_behalf.map(At::User).into_iter().collect(),
            "organizationid" => vec![At::Organization],
            _ => Vec::new(),
        }
    }

    fn leave_unit(self, index: usize, navigation: &str) -> Vec<At<'a>> {
        let store = self.store;
        match navigation {
            "organizationid" => vec![At::Organization],
            "parentbusinessunitid" => store.units[index]
                .parent
                .map(At::Unit)
                .into_iter()
                .collect(),
            "business_unit_parent_business_unit" => {
                places(&store.units, |it| it.parent == Some(index))
                    .map(At::Unit)
                    .collect()
            }
            "business_unit_system_users" => places(&store.people, |it| it.unit == index)
                .map(At::User)
                .collect(),
            "business_unit_teams" => places(&store.teams, |it| it.unit == index)
                .map(At::Team)
                .collect(),
            "business_unit_roles" => places(&store.roles, |it| it.unit == index)
                .map(At::Role)
                .collect(),
            _ => Vec::new(),
        }
    }

    fn leave_role(self, index: usize, navigation: &str) -> Vec<At<'a>> {
        let store = self.store;
        match navigation {
            "businessunitid" => vec![At::Unit(store.roles[index].unit)],
            "parentroleid" => values::parent_role(store, index)
                .map(At::Role)
                .into_iter()
                .collect(),
            "parentrootroleid" => values::root_role(store, index)
                .map(At::Role)
                .into_iter()
                .collect(),
            "systemuserroles_association" => places(&store.people, |it| it.roles.contains(&index))
                .map(At::User)
                .collect(),
            "teamroles_association" => places(&store.teams, |it| it.roles.contains(&index))
                .map(At::Team)
                .collect(),
            _ => Vec::new(),
        }
    }

    fn leave_team(self, index: usize, navigation: &str) -> Vec<At<'a>> {
        let store = self.store;
        match navigation {
            "businessunitid" => vec![At::Unit(store.teams[index].unit)],
            "teammembership_association" => places(&store.people, |it| it.teams.contains(&index))
                .map(At::User)
                .collect(),
            "teamroles_association" => store.teams[index]
                .roles
                .iter()
                .map(|&it| At::Role(it))
                .collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activities;
    use crate::data::generate;
    use crate::odata::{Row as _, Value};
    use crate::tables::{Kind, kind_of, table};
    use crate::version::Version;

    fn samples(store: &Store) -> Vec<(Kind, At<'_>)> {
        let filter = store.filters().next().unwrap();
        [
            (Kind::Users, At::User(10)),
            (Kind::Filters, At::Filter(filter)),
            (Kind::Views, At::View(0)),
            (Kind::Units, At::Unit(1)),
            (Kind::Roles, At::Role(12)),
            (Kind::Teams, At::Team(0)),
            (Kind::Organizations, At::Organization),
            (Kind::Mailboxes, At::Mailbox(10)),
        ]
        .into_iter()
        .chain(
            (9..30)
                .flat_map(|owner| activities::owned(store, owner))
                .flat_map(|it| {
                    let parties = activities::parties(store, &it).into_iter();
                    let parties = parties.map(|it| (Kind::Parties, At::Party(it)));
                    parties.chain([(kind_of(&it), At::Activity(it))])
                }),
        )
        .collect()
    }

    #[test]
    fn each_column_holds_a_value_of_its_type_or_null() {
        let store = generate(40, 1);
        for (kind, at) in samples(&store) {
            let row = RowRef::new(&store, 0, at);
            for column in table(kind, Version::V9_2).present() {
                let value = row.value(column.name);
                let kind = value.column_type();
                assert!(
                    kind.is_none_or(|it| it == column.kind),
                    "{} {value:?}",
                    column.name
                );
            }
            assert_ne!(
                row.value(crate::odata::Table::key(table(kind, Version::V9_2))),
                Value::Null
            );
        }
    }

    #[test]
    fn a_user_and_a_role_see_each_other() {
        let store = generate(40, 1);
        let person = store
            .people
            .iter()
            .position(|it| it.roles.len() == 1)
            .unwrap();
        let user = RowRef::new(&store, 0, At::User(person));
        let role = user.follow("systemuserroles_association")[0];
        let back = role.follow("systemuserroles_association");
        assert!(
            back.iter()
                .any(|it| matches!(it.at, At::User(index) if index == person))
        );
    }

    #[test]
    fn filters_of_others_are_not_reached_through_their_owner() {
        let store = generate(40, 1);
        let owner = store
            .filters()
            .find(|it| it.query_type == 256 && it.owner != store.administrator)
            .unwrap()
            .owner;
        let seen_by = |viewer| {
            let row = RowRef::new(&store, viewer, At::User(owner));
            row.follow("user_userquery")
                .iter()
                .filter(|it| it.value("querytype") == Value::Int(256))
                .count()
        };
        assert!(seen_by(owner) > 0);
        assert_eq!(seen_by(store.administrator), 0);
    }
}
