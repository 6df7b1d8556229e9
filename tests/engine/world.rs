//! a sandbox, and runs driven against it as the command line drives them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use syncfilters::auth::GivenToken;
use syncfilters::dataverse::{Channel, Reader};
use syncfilters::journal::{FilterTotals, Journal, ProblemRow, ReadError, RunFile, RunReader};
use syncfilters::model::{Operation, Outcome, ProblemKind, RunId};
use syncfilters::pacing::{Pacer, RetryPolicy, Settings};
use syncfilters::plan::{Confirmations, GivenBy, Guards, RunSettings, Topic};
use syncfilters::rollout::{
    AgreeResult, Applied, Connection, Created, Drift, Drifted, EndedRun, Gathered, Halted,
    IntoPlan, NewRun, NewRunFile, Opened, Planned, RolloutError, SourceRun, SurveyedAs, agree,
    open,
};
use syncfilters::sandbox::{FilterSnapshot, Options, Sandbox};
use syncfilters::settings::{Address, Origin};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The three calendar types.
pub(crate) const CALENDAR: [&str; 3] = [
    "appointment",
    "recurringappointmentmaster",
    "serviceappointment",
];

/// A server, and a folder for run files.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) async fn new(options: Options) -> Self {
        Self {
            sandbox: Sandbox::start(options).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) async fn with_users(users: usize) -> Self {
        Self::new(Options {
            users,
            ..Options::default()
        })
        .await
    }

    /// Retries without long pauses, and a window of limits that is over soon: what is tested is what is
    /// decided, not how long is waited.
    pub(crate) async fn reader(&self, interrupted: &CancellationToken) -> Reader {
        self.try_to_connect(interrupted).await.unwrap()
    }

    async fn try_to_connect(&self, interrupted: &CancellationToken) -> Option<Reader> {
        let settings = Settings {
            retry: RetryPolicy {
                base: Duration::from_millis(1),
                cap: Duration::from_millis(5),
                ..RetryPolicy::default()
            },
            budget_window: Duration::from_secs(1),
            ..Settings::default()
        };
        let tokens = Arc::new(GivenToken::new(self.sandbox.token()).unwrap());
        let channel = Channel::new(
            Address::given(&self.sandbox.url(), &Origin::Flag("--url")).unwrap(),
            tokens,
            Pacer::new(settings),
            interrupted.clone(),
        );
        Reader::connect(channel.unwrap()).await.ok()
    }

    pub(crate) async fn connect(&self, interrupted: &CancellationToken) -> Connection {
        Connection::new(self.reader(interrupted).await, Guards::default())
    }

    pub(crate) async fn begin(&self, new: NewRun) -> Run {
        let interrupted = CancellationToken::new();
        let on = self.connect(&interrupted).await;
        self.begin_on(on, interrupted, new).unwrap()
    }

    fn begin_on(&self, on: Connection, interrupted: CancellationToken, new: NewRun) -> Option<Run> {
        let path = self.folder.path().join(format!("{}.run", RunId::random()));
        let created = new.create(&on, &NewRunFile::At(path.clone())).ok()?;
        Some(Run::new(on, path, interrupted, Stage::Created(created)))
    }

    /// Plans and applies.
    pub(crate) async fn carry_out(&self, operation: Operation) -> Done {
        let run = self.begin(started(operation)).await;
        run.plan().await.unwrap();
        run.apply().await.unwrap();
        run.finish().await
    }

    /// Plans and applies where the run can be begun and proved; none where it cannot.
    pub(crate) async fn try_to_carry_out(&self, operation: Operation) -> Option<Done> {
        let interrupted = CancellationToken::new();
        let reader = self.try_to_connect(&interrupted).await?;
        let on = Connection::new(reader, Guards::default());
        let run = self.begin_on(on, interrupted, started(operation))?;
        run.plan().await.ok()?;
        run.apply().await.ok()?;
        Some(run.finish().await)
    }

    /// Opens a run file again, as a new process would.
    pub(crate) async fn reopen(&self, path: &std::path::Path) -> Run {
        let interrupted = CancellationToken::new();
        let on = self.connect(&interrupted).await;
        let file = RunFile::open(path).unwrap();
        let opened = open(file, &on, RunSettings::default()).await.unwrap();
        Run::new(on, path.to_owned(), interrupted, Stage::Opened(opened))
    }

    /// Begins an undo; its filters are not read yet.
    pub(crate) async fn begin_undo(&self, done: &Done, settings: RunSettings) -> Run {
        let interrupted = CancellationToken::new();
        let on = self.connect(&interrupted).await;
        let path = self.folder.path().join(format!("{}.run", RunId::random()));
        let source = SourceRun::open(&done.path).unwrap();
        let at = NewRunFile::At(path.clone());
        let gathered = source.undo(&on, &at, settings).await.unwrap();
        Run::new(on, path, interrupted, Stage::Gathered(gathered))
    }

    pub(crate) async fn undo(&self, done: &Done) -> Done {
        let run = self.plan_undo(done, RunSettings::default()).await;
        run.apply().await.unwrap();
        run.finish().await
    }

    /// Puts back also what somebody changed since.
    pub(crate) async fn undo_all(&self, done: &Done) -> Done {
        let settings = RunSettings {
            include_changed: true,
            ..RunSettings::default()
        };
        let run = self.plan_undo(done, settings).await;
        run.apply().await.unwrap();
        run.finish().await
    }

    /// An undo that was planned and not applied yet.
    pub(crate) async fn plan_undo(&self, done: &Done, settings: RunSettings) -> Run {
        let run = self.begin_undo(done, settings).await;
        run.survey().await.unwrap();
        run
    }

    /// State and status of every filter.
    pub(crate) fn states(&self) -> States {
        let filters = self.sandbox.filters();
        filters
            .into_iter()
            .map(|f| (f.id, (f.statecode, f.statuscode)))
            .collect()
    }

    /// The active calendar filters of Outlook, as the server has them.
    pub(crate) fn active_calendar_filters(&self) -> Vec<FilterSnapshot> {
        let mut filters = self.sandbox.filters();
        filters.retain(|f| f.statecode == 0 && is_calendar(f));
        filters
    }
}

pub(crate) type States = BTreeMap<Uuid, (i32, Option<i32>)>;

pub(crate) fn is_calendar(filter: &FilterSnapshot) -> bool {
    filter.querytype == 256 && CALENDAR.contains(&&*filter.filter_type)
}

pub(crate) fn started(operation: Operation) -> NewRun {
    NewRun::of(operation)
}

/// Everything that a guard can ask for.
pub(crate) fn yes() -> Confirmations {
    let mut said = Confirmations::default();
    for topic in [Topic::Change, Topic::CalendarLoss, Topic::AfterUndo] {
        said.give(topic, GivenBy::Flag);
    }
    said
}

/// How far a run is.
enum Stage {
    Created(Created),
    Gathered(Gathered),
    Opened(Opened),
    Planned(Planned),
    Ended(Option<EndedRun>),
}

/// A run under way, in whatever phase it is.
pub(crate) struct Run {
    on: Connection,
    stage: Mutex<Option<Stage>>,
    pub(crate) path: PathBuf,
    pub(crate) interrupted: CancellationToken,
}

impl Run {
    fn new(on: Connection, path: PathBuf, interrupted: CancellationToken, stage: Stage) -> Self {
        Self {
            on,
            stage: Mutex::new(Some(stage)),
            path,
            interrupted,
        }
    }

    fn take(&self) -> Stage {
        self.stage.lock().unwrap().take().unwrap()
    }

    fn put(&self, stage: Stage) {
        *self.stage.lock().unwrap() = Some(stage);
    }

    fn halted(&self, halted: Halted) -> RolloutError {
        self.put(Stage::Ended(halted.run));
        halted.why
    }

    /// The run file, while the run is open.
    pub(crate) fn journal(&self) -> Journal {
        match self.stage.lock().unwrap().as_ref().unwrap() {
            Stage::Created(run) => run.journal().clone(),
            Stage::Gathered(run) => run.journal().clone(),
            Stage::Planned(run) => run.journal().clone(),
            Stage::Opened(opened) => match opened {
                Opened::Created(run) => run.journal().clone(),
                Opened::Gathered(run) => run.journal().clone(),
                Opened::Saved(run) => run.journal().clone(),
                Opened::Begun(run) => run.journal().clone(),
                Opened::Finished(run) => run.journal().clone(),
            },
            Stage::Ended(_) => panic!("the run has ended"),
        }
    }

    pub(crate) async fn gather(&self) -> Result<(), RolloutError> {
        let Stage::Created(created) = self.take() else {
            panic!("the users were collected before");
        };
        match created.gather().await {
            Ok(gathered) => self.put(Stage::Gathered(gathered)),
            Err(halted) => return Err(self.halted(halted)),
        }
        Ok(())
    }

    pub(crate) async fn survey(&self) -> Result<SurveyedAs, RolloutError> {
        let Stage::Gathered(gathered) = self.take() else {
            panic!("the users are not collected, or read");
        };
        match gathered.survey().await {
            Ok(planned) => {
                let surveyed_as = planned.surveyed_as().clone();
                self.put(Stage::Planned(planned));
                Ok(surveyed_as)
            }
            Err(halted) => Err(self.halted(halted)),
        }
    }

    pub(crate) async fn plan(&self) -> Result<(), RolloutError> {
        self.gather().await?;
        self.survey().await?;
        Ok(())
    }

    /// Leads to the plan from whatever was opened.
    async fn lead(&self, drifted: Drifted) -> Result<Option<Drift>, RolloutError> {
        let opened = match self.take() {
            Stage::Opened(opened) => opened,
            Stage::Planned(planned) => {
                self.put(Stage::Planned(planned));
                return Ok(None);
            }
            stage => {
                self.put(stage);
                return Ok(None);
            }
        };
        match opened.into_plan(drifted).await {
            Ok(IntoPlan::Planned(planned, differences)) => {
                self.put(Stage::Planned(*planned));
                Ok(differences)
            }
            Ok(IntoPlan::Nothing(ended)) => {
                self.put(Stage::Ended(Some(ended)));
                Ok(None)
            }
            Err(halted) => Err(self.halted(halted)),
        }
    }

    /// Keeps the plan and opens it again.
    async fn save(&self, flags: RunSettings) {
        match self.take() {
            Stage::Planned(planned) => drop(planned.keep().await.unwrap()),
            Stage::Opened(opened) => drop(opened),
            Stage::Ended(ended) => drop(ended),
            Stage::Created(_) | Stage::Gathered(_) => panic!("there is no plan yet"),
        }
        let file = RunFile::open(&self.path).unwrap();
        let opened = open(file, &self.on, flags).await.unwrap();
        self.put(Stage::Opened(opened));
    }

    /// Compares a saved plan with what is there.
    pub(crate) async fn compare(&self) -> Result<(), RolloutError> {
        self.save(RunSettings::default()).await;
        self.lead(Drifted::Refuse).await?;
        Ok(())
    }

    /// Plans anew what is not as it was.
    pub(crate) async fn replan(&self) -> Result<Drift, RolloutError> {
        self.save(RunSettings::default()).await;
        Ok(self.lead(Drifted::Replan).await?.unwrap())
    }

    /// Sends nothing.
    pub(crate) async fn rehearse(
        &self,
    ) -> Result<syncfilters::rollout::DryRunResult, RolloutError> {
        let Stage::Planned(planned) = self.take() else {
            panic!("there is no plan");
        };
        let found = planned.rehearse().await;
        self.put(Stage::Planned(planned));
        found
    }

    /// Applies what is left, wave after wave.
    pub(crate) async fn apply(&self) -> Result<(), RolloutError> {
        loop {
            if self.apply_wave().await? == 0 {
                return Ok(());
            }
        }
    }

    /// Opens the run again in a command with these flags, and applies one wave; how many users are left.
    pub(crate) async fn apply_with(&self, flags: RunSettings) -> Result<u64, RolloutError> {
        self.save(flags).await;
        self.apply_wave().await
    }

    async fn apply_wave(&self) -> Result<u64, RolloutError> {
        self.lead(Drifted::Refuse).await?;
        let planned = match self.take() {
            Stage::Planned(planned) => planned,
            ended => {
                self.put(ended);
                return Ok(0);
            }
        };
        let agreed = match agree(vec![planned], &mut yes()).await {
            Ok(AgreeResult::Decided(mut decided)) => decided.remove(0).unwrap(),
            Ok(missing) => panic!("{missing:?}"),
            Err(mut halted) => return Err(self.halted(halted.remove(0))),
        };
        match agreed.apply().await {
            Ok(Applied::Finished(ended)) => {
                self.put(Stage::Ended(Some(ended)));
                Ok(0)
            }
            Ok(Applied::WaveOver(planned)) => {
                let left = planned.journal().users_to_change().await.unwrap();
                self.put(Stage::Planned(planned));
                Ok(left)
            }
            Err(halted) => Err(self.halted(halted)),
        }
    }

    /// How the run ended. A run that came to nothing keeps its file until the test is over.
    pub(crate) async fn finish(self) -> Done {
        let ended = match self.take() {
            Stage::Ended(ended) => ended.unwrap(),
            Stage::Planned(planned) => planned.keep().await.unwrap(),
            _ => panic!("the run is under way"),
        };
        let outcome = ended.outcome;
        let path = self.path.clone();
        std::mem::forget(ended);
        Done { outcome, path }
    }
}

/// A run that has ended.
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) path: std::path::PathBuf,
}

impl Done {
    pub(crate) fn reader(&self) -> RunReader {
        RunReader::open(&self.path).unwrap()
    }

    /// Filters that were left alone because somebody changed them since.
    pub(crate) fn left_alone(&self) -> u64 {
        self.reader().view(|view| view.changed_since()).unwrap()
    }

    /// Filters by what became of them.
    pub(crate) fn totals(&self) -> FilterTotals {
        self.reader().view(|view| view.filters()).unwrap()
    }

    /// Every problem's message, of one kind.
    pub(crate) fn messages(&self, kind: ProblemKind) -> Vec<String> {
        let mut messages = Vec::new();
        let each = |row: ProblemRow| {
            if row.kind == kind {
                messages.push(row.message);
            }
            Ok::<_, ReadError>(())
        };
        self.reader().view(|view| view.each_problem(each)).unwrap();
        messages
    }

    /// How many users have a problem of each kind.
    pub(crate) fn problems(&self) -> BTreeMap<ProblemKind, u64> {
        let groups = self.reader().view(|view| view.problem_groups()).unwrap();
        groups.into_iter().map(|g| (g.kind, g.users)).collect()
    }
}
