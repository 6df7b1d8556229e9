//! A plan on one screen: operation, environment, caller, impact, and warnings.

use console::{measure_text_width, truncate_str};

use crate::journal::{
    FilterTotals, Phase, ReadError, RunHeader, RunReader, RunRef, TypeTotals, UserTotals, View,
};
use crate::model::{Operation, Target, UserOutcome};
use crate::plan::{AppliedBy, Criteria, Estimate, PlanDigest};

use super::impact::{IMPACT, ImpactReport, total_of_impact};
use super::paint::Tone;
use super::plan_facts::{CALLER, MOST, NAMES, WHERE, fact_rows};
use super::plan_notes::{Note, Weight, left_out, of_calendars, of_findings};
use super::run_command::{RunCommand, report_only};
use super::templates::write_run_of_templates;
use super::text::{clean, count, number};
use super::time_words::time_words;
use super::user_choice::UserClass;
use super::writer::{StyledWrite, paint_line};
use super::{Format, ReportError, Style, phrases};

/// The most lines of a plan. With an empty line and the three of the question it fits a terminal of 24 lines. The
/// question about a wave takes one more.
const LINES: usize = 19;
/// The number of users who lose most that are named: they fit on one line.
const NAMED: u32 = 3;
/// How a plan is shown.
#[derive(Clone, Copy, Debug)]
pub struct PlanView<'a> {
    /// Whether items can be deleted from Exchange, by the organisation's present setting.
    pub can_lose: bool,
    /// Whether later commands can name the run.
    pub is_kept: bool,
    /// Which command makes the changes.
    pub by: AppliedBy<'a>,
}

/// Writes the plan of a run on one screen, for any number of users. No line is wider than the screen.
pub fn write_plan(
    out: &mut dyn StyledWrite,
    run: &RunReader,
    style: Style,
    of: PlanView<'_>,
) -> Result<(), ReportError> {
    if run.header.target == Target::Templates {
        return write_run_of_templates(out, run, Format::Table, style);
    }
    let PlanLines {
        facts,
        digest,
        details,
        notes,
        last,
    } = run.view(|view| view.at_one_instant(|view| lines(view, run, of, style)))?;
    let fit = |text: &str| truncate_str(&clean(text), style.width, "…").into_owned();
    let digest = digest.map_or_else(String::new, |digest| format!(", digest {digest}"));
    let title = format!(
        "Plan {}: {}{digest}",
        run.header.id.short(),
        phrases::operation(&run.header)
    );
    let count_of = |least| notes.iter().filter(|note| note.weight <= least).count();
    let (warnings, needed) = (count_of(Weight::Warning), count_of(Weight::Effect));
    // The hint at what is not shown takes a line.
    let needed = needed + usize::from(needed < notes.len());
    let asks_of_wave =
        matches!(of.by, AppliedBy::ThisCommand(settings) if !settings.waves.is_empty());
    let most = LINES - 2 - usize::from(of.is_kept) - usize::from(asks_of_wave);
    let facts = fact_rows(&facts, most, (needed, warnings), style.width);
    let room = most.saturating_sub(facts.len());
    let (shown, more) = if notes.len() > room {
        (room.saturating_sub(1), notes.len() - room.saturating_sub(1))
    } else {
        (notes.len(), 0)
    };
    paint_line(out, Tone::Strong, &fit(&title))?;
    for line in facts {
        paint_line(out, Tone::Plain, &line)?;
    }
    if let Some(details) = details {
        // A cut command could not be typed: a terminal breaks a long line by itself.
        paint_line(out, Tone::Plain, &format!("Details   {details}"))?;
    }
    for note in &notes[..shown] {
        let (mark, tone) = if note.warns() {
            ('!', Tone::Warning)
        } else {
            ('-', Tone::Plain)
        };
        paint_line(out, tone, &fit(&format!("{mark}  {}", note.text)))?;
    }
    if more > 0 {
        let (mark, tone, warns) = match warnings.saturating_sub(shown) {
            0 => ('-', Tone::Dimmed, String::new()),
            1 => ('!', Tone::Warning, ", 1 a warning".to_owned()),
            hidden => ('!', Tone::Warning, format!(", {hidden} of them warnings")),
        };
        paint_line(out, tone, &format!("{mark}  {more} more{warns}: --details"))?;
    }
    paint_line(out, Tone::Strong, &fit(&last))?;
    Ok(())
}

pub(super) struct PlanLines {
    pub(super) facts: Vec<(&'static str, String)>,
    /// What `--expect` accepts; none where nothing is to be changed.
    pub(super) digest: Option<PlanDigest>,
    /// The command that shows more; none where later commands cannot name the run.
    details: Option<String>,
    pub(super) notes: Vec<Note>,
    pub(super) last: String,
}

/// All facts about a plan, for output with enough room.
pub(super) fn lines_of(
    view: &View<'_>,
    run: &RunReader,
    of: PlanView<'_>,
) -> Result<PlanLines, ReadError> {
    lines(view, run, of, Style { width: usize::MAX })
}

fn lines(
    view: &View<'_>,
    run: &RunReader,
    of: PlanView<'_>,
    style: Style,
) -> Result<PlanLines, ReadError> {
    let header = view.header()?;
    let (users, filters) = (view.users()?, view.filters()?);
    let to_change = view.users_to_change()?;
    let report = ImpactReport::read_ahead(view, &header, NAMED)?;
    let not_read = match header.phase {
        Phase::Gathering | Phase::Surveying => users.planned.saturating_sub(to_change),
        _ => 0,
    };
    let mut facts = about(&header);
    if let Some(run) = &header.undoes {
        let named = view.some_to_change(NAMED)?;
        let shown = u64::try_from(named.len()).unwrap_or(u64::MAX);
        let more = to_change.saturating_sub(shown);
        let more = match more {
            0 => String::new(),
            more => format!(", and {} more", number(more)),
        };
        facts.push((
            "Of",
            format!("run {}: {}{more}", run.short(), named.join(", ")),
        ));
    }
    facts.extend(impact_lines(&header, &report, style.width));
    facts.push(("Users", users_line(&users, not_read)));
    facts.push((
        "Filters",
        filters_line(&filters, &view.types()?, style.width),
    ));
    let left_out = left_out(&view.problem_groups()?);
    facts.extend(left_out.into_iter().filter(|(_, text)| !text.is_empty()));
    if filters.planned > 0 {
        facts.push(time_fact(view, to_change, of.by)?);
    }
    let digest = view.recorded_digest()?.filter(|_| filters.planned > 0);
    let mut notes = of_calendars(&header, of.can_lose && filters.planned > 0);
    notes.extend(of_findings(report.findings()));
    notes.sort_by_key(|note| note.weight);
    let last = match filters.planned {
        0 => "Nothing to change.".to_owned(),
        planned => format!(
            "{} of {} to change.",
            count(planned, "filter"),
            count(to_change, "user")
        ),
    };
    Ok(PlanLines {
        facts,
        digest,
        details: of
            .is_kept
            .then(|| details(&users, &run.reference, style.width)),
        notes,
        last,
    })
}

/// Environment, caller, and unusual parts of the selection.
fn about(header: &RunHeader) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        (
            WHERE,
            format!("{}, {}", header.organization.name, header.environment),
        ),
        (CALLER, header.caller.user.clone()),
    ];
    if header.undoes.is_none() {
        if header.selection != crate::plan::Selection::default() {
            facts.push(("Selected", header.selection.describe()));
        }
        if header.criteria.describe() != Criteria::default().describe() {
            facts.push(("Which", header.criteria.describe()));
        }
    }
    facts
}

/// The command that shows the users who are left out, or the run if that command is too long for a line.
fn details(users: &UserTotals, run: &RunRef, width: usize) -> String {
    let left_out = [
        (users.skipped, UserOutcome::Skipped),
        (users.failed, UserOutcome::Failed),
        (users.left_out, UserOutcome::LeftOut),
    ];
    let left_out = left_out.into_iter().filter(|(users, _)| *users > 0);
    let only: Vec<_> = left_out
        .map(|(_, outcome)| UserClass::Outcome(outcome))
        .collect();
    let command = format!("`{}`", report_only(run, &only));
    if NAMES + measure_text_width(&command) <= width {
        return command;
    }
    format!("`{}`", RunCommand::Report.of(run))
}

fn users_line(users: &UserTotals, not_read: u64) -> String {
    let outcomes = phrases::parts(&[
        (users.planned.saturating_sub(not_read), "to change"),
        (users.changed, "changed"),
        (users.unchanged + users.left, "without a change"),
        (users.left_out, "left out"),
        (users.skipped, "skipped"),
        (users.failed, "failed"),
        (not_read, "not read yet"),
    ]);
    format!("{}{outcomes}", number(users.selected))
}

/// The filters to change by type. The number of those that match is left out where a line does not hold it.
fn filters_line(filters: &FilterTotals, types: &[TypeTotals], width: usize) -> String {
    let (planned, types) = (number(filters.planned), by_type(types));
    let whole = format!("{planned} of {} to change{types}", number(filters.matching));
    if NAMES + measure_text_width(&whole) <= width {
        return whole;
    }
    format!("{planned} to change{types}")
}

fn by_type(types: &[TypeTotals]) -> String {
    let planned = types.iter().filter(|of| of.planned > 0);
    let planned: Vec<_> = planned
        .map(|of| {
            let name = phrases::short_type(of.filter_type.as_str());
            format!("{name} {}", number(of.planned))
        })
        .collect();
    match &planned[..] {
        [] => String::new(),
        planned => format!(": {}", planned.join(", ")),
    }
}

fn impact_lines(
    header: &RunHeader,
    report: &ImpactReport,
    width: usize,
) -> Vec<(&'static str, String)> {
    let Some(impact) = &report.impact else {
        let counts = header.operation == Operation::Deactivate;
        let how = "not counted (--impact counts it: one more request per user)";
        return counts
            .then(|| (IMPACT, how.to_owned()))
            .into_iter()
            .collect();
    };
    let largest = impact.most.first();
    let largest = largest.map_or_else(String::new, |of| {
        format!(", up to {} each", number(of.items))
    });
    let total = format!("{}{largest}", total_of_impact(impact));
    // The largest loss is not to be what is cut.
    let fits = NAMES + measure_text_width(&total) <= width;
    let total = if fits {
        total
    } else {
        total.replace("coming item", "item")
    };
    let mut lines = vec![(IMPACT, total)];
    if !impact.most.is_empty() {
        let most = impact.most.iter();
        let most: Vec<_> = most
            .map(|of| format!("{} {}", clean(&of.user), number(of.items)))
            .collect();
        lines.push((MOST, most.join(", ")));
    }
    lines
}

/// The time, where the server's pace is known, and the number of requests.
fn time_fact(
    view: &View<'_>,
    users: u64,
    by: AppliedBy<'_>,
) -> Result<(&'static str, String), ReadError> {
    let Estimate { requests, time } = view.estimate(users, by)?;
    Ok(match time {
        Some(time) => (
            "Time",
            format!(
                "{}, about {}",
                time_words(&time),
                count(requests, "request")
            ),
        ),
        None => ("Requests", format!("about {}", number(requests))),
    })
}

/// The same, for one line of a list.
pub(super) fn time_of(view: &View<'_>, users: u64, by: AppliedBy<'_>) -> Result<String, ReadError> {
    let Estimate { requests, time } = view.estimate(users, by)?;
    let of_requests = || format!("about {}", count(requests, "request"));
    Ok(time.as_ref().map_or_else(of_requests, time_words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{PLAIN, TestStage, header, run, run_of};

    const VIEW: PlanView<'static> = PlanView {
        can_lose: true,
        is_kept: true,
        by: AppliedBy::LaterCommand,
    };

    #[tokio::test]
    async fn the_plan_says_whom_it_is_about_what_it_costs_and_who_is_left_out() {
        let run = run(TestStage::Planned).await;
        let shown = run.shown(|out, run| write_plan(out, run, PLAIN, VIEW));
        insta::assert_snapshot!(shown, @r"
        Plan 3f2a9c: deactivate
        Where     Contoso, https://contoso.crm4.dynamics.com, as admin@contoso.example
        Impact    not counted (--impact counts it: one more request per user)
        Users     8: 5 to change, 1 without a change, 1 skipped, 1 failed
        Filters   5 of 12 to change: appointment 5
        Skipped   1 disabled
        Failed    1 no-roles
        Requests  about 18
        Details   `syncfilters report 3f2a9c --only skipped,failed`
        !  Items can be deleted from Exchange. `undo` cannot bring them back.
        !  DistinctPhysicalAndLogicalDeletesForExchangeSync is unknown (default: off).
        -  Only Dynamics to Exchange stops. What users track in Outlook still comes in.
        5 filters of 5 users to change.
        ");
    }

    #[tokio::test]
    async fn what_was_found_stands_below_what_asks_for_a_decision_first() {
        let run = run(TestStage::ImpactCounted).await;
        let shown = run.shown(|out, run| write_plan(out, run, PLAIN, VIEW));
        insta::assert_snapshot!(shown, @r"
        Plan 3f2a9c: deactivate
        Where     Contoso, https://contoso.crm4.dynamics.com, as admin@contoso.example
        Impact    up to 1,247 coming items of 2 users (2 not known), up to 1,240 each
        Users     8: 5 to change, 1 without a change, 1 skipped, 1 failed
        Filters   5 of 12 to change: appointment 5
        Skipped   1 disabled
        Failed    1 no-roles
        Requests  about 18
        Details   `syncfilters report 3f2a9c --only skipped,failed`
        !  Items can be deleted from Exchange. `undo` cannot bring them back.
        !  DistinctPhysicalAndLogicalDeletesForExchangeSync is unknown (default: off).
        !  A system filter goes on synchronising appointment for everybody: All·[2J.
        !  5 users have no engine in the end.
        !  New users will receive active filters: 1 default template.
        -  1 user has no mailbox that synchronises: no effect in Exchange.
        -  Which mailboxes synchronise could not be read: all users are counted.
        -  1 name of the other engine's list without a user here: zoe@contoso.example
        -  Only Dynamics to Exchange stops. What users track in Outlook still comes in.
        5 filters of 5 users to change.
        ");
    }

    #[tokio::test]
    async fn no_plan_is_longer_or_wider_than_a_screen() {
        for width in [40, 80, 140] {
            for stage in [TestStage::Planned, TestStage::ImpactCounted] {
                for operation in [
                    Operation::Deactivate,
                    Operation::Reactivate,
                    Operation::Undo,
                ] {
                    let run = run_of(header(operation), stage).await;
                    let style = Style { width };
                    let shown = run.shown(|out, run| write_plan(out, run, style, VIEW));
                    assert!(shown.lines().count() <= LINES, "{shown}");
                    let widest = shown.lines().map(measure_text_width).max();
                    assert!(widest.unwrap() <= width, "{width}: {shown}");
                }
            }
        }
    }
}
