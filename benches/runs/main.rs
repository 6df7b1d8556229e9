//! Whole runs against the sandbox: how near a run comes to what the server grants, and what it costs.
//!
//! Three parties, each a process of its own: the server (`syncfilters sandbox`), the tool (`syncfilters
//! deactivate`, with a state folder of its own), and this one, which re-enacts what is done without the tool.
//!
//! `cargo bench --bench runs` measures everything; `-- limit`, `-- gateway`, `-- latency`, `-- overhead`, `-- http` or
//! `-- estimate` only that.

#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark prints figures of its own"
)]

mod estimate;
mod gateway;
mod http;
mod latency;
mod limit;
mod overhead;
mod process;
mod rival;
mod server;
mod table;
mod tool;

use std::error::Error;

use table::print_line;

/// Whatever went wrong: a benchmark that fails ends with it.
type Fallible<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Fallible<()> {
    // cargo itself adds `--bench`.
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|word| name.contains(word));
    // The server is asked for its counts in plain HTTP; the client wants to know all the same.
    let installed = rustls::crypto::ring::default_provider().install_default();
    installed.map_err(|_| "a crypto provider is there already")?;
    print_line(&format!("Machine: {}\n", process::machine()))?;
    if wanted("limit") {
        limit::measure().await?;
    }
    if wanted("gateway") {
        gateway::measure().await?;
    }
    if wanted("latency") {
        latency::measure().await?;
    }
    if wanted("overhead") {
        overhead::measure().await?;
    }
    if wanted("estimate") {
        estimate::measure().await?;
    }
    if wanted("http") {
        http::measure().await?;
    }
    Ok(())
}
