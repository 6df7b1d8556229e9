//! Works on many users at once, in bounded memory.

use std::future::Future;

use tokio::task::JoinSet;

use super::control::Control;
use super::progress::{ProgressSender, RunActivity};
use super::{RolloutError, StopReason};

/// Users read from the run file at a time: five times the platform's 52 requests at once, so that no worker
/// waits for the file, and some hundred kilobytes.
const CHUNK: usize = 256;

/// An item with its number in the run file.
pub(super) trait Numbered {
    fn seq(&self) -> i64;
}

/// Limits and controls the work on many users.
pub(super) struct Pool<'a> {
    pub(super) workers: usize,
    pub(super) control: &'a Control,
    pub(super) progress: &'a ProgressSender,
}

#[derive(Default)]
struct RunningTasks {
    tasks: JoinSet<Result<(), RolloutError>>,
    first_error: Option<RolloutError>,
}

impl Pool<'_> {
    /// Passes everything that `next` returns to `work`.
    ///
    /// The first error stops the distribution and the requests that are waiting to be sent; work under way is
    /// finished, because its requests have been sent. An interruption does the same. A pause waits until
    /// no work is under way, and then for the signal to continue.
    pub(super) async fn for_each<T, N, NF, W, WF>(
        &self,
        mut next: N,
        work: W,
    ) -> Result<(), RolloutError>
    where
        T: Numbered,
        N: FnMut(i64, usize) -> NF,
        NF: Future<Output = Result<Vec<T>, RolloutError>>,
        W: Fn(T) -> WF,
        WF: Future<Output = Result<(), RolloutError>> + Send + 'static,
    {
        let mut under_way = RunningTasks::default();
        let mut after = 0;
        'hand_out: loop {
            let chunk = match next(after, CHUNK).await {
                Ok(chunk) if chunk.is_empty() => break,
                Ok(chunk) => chunk,
                Err(error) => {
                    under_way.first_error = Some(error);
                    break;
                }
            };
            for item in chunk {
                after = item.seq();
                while under_way.tasks.len() >= self.workers {
                    self.finish_one(&mut under_way).await;
                }
                self.pause(&mut under_way).await;
                if let Some(ended) = self.control.ended() {
                    under_way.first_error.get_or_insert(ended);
                }
                if under_way.first_error.is_some() {
                    break 'hand_out;
                }
                under_way.tasks.spawn(work(item));
            }
        }
        while !under_way.tasks.is_empty() {
            self.finish_one(&mut under_way).await;
        }
        under_way.first_error.map_or(Ok(()), Err)
    }

    /// Waits while the run is paused.
    async fn pause(&self, under_way: &mut RunningTasks) {
        while self.control.is_paused()
            && under_way.first_error.is_none()
            && self.control.ended().is_none()
        {
            if under_way.tasks.is_empty() {
                self.control.wait(self.progress).await;
            } else {
                let tasks = u64::try_from(under_way.tasks.len()).unwrap_or(u64::MAX);
                let activity = RunActivity::Pausing { under_way: tasks };
                self.progress.activity(activity);
                self.finish_one(under_way).await;
            }
        }
        self.progress.activity(RunActivity::Working);
    }

    async fn finish_one(&self, under_way: &mut RunningTasks) {
        let first_error = &mut under_way.first_error;
        match under_way.tasks.join_next().await {
            Some(Ok(Err(error))) => keep_first(first_error, error),
            Some(Err(died)) => {
                let defect = StopReason::Defect(died.to_string());
                keep_first(first_error, RolloutError::Stopped(defect));
            }
            Some(Ok(Ok(()))) | None => {}
        }
        if first_error.is_some() {
            self.progress.activity(RunActivity::Stopping);
            self.control.token().cancel();
        }
    }
}

/// Keeps the cause rather than the interruptions that follow it.
fn keep_first(first_error: &mut Option<RolloutError>, error: RolloutError) {
    let replace = match first_error {
        None => true,
        Some(first) => first.is_interruption() && !error.is_interruption(),
    };
    if replace {
        *first_error = Some(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    impl Numbered for i64 {
        fn seq(&self) -> i64 {
            *self
        }
    }

    use tokio_util::sync::CancellationToken;

    use super::super::progress::Progress;

    struct Bench {
        control: Control,
        progress: ProgressSender,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                control: Control::new(CancellationToken::new()),
                progress: ProgressSender::default(),
            }
        }

        fn pool(&self, workers: usize) -> Pool<'_> {
            Pool {
                workers,
                control: &self.control,
                progress: &self.progress,
            }
        }

        fn now(&self) -> Progress {
            self.progress.subscribe().borrow().clone()
        }
    }

    async fn numbers(after: i64, limit: usize) -> Result<Vec<i64>, RolloutError> {
        let limit = i64::try_from(limit).unwrap();
        Ok((after + 1..=1000)
            .take_while(|n| *n <= after + limit)
            .collect())
    }

    #[tokio::test]
    async fn everything_is_worked_on_once_and_never_more_than_allowed_at_a_time() {
        let (now, most, done) = <(Arc<AtomicUsize>, Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let work = |_: i64| {
            let (now, most, done) = (now.clone(), most.clone(), done.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        };
        let bench = Bench::new();
        bench.pool(7).for_each(numbers, work).await.unwrap();
        assert_eq!(done.load(Ordering::SeqCst), 1000);
        assert!(most.load(Ordering::SeqCst) <= 7);
    }

    #[tokio::test]
    async fn an_error_stops_the_hand_out() {
        let done = Arc::new(AtomicUsize::new(0));
        let work = |n: i64| {
            let done = done.clone();
            async move {
                done.fetch_add(1, Ordering::SeqCst);
                if n == 5 {
                    Err(RolloutError::Stopped(StopReason::Defect("five".into())))
                } else {
                    Ok(())
                }
            }
        };
        let result = Bench::new().pool(3).for_each(numbers, work).await;
        assert!(matches!(result, Err(RolloutError::Stopped(_))));
        assert!(done.load(Ordering::SeqCst) < 20);
    }

    #[tokio::test]
    async fn an_interruption_hands_out_nothing_more() {
        let bench = Bench::new();
        bench.control.token().cancel();
        let work = |_: i64| async { Ok(()) };
        let result = bench.pool(3).for_each(numbers, work).await;
        assert!(matches!(result, Err(RolloutError::Interrupted)));
    }

    #[tokio::test]
    async fn a_pause_finishes_what_is_under_way_and_hands_out_nothing_until_it_is_over() {
        let bench = Bench::new();
        let done = Arc::new(AtomicUsize::new(0));
        let (control, counted) = (bench.control.clone(), done.clone());
        let work = move |n: i64| {
            let (control, done) = (control.clone(), counted.clone());
            async move {
                if n == 5 {
                    control.pause();
                }
                done.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        };
        let pool = bench.pool(3);
        let run = pool.for_each(numbers, work);
        let watch = async {
            let mut progress = bench.progress.subscribe();
            let paused = |progress: &Progress| progress.activity == RunActivity::Paused;
            progress.wait_for(paused).await.unwrap();
            let at_pause = done.load(Ordering::SeqCst);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert_eq!(done.load(Ordering::SeqCst), at_pause);
            assert!(at_pause < 20);
            bench.control.go_on();
        };
        let (result, ()) = tokio::join!(run, watch);
        result.unwrap();
        assert_eq!(done.load(Ordering::SeqCst), 1000);
        assert_eq!(bench.now().activity, RunActivity::Working);
    }

    #[tokio::test]
    async fn a_paused_run_can_be_stopped_and_says_that_it_was_asked_to() {
        let bench = Bench::new();
        bench.control.pause();
        let (pool, work) = (bench.pool(3), |_: i64| async { Ok(()) });
        let run = pool.for_each(numbers, work);
        let stop = async {
            let mut progress = bench.progress.subscribe();
            let paused = |progress: &Progress| progress.activity == RunActivity::Paused;
            progress.wait_for(paused).await.unwrap();
            bench.control.stop();
        };
        let (result, ()) = tokio::join!(run, stop);
        let Err(RolloutError::Stopped(StopReason::Requested)) = result else {
            panic!("{result:?}");
        };
    }

    #[tokio::test]
    async fn a_run_that_is_stopped_says_the_first_reason() {
        let bench = Bench::new();
        bench.control.stop_because(StopReason::TimeReached);
        bench.control.stop();
        let pool = bench.pool(3);
        let result = pool.for_each(numbers, |_: i64| async { Ok(()) }).await;
        let Err(RolloutError::Stopped(StopReason::TimeReached)) = result else {
            panic!("{result:?}");
        };
    }
}
