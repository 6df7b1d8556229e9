//! Tables and their relationships in each version.

use super::activity_columns;
use super::columns::{self, TableColumn};
use crate::odata::{ColumnType, Navigation, Table};
use crate::version::Version;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Users,
    Filters,
    Views,
    Units,
    Roles,
    Teams,
    Organizations,
    Appointments,
    Series,
    Services,
    Tasks,
    Letters,
    Faxes,
    PhoneCalls,
    Contacts,
    Parties,
    /// The roles of users.
    Assignments,
    /// The teams of users.
    Memberships,
    Mailboxes,
    /// The privileges that exist.
    Privileges,
    /// The owners of rows; abstract, without an entity set.
    Principals,
}

impl Kind {
    pub(crate) const ALL: [Self; 21] = [
        Self::Users,
        Self::Filters,
        Self::Views,
        Self::Units,
        Self::Roles,
        Self::Teams,
        Self::Organizations,
        Self::Appointments,
        Self::Series,
        Self::Services,
        Self::Tasks,
        Self::Letters,
        Self::Faxes,
        Self::PhoneCalls,
        Self::Contacts,
        Self::Parties,
        Self::Assignments,
        Self::Memberships,
        Self::Mailboxes,
        Self::Privileges,
        Self::Principals,
    ];

    /// Whether its rows are activities.
    pub(crate) const fn is_activity(self) -> bool {
        matches!(
            self,
            Self::Appointments
                | Self::Series
                | Self::Services
                | Self::Tasks
                | Self::Letters
                | Self::Faxes
                | Self::PhoneCalls
        )
    }

    /// Whether its rows belong to people and are computed for each read.
    pub(crate) const fn is_in_folders(self) -> bool {
        self.is_activity() || matches!(self, Self::Contacts)
    }

    /// The name in messages.
    pub(crate) const fn schema_name(self) -> &'static str {
        match self {
            Self::Users => "SystemUser",
            Self::Filters => "UserQuery",
            Self::Views => "SavedQuery",
            Self::Units => "BusinessUnit",
            Self::Roles => "Role",
            Self::Teams => "Team",
            Self::Organizations => "Organization",
            Self::Appointments => "Appointment",
            Self::Series => "RecurringAppointmentMaster",
            Self::Services => "ServiceAppointment",
            Self::Tasks => "Task",
            Self::Letters => "Letter",
            Self::Faxes => "Fax",
            Self::PhoneCalls => "PhoneCall",
            Self::Contacts => "Contact",
            Self::Parties => "ActivityParty",
            Self::Assignments => "SystemUserRoles",
            Self::Memberships => "TeamMembership",
            Self::Mailboxes => "Mailbox",
            Self::Privileges => "Privilege",
            Self::Principals => "Principal",
        }
    }

    /// The table behind an entity set.
    pub(crate) fn of_set(name: &str) -> Option<Self> {
        let with_set = Self::ALL.into_iter().filter(|&it| it != Self::Principals);
        with_set.into_iter().find(|it| it.entity_set() == name)
    }

    /// The table of a logical name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.logical_name() == name)
    }

    const fn entity_set(self) -> &'static str {
        match self {
            Self::Users => "systemusers",
            Self::Filters => "userqueries",
            Self::Views => "savedqueries",
            Self::Units => "businessunits",
            Self::Roles => "roles",
            Self::Teams => "teams",
            Self::Organizations => "organizations",
            Self::Appointments => "appointments",
            Self::Series => "recurringappointmentmasters",
            Self::Services => "serviceappointments",
            Self::Tasks => "tasks",
            Self::Letters => "letters",
            Self::Faxes => "faxes",
            Self::PhoneCalls => "phonecalls",
            Self::Contacts => "contacts",
            Self::Parties => "activityparties",
            Self::Assignments => "systemuserrolescollection",
            Self::Memberships => "teammemberships",
            Self::Mailboxes => "mailboxes",
            Self::Privileges => "privileges",
            Self::Principals => "owners",
        }
    }

    pub(crate) const fn logical_name(self) -> &'static str {
        match self {
            Self::Users => "systemuser",
            Self::Filters => "userquery",
            Self::Views => "savedquery",
            Self::Units => "businessunit",
            Self::Roles => "role",
            Self::Teams => "team",
            Self::Organizations => "organization",
            Self::Appointments => "appointment",
            Self::Series => "recurringappointmentmaster",
            Self::Services => "serviceappointment",
            Self::Tasks => "task",
            Self::Letters => "letter",
            Self::Faxes => "fax",
            Self::PhoneCalls => "phonecall",
            Self::Contacts => "contact",
            Self::Parties => "activityparty",
            Self::Assignments => "systemuserroles",
            Self::Memberships => "teammembership",
            Self::Mailboxes => "mailbox",
            Self::Privileges => "privilege",
            Self::Principals => "principal",
        }
    }

    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Users => "systemuserid",
            Self::Filters => "userqueryid",
            Self::Views => "savedqueryid",
            Self::Units => "businessunitid",
            Self::Roles => "roleid",
            Self::Teams => "teamid",
            Self::Organizations => "organizationid",
            Self::Appointments
            | Self::Series
            | Self::Services
            | Self::Tasks
            | Self::Letters
            | Self::Faxes
            | Self::PhoneCalls => "activityid",
            Self::Contacts => "contactid",
            Self::Parties => "activitypartyid",
            Self::Assignments => "systemuserroleid",
            Self::Memberships => "teammembershipid",
            Self::Mailboxes => "mailboxid",
            Self::Privileges => "privilegeid",
            Self::Principals => "ownerid",
        }
    }

    const fn columns(self) -> &'static [TableColumn] {
        match self {
            Self::Users => columns::SYSTEM_USER,
            Self::Filters => columns::USER_QUERY,
            Self::Views => columns::SAVED_QUERY,
            Self::Units => columns::BUSINESS_UNIT,
            Self::Roles => columns::ROLE,
            Self::Teams => columns::TEAM,
            Self::Organizations => columns::ORGANIZATION,
            Self::Appointments => activity_columns::APPOINTMENT,
            Self::Series => activity_columns::SERIES,
            Self::Services => activity_columns::SERVICE,
            Self::Tasks | Self::Letters | Self::Faxes | Self::PhoneCalls => activity_columns::TASK,
            Self::Contacts => activity_columns::CONTACT,
            Self::Parties => activity_columns::PARTY,
            Self::Assignments => columns::USER_ROLE,
            Self::Memberships => columns::TEAM_MEMBERSHIP,
            Self::Mailboxes => columns::MAILBOX,
            Self::Privileges => columns::PRIVILEGE,
            Self::Principals => columns::PRINCIPAL,
        }
    }

    /// Navigation properties: name, table, whether it is a collection.
    pub(crate) const fn navigations(self) -> &'static [(&'static str, Self, bool)] {
        match self {
            Self::Users => &[
                ("businessunitid", Self::Units, false),
                ("defaultmailbox", Self::Mailboxes, false),
                ("systemuserroles_association", Self::Roles, true),
                ("teammembership_association", Self::Teams, true),
                ("user_userquery", Self::Filters, true),
            ],
            Self::Filters => &[
                ("ownerid", Self::Principals, false),
                ("owninguser", Self::Users, false),
                ("owningteam", Self::Teams, false),
                ("owningbusinessunit", Self::Units, false),
                ("createdby", Self::Users, false),
                ("createdonbehalfby", Self::Users, false),
                ("modifiedby", Self::Users, false),
                ("modifiedonbehalfby", Self::Users, false),
            ],
            Self::Views => &[
                ("createdby", Self::Users, false),
                ("modifiedby", Self::Users, false),
                ("modifiedonbehalfby", Self::Users, false),
                ("organizationid", Self::Organizations, false),
            ],
            Self::Units => &[
                ("parentbusinessunitid", Self::Units, false),
                ("organizationid", Self::Organizations, false),
                ("business_unit_parent_business_unit", Self::Units, true),
                ("business_unit_system_users", Self::Users, true),
                ("business_unit_teams", Self::Teams, true),
                ("business_unit_roles", Self::Roles, true),
            ],
            Self::Roles => &[
                ("businessunitid", Self::Units, false),
                ("parentroleid", Self::Roles, false),
                ("parentrootroleid", Self::Roles, false),
                ("systemuserroles_association", Self::Users, true),
                ("teamroles_association", Self::Teams, true),
            ],
            Self::Teams => &[
                ("businessunitid", Self::Units, false),
                ("teammembership_association", Self::Users, true),
                ("teamroles_association", Self::Roles, true),
            ],
            Self::Appointments
            | Self::Series
            | Self::Services
            | Self::Tasks
            | Self::Letters
            | Self::Faxes
            | Self::PhoneCalls
            | Self::Contacts => &[
                ("ownerid", Self::Principals, false),
                ("owninguser", Self::Users, false),
                ("owningbusinessunit", Self::Units, false),
                ("createdby", Self::Users, false),
                ("modifiedby", Self::Users, false),
            ],
            Self::Parties => &[("partyid_systemuser", Self::Users, false)],
            Self::Organizations
            | Self::Principals
            | Self::Assignments
            | Self::Memberships
            | Self::Mailboxes
            | Self::Privileges => &[],
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct TableOf {
    pub(crate) kind: Kind,
    pub(crate) version: Version,
}

const fn tables(version: Version) -> [TableOf; 21] {
    let mut all = [TableOf {
        kind: Kind::Users,
        version,
    }; 21];
    let mut index = 0;
    while index < 21 {
        all[index].kind = Kind::ALL[index];
        index += 1;
    }
    all
}

static TABLES: [[TableOf; 21]; 4] = [
    tables(Version::V8_0),
    tables(Version::V8_2),
    tables(Version::V9_1),
    tables(Version::V9_2),
];

pub(crate) fn table(kind: Kind, version: Version) -> &'static TableOf {
    &TABLES[version as usize][kind as usize]
}

impl TableOf {
    pub(crate) fn present(self) -> impl Iterator<Item = &'static TableColumn> {
        let version = self.version;
        self.kind
            .columns()
            .iter()
            .filter(move |it| it.since <= version)
    }

    pub(crate) fn find(self, name: &str) -> Option<&'static TableColumn> {
        self.present().find(|it| it.name == name)
    }
}

impl Table for TableOf {
    fn entity_set(&self) -> &str {
        self.kind.entity_set()
    }

    fn logical_name(&self) -> &str {
        self.kind.logical_name()
    }

    fn key(&self) -> &str {
        self.kind.key()
    }

    fn column(&self, name: &str) -> Option<ColumnType> {
        self.find(name).map(|it| it.kind)
    }

    fn columns(&self) -> Vec<(&str, ColumnType)> {
        self.present().map(|it| (it.name, it.kind)).collect()
    }

    fn navigation(&self, name: &str) -> Option<Navigation<'_>> {
        let found = self.kind.navigations().iter().find(|it| it.0 == name);
        found.map(|&(_, kind, many)| Navigation {
            table: table(kind, self.version),
            many,
        })
    }

    fn always_written(&self) -> Vec<&str> {
        match self.kind {
            Kind::Users | Kind::Teams => vec![self.kind.key(), "ownerid"],
            kind => vec![kind.key()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_exist_from_their_version_on() {
        let has = |version, name| table(Kind::Users, version).column(name).is_some();
        assert!(!has(Version::V8_0, "azureactivedirectoryobjectid"));
        assert!(has(Version::V8_2, "azureactivedirectoryobjectid"));
        assert!(!has(Version::V9_1, "systemmanagedusertype"));
        assert!(has(Version::V9_2, "systemmanagedusertype"));
        assert!(
            table(Kind::Filters, Version::V8_2)
                .column("layoutjson")
                .is_none()
        );
    }

    #[test]
    fn every_table_is_found_in_its_place_and_has_its_key() {
        for version in Version::ALL {
            for kind in Kind::ALL {
                let table = table(kind, version);
                assert_eq!((table.kind, table.version), (kind, version));
                assert!(table.column(table.key()).is_some());
            }
        }
    }

    #[test]
    fn a_set_without_an_address_is_not_found() {
        assert_eq!(Kind::of_set("userqueries"), Some(Kind::Filters));
        assert_eq!(Kind::of_set("owners"), None);
        assert_eq!(Kind::of_set("accounts"), None);
    }
}
