//! Records the impact of a change: what was asked for, what the environment has, and what each user loses.

use rusqlite::{Connection, OptionalExtension, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::{FilterType, UserId};
use crate::plan::{self, Loss, RequestPace, SkippedName};

use super::JournalError;
use super::commit::Journal;
use super::rows::{blob, kept, unreadable};
use super::values::MESSAGE;

/// What to find out before the user agrees to a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImpactOptions {
    /// Whether to count what each user loses.
    pub impact: bool,
    /// Users whom another synchronisation engine serves, where they are known.
    pub other_engine: Option<Vec<plan::UserRef>>,
}

impl ImpactOptions {
    /// Whether there is nothing to find out.
    pub fn is_nothing(&self) -> bool {
        !self.impact && self.other_engine.is_none()
    }
}

/// A filter or template of the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedFilter {
    /// `name`.
    pub name: String,
    /// `returnedtypecode`.
    #[serde(rename = "type")]
    pub filter_type: FilterType,
}

/// Findings about the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImpactFindings {
    /// Active system filters of the types in question; `None` where they were not asked for.
    pub system_filters: Option<Vec<NamedFilter>>,
    /// Active default templates of these types; `None` as above.
    pub templates: Option<Vec<NamedFilter>>,
    /// Why the organisation's filters could not be read.
    pub organisation_unknown: Option<String>,
    /// Why the mailboxes could not be read; none where they could, or were not asked for.
    pub mailboxes: Option<String>,
    /// Whether sync filters do not support optimistic concurrency, so that writes require only that the row exists.
    pub any_version: bool,
    /// How many names of the other engine's list match no user of this run.
    pub not_here: u64,
    /// Examples of these names.
    pub not_here_examples: Vec<String>,
    /// The pace at which the users were last read.
    pub reading: Option<RequestPace>,
    /// Names of the selection that match no user and are skipped.
    pub skipped: Vec<SkippedName>,
}

impl ImpactFindings {
    /// Names to be excluded that match no user: the users who were meant are not excluded.
    pub fn unmatched_exclusions(&self) -> Vec<&plan::UserRef> {
        let skipped = self.skipped.iter().filter(|skipped| skipped.excludes);
        skipped.map(|skipped| &skipped.named).collect()
    }
}

/// A property of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserFlag {
    /// Another engine serves the user.
    OtherEngine = 0,
    /// The user has no mailbox that synchronises by the filters.
    NoMailbox = 1,
    /// Dynamics 365 for Outlook synchronises the user's mailbox, by the same filters.
    OutlookClient = 2,
}

/// Records what to find out.
pub(super) fn ask(connection: &Connection, asked: &ImpactOptions) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO foresight (one, asked) VALUES (1, ?1)",
        [json(asked)?],
    )?;
    Ok(())
}

impl Journal {
    /// Records what to find out. Call it before the users are collected.
    pub async fn ask(&self, asked: ImpactOptions) -> Result<(), JournalError> {
        self.run(move |connection| ask(connection, &asked)).await
    }

    /// What to find out.
    pub async fn asked(&self) -> Result<ImpactOptions, JournalError> {
        self.run(asked).await
    }

    /// Changes the findings about the environment.
    pub async fn found<F>(&self, change: F) -> Result<(), JournalError>
    where
        F: FnOnce(&mut ImpactFindings) + Send + 'static,
    {
        self.run(move |connection| {
            let mut found = surroundings(connection)?;
            change(&mut found);
            connection.execute(
                "INSERT INTO foresight (one, asked, found) VALUES (1, ?1, ?2)
                 ON CONFLICT (one) DO UPDATE SET found = excluded.found",
                [json(&ImpactOptions::default())?, json(&found)?],
            )?;
            Ok(())
        })
        .await
    }

    /// The findings about the environment.
    pub async fn surroundings(&self) -> Result<ImpactFindings, JournalError> {
        self.run(surroundings).await
    }

    /// Records a property of these users.
    pub async fn mark(&self, mark: UserFlag, users: Vec<UserId>) -> Result<(), JournalError> {
        self.run(move |connection| {
            let mut insert = connection
                .prepare_cached("INSERT OR IGNORE INTO mark (user, mark) VALUES (?1, ?2)")?;
            for user in users {
                insert.execute(params![blob(user.0), mark as i32])?;
            }
            Ok(())
        })
        .await
    }

    /// Records what a user loses of each type. Call it before the user counts as surveyed.
    pub async fn lost(
        &self,
        seq: i64,
        losses: Vec<(FilterType, Loss)>,
    ) -> Result<(), JournalError> {
        self.run(move |connection| {
            let mut losses = losses.iter();
            losses.try_for_each(|(filter_type, loss)| add(connection, seq, filter_type, loss))
        })
        .await
    }
}

fn add(
    connection: &Connection,
    seq: i64,
    filter_type: &FilterType,
    loss: &Loss,
) -> rusqlite::Result<()> {
    let why = match loss {
        Loss::Unknown(why) => Some(why),
        _ => None,
    };
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO impact (user, type, items, bound, kind, message)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            seq,
            filter_type.as_str(),
            loss.items(),
            loss.bound().bits(),
            why.map(|why| why.kind),
            why.map(|why| kept(&why.message, MESSAGE)),
        ])?;
    Ok(())
}

pub(super) fn asked(connection: &Connection) -> rusqlite::Result<ImpactOptions> {
    column(connection, "SELECT asked FROM foresight")
}

pub(super) fn surroundings(connection: &Connection) -> rusqlite::Result<ImpactFindings> {
    column(connection, "SELECT found FROM foresight")
}

/// The JSON in a column; the default value where it is null.
fn column<T: DeserializeOwned + Default>(
    connection: &Connection,
    sql: &str,
) -> rusqlite::Result<T> {
    let text = connection
        .query_row(sql, [], |row| row.get::<_, Option<String>>(0))
        .optional()?;
    text.flatten().map_or_else(
        || Ok(T::default()),
        |text| serde_json::from_str(&text).map_err(|error| unreadable(0, "impact", error)),
    )
}

fn json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}
