//! What a scenario file says. All times are in seconds unless the name says milliseconds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::pacing::Settings;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// Where all chance comes from.
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
    /// The shortest time possible, where it does not follow from budgets and latency alone.
    pub(super) bound: Option<f64>,
    /// The name of a figure, and the least and the most that it may be.
    pub(super) expect: BTreeMap<String, [f64; 2]>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Work {
    pub(super) users: u32,
    /// Requests for one user, one after the other.
    #[serde(default = "one")]
    pub(super) per_user: u32,
    /// The last request of a user is a write, never sent again unseen, and takes so many times as long.
    pub(super) write: Option<f64>,
}

/// How the pacing is set.
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
    /// Whether a request goes to any server, instead of to one after the other.
    #[serde(default)]
    pub(super) random: bool,
    /// The budgets of each server.
    pub(super) requests: Option<u32>,
    pub(super) time: Option<f64>,
    pub(super) at_once: Option<u32>,
    #[serde(default = "five_minutes")]
    pub(super) window: f64,
    pub(super) hint: Option<u32>,
    /// There and back.
    pub(super) network_ms: f64,
    pub(super) execution_ms: f64,
    /// Execution takes up to this share more or less.
    #[serde(default)]
    pub(super) jitter: f64,
    /// So many requests of a hundred take so many times as long.
    pub(super) tail: Option<[f64; 2]>,
    /// A gateway before the servers lets through so many a second, with as many to spare, and refuses the rest in its own
    /// words: no code, and "one second".
    pub(super) a_second: Option<f64>,
    /// The gateway has nothing to spare: it counts what it let through over so many seconds.
    pub(super) counts_seconds: Option<f64>,
    /// More than so many at once share the server.
    pub(super) capacity: Option<u32>,
    /// Who keeps sending is refused for longer.
    #[serde(default)]
    pub(super) penalty: bool,
    /// Each answer says how many requests its server has left.
    #[serde(default)]
    pub(super) tells_remaining: bool,
    /// What each answer says instead, whatever is left.
    pub(super) false_remaining: Option<u32>,
    /// Refusals do not say for how long.
    #[serde(default)]
    pub(super) silent: bool,
}

/// What goes wrong.
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
    /// So many times, and then no more.
    pub(super) times: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FaultKind {
    /// 503, not carried out.
    Busy,
    /// 429 without a code of Dataverse's, not carried out.
    Refused,
    /// Carried out, and the answer never came.
    Lost,
}

/// Somebody else who uses a share of each server's budgets.
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

    /// How long a request is executed on average.
    pub(super) fn mean_execution(&self) -> f64 {
        let tail = self.server.tail.unwrap_or([0.0, 1.0]);
        let per_user = f64::from(self.work.per_user);
        let write = (self.work.write.unwrap_or(1.0) - 1.0) / per_user;
        let more = (1.0 + tail[0] / 100.0 * (tail[1] - 1.0)) * (1.0 + write);
        self.server.execution_ms / 1000.0 * more
    }

    /// The shortest time in which it can be done with so many at once: a first window's budget at once and the
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
