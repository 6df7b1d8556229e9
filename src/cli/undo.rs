//! `undo`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::num::NonZeroUsize;

use crate::journal::{LATEST, Phase, RunReader, RunStore};
use crate::model::{Operation, Outcome, RunId, Target, count};
use crate::plan::RunSettings;
use crate::report::{RunCommand, run_argument};
use crate::rollout::{Connection, NewRunFile, SourceRun};
use crate::settings::RunAddress;

use super::App;
use super::args::UndoArgs;
use super::carry_out::{RunGroup, watches};
use super::change::connect_for_a_change;
use super::connect::{environment_of_run, store};
use super::consent::{self, Consent};
use super::error::CliError;
use super::exit::Exit;
use super::resume::print_lost_log;
use super::run_choice::{find_run, named_by};
use super::runs::EnvironmentNames;
use super::site::{Ending, EnvironmentRun};

/// Undoes a run, as a separate run.
pub(super) async fn undo(app: &App, args: &UndoArgs) -> Result<Exit, CliError> {
    let common = &args.run;
    let store = store(&app.output, Some(&common.connection))?;
    // Held until the end, so that no process resumes the run while it is being undone.
    let path = {
        let names = named_by(&common.connection)?;
        let latest = match &*common.run {
            LATEST => latest_to_undo(&store, names.as_ref())?,
            _ => None,
        };
        find_run(
            &store,
            latest.as_deref().unwrap_or(&common.run),
            names.as_ref(),
        )?
    };
    let source = SourceRun::open_in(&store, &path)?;
    print_lost_log(app, source.reader());
    print_undone(app, &store, &source)?;
    let address = RunAddress {
        claimed: &source.header().environment,
        is_own: path.is_own(),
    };
    let places = [environment_of_run(&common.connection, address)?];
    let mut consent = Consent::new(&common.consent);
    let one = NonZeroUsize::MIN;
    let what = (
        Operation::Undo,
        source.header().target == Target::Filters
            && source.header().operation != Operation::Deactivate,
    );
    // A run that was undone before may need nothing, so the user is not asked yet.
    let early = match source.undone_by()? {
        Some(_) => consent.when_known(),
        None => consent.clone(),
    };
    let connected = connect_for_a_change(app, &places, one, what, &early).await?;
    let settings = RunSettings {
        include_changed: args.include_changed,
        ..consent::settings(&common.consent, &common.connection)
    };
    let mut sites = Vec::new();
    if let Some((name, on)) = connected.into_iter().next() {
        sites.push(put_back_at(app, &on?, (name, source), settings, &store).await);
    }
    let group = RunGroup {
        app,
        sites,
        at_once: one,
        is_narrowed: false,
    };
    group.carry_out(&mut consent).await
}

/// Plans a run that undoes another.
pub(super) async fn put_back_at(
    app: &App,
    on: &Connection,
    (name, source): (String, SourceRun),
    settings: RunSettings,
    store: &RunStore,
) -> EnvironmentRun {
    let at = NewRunFile::InStore(store.clone());
    let gathered = match source.undo(on, &at, settings).await {
        Ok(gathered) => gathered,
        Err(halted) => return EnvironmentRun::ended(name, Ending::of_halted(halted)),
    };
    let (_board, watches) = watches(app, &[&name]);
    let run = gathered.handle();
    match app.during(&watches[0], run, gathered.survey()).await {
        Ok(planned) => EnvironmentRun::planned(name, planned),
        Err(halted) => EnvironmentRun::ended(name, Ending::of_halted(halted)),
    }
}

/// The last run of the named environments that changed something, because a plan that was not applied cannot be undone.
fn latest_to_undo(
    store: &RunStore,
    names: Option<&EnvironmentNames>,
) -> Result<Option<String>, CliError> {
    let (mut runs, unreadable) = store.list()?;
    if let Some(why) = unreadable.into_iter().next() {
        return Err(store.latest_unknown(why).into());
    }
    runs.retain(|run| names.is_none_or(|names| names.is_asked_for(&run.header)));
    if let Some(names) = names {
        names.refuse_unknown()?;
    }
    runs.retain(|run| {
        let is_of_templates = run.header.target == Target::Templates;
        run.filters.changed > 0 || is_of_templates || run.header.outcome == Some(Outcome::Stopped)
    });
    let latest = runs.into_iter().max_by_key(|run| run.header.started);
    Ok(latest.map(|run| run.header.id.as_str().to_owned()))
}

/// Prints what an earlier undo did, and whether that was undone. An unfinished undo has to be finished first.
fn print_undone(app: &App, store: &RunStore, source: &SourceRun) -> Result<(), CliError> {
    let Some(by) = source.undone_by()? else {
        return Ok(());
    };
    let Some(earlier) = opened(store, &by) else {
        return Ok(());
    };
    let (this, by) = (
        run_argument(source.reference()),
        run_argument(&earlier.reference),
    );
    if earlier.header.phase < Phase::Finished {
        return Err(CliError::Usage(format!(
            "run {this} is being undone by run {by}, which is not finished; `{}` finishes it",
            RunCommand::Resume.of(&earlier.reference)
        )));
    }
    let (filters, templates) =
        earlier.view(|view| Ok((view.filters()?, view.template_totals()?)))?;
    let mut said = format!(
        "Run {this} was undone before, by run {by}: {} put back, {} left.",
        count(
            filters.changed + templates.changed,
            earlier.header.target.noun()
        ),
        filters.left + filters.failed + templates.left + templates.failed
    );
    for by in undos_of(store, earlier)? {
        let what = if by.header.phase < Phase::Finished {
            "began to undo"
        } else {
            "undid"
        };
        // Writing to a string cannot fail.
        let _ = write!(said, " Run {} {what} that.", run_argument(&by.reference));
    }
    app.printer.status_line(&said);
    Ok(())
}

fn opened(store: &RunStore, run: &RunId) -> Option<RunReader> {
    let path = store.find(run.as_str()).ok()?;
    Some(RunReader::open(&path).ok()?.of_store(store))
}

/// The undo of a run, the undo of that, and so on.
fn undos_of(store: &RunStore, run: RunReader) -> Result<Vec<RunReader>, CliError> {
    let mut seen = BTreeSet::from([run.header.id.as_str().to_owned()]);
    let (mut undos, mut last) = (Vec::new(), run);
    while let Some(by) = last.view(|view| view.undone_by())? {
        let Some(next) = opened(store, &by).filter(|_| seen.insert(by.as_str().to_owned())) else {
            break;
        };
        undos.push(std::mem::replace(&mut last, next));
    }
    undos.push(last);
    // The first is the run itself.
    undos.remove(0);
    Ok(undos)
}
