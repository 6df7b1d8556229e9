//! The command line of `setup`, `environments` and `config`.

use clap::{Args, Subcommand, ValueEnum};

use crate::model::Cloud;

use super::profile_args::ProfileArgs;
use super::shared_args::{ConfigArgs, ConnectionArgs};

/// `setup`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[derive(Debug, Args)]
pub(super) struct SetupArgs {
    /// The name of the environment in the configuration file; default: from its address
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Make it the environment that is meant where none is named; the first one is without this
    #[arg(long)]
    pub(super) default: bool,
    /// Show the commands that make an application to sign in with, for `az` and for Microsoft Graph PowerShell
    #[arg(long, conflicts_with_all = ["client_id", "microsoft_app"])]
    pub(super) create_app: bool,
    /// Run those commands of `az` instead of showing them
    #[arg(long, requires = "create_app")]
    pub(super) run_az: bool,
    /// Write the environment although a check failed
    #[arg(long)]
    pub(super) write_anyway: bool,
    #[command(flatten)]
    pub(super) profile: ProfileArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// `environments`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct EnvironmentsArgs {
    /// What to do; without it, the environments of the configuration file are listed
    #[command(subcommand)]
    pub(super) action: Option<EnvironmentsAction>,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

/// What to do with environments.
#[derive(Debug, Subcommand)]
pub(super) enum EnvironmentsAction {
    /// List those of which the signed-in user is a member, from the Global Discovery Service
    ///
    /// The sign-in is that of the environment that is meant, where one is.
    Discover(DiscoverArgs),
    /// Write an environment into the configuration file, and sign in nowhere
    Add(Box<AddArgs>),
    /// Remove an environment from the configuration file
    Remove(NameArgs),
    /// Make an environment the one that is meant where none is named
    Default(NameArgs),
}

/// `environments discover`.
#[derive(Debug, Args)]
pub(super) struct DiscoverArgs {
    /// The cloud to ask
    #[arg(long, value_enum, default_value_t = CloudChoice::Public)]
    pub(super) cloud: CloudChoice,
    /// Write those that the configuration file does not have into it, with the sign-in that was used
    #[arg(long)]
    pub(super) write: bool,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// `environments add`.
#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The name of the environment
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// Make it the environment that is meant where none is named
    #[arg(long)]
    pub(super) default: bool,
    #[command(flatten)]
    pub(super) profile: ProfileArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// `environments remove` and `environments default`.
#[derive(Debug, Args)]
pub(super) struct NameArgs {
    /// The name of the environment
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

/// `config`.
#[derive(Debug, Args)]
pub(super) struct ConfigFileArgs {
    /// What to do
    #[command(subcommand)]
    pub(super) action: ConfigAction,
}

/// What to do with the configuration file.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigAction {
    /// Check every environment of the file, and send nothing
    Check(ConfigArgs),
}

/// A cloud of Microsoft's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CloudChoice {
    /// The commercial cloud.
    Public,
    /// US Government: GCC.
    Gcc,
    /// US Government: GCC High.
    GccHigh,
    /// US Government: Department of Defense.
    Dod,
    /// China, by 21Vianet.
    China,
}

impl From<CloudChoice> for Cloud {
    fn from(choice: CloudChoice) -> Self {
        match choice {
            CloudChoice::Public => Self::Commercial,
            CloudChoice::Gcc => Self::Gcc,
            CloudChoice::GccHigh => Self::GccHigh,
            CloudChoice::Dod => Self::Dod,
            CloudChoice::China => Self::China,
        }
    }
}
