//! `runs prune`: deletes run files that are no longer needed.

use std::collections::BTreeMap;

use jiff::{Timestamp, ZonedDateTime};

use crate::journal::{RunUse, prunable};
use crate::model::{RunId, count};

use super::App;
use super::connect::store;
use super::consent::{is_terminal, read_answer};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::runs_args::PruneArgs;

/// The expected answer.
const WORD: &str = "yes";

pub(super) async fn prune(app: &App, args: &PruneArgs) -> Result<Exit, CliError> {
    let store = store(&app.output, None)?;
    let (runs, unreadable) = store.list()?;
    for error in unreadable {
        Printer::warn(&format!("warning: {error}; it stays"));
    }
    let before = before(&args.older_than)?;
    let chosen = prunable(&runs, before, args.include_undoable);
    if chosen.is_empty() {
        app.printer
            .status_line("No run is to be deleted. `syncfilters runs` lists all.");
        return Ok(Exit::Done);
    }
    let uses = chosen.iter().map(|(_, of)| *of);
    let question = format!(
        "Delete {} ({})? This cannot be undone.",
        count(number(chosen.len()), "run"),
        by_use(uses)
    );
    if !args.yes {
        agree(app, &question).await?;
    }
    let ids: Vec<_> = chosen
        .iter()
        .map(|(run, _)| run.header.id.clone())
        .collect();
    let mut deleted: Vec<RunId> = Vec::new();
    let mut exit = Exit::Done;
    for id in ids {
        match store.remove(&id) {
            Ok(()) => deleted.push(id),
            Err(error) => {
                Printer::warn(&format!("warning: run {} stays: {error}", id.short()));
                exit = Exit::Partial;
            }
        }
    }
    let runs = count(number(deleted.len()), "run");
    app.printer.status_line(&format!("Deleted {runs}."));
    Ok(exit)
}

/// The time before which runs are old enough.
fn before(age: &jiff::Span) -> Result<Timestamp, CliError> {
    let before = ZonedDateTime::now().checked_sub(*age);
    let before = before.map_err(|error| CliError::Usage(format!("--older-than: {error}")))?;
    Ok(before.timestamp())
}

async fn agree(app: &App, question: &str) -> Result<(), CliError> {
    if !is_terminal() {
        return Err(CliError::WouldAsk(format!(
            "there is no terminal for a question; give --yes. {question}"
        )));
    }
    let text = format!("{question}\nType `{WORD}` to continue: ");
    let answer = read_answer(&text, &app.interrupted).await?;
    if answer.trim() == WORD {
        Ok(())
    } else {
        Err(CliError::Declined)
    }
}

fn by_use(uses: impl Iterator<Item = RunUse>) -> String {
    let mut counts = BTreeMap::new();
    for of in uses {
        *counts.entry(of).or_insert(0_u64) += 1;
    }
    let said = counts
        .iter()
        .map(|(of, runs)| format!("{} {}", crate::model::number(*runs), of.as_str()));
    said.collect::<Vec<_>>().join(", ")
}

fn number(runs: usize) -> u64 {
    u64::try_from(runs).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_what_the_runs_are_still_good_for() {
        let uses = [RunUse::Plan, RunUse::Undoable, RunUse::Plan];
        assert_eq!(by_use(uses.into_iter()), "2 not applied, 1 can be undone");
    }
}
