//! One run: as it is read, as a plan, while it works, and when it has ended.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;

use super::blocking::blocking;
use super::download::{FILES, FileKind};
use super::events::{is_paused, progress};
use super::form::Fields;
use super::live::{LiveRun, LiveState, questions, usage};
use super::screens::{Failure, Frame, answer};
use super::site::{SharedSite, Site};
use super::users::users_part;
use crate::journal::{Phase, RunReader};
use crate::model::{Operation, Outcome, RunId, Target, count};
use crate::plan::{Confirmations, Stakes, decide};
use crate::report::{ErrorReport, PlanFacts, RunCommand, plan_facts, run_title, write_figures};

/// An action that can be taken: the end of its address, its words, and whether it is not the usual one.
type Action = (&'static str, &'static str, bool);

/// How a run stands, as far as the screen differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// Users and filters are read.
    Reading,
    /// The plan waits for somebody to agree to it.
    Waiting,
    /// States are set.
    Working,
    /// Nobody drives it, and it can be gone on with.
    Saved,
    /// It has ended.
    Over,
}

impl At {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Waiting => "waiting",
            Self::Working => "working",
            Self::Saved => "saved",
            Self::Over => "over",
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "run.html", config = "src/ui/askama.toml")]
struct RunScreen {
    frame: Frame,
    id: String,
    short: String,
    heading: String,
    at: &'static str,
    is_followed: bool,
    is_paused: bool,
    /// What happened before: a wave that is over, or how the plan differs from an earlier one.
    news: Vec<String>,
    /// What the plan costs people.
    price: String,
    /// How many warnings there are; empty without one.
    warned: String,
    problem: Option<ErrorReport>,
    list_warning: Option<String>,
    progress: String,
    plan: Option<PlanFacts>,
    digest: String,
    questions: Vec<Vec<String>>,
    refused: Vec<String>,
    verb: &'static str,
    actions: Vec<Action>,
    overview: String,
    users: Option<String>,
    files: &'static [FileKind],
    commands: Vec<(&'static str, String)>,
}

/// The id of a run in an address: nothing else leads to a file.
pub(super) fn run_id(text: &str) -> Result<RunId, ErrorReport> {
    text.parse()
        .map_err(|_| usage("there is no run with this id"))
}

impl Site {
    /// Opens a run to read it.
    pub(super) fn read(&self, id: &RunId) -> Result<RunReader, ErrorReport> {
        self.files.read(id)
    }
}

/// Where a run is, from what drives it and from its file.
pub(super) fn standing(state: Option<&LiveState>, run: &RunReader) -> At {
    let (phase, outcome) = (run.header.phase, run.header.outcome);
    match state {
        Some(LiveState::Waiting(_)) => At::Waiting,
        Some(LiveState::Working) if phase < Phase::Planned => At::Reading,
        Some(LiveState::Working) => At::Working,
        Some(LiveState::Over(_)) | None => match (phase, outcome) {
            (Phase::Finished, _) => At::Over,
            _ => At::Saved,
        },
    }
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
        Ok(Shown::Run(screen)) => answer(screen.as_ref()),
        Ok(Shown::Gone(screen)) => answer(&screen),
        Err(problem) => Failure::new(&site, problem).into_response(),
    }
}

/// A run that came to nothing: its file is gone, and why is known.
#[derive(Debug, Template)]
#[template(path = "gone.html", config = "src/ui/askama.toml")]
struct GoneScreen {
    frame: Frame,
    environment: String,
    problem: ErrorReport,
}

/// What there is to show of a run.
enum Shown {
    Run(Box<RunScreen>),
    Gone(GoneScreen),
}

fn screen(site: &Site, id: &str, query: &Fields) -> Result<Shown, ErrorReport> {
    let id = run_id(id)?;
    let live = site.runs.get(&id);
    let state = live.as_ref().map(|live| live.state.borrow().clone());
    let run = match (site.read(&id), &live, &state) {
        (Ok(run), ..) => run,
        (Err(_), Some(live), Some(LiveState::Over(over))) if over.is_gone => {
            let nobody = || usage("nobody was selected, and nothing was kept");
            return Ok(Shown::Gone(GoneScreen {
                frame: Frame::new(site, "choose"),
                environment: live.environment.clone(),
                problem: over.problem.clone().unwrap_or_else(nobody),
            }));
        }
        (Err(unreadable), ..) => return Err(unreadable),
    };
    let live = live.as_deref().zip(state.as_ref());
    run_screen(site, (id, &run, live), query).map(|screen| Shown::Run(Box::new(screen)))
}

fn run_screen(
    site: &Site,
    (id, run, live): (RunId, &RunReader, Option<(&LiveRun, &LiveState)>),
    query: &Fields,
) -> Result<RunScreen, ErrorReport> {
    let at = standing(live.map(|(_, state)| state), run);
    let of_report = |error| ErrorReport::from(&error);
    let waiting = match live {
        Some((_, LiveState::Waiting(plan))) => Some(plan.as_ref()),
        _ => None,
    };
    let stakes = waiting.map(|plan| &plan.stakes);
    let is_begun = run
        .view(|view| view.has_written())
        .map_err(|error| ErrorReport::from(&error))?;
    let templates = run.header.target == Target::Templates;
    let shows_plan =
        matches!(at, At::Waiting | At::Saved) && run.header.phase >= Phase::Planned && !templates;
    let plan = match waiting {
        Some(plan) => Some(plan.facts.clone()),
        None if shows_plan => {
            let can_lose = run.view(|view| view.can_lose_items()).unwrap_or(true);
            Some(plan_facts(run, can_lose).map_err(of_report)?)
        }
        None => None,
    };
    let overview = if is_begun || at == At::Over {
        let mut page = Vec::new();
        let zone = TimeZone::system();
        write_figures(&mut page, run, &zone).map_err(of_report)?;
        // The title of the run is above it.
        let page = String::from_utf8_lossy(&page);
        page.replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    } else {
        String::new()
    };
    let has_users = run.header.phase >= Phase::Planned && !templates;
    let editable = matches!(at, At::Waiting | At::Saved);
    let users = has_users
        .then(|| users_part(site, run, query, (editable, true)))
        .transpose()?;
    let asked = stakes
        .zip(live)
        .map(|(stakes, (live, _))| asked(live, stakes));
    let (asked, refused) = asked.unwrap_or_default();
    let over = match live {
        Some((_, LiveState::Over(over))) => over.problem.clone(),
        _ => None,
    };
    let news = waiting.map(|plan| plan.news.clone()).unwrap_or_default();
    let live = live.map(|(live, _)| live);
    let paused = live.is_some_and(|live| is_paused(live.handle.progress.borrow().activity));
    Ok(RunScreen {
        frame: Frame::new(site, "runs"),
        short: id.short().to_owned(),
        heading: run_title(run).map_err(of_report)?,
        at: at.as_str(),
        is_followed: matches!(at, At::Reading | At::Working),
        is_paused: paused,
        news,
        price: price(plan.as_ref()),
        warned: plan.as_ref().map(warned).unwrap_or_default(),
        problem: site.told(query.text("told")).or(over),
        list_warning: site.list_warning(&id),
        progress: live
            .map(|live| progress(live, run, None))
            .unwrap_or_default(),
        plan,
        digest: stakes
            .and_then(|stakes| stakes.digest.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default(),
        questions: asked,
        refused,
        verb: verb(run.header.operation),
        actions: actions(at, live, run, is_begun),
        overview,
        users,
        files: if run.header.phase >= Phase::Planned {
            &FILES
        } else {
            &[]
        },
        commands: commands(at, run, stakes, is_begun),
        id: id.as_str().to_owned(),
    })
}

fn warned(plan: &PlanFacts) -> String {
    match u64::try_from(plan.warnings.len()).unwrap_or(u64::MAX) {
        0 => String::new(),
        warnings => count(warnings, "warning"),
    }
}

fn price(plan: Option<&PlanFacts>) -> String {
    let facts = plan.map(|plan| plan.facts.as_slice()).unwrap_or_default();
    let impact = facts.iter().find(|(name, _)| *name == "Impact");
    impact
        .map(|(name, value)| format!("{name}: {value}"))
        .unwrap_or_default()
}

const fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::Deactivate => "Deactivate",
        Operation::Reactivate => "Reactivate",
        Operation::Undo => "Put back",
    }
}

/// The questions, a line each; and why the run is refused whatever is said.
fn asked(live: &LiveRun, stakes: &Stakes) -> (Vec<Vec<String>>, Vec<String>) {
    let mut said = Confirmations::default();
    if let Some(digest) = &stakes.digest {
        said.expect(digest.clone());
    }
    let decision = decide(&[stakes], &said);
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

fn actions(at: At, live: Option<&LiveRun>, run: &RunReader, is_begun: bool) -> Vec<Action> {
    let activity = live.map(|live| live.handle.progress.borrow().activity);
    let outcome = run.header.outcome;
    let mut actions = Vec::new();
    match at {
        At::Reading | At::Working => {
            if activity.is_some_and(is_paused) {
                actions.push(("continue", "Continue", false));
            } else {
                actions.push(("pause", "Pause", true));
            }
            actions.push(("stop", "Stop", true));
        }
        At::Waiting => {}
        At::Saved => {
            actions.push((
                "resume",
                if is_begun {
                    "Resume"
                } else {
                    "Compare with the server and continue"
                },
                false,
            ));
            if run.header.phase == Phase::Planned {
                actions.push(("replan", "Plan again where filters changed", true));
            }
            if is_begun {
                actions.push(("undo", "Undo", true));
            }
        }
        At::Over => {
            if outcome == Some(Outcome::Partial) {
                actions.push(("resume", "Retry failed users", false));
            }
            if is_begun {
                actions.push(("undo", "Undo", true));
            }
        }
    }
    actions
}

/// The commands that do the same.
fn commands(
    at: At,
    run: &RunReader,
    stakes: Option<&Stakes>,
    is_begun: bool,
) -> Vec<(&'static str, String)> {
    let of = |command: RunCommand| command.of(&run.reference);
    let mut commands = vec![("Show this run", of(RunCommand::Report))];
    match at {
        At::Waiting | At::Saved if !is_begun && run.header.phase == Phase::Planned => {
            let digest = stakes.and_then(|stakes| stakes.digest.as_ref());
            let expect = digest.map_or_else(String::new, |digest| format!(" --expect {digest}"));
            commands.push(("Apply this plan", of(RunCommand::Apply) + &expect));
        }
        At::Over if run.header.outcome != Some(Outcome::Partial) => {}
        _ => commands.push(("Resume", of(RunCommand::Resume))),
    }
    if is_begun {
        commands.push(("Undo", of(RunCommand::Undo)));
    }
    commands
}
