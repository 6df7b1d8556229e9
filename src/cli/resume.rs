//! `apply` and `resume`: continue a run that has a file.

use std::num::NonZeroUsize;

use crate::journal::{Narrowed, Phase, RunFile, RunReader};
use crate::model::{Operation, Outcome, count};
use crate::plan::{PlanDigest, Refusal, Selection};
use crate::report::{RunCommand, run_argument, write_differences};
use crate::rollout::{Drift, Drifted, IntoPlan, Opened, narrow, open};
use crate::settings::RunAddress;

use super::App;
use super::args::{ApplyArgs, ResumeArgs, SavedPlanArgs};
use super::carry_out::{RunGroup, watches};
use super::change::connect_for_a_change;
use super::connect::{environment_of_run, store};
use super::consent::{self, Consent};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::run_choice::{find_run, named_by};
use super::scope::narrowing;
use super::site::{Ending, EnvironmentRun};
use super::skipped_names::{names_not_in_plan, print_skipped, skipped_names};

/// Applies a saved plan, if it still matches the environment.
pub(super) async fn apply(app: &App, args: &SavedPlanArgs) -> Result<Exit, CliError> {
    let narrow = narrowing(&args.narrow)?;
    let store = store(&app.output, Some(&args.run.connection))?;
    let path = find_run(
        &store,
        &args.run.run,
        named_by(&args.run.connection)?.as_ref(),
    )?;
    let saved = RunReader::open(&path)?.of_store(&store);
    let (phase, run) = (saved.header.phase, saved.reference.clone());
    drop(saved);
    match phase {
        Phase::Gathering | Phase::Surveying => Err(CliError::Usage(format!(
            "the plan of run {} is not complete; `{}` finishes it",
            run_argument(&run),
            RunCommand::Resume.of(&run)
        ))),
        Phase::Applying => Err(CliError::Usage(format!(
            "run {} has begun to make changes; `{}` finishes it",
            run_argument(&run),
            RunCommand::Resume.of(&run)
        ))),
        Phase::Planned | Phase::Finished => {
            let drifted = if args.replan {
                Drifted::Replan
            } else {
                Drifted::Refuse
            };
            let how = PlanRequirements {
                drifted,
                expect: args.expect.as_ref(),
                narrow,
            };
            Box::pin(continue_run(app, &args.run, how)).await
        }
    }
}

/// Continues from where the run was left.
pub(super) async fn resume(app: &App, args: &ResumeArgs) -> Result<Exit, CliError> {
    let how = PlanRequirements {
        narrow: narrowing(&args.narrow)?,
        ..PlanRequirements::default()
    };
    Box::pin(continue_run(app, &args.run, how)).await
}

/// What is required of a plan before it is agreed to.
#[derive(Default)]
struct PlanRequirements<'a> {
    drifted: Drifted,
    /// The digest that the plan must have.
    expect: Option<&'a PlanDigest>,
    /// The users who stay in it.
    narrow: Option<Selection>,
}

async fn continue_run(
    app: &App,
    args: &ApplyArgs,
    how: PlanRequirements<'_>,
) -> Result<Exit, CliError> {
    let PlanRequirements {
        drifted,
        expect,
        narrow,
    } = how;
    let store = store(&app.output, Some(&args.connection))?;
    let path = find_run(&store, &args.run, named_by(&args.connection)?.as_ref())?;
    // The location of the run has to be known before its file is changed.
    let place = {
        let saved = RunReader::open(&path)?.of_store(&store);
        print_lost_log(app, &saved);
        let (phase, outcome) = (saved.header.phase, saved.header.outcome);
        if phase == Phase::Finished && outcome != Some(Outcome::Partial) {
            return Ok(nothing_left(app, outcome.unwrap_or(Outcome::Complete)));
        }
        let address = RunAddress {
            claimed: &saved.header.environment,
            is_own: path.is_own(),
        };
        if let (Some(digest), Drifted::Refuse, None) = (expect, drifted, &narrow) {
            refuse_other_plan(&saved, digest)?;
        }
        environment_of_run(&args.connection, address)?
    };
    let file = if args.consent.dry_run {
        RunFile::copy(&path)?.of_store(&store)
    } else {
        RunFile::open_in(&store, &path)?
    };
    let phase = file.header.phase;
    let mut consent = Consent::new(&args.consent);
    if let Some(digest) = expect {
        consent.said.expect(digest.clone());
    }
    let one = NonZeroUsize::MIN;
    let kept = file.journal.settings().await?.unwrap_or_default();
    let places = [place.at_pace_of(&kept)];
    let operation = file.header.operation;
    let deactivates = match phase {
        // Failed users are tried again, and are not open yet.
        Phase::Gathering | Phase::Surveying | Phase::Finished => operation == Operation::Deactivate,
        _ => file.journal.left(kept).await?.deactivates,
    };
    let what = (operation, deactivates);
    let connected = connect_for_a_change(app, &places, one, what, &consent).await?;
    let Some((name, on)) = connected.into_iter().next() else {
        return Ok(Exit::Done);
    };
    let on = on?;
    if let Some(to) = &narrow {
        let expected = expect.filter(|_| drifted == Drifted::Refuse);
        narrow_plan(app, &file, to, (expected, args.consent.dry_run)).await?;
    }
    let flags = consent::settings(&args.consent, &args.connection);
    let opened = open(file, &on, flags).await?;
    let site = match lead_to_plan(app, opened, drifted, &name).await? {
        PlannedOrEnded::Run(site) => *site,
        PlannedOrEnded::Ended(outcome) => return Ok(nothing_left(app, outcome)),
    };
    let group = RunGroup {
        app,
        sites: vec![site],
        at_once: one,
        is_narrowed: narrow.is_some(),
    };
    group.carry_out(&mut consent).await
}

/// Warns that a log is gone; the file does not say whether it was merged or deleted.
pub(super) fn print_lost_log(app: &App, run: &RunReader) {
    if run.lost_log {
        app.printer.status_line(&format!(
            "Run {} was killed, and its log is gone. A program that opened the file has added the log to it. If the log \
             was deleted instead, the last changes are missing here; `syncfilters check` shows the filters as they are.",
            run.header.id.short()
        ));
    }
}

/// Removes users from a plan, and prints what is left and which names changed nothing.
async fn narrow_plan(
    app: &App,
    file: &RunFile,
    to: &Selection,
    (expected, is_copy): (Option<&PlanDigest>, bool),
) -> Result<(), CliError> {
    let narrowed = narrow(file, to, expected).await?;
    let said = [
        skipped_names(&narrowed.skipped),
        names_not_in_plan(&narrowed.not_in_plan),
    ];
    for text in said.into_iter().flatten() {
        text.split('\n').for_each(Printer::warn);
    }
    match narrowed.plan {
        Narrowed::OtherPlan(found) => {
            let expected = expected.cloned().unwrap_or_else(|| found.clone());
            let other = Refusal::OtherPlan { found, expected };
            Err(CliError::refused(&[other], Some(&file.reference)))
        }
        Narrowed::NobodyLeft => Err(CliError::Usage(
            "nobody would be left in the plan; the plan is as it was".into(),
        )),
        Narrowed::Done {
            out,
            back,
            digest,
            users,
            filters,
        } => {
            let back = match back {
                0 => String::new(),
                back => format!(" Taken back: {}.", count(back, "user")),
            };
            let begun = match narrowed.begun {
                0 => String::new(),
                begun => format!(
                    " {} of whom changes were sent already stay.",
                    count(begun, "user")
                ),
            };
            app.printer.status_line(&format!(
                "Left out: {}.{back}{begun} The plan now changes {} of {}; its digest is {digest}. {}",
                count(out, "user"),
                count(filters, "filter"),
                count(users, "user"),
                if is_copy {
                    "With --dry-run the plan stays as it was."
                } else {
                    "The plan stays so, whether it is applied now or later."
                },
            ));
            Ok(())
        }
    }
}

/// Refuses a plan with another digest before any request.
fn refuse_other_plan(saved: &RunReader, expected: &PlanDigest) -> Result<(), CliError> {
    let found = saved.view(|view| view.digest())?;
    if found == *expected {
        return Ok(());
    }
    let other = Refusal::OtherPlan {
        found,
        expected: expected.clone(),
    };
    Err(CliError::refused(&[other], Some(&saved.reference)))
}

/// The state of an opened run.
enum PlannedOrEnded {
    /// Its plan, or why there is none.
    Run(Box<EnvironmentRun>),
    /// It has ended, and no user failed in it.
    Ended(Outcome),
}

async fn lead_to_plan(
    app: &App,
    opened: Opened,
    drifted: Drifted,
    name: &str,
) -> Result<PlannedOrEnded, CliError> {
    let tries_again = matches!(opened, Opened::Finished(_));
    let gathers = matches!(opened, Opened::Created(_));
    let (_board, watches) = watches(app, &[name]);
    let run = opened.handle();
    let led = app.during(&watches[0], run, opened.into_plan(drifted));
    let led = led.await;
    let name = name.to_owned();
    let run = match led {
        Ok(IntoPlan::Planned(planned, differences)) => {
            if gathers {
                print_skipped(&planned, &watches[0]).await?;
            }
            if let Some(differences) = &differences {
                show_differences(app, differences)?;
            }
            if tries_again {
                app.printer
                    .status_line("Trying again the users who failed.");
            }
            EnvironmentRun::planned(name, *planned)
        }
        Ok(IntoPlan::Nothing(ended)) => return Ok(PlannedOrEnded::Ended(ended.outcome)),
        Err(halted) => EnvironmentRun::ended(name, Ending::of_halted(halted)),
    };
    Ok(PlannedOrEnded::Run(Box::new(run)))
}

/// Shows how a plan made again differs from the one before.
fn show_differences(app: &App, differences: &Drift) -> Result<(), CliError> {
    let (mut out, style) = app.printer.status();
    write_differences(&mut out, differences, style)?;
    out.flush().map_err(CliError::Output)
}

fn nothing_left(app: &App, outcome: Outcome) -> Exit {
    app.printer
        .status_line("This run is finished; nothing is left to do.");
    Exit::of_outcome(outcome)
}
