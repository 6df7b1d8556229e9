//! What can be done with a run: agree, pause, continue, stop, keep, resume, undo. Each is an order to what drives it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use crate::journal::RunFile;
use crate::model::RunId;
use crate::plan::{PlanDigest, RunSettings};
use crate::report::ErrorReport;
use crate::rollout::{Connection, Drifted, NewRunFile, SourceRun, open};

use super::blocking::{blocking, to_its_end};
use super::driver::DriverContext;
use super::form::Posted;
use super::live::{LiveRun, RunStart, not_working, usage};
use super::run_files::run_id;
use super::screens::{ErrorScreen, look_at};
use super::site::{SharedSite, Site};

impl Site {
    /// Drives a run from now on.
    pub(super) fn drive(&self, environment: String, start: RunStart) -> RunId {
        let with = DriverContext {
            stop: self.stop.clone(),
            observer: Arc::clone(&self.observer),
            files: Arc::clone(&self.files),
        };
        self.runs.start(environment, start, with)
    }

    fn driven(&self, id: &RunId) -> Result<Arc<LiveRun>, ErrorReport> {
        let live = self.runs.get(id).filter(|live| live.is_driven());
        live.ok_or_else(|| usage("this run is not under way here; resume it first"))
    }
}

/// The answer to an action on a run: its page, with what went wrong.
fn done(site: &Site, result: Result<RunId, (Option<RunId>, ErrorReport)>) -> Response {
    match result {
        Ok(run) => look_at(&format!("/runs/{run}")),
        Err((Some(run), problem)) => {
            let key = site.keep_problem(problem);
            look_at(&format!("/runs/{run}?problem={key}"))
        }
        Err((None, problem)) => ErrorScreen::new(site, problem).into_response(),
    }
}

/// An action on the run of an address.
async fn act<F>(site: &Site, id: &str, action: impl FnOnce(RunId) -> F) -> Response
where
    F: Future<Output = Result<RunId, ErrorReport>>,
{
    let result = match run_id(id) {
        Ok(run) => action(run.clone())
            .await
            .map_err(|problem| (Some(run), problem)),
        Err(problem) => Err((None, problem)),
    };
    done(site, result)
}

/// An action on a run that is driven here.
async fn steer(site: &Site, id: &str, action: impl FnOnce(&LiveRun)) -> Response {
    let order = async |run: RunId| {
        let live = site.driven(&run)?;
        if !live.is_working() {
            return Err(not_working());
        }
        action(&live);
        Ok(run)
    };
    act(site, id, order).await
}

pub(super) async fn pause(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    _: Posted,
) -> Response {
    steer(&site, &id, |live| live.handle.control.pause()).await
}

pub(super) async fn go_on(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    _: Posted,
) -> Response {
    steer(&site, &id, |live| live.handle.control.go_on()).await
}

pub(super) async fn stop(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    _: Posted,
) -> Response {
    let order = async |run: RunId| {
        let live = site.driven(&run)?;
        // Whoever stops a run whose plan came meanwhile leaves that for later.
        live.handle.control.stop();
        if !live.is_working() {
            live.over().await;
        }
        Ok(run)
    };
    act(&site, &id, order).await
}

pub(super) async fn keep(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    _: Posted,
) -> Response {
    let order = async |run: RunId| {
        let live = site.driven(&run)?;
        live.keep().await?;
        // The next page shows the run as it was left.
        live.over().await;
        Ok(run)
    };
    act(&site, &id, order).await
}

pub(super) async fn agree(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let order = async |run: RunId| {
        let digest = posted.fields.text("digest").parse::<PlanDigest>();
        let shown = digest.map_err(|_| usage("the form does not say which plan it is about"))?;
        let words = posted.fields.all("word").map(str::to_owned).collect();
        // An edit that came before is made before: the plan is then another one.
        let _one_after_another = site.edits.lock().await;
        site.driven(&run)?.agree(words, shown).await?;
        Ok(run)
    };
    act(&site, &id, order).await
}

pub(super) async fn resume(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let drifted = if posted.fields.has("replan") {
        Drifted::Replan
    } else {
        Drifted::Refuse
    };
    act(&site, &id, |run| {
        to_its_end(begin_again(Arc::clone(&site), run, drifted))
    })
    .await
}

async fn begin_again(site: SharedSite, run: RunId, drifted: Drifted) -> Result<RunId, ErrorReport> {
    let _alone = site.start_locks.lock(run.as_str()).await;
    if site.driven(&run).is_ok() {
        return Ok(run);
    }
    if let Some(undo) = site.runs.driven_undo_of(&run) {
        let why = format!(
            "run {}, which undoes this one, is open in this page",
            undo.short()
        );
        return Err(usage(&why).with_hint("End or keep that one first; Runs lists it."));
    }
    let (name, on) = connect_to_run(&site, &run).await?;
    let store = site.store.clone();
    let file = blocking(move || {
        let path = store.find(run.as_str());
        let file = path.and_then(|path| RunFile::open_in(&store, &path));
        file.map_err(|error| ErrorReport::from(&error))
    });
    let opened = open(file.await?, &on, RunSettings::default()).await;
    let opened = opened.map_err(|error| ErrorReport::from(&error))?;
    Ok(site.drive(name, RunStart::Open(opened, drifted)))
}

/// Signs in where a run belongs.
async fn connect_to_run(
    site: &SharedSite,
    run: &RunId,
) -> Result<(String, Connection), ErrorReport> {
    let (read, run) = (Arc::clone(site), run.clone());
    let found = blocking(move || {
        let path = read.store.find(run.as_str());
        let path = path.map_err(|error| ErrorReport::from(&error))?;
        Ok((read.read(&run)?.header, path.is_own()))
    });
    let (header, is_own) = found.await?;
    site.connect_to_run(&header, is_own).await
}

pub(super) async fn undo(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    _: Posted,
) -> Response {
    act(&site, &id, |run| {
        to_its_end(begin_undo(Arc::clone(&site), run))
    })
    .await
}

async fn begin_undo(site: SharedSite, run: RunId) -> Result<RunId, ErrorReport> {
    let _alone = site.start_locks.lock(run.as_str()).await;
    if let Some(undo) = site.runs.undo_of(&run) {
        return Ok(undo);
    }
    if site.driven(&run).is_ok() {
        return Err(usage(
            "the run is under way here; stop it, or keep it for later, and then undo it",
        ));
    }
    let (name, on) = connect_to_run(&site, &run).await?;
    let store = site.store.clone();
    // The run is read from its file meanwhile, which only one thread can do.
    let runtime = tokio::runtime::Handle::current();
    let gathered = blocking(move || {
        let path = store
            .find(run.as_str())
            .map_err(|error| ErrorReport::from(&error))?;
        let source =
            SourceRun::open_in(&store, &path).map_err(|error| ErrorReport::from(&error))?;
        let at = NewRunFile::InStore(store);
        let gathered = runtime.block_on(source.undo(&on, &at, RunSettings::default()));
        gathered.map_err(|halted| ErrorReport::from(&halted.why))
    });
    Ok(site.drive(name, RunStart::Undo(gathered.await?)))
}

pub(super) async fn quit(State(site): State<SharedSite>, _: Posted) -> Response {
    site.stop.cancel();
    super::assets::ended()
}
