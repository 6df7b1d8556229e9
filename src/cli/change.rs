//! `deactivate`, `reactivate` and `plan`.

use std::num::NonZeroUsize;

use crate::connect::{ConnectError, NamedEnvironment, side_by_side};
use crate::dataverse;
use crate::model::{Operation, Outcome};
use crate::plan::Stakes;
use crate::report::RunCommand;
use crate::rollout::{Connection, NewRun, NewRunFile, Planned, SurveyedAs};

use super::App;
use super::args::{ChangeArgs, PlanArgs, PlanOperation};
use super::carry_out::{RunGroup, watches};
use super::conclude::conclude;
use super::connect::{connector, environments, store};
use super::consent::{self, Consent, expected};
use super::error::CliError;
use super::exit::Exit;
use super::printer::STANDARD_OUTPUT;
use super::scope::{asked, criteria, selection};
use super::scope_args::ScopeArgs;
use super::site::{Ending, EnvironmentRun, EnvironmentStage};
use super::skipped_names::print_skipped;

/// Plans, shows, asks, applies and sums up.
pub(super) async fn change(
    app: &App,
    operation: Operation,
    args: &ChangeArgs,
) -> Result<Exit, CliError> {
    let mut new = new_run(operation, &args.scope)?;
    new.asked = asked(operation, &args.impact, &args.scope)?;
    new.settings = crate::plan::RunSettings {
        survey: new.settings.survey,
        ..consent::settings(&args.consent, &args.connection)
    };
    if new.settings.waves.is_empty() && new.settings.wave_pause.is_some() {
        return Err(CliError::Usage("--wave-pause needs --wave".into()));
    }
    let places = environments(&args.connection, &app.output)?;
    let mut consent = Consent::new(&args.consent);
    let at = NewRunFile::InStore(store(&app.output, Some(&args.connection))?);
    let at_once = args.several.environments_at_once;
    let what = (operation, operation == Operation::Deactivate);
    let connected = connect_for_a_change(app, &places, at_once, what, &consent).await?;
    let sites = plan_all(app, new, &at, at_once, connected).await;
    let group = RunGroup {
        app,
        sites,
        at_once,
        is_narrowed: false,
    };
    group.carry_out(&mut consent).await
}

/// Signs in. Refuses a change whose answers will be missing: before any request, and again when it is
/// known whether items can be lost. `deactivates` says whether filters are to be deactivated.
pub(super) async fn connect_for_a_change(
    app: &App,
    places: &[NamedEnvironment],
    at_once: NonZeroUsize,
    (operation, deactivates): (Operation, bool),
    consent: &Consent,
) -> Result<Vec<(String, Result<Connection, ConnectError>)>, CliError> {
    let all = |calendar_loss| -> Vec<Stakes> {
        let of =
            |place: &NamedEnvironment| expected(operation, calendar_loss, &place.target.guards);
        places.iter().map(of).collect()
    };
    if consent.check_early(&all(false)).is_err() {
        // All missing answers are named together.
        consent.check_early(&all(deactivates))?;
    }
    let connected = connector(app).connect_all(places, at_once).await;
    let known = connected.iter().filter_map(|(_, on)| {
        let on = on.as_ref().ok()?;
        let loss = deactivates && !is_spared(on);
        Some(expected(operation, loss, on.guards()))
    });
    consent.check_early(&known.collect::<Vec<_>>())?;
    Ok(connected)
}

/// Whether items that no filter selects any more stay in Exchange.
fn is_spared(on: &Connection) -> bool {
    on.reader().identity().organization.distinct_deletes == Some(true)
}

/// Makes all plans in parallel. A failure ends only its environment.
pub(super) async fn plan_all(
    app: &App,
    new: NewRun,
    at: &NewRunFile,
    at_once: NonZeroUsize,
    connected: Vec<(String, Result<Connection, ConnectError>)>,
) -> Vec<EnvironmentRun> {
    let names: Vec<_> = connected.iter().map(|(name, _)| name.clone()).collect();
    let shown: Vec<_> = names.iter().map(String::as_str).collect();
    let (board, watches) = watches(app, &shown);
    let work = connected.into_iter().zip(watches).map(|((_, on), watch)| {
        let new = new.clone();
        async move {
            let on = match on {
                Ok(on) => on,
                Err(error) => return Err(Ending::badly(&error.into())),
            };
            if app.interrupted.is_cancelled() {
                let error = CliError::from(dataverse::Error::Interrupted);
                return Err(Ending::badly(&error));
            }
            let created = match new.create(&on, at) {
                Ok(created) => created,
                Err(error) => return Err(Ending::badly(&error.into())),
            };
            let run = created.handle();
            let planned = async { created.gather().await?.survey().await };
            let planned = app.during(&watch, run, planned).await;
            let planned = planned.map_err(Ending::of_halted)?;
            if let Err(error) = print_skipped(&planned, &watch).await {
                return Err(Ending::badly(&error));
            }
            if let SurveyedAs::FellBack(why) = planned.surveyed_as() {
                watch.print_line(&fell_back(why));
            }
            Ok(planned)
        }
    });
    let planned = side_by_side(at_once, work).await;
    drop(board);
    let several = names.len() > 1;
    let site = |(name, planned): (String, Result<Planned, Ending>)| match planned {
        Ok(planned) => EnvironmentRun::planned(name, planned),
        Err(ending) => {
            if several {
                ending.print_status(app, Some(&name));
            }
            EnvironmentRun::ended(name, ending)
        }
    };
    names.into_iter().zip(planned).map(site).collect()
}

/// The message where the administrator's survey cannot be used.
pub(super) fn fell_back(why: &crate::rollout::FallBack) -> String {
    format!(
        "warning: every user was read by impersonation, because the survey as administrator is not reliable here: {why}"
    )
}

/// Plans, shows and keeps the plan.
pub(super) async fn plan(app: &App, args: &PlanArgs) -> Result<Exit, CliError> {
    let operation = match args.operation {
        PlanOperation::Deactivate => Operation::Deactivate,
        PlanOperation::Reactivate => Operation::Reactivate,
    };
    let mut new = new_run(operation, &args.scope)?;
    new.asked = asked(operation, &args.impact, &args.scope)?;
    let places = environments(&args.connection, &app.output)?;
    let at = match &args.out {
        Some(_) if places.len() > 1 => {
            let why =
                "--out keeps one plan; of several environments each plan is kept among the runs";
            return Err(CliError::Usage(why.into()));
        }
        Some(path) if path.as_os_str() == STANDARD_OUTPUT => {
            let why = "--out names a file: a plan is a database, which cannot be written to standard output";
            return Err(CliError::Usage(why.into()));
        }
        Some(path) => NewRunFile::At(path.clone()),
        None => NewRunFile::InStore(store(&app.output, Some(&args.connection))?),
    };
    let at_once = args.several.environments_at_once;
    let connected = connector(app).connect_all(&places, at_once).await;
    let mut sites = plan_all(app, new, &at, at_once, connected).await;
    let several = sites.len() > 1;
    for site in &mut sites {
        keep(site, args.detailed_exitcode, several).await?;
    }
    conclude(app, sites, true)
}

async fn keep(site: &mut EnvironmentRun, detailed: bool, several: bool) -> Result<(), CliError> {
    let taken = EnvironmentStage::Ended(Ending::well("", Exit::Done));
    let planned = match std::mem::replace(&mut site.stage, taken) {
        EnvironmentStage::Planned(planned) => planned,
        ended @ EnvironmentStage::Ended(_) => {
            site.stage = ended;
            return Ok(());
        }
    };
    let failed = planned.journal().user_totals().await?.failed;
    let ending = match planned.keep().await {
        Ok(run) if run.outcome == Outcome::Planned => {
            let whose = if several {
                format!("{}: nothing", site.name)
            } else {
                "Nothing".to_owned()
            };
            let note = format!(
                "{whose} was changed. `{}` applies this plan.",
                RunCommand::Apply.of(&run.reference)
            );
            Ending {
                exit: match (detailed, failed) {
                    (true, _) => Exit::Pending,
                    (false, 0) => Exit::Done,
                    (false, _) => Exit::Partial,
                },
                note: Some(note),
                ..Ending::of_run(run)
            }
        }
        Ok(run) => Ending::of_run(run),
        Err(halted) => Ending::of_halted(halted),
    };
    site.stage = EnvironmentStage::Ended(ending);
    Ok(())
}

/// A new run with the selection and criteria of the flags.
pub(super) fn new_run(operation: Operation, scope: &ScopeArgs) -> Result<NewRun, CliError> {
    let mut new = NewRun::of(operation);
    new.selection = selection(scope)?;
    new.criteria = criteria(scope)?;
    new.survey_is_chosen = scope.survey.is_some();
    new.settings.survey = scope.survey.map(Into::into).unwrap_or_default();
    Ok(new)
}
