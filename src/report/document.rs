//! The JSON documents of a run and of an error.

use std::cell::Cell;
use std::io::Write;

use jiff::Timestamp;
use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::journal::{
    ChangeRow, FilterTotals, ProblemRow, ReadError, Requests, RunHeader, RunReader, States,
    Timeline, UserTotals, View,
};
use crate::model::{
    Caller, FilterId, Operation, Outcome, RowOutcome, RunId, StateAndStatus, Target, UserId,
};
use crate::plan::{AppliedBy, Estimate};

use super::error::read_run;
use super::json::{FORMAT, write_json};
use super::user_choice::{FoundChoice, ShownUsers};
use super::user_documents::UserResults;
use super::{ErrorReport, ReportError, hint, impact_document, phrases, templates};

/// The approximate number of time buckets: as many as a chart has bars.
const BUCKETS: u32 = 80;

/// Writes the JSON document of a run, with every problem that is not over.
pub fn write_document(out: &mut dyn Write, run: &RunReader) -> Result<(), ReportError> {
    if run.header.target == Target::Templates {
        return templates::write_run_document(out, run);
    }
    write(out, run, false)
}

/// As [`write_document`], with states before and after, the run over time, and every change.
pub(super) fn write_with_changes(out: &mut dyn Write, run: &RunReader) -> Result<(), ReportError> {
    write(out, run, true)
}

fn write(out: &mut dyn Write, run: &RunReader, changes: bool) -> Result<(), ReportError> {
    read_run(run, |view| {
        let header = view.header()?;
        let broken = Cell::new(None);
        let rows = Rows {
            view,
            broken: &broken,
        };
        let everyone = (FoundChoice::default(), Cell::default());
        let everyone = changes.then_some((&everyone.0, &everyone.1));
        let document = document(&header, view, rows, everyone)?;
        let written = write_json(out, &document);
        match broken.take() {
            Some(error) => Err(error.into()),
            None => Ok(written?),
        }
    })
}

/// Writes the JSON document of an error.
pub fn write_error(out: &mut dyn Write, error: &ErrorReport) -> Result<(), ReportError> {
    #[derive(Serialize)]
    struct Document<'a> {
        format: u32,
        error: &'a ErrorReport,
    }
    let format = FORMAT;
    Ok(write_json(out, &Document { format, error })?)
}

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    run: &'a RunId,
    operation: Operation,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'a RunId>,
    outcome: Outcome,
    started: Timestamp,
    finished: Option<Timestamp>,
    environment: Environment<'a>,
    caller: &'a Caller,
    /// The digest of the plan, where one was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    users: UserTotals,
    filters: FilterTotals,
    requests: Requests,
    /// The estimate for applying the plan with another command; only where something is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<EstimateDocument>,
    look_first: Vec<impact_document::First>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impact: Option<impact_document::Lost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    states: Option<StatesBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<Timeline>,
    problems: Problems<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_results: Option<UserResults<'a>>,
}

fn document<'a>(
    header: &'a RunHeader,
    view: &View<'_>,
    rows: Rows<'a>,
    everyone: Option<(&'a FoundChoice<'a>, &'a Cell<ShownUsers>)>,
) -> Result<Document<'a>, ReadError> {
    let changes = everyone.is_some();
    Ok(Document {
        format: FORMAT,
        run: &header.id,
        operation: header.operation,
        undoes: header.undoes.as_ref(),
        outcome: phrases::outcome(header),
        started: header.started,
        finished: header.finished,
        environment: Environment::of(header),
        caller: &header.caller,
        digest: view.recorded_digest()?.map(|digest| digest.to_string()),
        users: view.users()?,
        estimate: EstimateDocument::read(view)?,
        filters: view.filters()?,
        requests: header.requests,
        look_first: impact_document::first(view)?,
        impact: impact_document::lost(view, header)?,
        states: changes.then(|| StatesBy::read(view)).transpose()?,
        timeline: changes.then(|| view.timeline(BUCKETS)).transpose()?,
        problems: Problems(rows),
        changes: changes.then_some(Changes(rows)),
        user_results: everyone.map(|(found, users)| UserResults {
            rows,
            found,
            whole: false,
            users,
        }),
    })
}

/// Requests, and seconds where the server's pace is known.
#[derive(Serialize)]
struct EstimateDocument {
    requests: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    least_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    most_seconds: Option<f64>,
}

impl EstimateDocument {
    fn read(view: &View<'_>) -> Result<Option<Self>, ReadError> {
        let users = view.users_to_change()?;
        if users == 0 {
            return Ok(None);
        }
        let Estimate { requests, time } = view.estimate(users, AppliedBy::LaterCommand)?;
        Ok(Some(Self {
            requests,
            least_seconds: time.map(|time| time.least.as_secs_f64()),
            most_seconds: time.map(|time| time.most.as_secs_f64()),
        }))
    }
}

#[derive(Serialize)]
struct StatesBy {
    types: Vec<States>,
    units: Vec<States>,
}

impl StatesBy {
    fn read(view: &View<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            types: view.states_by_type()?,
            units: view.states_by_unit()?,
        })
    }
}

#[derive(Serialize)]
pub(super) struct Environment<'a> {
    url: String,
    organization: &'a str,
}

impl<'a> Environment<'a> {
    pub(super) fn of(header: &'a RunHeader) -> Self {
        Self {
            url: header.environment.to_string(),
            organization: &header.organization.name,
        }
    }
}

/// Rows that are read while they are written, so that memory does not grow with their number.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) view: &'a View<'a>,
    /// Why reading stopped: the serializer can only return its own errors.
    pub(super) broken: &'a Cell<Option<ReadError>>,
}

impl Rows<'_> {
    pub(super) fn end<E: Error>(self, read: Result<(), Ended<E>>) -> Result<(), E> {
        read.map_err(|ended| match ended {
            Ended::Write(error) => error,
            Ended::Read(error) => {
                let custom = E::custom(&error);
                self.broken.set(Some(error));
                custom
            }
        })
    }
}

/// Why a list ended early: reading the run, or writing it, failed.
pub(super) enum Ended<E> {
    Read(ReadError),
    Write(E),
}

impl<E> From<ReadError> for Ended<E> {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

struct Problems<'a>(Rows<'a>);

impl Serialize for Problems<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let each = |row: ProblemRow| {
            if row.over {
                return Ok(());
            }
            list.serialize_element(&ProblemDocument::of(&row))
                .map_err(Ended::Write)
        };
        let read = self.0.view.each_problem(each);
        self.0.end(read)?;
        list.end()
    }
}

struct Changes<'a>(Rows<'a>);

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let each = |row: ChangeRow| {
            list.serialize_element(&Change::of(&row))
                .map_err(Ended::Write)
        };
        let read = self.0.view.each_change(each);
        self.0.end(read)?;
        list.end()
    }
}

#[derive(Serialize)]
pub(super) struct ProblemDocument<'a> {
    user: &'a str,
    id: UserId,
    filter: Option<FilterId>,
    stage: &'a str,
    kind: &'static str,
    code: Option<&'a str>,
    message: &'a str,
    hint: &'static str,
    request_id: Option<&'a str>,
    unit: Option<&'a str>,
}

impl<'a> ProblemDocument<'a> {
    pub(super) fn of(row: &'a ProblemRow) -> Self {
        Self {
            user: &row.user,
            id: row.id,
            filter: row.filter,
            stage: row.stage.as_str(),
            kind: row.kind.as_str(),
            code: row.code.as_deref(),
            message: &row.message,
            hint: hint(row.kind),
            request_id: row.request_id.as_deref(),
            unit: row.unit.as_deref(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Change<'a> {
    user: &'a str,
    id: UserId,
    filter: FilterId,
    name: &'a str,
    #[serde(rename = "type")]
    filter_type: &'a str,
    before: StateAndStatus,
    wanted: StateAndStatus,
    outcome: RowOutcome,
    at: Option<Timestamp>,
    unit: Option<&'a str>,
}

impl<'a> Change<'a> {
    pub(super) fn of(row: &'a ChangeRow) -> Self {
        Self {
            user: &row.user,
            id: row.user_id,
            filter: row.filter,
            name: &row.name,
            filter_type: row.filter_type.as_str(),
            before: row.before,
            wanted: row.wanted,
            outcome: row.outcome,
            at: row.at,
            unit: row.unit.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ErrorClass;
    use crate::report::test_runs::{TestStage, run};
    use serde_json::{Value, json};

    fn parsed(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[tokio::test]
    async fn the_document_says_what_became_of_the_run() {
        let run = run(TestStage::Stopped).await;
        let text = run.shown(|out, run| write_document(out, run));
        let (header, _) = text.split_once("  \"problems\"").unwrap();
        insta::assert_snapshot!(header, @r#"
        {
          "format": 1,
          "run": "3f2a9c0d1b7e",
          "operation": "deactivate",
          "outcome": "stopped",
          "started": "2026-11-24T14:04:00Z",
          "finished": "2026-11-24T14:05:30Z",
          "environment": {
            "url": "https://contoso.crm4.dynamics.com",
            "organization": "Contoso"
          },
          "caller": {
            "id": "00000000-0000-0000-0000-000000000063",
            "user": "admin@contoso.example"
          },
          "users": {
            "selected": 8,
            "changed": 1,
            "unchanged": 1,
            "left": 2,
            "left_out": 0,
            "skipped": 1,
            "failed": 2,
            "planned": 1
          },
          "filters": {
            "surveyed": 18,
            "matching": 12,
            "changed": 1,
            "already": 7,
            "left": 2,
            "failed": 1,
            "planned": 1,
            "left_out": 0
          },
          "requests": {
            "total": 1234,
            "throttled": 4,
            "retried": 5
          },
          "estimate": {
            "requests": 9
          },
          "look_first": [],
        "#);
        let document = parsed(&text);
        assert_eq!(document["problems"].as_array().unwrap().len(), 6);
        assert_eq!(document["changes"], Value::Null);
    }

    #[tokio::test]
    async fn every_problem_keeps_what_the_server_said_and_has_a_hint() {
        let run = run(TestStage::Planned).await;
        let document = parsed(&run.shown(|out, run| write_document(out, run)));
        assert_eq!(
            document["problems"][1],
            json!({
                "user": "dan\u{1b}[2J@contoso.example",
                "id": "00000000-0000-0000-0000-000000000004",
                "filter": null,
                "stage": "survey",
                "kind": "no-roles",
                "code": "0x80042f09",
                "message": "The user has no roles\u{1b}[31m assigned",
                "hint": "Give the user a security role, then resume the run.",
                "request_id": "req-4",
                "unit": "Sales | <b>North</b>",
            })
        );
        assert_eq!(document["outcome"], "planned");
    }

    #[tokio::test]
    async fn the_report_adds_every_change_with_its_states() {
        let run = run(TestStage::Stopped).await;
        let document = parsed(&run.shown(|out, run| write_with_changes(out, run)));
        let outcomes: Vec<_> = document["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| change["outcome"].as_str().unwrap())
            .collect();
        assert_eq!(outcomes, ["failed", "changed", "left", "gone", "unknown"]);
        let first = &document["changes"][1];
        assert_eq!(
            first["before"],
            json!({ "state": "active", "status": null })
        );
        assert_eq!(first["wanted"], json!({ "state": "inactive", "status": 2 }));
        assert_eq!(first["at"], "2026-11-24T14:04:10.5Z");
        assert_eq!(first["unit"], "Service");
        assert_eq!(document["states"]["types"][0]["name"], "appointment");
        assert_eq!(document["states"]["units"][0]["active_before"], 3);
        let times = document["timeline"]["stretches"].as_array().unwrap();
        let changes = times.iter().map(|one| one["changes"].as_u64().unwrap());
        assert_eq!(changes.sum::<u64>(), 1);
        assert_eq!(times[0]["from"], "2026-11-24T14:04:00Z");
    }

    #[tokio::test]
    async fn what_was_tried_again_and_done_is_no_problem_of_the_document() {
        let run = run(TestStage::Stopped).await.tried_again();
        let document = parsed(&run.shown(|out, run| write_document(out, run)));
        let problems = document["problems"].as_array().unwrap();
        assert_eq!(problems.len(), 5);
        assert!(
            problems
                .iter()
                .all(|one| one["kind"] != "status-not-restored")
        );
    }

    #[test]
    fn an_error_is_a_document_too() {
        let mut out = Vec::new();
        let error = ErrorReport::new("sign-in", ErrorClass::SignIn, &"the token has expired");
        write_error(&mut out, &error).unwrap();
        let document = parsed(&String::from_utf8(out).unwrap());
        let error = json!({ "kind": "sign-in", "message": "the token has expired", "hint": null });
        assert_eq!(document, json!({ "format": 1, "error": error }));
    }
}
