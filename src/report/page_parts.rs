//! The parts of a run that the local page shows, from the same functions as the terminal and the HTML report.

use std::time::Instant;

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;

use crate::journal::RunReader;
use crate::pacing::Limiting;
use crate::plan::{AppliedBy, PlanDigest};
use crate::rollout::Progress;

use super::error::read_run;
use super::html;
use super::impact::IMPACT;
use super::plan::{self, PlanView};
use super::progress::{Standing, Tracker, step_name};
use super::runs::{NamedRun, cells};
use super::text::{number, rate, span};
use super::{ReportError, run_cells};

/// The facts about a plan, in the order in which the terminal shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanFacts {
    /// Names and values.
    pub facts: Vec<(&'static str, String)>,
    /// Warnings that need a decision, the most important first.
    pub warnings: Vec<String>,
    /// Further notes.
    pub notes: Vec<String>,
    /// The number of filters and users.
    pub last: String,
    /// The fact about what users lose, as a line; empty where nobody can lose anything.
    pub impact: String,
}

/// The name of the fact with the digest.
const DIGEST: &str = "Digest";

impl PlanFacts {
    /// Replaces the digest of the plan by that of what is left of it.
    pub fn set_digest(&mut self, digest: Option<&PlanDigest>) {
        self.facts.retain(|(name, _)| *name != DIGEST);
        let digest = digest.map(|digest| (DIGEST, digest.to_string()));
        self.facts.extend(digest);
    }
}

/// The facts about a plan. `can_lose` says whether items can be deleted from Exchange by the present setting.
pub fn plan_facts(run: &RunReader, can_lose: bool) -> Result<PlanFacts, ReportError> {
    let settings = run.view(|view| view.settings())?.unwrap_or_default();
    let of = PlanView {
        can_lose,
        is_kept: true,
        by: AppliedBy::ThisCommand(&settings),
    };
    let lines = run.view(|view| view.at_one_instant(|view| plan::lines_of(view, run, of)))?;
    let mut facts = lines.facts;
    // The page has no flags.
    if let Some((_, text)) = facts
        .iter_mut()
        .find(|(name, text)| *name == IMPACT && text.contains("--impact"))
    {
        "not counted: a new plan can count the coming items".clone_into(text);
    }
    let impact = facts.iter().find(|(name, _)| *name == IMPACT);
    let impact = impact.map_or_else(String::new, |(name, value)| format!("{name}: {value}"));
    facts.extend(lines.digest.map(|digest| (DIGEST, digest.to_string())));
    let (warnings, notes) = lines
        .notes
        .into_iter()
        .partition(super::plan_notes::Note::warns);
    let texts = |notes: Vec<super::plan_notes::Note>| notes.into_iter().map(|note| note.text);
    Ok(PlanFacts {
        impact,
        facts,
        warnings: texts(warnings).collect(),
        notes: texts(notes).collect(),
        last: lines.last,
    })
}

/// A run in one line: its operation, types and organisation.
pub fn run_title(run: &RunReader) -> Result<String, ReportError> {
    Ok(run_cells::title(&run.view(|view| view.header())?))
}

/// Writes the result of a run as a part of a page, below its title: what the HTML report has above its list of users.
/// `standing` says how the run stands, for whoever knows that better than its file.
pub fn write_figures(
    out: &mut dyn std::io::Write,
    (run, standing): (&RunReader, Option<&str>),
    zone: &TimeZone,
) -> Result<(), ReportError> {
    read_run(run, |view| {
        html::write_figures_of(out, (view, standing), zone)
    })
}

/// Writes the requests over time as a part of a page.
pub fn write_times_of(
    out: &mut dyn std::io::Write,
    run: &RunReader,
    zone: &TimeZone,
) -> Result<(), ReportError> {
    read_run(run, |view| html::write_times_of(out, view, zone))
}

/// The style sheet of every page.
pub const PAGE_STYLE: &str = html::STYLE;

/// The cells of a run in the form of `runs`: id, time, environment, operation, users, result.
pub fn run_row(run: &NamedRun, now: &ZonedDateTime) -> Vec<String> {
    cells(run, now)
}

/// Follows a run from the first call.
#[derive(Debug)]
pub struct RunFollower(Tracker);

/// The progress of a run, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgressWords {
    /// The present step; empty between two steps.
    pub step: String,
    /// Users who are done, or found.
    pub done: u64,
    /// Users in all, where known.
    pub total: Option<u64>,
    /// The number of users done, of all.
    pub counted: String,
    /// Users that failed.
    pub failed: u64,
    /// Recent users per second.
    pub rate: String,
    /// The approximate remaining time.
    pub left: String,
    /// What limits the speed.
    pub limit: String,
}

impl RunFollower {
    /// Starts with the present progress.
    pub fn new(progress: &Progress) -> Self {
        Self(Tracker::new(progress, Instant::now()))
    }

    /// The present progress of the run.
    pub fn words(&mut self, progress: &Progress, limiting: Limiting) -> ProgressWords {
        let now = Instant::now();
        self.0.update(progress, now);
        let Some(standing) = self.0.standing(now) else {
            return ProgressWords::default();
        };
        let Standing {
            step,
            done,
            total,
            failed,
            per_second,
            ..
        } = standing;
        let of = total.map_or_else(String::new, |total| format!(" of {}", number(total)));
        ProgressWords {
            step: step_name(step).to_owned(),
            done,
            total,
            counted: format!("{}{of}", number(done)),
            failed,
            rate: per_second.map(rate).unwrap_or_default(),
            left: standing.left().map(span).unwrap_or_default(),
            limit: limiting.to_string(),
        }
    }
}
