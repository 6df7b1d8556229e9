//! Records the requests of a run, second by second.

use std::future::Future;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::journal::Requests;
use crate::plan::RequestPace;

use super::RolloutError;
use super::request_counts::RequestCounts;
use super::session::Rollout;

/// The shortest time bucket of a run file, in milliseconds.
const SPAN: i64 = 1000;

/// The time between two counts of the requests of a reading. The shortest readings take about a second.
const BETWEEN_COUNTS: Duration = Duration::from_millis(50);

/// Keeps a count if it is at least a twentieth more than the one before: some two hundred of 100,000 users.
fn note(counts: &mut Vec<(u64, u64)>, now: (u64, u64)) {
    let last = counts.last().map_or(0, |(requests, _)| *requests);
    if now.0 > last.saturating_add(last / 20) {
        counts.push(now);
    }
}

impl Rollout {
    /// Records the requests since the last call.
    pub(super) async fn record_requests(&self) -> Result<(), RolloutError> {
        let now = RequestCounts::from(&self.pacer().status());
        let (more, at) = {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *counted, now).until(now)
        };
        if more == Requests::default() {
            return Ok(());
        }
        Ok(self.journal().add_requests(more, at).await?)
    }

    /// Does work that reads users, and records its pace, from which the time for changes is estimated.
    pub(super) async fn reading(
        &self,
        work: impl Future<Output = Result<(), RolloutError>>,
    ) -> Result<(), RolloutError> {
        let at_begin = self.pacer().status();
        let (begun, before) = (Instant::now(), at_begin.requests);
        let counted = || {
            let requests = self.pacer().status().requests.saturating_sub(before);
            let milliseconds = u64::try_from(begun.elapsed().as_millis());
            (requests, milliseconds.unwrap_or(u64::MAX))
        };
        let mut counts = vec![(0, 0)];
        let work = self.recording(work);
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => {
                    done?;
                    break;
                }
                () = tokio::time::sleep(BETWEEN_COUNTS) => note(&mut counts, counted()),
            }
        }
        counts.push(counted());
        let status = self.pacer().status();
        let pace = RequestPace {
            throttled: status.throttled.saturating_sub(at_begin.throttled),
            ..RequestPace::of(&counts, status.limit)
        };
        if pace.requests == 0 {
            return Ok(());
        }
        let journal = self.journal();
        Ok(journal
            .found(move |found| found.reading = Some(pace))
            .await?)
    }

    /// Does work while its requests are recorded at the end of every second, so that a killed
    /// run loses those of the last second only.
    ///
    /// Work under way is never dropped: where recording fails, the error is returned when the work has ended.
    pub(super) async fn recording<T>(
        &self,
        work: impl Future<Output = Result<T, RolloutError>>,
    ) -> Result<T, RolloutError> {
        tokio::pin!(work);
        let mut recorded = Ok(());
        loop {
            tokio::select! {
                biased;
                done = &mut work => {
                    let done = done?;
                    recorded.and(self.record_requests().await)?;
                    return Ok(done);
                }
                () = tokio::time::sleep(to_the_next(Timestamp::now())), if recorded.is_ok() => {
                    recorded = self.record_requests().await;
                }
            }
        }
    }
}

/// The time to the end of the bucket.
fn to_the_next(now: Timestamp) -> Duration {
    let left = SPAN - now.as_millisecond().rem_euclid(SPAN);
    Duration::from_millis(left.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_many_requests_are_few() {
        let mut counts = vec![(0, 0)];
        for requests in 1..=200_000 {
            note(&mut counts, (requests, requests));
        }
        assert!(counts.len() < 300, "{}", counts.len());
        assert!(counts.windows(2).all(|of| of[0].0 < of[1].0));
    }

    #[test]
    fn spans_end_with_the_second() {
        let at = |ms| to_the_next(Timestamp::from_millisecond(ms).unwrap()).as_millis();
        assert_eq!([at(0), at(1), at(1_999), at(2_000)], [1000, 999, 1, 1000]);
    }
}
