//! `sandbox`: the sandbox as a server.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;

use crate::model::shell::Shell;
use crate::sandbox::{
    Fault, Faults, FaultsError, Limits, Options, Sandbox, Switch, Switches, UnknownSwitch, Version,
};

use super::App;
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;

/// `sandbox`.
#[derive(Debug, Args)]
#[command(after_help = explain(), after_long_help = explain())]
pub(super) struct SandboxArgs {
    /// The port on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// How many users the sandbox has
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    users: u32,
    /// Ordinary users only: no disabled, unlicensed or otherwise special users
    #[arg(long)]
    plain: bool,
    /// The same seed and number of users give the same data
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The server's version: 9.2, 9.1, 8.2 or 8.0
    #[arg(long, value_name = "VERSION", default_value = "9.2", value_parser = version)]
    server_version: Version,
    /// On-premises the organisation is part of the address
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// Latency of every request, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Execution time of every operation on the server, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    execution: u64,
    /// Apply the service protection limits, with the documented numbers
    #[arg(long)]
    limits: bool,
    /// Requests in a window for each web server
    #[arg(long, value_name = "N", requires = "limits")]
    limit_requests: Option<u32>,
    /// The window of the limits, in milliseconds; shorter than 300000 compresses time
    #[arg(long, value_name = "MS", requires = "limits")]
    limit_window: Option<u64>,
    /// Web servers behind the address; each counts on its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    servers: u16,
    /// The recommended number of requests at once (`x-ms-dop-hint`)
    #[arg(long, value_name = "N")]
    hint: Option<u32>,
    /// A fault and its share of requests, such as `lost-answer=0.02`; `standard` for a mix (repeatable)
    #[arg(long, value_name = "FAULT=RATE")]
    fault: Vec<String>,
    /// Turn a behaviour of the sandbox away from its default (repeatable)
    #[arg(long = "switch", value_name = "NAME")]
    switches: Vec<String>,
}

/// Serves until it is interrupted.
pub(super) async fn sandbox(app: &App, args: &SandboxArgs) -> Result<Exit, CliError> {
    let sandbox = Sandbox::start(options(args)?).await;
    let sandbox = sandbox.map_err(CliError::Sandbox)?;
    let mut out = Printer::result();
    let set = |name: &str, value: &str| Shell::HERE.set_variable(name, value);
    write!(
        out,
        "The sandbox answers at {url}\n\n{set_url}\n{set_token}\n\n\
         Server-side counts, as JSON: {url}sandbox/counts\n\
         Ctrl-C stops it. Its data is not kept.\n",
        url = sandbox.url(),
        set_url = set("SYNCFILTERS_URL", &sandbox.url()),
        set_token = set("SYNCFILTERS_ACCESS_TOKEN", sandbox.token()),
    )
    .and_then(|()| out.flush())
    .map_err(CliError::Output)?;
    app.interrupted.cancelled().await;
    sandbox.stop().await;
    Ok(Exit::Done)
}

fn options(args: &SandboxArgs) -> Result<Options, CliError> {
    // The value is not repeated, because it may be a secret in the wrong place.
    let names = "`syncfilters sandbox --help` lists the names";
    let faults = Faults::parse(&args.fault.join(",")).map_err(|error| {
        CliError::Usage(match error {
            FaultsError::Unknown(_) => format!("--fault: there is no such fault; {names}"),
            FaultsError::Rate { fault, .. } => {
                format!("--fault: the rate of {fault} must be a number from 0 to 1")
            }
        })
    })?;
    let switches =
        Switches::parse(&args.switches.join(",")).map_err(|UnknownSwitch { .. }| {
            CliError::Usage(format!("--switch: there is no such switch; {names}"))
        })?;
    Ok(Options {
        users: usize::try_from(args.users).unwrap_or(usize::MAX),
        plain: args.plain,
        seed: args.seed,
        version: args.server_version,
        latency: Duration::from_millis(args.latency),
        execution: Duration::from_millis(args.execution),
        limits: limits(args),
        faults,
        switches,
        bind: SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)),
        path_prefix: args.organization.clone(),
        ..Options::default()
    })
}

fn limits(args: &SandboxArgs) -> Limits {
    let mut limits = if args.limits {
        Limits::documented()
    } else {
        Limits::none()
    };
    limits.servers = usize::from(args.servers);
    limits.requests = args.limit_requests.or(limits.requests);
    if let Some(window) = args.limit_window {
        limits.window = Duration::from_millis(window);
    }
    if let Some(hint) = args.hint {
        limits.parallelism_hint = hint;
    }
    limits
}

/// Reads a version. A wrong text is not repeated, because it may be a secret in the wrong place.
fn version(text: &str) -> Result<Version, &'static str> {
    text.parse()
        .map_err(|_| "the versions are 8.0, 8.2, 9.1 and 9.2")
}

/// The faults and the switches, one per line.
fn explain() -> String {
    let line = |name: &str, what: &str| format!("  {name:<32} {what}\n");
    let faults: String = Fault::ALL
        .iter()
        .map(|fault| line(fault.as_str(), fault.about()))
        .collect();
    let switches: String = Switch::ALL
        .iter()
        .map(|switch| line(switch.as_str(), switch.about()))
        .collect();
    format!("Faults:\n{faults}\nSwitches:\n{switches}")
}
