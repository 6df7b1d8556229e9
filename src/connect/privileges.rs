//! The privileges that the caller needs for each task: one list for `doctor` and for the documentation.

use crate::dataverse::PrivilegeReach;

/// A task that needs privileges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeededBy {
    /// Every command that reads or changes filters.
    Everything,
    /// `--impact`.
    Impact,
    /// `--impact` with `--type contact`.
    ImpactOnContacts,
    /// `--role`.
    Role,
    /// `--team`.
    Team,
    /// `--business-unit`.
    BusinessUnit,
    /// `--view`.
    View,
    /// `--survey administrator`.
    AdministratorSurvey,
    /// `templates activate` and `templates deactivate`.
    Templates,
}

impl NeededBy {
    #[cfg(test)]
    const fn option(self) -> &'static str {
        match self {
            Self::Everything => "every command",
            Self::Impact => "`--impact`",
            Self::ImpactOnContacts => "`--impact --type contact`",
            Self::Role => "`--role`",
            Self::Team => "`--team`",
            Self::BusinessUnit => "`--business-unit`",
            Self::View => "`--view`",
            Self::AdministratorSurvey => "`--survey administrator`",
            Self::Templates => "`templates activate`, `templates deactivate`",
        }
    }
}

/// The level that a privilege needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// The user's own rows, the only level that it has (Microsoft: tables owned by users, `userquery`).
    User,
    /// All rows of the organisation.
    Organization,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Organization => "organisation",
        }
    }
}

/// The effect of a missing privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    Fails,
    /// The task works, with this restriction.
    Limits(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Privilege {
    /// The task that needs it.
    pub(super) needed_by: NeededBy,
    /// Its name in the metadata.
    pub(super) name: &'static str,
    /// Its name in the editor of security roles.
    pub(super) right: &'static str,
    pub(super) level: Level,
    pub(super) purpose: &'static str,
    /// The effect if it is missing.
    pub(super) lack: Lack,
}

const fn needs(
    needed_by: NeededBy,
    name: &'static str,
    right: &'static str,
    level: Level,
    purpose: &'static str,
) -> Privilege {
    Privilege {
        needed_by,
        name,
        right,
        level,
        purpose,
        lack: Lack::Fails,
    }
}

const fn or(privilege: Privilege, limits: &'static str) -> Privilege {
    Privilege {
        lack: Lack::Limits(limits),
        ..privilege
    }
}

/// All privileges that any task needs.
pub(super) const PRIVILEGES: [Privilege; 16] = {
    use Level::{Organization, User};
    use NeededBy::{
        AdministratorSurvey, BusinessUnit, Everything, Impact, ImpactOnContacts, Role, Team,
        Templates, View,
    };
    [
        needs(
            Everything,
            "prvActOnBehalfOfAnotherUser",
            "Act on Behalf of Another User",
            Organization,
            "impersonation; as in the role Delegate",
        ),
        needs(
            Everything,
            "prvReadUserQuery",
            "Read on Saved View",
            User,
            "the sync filters",
        ),
        needs(
            Everything,
            "prvWriteUserQuery",
            "Write on Saved View",
            User,
            "their state; `list`, `check` and `plan` do without",
        ),
        needs(
            Everything,
            "prvReadUser",
            "Read on User",
            Organization,
            "who there is",
        ),
        or(
            needs(
                Everything,
                "prvReadOrganization",
                "Read on Organization",
                Organization,
                "its name, and whether items can be deleted from Exchange",
            ),
            "that setting counts as off",
        ),
        or(
            needs(
                Everything,
                "prvReadMailbox",
                "Read on Mailbox",
                Organization,
                "whose mailbox synchronises",
            ),
            "every user counts as synchronised",
        ),
        or(
            needs(
                Everything,
                "prvReadQuery",
                "Read on View",
                Organization,
                "system filters and templates, which limit what a change does",
            ),
            "a plan says that they are not known",
        ),
        or(
            needs(
                Impact,
                "prvReadActivity",
                "Read on Activity",
                Organization,
                "counting what users lose",
            ),
            "numbers are `at least`",
        ),
        or(
            needs(
                ImpactOnContacts,
                "prvReadContact",
                "Read on Contact",
                Organization,
                "the same for contacts",
            ),
            "numbers are `at least`",
        ),
        needs(
            Role,
            "prvReadRole",
            "Read on Security Role",
            Organization,
            "roles by their names",
        ),
        needs(
            Role,
            "prvReadTeam",
            "Read on Team",
            Organization,
            "roles that users have through a team",
        ),
        needs(
            Team,
            "prvReadTeam",
            "Read on Team",
            Organization,
            "teams and their members",
        ),
        needs(
            BusinessUnit,
            "prvReadBusinessUnit",
            "Read on Business Unit",
            Organization,
            "units and their sub-units",
        ),
        needs(
            View,
            "prvReadQuery",
            "Read on View",
            Organization,
            "system views of users",
        ),
        needs(
            AdministratorSurvey,
            "prvAdminFilter",
            "Manage User Synchronization Filters",
            Organization,
            "reading the filters of many users in one request",
        ),
        needs(
            Templates,
            "prvWriteQuery",
            "Write on View",
            Organization,
            "the state of templates; as in the role System Customizer",
        ),
    ]
};

/// The privileges for these tasks, each once: of several needs the strictest counts.
pub(super) fn needed(asked: &[NeededBy]) -> Vec<Privilege> {
    let mut needed: Vec<Privilege> = Vec::new();
    for privilege in PRIVILEGES {
        let counts =
            privilege.needed_by == NeededBy::Everything || asked.contains(&privilege.needed_by);
        if !counts {
            continue;
        }
        match needed.iter_mut().find(|it| it.name == privilege.name) {
            Some(there) if there.lack != Lack::Fails => *there = privilege,
            Some(_) => {}
            None => needed.push(privilege),
        }
    }
    needed
}

/// The result of checking the privileges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PrivilegeShortfall {
    /// Privileges without which the task fails.
    pub(super) missing: Vec<String>,
    /// Restrictions.
    pub(super) limited: Vec<String>,
    /// Whether the server does not say all of it.
    pub(super) unknown: bool,
}

/// Compares the needed levels with the caller's.
pub(super) fn judge(needed: &[Privilege], reaches: &[PrivilegeReach]) -> PrivilegeShortfall {
    let mut found = PrivilegeShortfall::default();
    for (privilege, reach) in needed.iter().zip(reaches) {
        let Privilege {
            name,
            right,
            level,
            purpose,
            lack,
            needed_by: _,
        } = privilege;
        let short = *level == Level::Organization && *reach == PrivilegeReach::Part;
        match (reach, lack) {
            (PrivilegeReach::Unknown, _) => found.unknown = true,
            (PrivilegeReach::None, Lack::Fails) => {
                found
                    .missing
                    .push(format!("{right} ({name}), for {purpose}"));
            }
            (PrivilegeReach::None, Lack::Limits(limit)) => {
                found.limited.push(format!("no {right} ({name}): {limit}"));
            }
            (_, lack) if short => {
                let limit = match lack {
                    Lack::Limits(limit) => limit,
                    Lack::Fails => "rows beyond it are not seen",
                };
                let level = level.as_str();
                found
                    .limited
                    .push(format!("{right} ({name}) below the {level} level: {limit}"));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// The table of the documentation.
    fn table() -> String {
        let mut text = String::from(
            "| for | right | level | privilege | what for | without it |\n|---|---|---|---|---|---|\n",
        );
        for privilege in &PRIVILEGES {
            let without = match privilege.lack {
                Lack::Fails => "refused",
                Lack::Limits(limit) => limit,
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {} | `{}` | {} | {without} |",
                privilege.needed_by.option(),
                privilege.right,
                privilege.level.as_str(),
                privilege.name,
                privilege.purpose
            );
        }
        text
    }

    #[test]
    fn the_documentation_has_the_privileges_that_doctor_checks() {
        let security = include_str!("../../SECURITY.md");
        assert!(
            security.contains(&table()),
            "put this table into SECURITY.md:\n{}",
            table()
        );
    }

    #[test]
    fn what_is_asked_for_decides_what_is_needed_and_the_stricter_need_counts() {
        let names = |asked: &[NeededBy]| -> Vec<_> {
            needed(asked).into_iter().map(|it| it.name).collect()
        };
        assert_eq!(names(&[]).len(), 7);
        assert!(!names(&[]).contains(&"prvReadActivity"));
        assert!(names(&[NeededBy::Impact]).contains(&"prvReadActivity"));
        let both = names(&[NeededBy::Role, NeededBy::Team]);
        assert_eq!(both.iter().filter(|it| **it == "prvReadTeam").count(), 1);
        let view = |asked: &[NeededBy]| {
            let all = needed(asked).into_iter();
            all.filter(|it| it.name == "prvReadQuery")
                .collect::<Vec<_>>()
        };
        assert_ne!(view(&[])[0].lack, Lack::Fails);
        assert_eq!(view(&[NeededBy::View])[0].lack, Lack::Fails);
        assert_eq!(view(&[NeededBy::View]).len(), 1);
    }

    #[test]
    fn a_lack_fails_or_limits_and_a_level_that_is_too_low_limits() {
        use PrivilegeReach::{None, Organization, Part, Unknown};
        let needed = needed(&[NeededBy::Impact]);
        let judged = |name: &str, reach| {
            let reaches: Vec<_> = needed
                .iter()
                .map(|it| if it.name == name { reach } else { Organization })
                .collect();
            let found = judge(&needed, &reaches);
            (found.missing.len(), found.limited.len(), found.unknown)
        };
        assert_eq!(judged("prvReadUser", Organization), (0, 0, false));
        assert_eq!(judged("prvReadUser", None), (1, 0, false));
        assert_eq!(judged("prvReadUser", Part), (0, 1, false));
        assert_eq!(judged("prvReadUserQuery", Part), (0, 0, false));
        assert_eq!(judged("prvReadUserQuery", Unknown), (0, 0, true));
        assert_eq!(judged("prvReadActivity", None), (0, 1, false));
    }
}
