//! The workers, the gate and the clock.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::pacing::controller::{Admit, Controller, Ticket};
use crate::pacing::{
    Breaker, BreakerOutcome, Facts, Failure, GiveUp, Observation, Repeat, RetryDecision,
    RetryState, Signal, classify,
};

use super::figures::Figures;
use super::scenario::Scenario;
use super::server::{Response, Servers};

/// A run is stuck when it takes this many times as long as the shortest one, which sends one request at a time and
/// waits for two windows.
const STUCK: f64 = 20.0;

/// Drives the controller through a whole run, as the gate and the channel do.
pub(super) fn run(scenario: &Scenario) -> Result<Figures, String> {
    let mut run = Run::new(scenario);
    let workers = run.scenario.settings().max_concurrency;
    (0..workers).for_each(|_| run.take_user());
    run.admit();
    while let Some(Reverse(event)) = run.events.pop() {
        let at = seconds(event.at - run.start);
        run.figures.pass(&run.controller.status(run.now), at);
        run.now = event.at;
        if at > STUCK * (scenario.shortest(1.0) + 2.0 * scenario.server.window) {
            return Err(format!("not done after {at} s"));
        }
        run.handle(event);
        if let Some(broken) = run.broken {
            return Err(format!("{broken} at {at} s"));
        }
        if run.figures.tripped {
            break;
        }
    }
    if !run.waiting.is_empty() && !run.figures.tripped {
        return Err(format!("{} wait for ever", run.waiting.len()));
    }
    Ok(run.figures)
}

struct Run<'a> {
    scenario: &'a Scenario,
    servers: Servers,
    controller: Controller,
    breaker: Breaker,
    rng: SmallRng,
    start: Instant,
    now: Instant,
    events: BinaryHeap<Reverse<Event>>,
    count: u64,
    /// Identifies the sleep of the first in the queue; an older one was interrupted.
    sleep: u64,
    /// Until when the server asks for no requests, counted independently of the controller.
    shut: Instant,
    broken: Option<&'static str>,
    users: u32,
    workers: Vec<Worker>,
    /// The workers that want to send, in the order in which they came.
    waiting: VecDeque<usize>,
    figures: Figures,
}

/// Works on a user, request by request.
struct Worker {
    left: u32,
    retry: RetryState,
}

#[derive(Clone, Debug)]
struct Event {
    at: Instant,
    count: u64,
    kind: EventKind,
}

#[derive(Clone, Debug)]
enum EventKind {
    /// The first in the queue decides again, unless it has done so since.
    Wake(u64),
    /// The pause of a worker is over.
    Again(usize),
    Back(usize, Ticket, Response),
}

impl Run<'_> {
    fn new(scenario: &Scenario) -> Run<'_> {
        let start = Instant::now();
        let settings = scenario.settings();
        Run {
            scenario,
            servers: Servers::new(scenario),
            controller: Controller::new(&settings),
            breaker: Breaker::new(settings.breaker),
            rng: SmallRng::seed_from_u64(scenario.seed),
            start,
            now: start,
            events: BinaryHeap::new(),
            count: 0,
            sleep: 0,
            shut: start,
            broken: None,
            users: scenario.work.users,
            workers: Vec::new(),
            waiting: VecDeque::new(),
            figures: Figures::default(),
        }
    }

    fn handle(&mut self, event: Event) {
        match event.kind {
            EventKind::Wake(sleep) => {
                if sleep == self.sleep {
                    self.admit();
                }
            }
            EventKind::Again(worker) => self.wait(worker),
            EventKind::Back(worker, ticket, response) => {
                let seen = observe(&response);
                let wait = seen.retry_after.unwrap_or_default();
                self.shut = self.shut.max(self.now + wait);
                if let Some(left) = response.remaining {
                    self.controller.remaining(left, self.now);
                }
                self.controller.finish(ticket, Some(&seen), self.now);
                if let Some(hint) = self
                    .scenario
                    .server
                    .hint
                    .filter(|_| response.status.is_some())
                {
                    self.controller.hint(hint);
                }
                let status = response.status.unwrap_or(0);
                *self.figures.answered.entry(status).or_default() += 1;
                self.go_on(worker, &seen);
                self.admit();
            }
        }
    }

    /// A worker joins the queue. If it is the first, it decides at once.
    fn wait(&mut self, worker: usize) {
        self.waiting.push_back(worker);
        if self.waiting.len() == 1 {
            self.admit();
        }
    }

    fn admit(&mut self) {
        self.sleep += 1;
        while let Some(worker) = self.waiting.front().copied() {
            match self.controller.poll_admit(self.now) {
                Admit::Go(ticket) => {
                    self.check();
                    self.waiting.pop_front();
                    self.send(worker, ticket);
                }
                Admit::WaitForSlot => break,
                Admit::WaitUntil(time) => {
                    assert!(time > self.now, "a wait that is over");
                    // The runtime's timer counts in milliseconds.
                    let millis = (time - self.start).as_millis() + 1;
                    let millis = u64::try_from(millis).unwrap();
                    self.schedule(
                        self.start + Duration::from_millis(millis),
                        EventKind::Wake(self.sleep),
                    );
                    break;
                }
            }
        }
    }

    /// Invariants at each request.
    fn check(&mut self) {
        let status = self.controller.status(self.now);
        if status.in_flight > status.limit {
            self.broken = Some("more at once than the limit");
        }
        if self.now < self.shut {
            self.broken = Some("sent during a cooldown");
        }
    }

    fn send(&mut self, worker: usize, ticket: Ticket) {
        let now = seconds(self.now - self.start);
        self.figures.sent(now);
        let times = if self.is_write(worker) {
            self.scenario.work.write.unwrap_or(1.0)
        } else {
            1.0
        };
        let response = self.servers.take(now, times);
        let at = self.start + Duration::from_secs_f64(response.at);
        self.schedule(at, EventKind::Back(worker, ticket, response));
    }

    fn is_write(&self, worker: usize) -> bool {
        self.scenario.work.write.is_some() && self.workers[worker].left == 1
    }

    fn go_on(&mut self, worker: usize, seen: &Observation) {
        if matches!(seen.signal, Signal::Success | Signal::Neutral) {
            return self.next(worker, BreakerOutcome::Fine);
        }
        let repeat = if self.is_write(worker) {
            Repeat::OnlyIfNotDone
        } else {
            Repeat::Safe
        };
        let state = &mut self.workers[worker].retry;
        let decision = self
            .controller
            .decide(state, seen, repeat, &mut self.rng, self.now);
        match decision {
            RetryDecision::Retry { after } => {
                self.schedule(self.now + after, EventKind::Again(worker));
            }
            // The row is read again and then, in this model, written again.
            RetryDecision::GiveUp(GiveUp::Unknown) => {
                self.workers[worker].left += 1;
                self.waiting.push_back(worker);
            }
            RetryDecision::GiveUp(_) => {
                self.workers[worker].left = 1;
                self.figures.failed_users += 1;
                self.next(worker, BreakerOutcome::Failed);
            }
        }
    }

    /// The next request, of this user or of the next one.
    fn next(&mut self, worker: usize, outcome: BreakerOutcome) {
        let policy = self.scenario.settings().retry;
        let state = &mut self.workers[worker];
        state.left -= 1;
        state.retry = RetryState::new(policy);
        if state.left == 0 {
            self.figures.tripped |= self.breaker.record(outcome).is_some();
            if self.users == 0 {
                return;
            }
            self.users -= 1;
            state.left = self.scenario.work.per_user;
        }
        self.waiting.push_back(worker);
    }

    fn take_user(&mut self) {
        if self.users > 0 {
            self.users -= 1;
            self.waiting.push_back(self.workers.len());
            self.workers.push(Worker {
                left: self.scenario.work.per_user,
                retry: RetryState::new(self.scenario.settings().retry),
            });
        }
    }

    fn schedule(&mut self, at: Instant, kind: EventKind) {
        self.count += 1;
        let count = self.count;
        self.events.push(Reverse(Event { at, count, kind }));
    }
}

fn observe(response: &Response) -> Observation {
    let retry_after = response.retry_after.map(|seconds| seconds.to_string());
    let facts = Facts {
        status: response.status,
        code: response.code,
        retry_after: retry_after.as_deref(),
        date: None,
        failure: response.status.is_none().then_some(Failure::Interrupted),
        empty: false,
        transient: false,
    };
    classify(&facts, Timestamp::UNIX_EPOCH)
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.count).cmp(&(other.at, other.count))
    }
}
