//! `deactivate`, `reactivate` and `plan`.

use crate::dataverse::Reader;
use crate::journal::{Asked, RunFile, RunStore};
use crate::model::{Operation, RunId};
use crate::rollout::{Started, SurveyMode};

use super::App;
use super::args::{ChangeArgs, PlanArgs, PlanOperation};
use super::connect::{connect, store, target};
use super::consent::{self, Consent};
use super::driver::Driver;
use super::error::CliError;
use super::exit::Exit;
use super::many::{self, places};
use super::scope::{asked, criteria, selection};
use super::scope_args::ScopeArgs;

/// Plans, shows, asks, applies and sums up.
pub(super) async fn change(
    app: &App,
    operation: Operation,
    args: &ChangeArgs,
) -> Result<Exit, CliError> {
    let started = started(operation, &args.scope)?;
    let asked = asked(operation, &args.foresight, &args.scope)?;
    if let Some(places) = places(&args.connection, &app.output)? {
        return many::change(app, (started, asked), args, &places).await;
    }
    let target = target(&args.connection, None)?;
    let consent = Consent::new(&args.consent, target.guards.clone());
    consent::foresee(&consent, false)?;
    let reader = connect(target, &app.interrupted).await?;
    consent::foresee(&consent, can_lose(operation, &reader))?;
    let store = store(&app.output)?;
    let survey = args.scope.survey.into();
    carry_out(app, reader, &store, (started, asked), survey, &consent).await
}

/// Whether what is about to be done can empty calendars.
pub(super) fn can_lose(operation: Operation, reader: &Reader) -> bool {
    let spared = reader.identity().organization.distinct_deletes == Some(true);
    operation == Operation::Deactivate && !spared
}

/// The whole of a new run.
pub(super) async fn carry_out(
    app: &App,
    reader: Reader,
    store: &RunStore,
    (started, asked): (Started, Asked),
    survey: SurveyMode,
    consent: &Consent<'_>,
) -> Result<Exit, CliError> {
    let id = RunId::random();
    let path = store.path_for(&id)?;
    let file = RunFile::create(&path, started.head(id, &reader))?;
    let driver = Driver::new(&app.printer, reader, file, &app.interrupted)?;
    driver.find_out(asked).await?;
    match driver.gather_and_survey(survey).await {
        Ok(()) => driver.agree_and_apply(consent).await,
        stopped => driver.end(stopped).await,
    }
}

/// Plans, shows and keeps the plan.
pub(super) async fn plan(app: &App, args: &PlanArgs) -> Result<Exit, CliError> {
    let operation = match args.operation {
        PlanOperation::Deactivate => Operation::Deactivate,
        PlanOperation::Reactivate => Operation::Reactivate,
    };
    let started = started(operation, &args.scope)?;
    let asked = asked(operation, &args.foresight, &args.scope)?;
    if let Some(places) = places(&args.connection, &app.output)? {
        return many::plan(app, (started, asked), args, &places).await;
    }
    let target = target(&args.connection, None)?;
    let reader = connect(target, &app.interrupted).await?;
    let id = RunId::random();
    let path = match &args.out {
        Some(path) => path.clone(),
        None => store(&app.output)?.path_for(&id)?,
    };
    let file = RunFile::create(&path, started.head(id, &reader))?;
    let driver = Driver::new(&app.printer, reader, file, &app.interrupted)?;
    driver.find_out(asked).await?;
    match driver.gather_and_survey(args.scope.survey.into()).await {
        Ok(()) => driver.keep_plan(args.detailed_exitcode).await,
        stopped => driver.end(stopped).await,
    }
}

pub(super) fn started(operation: Operation, scope: &ScopeArgs) -> Result<Started, CliError> {
    Ok(Started {
        operation,
        undoes: None,
        selection: selection(scope)?,
        criteria: criteria(scope)?,
    })
}
