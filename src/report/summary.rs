//! The result of a run.

use std::path::PathBuf;
use std::time::Duration;

use crate::journal::{
    FilterTotals, Finding, Phase, ProblemGroup, PutBackBefore, ReadError, Requests, RunHeader,
    RunReader, RunRef, StaysPutBack, UserGroup, UserTotals, View,
};
use crate::model::{Outcome, RunId, Target, UserOutcome};

use super::grid;
use super::next_commands::write_commands;
use super::paint::Tone;
use super::problems::{self, TITLE, write_groups};
use super::run_command::{RunCommand, report_only};
use super::templates::write_run_of_templates;
use super::text::{clean, count, number, rate, span};
use super::user_choice::UserClass;
use super::writer::{StyledWrite, paint_line};
use super::{Format, ReportError, Style, phrases};

/// The data of an applied run, read at the same state of its file.
pub(super) struct Totals {
    pub(super) header: RunHeader,
    pub(super) users: UserTotals,
    pub(super) filters: FilterTotals,
    pub(super) groups: Vec<ProblemGroup>,
    pub(super) path: Option<PathBuf>,
    /// Whether writes required only that the row exists.
    any_version: bool,
    pub(super) worked: Duration,
    /// What undos had restored when the run was continued.
    pub(super) stays: Option<StaysPutBack>,
    /// Notes that are no problems.
    notes: Vec<String>,
}

impl Totals {
    pub(super) fn read(view: &View<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            header: view.header()?,
            users: view.users()?,
            filters: view.filters()?,
            groups: view.problem_groups()?,
            path: view.path(),
            any_version: view.findings()?.contains(&Finding::AnyVersion),
            worked: view.working_time()?,
            stays: view.stays_put_back()?,
            notes: notes(view)?,
        })
    }
}

/// Writes the outcome of a run for people, and the next commands; without commands where the run is not kept.
pub fn write_summary(
    out: &mut dyn StyledWrite,
    run: &RunReader,
    style: Style,
    is_kept: bool,
) -> Result<(), ReportError> {
    if run.header.target == Target::Templates {
        return write_run_of_templates(out, run, Format::Table, style);
    }
    let mut totals = run.view(|view| view.at_one_instant(Totals::read))?;
    if !is_kept {
        totals.path = None;
    }
    let totals = &totals;
    write_ending(out, totals, style)?;
    let numbers = numbers(totals).into_iter().map(|fact| (fact, Tone::Plain));
    let facts: Vec<_> = numbers.chain(problems::facts(&totals.groups)).collect();
    grid::toned_facts(out, &facts, style)?;
    if !is_kept {
        return Ok(());
    }
    let next = next(totals, &run.reference);
    if !next.is_empty() {
        writeln!(out)?;
        paint_line(out, Tone::Strong, "Next")?;
    }
    write_commands(out, &next)
}

/// Writes the outcome, the numbers and the problems by kind.
pub(super) fn write_totals(
    out: &mut dyn StyledWrite,
    totals: &Totals,
    style: Style,
) -> Result<(), ReportError> {
    write_ending(out, totals, style)?;
    grid::facts(out, &numbers(totals), style)?;
    if !totals.groups.is_empty() {
        writeln!(out)?;
        paint_line(out, Tone::Strong, TITLE)?;
        write_groups(out, &totals.groups, usize::MAX, "", style)?;
    }
    Ok(())
}

fn write_ending(out: &mut dyn StyledWrite, totals: &Totals, style: Style) -> std::io::Result<()> {
    let (ending, tone) = phrases::ending(&totals.header, &totals.users, &totals.filters);
    grid::paragraph(out, &ending, tone, style)?;
    writeln!(out)
}

/// Outcomes of users and filters, requests and time: names and values.
pub(super) fn numbers(totals: &Totals) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Users", phrases::users(&totals.users)),
        (
            "Filters",
            phrases::filters(&totals.filters, totals.header.operation),
        ),
        ("Requests", requests(totals.header.requests)),
    ];
    if totals.any_version {
        let how = "If-Match: * (this server has no optimistic concurrency for sync filters)";
        facts.push(("Written", how.to_owned()));
    }
    if totals.worked >= Duration::from_secs(1) {
        facts.push(("Time", pace(totals.filters.changed, totals.worked)));
    }
    facts.extend(totals.notes.iter().map(|note| ("Note", note.clone())));
    let path = totals.path.as_ref().map(|p| p.display().to_string());
    facts.extend(path.map(|path| ("Run file", clean(&path).into_owned())));
    facts
}

/// Statuses with the same meaning as before, and what an earlier undo had restored.
fn notes(view: &View<'_>) -> Result<Vec<String>, ReadError> {
    let statuses = view.null_statuses()?.into_iter().map(|(status, filters)| {
        let statuses = match filters {
            1 => "1 status is".to_owned(),
            filters => format!("{} statuses are", number(filters)),
        };
        format!("{statuses} {status} now instead of null, which means the same")
    });
    let put_back = view.put_back_before()?.into_iter().map(|before| {
        let PutBackBefore { by, at, filters } = before;
        let verb = if filters == 1 { "was" } else { "were" };
        let filters = count(filters, "filter");
        format!("{filters} {verb} put back by undo {} at {at}", clean(&by))
    });
    let stays = view.stays_put_back()?.map(|stays| {
        let StaysPutBack { by, filters } = stays;
        let verb = if filters == 1 { "stays" } else { "stay" };
        let filters = count(filters, "filter");
        format!(
            "{filters} of this run {verb} as undo {} put them back",
            by.short()
        )
    });
    let undone = view.undone_by()?.map(|by| undone_words(&by));
    Ok(statuses
        .chain(put_back)
        .chain(stays)
        .chain(undone)
        .collect())
}

/// That another run began to undo this one. How far it came is in its own file.
pub(super) fn undone_words(by: &RunId) -> String {
    format!("run {} was begun later to undo this one", by.short())
}

fn requests(requests: Requests) -> String {
    let Requests {
        total,
        throttled,
        retried,
    } = requests;
    let outcomes = phrases::parts(&[(throttled, "throttled"), (retried, "made again")]);
    format!("{} made{outcomes}", number(total))
}

/// The time and the pace.
fn pace(changed: u64, worked: Duration) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is shown with few digits"
    )]
    let per_second = changed as f64 / worked.as_secs_f64();
    let took = format!("{} to change {}", span(worked), count(changed, "filter"));
    if per_second < 0.1 {
        return took;
    }
    format!("{took}, {} a second", rate(per_second))
}

/// The next commands, with their purposes.
fn next(totals: &Totals, run: &RunRef) -> Vec<(String, &'static str)> {
    let Totals {
        header,
        users,
        filters,
        stays,
        ..
    } = totals;
    let outcome = phrases::outcome(header);
    let mut next = Vec::new();
    let only = |class| report_only(run, &[class]);
    if users.failed > 0 {
        let failed = UserClass::Outcome(UserOutcome::Failed);
        next.push((only(failed), "who failed, and why"));
    }
    if filters.left > 0 {
        let left = UserClass::Group(UserGroup::Left);
        next.push((only(left), "whose filters were left alone"));
    }
    if users.left_out > 0 {
        let left_out = UserClass::Outcome(UserOutcome::LeftOut);
        next.push((only(left_out), "who was taken out of the plan"));
    }
    match outcome {
        Outcome::Planned if filters.planned > 0 => {
            next.push((RunCommand::Apply.of(run), "make the changes"));
        }
        Outcome::Stopped => next.push((RunCommand::Resume.of(run), "resume the run")),
        Outcome::Partial if users.failed > 0 => {
            next.push((RunCommand::Resume.of(run), "retry the failed users"));
        }
        Outcome::Planned | Outcome::Complete | Outcome::Partial | Outcome::Nothing => {}
    }
    let begun = header.phase >= Phase::Applying;
    if filters.changed > 0 || (outcome == Outcome::Stopped && begun) {
        next.push((RunCommand::Undo.of(run), "undo the run"));
    }
    next.push((RunCommand::Report.of(run), "every change and every problem"));
    if let Some(StaysPutBack { by, .. }) = stays {
        let undo = RunRef::stored(by).with_context(run.context.clone());
        next.push((
            RunCommand::Undo.of(&undo),
            "change again what the undo put back",
        ));
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Operation;
    use crate::report::CleanWriter;
    use crate::report::test_runs::{PLAIN, TestStage, header, run};

    #[tokio::test]
    async fn a_stopped_run_says_what_became_of_whom_and_how_to_go_on() {
        let run = run(TestStage::Stopped).await;
        let shown = run.shown(|out, run| write_summary(out, run, PLAIN, true));
        insta::assert_snapshot!(shown, @r"
        Stopped before the end: 1 filter deactivated, 1 filter still to change.

        Users     8 selected: 1 changed, 2 left alone, 1 unchanged, 1 skipped, 2 failed,
                  1 to change
        Filters   12 matching of 18 read: 1 changed, 7 already inactive, 2 left alone or
                  gone, 1 failed, 1 to change
        Requests  1,234 made: 4 throttled, 5 made again
        Time      1m 10s to change 1 filter
        Run file  /runs/3f2a9c0d1b7e.run
        Failed    1 no-roles: Give the user a security role, then resume the run.
                  1 no-write-privilege: Give the user and the caller Write on Saved
                  View; the access mode has to be Read-Write.
        Left      1 changed-since, 1 gone, 1 status-not-restored
        Skipped   1 disabled

        Next
          syncfilters report 3f2a9c --only failed  who failed, and why
          syncfilters report 3f2a9c --only left    whose filters were left alone
          syncfilters resume 3f2a9c                resume the run
          syncfilters undo 3f2a9c                  undo the run
          syncfilters report 3f2a9c                every change and every problem
        ");
    }

    #[tokio::test]
    async fn the_summary_of_a_run_with_every_kind_of_trouble_fits_a_screen() {
        let run = run(TestStage::Stopped).await;
        let shown = run.shown(|out, run| write_summary(out, run, PLAIN, true));
        assert!(shown.lines().count() <= 23, "{shown}");
    }

    #[tokio::test]
    async fn colour_adds_nothing_to_the_words() {
        let run = run(TestStage::Stopped).await;
        let mut colored = Vec::new();
        let mut writer = CleanWriter::new(&mut colored, true);
        let plain = run.shown(|out, run| {
            write_summary(&mut writer, run, PLAIN, true)?;
            write_summary(out, run, PLAIN, true)
        });
        let shown = String::from_utf8(colored).unwrap();
        assert!(shown.contains("\u{1b}[31m"));
        let bare = anstream::adapter::strip_str(&shown).to_string();
        let lines = |text: &str| {
            text.lines()
                .filter(|line| !line.starts_with("Run file"))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(lines(&bare), lines(&plain));
    }

    #[test]
    fn the_next_commands_are_those_that_make_sense() {
        let verbs = |phase, outcome, changed| {
            let header = RunHeader {
                phase,
                outcome: Some(outcome),
                ..header(Operation::Deactivate)
            };
            let filters = FilterTotals {
                changed,
                planned: u64::from(outcome == Outcome::Planned),
                ..FilterTotals::default()
            };
            let totals = Totals {
                header,
                users: UserTotals {
                    failed: u64::from(outcome == Outcome::Partial),
                    ..UserTotals::default()
                },
                filters,
                groups: Vec::new(),
                any_version: false,
                path: None,
                worked: Duration::ZERO,
                stays: None,
                notes: Vec::new(),
            };
            next(&totals, &RunRef::stored(&totals.header.id))
                .into_iter()
                .map(|(command, _)| command.replace("syncfilters ", "").replace(" 3f2a9c", ""))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(verbs(Phase::Planned, Outcome::Planned, 0), "apply report");
        assert_eq!(verbs(Phase::Finished, Outcome::Complete, 2), "undo report");
        assert_eq!(verbs(Phase::Finished, Outcome::Nothing, 0), "report");
        assert_eq!(
            verbs(Phase::Finished, Outcome::Partial, 2),
            "report --only failed resume undo report"
        );
        // A write without an answer may have been done: undo asks the row.
        assert_eq!(
            verbs(Phase::Applying, Outcome::Stopped, 0),
            "resume undo report"
        );
        assert_eq!(
            verbs(Phase::Surveying, Outcome::Stopped, 0),
            "resume report"
        );
    }
}
