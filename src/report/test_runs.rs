//! Runs for tests, made with the real journal: one user of each result.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use uuid::Uuid;

use crate::journal::{
    FirstContents, ImpactOptions, NamedFilter, Phase, Requests, RunFile, RunHeader, RunReader,
    RunRef, SelectedUser, SettledChange, UserFlag,
};
use crate::model::{
    Caller, Filter, FilterId, FilterKind, FilterType, Modification, Operation, Organization,
    Outcome, Problem, ProblemKind, RowOutcome, RowStamp, ServerVersion, Stage, State, Status,
    Target, UnitId, UserId,
};
use crate::plan::{Change, Criteria, Loss, RowResult, Selection, Unknown};

use super::{Style, StyledWrite};

/// 2026-11-24 14:04 in UTC.
pub(super) const STARTED: i64 = 1_795_529_040_000;

pub(super) const PLAIN: Style = Style { width: 80 };

/// A run, and the folder that goes with it.
pub(super) struct TestRun {
    pub(super) reader: RunReader,
    folder: tempfile::TempDir,
}

/// How far a run for a test has got.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TestStage {
    Planned,
    /// The same, and what users lose was counted.
    ImpactCounted,
    /// Stopped with a write of which nobody knows what became.
    Stopped,
}

pub(super) fn header(operation: Operation) -> RunHeader {
    RunHeader {
        id: "3f2a9c0d1b7e".parse().unwrap(),
        operation,
        target: Target::Filters,
        undoes: (operation == Operation::Undo).then(|| "77aa00bb11cc".parse().unwrap()),
        environment: "https://contoso.crm4.dynamics.com".parse().unwrap(),
        organization: Organization {
            id: Uuid::from_u128(7),
            name: "Contoso".into(),
            distinct_deletes: None,
        },
        version: ServerVersion { major: 9, minor: 2 },
        caller: Caller {
            id: UserId(Uuid::from_u128(99)),
            user: "admin@contoso.example".into(),
        },
        selection: Selection::default(),
        criteria: Criteria::default(),
        started: Timestamp::from_millisecond(STARTED).unwrap(),
        phase: Phase::Gathering,
        finished: None,
        outcome: None,
        records_on_behalf: false,
        requests: Requests::default(),
    }
}

fn user(n: i64, name: &str, skipped: Option<ProblemKind>) -> SelectedUser {
    SelectedUser {
        id: user_id(n),
        object_id: None,
        label: format!("{name}@contoso.example"),
        login: None,
        email: None,
        filters_populated: true,
        unit: (n < 8).then(|| unit_id(n % 2)),
        skipped,
    }
}

/// One of two business units; the eighth user's is not known.
fn unit_id(n: i64) -> UnitId {
    UnitId(Uuid::from_u128(200 + u128::from(n.unsigned_abs())))
}

fn user_id(n: i64) -> UserId {
    UserId(Uuid::from_u128(u128::from(n.unsigned_abs())))
}

fn filter(n: i64, at: i64, filter_type: &str, state: State) -> Filter {
    Filter {
        id: FilterId(Uuid::from_u128(u128::from((n * 16 + at).unsigned_abs()))),
        owner: user_id(n),
        name: format!("My Outlook {filter_type}s"),
        filter_type: FilterType::new(filter_type),
        kind: FilterKind::Outlook,
        now: state.with_default_status(),
        etag: None,
        modified: Modification::default(),
        template: None,
        query: None,
    }
}

fn change(filter: &Filter) -> Change {
    Change {
        filter: filter.id,
        from: filter.now,
        to: State::Inactive.with_default_status(),
        etag: None,
    }
}

/// The filters of a user: two of the calendar and one that the run is not about.
fn filters(n: i64, state: State) -> Vec<(Filter, bool)> {
    let mut appointment = filter(n, 1, "appointment", state);
    if n == 1 {
        appointment.now.status = Status(None);
    }
    vec![
        (appointment, true),
        (filter(n, 2, "serviceappointment", State::Inactive), true),
        (filter(n, 3, "contact", State::Active), false),
    ]
}

async fn survey(file: &RunFile) {
    let journal = &file.journal;
    let users = vec![
        user(1, "ada", None),
        user(2, "ben", None),
        user(3, "cara", Some(ProblemKind::Disabled)),
        user(4, "dan\u{1b}[2J", None),
        user(5, "eve", None),
        user(6, "finn", None),
        user(7, "gil", None),
        user(8, "=hana", None),
    ];
    journal.add_users(users).await.unwrap();
    let units = vec![
        (unit_id(0), "Sales | <b>North</b>".to_owned()),
        (unit_id(1), "Service".to_owned()),
    ];
    journal.add_units(units).await.unwrap();
    for seq in [1, 2, 5, 6, 7, 8] {
        let state = if seq == 2 {
            State::Inactive
        } else {
            State::Active
        };
        let filters = filters(seq, state);
        let changes = if seq == 2 {
            vec![]
        } else {
            vec![change(&filters[0].0)]
        };
        let surveyed = crate::journal::Surveyed {
            seq,
            filters,
            changes,
        };
        journal.surveyed(surveyed).await.unwrap();
    }
    let message = "The user has no roles\u{1b}[31m assigned";
    let mut problem = Problem::seen(Stage::Survey, ProblemKind::NoRoles, message);
    problem.code = Some("0x80042f09".into());
    problem.request_id = Some("req-4".into());
    journal.survey_failed(4, problem).await.unwrap();
    journal.set_phase(Phase::Planned).await.unwrap();
}

async fn apply(file: &RunFile) {
    let seen = |stage, kind, message: &str| Some(Problem::seen(stage, kind, message));
    let now = State::Inactive.with_default_status();
    let changed = RowStamp {
        now,
        etag: None,
        modified: Modification::default(),
    };
    let changed = RowResult::new(RowOutcome::Changed, Some(changed));
    let plain = |outcome| RowResult::new(outcome, None);
    let (verify, apply) = (Stage::Verify, Stage::Apply);
    let (lost, since) = (ProblemKind::StatusNotRestored, ProblemKind::ChangedSince);
    let denied = ProblemKind::NoWritePrivilege;
    let outcomes = [
        (
            1,
            Some(changed),
            seen(verify, lost, "its status is 2 now; it was to be 3"),
        ),
        (
            5,
            Some(plain(RowOutcome::ChangedSince)),
            seen(apply, since, "left alone: somebody made it active"),
        ),
        (
            6,
            Some(plain(RowOutcome::Gone)),
            seen(apply, ProblemKind::Gone, "the filter was deleted meanwhile"),
        ),
        (7, None, None),
        (
            8,
            Some(plain(RowOutcome::Failed)),
            seen(
                apply,
                denied,
                "Principal user is missing prvWriteUserQuery privilege",
            ),
        ),
    ];
    file.journal.set_phase(Phase::Applying).await.unwrap();
    for (seq, result, problem) in outcomes {
        let change = change(&filters(seq, State::Active)[0].0);
        file.journal
            .intend(seq, vec![change.clone()])
            .await
            .unwrap();
        let Some(result) = result else {
            continue;
        };
        let problem = problem.map(|p| p.about(change.filter));
        let settled = SettledChange {
            change,
            result: result.with(problem),
        };
        let settled = vec![settled];
        file.journal.settle(seq, settled, false).await.unwrap();
    }
    for (second, total, throttled, retried) in [(0, 1000, 0, 0), (50, 234, 4, 5)] {
        let requests = Requests {
            total,
            throttled,
            retried,
        };
        let at = Timestamp::from_millisecond(STARTED + second * 1000).unwrap();
        file.journal.add_requests(requests, at).await.unwrap();
    }
    file.journal.set_outcome(Outcome::Stopped).await.unwrap();
}

async fn record_impact(file: &RunFile) {
    let journal = &file.journal;
    let asked = ImpactOptions {
        impact: true,
        other_engine: Some(Vec::new()),
    };
    journal.ask(asked).await.unwrap();
    let named = |name: &str| NamedFilter {
        name: name.into(),
        filter_type: FilterType::new("appointment"),
    };
    let system = vec![named("All\u{1b}[2J")];
    let templates = vec![named("Appointments template")];
    journal
        .found(move |found| {
            found.system_filters = Some(system);
            found.templates = Some(templates);
            found.mailboxes = Some("the server has no such column".into());
            found.not_here = 1;
            found.not_here_examples = vec!["zoe@contoso.example".into()];
        })
        .await
        .unwrap();
    let mark = |mark, n| journal.mark(mark, vec![user_id(n)]);
    mark(UserFlag::OtherEngine, 2).await.unwrap();
    mark(UserFlag::NoMailbox, 6).await.unwrap();
    let why = Unknown::new("too-many", "The maximum record limit is exceeded.\u{1b}");
    for (seq, loss) in [
        (1, Loss::Exactly(1_240)),
        (5, Loss::AtMost(7)),
        (6, Loss::Exactly(0)),
        (7, Loss::Unknown(why)),
    ] {
        let losses = vec![(FilterType::new("appointment"), loss)];
        journal.lost(seq, losses).await.unwrap();
    }
}

/// Clocks of its own, so that what is shown is the same every time.
fn set_clocks(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = format!(
        "UPDATE change SET intended = {STARTED} + user * 10000 WHERE intended IS NOT NULL;
         UPDATE change SET settled = {STARTED} + user * 10000 + 500 WHERE settled IS NOT NULL;
         UPDATE problem SET at = {STARTED} + user * 10000 + 500;
         UPDATE run SET finished = {STARTED} + 90000 WHERE finished IS NOT NULL;"
    );
    connection.execute_batch(&sql).unwrap();
}

/// A run of eight users: 1 changed with another status than before, 2 as wanted, 3 skipped, 4 not
/// surveyed, 5 left, 6 gone, 7 planned or unknown, 8 failed.
pub(super) async fn run(reached: TestStage) -> TestRun {
    run_of(header(Operation::Deactivate), reached).await
}

/// The same with another header.
pub(super) async fn run_of(header: RunHeader, reached: TestStage) -> TestRun {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join(format!("{}.run", header.id));
    let file = RunFile::create(&path, header, &FirstContents::default()).unwrap();
    survey(&file).await;
    if reached == TestStage::ImpactCounted {
        record_impact(&file).await;
    }
    if reached == TestStage::Stopped {
        apply(&file).await;
    }
    drop(file);
    set_clocks(&path);
    TestRun {
        reader: stored(&path),
        folder,
    }
}

/// As if the file lay in the store.
fn stored(path: &std::path::Path) -> RunReader {
    let mut reader = RunReader::open(path).unwrap();
    reader.reference = RunRef::stored(&reader.header.id);
    reader
}

impl TestRun {
    /// The same with other contents of its file.
    pub(super) fn with(self, sql: &str) -> Self {
        let path = self
            .folder
            .path()
            .join(format!("{}.run", self.reader.header.id));
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        Self {
            reader: stored(&path),
            ..self
        }
    }

    /// As if ada's problem had shown before her filter was settled.
    pub(super) fn tried_again(self) -> Self {
        self.with("UPDATE problem SET at = 1 WHERE user = 1")
    }

    /// What is written of it, with the folder's name left out.
    pub(super) fn shown<E: std::fmt::Debug>(
        &self,
        write: impl FnOnce(&mut dyn StyledWrite, &RunReader) -> Result<(), E>,
    ) -> String {
        let mut out = Vec::new();
        write(&mut out, &self.reader).unwrap();
        let name = self.folder.path().display().to_string();
        let inside = format!("{name}{}", std::path::MAIN_SEPARATOR);
        // In Markdown the separators of Windows are escaped.
        let escaped = inside.replace('\\', r"\\");
        let text = String::from_utf8(out).unwrap();
        let text = text.replace(&escaped, "/runs/").replace(&inside, "/runs/");
        text.replace(&name, "/runs")
    }
}
