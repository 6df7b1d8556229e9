//! Finds rows.

use uuid::Uuid;

use super::at::At;
use super::schema::Kind;
use crate::activities;
use crate::data::{Activity, ActivityKind};
use crate::rights::Privilege;
use crate::rows::mailbox_twin;
use crate::store::Store;

pub(crate) const fn kind_of(activity: &Activity) -> Kind {
    match activity.kind {
        ActivityKind::Appointment => Kind::Appointments,
        ActivityKind::Recurring => Kind::Series,
        ActivityKind::Service => Kind::Services,
        ActivityKind::Task => Kind::Tasks,
        ActivityKind::Letter => Kind::Letters,
        ActivityKind::Fax => Kind::Faxes,
        ActivityKind::PhoneCall => Kind::PhoneCalls,
        ActivityKind::Contact => Kind::Contacts,
    }
}

/// The indexes of matching items.
pub(super) fn places<T>(items: &[T], matches: impl Fn(&T) -> bool) -> impl Iterator<Item = usize> {
    let all = items.iter().enumerate();
    all.filter(move |(_, item)| matches(item))
        .map(|(index, _)| index)
}

/// The row of a table with this id. Access to filters is not checked here.
pub(crate) fn by_id(store: &Store, kind: Kind, id: Uuid) -> Option<At<'_>> {
    match kind {
        Kind::Users => store.person(id).map(At::User),
        Kind::Filters => store.filter(id).map(At::Filter),
        Kind::Views => store.view(id).map(At::View),
        Kind::Units => places(&store.units, |it| it.id == id).next().map(At::Unit),
        Kind::Roles => places(&store.roles, |it| it.id == id).next().map(At::Role),
        Kind::Teams => places(&store.teams, |it| it.id == id).next().map(At::Team),
        Kind::Organizations => (store.organization.id == id).then_some(At::Organization),
        kind if kind.is_in_folders() => activities::activity(store, id)
            .filter(|it| kind_of(it) == kind)
            .map(At::Activity),
        Kind::Parties => activities::party(store, id).map(At::Party),
        Kind::Mailboxes => store
            .person(mailbox_twin(id))
            .filter(|&it| store.people[it].mailbox.is_some())
            .map(At::Mailbox),
        Kind::Privileges => Privilege::ALL
            .into_iter()
            .find(|it| it.id() == id)
            .map(At::Privilege),
        // Rows that link two others have no address by their own id.
        _ => None,
    }
}
