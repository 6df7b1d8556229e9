//! Connects to the environments of the command line, and prints messages meanwhile.

use std::sync::Arc;
use std::time::Duration;

use crate::connect::{
    ConnectionOptions, Connector, NamedEnvironment, Notices, process_environment,
};
use crate::journal::{RunContext, RunStore};
use crate::model::EnvironmentUrl;
use crate::report::{Format, ReportError};
use crate::rollout::Connection;
use crate::settings::{
    Address, Origin, PacingKeys, ResolvedTarget, RunAddress, SignInKeys, state_dir,
};

use super::App;
use super::error::CliError;
use super::printer::Printer;
use super::shared_args::{ConnectionArgs, OutputArgs};
use super::sign_in::prompt;

/// The values of the command line.
pub(super) fn options(args: &ConnectionArgs) -> ConnectionOptions {
    ConnectionOptions {
        url: args.url.clone(),
        environments: args.environment.clone(),
        config: args.config.clone(),
        pace: PacingKeys {
            concurrency: args.concurrency,
            max_requests_per_5m: args.max_requests_per_5m,
        },
        sign_in: SignInKeys {
            sign_in: args.sign_in,
            tenant: args.tenant.clone(),
            client_id: args.client_id.clone(),
            keep: args.keep,
            ..SignInKeys::default()
        },
        budget_window: args
            .budget_window
            .map(|window| Duration::from_millis(window.get().into())),
    }
}

/// A connector that prints its messages on the terminal.
pub(super) fn connector(app: &App) -> Connector {
    Connector {
        prompt: prompt(),
        notices: Arc::new(app.printer.clone()),
        state_dir: app.output.state_dir.clone(),
        interrupted: app.interrupted.clone(),
    }
}

impl Notices for Printer {
    fn status(&self, text: &str) {
        self.status_line(text);
    }

    fn notice(&self, text: &str) {
        Self::warn(text);
    }
}

/// The only environment of a command.
pub(super) fn target(args: &ConnectionArgs) -> Result<ResolvedTarget, CliError> {
    Ok(only_one(args)?.target(None)?)
}

/// Connects to the only environment of a command.
pub(super) async fn connect(app: &App, target: ResolvedTarget) -> Result<Connection, CliError> {
    Ok(connector(app).connect(target).await?)
}

/// The environment of a run that has a file.
pub(super) fn environment_of_run(
    args: &ConnectionArgs,
    run: RunAddress<'_>,
) -> Result<NamedEnvironment, CliError> {
    let options = only_one(args)?;
    Ok(crate::connect::environment_of_run(&options, run)?)
}

/// The values of the command line, for a command with one environment.
pub(super) fn only_one(args: &ConnectionArgs) -> Result<ConnectionOptions, CliError> {
    if args.environment.len() > 1 {
        let why = "this command works on one environment; --environment was given several times";
        return Err(CliError::Usage(why.into()));
    }
    Ok(options(args))
}

/// The address that was given to a command that stores it: by flag, else by variable.
pub(super) fn given_address(args: &ConnectionArgs) -> Result<Option<Address>, CliError> {
    if !args.environment.is_empty() {
        let why = "this command writes an environment: give its address with --url, and its name as the command takes it";
        return Err(CliError::Usage(why.into()));
    }
    let by_flag = args.url.clone().map(|url| (url, Origin::Flag("--url")));
    let variable = "SYNCFILTERS_URL";
    let given = by_flag.or_else(|| {
        let url = (process_environment().variable)(variable)?;
        Some((url, Origin::Variable(variable)))
    });
    let address = given.map(|(url, origin)| Address::given(&url, &origin));
    Ok(address.transpose()?)
}

/// The environments of a command: the named one, the default, or several.
pub(super) fn environments(
    args: &ConnectionArgs,
    output: &OutputArgs,
) -> Result<Vec<NamedEnvironment>, CliError> {
    if args.environment.len() > 1 && output.format == Some(Format::Html) {
        return Err(ReportError::OnlyOneRun.into());
    }
    Ok(crate::connect::environments(&options(args))?)
}

/// The given address in printable form. It contains no secret.
fn address(args: &ConnectionArgs) -> Option<String> {
    let url: EnvironmentUrl = args.url.as_ref()?.parse().ok()?;
    Some(url.to_string())
}

/// The store of run files. Commands about its runs need the options that were given here.
pub(super) fn store(
    args: &OutputArgs,
    connection: Option<&ConnectionArgs>,
) -> Result<RunStore, CliError> {
    let context = RunContext {
        state_dir: args.state_dir.clone(),
        config: connection.and_then(|args| args.config.clone()),
        url: connection.and_then(address),
    };
    let folder = state_dir(args.state_dir.as_deref())?;
    Ok(RunStore::new(&folder).with_context(context))
}
