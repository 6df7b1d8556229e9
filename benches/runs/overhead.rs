//! Overhead: no latency and no limits, so that only the tool's own work is left.

use super::Fallible;
use super::server::{Server, arguments};
use super::table::{Table, one, print_line, real, two};
use super::tool::{ToolRun, deactivate};

const USERS: [u64; 3] = [1000, 10_000, 100_000];

/// What a run costs, and how that grows.
pub(crate) async fn measure() -> Fallible<()> {
    let mut table = Table::new(&[
        "users",
        "requests",
        "per user",
        "filters changed",
        "failed",
        "seconds",
        "requests/s",
        "CPU ms per 1,000 requests",
        "peak memory, MiB",
        "run file, bytes per user",
    ]);
    let mut peaks = Vec::new();
    for users in USERS {
        print_line(&format!("overhead: {users} users …"))?;
        let server = Server::start(&arguments(&[("users", users)]))?;
        let tool = deactivate(&server, &[]).await?;
        let counts = server.counts().await?;
        if counts.patches != tool.changed {
            let (changed, counted) = (tool.changed, counts.patches);
            return Err(format!("{changed} filters changed, but {counted} were asked for").into());
        }
        table.row(&cells(&tool, real(counts.total)));
        peaks.extend(tool.peak_kib);
    }
    let growth = match peaks[..] {
        [_, middle, most] => two(real(most) / real(middle)),
        _ => "not known: only Linux tells".to_owned(),
    };
    table.print(&format!(
        "## overhead: no latency, no limits\n\nprocessor time and memory of the tool's process alone; peak at 100,000 users / peak at 10,000: {growth}"
    ))
}

fn cells(tool: &ToolRun, requests: f64) -> [String; 10] {
    let unknown = || "not known".to_owned();
    [
        tool.users().to_string(),
        format!("{requests:.0}"),
        two(requests / real(tool.users())),
        tool.changed.to_string(),
        tool.failed.to_string(),
        one(tool.seconds),
        format!("{:.0}", requests / tool.seconds),
        tool.cpu
            .map_or_else(unknown, |cpu| one(cpu * 1_000_000.0 / requests)),
        tool.peak_kib
            .map_or_else(unknown, |kib| one(real(kib) / 1024.0)),
        format!("{:.0}", real(tool.run_file) / real(tool.users())),
    ]
}
