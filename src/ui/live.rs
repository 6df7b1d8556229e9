//! Runs that this process drives: each by a task of its own, whatever becomes of the browser that began it.
//!
//! The task owns the run in its phase. What a browser wants is an order to it; what the browser sees are the run's
//! file, its progress, and whether it works, waits for somebody, or is driven no more.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::journal::{Narrowed, PlanEdit, RunRef};
use crate::model::{RunId, count, number};
use crate::plan::{Confirmations, GivenBy, PlanDigest, Stakes};
use crate::report::{ErrorReport, Prompt, prompts, question};
use crate::rollout::{
    AgreeResult, Agreed, Applied, Created, Drifted, EndedRun, Gathered, Halted, IntoPlan, Opened,
    Planned, Refused, RolloutError, RunHandle, agree,
};

/// Runs that have ended and are still told about: somebody who comes back after a day sees what became of theirs.
const TOLD: usize = 50;
/// Orders that wait for a run: each comes from a person.
const ORDERS: usize = 8;

/// What a run is begun with.
#[derive(Debug)]
pub(super) enum Start {
    /// A new one.
    New(Created),
    /// One that has a file.
    Open(Opened, Drifted),
    /// One that undoes another.
    Undo(Gathered),
}

impl Start {
    fn handle(&self) -> RunHandle {
        match self {
            Self::New(run) => run.handle(),
            Self::Open(run, _) => run.handle(),
            Self::Undo(run) => run.handle(),
        }
    }

    async fn lead_to_plan(self) -> Result<IntoPlan, Halted> {
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
    /// It waits for somebody to agree: the numbers, and what became of the wave before.
    Waiting(Box<Stakes>, Option<String>),
    /// It is driven no more, because of an error or because there is nothing left.
    Over(Option<ErrorReport>),
}

/// What somebody wants of a run that waits.
#[derive(Debug)]
enum Order {
    Agree {
        words: Vec<String>,
        shown: PlanDigest,
        answer: oneshot::Sender<Result<(), ErrorReport>>,
    },
    Edit {
        edit: PlanEdit,
        answer: oneshot::Sender<Result<Narrowed, ErrorReport>>,
    },
    Keep {
        answer: oneshot::Sender<()>,
    },
}

/// A run that this process drives, or did.
#[derive(Debug)]
pub(super) struct LiveRun {
    /// The name of its environment.
    pub(super) environment: String,
    /// Shows and steers it.
    pub(super) handle: RunHandle,
    /// How it stands.
    pub(super) state: watch::Receiver<LiveState>,
    orders: mpsc::Sender<Order>,
}

impl LiveRun {
    /// Whether it is driven.
    pub(super) fn is_driven(&self) -> bool {
        !matches!(*self.state.borrow(), LiveState::Over(_))
    }

    async fn order<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<T>) -> Order,
    ) -> Result<T, ErrorReport> {
        let (answer, answered) = oneshot::channel();
        let busy = || usage("the run is not waiting for this any more; look at the page again");
        self.orders.try_send(order(answer)).map_err(|_| busy())?;
        answered.await.map_err(|_| busy())
    }

    /// Says the words that were asked for, of the plan with this digest.
    pub(super) async fn agree(
        &self,
        words: Vec<String>,
        shown: PlanDigest,
    ) -> Result<(), ErrorReport> {
        if !matches!(*self.state.borrow(), LiveState::Waiting(..)) {
            return Err(usage("the run is not waiting for an answer"));
        }
        self.order(|answer| Order::Agree {
            words,
            shown,
            answer,
        })
        .await?
    }

    /// Takes users out of the plan, or back.
    pub(super) async fn edit(&self, edit: PlanEdit) -> Result<Narrowed, ErrorReport> {
        self.order(|answer| Order::Edit { edit, answer }).await?
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
        self.order(|answer| Order::Keep { answer }).await
    }
}

/// A sentence about what somebody wanted.
pub(super) fn usage(why: &str) -> ErrorReport {
    ErrorReport::new("usage", crate::report::ErrorClass::Usage, &why)
}

/// Whoever has to know which runs are driven, for what is said when the process ends at once.
pub trait UnderWayRuns: Send + Sync + Debug {
    /// This run is driven from now on.
    fn begin(&self, run: &RunRef);
    /// It is driven no more.
    fn end(&self, run: &RunRef);
}

/// Every run that this process drives or did, by its id.
#[derive(Debug, Default)]
pub(super) struct LiveRuns(Mutex<BTreeMap<String, Arc<LiveRun>>>);

impl LiveRuns {
    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<LiveRun>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: &RunId) -> Option<Arc<LiveRun>> {
        self.all().get(id.as_str()).cloned()
    }

    /// Whether any run is driven.
    pub(super) fn any_driven(&self) -> bool {
        self.all().values().any(|run| run.is_driven())
    }

    /// Drives a run from now on.
    pub(super) fn start(
        &self,
        environment: String,
        start: Start,
        (stop, under_way): (CancellationToken, Arc<dyn UnderWayRuns>),
    ) -> RunId {
        let handle = start.handle();
        let id = handle.id.clone();
        let (state, seen) = watch::channel(LiveState::Working);
        let (orders, received) = mpsc::channel(ORDERS);
        let live = Arc::new(LiveRun {
            environment: environment.clone(),
            handle: handle.clone(),
            state: seen,
            orders,
        });
        let mut all = self.all();
        let over: Vec<_> = all
            .iter()
            .filter(|(_, run)| !run.is_driven())
            .map(|(id, _)| id.clone())
            .collect();
        if over.len() > TOLD {
            all.remove(&over[0]);
        }
        all.insert(id.as_str().to_owned(), live);
        drop(all);
        under_way.begin(&handle.reference);
        let mut driver = Driver {
            environment,
            state,
            received,
            stop,
        };
        tokio::spawn(async move {
            let over = driver.drive(start).await;
            driver.state.send_replace(LiveState::Over(over));
            under_way.end(&handle.reference);
        });
        id
    }

    /// Waits until no run is driven: each leaves its file as `resume` needs it.
    pub(super) async fn all_over(&self) {
        let all: Vec<_> = self.all().values().cloned().collect();
        for run in all {
            run.over().await;
        }
    }
}

/// Drives one run.
struct Driver {
    environment: String,
    state: watch::Sender<LiveState>,
    received: mpsc::Receiver<Order>,
    /// Cancelled when the process is to end.
    stop: CancellationToken,
}

/// What becomes of a plan after an order.
enum Next {
    Wait(Planned),
    Apply(Agreed),
    Leave(Planned),
}

impl Driver {
    /// Leads the run to its end, or to where somebody left it; the error where that was one.
    async fn drive(&mut self, start: Start) -> Option<ErrorReport> {
        let mut planned = match start.lead_to_plan().await {
            Ok(IntoPlan::Planned(planned, _)) => *planned,
            Ok(IntoPlan::Nothing(_)) => return None,
            Err(halted) => return Some(report_of(halted)),
        };
        let mut wave = None;
        loop {
            let stakes = match planned.stakes().await {
                Ok(stakes) => stakes,
                Err(why) => {
                    let report = ErrorReport::from(&why);
                    keep(planned).await;
                    return Some(report);
                }
            };
            if stakes.items == 0 || self.stop.is_cancelled() {
                keep(planned).await;
                return None;
            }
            self.state
                .send_replace(LiveState::Waiting(Box::new(stakes), wave.clone()));
            let order = tokio::select! {
                () = self.stop.cancelled() => None,
                order = self.received.recv() => order,
            };
            let next = match order {
                None => Next::Leave(planned),
                Some(order) => match self.obey(planned, order).await {
                    Ok(next) => next,
                    Err(halted) => return Some(report_of(halted)),
                },
            };
            planned = match next {
                Next::Wait(planned) => planned,
                Next::Leave(planned) => {
                    keep(planned).await;
                    return None;
                }
                Next::Apply(agreed) => {
                    self.state.send_replace(LiveState::Working);
                    match agreed.apply().await {
                        Ok(Applied::WaveOver(planned)) => {
                            wave = wave_over(&planned).await;
                            planned
                        }
                        Ok(Applied::Finished(_)) => return None,
                        Err(halted) => return Some(report_of(halted)),
                    }
                }
            };
        }
    }

    async fn obey(&self, planned: Planned, order: Order) -> Result<Next, Halted> {
        match order {
            Order::Keep { answer } => {
                let _ = answer.send(());
                Ok(Next::Leave(planned))
            }
            Order::Edit { edit, answer } => {
                let edited = planned.edit(edit).await;
                // Whoever asked may be gone.
                let _ = answer.send(edited.map_err(|why| ErrorReport::from(&why)));
                Ok(Next::Wait(planned))
            }
            Order::Agree {
                words,
                shown,
                answer,
            } => {
                let (next, said) = self.agree(planned, &words, shown).await?;
                let _ = answer.send(said);
                Ok(next)
            }
        }
    }

    async fn agree(
        &self,
        planned: Planned,
        words: &[String],
        shown: PlanDigest,
    ) -> Result<(Next, Result<(), ErrorReport>), Halted> {
        let stakes = match planned.stakes().await {
            Ok(stakes) => stakes,
            Err(why) => return Ok((Next::Wait(planned), Err(ErrorReport::from(&why)))),
        };
        let mut said = Confirmations::default();
        said.expect(shown);
        let asked = questions(&self.environment, &stakes);
        let said_all = asked.iter().enumerate().all(|(at, prompt)| {
            let word = words.get(at).map_or("", String::as_str);
            prompt.take(&mut said, word, GivenBy::Form)
        });
        let not_said = || usage("what was typed is not what was asked for; nothing was changed");
        if !said_all {
            return Ok((Next::Wait(planned), Err(not_said())));
        }
        let reference = planned.reference().clone();
        match agree(vec![planned], &mut said).await {
            Err(mut halted) => Err(halted.swap_remove(0)),
            Ok(AgreeResult::Missing { mut plans, .. }) => {
                Ok((Next::Wait(plans.swap_remove(0)), Err(not_said())))
            }
            Ok(AgreeResult::Decided(mut decided)) => Ok(match decided.swap_remove(0) {
                Ok(agreed) => (Next::Apply(agreed), Ok(())),
                Err(Refused { planned, why }) => {
                    let report = ErrorReport::of_refusal(&why, Some(&reference));
                    (Next::Wait(planned), Err(report))
                }
            }),
        }
    }
}

/// What has to be said before a run may write, in the words of the terminal.
pub(super) fn questions(environment: &str, stakes: &Stakes) -> Vec<Prompt> {
    prompts(&stakes.needs(), &question(&[(environment, stakes)], &[]))
}

/// What became of the wave that is over.
async fn wave_over(planned: &Planned) -> Option<String> {
    let wave = planned.journal().last_wave().await.ok()?;
    Some(format!(
        "Wave {} is over: {} changed, {} failed.",
        wave.number,
        count(wave.changed, "user"),
        number(wave.failed)
    ))
}

/// Leaves a plan for later. That it could not be recorded is in the file, or the file is gone.
async fn keep(planned: Planned) {
    let _: Result<EndedRun, Halted> = planned.keep().await;
}

fn report_of(halted: Halted) -> ErrorReport {
    let Halted { why, run } = halted;
    let of_run = run.as_ref().map(|run| &run.reference);
    match why {
        RolloutError::Interrupted => usage("the run was interrupted; it can be resumed"),
        why => ErrorReport::of_run(&why, of_run),
    }
}
