//! From settings to an environment that has answered.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::auth::{GivenToken, TokenSource};
use crate::dataverse::{Channel, Reader};
use crate::journal::RunStore;
use crate::model::EnvironmentUrl;
use crate::pacing::Pacer;
use crate::settings::{
    Asked, ConfigFile, Pace, Target, Variables, config_path, resolve, state_dir,
};

use super::args::{ConnectionArgs, OutputArgs};
use super::error::CliError;

/// The variable that holds a bearer token.
const TOKEN: &str = "SYNCFILTERS_ACCESS_TOKEN";

/// Decides which environment is meant; `run` is the one in a run file.
pub(super) fn target(
    args: &ConnectionArgs,
    run: Option<&EnvironmentUrl>,
) -> Result<Target, CliError> {
    let (path, asked_for) = config_path(args.config.as_deref())?;
    let file = ConfigFile::read(&path, asked_for)?;
    let asked = Asked {
        url: args.url.clone(),
        environment: args.environment.clone(),
        pace: Pace {
            concurrency: args.concurrency,
            max_requests_per_5m: args.max_requests_per_5m,
        },
    };
    let variables = Variables {
        url: variable("SYNCFILTERS_URL"),
        environment: variable("SYNCFILTERS_ENVIRONMENT"),
    };
    Ok(resolve(&asked, &variables, &file, run)?)
}

/// Signs in and finds out who answers.
pub(super) async fn connect(
    target: Target,
    interrupted: &CancellationToken,
) -> Result<Reader, CliError> {
    let token = GivenToken::new(&variable(TOKEN).unwrap_or_default())?;
    connect_with(target, Arc::new(token), interrupted).await
}

/// Signs in with this token and finds out who answers.
pub(super) async fn connect_with(
    target: Target,
    tokens: Arc<dyn TokenSource>,
    interrupted: &CancellationToken,
) -> Result<Reader, CliError> {
    let pacer = Pacer::new(target.pacing);
    let channel = Channel::new(target.environment, tokens, pacer, interrupted.child_token());
    Ok(Reader::connect(channel.map_err(CliError::Http)?).await?)
}

/// The folder of run files.
pub(super) fn store(args: &OutputArgs) -> Result<RunStore, CliError> {
    Ok(RunStore::new(&state_dir(args.state_dir.as_deref())?))
}

/// An empty variable is as good as none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
}
