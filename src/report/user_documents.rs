//! Users of a run in JSON, with their outcomes.

use std::cell::Cell;
use std::io::Write;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::journal::{ImpactRow, RunReader};
use crate::model::{Operation, Outcome, RowOutcome, RunId, UserId, UserOutcome};

use super::document::{Change, Ended, Environment, ProblemDocument, Rows};
use super::error::read_run;
use super::json::{FORMAT, write_json};
use super::user_choice::{ChosenUser, FoundChoice, ShownUsers, UserChoice};
use super::{ReportError, phrases};

/// Writes the chosen users of a run, with every change and every problem that is not over.
pub(super) fn write_chosen(
    out: &mut dyn Write,
    run: &RunReader,
    choice: &UserChoice,
) -> Result<ShownUsers, ReportError> {
    read_run(run, |view| {
        let found = choice.find(view)?;
        let header = view.header()?;
        let (broken, users) = (Cell::new(None), Cell::default());
        let rows = Rows {
            view,
            broken: &broken,
        };
        let document = Document {
            format: FORMAT,
            run: &header.id,
            operation: header.operation,
            outcome: phrases::outcome(&header),
            environment: Environment::of(&header),
            only: choice.only.iter().map(|class| class.as_str()).collect(),
            user_results: UserResults {
                rows,
                found: &found,
                whole: true,
                users: &users,
            },
            shown: Later(&users, |users| users.shown),
            left_out: Later(&users, |users| users.left_out),
        };
        let written = write_json(out, &document);
        match broken.take() {
            Some(error) => Err(error.into()),
            None => Ok(written.map(|()| users.get())?),
        }
    })
}

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    run: &'a RunId,
    operation: Operation,
    outcome: Outcome,
    environment: Environment<'a>,
    only: Vec<&'static str>,
    user_results: UserResults<'a>,
    shown: Later<'a>,
    left_out: Later<'a>,
}

/// A number that is known after the users are written.
struct Later<'a>(&'a Cell<ShownUsers>, fn(ShownUsers) -> u64);

impl Serialize for Later<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64((self.1)(self.0.get()))
    }
}

/// Users that are read while they are written.
pub(super) struct UserResults<'a> {
    pub(super) rows: Rows<'a>,
    pub(super) found: &'a FoundChoice<'a>,
    /// Whether each contains its changes and problems; the document of a whole run has separate lists of them.
    pub(super) whole: bool,
    /// How many were written.
    pub(super) users: &'a Cell<ShownUsers>,
}

impl Serialize for UserResults<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let read = self.found.each(self.rows.view, |chosen| {
            list.serialize_element(&UserResult::of(&chosen, self.whole))
                .map_err(Ended::Write)
        });
        self.rows.end(read.map(|users| self.users.set(users)))?;
        list.end()
    }
}

#[derive(Serialize)]
struct UserResult<'a> {
    user: &'a str,
    id: UserId,
    unit: Option<&'a str>,
    result: &'static str,
    groups: Vec<&'static str>,
    filters: Filters,
    /// One for each type.
    losses: Vec<LossOfType<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<Change<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<Vec<ProblemDocument<'a>>>,
}

/// The number of the user's filters by outcome.
#[derive(Default, Serialize)]
struct Filters {
    changed: u64,
    already: u64,
    left: u64,
    failed: u64,
    planned: u64,
}

#[derive(Serialize)]
struct LossOfType<'a> {
    #[serde(rename = "type")]
    filter_type: &'a str,
    /// Null where it is not known; 0 where the mailbox does not synchronise.
    items: Option<u64>,
    at_most: bool,
    at_least: bool,
    /// Why it is not known.
    why: Option<&'a str>,
}

impl<'a> UserResult<'a> {
    fn of(chosen: &'a ChosenUser, whole: bool) -> Self {
        let ChosenUser {
            user,
            changes,
            problems,
            losses,
        } = chosen;
        let outcomes = changes.iter().map(|change| change.outcome);
        Self {
            user: &user.user,
            id: user.id,
            unit: user.unit.as_deref(),
            result: UserOutcome::as_str(user.outcome),
            groups: user.groups.iter().map(|group| group.as_str()).collect(),
            filters: Filters::of(outcomes),
            losses: losses.iter().map(LossOfType::of).collect(),
            changes: whole.then(|| changes.iter().map(Change::of).collect()),
            problems: whole.then(|| problems.iter().map(ProblemDocument::of).collect()),
        }
    }
}

impl Filters {
    fn of(outcomes: impl Iterator<Item = RowOutcome>) -> Self {
        let mut filters = Self::default();
        for outcome in outcomes {
            *match outcome {
                RowOutcome::Changed => &mut filters.changed,
                RowOutcome::Already => &mut filters.already,
                RowOutcome::ChangedSince | RowOutcome::Gone => &mut filters.left,
                RowOutcome::Failed => &mut filters.failed,
                RowOutcome::Planned | RowOutcome::Sent => &mut filters.planned,
                RowOutcome::LeftOut => continue,
            } += 1;
        }
        filters
    }
}

impl<'a> LossOfType<'a> {
    fn of(row: &'a ImpactRow) -> Self {
        let known = row.synchronises;
        Self {
            filter_type: row.filter_type.as_str(),
            items: if known { row.items } else { Some(0) },
            at_most: known && row.bound.can_be_less(),
            at_least: known && row.bound.can_be_more(),
            why: row
                .why
                .as_ref()
                .filter(|_| known)
                .map(|(kind, _)| kind.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{PLAIN, TestStage, run};
    use crate::report::{Format, write_run};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn a_document_of_some_users_holds_what_became_of_each() {
        let run = run(TestStage::Stopped).await;
        let choice = UserChoice {
            only: vec!["failed".parse().unwrap()],
            limit: Some(1),
            ..UserChoice::default()
        };
        let text = run.shown(|out, run| write_chosen(out, run, &choice).map(drop));
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["only"], json!(["failed"]));
        assert_eq!(
            (&document["shown"], &document["left_out"]),
            (&json!(1), &json!(1))
        );
        // The first by name.
        let hana = &document["user_results"][0];
        assert_eq!(hana["result"], "failed");
        assert_eq!(hana["problems"][0]["kind"], "no-write-privilege");
        assert_eq!(hana["changes"].as_array().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn the_whole_document_has_every_user_once_and_every_loss_once() {
        let run = run(TestStage::ImpactCounted).await;
        let text = run.shown(|out, run| write_run(out, run, Format::Json, PLAIN));
        let document: Value = serde_json::from_str(&text).unwrap();
        let users = document["user_results"].as_array().unwrap();
        assert_eq!(users.len(), 8);
        let losses = users
            .iter()
            .flat_map(|user| user["losses"].as_array().unwrap());
        let items = losses.filter_map(|loss| loss["items"].as_u64());
        assert_eq!(Some(items.sum()), document["impact"]["items"].as_u64());
        assert_eq!(users[0].get("changes"), None);
    }
}
