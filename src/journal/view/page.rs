//! A page of a run's users: searched, filtered, sorted and cut in SQLite, so that the cost does not grow with the run.

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};
use uuid::Uuid;

use crate::journal::codes::{LEFT_OUT, PLANNED, TAKEN_OUT};
use crate::journal::rows::{blob, unit_name, user_id};
use crate::model::{ProblemKind, UserId, UserOutcome};
use crate::plan::LossBound;

use super::impact::{SYNCHRONISES, loss_bound};
use super::totals::{USER_ROWS, user_outcome, user_rows};
use super::{ReadError, UserGroup, View};

/// A common property of the users on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageClass {
    /// Their outcome.
    Outcome(UserOutcome),
    /// A group to which they belong.
    Group(UserGroup),
    /// A problem that they have.
    Problem(ProblemKind),
}

/// The order of the users on a page. Equal users are ordered by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageOrder {
    /// The name.
    #[default]
    Name,
    /// The business unit.
    Unit,
    /// The number of changes, largest first.
    Changes,
    /// The number of lost items, largest first.
    Loss,
}

/// Which users a page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// A part of the displayed name, the login or the address, in any case; empty for all users.
    pub search: String,
    /// Only users with this property.
    pub class: Option<PageClass>,
    /// Only the users of this business unit.
    pub unit: Option<Uuid>,
    /// Only users with a change of this type of filter.
    pub filter_type: Option<String>,
    /// The order.
    pub order: PageOrder,
    /// The number of users before the page. If it is past the end, the last page is meant.
    pub skip: u64,
    /// The most users on the page.
    pub most: u64,
}

/// A user on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageUser {
    /// The number in the run file.
    pub seq: i64,
    /// The user's name in output.
    pub user: String,
    /// `systemuserid`.
    pub id: UserId,
    /// The business unit, by its name where that is known.
    pub unit: Option<String>,
    /// The outcome of the user.
    pub outcome: UserOutcome,
    /// Changes of the run, including those that were removed from the plan.
    pub changes: u64,
    /// Whether the user can be removed from the plan, or was and can be added again.
    pub can_be_chosen: bool,
    /// Items that leave the calendar, where counted.
    pub loss: Option<UserLoss>,
    /// The last problem: its kind and its message.
    pub problem: Option<(ProblemKind, String)>,
}

/// The items that leave the calendar of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserLoss {
    /// Those that are known.
    pub items: u64,
    /// Whether some of the numbers are bounds.
    pub bound: LossBound,
    /// Whether something is not known.
    pub unknown: bool,
}

/// One page of the users that were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPage {
    /// The number of users that were found.
    pub found: u64,
    /// The number of them before this page.
    pub skip: u64,
    /// The users on this page.
    pub users: Vec<PageUser>,
}

/// The condition of an outcome over the columns of [`user_rows`], as [`UserOutcome::of`] decides it.
fn outcome_condition(outcome: UserOutcome) -> String {
    use crate::model::ReadState as Read;
    let read = |read: Read| format!("was_read = {}", read.code());
    let failed = format!("({} OR any_failed)", read(Read::Failed));
    let skipped = format!("NOT {failed} AND {}", read(Read::Skipped));
    let left_out = format!("NOT {failed} AND {}", read(Read::LeftOut));
    let planned = format!(
        "({} OR ({} AND any_open)) AND NOT {failed}",
        read(Read::ToRead),
        read(Read::Read)
    );
    let rest = format!("{} AND NOT any_failed AND NOT any_open", read(Read::Read));
    match outcome {
        UserOutcome::Failed => failed,
        UserOutcome::Skipped => skipped,
        UserOutcome::LeftOut => left_out,
        UserOutcome::Planned => planned,
        UserOutcome::Changed => format!("{rest} AND any_changed"),
        UserOutcome::Left => format!("{rest} AND NOT any_changed AND any_left"),
        UserOutcome::Unchanged => format!("{rest} AND NOT any_changed AND NOT any_left"),
    }
}

/// A text in lower case, letter by letter, so that a part of it is a part of the whole in lower case, too.
fn lower(text: &str, into: &mut String) {
    into.clear();
    if text.is_ascii() {
        into.push_str(text);
        into.make_ascii_lowercase();
    } else {
        into.extend(text.chars().flat_map(char::to_lowercase));
    }
}

impl PageQuery {
    /// The conditions on a row `u` of the table `user`, and their values. `named` are the numbers of the users whom the
    /// search finds, as JSON; none where nobody is looked for.
    fn conditions(&self, named: Option<String>) -> (String, Vec<Value>) {
        let (mut conditions, mut values) = (Vec::new(), Vec::new());
        let mut place = |value: Value| {
            values.push(value);
            values.len()
        };
        if let Some(named) = named {
            let at = place(Value::Text(named));
            conditions.push(format!("u.seq IN (SELECT value FROM json_each(?{at}))"));
        }
        if let Some(unit) = self.unit {
            let at = place(Value::Blob(blob(unit).to_vec()));
            conditions.push(format!("u.unit = ?{at}"));
        }
        if let Some(filter_type) = &self.filter_type {
            let at = place(Value::Text(filter_type.clone()));
            conditions.push(format!(
                "EXISTS (SELECT 1 FROM change AS t JOIN filter AS f ON f.user = t.user AND f.id = t.filter
                 WHERE t.user = u.seq AND f.type = ?{at})"
            ));
        }
        conditions.extend(self.class.map(|class| match class {
            PageClass::Outcome(outcome) => format!(
                "u.seq IN (SELECT seq FROM (SELECT {}, u.seq AS seq FROM user AS u
                 LEFT JOIN change AS c ON c.user = u.seq GROUP BY u.seq) WHERE {})",
                user_rows(),
                outcome_condition(outcome)
            ),
            PageClass::Group(group) => format!("({})", group.condition()),
            PageClass::Problem(kind) => {
                let at = place(Value::Text(kind.as_str().to_owned()));
                format!(
                    "EXISTS (SELECT 1 FROM problem AS p WHERE p.user = u.seq AND p.kind = ?{at})"
                )
            }
        }));
        let conditions = match &conditions[..] {
            [] => String::new(),
            all => format!("WHERE {}", all.join(" AND ")),
        };
        (conditions, values)
    }

    fn order(&self) -> String {
        let by_name = "u.label COLLATE NOCASE, u.seq";
        let by_loss = || {
            let loss = "SELECT sum(i.items) FROM impact AS i WHERE i.user = u.seq";
            format!("({loss} AND {SYNCHRONISES}) DESC NULLS LAST")
        };
        let first = match self.order {
            PageOrder::Name => return by_name.to_owned(),
            PageOrder::Unit => "n.name IS NULL, n.name COLLATE NOCASE".to_owned(),
            PageOrder::Changes => {
                "(SELECT count(*) FROM change AS k WHERE k.user = u.seq) DESC".to_owned()
            }
            PageOrder::Loss => by_loss(),
        };
        format!("{first}, {by_name}")
    }
}

/// The query for one user, by the number in the run.
fn one_user() -> String {
    format!(
        "SELECT {}, u.seq, u.label, u.id, u.unit, n.name, count(c.filter),
         u.{TAKEN_OUT} OR (max(coalesce(c.{PLANNED}, 0)) AND NOT max(coalesce(NOT c.{PLANNED} AND NOT c.{LEFT_OUT}, 0))),
         CASE WHEN EXISTS (SELECT 1 FROM impact AS i WHERE i.user = u.seq) THEN
         (SELECT coalesce(sum(i.items), 0) FROM impact AS i WHERE i.user = u.seq AND {SYNCHRONISES}) END,
         (SELECT coalesce(max(i.bound & 1) + max(i.bound & 2), 0) FROM impact AS i WHERE i.user = u.seq AND {SYNCHRONISES}),
         (SELECT coalesce(max(i.items IS NULL), 0) FROM impact AS i WHERE i.user = u.seq AND {SYNCHRONISES}),
         (SELECT p.kind FROM problem AS p WHERE p.user = u.seq ORDER BY p.seq DESC LIMIT 1),
         (SELECT p.message FROM problem AS p WHERE p.user = u.seq ORDER BY p.seq DESC LIMIT 1)
         FROM user AS u LEFT JOIN change AS c ON c.user = u.seq LEFT JOIN unit AS n ON n.id = u.unit
         WHERE u.seq = ?1 GROUP BY u.seq",
        user_rows()
    )
}

impl View<'_> {
    /// One page of users.
    pub fn user_page(&self, query: &PageQuery) -> Result<UserPage, ReadError> {
        let conditions = query.conditions(self.named(&query.search)?);
        let (wheres, values) = &conditions;
        let mut count = self
            .0
            .prepare_cached(&format!("SELECT count(*) FROM user AS u {wheres}"))?;
        let found: u64 = count.query_row(params_from_iter(values), |row| row.get(0))?;
        let last_page = found.saturating_sub(1) / query.most.max(1) * query.most;
        let skip = query.skip.min(last_page);
        let mut user = self.0.prepare_cached(&one_user())?;
        let mut users = Vec::new();
        for seq in self.numbers(query, &conditions, Some((query.most, skip)))? {
            users.push(user.query_row([seq], page_user)?);
        }
        Ok(UserPage { found, skip, users })
    }

    /// The numbers of all users that a query finds, on all pages.
    pub fn numbers_found(&self, query: &PageQuery) -> Result<Vec<i64>, ReadError> {
        let conditions = query.conditions(self.named(&query.search)?);
        self.numbers(query, &conditions, None)
    }

    /// The numbers of the users whom a search finds, as JSON; none where it is empty. SQLite knows the case of the letters
    /// of ASCII only.
    fn named(&self, search: &str) -> Result<Option<String>, ReadError> {
        let mut part = String::new();
        lower(search.trim(), &mut part);
        if part.is_empty() {
            return Ok(None);
        }
        let mut text = String::new();
        let mut has = |name: Option<&str>| {
            name.is_some_and(|name| {
                lower(name, &mut text);
                text.contains(&part)
            })
        };
        let mut users = self
            .0
            .prepare_cached("SELECT seq, label, nullif(login, label), email FROM user")?;
        let mut rows = users.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let name = |at| Ok::<_, rusqlite::Error>(row.get_ref(at)?.as_str_or_null()?);
            if has(name(1)?) || has(name(2)?) || has(name(3)?) {
                found.push(row.get::<_, i64>(0)?.to_string());
            }
        }
        Ok(Some(format!("[{}]", found.join(","))))
    }

    fn numbers(
        &self,
        query: &PageQuery,
        (conditions, values): &(String, Vec<Value>),
        page: Option<(u64, u64)>,
    ) -> Result<Vec<i64>, ReadError> {
        let page = page.map_or_else(String::new, |(most, skip)| {
            format!("LIMIT {most} OFFSET {skip}")
        });
        let mut query = self.0.prepare_cached(&format!(
            "SELECT u.seq FROM user AS u LEFT JOIN unit AS n ON n.id = u.unit {conditions} ORDER BY {} {page}",
            query.order()
        ))?;
        let rows = query.query_map(params_from_iter(values), |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The last failures, the newest first: the user's name and the message.
    pub fn last_failures(&self, most: usize) -> Result<Vec<(String, String)>, ReadError> {
        let skips = ProblemKind::ALL.iter().filter(|kind| kind.is_skip());
        let skips: Vec<_> = skips.map(|kind| format!("'{}'", kind.as_str())).collect();
        let mut query = self.0.prepare_cached(&format!(
            "SELECT u.label, p.message FROM problem AS p JOIN user AS u ON u.seq = p.user
             WHERE p.kind NOT IN ({}) ORDER BY p.seq DESC",
            skips.join(", ")
        ))?;
        let mut rows = query.query([])?;
        let mut last: Vec<(String, String)> = Vec::new();
        while last.len() < most
            && let Some(row) = rows.next()?
        {
            let failure = (row.get(0)?, row.get(1)?);
            // Each filter of a user can have failed for the same reason.
            if !last.contains(&failure) {
                last.push(failure);
            }
        }
        Ok(last)
    }

    /// The business units of the users, by name.
    pub fn units(&self) -> Result<Vec<(Uuid, String)>, ReadError> {
        let mut query = self.0.prepare_cached(
            "SELECT n.id, n.name FROM unit AS n WHERE EXISTS (SELECT 1 FROM user AS u WHERE u.unit = n.id)
             ORDER BY n.name COLLATE NOCASE",
        )?;
        let rows = query.query_map([], |row| Ok((user_id(row, 0)?.0, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn page_user(row: &Row<'_>) -> rusqlite::Result<PageUser> {
    let at = USER_ROWS;
    let items: Option<u64> = row.get(at + 7)?;
    let kind: Option<ProblemKind> = row.get(at + 10)?;
    let message: Option<String> = row.get(at + 11)?;
    Ok(PageUser {
        outcome: user_outcome(row)?,
        seq: row.get(at)?,
        user: row.get(at + 1)?,
        id: user_id(row, at + 2)?,
        unit: unit_name(row, at + 3)?,
        changes: row.get(at + 5)?,
        can_be_chosen: row.get(at + 6)?,
        loss: items
            .map(|items| {
                Ok::<_, rusqlite::Error>(UserLoss {
                    items,
                    bound: loss_bound(row, at + 8)?,
                    unknown: row.get(at + 9)?,
                })
            })
            .transpose()?,
        problem: kind.zip(message),
    })
}

#[cfg(test)]
mod tests;
