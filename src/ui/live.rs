//! Runs that this process drives: each by a task of its own, whatever becomes of the browser that began it.
//!
//! The task owns the run in its phase. What a browser wants is an order to it; what the browser sees are the run's
//! file, its progress, and whether it works, waits for somebody, or is driven no more.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot, watch};

use crate::journal::{Narrowed, PlanEdit, RunRef};
use crate::model::RunId;
use crate::plan::{PlanDigest, Stakes};
use crate::report::{ErrorClass, ErrorReport, PlanFacts, Prompt, prompts, question};
use crate::rollout::{Created, Drifted, Gathered, Halted, IntoPlan, Opened, RunHandle};

use super::driver::{Driver, DriverContext};

/// Runs that have ended and whose end is still known: somebody who comes back after a day sees what became of theirs.
const ENDED_RUNS: usize = 50;
/// Orders that wait for a run: each comes from a person.
const ORDERS: usize = 8;

/// What a run is begun with.
#[derive(Debug)]
pub(super) enum RunStart {
    /// A new one.
    New(Created),
    /// One that has a file.
    Open(Opened, Drifted),
    /// One that undoes another.
    Undo(Gathered),
}

impl RunStart {
    fn handle(&self) -> RunHandle {
        match self {
            Self::New(run) => run.handle(),
            Self::Open(run, _) => run.handle(),
            Self::Undo(run) => run.handle(),
        }
    }

    fn undoes(&self) -> Option<RunId> {
        match self {
            Self::Undo(run) => run.header().undoes.clone(),
            Self::New(_) | Self::Open(..) => None,
        }
    }

    /// Reads until there is a plan.
    pub(super) async fn lead_to_plan(self) -> Result<IntoPlan, Halted> {
        let planned = match self {
            Self::New(created) => created.gather().await?.survey().await?,
            Self::Undo(gathered) => gathered.survey().await?,
            Self::Open(opened, drifted) => return opened.into_plan(drifted).await,
        };
        Ok(IntoPlan::Planned(Box::new(planned), None))
    }
}

/// How a run that is driven stands.
#[derive(Clone, Debug)]
pub(super) enum LiveState {
    /// It reads or writes.
    Working,
    /// It waits for somebody to agree.
    Waiting(Arc<WaitingPlan>),
    /// It is driven no more.
    Over(Over),
}

/// A plan that waits for somebody to agree.
#[derive(Debug)]
pub(super) struct WaitingPlan {
    /// What is to be agreed to.
    pub(super) stakes: Stakes,
    /// What the screen says of it: counting it takes seconds where there are many users.
    pub(super) facts: PlanFacts,
    /// What happened before: how a wave ended, or how the plan differs from the one before. A line each.
    pub(super) news: Vec<String>,
}

/// How driving a run ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Over {
    /// What went wrong.
    pub(super) problem: Option<ErrorReport>,
    /// Whether the run came to nothing and left no file.
    pub(super) left_no_file: bool,
    /// Whether the process was to end before the run did.
    pub(super) is_cut_short: bool,
}

/// What somebody wants of a run that waits.
#[derive(Debug)]
pub(super) enum RunOrder {
    /// To make the changes of a wave.
    Agree {
        words: Vec<String>,
        shown: PlanDigest,
        answer: oneshot::Sender<Result<(), ErrorReport>>,
    },
    /// To take users out of the plan, or back.
    Edit {
        edit: PlanEdit,
        answer: oneshot::Sender<Result<Narrowed, ErrorReport>>,
    },
    /// To leave the plan for later.
    Keep { answer: oneshot::Sender<()> },
}

/// A run that this process drives, or did.
#[derive(Debug)]
pub(super) struct LiveRun {
    /// The name of its environment.
    pub(super) environment: String,
    /// The run that it undoes.
    undoes: Option<RunId>,
    /// Shows and steers it.
    pub(super) handle: RunHandle,
    /// How it stands.
    pub(super) state: watch::Receiver<LiveState>,
    orders: mpsc::Sender<RunOrder>,
}

impl LiveRun {
    /// Whether it is driven.
    pub(super) fn is_driven(&self) -> bool {
        !matches!(*self.state.borrow(), LiveState::Over(_))
    }

    async fn order<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<T>) -> RunOrder,
    ) -> Result<T, ErrorReport> {
        if !matches!(*self.state.borrow(), LiveState::Waiting(_)) {
            return Err(not_waiting());
        }
        let (answer, answered) = oneshot::channel();
        self.orders
            .try_send(order(answer))
            .map_err(|_| not_waiting())?;
        // An order that came too late is dropped with its answer.
        answered.await.map_err(|_| not_waiting())
    }

    /// Says the words that were asked for, of the plan with this digest.
    pub(super) async fn agree(
        &self,
        words: Vec<String>,
        shown: PlanDigest,
    ) -> Result<(), ErrorReport> {
        self.order(|answer| RunOrder::Agree {
            words,
            shown,
            answer,
        })
        .await?
    }

    /// Takes users out of the plan, or back.
    pub(super) async fn edit(&self, edit: PlanEdit) -> Result<Narrowed, ErrorReport> {
        self.order(|answer| RunOrder::Edit { edit, answer }).await?
    }

    /// Returns when it is driven no more.
    pub(super) async fn over(&self) {
        // A task that is gone drives nothing.
        let mut state = self.state.clone();
        let _ = state
            .wait_for(|state| matches!(state, LiveState::Over(_)))
            .await;
    }

    /// Leaves the plan for later.
    pub(super) async fn keep(&self) -> Result<(), ErrorReport> {
        self.order(|answer| RunOrder::Keep { answer }).await
    }
}

/// A sentence about what somebody wanted.
pub(super) fn usage(why: &str) -> ErrorReport {
    ErrorReport::new("usage", ErrorClass::Usage, &why)
}

fn not_waiting() -> ErrorReport {
    usage("the run is not waiting for this any more; look at the page again")
}

/// What has to be said before a run may write, in the words of the terminal.
pub(super) fn questions(environment: &str, stakes: &Stakes) -> Vec<Prompt> {
    prompts(&stakes.needs(), &question(&[(environment, stakes)], &[]))
}

/// Whoever has to know which runs are driven, for what is said when the process ends at once.
pub trait RunObserver: Send + Sync + Debug {
    /// This run is driven from now on.
    fn begin(&self, run: &RunRef);
    /// It is driven no more.
    fn end(&self, run: &RunRef);
}

/// Every run that this process drives or did, in the order in which they were begun.
#[derive(Debug, Default)]
pub(super) struct LiveRuns(Mutex<VecDeque<Arc<LiveRun>>>);

impl LiveRuns {
    fn all(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<LiveRun>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: &RunId) -> Option<Arc<LiveRun>> {
        let all = self.all();
        all.iter().find(|run| run.handle.id == *id).cloned()
    }

    /// The run that is driven to undo this one.
    pub(super) fn undo_of(&self, source: &RunId) -> Option<RunId> {
        let all = self.all();
        let mut driven = all.iter().filter(|run| run.is_driven());
        let undo = driven.find(|run| run.undoes.as_ref() == Some(source));
        undo.map(|run| run.handle.id.clone())
    }

    /// Whether any run is driven.
    pub(super) fn any_driven(&self) -> bool {
        self.all().iter().any(|run| run.is_driven())
    }

    /// Drives a run from now on.
    pub(super) fn start(&self, environment: String, start: RunStart, with: DriverContext) -> RunId {
        let handle = start.handle();
        let id = handle.id.clone();
        let (state, seen) = watch::channel(LiveState::Working);
        let (orders, received) = mpsc::channel(ORDERS);
        let live = LiveRun {
            environment: environment.clone(),
            undoes: start.undoes(),
            handle: handle.clone(),
            state: seen,
            orders,
        };
        self.add(Arc::new(live));
        let driver = Driver::new((environment, handle.reference), state, received, with);
        tokio::spawn(driver.drive(start));
        id
    }

    fn add(&self, live: Arc<LiveRun>) {
        let mut all = self.all();
        // A run that is resumed is driven anew.
        all.retain(|run| run.handle.id != live.handle.id);
        let ended = all.iter().filter(|run| !run.is_driven()).count();
        if ended >= ENDED_RUNS
            && let Some(oldest) = all.iter().position(|run| !run.is_driven())
        {
            all.remove(oldest);
        }
        all.push_back(live);
    }

    /// The runs that the end of the process cut short.
    pub(super) fn cut_short(&self) -> Vec<RunRef> {
        let all = self.all();
        let cut = all.iter().filter(
            |run| matches!(&*run.state.borrow(), LiveState::Over(over) if over.is_cut_short),
        );
        cut.map(|run| run.handle.reference.clone()).collect()
    }

    /// Waits until no run is driven: each leaves its file as `resume` needs it.
    pub(super) async fn all_over(&self) {
        let all: Vec<_> = self.all().iter().cloned().collect();
        for run in all {
            run.over().await;
        }
    }
}
