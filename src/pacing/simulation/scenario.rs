//! The form of a scenario file. All times are in seconds unless the name says milliseconds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::pacing::Settings;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// The seed of all random numbers.
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) work: Work,
    #[serde(default)]
    pub(super) client: Client,
    pub(super) server: Server,
    #[serde(default)]
    pub(super) fault: Vec<SimulatedFault>,
    #[serde(default)]
    pub(super) other: Vec<Other>,
    /// The shortest possible time, where it does not follow from budgets and latency alone.
    pub(super) bound: Option<f64>,
    /// The name of a figure with its least and largest permitted value.
    pub(super) expect: BTreeMap<String, [f64; 2]>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Work {
    pub(super) users: u32,
    /// Requests for one user, one after the other.
    #[serde(default = "one")]
    pub(super) per_user: u32,
    /// The last request of a user is a write, which is not repeated without reading and takes this many times as long.
    pub(super) write: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Client {
    max_requests_per_5m: Option<u32>,
    max_concurrency: Option<u32>,
    fixed_concurrency: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a line of a scenario file, and any can stand beside any other"
)]
pub(super) struct Server {
    #[serde(default = "one")]
    pub(super) servers: u32,
    /// Whether the server of a request is chosen at random, instead of in turn.
    #[serde(default)]
    pub(super) random: bool,
    /// The budgets of each server.
    pub(super) requests: Option<u32>,
    pub(super) time: Option<f64>,
    pub(super) at_once: Option<u32>,
    #[serde(default = "five_minutes")]
    pub(super) window: f64,
    pub(super) hint: Option<u32>,
    /// Both directions together.
    pub(super) network_ms: f64,
    pub(super) execution_ms: f64,
    /// Execution time varies by this share in both directions.
    #[serde(default)]
    pub(super) jitter: f64,
    /// Percentage of the requests that take longer, and how many times as long.
    pub(super) tail: Option<[f64; 2]>,
    /// A gateway before the servers grants this many per second, with a reserve of as many, and refuses the rest with
    /// its own answer: no code, and "one second".
    pub(super) a_second: Option<f64>,
    /// The gateway has no reserve: it counts what it granted over this many seconds.
    pub(super) counts_seconds: Option<f64>,
    /// More than this many requests at once slow each other down.
    pub(super) capacity: Option<u32>,
    /// Clients that continue sending are refused for longer.
    #[serde(default)]
    pub(super) penalty: bool,
    /// Each answer says how many requests its server has left.
    #[serde(default)]
    pub(super) tells_remaining: bool,
    /// The number that each answer says instead, whatever is left.
    pub(super) false_remaining: Option<u32>,
    /// Refusals do not say for how long.
    #[serde(default)]
    pub(super) silent: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SimulatedFault {
    pub(super) kind: FaultKind,
    #[serde(default = "all")]
    pub(super) share: f64,
    #[serde(default)]
    pub(super) from: f64,
    #[serde(default = "forever")]
    pub(super) to: f64,
    pub(super) retry_after: Option<u32>,
    /// The fault occurs this many times.
    pub(super) times: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FaultKind {
    /// 503, not carried out.
    Busy,
    /// 429 without a Dataverse code, not carried out.
    Refused,
    /// Carried out, but the answer is lost.
    Lost,
}

/// Another client that uses a share of each server's budgets.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Other {
    pub(super) share: f64,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Scenario {
    pub(super) fn settings(&self) -> Settings {
        let usual = Settings::default();
        let client = self.client;
        Settings {
            max_requests_per_5m: client.max_requests_per_5m,
            max_concurrency: client.max_concurrency.unwrap_or(usual.max_concurrency),
            fixed_concurrency: client.fixed_concurrency,
            budget_window: Duration::from_secs_f64(self.server.window),
            ..usual
        }
    }

    pub(super) fn requests(&self) -> f64 {
        f64::from(self.work.users) * f64::from(self.work.per_user)
    }

    /// The average execution time of a request.
    pub(super) fn mean_execution(&self) -> f64 {
        let tail = self.server.tail.unwrap_or([0.0, 1.0]);
        let per_user = f64::from(self.work.per_user);
        let write = (self.work.write.unwrap_or(1.0) - 1.0) / per_user;
        let more = (1.0 + tail[0] / 100.0 * (tail[1] - 1.0)) * (1.0 + write);
        self.server.execution_ms / 1000.0 * more
    }

    /// The shortest time with this many requests at once: a first window's budget at once and the
    /// rest as it is granted, or the answers one after the other.
    pub(super) fn shortest(&self, at_once: f64) -> f64 {
        let server = self.server;
        let execution = self.mean_execution();
        let granted = server
            .requests
            .map_or(f64::INFINITY, f64::from)
            .min(server.time.map_or(f64::INFINITY, |time| time / execution))
            * f64::from(server.servers);
        let polite = self.client.max_requests_per_5m.map_or(0.0, |polite| {
            self.requests() / f64::from(polite) * server.window
        });
        let budget = (self.requests() / granted - 1.0) * server.window;
        let answers = self.requests() * (execution + server.network_ms / 1000.0) / at_once;
        self.bound.unwrap_or(budget.max(answers).max(polite))
    }
}

fn one() -> u32 {
    1
}

fn five_minutes() -> f64 {
    300.0
}

fn all() -> f64 {
    1.0
}

fn forever() -> f64 {
    f64::INFINITY
}
