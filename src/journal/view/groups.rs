//! Groups of a run's users: one definition of each, for the numbers and for the lists of names.

use crate::journal::UserFlag;
use crate::journal::codes::{LEFT, LEFT_OUT, READ, SKIPPED, TAKEN_OUT};
use crate::journal::impact;

use super::impact::is_affected;
use super::{ReadError, View};

macro_rules! user_groups {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// A property of a user of a run, besides the outcome. A user can be in several groups.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum UserGroup {
            $($(#[$doc])* $name,)*
        }

        impl UserGroup {
            /// Every group.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

user_groups! {
    /// With a filter that was left alone or is gone.
    Left = "left",
    /// Read, and without a filter that the run is about.
    NoFilters = "no-filters",
    /// To be changed, and the mailbox synchronises nothing by the filters.
    NoMailbox = "no-mailbox",
    /// To be changed, and Dynamics 365 for Outlook synchronises the mailbox.
    OutlookClient = "outlook-client",
    /// Who loses items.
    Losing = "losing",
    /// Of whom it is not known how many items they lose.
    LossUnknown = "loss-unknown",
    /// Who keep another active filter of a type of which one is switched off.
    StaysOn = "stays-on",
    /// With several filters of one template.
    Duplicates = "duplicates",
    /// Whose default filters are not there yet.
    NotPopulated = "not-populated",
    /// Whom the other engine serves and who go on being synchronised here.
    BothEngines = "both-engines",
    /// Whom no engine serves in the end.
    NoEngine = "no-engine",
}

/// Whether an active Outlook filter is left, of the calendar or of a type that the run is about.
fn stays_here() -> String {
    format!(
        "EXISTS (
    SELECT 1 FROM filter AS f
    LEFT JOIN change AS c ON c.user = f.user AND c.filter = f.id AND NOT c.{LEFT_OUT}
    WHERE f.user = u.seq AND f.kind = 256
    AND (f.type IN ('appointment', 'recurringappointmentmaster', 'serviceappointment')
         OR f.type IN (SELECT type FROM filter WHERE matching))
    AND coalesce(c.to_state, f.state) = 0)"
    )
}

fn marked(flag: UserFlag) -> String {
    let flag = flag as i32;
    format!("EXISTS (SELECT 1 FROM mark AS m WHERE m.user = u.id AND m.mark = {flag})")
}

/// Users whose mailbox synchronises nothing lose nothing.
fn loses(items: &str) -> String {
    let no_mailbox = marked(UserFlag::NoMailbox);
    format!(
        "EXISTS (SELECT 1 FROM impact AS i WHERE i.user = u.seq AND i.items {items} AND {})
         AND NOT u.{TAKEN_OUT} AND NOT {no_mailbox}",
        is_affected()
    )
}

impl UserGroup {
    /// The condition on a row `u` of the table `user`, as SQL.
    pub(super) fn condition(self) -> String {
        let to_change =
            format!("EXISTS (SELECT 1 FROM change AS c WHERE c.user = u.seq AND NOT c.{LEFT_OUT})");
        match self {
            Self::Left => {
                format!("EXISTS (SELECT 1 FROM change AS c WHERE c.user = u.seq AND c.{LEFT})")
            }
            Self::NoFilters => format!(
                "u.{READ} AND NOT EXISTS (SELECT 1 FROM filter AS f WHERE f.user = u.seq AND f.matching)
                 AND NOT EXISTS (SELECT 1 FROM undo AS d WHERE d.user = u.seq) AND NOT {to_change}"
            ),
            Self::NoMailbox => format!("{} AND {to_change}", marked(UserFlag::NoMailbox)),
            Self::OutlookClient => format!("{} AND {to_change}", marked(UserFlag::OutlookClient)),
            Self::Losing => loses("> 0"),
            Self::LossUnknown => loses("IS NULL"),
            // No change of the other filter is planned.
            Self::StaysOn => format!(
                "EXISTS (
                SELECT 1 FROM change AS c JOIN filter AS f ON f.user = c.user AND f.id = c.filter
                JOIN filter AS o ON o.user = c.user AND o.type = f.type AND o.kind = 256 AND o.state = 0
                WHERE c.user = u.seq AND c.to_state = 1 AND NOT c.{LEFT_OUT} AND f.kind = 256
                AND NOT EXISTS (SELECT 1 FROM change AS d WHERE d.user = o.user AND d.filter = o.id AND d.to_state = 1))"
            ),
            Self::Duplicates => "EXISTS (
                SELECT 1 FROM filter AS f WHERE f.user = u.seq AND f.template IS NOT NULL AND f.matching
                GROUP BY f.template, f.kind HAVING count(*) > 1)"
                .to_owned(),
            Self::NotPopulated => format!("NOT u.populated AND NOT u.{SKIPPED}"),
            Self::BothEngines => format!(
                "(u.{READ} OR u.{TAKEN_OUT}) AND {} AND {}",
                marked(UserFlag::OtherEngine),
                stays_here()
            ),
            Self::NoEngine => format!(
                "u.{READ} AND NOT {} AND NOT {}",
                marked(UserFlag::OtherEngine),
                stays_here()
            ),
        }
    }
}

impl View<'_> {
    /// Why a group is not known in this run: it was not asked for, or could not be found out.
    pub fn why_group_is_unknown(&self, group: UserGroup) -> Result<Option<String>, ReadError> {
        let asked = impact::asked(self.0)?;
        Ok(match group {
            UserGroup::Losing | UserGroup::LossUnknown if !asked.impact => {
                Some("what users lose was not counted; a plan with --impact counts it".to_owned())
            }
            UserGroup::NoMailbox | UserGroup::OutlookClient => {
                let found = impact::surroundings(self.0)?;
                let looked = found.system_filters.is_some() || found.organisation_unknown.is_some();
                match found.mailboxes {
                    Some(why) => Some(format!(
                        "which mailboxes synchronise could not be read: {why}"
                    )),
                    None if !looked => Some(
                        "which mailboxes synchronise was not read; a plan to deactivate reads it"
                            .to_owned(),
                    ),
                    None => None,
                }
            }
            UserGroup::BothEngines | UserGroup::NoEngine if asked.other_engine.is_none() => Some(
                "the users of the other sync engine are not known; a plan with --other-engine FILE knows them"
                    .to_owned(),
            ),
            _ => None,
        })
    }

    /// The groups that are known in a run: those of the other engine only where its users are known.
    pub(super) fn groups(&self) -> Result<Vec<UserGroup>, ReadError> {
        let engines = impact::asked(self.0)?.other_engine.is_some();
        let told = |group: &&UserGroup| {
            engines || !matches!(group, UserGroup::BothEngines | UserGroup::NoEngine)
        };
        Ok(UserGroup::ALL.iter().filter(told).copied().collect())
    }

    /// The number of users in a group, and the first of them by name.
    pub(super) fn group(&self, group: UserGroup) -> Result<(u64, Option<String>), ReadError> {
        let sql = format!(
            "SELECT count(*), min(u.label) FROM user AS u WHERE {}",
            group.condition()
        );
        let mut query = self.0.prepare_cached(&sql)?;
        Ok(query.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }
}
