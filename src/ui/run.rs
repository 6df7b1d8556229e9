//! One run: as it is read, as a plan, while it works, and when it has ended.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;

use super::blocking::blocking;
use super::download::{FILES, FileKind};
use super::form::Fields;
use super::live::{LiveRun, LiveState, WaitingPlan, questions};
use super::progress::{is_paused, progress};
use super::run_actions::{Action, Done, ScreenState, actions, commands, standing};
use super::run_files::run_id;
use super::screens::{ErrorScreen, Frame, answer};
use super::site::{SharedSite, Site};
use super::users::users_part;
use crate::journal::{Phase, ReadError, RunReader, is_in_use};
use crate::model::{RunId, Target, count};
use crate::plan::{Confirmations, Stakes, decide};
use crate::report::{ErrorReport, PlanFacts, plan_facts, run_title, verb, write_figures};

/// Nobody recorded how such a run was left.
const INTERRUPTED: &str = "The run was interrupted.";
/// Its undo in this page has its file.
const UNDO_OPEN: &str = "A run that undoes this one is open in this page: see Runs.";
/// Another program has its file.
const IN_USE: &str = "Another program is at work on this run, or waits for an answer to it.";

#[derive(Debug, Template)]
#[template(path = "run.html", config = "src/ui/askama.toml")]
struct RunScreen {
    frame: Frame,
    id: String,
    short: String,
    heading: String,
    at: &'static str,
    /// Whether it reads or writes.
    is_working: bool,
    /// Whether it can become another one without somebody at this page.
    is_followed: bool,
    is_paused: bool,
    /// What happened before: a wave that is over, or how the plan differs from an earlier one.
    news: Vec<String>,
    /// How many warnings there are; empty without one.
    warned: String,
    problem: Option<ErrorReport>,
    list_warning: Option<String>,
    progress: String,
    plan: Option<PlanFacts>,
    /// The numbers of the plan, in a line.
    sum: String,
    digest: String,
    questions: Vec<Vec<String>>,
    refused: Vec<String>,
    verb: &'static str,
    actions: Vec<Action>,
    /// The run that was begun to undo it.
    undone_by: Option<String>,
    /// What is said where nobody recorded how it was left.
    unfinished: Option<&'static str>,
    figures: String,
    users: Option<String>,
    files: &'static [FileKind],
    commands: Vec<(&'static str, String)>,
}

pub(super) async fn show(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Fields::of_query(query.as_deref());
    // A run file of a hundred thousand users takes its time to count.
    let shown = {
        let site = Arc::clone(&site);
        blocking(move || screen(&site, &id, &query))
    };
    match shown.await {
        Ok(Screen::Run(screen)) => answer(screen.as_ref()),
        Ok(Screen::Removed(screen)) => answer(screen.as_ref()),
        Err(problem) => ErrorScreen::new(&site, problem).into_response(),
    }
}

/// A run that came to nothing: its file is gone, and why is known.
#[derive(Debug, Template)]
#[template(path = "removed.html", config = "src/ui/askama.toml")]
struct RemovedScreen {
    frame: Frame,
    environment: String,
    problem: Option<ErrorReport>,
    /// The plan, where there was nothing to change in it.
    nothing: Option<PlanFacts>,
}

/// What there is to show of a run.
enum Screen {
    Run(Box<RunScreen>),
    Removed(Box<RemovedScreen>),
}

fn screen(site: &Site, id: &str, query: &Fields) -> Result<Screen, ErrorReport> {
    let id = run_id(id)?;
    let live = site.runs.get(&id);
    let state = live.as_ref().map(|live| live.state.borrow().clone());
    let run = match (site.read(&id), &live, &state) {
        (Ok(run), ..) => run,
        (Err(_), Some(live), Some(LiveState::Over(over))) if over.left_no_file => {
            return Ok(Screen::Removed(Box::new(RemovedScreen {
                frame: Frame::new(site, "choose"),
                environment: live.environment.clone(),
                problem: over.problem.clone(),
                nothing: over.nothing.clone(),
            })));
        }
        // Why it ended tells more than that its file is not there.
        (Err(unreadable), _, Some(LiveState::Over(over))) => {
            return Err(over.problem.clone().unwrap_or(unreadable));
        }
        (Err(unreadable), ..) => return Err(unreadable),
    };
    let live = live.as_deref().zip(state.as_ref());
    let current = CurrentRun::of(&run, live)?;
    run_screen(site, &current, query).map(|screen| Screen::Run(Box::new(screen)))
}

/// A run, with what drives it.
struct CurrentRun<'a> {
    run: &'a RunReader,
    live: Option<(&'a LiveRun, &'a LiveState)>,
    at: ScreenState,
    /// Whether it has written.
    is_begun: bool,
    /// The run that was begun to undo it.
    undone_by: Option<RunId>,
}

impl<'a> CurrentRun<'a> {
    fn of(
        run: &'a RunReader,
        live: Option<(&'a LiveRun, &'a LiveState)>,
    ) -> Result<Self, ErrorReport> {
        let read = run.view(|view| Ok::<_, ReadError>((view.has_written()?, view.undone_by()?)));
        let (is_begun, undone_by) = read.map_err(|error| ErrorReport::from(&error))?;
        Ok(Self {
            run,
            live,
            at: standing(live.map(|(_, state)| state), run),
            is_begun,
            undone_by,
        })
    }

    fn waiting(&self) -> Option<&'a WaitingPlan> {
        match self.live {
            Some((_, LiveState::Waiting(plan))) => Some(plan.as_ref()),
            _ => None,
        }
    }

    /// What went wrong at its end.
    fn last_problem(&self) -> Option<ErrorReport> {
        match self.live {
            Some((_, LiveState::Over(over))) => over.problem.clone(),
            _ => None,
        }
    }

    fn done(&self) -> Done {
        Done {
            is_begun: self.is_begun,
            is_undone: self.undone_by.is_some(),
        }
    }

    fn is_planned(&self) -> bool {
        self.run.header.phase >= Phase::Planned
    }

    fn is_of_users(&self) -> bool {
        self.run.header.target == Target::Filters
    }

    /// Whether its plan can be edited.
    fn is_editable(&self) -> bool {
        matches!(self.at, ScreenState::Waiting | ScreenState::Saved)
    }

    fn plan(&self) -> Result<Option<PlanFacts>, ErrorReport> {
        if let Some(plan) = self.waiting() {
            return Ok(Some(plan.facts.clone()));
        }
        if !(self.is_editable() && self.is_planned() && self.is_of_users()) {
            return Ok(None);
        }
        let can_lose = self.run.view(|view| view.can_lose_items()).unwrap_or(true);
        let facts = plan_facts(self.run, can_lose).map_err(|error| ErrorReport::from(&error))?;
        Ok(Some(facts))
    }

    /// What it has done so far.
    fn figures(&self) -> Result<String, ErrorReport> {
        if !self.is_begun && self.at != ScreenState::Over {
            return Ok(String::new());
        }
        let mut page = Vec::new();
        let standing = match self.at {
            ScreenState::Working | ScreenState::Reading => Some("At work."),
            ScreenState::Waiting => Some("The users who are left wait for your answer."),
            ScreenState::Saved | ScreenState::Over => None,
        };
        write_figures(&mut page, (self.run, standing), &TimeZone::system())
            .map_err(|error| ErrorReport::from(&error))?;
        Ok(String::from_utf8_lossy(&page).into_owned())
    }

    fn users(&self, site: &Site, query: &Fields) -> Result<Option<String>, ErrorReport> {
        (self.is_planned() && self.is_of_users())
            .then(|| users_part(site, self.run, query, (self.is_editable(), true)))
            .transpose()
    }
}

fn run_screen(
    site: &Site,
    current: &CurrentRun<'_>,
    query: &Fields,
) -> Result<RunScreen, ErrorReport> {
    let CurrentRun { run, at, .. } = *current;
    let id = &run.header.id;
    let (waiting, live) = (current.waiting(), current.live.map(|(live, _)| live));
    let stakes = waiting.map(|plan| &plan.stakes);
    let asked = stakes.zip(live).map(|(stakes, live)| asked(live, stakes));
    let (questions, refused) = asked.unwrap_or_default();
    let plan = current.plan()?;
    let is_in_use = live.is_none() && is_in_use(run.path());
    let is_being_undone = site.runs.driven_undo_of(id).is_some();
    let progress = live.map(|live| progress(live, run, None));
    Ok(RunScreen {
        frame: Frame::new(site, "runs"),
        id: id.as_str().to_owned(),
        short: id.short().to_owned(),
        heading: run_title(run).map_err(|error| ErrorReport::from(&error))?,
        at: at.as_str(),
        is_working: matches!(at, ScreenState::Reading | ScreenState::Working),
        // By the same look at its state as everything that is drawn: what is not followed stays as it is.
        is_followed: !matches!(at, ScreenState::Saved | ScreenState::Over),
        is_paused: live.is_some_and(is_paused),
        news: waiting.map(|plan| plan.news.clone()).unwrap_or_default(),
        warned: plan.as_ref().map(warned).unwrap_or_default(),
        problem: site
            .take_problem(query.text("problem"))
            .or_else(|| current.last_problem()),
        list_warning: site.list_warning(id),
        progress: progress.unwrap_or_default(),
        sum: plan
            .as_ref()
            .map_or_else(String::new, |plan| sum(plan, stakes)),
        digest: stakes
            .and_then(|stakes| stakes.digest.as_ref())
            .map_or_else(String::new, ToString::to_string),
        plan,
        questions,
        refused,
        verb: verb(run.header.operation),
        actions: if is_in_use || is_being_undone {
            Vec::new()
        } else {
            actions(at, live, run, current.done())
        },
        figures: current.figures()?,
        users: current.users(site, query)?,
        files: if current.is_planned() { &FILES } else { &[] },
        commands: commands(at, run, stakes, current.is_begun),
        undone_by: current.undone_by.as_ref().map(RunId::to_string),
        unfinished: match (is_in_use, run.header.outcome) {
            _ if is_being_undone => Some(UNDO_OPEN),
            (true, _) => Some(IN_USE),
            (false, None) if at == ScreenState::Saved => Some(INTERRUPTED),
            (false, _) => None,
        },
    })
}

/// The numbers of a plan; where the question is about one wave, with the word that they are not.
fn sum(plan: &PlanFacts, stakes: Option<&Stakes>) -> String {
    match plan.last.strip_suffix('.') {
        Some(numbers) if stakes.is_some_and(|stakes| stakes.wave.is_some()) => {
            format!("{numbers} in all waves.")
        }
        _ => plan.last.clone(),
    }
}

fn warned(plan: &PlanFacts) -> String {
    match u64::try_from(plan.warnings.len()).unwrap_or(u64::MAX) {
        0 => String::new(),
        warnings => count(warnings, "warning"),
    }
}

/// The questions, a line each; and why the run is refused whatever is given.
fn asked(live: &LiveRun, stakes: &Stakes) -> (Vec<Vec<String>>, Vec<String>) {
    let mut given = Confirmations::default();
    if let Some(digest) = &stakes.digest {
        given.expect(digest.clone());
    }
    let decision = decide(&[stakes], &given);
    let refused = decision.runs.into_iter().filter_map(Result::err).flatten();
    let prompts = questions(&live.environment, stakes).into_iter();
    let lines = prompts.map(|prompt| {
        prompt
            .text
            .lines()
            .map(|line| line.trim().to_owned())
            .collect()
    });
    (
        lines.collect(),
        refused.map(|why| why.to_string()).collect(),
    )
}
