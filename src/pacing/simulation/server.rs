//! A model of the web servers and their limits.

use std::collections::{BTreeMap, VecDeque};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::scenario::{FaultKind, Scenario, SimulatedFault};

#[derive(Clone, Debug)]
pub(super) struct Response {
    /// In seconds since the start.
    pub(super) at: f64,
    /// `None` where no answer comes.
    pub(super) status: Option<u16>,
    pub(super) code: Option<u32>,
    pub(super) retry_after: Option<f64>,
    /// How many requests the server says it has left.
    pub(super) remaining: Option<u32>,
}

/// All web servers behind one host name.
#[derive(Debug)]
pub(super) struct Servers {
    scenario: Scenario,
    all: Vec<WebServer>,
    next: usize,
    rng: SmallRng,
    /// The gateway's reserve, and since when it is valid.
    spare: (f64, f64),
    /// When the gateway granted a request, where it counts.
    passed: VecDeque<f64>,
    /// How often each fault has occurred.
    happened: Vec<u32>,
}

/// One web server with its own budgets. Times are in seconds, execution times in microseconds.
#[derive(Clone, Debug, Default)]
struct WebServer {
    granted: VecDeque<f64>,
    /// By the microsecond in which requests end: their number and their execution time together.
    running: BTreeMap<u64, (u32, u64)>,
    at_once: u32,
    executed: VecDeque<(f64, u64)>,
    execution: u64,
    /// Since when everything is refused, until when, and how much is added for continuing.
    refusing: Option<(f64, f64)>,
    penalty: f64,
}

impl Servers {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let count = usize::try_from(scenario.server.servers).unwrap();
        Self {
            all: vec![WebServer::default(); count],
            scenario: scenario.clone(),
            next: 0,
            happened: vec![0; scenario.fault.len()],
            spare: (scenario.server.a_second.unwrap_or_default(), 0.0),
            passed: VecDeque::new(),
            rng: SmallRng::seed_from_u64(scenario.seed),
        }
    }

    /// Takes a request that leaves the client at `sent` and takes `times` as long as others. The way to the
    /// server always takes the same time, so that requests arrive in the order in which they were sent.
    pub(super) fn take(&mut self, sent: f64, times: f64) -> Response {
        let way = self.scenario.server.network_ms / 2000.0;
        let now = sent + way;
        let server = self.choose();
        let answer = |after: f64, status, code, retry_after| Response {
            at: now + after + way,
            status,
            code,
            retry_after,
            remaining: None,
        };
        let fault = self.fault(now);
        if let Some(fault) = fault {
            let retry_after = fault.retry_after.map(f64::from);
            match fault.kind {
                FaultKind::Busy => return answer(0.0, Some(503), None, retry_after),
                FaultKind::Refused => return answer(0.0, Some(429), None, retry_after),
                FaultKind::Lost => {}
            }
        }
        if let Some(wait) = self.refused_on_the_way(now) {
            let retry_after = (!self.scenario.server.silent).then_some(wait);
            return answer(0.0, Some(429), None, retry_after);
        }
        let web = &mut self.all[server];
        web.pass(now, self.scenario.server.window);
        if let Some((code, wait)) = web.refuse(&self.scenario, now) {
            let wait = (!self.scenario.server.silent).then(|| wait.ceil().max(1.0));
            return answer(0.0, Some(429), Some(code), wait);
        }
        let takes = self.execution(server, times);
        self.all[server].run(now, takes);
        let status = fault.is_none().then_some(204);
        Response {
            remaining: status.and_then(|_| self.remaining(server)),
            ..answer(takes, status, None, None)
        }
    }

    /// For how many seconds the gateway refuses, if it does.
    fn refused_on_the_way(&mut self, now: f64) -> Option<f64> {
        let rate = self.scenario.server.a_second?;
        if let Some(seconds) = self.scenario.server.counts_seconds {
            return self.refused_by_count(rate * seconds, seconds, now);
        }
        let (spare, since) = self.spare;
        let spare = rate.min(spare + (now - since) * rate);
        let refused = spare < 1.0;
        self.spare = (if refused { spare } else { spare - 1.0 }, now);
        refused.then_some(1.0)
    }

    fn refused_by_count(&mut self, most: f64, seconds: f64, now: f64) -> Option<f64> {
        while self.passed.front().is_some_and(|at| at + seconds <= now) {
            self.passed.pop_front();
        }
        #[expect(clippy::cast_precision_loss, reason = "a model")]
        let refused = self.passed.len() as f64 + 1.0 > most;
        if refused {
            let frees = self.passed.front().map_or(0.0, |at| at + seconds - now);
            return Some(frees.ceil().max(1.0));
        }
        self.passed.push_back(now);
        None
    }

    fn remaining(&self, server: usize) -> Option<u32> {
        let model = self.scenario.server;
        let granted = u32::try_from(self.all[server].granted.len()).unwrap();
        let left = model.requests.map(|most| most.saturating_sub(granted));
        model
            .false_remaining
            .or(left.filter(|_| model.tells_remaining))
    }

    fn choose(&mut self) -> usize {
        if self.scenario.server.random {
            return self.rng.random_range(0..self.all.len());
        }
        self.next = (self.next + 1) % self.all.len();
        self.next
    }

    fn fault(&mut self, now: f64) -> Option<SimulatedFault> {
        let rng = &mut self.rng;
        let mut faults = self.scenario.fault.iter().zip(&mut self.happened);
        let (fault, happened) = faults.find(|(fault, happened)| {
            (fault.from..fault.to).contains(&now)
                && fault.times.is_none_or(|times| **happened < times)
                && rng.random::<f64>() < fault.share
        })?;
        *happened += 1;
        Some(*fault)
    }

    fn execution(&mut self, server: usize, times: f64) -> f64 {
        let model = self.scenario.server;
        let more = 1.0 + model.jitter * (self.rng.random::<f64>() * 2.0 - 1.0);
        let tail = model
            .tail
            .filter(|tail| self.rng.random::<f64>() * 100.0 < tail[0]);
        let at_once = f64::from(self.all[server].at_once + 1);
        let crowd = model
            .capacity
            .map_or(1.0, |capacity| at_once / f64::from(capacity));
        model.execution_ms / 1000.0
            * times
            * more
            * tail.map_or(1.0, |tail| tail[1])
            * crowd.max(1.0)
    }
}

impl WebServer {
    /// Time passes: requests that have run count, those more than a window ago no longer do.
    fn pass(&mut self, now: f64, window: f64) {
        while let Some(ended) = self.running.first_entry() {
            let at = seconds(*ended.key());
            if at > now {
                break;
            }
            let (count, execution) = ended.remove();
            self.at_once -= count;
            self.execution += execution;
            self.executed.push_back((at, execution));
        }
        while self.granted.front().is_some_and(|at| at + window <= now) {
            self.granted.pop_front();
        }
        while self
            .executed
            .front()
            .is_some_and(|(at, _)| at + window <= now)
        {
            let (_, execution) = self.executed.pop_front().unwrap();
            self.execution -= execution;
        }
    }

    /// The code and the seconds to wait, if the request is refused.
    fn refuse(&mut self, scenario: &Scenario, now: f64) -> Option<(u32, f64)> {
        let (model, used) = (&scenario.server, used_by_others(scenario, now));
        if model.at_once.is_some_and(|most| self.at_once >= most) {
            return Some((0x8007_2326, 1.0));
        }
        let left = 1.0 - used;
        let requests = model.requests.map(|most| f64::from(most) * left);
        let time = model.time.map(|most| most * left);
        #[expect(clippy::cast_precision_loss, reason = "a model")]
        let (granted, execution) = (self.granted.len() as f64, seconds(self.execution));
        let frees = if requests.is_some_and(|most| granted >= most) {
            Some((0x8007_2322, self.granted.front().copied()))
        } else if time.is_some_and(|most| execution >= most) {
            Some((0x8007_2321, self.executed.front().map(|(at, _)| *at)))
        } else {
            None
        };
        let mut until = frees.map(|(code, oldest)| (code, oldest.unwrap_or(now) + model.window));
        if model.penalty {
            until = self.press(until, model.window, now);
        }
        until.map(|(code, until)| (code, until - now))
    }

    /// Requests sent during a refusal, other than those already under way, lengthen it.
    fn press(&mut self, frees: Option<(u32, f64)>, window: f64, now: f64) -> Option<(u32, f64)> {
        if let Some((since, until)) = self.refusing.filter(|(_, until)| now < *until) {
            if now > since + window / 100.0 {
                self.penalty += window / 20.0;
            }
            let until = until.max(now + self.penalty);
            self.refusing = Some((since, until));
            return Some((0x8007_2322, until));
        }
        let Some((code, until)) = frees else {
            self.refusing = None;
            self.penalty = 0.0;
            return None;
        };
        let until = until + self.penalty;
        self.refusing = Some((now, until));
        Some((code, until))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "microseconds since the start"
    )]
    fn run(&mut self, now: f64, takes: f64) {
        self.granted.push_back(now);
        self.at_once += 1;
        let (end, takes) = (((now + takes) * 1e6) as u64, (takes * 1e6) as u64);
        let running = self.running.entry(end).or_default();
        *running = (running.0 + 1, running.1 + takes);
    }
}

/// The share of a server's budgets that other clients have used in the window that ends now.
fn used_by_others(scenario: &Scenario, now: f64) -> f64 {
    let window = scenario.server.window;
    let used = scenario.other.iter().map(|other| {
        let there = (now.min(other.to) - other.from.max(now - window)).max(0.0);
        other.share * there / window
    });
    used.sum::<f64>().min(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "a model")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}
