//! A row for queries: its values, labels and related rows.

use super::activity_values;
use super::at::At;
use super::labels;
use super::row::RowRef;
use super::values;
use crate::odata::{Lookup, Row, Value};

impl Row for RowRef<'_> {
    fn value(&self, column: &str) -> Value {
        let store = self.store;
        match self.at {
            At::User(index) | At::Principal(index) => values::user(store, index, column),
            At::Filter(filter) => values::filter(store, filter, column),
            At::View(index) => values::view(store, &store.views[index], column),
            At::Unit(index) => values::unit(store, index, column),
            At::Role(index) => values::role(store, index, column),
            At::Team(index) => values::team(store, index, column),
            At::Organization => values::organization(store, column),
            At::Activity(it) => activity_values::activity(store, &it, column),
            At::Party(party) => activity_values::party(store, &party, column),
            At::Assignment(user, role) => values::user_role(store, user, role, column),
            At::Membership(user, team) => values::team_member(store, user, team, column),
            At::Privilege(privilege) => values::privilege(privilege, column),
            At::Mailbox(index) => values::mailbox(&store.people[index], column),
        }
    }

    fn etag(&self) -> String {
        format!("W/\"{}\"", self.version())
    }

    fn related(&self, navigation: &str) -> Vec<Box<dyn Row + '_>> {
        let ends = self.follow(navigation).into_iter();
        ends.map(|end| Box::new(end) as Box<dyn Row>).collect()
    }

    fn label(&self, column: &str) -> Option<String> {
        labels::label(self, column)
    }

    fn lookup(&self, column: &str) -> Option<Lookup> {
        labels::lookup(column)
    }
}
