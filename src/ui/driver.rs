//! Drives one run from its begin to its end, in a task of its own: it reads, asks, obeys and writes.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::journal::{JournalError, Narrowed, RunRef};
use crate::plan::{Confirmations, GivenBy, PlanDigest};
use crate::report::{ErrorReport, clean, difference_lines, plan_facts, wave_line};
use crate::rollout::{
    AgreeResult, Agreed, Applied, Halted, IntoPlan, Planned, Refused, RolloutError, agree,
};

use super::blocking::{blocking, defect};
use super::live::{
    LiveState, Over, RunObserver, RunOrder, RunStart, WaitingPlan, questions, usage,
};
use super::run_files::RunFiles;

/// What every driver of this process needs.
#[derive(Clone, Debug)]
pub(super) struct DriverContext {
    /// Cancelled when the process is to end.
    pub(super) stop: CancellationToken,
    pub(super) observer: Arc<dyn RunObserver>,
    pub(super) files: Arc<RunFiles>,
}

/// Drives one run. However it ends, that is seen.
pub(super) struct Driver {
    environment: String,
    run: RunRef,
    /// Cancelled when the run is to end.
    stopped: CancellationToken,
    state: watch::Sender<LiveState>,
    received: mpsc::Receiver<RunOrder>,
    with: DriverContext,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.state.send_if_modified(|state| {
            let is_lost = !matches!(state, LiveState::Over(_));
            if is_lost {
                *state = LiveState::Over(Over::because(defect()));
            }
            is_lost
        });
        self.with.observer.end(&self.run);
    }
}

impl Over {
    fn because(problem: ErrorReport) -> Self {
        Self {
            problem: Some(problem),
            ..Self::default()
        }
    }

    fn halted(halted: Halted) -> Self {
        let Halted { why, run } = halted;
        // What was done is in the file, wherever that is now.
        let is_lost = matches!(why, RolloutError::Journal(JournalError::RunFileGone { .. }));
        let of_run = run.as_ref().map(|run| &run.reference);
        let problem = match why {
            RolloutError::Interrupted => usage("the run was interrupted; it can be resumed"),
            why => ErrorReport::of_run(&why, of_run),
        };
        Self {
            problem: Some(problem),
            left_no_file: !is_lost && run.is_none_or(|run| !run.is_kept()),
            ..Self::default()
        }
    }
}

/// What becomes of a plan after an order.
enum AfterOrder {
    Wait(Planned),
    Apply(Agreed),
    Keep(Planned),
}

/// What is said to whoever gave an order, once the page shows what came of it.
enum Answer {
    Edited(
        oneshot::Sender<Result<Narrowed, ErrorReport>>,
        Result<Narrowed, ErrorReport>,
    ),
    Agreed(
        oneshot::Sender<Result<(), ErrorReport>>,
        Result<(), ErrorReport>,
    ),
}

impl Answer {
    /// Whoever asked may be gone.
    fn send(self) {
        match self {
            Self::Edited(to, result) => drop(to.send(result)),
            Self::Agreed(to, result) => drop(to.send(result)),
        }
    }

    /// The same, where the plan cannot be shown.
    fn fail(self, problem: ErrorReport) {
        match self {
            Self::Edited(to, result) => drop(to.send(result.and(Err(problem)))),
            Self::Agreed(to, result) => drop(to.send(result.and(Err(problem)))),
        }
    }
}

impl Driver {
    pub(super) fn new(
        (environment, run, stopped): (String, RunRef, CancellationToken),
        state: watch::Sender<LiveState>,
        received: mpsc::Receiver<RunOrder>,
        with: DriverContext,
    ) -> Self {
        with.observer.begin(&run);
        Self {
            environment,
            run,
            stopped,
            state,
            received,
            with,
        }
    }

    /// Leads the run to its end, or to where somebody left it.
    pub(super) async fn drive(mut self, start: RunStart) {
        let over = match self.lead(start).await {
            Ok(over) => over,
            Err(halted) => Over::halted(halted),
        };
        let is_cut_short = self.with.stop.is_cancelled() && !over.left_no_file;
        self.state.send_replace(LiveState::Over(Over {
            is_cut_short,
            ..over
        }));
    }

    async fn lead(&mut self, start: RunStart) -> Result<Over, Halted> {
        let (mut planned, mut news) = match self.busy(start.lead_to_plan()).await? {
            IntoPlan::Planned(planned, drift) => (*planned, drift.as_ref().map(difference_lines)),
            IntoPlan::Nothing(_) => return Ok(Over::default()),
        };
        let mut answer = None;
        loop {
            if let Err(over) = self.show(&planned, news.as_deref(), answer.take()).await {
                let left_no_file = keep(planned).await?.left_no_file;
                return Ok(Over {
                    left_no_file,
                    ..over
                });
            }
            let order = tokio::select! {
                biased;
                () = self.with.stop.cancelled() => None,
                () = self.stopped.cancelled() => None,
                order = self.received.recv() => order,
            };
            let Some(order) = order else {
                return keep(planned).await;
            };
            let (next, said) = self.obey(planned, order).await?;
            planned = match next {
                AfterOrder::Wait(planned) => {
                    answer = said;
                    planned
                }
                AfterOrder::Keep(planned) => return keep(planned).await,
                AfterOrder::Apply(agreed) => {
                    self.state.send_replace(LiveState::Working);
                    if let Some(said) = said {
                        said.send();
                    }
                    match self.busy(agreed.apply()).await? {
                        Applied::WaveOver(planned) => {
                            news = wave_over(&planned).await.map(|line| vec![line]);
                            planned
                        }
                        Applied::Finished(_) => return Ok(Over::default()),
                    }
                }
            };
        }
    }

    /// Shows the plan and its question, and answers whoever gave the last order; how the run is left where there is
    /// nothing to be asked.
    async fn show(
        &self,
        planned: &Planned,
        news: Option<&[String]>,
        answer: Option<Answer>,
    ) -> Result<(), Over> {
        // A pause that came when the work was over is not one of the next wave.
        planned.handle().control.go_on();
        match (self.waiting(planned, news).await, answer) {
            (Ok(plan), _) if plan.stakes.items == 0 => Err(Over {
                nothing: Some(plan.facts),
                ..Over::default()
            }),
            (Ok(_), _) if self.is_to_end() => Err(Over::default()),
            (Ok(plan), answer) => {
                self.state.send_replace(LiveState::Waiting(Arc::new(plan)));
                if let Some(answer) = answer {
                    answer.send();
                }
                Ok(())
            }
            // What is shown is as it was: its digest is no more that of the plan, so that nobody agrees to it.
            (Err(problem), Some(answer)) => {
                answer.fail(problem);
                Ok(())
            }
            (Err(problem), None) => Err(Over::because(problem)),
        }
    }

    /// Whether the process or the run is to end.
    fn is_to_end(&self) -> bool {
        self.with.stop.is_cancelled() || self.stopped.is_cancelled()
    }

    /// Does work during which nothing is obeyed: an order that comes meanwhile is about a plan that is no more.
    async fn busy<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(_refused) = self.received.recv() => {}
            }
        }
    }

    /// The plan as it is now, with everything that is shown of it.
    async fn waiting(
        &self,
        planned: &Planned,
        news: Option<&[String]>,
    ) -> Result<WaitingPlan, ErrorReport> {
        let stakes = planned.stakes().await;
        let stakes = stakes.map_err(|error| ErrorReport::from(&error))?;
        let (files, id, can_lose) = (
            Arc::clone(&self.with.files),
            self.run.id.clone(),
            stakes.calendar_loss,
        );
        let facts = blocking(move || {
            let run = files.read(&id)?;
            plan_facts(&run, can_lose).map_err(|error| ErrorReport::from(&error))
        });
        let mut facts = facts.await?;
        // What is left of a plan after a wave is agreed to by a digest of its own.
        facts.set_digest(stakes.digest.as_ref());
        Ok(WaitingPlan {
            stakes,
            facts,
            news: news.unwrap_or_default().to_vec(),
        })
    }

    async fn obey(
        &self,
        planned: Planned,
        order: RunOrder,
    ) -> Result<(AfterOrder, Option<Answer>), Halted> {
        match order {
            RunOrder::Keep { answer } => {
                let _ = answer.send(());
                Ok((AfterOrder::Keep(planned), None))
            }
            RunOrder::Edit { edit, answer } => {
                let edited = planned.edit(edit).await;
                let edited = edited.map_err(|why| ErrorReport::from(&why));
                let answer = Answer::Edited(answer, edited);
                Ok((AfterOrder::Wait(planned), Some(answer)))
            }
            RunOrder::Agree {
                words,
                shown,
                answer,
            } => {
                let (next, said) = self.agree(planned, &words, shown).await?;
                Ok((next, Some(Answer::Agreed(answer, said))))
            }
        }
    }

    async fn agree(
        &self,
        planned: Planned,
        words: &[String],
        shown: PlanDigest,
    ) -> Result<(AfterOrder, Result<(), ErrorReport>), Halted> {
        let stakes = match planned.stakes().await {
            Ok(stakes) => stakes,
            Err(why) => return Ok((AfterOrder::Wait(planned), Err(ErrorReport::from(&why)))),
        };
        if stakes.digest.as_ref() != Some(&shown) {
            let why = "the plan is another one than this form showed; look at it again. This answer changed nothing";
            return Ok((AfterOrder::Wait(planned), Err(usage(why))));
        }
        let mut said = Confirmations::default();
        said.expect(shown);
        let asked = questions(&self.environment, &stakes);
        let said_all = asked.iter().enumerate().all(|(at, prompt)| {
            let word = words.get(at).map_or("", String::as_str);
            prompt.take(&mut said, word, GivenBy::Form)
        });
        let not_said = || {
            let typed = words.iter().map(|word| word.trim());
            let typed: Vec<_> = typed.filter(|word| !word.is_empty()).collect();
            usage(&match &typed[..] {
                [] => "nothing was typed; the question names the word. This answer changed nothing"
                    .to_owned(),
                typed => format!(
                    "`{}` is not what the question asks for. This answer changed nothing",
                    clean(&typed.join("`, `"))
                ),
            })
        };
        if !said_all {
            return Ok((AfterOrder::Wait(planned), Err(not_said())));
        }
        let reference = planned.reference().clone();
        match agree(vec![planned], &mut said).await {
            Err(mut halted) => Err(halted.swap_remove(0)),
            Ok(AgreeResult::Missing { mut plans, .. }) => {
                Ok((AfterOrder::Wait(plans.swap_remove(0)), Err(not_said())))
            }
            Ok(AgreeResult::Decided(mut decided)) => Ok(match decided.swap_remove(0) {
                Ok(agreed) => (AfterOrder::Apply(agreed), Ok(())),
                Err(Refused { planned, why }) => {
                    let report = ErrorReport::of_refusal(&why, Some(&reference));
                    (AfterOrder::Wait(planned), Err(report))
                }
            }),
        }
    }
}

/// What became of the wave that is over.
async fn wave_over(planned: &Planned) -> Option<String> {
    let wave = planned.journal().last_wave().await.ok()?;
    let stakes = planned.stakes().await.ok()?;
    Some(wave_line(&wave, &stakes))
}

/// Leaves a plan for later; one in which nothing is to be changed leaves no file.
async fn keep(planned: Planned) -> Result<Over, Halted> {
    let ended = planned.keep().await?;
    Ok(Over {
        left_no_file: !ended.is_kept(),
        ..Over::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Debug, Default)]
    struct Counted(AtomicUsize, AtomicUsize);

    impl RunObserver for Counted {
        fn begin(&self, _: &RunRef) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn end(&self, _: &RunRef) {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn a_driver_that_is_lost_is_seen_to_drive_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let counted = Arc::new(Counted::default());
        let with = DriverContext {
            stop: CancellationToken::new(),
            observer: Arc::clone(&counted) as Arc<dyn RunObserver>,
            files: Arc::new(RunFiles::new(crate::journal::RunStore::new(folder.path()))),
        };
        let (state, seen) = watch::channel(LiveState::Working);
        let (_orders, received) = mpsc::channel(1);
        let run = RunRef::stored(&"0123456789ab".parse().unwrap());
        let driver = Driver::new(
            ("contoso".into(), run, CancellationToken::new()),
            state,
            received,
            with,
        );
        let lost = tokio::spawn(async move {
            let _driver = driver;
            panic!("a defect");
        });
        assert!(lost.await.is_err());
        let LiveState::Over(over) = seen.borrow().clone() else {
            panic!("it is still thought to be driven");
        };
        assert!(!over.left_no_file);
        assert!(over.problem.unwrap().message.contains("defect"));
        let Counted(begun, ended) = &*counted;
        let numbers = (begun.load(Ordering::Relaxed), ended.load(Ordering::Relaxed));
        assert_eq!(numbers, (1, 1));
    }
}
