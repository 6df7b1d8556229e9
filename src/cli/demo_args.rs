//! The command line of `demo`.

use clap::Args;

use super::ui::PageArgs;

/// `demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// How many users the sandbox has
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(25..=100_000))]
    pub(super) users: u32,
    /// Inject faults, such as lost answers and throttling
    #[arg(long)]
    pub(super) faults: bool,
    /// Open the local page over the sandbox instead
    #[arg(long)]
    pub(super) ui: bool,
    #[command(flatten)]
    pub(super) page: PageArgs,
}
