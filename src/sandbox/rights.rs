//! Privileges and sets of them.

use uuid::Uuid;

/// The privileges that the sandbox checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Privilege {
    ReadUserQuery,
    WriteUserQuery,
    CreateUserQuery,
    DeleteUserQuery,
    ReadUser,
    ReadBusinessUnit,
    ReadRole,
    ReadTeam,
    ReadQuery,
    WriteQuery,
    ReadOrganization,
    ReadActivity,
    ActOnBehalfOfAnotherUser,
    AdminFilter,
    ReadMailbox,
    ReadContact,
}

impl Privilege {
    pub(super) const ALL: [Self; 16] = [
        Self::ReadUserQuery,
        Self::WriteUserQuery,
        Self::CreateUserQuery,
        Self::DeleteUserQuery,
        Self::ReadUser,
        Self::ReadBusinessUnit,
        Self::ReadRole,
        Self::ReadTeam,
        Self::ReadQuery,
        Self::WriteQuery,
        Self::ReadOrganization,
        Self::ReadActivity,
        Self::ActOnBehalfOfAnotherUser,
        Self::AdminFilter,
        Self::ReadMailbox,
        Self::ReadContact,
    ];

    /// The name in error messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ReadUserQuery => "prvReadUserQuery",
            Self::WriteUserQuery => "prvWriteUserQuery",
            Self::CreateUserQuery => "prvCreateUserQuery",
            Self::DeleteUserQuery => "prvDeleteUserQuery",
            Self::ReadUser => "prvReadUser",
            Self::ReadBusinessUnit => "prvReadBusinessUnit",
            Self::ReadRole => "prvReadRole",
            Self::ReadTeam => "prvReadTeam",
            Self::ReadQuery => "prvReadQuery",
            Self::WriteQuery => "prvWriteQuery",
            Self::ReadOrganization => "prvReadOrganization",
            Self::ReadActivity => "prvReadActivity",
            Self::ActOnBehalfOfAnotherUser => "prvActOnBehalfOfAnotherUser",
            Self::AdminFilter => "prvAdminFilter",
            Self::ReadMailbox => "prvReadMailbox",
            Self::ReadContact => "prvReadContact",
        }
    }

    /// Its depth for a user with these rights.
    pub(super) const fn depth(self, rights: Rights) -> Depth {
        match self {
            Self::ReadActivity | Self::ReadContact => rights.activities(),
            // No role has it at a higher depth.
            Self::ReadUserQuery
            | Self::WriteUserQuery
            | Self::CreateUserQuery
            | Self::DeleteUserQuery => Depth::User,
            _ => Depth::Organization,
        }
    }

    /// A fixed id, which is not the platform's.
    pub(super) const fn id(self) -> Uuid {
        Uuid::from_u128(0x7b1f_0c3e_4a52_4d09_9c41_d00d_0000_0000 + self as u128)
    }
}

/// The depth of the privileges to read activities and contacts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// The user's own rows.
    #[default]
    User,
    /// The rows of the business unit.
    Unit,
    /// All rows.
    Organization,
}

impl Depth {
    /// The member of `PrivilegeDepth`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::User => "Basic",
            Self::Unit => "Local",
            Self::Organization => "Global",
        }
    }
}

/// A set of privileges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    privileges: u32,
    activities: Depth,
}

impl Rights {
    pub(super) const fn none() -> Self {
        Self {
            privileges: 0,
            activities: Depth::User,
        }
    }

    pub(super) const fn of(privileges: &[Privilege]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < privileges.len() {
            bits |= 1 << privileges[index] as u32;
            index += 1;
        }
        Self {
            privileges: bits,
            activities: Depth::User,
        }
    }

    pub(super) const fn all() -> Self {
        Self::of(&Privilege::ALL).reaching(Depth::Organization)
    }

    /// The same rights, with this depth for activities.
    pub(super) const fn reaching(self, activities: Depth) -> Self {
        Self { activities, ..self }
    }

    pub(super) const fn has(self, privilege: Privilege) -> bool {
        self.privileges & (1 << privilege as u32) != 0
    }

    pub(super) const fn activities(self) -> Depth {
        self.activities
    }

    pub(super) const fn and(self, other: Self) -> Self {
        let further = self.activities as u8 > other.activities as u8;
        Self {
            privileges: self.privileges | other.privileges,
            activities: if further {
                self.activities
            } else {
                other.activities
            },
        }
    }

    pub(super) const fn without(self, privilege: Privilege) -> Self {
        Self {
            privileges: self.privileges & !(1 << privilege as u32),
            ..self
        }
    }

    /// The rights in both sets: those of an impersonated request.
    pub(super) const fn both(self, other: Self) -> Self {
        let nearer = (self.activities as u8) < other.activities as u8;
        Self {
            privileges: self.privileges & other.privileges,
            activities: if nearer {
                self.activities
            } else {
                other.activities
            },
        }
    }

    pub(super) const fn count(self) -> u32 {
        self.privileges.count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impersonation_leaves_what_both_hold() {
        let admin = Rights::all().without(Privilege::AdminFilter);
        let user = Rights::of(&[Privilege::AdminFilter, Privilege::ReadUserQuery]);
        let both = admin.both(user);
        assert!(both.has(Privilege::ReadUserQuery));
        assert!(!both.has(Privilege::AdminFilter));
        assert_eq!(both.count(), 1);
        assert_eq!(both.activities(), Depth::User);
        assert_eq!(admin.and(user).activities(), Depth::Organization);
    }

    #[test]
    fn every_privilege_has_its_own_id() {
        let mut ids: Vec<_> = Privilege::ALL.into_iter().map(Privilege::id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Privilege::ALL.len());
    }
}
