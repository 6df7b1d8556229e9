//! Runs that this process drives: each by a task of its own, whatever becomes of the browser that began it.
//!
//! The task owns the run in its phase. What a browser wants is an order to it; what the browser sees are the run's
//! file, its progress, and whether it works, waits for somebody, or is driven no more.

use std::fmt::Debug;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::journal::{Narrowed, PlanEdit, RunRef};
use crate::model::RunId;
use crate::plan::{PlanDigest, Stakes};
use crate::report::{ErrorClass, ErrorReport, PlanFacts, Prompt, prompts, question};
use crate::rollout::{Created, Drifted, Gathered, Halted, IntoPlan, Opened, RunHandle};

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

impl LiveState {
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting(_))
    }

    /// How a run stands that is driven; none where it is driven no more.
    pub(super) const fn words(&self) -> Option<&'static str> {
        match self {
            Self::Working => Some("at work"),
            Self::Waiting(_) => Some("waits for your answer"),
            Self::Over(_) => None,
        }
    }
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
    /// The plan, where there was nothing to change in it.
    pub(super) nothing: Option<PlanFacts>,
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
    pub(super) undoes: Option<RunId>,
    /// Shows and steers it.
    pub(super) handle: RunHandle,
    /// How it stands.
    pub(super) state: watch::Receiver<LiveState>,
    orders: mpsc::Sender<RunOrder>,
}

impl LiveRun {
    /// A run that is begun like this, with the orders to whoever drives it.
    pub(super) fn new(
        environment: String,
        start: &RunStart,
        state: watch::Receiver<LiveState>,
    ) -> (Self, mpsc::Receiver<RunOrder>) {
        let (orders, received) = mpsc::channel(ORDERS);
        let live = Self {
            environment,
            undoes: start.undoes(),
            handle: start.handle(),
            state,
            orders,
        };
        (live, received)
    }

    /// Whether it is driven.
    pub(super) fn is_driven(&self) -> bool {
        !matches!(*self.state.borrow(), LiveState::Over(_))
    }

    /// Whether it reads or writes.
    pub(super) fn is_working(&self) -> bool {
        matches!(*self.state.borrow(), LiveState::Working)
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

/// What is said where a run does not work as whoever gave an order thought.
pub(super) fn not_working() -> ErrorReport {
    usage("the run is not at work any more; look at the page again")
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
