//! Working on many users at once, in bounded memory.

use std::future::Future;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::RolloutError;

/// Users read from the run file at a time.
const CHUNK: usize = 256;

/// Something with a number by which the run file hands it out.
pub(super) trait Numbered {
    fn seq(&self) -> i64;
}

/// Hands everything that `next` brings to `work`, `workers` at a time.
///
/// The first error stops the hand-out, and those who wait for their turn to send; what is under way is
/// finished, because a request that has left has left. An interruption does the same.
pub(super) async fn for_each<T, N, NF, W, WF>(
    workers: usize,
    interrupted: &CancellationToken,
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
    let mut running = JoinSet::new();
    let mut first_error = None;
    let mut after = 0;
    'hand_out: loop {
        let chunk = match next(after, CHUNK).await {
            Ok(chunk) if chunk.is_empty() => break,
            Ok(chunk) => chunk,
            Err(error) => {
                first_error = Some(error);
                break;
            }
        };
        for item in chunk {
            after = item.seq();
            while running.len() >= workers {
                finish_one(&mut running, &mut first_error, interrupted).await;
            }
            if interrupted.is_cancelled() {
                first_error.get_or_insert(RolloutError::Interrupted);
            }
            if first_error.is_some() {
                break 'hand_out;
            }
            running.spawn(work(item));
        }
    }
    while !running.is_empty() {
        finish_one(&mut running, &mut first_error, interrupted).await;
    }
    first_error.map_or(Ok(()), Err)
}

async fn finish_one(
    running: &mut JoinSet<Result<(), RolloutError>>,
    first_error: &mut Option<RolloutError>,
    interrupted: &CancellationToken,
) {
    match running.join_next().await {
        Some(Ok(Err(error))) => keep_first(first_error, error),
        Some(Err(died)) => {
            let why = format!("a worker died: {died}");
            keep_first(first_error, RolloutError::Stopped(why));
        }
        Some(Ok(Ok(()))) | None => {}
    }
    if first_error.is_some() {
        interrupted.cancel();
    }
}

/// The cause is worth more than the interruptions that follow it.
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
        for_each(7, &CancellationToken::new(), numbers, work)
            .await
            .unwrap();
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
                    Err(RolloutError::Stopped("five".into()))
                } else {
                    Ok(())
                }
            }
        };
        let result = for_each(3, &CancellationToken::new(), numbers, work).await;
        assert!(matches!(result, Err(RolloutError::Stopped(_))));
        assert!(done.load(Ordering::SeqCst) < 20);
    }

    #[tokio::test]
    async fn an_interruption_hands_out_nothing_more() {
        let interrupted = CancellationToken::new();
        interrupted.cancel();
        let result = for_each(3, &interrupted, numbers, |_: i64| async { Ok(()) }).await;
        assert!(matches!(result, Err(RolloutError::Interrupted)));
    }
}
