//! One run as Markdown, with the same contents as the HTML page.

use std::io::{self, Write};

use jiff::tz::TimeZone;

use crate::journal::{RunReader, States, View};

use super::ReportError;
use super::chosen_users::write_rest_markdown;
use super::error::read_run;
use super::evidence::{Evidence, STATES, TIMES, sentences, states_cells, time_cells};
use super::grid::Column;
use super::impact::{self, ImpactReport};
use super::markdown::{escaped, facts, header_row, row};
use super::phrases;
use super::problems::{self, group_cells};
use super::run_cells::{CHANGES, PROBLEMS, change_cells, facts_of, problem_cells, title};
use super::summary::{Totals, numbers};

pub(super) fn write_markdown(
    out: &mut dyn Write,
    run: &RunReader,
    zone: &TimeZone,
) -> Result<(), ReportError> {
    read_run(run, |view| {
        let totals = Totals::read(view)?;
        let evidence = Evidence::read(view)?;
        let impact_report = ImpactReport::read(view, &totals.header)?;
        write_totals(out, &totals, zone)?;
        impact::write_markdown(out, &impact_report)?;
        write_states(out, &evidence)?;
        write_times(out, &evidence, zone)?;
        write_problems(out, view)?;
        write_changes(out, view)?;
        write_rest_markdown(out, view)
    })
}

fn write_totals(out: &mut dyn Write, totals: &Totals, zone: &TimeZone) -> io::Result<()> {
    let header = &totals.header;
    let (ending, _) = phrases::ending(header, &totals.users, &totals.filters);
    writeln!(out, "# {}", escaped(&title(header)))?;
    writeln!(out, "\n{}\n", escaped(&ending))?;
    facts(out, &facts_of(header, zone))?;
    writeln!(out, "\n## Result\n")?;
    facts(out, &numbers(totals))?;
    if totals.groups.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {}\n", problems::TITLE)?;
    header_row(out, &problems::COLUMNS)?;
    let mut groups = totals.groups.iter();
    groups.try_for_each(|group| row(out, &group_cells(group)))
}

fn write_states(out: &mut dyn Write, evidence: &Evidence) -> io::Result<()> {
    let Evidence { types, units, .. } = evidence;
    if types.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## States before and after\n")?;
    states(out, "Type", types)?;
    writeln!(out)?;
    match evidence.no_units() {
        Some(why) => writeln!(out, "By business unit: {why}"),
        None => states(out, "Business unit", units),
    }
}

fn states(out: &mut dyn Write, title: &'static str, states: &[States]) -> io::Result<()> {
    let mut columns = vec![Column::text(title, 12, 36)];
    columns.extend(STATES);
    header_row(out, &columns)?;
    states.iter().try_for_each(|of| row(out, &states_cells(of)))
}

fn write_times(out: &mut dyn Write, evidence: &Evidence, zone: &TimeZone) -> io::Result<()> {
    let rows = &evidence.rows;
    let said = sentences(rows);
    if said.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Over time\n\n{}", escaped(&said.join(" ")))?;
    if rows.buckets.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    header_row(out, &TIMES)?;
    let mut rows = rows.buckets.iter();
    rows.try_for_each(|of| row(out, &time_cells(of, zone)))
}

/// Writes a heading when the first text follows it.
fn heading(
    out: &mut dyn Write,
    title: &str,
    columns: &[Column],
    written: &mut bool,
) -> io::Result<()> {
    if std::mem::replace(written, true) {
        return Ok(());
    }
    writeln!(out, "\n## {title}\n")?;
    header_row(out, columns)
}

fn write_problems(out: &mut dyn Write, view: &View<'_>) -> Result<(), ReportError> {
    let mut written = false;
    view.each_problem(|problem| {
        heading(out, "Every problem", &PROBLEMS, &mut written)?;
        Ok(row(out, &problem_cells(&problem))?)
    })
}

fn write_changes(out: &mut dyn Write, view: &View<'_>) -> Result<(), ReportError> {
    let mut written = false;
    view.each_change(|change| {
        heading(out, "Every change", &CHANGES, &mut written)?;
        Ok(row(out, &change_cells(&change))?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{TestStage, run};

    #[tokio::test]
    async fn what_was_tried_again_and_done_is_said_to_be_over() {
        let run = run(TestStage::Stopped).await.tried_again();
        let shown = run.shown(|out, run| write_markdown(out, run, &TimeZone::UTC));
        assert!(shown.contains("it was to be 3. Is over: it was tried again and done. |"));
    }

    #[tokio::test]
    async fn the_same_facts_as_in_the_table_come_as_markdown() {
        let run = run(TestStage::Stopped).await;
        let shown = run.shown(|out, run| write_markdown(out, run, &TimeZone::UTC));
        insta::assert_snapshot!(shown, @r"
        # Run 3f2a9c: deactivate

        Stopped before the end: 1 filter deactivated, 1 filter still to change.

        - Environment: https://contoso.crm4.dynamics.com
        - Organisation: Contoso
        - Caller: admin@contoso.example
        - Users: every user
        - Filters: outlook filters of appointment, recurringappointmentmaster, serviceappointment
        - Started: 2026-11-24 14:04
        - Ended: 2026-11-24 14:05

        ## Result

        - Users: 8 selected: 1 changed, 2 left alone, 1 unchanged, 1 skipped, 2 failed, 1 to change
        - Filters: 12 matching of 18 read: 1 changed, 7 already inactive, 2 left alone or gone, 1 failed, 1 to change
        - Requests: 1,234 made: 4 throttled, 5 made again
        - Time: 1m 10s to change 1 filter
        - Run file: /runs/3f2a9c0d1b7e.run

        ## Skipped, left alone or failed

        | Kind | Users | Example | Hint |
        | --- | ---: | --- | --- |
        | changed-since | 1 | eve@contoso.example | Look at it; undo with --include-changed puts it back if its state is still the run's. |
        | gone | 1 | finn@contoso.example | Leave it: the filter was deleted since it was read. |
        | no-roles | 1 | dan·\[2J@contoso.example | Give the user a security role, then resume the run. |
        | no-write-privilege | 1 | =hana@contoso.example | Give the user and the caller Write on Saved View; the access mode has to be Read-Write. |
        | status-not-restored | 1 | ada@contoso.example | Leave it: the filter works by its state; only the status code differs from before. |
        | disabled | 1 | cara@contoso.example | Leave it, or enable the user first: a disabled user cannot be impersonated. |

        ## States before and after

        | Type | Active before | Inactive before | Active after | Inactive after | Gone | Not known |
        | --- | ---: | ---: | ---: | ---: | ---: | ---: |
        | appointment | 5 | 1 | 1 | 2 | 1 | 2 |
        | serviceappointment | 0 | 6 | 0 | 6 | 0 | 0 |

        | Business unit | Active before | Inactive before | Active after | Inactive after | Gone | Not known |
        | --- | ---: | ---: | ---: | ---: | ---: | ---: |
        | Service | 3 | 3 | 0 | 4 | 0 | 2 |
        | Sales \| &lt;b&gt;North&lt;/b&gt; | 1 | 3 | 0 | 3 | 1 | 0 |
        | unit not known | 1 | 1 | 1 | 1 | 0 | 0 |

        ## Over time

        At most 1 filter changed in 3s. At most 1,000 requests in 3s, 4 throttled in all.

        | From | Filters changed | Requests | Throttled | Made again |
        | --- | ---: | ---: | ---: | ---: |
        | 2026-11-24 14:04:00 | 0 | 1,000 | 0 | 0 |
        | 2026-11-24 14:04:03 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:06 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:09 | 1 | 0 | 0 | 0 |
        | 2026-11-24 14:04:12 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:15 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:18 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:21 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:24 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:27 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:30 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:33 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:36 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:39 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:42 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:45 | 0 | 0 | 0 | 0 |
        | 2026-11-24 14:04:48 | 0 | 234 | 4 | 5 |

        ## Every problem

        | User | Kind | Message |
        | --- | --- | --- |
        | cara@contoso.example | disabled | skipped: no request was made |
        | dan·\[2J@contoso.example | no-roles | The user has no roles·\[31m assigned (0x80042f09, request req-4) |
        | ada@contoso.example | status-not-restored | its status is 2 now; it was to be 3 |
        | eve@contoso.example | changed-since | left alone: somebody made it active |
        | finn@contoso.example | gone | the filter was deleted meanwhile |
        | =hana@contoso.example | no-write-privilege | Principal user is missing prvWriteUserQuery privilege |

        ## Every change

        | User | Type | Name | Change | Outcome |
        | --- | --- | --- | --- | --- |
        | =hana@contoso.example | appointment | My Outlook appointments | active → inactive | failed |
        | ada@contoso.example | appointment | My Outlook appointments | active (status null) → inactive | changed |
        | eve@contoso.example | appointment | My Outlook appointments | active → inactive | left |
        | finn@contoso.example | appointment | My Outlook appointments | active → inactive | gone |
        | gil@contoso.example | appointment | My Outlook appointments | active → inactive | unknown |

        ## Users without a change

        | User | Result | Filters | Note |
        | --- | --- | --- | --- |
        | ben@contoso.example | unchanged |  | nothing to change |
        ");
    }
}
