//! Latency-bound: limits far away, so that only the number of requests at once decides.

use super::Fallible;
use super::server::{Server, arguments};
use super::table::{Table, one, print_line, real, two};
use super::tool::deactivate;

const USERS: u64 = 1000;
const LATENCY_MS: u64 = 100;
const HINT: u64 = 20;

/// The tool against requests x latency / hint.
pub(crate) async fn measure() -> Fallible<()> {
    print_line("latency-bound …")?;
    let server = Server::start(&arguments(&[
        ("users", USERS),
        ("latency", LATENCY_MS),
        ("hint", HINT),
    ]))?;
    let tool = deactivate(&server, &[]).await?;
    let counts = server.counts().await?;
    let bound = real(counts.total) * real(LATENCY_MS) / 1000.0 / real(HINT);
    let mut table = Table::new(&["users", "requests", "failed", "seconds", "bound", "ratio"]);
    table.row(&[
        tool.users().to_string(),
        counts.total.to_string(),
        tool.failed.to_string(),
        one(tool.seconds),
        one(bound),
        two(tool.seconds / bound),
    ]);
    table.print(&format!(
        "## latency-bound: {LATENCY_MS} ms latency, hint {HINT}, no limits\n\nbound = requests · latency / hint"
    ))
}
