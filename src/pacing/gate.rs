//! The asynchronous layer around the controller.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::controller::{Admit, Controller, Ticket};
use super::{
    Breaker, Observation, PacingStatus, Repeat, RetryDecision, RetryState, Settings, TroubleCount,
};

/// The pace of a run, shared by all workers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pacer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    controller: Mutex<Controller>,
    /// Notified when a request returns.
    free: Notify,
    /// Workers that wait for a time wait one after the other: an opening gate does not release all of them at once, and
    /// they go in the order in which they came.
    turn: tokio::sync::Mutex<()>,
}

impl Pacer {
    /// A pace that knows nothing of the server yet.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner {
            settings,
            controller: Mutex::new(Controller::new(&settings)),
            free: Notify::new(),
            turn: tokio::sync::Mutex::new(()),
        }))
    }

    /// Waits until a request may be sent. A waiting worker holds no slot. Cancel safe.
    pub async fn admit(&self) -> Permit {
        let _turn = self.0.turn.lock().await;
        loop {
            let freed = self.0.free.notified();
            let answer = self.controller().poll_admit(now());
            match answer {
                Admit::Go(ticket) => {
                    return Permit {
                        pacer: self.clone(),
                        ticket: Some(ticket),
                    };
                }
                Admit::WaitForSlot => freed.await,
                // An answer that comes meanwhile may change the decision.
                Admit::WaitUntil(time) => tokio::select! {
                    () = tokio::time::sleep_until(time.into()) => {}
                    () = freed => {}
                },
            }
        }
    }

    /// The recommended number of requests at once (`x-ms-dop-hint`).
    pub fn hint(&self, recommended: u32) {
        self.controller().hint(recommended);
        self.0.free.notify_one();
    }

    /// How many requests the server that granted one has left. Call it before that request is finished.
    pub fn remaining(&self, left: u32) {
        self.controller().remaining(left, now());
    }

    /// Takes in a response that came inside another, such as a part of a batch.
    pub fn note(&self, seen: &Observation) {
        self.controller().note(seen, now());
    }

    /// The retry state of one operation.
    pub fn retry(&self) -> RetryState {
        RetryState::new(self.0.settings.retry)
    }

    /// What to do after an attempt that was not final. Counts the attempt that may follow.
    pub fn decide(
        &self,
        state: &mut RetryState,
        seen: &Observation,
        repeat: Repeat,
    ) -> RetryDecision {
        self.controller()
            .decide(state, seen, repeat, &mut rand::rng(), now())
    }

    /// The failures in a row up to now, if the last request failed.
    pub fn trouble(&self) -> Option<TroubleCount> {
        self.controller().trouble()
    }

    /// A breaker for one phase of a run.
    pub fn breaker(&self) -> Breaker {
        Breaker::new(self.0.settings.breaker)
    }

    /// The most requests at once that there can ever be.
    pub fn max_concurrency(&self) -> usize {
        let settings = &self.0.settings;
        let most = settings
            .fixed_concurrency
            .unwrap_or(settings.max_concurrency);
        usize::try_from(most.max(1)).unwrap_or(usize::MAX)
    }

    /// The present state, for display.
    pub fn status(&self) -> PacingStatus {
        self.controller().status(now())
    }

    fn controller(&self) -> MutexGuard<'_, Controller> {
        self.0
            .controller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A request that may be sent, or was sent. When dropped, it frees its slot and reports no result.
#[derive(Debug)]
pub struct Permit {
    pacer: Pacer,
    ticket: Option<Ticket>,
}

impl Permit {
    /// The request has returned with this result.
    pub fn finish(mut self, seen: &Observation) {
        self.give_back(Some(seen));
    }

    fn give_back(&mut self, seen: Option<&Observation>) {
        if let Some(ticket) = self.ticket.take() {
            self.pacer.controller().finish(ticket, seen, now());
            self.pacer.0.free.notify_one();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.give_back(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::{Budget, Signal};
    use std::time::Duration;

    fn settings(fixed: u32) -> Settings {
        Settings {
            fixed_concurrency: Some(fixed),
            ..Settings::default()
        }
    }

    fn seen(signal: Signal, retry_after: Option<Duration>) -> Observation {
        Observation {
            signal,
            retry_after,
            not_done: true,
            trouble: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_gets_a_turn_and_never_more_than_the_limit() {
        let pacer = Pacer::new(settings(3));
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let pacer = pacer.clone();
                tokio::spawn(async move {
                    let permit = pacer.admit().await;
                    let at_once = pacer.status().in_flight;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    permit.finish(&seen(Signal::Success, None));
                    at_once
                })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap() <= 3);
        }
        assert_eq!(pacer.status().requests, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_quiet_holds_no_slot_and_leaves_when_it_is_over() {
        let pacer = Pacer::new(settings(2));
        let start = tokio::time::Instant::now();
        let refused = seen(
            Signal::Budget(Budget::Requests),
            Some(Duration::from_secs(30)),
        );
        pacer.admit().await.finish(&refused);
        let waiting = tokio::spawn({
            let pacer = pacer.clone();
            async move { pacer.admit().await }
        });
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(pacer.status().in_flight, 0);
        let permit = waiting.await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(30));
        drop(permit);
        assert_eq!(pacer.status().in_flight, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn giving_up_waiting_leaves_nothing_behind() {
        let pacer = Pacer::new(settings(1));
        let held = pacer.admit().await;
        let given_up = tokio::time::timeout(Duration::from_secs(1), pacer.admit()).await;
        assert!(given_up.is_err());
        drop(held);
        let next = tokio::time::timeout(Duration::from_secs(1), pacer.admit()).await;
        assert!(next.is_ok());
    }
}
