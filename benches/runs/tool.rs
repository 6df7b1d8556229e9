//! The tool in a process of its own.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Fallible;
use super::process::{cpu_of_children, peak_kib};
use super::server::{BINARY, Server};

/// How often it is looked at while it runs; its time is known no better than that.
const LOOK: Duration = Duration::from_millis(10);

/// How one run of the tool went.
pub(crate) struct ToolRun {
    /// From its start to its end, in seconds.
    pub(crate) seconds: f64,
    /// Processor time, in seconds.
    pub(crate) cpu: Option<f64>,
    /// The most memory it had resident.
    pub(crate) peak_kib: Option<u64>,
    /// The size of its run file, in bytes.
    pub(crate) run_file: u64,
    /// Users, by what became of them.
    pub(crate) selected: u64,
    pub(crate) skipped: u64,
    pub(crate) failed: u64,
    /// Filters that it changed, by its own account.
    pub(crate) changed: u64,
}

impl ToolRun {
    /// Users that it had to do with.
    pub(crate) fn users(&self) -> u64 {
        self.selected - self.skipped
    }
}

/// Deactivates everybody's calendar filters.
pub(crate) async fn deactivate(server: &Server, more: &[String]) -> Fallible<ToolRun> {
    let home = tempfile::tempdir()?;
    let document = home.path().join("document.json");
    let cpu_before = cpu_of_children();
    let start = Instant::now();
    let mut child = Command::new(BINARY)
        .args(["deactivate", "--yes", "--accept-calendar-loss"])
        .args(["--format", "json", "--no-progress"])
        .args(more)
        .env_clear()
        .env("HOME", home.path())
        .env("SYNCFILTERS_STATE_DIR", home.path())
        .env("SYNCFILTERS_URL", &server.url)
        .env("SYNCFILTERS_ACCESS_TOKEN", &server.token)
        .stdin(Stdio::null())
        .stdout(File::create(&document)?)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut peak = None;
    let status = loop {
        peak = peak_kib(child.id()).or(peak);
        match child.try_wait()? {
            Some(status) => break status,
            None => tokio::time::sleep(LOOK).await,
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        let said = std::io::read_to_string(child.stderr.take().ok_or("no output")?)?;
        return Err(format!("the tool ended with {status}: {said}").into());
    }
    let document: Value = serde_json::from_slice(&std::fs::read(&document)?)?;
    let number = |path: &str| {
        let number = document.pointer(path).and_then(Value::as_u64);
        number.ok_or_else(|| format!("the document has no {path}"))
    };
    Ok(ToolRun {
        seconds,
        cpu: cpu_of_children()
            .zip(cpu_before)
            .map(|(after, before)| after - before),
        peak_kib: peak,
        run_file: size_of_runs(home.path())?,
        selected: number("/users/selected")?,
        skipped: number("/users/skipped")?,
        failed: number("/users/failed")?,
        changed: number("/filters/changed")?,
    })
}

fn size_of_runs(home: &Path) -> Fallible<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(home.join("runs"))? {
        size += entry?.metadata()?.len();
    }
    Ok(size)
}
