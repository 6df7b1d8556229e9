//! The sandbox in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;

use super::Fallible;

/// The binary that is measured.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_syncfilters");

/// A running server; it ends when dropped.
pub(crate) struct Server {
    child: Child,
    /// The address, with its final slash.
    pub(crate) url: String,
    pub(crate) token: String,
}

/// What the server counted.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ServerCounts {
    /// HTTP requests of any kind.
    pub(crate) total: u64,
    /// Answers 429.
    pub(crate) throttled: u64,
    /// Requests under way when answers 429 began to come, summed over the times at which they did.
    pub(crate) under_way_at_429: u64,
    /// Filters that were to be changed, in batches or alone.
    pub(crate) patches: u64,
}

impl Server {
    /// Starts `syncfilters sandbox --plain` with these arguments and waits until it answers.
    pub(crate) fn start(arguments: &[String]) -> Fallible<Self> {
        let mut child = Command::new(BINARY)
            .args(["sandbox", "--plain"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("the server has no output")?;
        let (mut url, mut token) = (None, None);
        for line in BufReader::new(out).lines() {
            let line = line?;
            url = url.or_else(|| value(&line, "SYNCFILTERS_URL"));
            token = token.or_else(|| value(&line, "SYNCFILTERS_ACCESS_TOKEN"));
            if let (Some(url), Some(token)) = (&url, &token) {
                return Ok(Self {
                    child,
                    url: url.clone(),
                    token: token.clone(),
                });
            }
        }
        Err("the server did not say where it answers".into())
    }

    /// What it has counted.
    pub(crate) async fn counts(&self) -> Fallible<ServerCounts> {
        let url = format!("{}sandbox/counts", self.url);
        let answer = reqwest::get(url).await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }
}

fn value(line: &str, name: &str) -> Option<String> {
    let rest = line.strip_prefix("export ")?.strip_prefix(name)?;
    rest.strip_prefix('=').map(str::to_owned)
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `--name value` pairs as arguments.
pub(crate) fn arguments(pairs: &[(&str, u64)]) -> Vec<String> {
    pairs
        .iter()
        .flat_map(|(name, value)| [format!("--{name}"), value.to_string()])
        .collect()
}
