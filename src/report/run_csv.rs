//! One run as CSV: a line for each change, and for each problem that is about no change.

use std::io::Write;

use crate::journal::{ChangeRow, ProblemRow, RunReader, View};
use crate::model::RunId;

use super::ReportError;
use super::cell::{cell, maybe};
use super::error::read_run;
use super::impact::row_cells;

const HEADER: [&str; 21] = [
    "run",
    "user",
    "user_id",
    "filter_id",
    "name",
    "type",
    "kind",
    "before_state",
    "before_status",
    "wanted_state",
    "wanted_status",
    "outcome",
    "at",
    "stage",
    "problem",
    "code",
    "message",
    "request_id",
    "business_unit",
    "lost_items",
    "lost_note",
];

type Row = [String; HEADER.len()];

/// What the user loses of the type of this filter, all filters of the type together; and how sure that is.
const LOST: usize = HEADER.len() - 2;

/// Writes every change with the last problem about it, then every problem that is about no change; of problems, those
/// that still stand.
pub(super) fn write_csv(out: &mut dyn Write, run: &RunReader) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(HEADER)?;
    read_run(run, |view| write_rows(&mut csv, view))?;
    csv.flush()?;
    Ok(())
}

fn write_rows<W: Write>(csv: &mut csv::Writer<W>, view: &View<'_>) -> Result<(), ReportError> {
    let run = view.header()?.id;
    view.each_change(|row| {
        let problem = view.problem_about(row.user_id, row.filter)?;
        let kind = view.kind_of(row.user_id, row.filter)?;
        let mut line = change_row(&run, &row, problem.as_ref());
        line[6] = maybe(kind.map(crate::model::FilterKind::as_str));
        let lost = view.impact_of(row.user_id)?;
        if let Some(lost) = lost.iter().find(|lost| lost.filter_type == row.filter_type) {
            let [items, note] = row_cells(lost);
            line[LOST] = items;
            line[LOST + 1] = cell(&note);
        }
        Ok::<_, ReportError>(csv.write_record(&line)?)
    })?;
    view.each_problem(|row| {
        let reported = match row.filter {
            Some(filter) => view.has_change(row.id, filter)?,
            None => false,
        };
        if reported || row.over {
            return Ok(());
        }
        Ok(csv.write_record(problem_row(&run, &row))?)
    })
}

fn change_row(run: &RunId, row: &ChangeRow, problem: Option<&ProblemRow>) -> Row {
    let [stage, kind, code, message, request] = problem.map_or_else(Default::default, said);
    [
        run.to_string(),
        cell(&row.user),
        row.user_id.to_string(),
        row.filter.to_string(),
        cell(&row.name),
        cell(row.filter_type.as_str()),
        String::new(),
        row.before.state.as_str().to_owned(),
        row.before.status.to_string(),
        row.wanted.state.as_str().to_owned(),
        row.wanted.status.to_string(),
        row.outcome.as_str().to_owned(),
        maybe(row.at),
        stage,
        kind,
        code,
        message,
        request,
        unit(row.unit.as_deref()),
        String::new(),
        String::new(),
    ]
}

fn unit(name: Option<&str>) -> String {
    name.map_or_else(String::new, cell)
}

fn problem_row(run: &RunId, row: &ProblemRow) -> Row {
    let [stage, kind, code, message, request] = said(row);
    let outcome = if row.is_skip() { "skipped" } else { "failed" };
    let none = String::new;
    [
        run.to_string(),
        cell(&row.user),
        row.id.to_string(),
        maybe(row.filter),
        none(),
        none(),
        none(),
        none(),
        none(),
        none(),
        none(),
        outcome.to_owned(),
        none(),
        stage,
        kind,
        code,
        message,
        request,
        unit(row.unit.as_deref()),
        none(),
        none(),
    ]
}

fn said(problem: &ProblemRow) -> [String; 5] {
    [
        problem.stage.as_str().to_owned(),
        problem.kind.as_str().to_owned(),
        cell(problem.code.as_deref().unwrap_or_default()),
        cell(&problem.message),
        cell(problem.request_id.as_deref().unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{TestStage, run};

    #[tokio::test]
    async fn what_was_tried_again_and_done_is_no_problem_of_its_line() {
        let run = run(TestStage::Stopped).await.tried_again();
        let text = run.shown(|out, run| write_csv(out, run));
        assert_eq!(text.lines().count(), 8);
        assert!(!text.contains("status-not-restored"));
    }

    #[tokio::test]
    async fn every_change_and_every_problem_about_none_has_its_line() {
        let run = run(TestStage::Stopped).await;
        let text = run.shown(|out, run| write_csv(out, run));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let at = |name| HEADER.iter().position(|h| *h == name).unwrap();
        let lines: Vec<_> = reader
            .records()
            .map(|line| {
                let line = line.unwrap();
                let cells = [
                    "user",
                    "kind",
                    "before_status",
                    "outcome",
                    "problem",
                    "message",
                    "business_unit",
                ];
                cells.map(|name| line[at(name)].to_owned()).join(" | ")
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        ada@contoso.example | outlook | null | changed | status-not-restored | its status is 2 now; it was to be 3 | Service
        eve@contoso.example | outlook | 1 | left | changed-since | left alone: somebody made it active | Service
        finn@contoso.example | outlook | 1 | gone | gone | the filter was deleted meanwhile | Sales | <b>North</b>
        gil@contoso.example | outlook | 1 | unknown |  |  | Service
        '=hana@contoso.example | outlook | 1 | failed | no-write-privilege | Principal user is missing prvWriteUserQuery privilege | 
        cara@contoso.example |  |  | skipped | disabled | skipped: no request was made | Service
        dan·[2J@contoso.example |  |  | failed | no-roles | The user has no roles·[31m assigned | Sales | <b>North</b>
        ");
    }
}
