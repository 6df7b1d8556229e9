//! A practice organisation, and runs driven against it as the command line drives them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use syncfilters::auth::GivenToken;
use syncfilters::dataverse::{Channel, Reader};
use syncfilters::journal::{RunFile, RunReader};
use syncfilters::model::{Operation, Outcome, ProblemKind, RunId};
use syncfilters::pacing::{Pacer, RetryPolicy, Settings};
use syncfilters::plan::{Criteria, Selection, Types};
use syncfilters::rollout::{Application, Rollout, RolloutError, Started, SurveyMode};
use syncfilters::sandbox::{FilterSnapshot, Options, Sandbox};
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
            self.sandbox.url().parse().unwrap(),
            tokens,
            Pacer::new(settings),
            interrupted.clone(),
        );
        Reader::connect(channel.unwrap()).await.unwrap()
    }

    pub(crate) async fn begin(&self, started: Started) -> Run {
        let interrupted = CancellationToken::new();
        let reader = self.reader(&interrupted).await;
        let id = RunId::random();
        let path = self.folder.path().join(format!("{id}.run"));
        let file = RunFile::create(&path, started.head(id, &reader)).unwrap();
        Run {
            rollout: Arc::new(Rollout::new(reader, file).unwrap()),
            path,
            interrupted,
        }
    }

    /// Plans and applies.
    pub(crate) async fn carry_out(&self, operation: Operation) -> Done {
        let run = self.begin(started(operation)).await;
        run.plan().await.unwrap();
        run.apply().await.unwrap();
        run.finish().await
    }

    /// Opens a run file again, as a new process would.
    pub(crate) async fn reopen(&self, path: &std::path::Path) -> Run {
        let interrupted = CancellationToken::new();
        let reader = self.reader(&interrupted).await;
        let file = RunFile::open(path).unwrap();
        Run {
            rollout: Arc::new(Rollout::new(reader, file).unwrap()),
            path: path.to_owned(),
            interrupted,
        }
    }

    pub(crate) async fn undo(&self, done: &Done) -> Done {
        let source = RunReader::open_at_rest(&done.path).unwrap();
        let run = self
            .begin(Started {
                operation: Operation::Undo,
                undoes: Some(source.head.id.clone()),
                selection: Selection::default(),
                criteria: Criteria::new(Types::All, source.head.criteria.kinds().to_vec(), None)
                    .unwrap(),
            })
            .await;
        run.rollout.gather_undo(&source).await.unwrap();
        run.rollout.prove().await.unwrap();
        run.rollout.survey(SurveyMode::Impersonation).await.unwrap();
        run.apply().await.unwrap();
        run.finish().await
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

pub(crate) fn started(operation: Operation) -> Started {
    Started {
        operation,
        undoes: None,
        selection: Selection::default(),
        criteria: Criteria::default(),
    }
}

/// A run under way.
pub(crate) struct Run {
    pub(crate) rollout: Arc<Rollout>,
    pub(crate) path: std::path::PathBuf,
    pub(crate) interrupted: CancellationToken,
}

impl Run {
    pub(crate) async fn plan(&self) -> Result<(), RolloutError> {
        self.rollout.gather().await?;
        self.rollout.prove().await?;
        self.rollout.survey(SurveyMode::Impersonation).await?;
        Ok(())
    }

    pub(crate) async fn apply(&self) -> Result<(), RolloutError> {
        self.rollout.apply(Application::default()).await
    }

    pub(crate) async fn finish(self) -> Done {
        let outcome = self.rollout.finish().await.unwrap();
        Done {
            outcome,
            path: self.path.clone(),
        }
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

    /// How many users have a problem of each kind.
    pub(crate) fn problems(&self) -> BTreeMap<ProblemKind, u64> {
        let groups = self.reader().view(|view| view.problem_groups()).unwrap();
        groups.into_iter().map(|g| (g.kind, g.users)).collect()
    }
}
