//! The position of a row in the store.

use crate::activities::Party;
use crate::data::Activity;
use crate::rights::Privilege;
use crate::rows::{FilterRecord, PersonIndex};

#[derive(Clone, Copy, Debug)]
pub(crate) enum At<'a> {
    User(PersonIndex),
    Principal(PersonIndex),
    Filter(&'a FilterRecord),
    View(usize),
    Unit(usize),
    Role(usize),
    Team(usize),
    Organization,
    Activity(Activity),
    Party(Party),
    /// A user and a role.
    Assignment(PersonIndex, usize),
    /// A user and a team.
    Membership(PersonIndex, usize),
    /// The mailbox of a user who has one.
    Mailbox(PersonIndex),
    Privilege(Privilege),
}
