//! `undo`.

use crate::dataverse::Reader;
use crate::journal::{RunFile, RunReader, RunStore};
use crate::model::{Operation, RunId};
use crate::plan::{Criteria, Selection, Types};
use crate::rollout::{Started, SurveyMode};

use super::App;
use super::args::ApplyArgs;
use super::connect::{connect, store, target};
use super::consent::{self, Consent};
use super::driver::Driver;
use super::error::CliError;
use super::exit::Exit;

/// Puts back what a run changed, as a run of its own.
pub(super) async fn undo(app: &App, args: &ApplyArgs) -> Result<Exit, CliError> {
    let store = store(&app.output)?;
    // Held until the end, so that nobody resumes the run while it is being undone.
    let source = RunReader::open_at_rest(&store.find(&args.run)?)?;
    let target = target(&args.connection, Some(&source.head.environment))?;
    let consent = Consent::new(&args.consent, target.guards.clone());
    consent::foresee(&consent, false)?;
    let reader = connect(target, &app.interrupted).await?;
    put_back(app, reader, &store, &source, &consent).await
}

/// The whole of a run that undoes another.
pub(super) async fn put_back(
    app: &App,
    reader: Reader,
    store: &RunStore,
    source: &RunReader,
    consent: &Consent<'_>,
) -> Result<Exit, CliError> {
    let started = Started {
        operation: Operation::Undo,
        undoes: Some(source.head.id.clone()),
        selection: Selection::default(),
        criteria: Criteria::new(Types::All, source.head.criteria.kinds().to_vec(), None)?,
    };
    let id = RunId::random();
    let path = store.path_for(&id)?;
    let file = RunFile::create(&path, started.head(id, &reader))?;
    let driver = Driver::new(&app.printer, reader, file, &app.interrupted)?;
    let gathered = driver.stretch(driver.rollout().gather_undo(source)).await;
    let planned = match gathered {
        Ok(()) => driver.survey(SurveyMode::Impersonation).await,
        stopped => stopped,
    };
    match planned {
        Ok(()) => driver.agree_and_apply(consent).await,
        stopped => driver.end(stopped).await,
    }
}
