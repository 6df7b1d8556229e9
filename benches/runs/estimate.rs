//! What a plan says of the time and the requests that applying it takes, against what it then takes.

use std::process::{Command, Output};
use std::time::Instant;

use serde_json::Value;

use super::Fallible;
use super::server::{BINARY, Server, arguments};
use super::table::{Table, one, print_line, two};

const LATENCY_MS: u64 = 50;
const HINT: u64 = 20;
/// Users, and requests at once; the server's recommendation where none are given.
const RUNS: [(u64, Option<u64>); 4] = [(100, Some(1)), (100, None), (1_000, None), (5_000, None)];

/// A plan, and its application by a command of its own.
pub(crate) async fn measure() -> Fallible<()> {
    print_line("estimates …")?;
    let mut table = Table::new(&[
        "users",
        "at once",
        "requests said",
        "requests sent",
        "seconds said",
        "seconds",
        "said / taken",
    ]);
    for (users, at_once) in RUNS {
        let server = Server::start(&arguments(&[
            ("users", users),
            ("latency", LATENCY_MS),
            ("hint", HINT),
        ]))?;
        let home = tempfile::tempdir()?;
        let run = |command: &[&str]| {
            let mut tool = Command::new(BINARY);
            tool.args(command)
                .args(["--format", "json", "--no-progress"]);
            if let Some(at_once) = at_once {
                tool.args(["--concurrency", &at_once.to_string()]);
            }
            tool.env_clear()
                .env("HOME", home.path())
                .env("SYNCFILTERS_STATE_DIR", home.path())
                .env("SYNCFILTERS_URL", &server.url)
                .env("SYNCFILTERS_ACCESS_TOKEN", &server.token);
            tool.output()
        };
        let plan = document(&run(&["plan", "deactivate"])?)?;
        let said = |key: &str| {
            plan.pointer(&format!("/estimate/{key}"))
                .and_then(Value::as_f64)
        };
        let seconds = said("least_seconds").ok_or("the plan names no time")?;
        let requests = said("requests").ok_or("the plan names no requests")?;
        let before = server.counts().await?.total;
        let start = Instant::now();
        let applied = run(&["apply", "latest", "--yes", "--accept-calendar-loss"])?;
        let taken = start.elapsed().as_secs_f64();
        document(&applied)?;
        table.row(&[
            users.to_string(),
            at_once.map_or_else(|| format!("hint {HINT}"), |at_once| at_once.to_string()),
            format!("{requests}"),
            (server.counts().await?.total - before).to_string(),
            one(seconds),
            one(taken),
            two(seconds / taken),
        ]);
    }
    table.print(&format!(
        "## estimates: {LATENCY_MS} ms latency, no limits\n\nsaid by `plan`, taken by `apply`"
    ))
}

fn document(ended: &Output) -> Fallible<Value> {
    serde_json::from_slice(&ended.stdout)
        .map_err(|_| String::from_utf8_lossy(&ended.stderr).into_owned().into())
}
