//! What the users of a run lose: by type, by user, and where it is not known.

use rusqlite::Row;

use crate::journal::codes::{CHANGED, LEFT_OUT, OPEN, TAKEN_OUT};
use crate::journal::impact;
use crate::journal::rows::{filter_type, user_id};
use crate::journal::waves::users_of_wave;
use crate::model::{FilterType, UserId};
use crate::plan::LossBound;

use super::{ReadError, View};

/// What a plan removes from calendars and other folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impact {
    /// By filter type.
    pub types: Vec<ImpactOfType>,
    /// Items of all users and types, where known.
    pub items: u64,
    /// Whether some of the numbers are bounds.
    pub bound: LossBound,
    /// Users who lose something.
    pub users: u64,
    /// Users for whom something is not known.
    pub unknown_users: u64,
    /// Users with changes who were not counted.
    pub not_counted: u64,
    /// Items of users whose mailbox synchronises nothing: they are not lost, and are in no other number.
    pub without_mailbox: u64,
    /// The users to be changed by mailbox method; `None` where that could not be read.
    pub mailboxes: Option<Mailboxes>,
    /// The users who lose most.
    pub most: Vec<ImpactOfUser>,
    /// Why something is not known.
    pub unknown: Vec<UnknownGroup>,
}

/// Users to be changed, by the method of their mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mailboxes {
    /// Server-side synchronisation.
    pub server: u64,
    /// Dynamics 365 for Outlook.
    pub outlook: u64,
    /// None.
    pub nothing: u64,
}

/// The loss of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactOfType {
    /// The type's logical name.
    pub filter_type: FilterType,
    /// Items, where known.
    pub items: u64,
    /// Whether some of the numbers are bounds.
    pub bound: LossBound,
    /// Users who lose something.
    pub users: u64,
    /// Users for whom it is not known.
    pub unknown_users: u64,
}

/// The loss of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactOfUser {
    /// The user's name in output.
    pub user: String,
    /// `systemuserid`.
    pub id: UserId,
    /// Items of all types, where known.
    pub items: u64,
    /// Whether some of the numbers are bounds.
    pub bound: LossBound,
    /// Whether something is not known.
    pub unknown: bool,
}

/// Users for whom something is not known for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownGroup {
    /// The stable word of the reason.
    pub kind: String,
    /// The number of users.
    pub users: u64,
    /// The name of one of them.
    pub example: String,
    /// The message for that user.
    pub message: String,
}

/// The loss of one user of one type, or why it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactRow {
    /// The type's logical name.
    pub filter_type: FilterType,
    /// Items, where known.
    pub items: Option<u64>,
    /// Whether the number is exact.
    pub bound: LossBound,
    /// Why it is not known: a stable word, and a message.
    pub why: Option<(String, String)>,
    /// Whether the user's mailbox synchronises: otherwise nothing is lost.
    pub synchronises: bool,
}

/// Users whose mailbox synchronises nothing lose nothing.
pub(super) const SYNCHRONISES: &str = "NOT EXISTS (SELECT 1 FROM user AS s JOIN mark AS m ON m.user = s.id AND m.mark = 1 WHERE s.seq = i.user)";

/// Of which users the loss is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// Those who are still to be changed.
    Ahead,
    /// Those whom the run affected; as long as it is not over, those who are still to be changed as well.
    Affected,
}

impl Of {
    /// The condition on a row `i` of the table `impact`. Where nothing was changed, nothing is lost.
    fn condition(self) -> String {
        let any = |which: &str| {
            format!("EXISTS (SELECT 1 FROM change AS w WHERE w.user = i.user AND {which})")
        };
        match self {
            Self::Ahead => any(&format!("w.{OPEN}")),
            Self::Affected => any(&format!(
                "(w.{CHANGED} OR (w.{OPEN} AND (SELECT finished IS NULL OR NOT EXISTS (SELECT 1 FROM change AS k WHERE k.{CHANGED})
                 FROM run)))"
            )),
        }
    }

    /// The counted losses with these users; users who were removed from the plan lose nothing.
    fn counted(self) -> String {
        let condition = self.condition();
        format!(
            "FROM impact AS i JOIN user AS u ON u.seq = i.user AND NOT u.{TAKEN_OUT} AND {condition}"
        )
    }
}

/// Whether a row `i` of the table `impact` is of a user whom the run affects.
pub(super) fn is_affected() -> String {
    Of::Affected.condition()
}

fn by_type(of: Of) -> String {
    format!(
        "SELECT i.type, coalesce(sum(i.items), 0), max(i.bound & 1) + max(i.bound & 2), sum(coalesce(i.items, 0) > 0),
         sum(i.items IS NULL) {} WHERE {SYNCHRONISES} GROUP BY i.type ORDER BY i.type",
        of.counted()
    )
}

fn by_user(of: Of) -> String {
    format!(
        "SELECT u.label, u.id, coalesce(sum(i.items), 0) AS lost, max(i.bound & 1) + max(i.bound & 2),
         max(i.items IS NULL) {} WHERE {SYNCHRONISES}
         GROUP BY i.user HAVING lost > 0 ORDER BY lost DESC, u.label LIMIT ?1",
        of.counted()
    )
}

fn by_reason(of: Of) -> String {
    format!(
        "SELECT i.kind, count(DISTINCT i.user), min(u.label), i.message {}
         WHERE i.items IS NULL AND {SYNCHRONISES} GROUP BY i.kind ORDER BY 2 DESC, 1",
        of.counted()
    )
}

fn without_mailbox(of: Of) -> String {
    format!(
        "SELECT coalesce(sum(i.items), 0) {} WHERE NOT {SYNCHRONISES}",
        of.counted()
    )
}

fn users(of: Of, items: &str) -> String {
    format!(
        "SELECT count(DISTINCT i.user) {} WHERE i.items {items} AND {SYNCHRONISES}",
        of.counted()
    )
}

fn coming_items() -> String {
    format!(
        "SELECT coalesce(sum(i.items), 0), coalesce(max(i.bound & 1) + max(i.bound & 2), 0) {} WHERE {SYNCHRONISES}",
        Of::Ahead.counted()
    )
}

impl View<'_> {
    /// The loss of the users whom the run affects, with the `most` users who lose most; `None` where it was not asked for.
    pub fn impact(&self, most: u32) -> Result<Option<Impact>, ReadError> {
        self.impact_of_users(Of::Affected, most)
    }

    /// As [`Self::impact`], of the users who are still to be changed.
    pub fn impact_ahead(&self, most: u32) -> Result<Option<Impact>, ReadError> {
        self.impact_of_users(Of::Ahead, most)
    }

    fn impact_of_users(&self, of: Of, most: u32) -> Result<Option<Impact>, ReadError> {
        if !impact::asked(self.0)?.impact {
            return Ok(None);
        }
        let count = |sql: &str| self.0.query_row(sql, [], |row| row.get::<_, u64>(0));
        let types = self.lost_by_type(of)?;
        Ok(Some(Impact {
            items: types.iter().map(|of| of.items).sum(),
            bound: types.iter().map(|of| of.bound).collect(),
            users: count(&users(of, "> 0"))?,
            unknown_users: count(&users(of, "IS NULL"))?,
            without_mailbox: count(&without_mailbox(of))?,
            mailboxes: self.mailboxes()?,
            not_counted: count(
                &format!("SELECT count(DISTINCT c.user) FROM change AS c
                 JOIN filter AS f ON f.user = c.user AND f.id = c.filter
                 WHERE c.to_state = 1 AND f.kind = 256 AND NOT c.{LEFT_OUT}
                 AND NOT EXISTS (SELECT 1 FROM impact AS i WHERE i.user = c.user AND i.type = f.type)"),
            )?,
            most: self.losing_most(of, most)?,
            unknown: self.unknown_by_reason(of)?,
            types,
        }))
    }

    /// How many future items leave calendars: of all users, or of the wave with this number and this many users. None
    /// where it was not asked for.
    pub fn coming_items(
        &self,
        wave: Option<(u64, u64)>,
    ) -> Result<Option<(u64, LossBound)>, ReadError> {
        if !impact::asked(self.0)?.impact {
            return Ok(None);
        }
        let users = wave.map_or_else(String::new, |_| {
            format!(" AND i.user IN ({})", users_of_wave())
        });
        let sql = coming_items() + &users;
        let (number, users) = wave.unwrap_or_default();
        let row = |row: &Row<'_>| Ok((row.get(0)?, loss_bound(row, 1)?));
        let found = match wave {
            Some(_) => self.0.query_row(&sql, [number, users], row)?,
            None => self.0.query_row(&sql, [], row)?,
        };
        Ok(Some(found))
    }

    fn mailboxes(&self) -> Result<Option<Mailboxes>, ReadError> {
        if impact::surroundings(self.0)?.mailboxes.is_some() {
            return Ok(None);
        }
        let sql = format!(
            "SELECT count(*), coalesce(sum(idle), 0), coalesce(sum(outlook), 0) FROM (
             SELECT EXISTS (SELECT 1 FROM mark AS m WHERE m.user = u.id AND m.mark = 1) AS idle,
                    EXISTS (SELECT 1 FROM mark AS m WHERE m.user = u.id AND m.mark = 2) AS outlook
             FROM user AS u WHERE EXISTS (SELECT 1 FROM change AS c WHERE c.user = u.seq AND NOT c.{LEFT_OUT}))"
        );
        Ok(self.0.query_row(&sql, [], |row| {
            let (all, nothing, outlook): (u64, u64, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Some(Mailboxes {
                server: all.saturating_sub(nothing + outlook),
                outlook,
                nothing,
            }))
        })?)
    }

    fn lost_by_type(&self, of: Of) -> Result<Vec<ImpactOfType>, ReadError> {
        let mut query = self.0.prepare_cached(&by_type(of))?;
        let row = |row: &Row<'_>| {
            Ok(ImpactOfType {
                filter_type: filter_type(row, 0)?,
                items: row.get(1)?,
                bound: loss_bound(row, 2)?,
                users: row.get(3)?,
                unknown_users: row.get(4)?,
            })
        };
        Ok(query.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
    }

    fn losing_most(&self, of: Of, most: u32) -> Result<Vec<ImpactOfUser>, ReadError> {
        let mut query = self.0.prepare_cached(&by_user(of))?;
        let row = |row: &Row<'_>| {
            Ok(ImpactOfUser {
                user: row.get(0)?,
                id: user_id(row, 1)?,
                items: row.get(2)?,
                bound: loss_bound(row, 3)?,
                unknown: row.get(4)?,
            })
        };
        Ok(query
            .query_map([most], row)?
            .collect::<rusqlite::Result<_>>()?)
    }

    fn unknown_by_reason(&self, of: Of) -> Result<Vec<UnknownGroup>, ReadError> {
        let mut query = self.0.prepare_cached(&by_reason(of))?;
        let row = |row: &Row<'_>| {
            Ok(UnknownGroup {
                kind: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                users: row.get(1)?,
                example: row.get(2)?,
                message: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
            })
        };
        Ok(query.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
    }

    /// The loss of one user, by type.
    pub fn impact_of(&self, user: UserId) -> Result<Vec<ImpactRow>, ReadError> {
        let mut query = self.0.prepare_cached(&format!(
            "SELECT i.type, i.items, i.bound, i.kind, i.message, {SYNCHRONISES} {} WHERE u.id = ?1 ORDER BY i.type",
            Of::Affected.counted()
        ))?;
        let row = |row: &Row<'_>| {
            let kind: Option<String> = row.get(3)?;
            let message: Option<String> = row.get(4)?;
            Ok(ImpactRow {
                filter_type: filter_type(row, 0)?,
                items: row.get(1)?,
                bound: loss_bound(row, 2)?,
                why: kind.zip(message),
                synchronises: row.get(5)?,
            })
        };
        Ok(query
            .query_map([crate::journal::rows::blob(user.0)], row)?
            .collect::<rusqlite::Result<_>>()?)
    }
}

pub(super) fn loss_bound(row: &Row<'_>, at: usize) -> rusqlite::Result<LossBound> {
    Ok(LossBound::from_bits(row.get(at)?))
}
