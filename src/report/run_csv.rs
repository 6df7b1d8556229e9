//! One run as CSV, user by user: a line for each change, for each problem without a change, and for each user
//! with neither.

use std::io::Write;

use crate::journal::{ChangeRow, ImpactRow, ProblemRow, RunReader, View};
use crate::model::{FilterKind, RunId, UserOutcome};

use super::cell::{cell, maybe};
use super::error::read_run;
use super::impact::row_cells;
use super::user_choice::{ChosenUser, ShownUsers, UserChoice};
use super::{ReportError, chosen_users};

const HEADER: [&str; 23] = [
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
    "user_result",
    "user_groups",
];

/// One line. The loss of a user of one type is in the first line of that user and type only, so that the column can
/// be summed.
#[derive(Default)]
struct Line {
    filter: String,
    name: String,
    filter_type: String,
    kind: String,
    before: [String; 2],
    wanted: [String; 2],
    outcome: &'static str,
    at: String,
    problem: [String; 5],
    lost: [String; 2],
}

/// Writes all lines of the chosen users.
pub(super) fn write_csv(
    out: &mut dyn Write,
    run: &RunReader,
    choice: &UserChoice,
) -> Result<ShownUsers, ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    let users = read_run(run, |view| {
        let found = choice.find(view)?;
        csv.write_record(HEADER)?;
        let run = view.header()?.id;
        found.each(view, |chosen| write_user(&mut csv, view, &run, &chosen))
    })?;
    csv.flush()?;
    Ok(users)
}

fn write_user<W: Write>(
    csv: &mut csv::Writer<W>,
    view: &View<'_>,
    run: &RunId,
    chosen: &ChosenUser,
) -> Result<(), ReportError> {
    let ChosenUser {
        user,
        changes,
        problems,
        losses,
    } = chosen;
    let mut lines = Vec::new();
    for change in changes {
        let mut about = problems.iter().rev();
        let problem = about.find(|problem| problem.filter == Some(change.filter));
        let kind = view.kind_of(change.user_id, change.filter)?;
        lines.push(change_line(change, problem, kind));
    }
    let reported = |problem: &ProblemRow| changes.iter().any(|c| Some(c.filter) == problem.filter);
    let others = problems.iter().filter(|problem| !reported(problem));
    lines.extend(others.map(problem_line));
    for loss in losses {
        add_loss(&mut lines, loss);
    }
    if lines.is_empty() {
        lines.push(Line {
            outcome: user.outcome.as_str(),
            problem: message_cells(chosen_users::why_unchanged(user)),
            ..Line::default()
        });
    }
    let groups: Vec<_> = user.groups.iter().map(|group| group.as_str()).collect();
    let [name, id, unit] = [
        cell(&user.user),
        user.id.to_string(),
        maybe(user.unit.as_deref().map(cell)),
    ];
    for line in &lines {
        csv.write_record([
            &run.to_string(),
            &name,
            &id,
            &line.filter,
            &line.name,
            &line.filter_type,
            &line.kind,
            &line.before[0],
            &line.before[1],
            &line.wanted[0],
            &line.wanted[1],
            line.outcome,
            &line.at,
            &line.problem[0],
            &line.problem[1],
            &line.problem[2],
            &line.problem[3],
            &line.problem[4],
            &unit,
            &line.lost[0],
            &line.lost[1],
            user.outcome.as_str(),
            &groups.join(" "),
        ])?;
    }
    Ok(())
}

fn change_line(row: &ChangeRow, problem: Option<&ProblemRow>, kind: Option<FilterKind>) -> Line {
    let states =
        |of: crate::model::StateAndStatus| [of.state.as_str().to_owned(), of.status.to_string()];
    Line {
        filter: row.filter.to_string(),
        name: cell(&row.name),
        filter_type: cell(row.filter_type.as_str()),
        kind: maybe(kind.map(FilterKind::as_str)),
        before: states(row.before),
        wanted: states(row.wanted),
        outcome: row.outcome.as_str(),
        at: maybe(row.at),
        problem: problem.map_or_else(Default::default, said),
        lost: <[String; 2]>::default(),
    }
}

fn problem_line(row: &ProblemRow) -> Line {
    let outcome = if row.is_skip() {
        UserOutcome::Skipped
    } else {
        UserOutcome::Failed
    };
    Line {
        filter: maybe(row.filter),
        outcome: outcome.as_str(),
        problem: said(row),
        ..Line::default()
    }
}

/// Adds it to the first line of the type, or to a new one.
fn add_loss(lines: &mut Vec<Line>, loss: &ImpactRow) {
    let [items, note] = row_cells(loss);
    let cells = [items, cell(&note)];
    let filter_type = cell(loss.filter_type.as_str());
    let mut of_type = lines.iter_mut();
    match of_type.find(|line| line.filter_type == filter_type) {
        Some(line) => line.lost = cells,
        None => lines.push(Line {
            filter_type,
            lost: cells,
            ..Line::default()
        }),
    }
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

/// Cells for a message without a problem.
fn message_cells(message: &str) -> [String; 5] {
    let mut cells = <[String; 5]>::default();
    message.clone_into(&mut cells[3]);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{TestRun, TestStage, run};

    fn lines(run: &TestRun, choice: &UserChoice, columns: &[&str]) -> String {
        let text = run.shown(|out, run| write_csv(out, run, choice).map(drop));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let at = |name| HEADER.iter().position(|h| *h == name).unwrap();
        let line = |line: csv::StringRecord| {
            let cells: Vec<_> = columns.iter().map(|name| &line[at(*name)]).collect();
            cells.join(" | ")
        };
        let lines: Vec<_> = reader.records().map(|one| line(one.unwrap())).collect();
        lines.join("\n")
    }

    #[tokio::test]
    async fn what_was_tried_again_and_done_is_no_problem_of_its_line() {
        let run = run(TestStage::Stopped).await.tried_again();
        let problems = lines(&run, &UserChoice::default(), &["problem"]);
        assert_eq!(problems.split('\n').count(), 8);
        assert!(!problems.contains("status-not-restored"));
    }

    #[tokio::test]
    async fn every_change_and_every_other_problem_and_every_other_user_has_a_line() {
        let run = run(TestStage::Stopped).await;
        let columns = [
            "user",
            "kind",
            "before_status",
            "outcome",
            "problem",
            "message",
            "business_unit",
            "user_result",
            "user_groups",
        ];
        insta::assert_snapshot!(lines(&run, &UserChoice::default(), &columns), @r"
        '=hana@contoso.example | outlook | 1 | failed | no-write-privilege | Principal user is missing prvWriteUserQuery privilege |  | failed | 
        ada@contoso.example | outlook | null | changed | status-not-restored | its status is 2 now; it was to be 3 | Service | changed | 
        ben@contoso.example |  |  | unchanged |  | nothing to change | Sales | <b>North</b> | unchanged | 
        cara@contoso.example |  |  | skipped | disabled | skipped: no request was made | Service | skipped | 
        dan·[2J@contoso.example |  |  | failed | no-roles | The user has no roles·[31m assigned | Sales | <b>North</b> | failed | 
        eve@contoso.example | outlook | 1 | left | changed-since | left alone: somebody made it active | Service | left | left
        finn@contoso.example | outlook | 1 | gone | gone | the filter was deleted meanwhile | Sales | <b>North</b> | left | left
        gil@contoso.example | outlook | 1 | unknown |  |  | Service | planned |
        ");
    }

    #[tokio::test]
    async fn what_is_lost_sums_to_the_total_however_many_filters_of_a_type_a_user_has() {
        // Ada has a second appointment filter to change; Finn's mailbox does not synchronise.
        let run = run(TestStage::ImpactCounted).await.with(
            "INSERT INTO change (user, filter, from_state, to_state, stage)
                 SELECT user, randomblob(16), 0, 1, 0 FROM change WHERE user = 1;
             INSERT INTO filter (user, id, name, type, kind, state, status, matching)
                 SELECT user, filter, 'n', 'appointment', 256, 0, 1, 1 FROM change WHERE user = 1
                 AND filter NOT IN (SELECT id FROM filter);
             UPDATE impact SET items = 9 WHERE user = 6;
             INSERT INTO impact VALUES (5, 'task', 3, 0, NULL, NULL);",
        );
        let total = run.reader.view(|view| view.impact(1)).unwrap().unwrap();
        assert_eq!((total.items, total.without_mailbox), (1_250, 9));
        let shown = lines(
            &run,
            &UserChoice::default(),
            &["user", "type", "lost_items", "lost_note"],
        );
        let items = shown.lines().map(|line| line.split(" | ").nth(2).unwrap());
        let sum: u64 = items.filter_map(|items| items.parse::<u64>().ok()).sum();
        assert_eq!(sum, total.items, "{shown}");
        let of_ada = shown.lines().filter(|line| line.starts_with("ada@"));
        assert_eq!(of_ada.count(), 2, "{shown}");
        assert!(shown.contains("eve@contoso.example | task | 3 | exactly"));
        assert!(shown.contains("finn@contoso.example | appointment | 0 | "));
    }
}
