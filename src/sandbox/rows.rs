//! The rows of the imitated organisation in the store.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::rights::Rights;

/// The index of a person in the store; persons are never removed.
pub(super) type PersonIndex = usize;

#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) id: Uuid,
    pub(super) name: String,
    /// The index of the parent; `None` for the root.
    pub(super) parent: Option<usize>,
    pub(super) version: u64,
}

/// One copy of a security role; the platform keeps one in each business unit.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) id: Uuid,
    pub(super) name: &'static str,
    pub(super) unit: usize,
    pub(super) rights: Rights,
    pub(super) version: u64,
}

/// A team; its members are listed in the persons.
#[derive(Clone, Debug)]
pub(super) struct Team {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) unit: usize,
    pub(super) roles: Vec<usize>,
    pub(super) version: u64,
}

/// The kinds of users in the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum UserKind {
    /// Nothing special.
    Ordinary,
    /// `isdisabled`.
    Disabled,
    /// No role, neither direct nor through a team.
    NoRole,
    /// A role only through a team.
    TeamRoleOnly,
    /// May read filters, not write them.
    ReadOnlyFilters,
    /// A role without privileges on filters.
    NoFilterRights,
    /// No licence.
    Unlicensed,
    /// Access mode 1.
    Administrative,
    /// Access mode 2.
    ReadAccess,
    /// Access mode 4.
    NonInteractive,
    /// `systemmanagedusertype` 2.
    Stub,
    /// The account was deleted in the directory.
    SoftDeleted,
    /// Default filters were never made.
    NotPopulated,
    /// Empty `domainname`.
    EmptyLogin,
    /// The same e-mail address as another user.
    SharedEmail,
    /// More than sixty filters.
    ManyFilters,
    /// An application, a support account, SYSTEM, the caller.
    BuiltIn,
}

/// A `systemuser` row.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a two-valued column of the table"
)]
pub(super) struct UserRecord {
    pub(super) id: Uuid,
    pub(super) object_id: Option<Uuid>,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) login: String,
    pub(super) email: Option<String>,
    pub(super) unit: usize,
    pub(super) roles: Vec<usize>,
    pub(super) teams: Vec<usize>,
    pub(super) kind: UserKind,
    pub(super) disabled: bool,
    pub(super) licensed: bool,
    pub(super) deleted: bool,
    pub(super) integration: bool,
    pub(super) setup: bool,
    pub(super) populated: bool,
    pub(super) access_mode: i32,
    pub(super) managed_type: i32,
    pub(super) application_id: Option<Uuid>,
    /// None for accounts that are not people's.
    pub(super) mailbox: Option<Mailbox>,
    pub(super) created_on: Timestamp,
    pub(super) version: u64,
}

impl UserRecord {
    /// `fullname`: both names, whichever exist.
    pub(super) fn full_name(&self) -> String {
        match (self.first_name.is_empty(), self.last_name.is_empty()) {
            (true, _) => self.last_name.clone(),
            (_, true) => self.first_name.clone(),
            _ => format!("{} {}", self.first_name, self.last_name),
        }
    }

    /// Whether it is an account that is not meant to be impersonated.
    pub(super) fn is_special(&self) -> bool {
        self.managed_type == 2 || self.application_id.is_some() || matches!(self.access_mode, 3 | 5)
    }
}

/// The columns of a `mailbox` row about appointments, contacts and tasks; the others follow from the person
/// (Microsoft: `mailbox` table reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mailbox {
    /// `actdeliverymethod`: 0 Dynamics 365 for Outlook, 1 server-side synchronisation, 2 none.
    pub(super) delivery: u8,
    /// `actstatus`: 0 not run, 1 success, 2 failure.
    pub(super) status: u8,
    /// `enabledforact`.
    pub(super) enabled: bool,
}

impl Mailbox {
    /// Whether the server or Dynamics 365 for Outlook synchronises this mailbox by the filters.
    pub(super) fn synchronises(self) -> bool {
        self.delivery == 0 || (self.delivery == 1 && self.enabled)
    }
}

/// The id of a person's mailbox, or of a mailbox's person: each is computed from the other.
pub(super) fn mailbox_twin(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128() ^ 0x6d61_696c_626f)
}

/// A `userquery` row.
#[derive(Clone, Debug)]
pub(super) struct FilterRecord {
    pub(super) id: Uuid,
    pub(super) owner: PersonIndex,
    pub(super) name: Arc<str>,
    /// `returnedtypecode`.
    pub(super) table: Arc<str>,
    pub(super) fetch_xml: Arc<str>,
    pub(super) description: Option<Arc<str>>,
    pub(super) query_type: i32,
    pub(super) state: i32,
    pub(super) status: Option<i32>,
    /// The template it came from.
    pub(super) parent: Option<Uuid>,
    pub(super) version: u64,
    pub(super) created_on: Timestamp,
    pub(super) modified_on: Timestamp,
    pub(super) modified_by: PersonIndex,
    pub(super) on_behalf: Option<PersonIndex>,
    /// The real creator, where it was created on behalf of the owner.
    pub(super) created_on_behalf: Option<PersonIndex>,
    /// Another user with whom a personal view is shared.
    pub(super) shared_with: Option<PersonIndex>,
}

impl FilterRecord {
    /// Whether it is a filter for Outlook or for offline use, rather than a personal view.
    pub(super) fn is_sync_filter(&self) -> bool {
        is_sync_filter(self.query_type)
    }
}

/// Whether this `querytype` is `OutlookFilters` (256) or `OfflineFilters` (16).
pub(super) fn is_sync_filter(query_type: i32) -> bool {
    matches!(query_type, 16 | 256)
}

/// A `savedquery` row.
#[derive(Clone, Debug)]
pub(super) struct ViewRecord {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) table: Arc<str>,
    pub(super) fetch_xml: Arc<str>,
    pub(super) query_type: i32,
    pub(super) is_default: bool,
    pub(super) state: i32,
    pub(super) status: Option<i32>,
    pub(super) version: u64,
    pub(super) modified_on: Timestamp,
    pub(super) modified_by: PersonIndex,
    pub(super) on_behalf: Option<PersonIndex>,
}

/// The one `organization` row.
#[derive(Clone, Debug)]
pub(super) struct OrganizationRecord {
    pub(super) id: Uuid,
    pub(super) tenant: Uuid,
    pub(super) environment: Uuid,
    pub(super) name: &'static str,
    pub(super) unique_name: &'static str,
    /// `orgdborgsettings`.
    pub(super) settings: String,
    pub(super) version: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_outlook_and_offline_filters_are_sync_filters() {
        assert!(is_sync_filter(256) && is_sync_filter(16));
        assert!(!is_sync_filter(0) && !is_sync_filter(131_072));
    }
}
