//! `demo` and `sandbox` where this program was built without the sandbox.

use clap::Args;

use super::App;
use super::error::CliError;
use super::exit::Exit;

/// `demo` and `sandbox`: whatever is asked of them, they are not here.
#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    ignored: Vec<String>,
}

/// `demo`.
pub(super) type DemoArgs = SandboxArgs;

#[expect(
    clippy::unused_async,
    reason = "stands in for the command of the same name"
)]
pub(super) async fn demo(_: &App, _: &DemoArgs) -> Result<Exit, CliError> {
    Err(missing())
}

#[expect(
    clippy::unused_async,
    reason = "stands in for the command of the same name"
)]
pub(super) async fn sandbox(_: &App, _: &SandboxArgs) -> Result<Exit, CliError> {
    Err(missing())
}

fn missing() -> CliError {
    let why = "this program was built without the sandbox; build it with `cargo build --release --features sandbox`";
    CliError::Usage(why.into())
}
