//! One of the environments of a command, and its progress.

use std::io::Write;

use crate::journal::RunReader;
use crate::model::{Operation, Outcome, Target};
use crate::plan::AppliedBy;
use crate::report::{
    ErrorReport, Format, Overview, PlanView, RunCommand, STALE_PLAN, Style, StyledWrite,
    run_argument, write_calendar_warning, write_document, write_left_out_block, write_plan,
    write_plan_block, write_plan_details, write_run, write_summary, write_undo_limits,
};
use crate::rollout::{EndedRun, Halted, Planned, RolloutError, StopReason};

use super::App;
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::support::{remember, with_support};

pub(super) struct EnvironmentRun {
    pub(super) name: String,
    pub(super) stage: EnvironmentStage,
}

#[expect(
    clippy::large_enum_variant,
    reason = "there are a few of them, and they are not copied"
)]
pub(super) enum EnvironmentStage {
    /// There is a plan, or what is left of one.
    Planned(Box<Planned>),
    Ended(Ending),
}

#[derive(Debug)]
pub(super) struct Ending {
    /// The outcome, or the stable word of an error.
    pub(super) word: String,
    pub(super) exit: Exit,
    pub(super) error: Option<ErrorReport>,
    /// The run; none where it had no effect, or was never begun.
    pub(super) run: Option<EndedRun>,
    /// Whether nothing was done, and the run is as it was: then there is no result.
    pub(super) refused: bool,
    /// A message after the result.
    pub(super) note: Option<String>,
    /// Whether people have seen the result, so that it is written for programs only.
    pub(super) is_shown: bool,
}

impl Ending {
    pub(super) fn well(word: &str, exit: Exit) -> Self {
        Self {
            word: word.to_owned(),
            exit,
            error: None,
            run: None,
            refused: false,
            note: None,
            is_shown: false,
        }
    }

    /// A run that ended by itself.
    pub(super) fn of_run(run: EndedRun) -> Self {
        let (word, exit) = (run.outcome.as_str(), Exit::of_outcome(run.outcome));
        Self {
            run: Some(run),
            ..Self::well(word, exit)
        }
    }

    /// An error that left no run.
    pub(super) fn badly(error: &CliError) -> Self {
        let report = error.report();
        Self {
            error: Some(report.clone()),
            ..Self::well(report.kind, report.class.into())
        }
    }

    /// A run that was left before its end. The exit code follows from the reason.
    pub(super) fn of_halted(halted: Halted) -> Self {
        let Halted { why, run } = halted;
        let begun = run
            .as_ref()
            .is_some_and(|run| run.outcome == Outcome::Stopped);
        let resumable = why.is_resumable();
        let report = ErrorReport::of_run(&why, run.as_ref().map(|run| &run.reference));
        let report = with_support(report);
        let exit = match report.class.into() {
            Exit::Interrupted => Exit::Interrupted,
            _ if begun && resumable => Exit::Stopped,
            exit => exit,
        };
        Self {
            error: Some(report.clone()),
            // Nothing was done with a plan that no longer matches, and its numbers are no longer valid.
            refused: why.is_stale_plan(),
            run,
            ..Self::well(report.kind, exit)
        }
    }

    /// An error that leaves the run as it is.
    pub(super) fn refused(error: &CliError, run: Option<EndedRun>) -> Self {
        Self {
            run,
            refused: true,
            ..Self::badly(error)
        }
    }

    /// The same ending; a refused run that is only a plan leaves no file where plans are not kept.
    pub(super) fn kept_if(mut self, keeps_plans: bool) -> Self {
        let is_plan = |run: &mut EndedRun| run.outcome == Outcome::Planned;
        if !keeps_plans
            && self.refused
            && let Some(mut run) = self.run.take_if(is_plan)
        {
            run.forget();
        }
        self
    }

    /// Prints the error, and how to continue a run that was left.
    pub(super) fn print_status(&self, app: &App, name: Option<&str>) {
        let Some(report) = &self.error else { return };
        let whose = name.map_or_else(String::new, |name| format!("{name}: "));
        let message = format!("{whose}{}", report.message);
        remember(app.output.state_dir.as_deref(), app.command, report);
        app.printer.error(&message, report.hint.as_deref());
        self.print_how_to_resume(name);
    }

    /// Prints only how to continue, because the error is printed elsewhere.
    pub(super) fn print_how_to_resume(&self, name: Option<&str>) {
        let whose = name.map_or_else(String::new, |name| format!("{name}: "));
        let Some(run) = &self.run else { return };
        // The hint says how to plan again.
        let is_stale = |report: &ErrorReport| report.kind == STALE_PLAN;
        if self.error.as_ref().is_some_and(is_stale) {
            return;
        }
        match run.outcome {
            Outcome::Stopped => Printer::warn(&format!("hint: {whose}{}", how_to_resume(run))),
            Outcome::Planned => Printer::warn(&format!(
                "{whose}The plan is kept: `{}` applies it.",
                RunCommand::Apply.of(&run.reference)
            )),
            Outcome::Complete | Outcome::Partial | Outcome::Nothing => {}
        }
    }

    /// Its line in the table at the end.
    pub(super) fn line(&self, name: &str) -> Result<Overview, CliError> {
        let line = Overview {
            environment: name.to_owned(),
            outcome: self.word.clone(),
            exit: self.exit as u8,
            ..Overview::default()
        };
        let Some((run, path)) = self
            .run
            .as_ref()
            .and_then(|run| Some((run, run.path.as_deref()?)))
        else {
            return Ok(line);
        };
        let users = RunReader::open(path)?.view(|view| view.users())?;
        Ok(Overview {
            users: Some((users.changed, users.failed)),
            run: Some(run_argument(&run.reference)),
            ..line
        })
    }
}

impl EnvironmentRun {
    pub(super) fn planned(name: String, planned: Planned) -> Self {
        Self {
            name,
            stage: EnvironmentStage::Planned(Box::new(planned)),
        }
    }

    pub(super) fn ended(name: String, ending: Ending) -> Self {
        Self {
            name,
            stage: EnvironmentStage::Ended(ending),
        }
    }
}

/// Leaves a plan. A command that has changed something counts as stopped, another one as refused, with the run
/// as it was.
pub(super) async fn leave(planned: Planned, error: CliError, has_changed: bool) -> Ending {
    match error {
        CliError::Declined if has_changed => {
            Ending::of_halted(planned.stop(StopReason::WaveDeclined).await)
        }
        CliError::InterruptedAtPrompt if has_changed => {
            Ending::of_halted(planned.interrupt().await)
        }
        error => match planned.keep().await {
            Ok(run) => Ending::refused(&error, Some(run)),
            Err(halted) => Ending::of_halted(halted),
        },
    }
}

/// Shows a plan before the question. `can_lose` says that items can be deleted from Exchange, by the present setting.
pub(super) fn show_plan(
    app: &App,
    planned: &Planned,
    can_lose: bool,
    is_kept: bool,
) -> Result<(), CliError> {
    let Some(path) = planned.path() else {
        return Ok(());
    };
    let mut run = RunReader::open(path)?;
    run.reference = planned.reference().clone();
    let view = PlanView {
        can_lose,
        is_kept: is_kept && app.keeps_runs,
        by: AppliedBy::ThisCommand(planned.settings()),
    };
    let (mut out, style) = app.printer.status();
    write_one_plan(app, &mut out, &run, view, style)?;
    writeln!(out)
        .and_then(|()| out.flush())
        .map_err(CliError::Output)
}

/// Shows the plan of one of several environments in a few lines.
pub(super) fn show_block(
    app: &App,
    name: (&str, usize),
    planned: &Planned,
    can_lose: bool,
) -> Result<(), CliError> {
    let Some(path) = planned.path() else {
        return Ok(());
    };
    let view = PlanView {
        can_lose,
        is_kept: false,
        by: AppliedBy::ThisCommand(planned.settings()),
    };
    let (mut out, style) = app.printer.status();
    write_plan_block(&mut out, name, &RunReader::open(path)?, style, view)?;
    out.flush().map_err(CliError::Output)
}

/// Shows beside the plans of others why one is refused.
pub(super) fn show_refused(app: &App, name: (&str, usize), why: &str) -> Result<(), CliError> {
    let (mut out, style) = app.printer.status();
    write_left_out_block(&mut out, name, why, style)?;
    out.flush().map_err(CliError::Output)
}

/// Writes the plan of one of several environments.
pub(super) fn write_block_of(
    app: &App,
    name: (&str, usize),
    run: &EndedRun,
    out: &mut dyn StyledWrite,
) -> Result<(), CliError> {
    let Some(path) = run.path.as_deref() else {
        return Ok(());
    };
    let reader = RunReader::open(path)?;
    let view = PlanView {
        can_lose: reader.view(|view| view.can_lose_items())?,
        is_kept: false,
        by: AppliedBy::LaterCommand,
    };
    Ok(write_plan_block(
        out,
        name,
        &reader,
        app.printer.style(),
        view,
    )?)
}

/// Writes a plan on one screen, or with all its facts.
fn write_one_plan(
    app: &App,
    out: &mut dyn StyledWrite,
    run: &RunReader,
    view: PlanView<'_>,
    style: Style,
) -> Result<(), CliError> {
    if !app.details {
        return Ok(write_plan(out, run, style, view)?);
    }
    write_plan_details(out, run, style)?;
    if run.header.target == Target::Templates {
        return Ok(());
    }
    let mut header = run.header.clone();
    if view.can_lose && header.organization.distinct_deletes == Some(true) {
        // The setting was true when the plan was made, and was read again.
        header.organization.distinct_deletes = Some(false);
    }
    if view.can_lose || header.operation == Operation::Deactivate {
        writeln!(out).map_err(CliError::Output)?;
        write_calendar_warning(out, &header, style)?;
    }
    if view.can_lose || header.operation == Operation::Undo {
        writeln!(out).map_err(CliError::Output)?;
        write_undo_limits(out, style)?;
    }
    Ok(())
}

/// Writes the result of a run; for a run that was only planned, the plan.
pub(super) fn write_result(
    app: &App,
    run: &EndedRun,
    out: &mut dyn StyledWrite,
    plan_only: bool,
) -> Result<(), CliError> {
    let Some(path) = run.path.as_deref() else {
        return Ok(());
    };
    let mut reader = RunReader::open(path)?;
    reader.reference = run.reference.clone();
    let style = app.printer.style();
    match app.printer.format {
        Format::Table if plan_only && run.outcome == Outcome::Planned => {
            let view = PlanView {
                can_lose: reader.view(|view| view.can_lose_items())?,
                is_kept: run.is_kept() && app.keeps_runs,
                by: AppliedBy::LaterCommand,
            };
            write_one_plan(app, out, &reader, view, style)?;
        }
        Format::Table => {
            let is_kept = run.is_kept() && app.keeps_runs;
            write_summary(out, &reader, style, is_kept)?;
        }
        Format::Json => write_document(out, &reader)?,
        format @ (Format::Csv | Format::Markdown | Format::Html | Format::Xlsx) => {
            write_run(out, &reader, format, style)?;
        }
    }
    Ok(())
}

/// An error of one environment that has no run yet.
pub(super) fn failed(error: RolloutError) -> Ending {
    Ending::badly(&CliError::from(error))
}

/// How to continue a run that was left.
pub(super) fn how_to_resume(run: &EndedRun) -> String {
    let resume = format!(
        "resume the run with `{}`",
        RunCommand::Resume.of(&run.reference)
    );
    if run.has_written {
        let undo = RunCommand::Undo.of(&run.reference);
        format!("{resume}, or undo it with `{undo}`")
    } else {
        resume
    }
}
