//! The command line.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::plan::{BoundError, PlanDigest, UserLimit, Waves};
use crate::report::Format;
use crate::settings::SignInKind;

use super::demo::DemoArgs;
use super::sandbox::SandboxArgs;
use super::scope_args::{LISTS, ScopeArgs};
use super::template_args::TemplatesArgs;

/// Switch the appointment synchronisation of every Dynamics 365 user off or on, the supported way.
///
/// For each user it impersonates that user through the Web API, reads the user's sync filters, and sets their
/// state: with a plan before, a record of everything, and an undo that is exact.
#[derive(Debug, Parser)]
#[command(name = "syncfilters", bin_name = "syncfilters", version, about, long_about, after_help = EXAMPLES, after_long_help = MORE)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  syncfilters demo
  syncfilters plan deactivate --url https://contoso.crm4.dynamics.com
  syncfilters deactivate --environment contoso --users-from pilot.csv
  syncfilters resume 3f2
  syncfilters undo 3f2

`syncfilters --help` says more: variables and exit codes.";

const MORE: &str = "\
Examples:
  syncfilters demo                                       the whole job on an embedded sandbox
  syncfilters plan deactivate --url https://contoso.crm4.dynamics.com
                                                         what would change; writes nothing to the CRM
  syncfilters deactivate --environment contoso --users-from pilot.csv
  syncfilters resume 3f2                                 finish an interrupted run
  syncfilters undo 3f2                                   put back exactly what a run changed
  syncfilters check inactive --environment test --environment production
                                                         several environments side by side

Variables:
  SYNCFILTERS_ACCESS_TOKEN  a bearer token for the environment, used as it is
  SYNCFILTERS_SIGN_IN       like --sign-in; AZURE_TENANT_ID, AZURE_CLIENT_ID and the other standard variables
  SYNCFILTERS_URL           like --url           SYNCFILTERS_CONFIG     like --config
  SYNCFILTERS_ENVIRONMENT   like --environment   SYNCFILTERS_STATE_DIR  like --state-dir
  HTTPS_PROXY, NO_PROXY, NO_COLOR                as everywhere

Exit codes:
  0    done, or nothing to do
  1    unexpected error
  2    wrong usage or configuration
  3    finished, but some users failed or rows were left alone
  4    sign-in refused or expired
  5    refused: a safety limit, another plan than the expected one, impersonation
       not honoured, or declined
  6    stopped early; can be resumed
  10   changes are pending (plan --detailed-exitcode, check)
  130  interrupted; can be resumed
  Of several environments the worst counts: 130, 6, 5, 4, 2, 1, 3, 10, 0.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Set matching sync filters to inactive: plan, show, confirm, apply, verify
    Deactivate(ChangeArgs),
    /// Set matching sync filters to active: plan, show, confirm, apply, verify
    Reactivate(ChangeArgs),
    /// Plan only, and keep the plan; writes nothing to the CRM
    Plan(PlanArgs),
    /// Apply a saved plan; refuses one that no longer fits
    Apply(SavedPlanArgs),
    /// Finish an interrupted run, or try again the users who failed in one that is finished
    Resume(ApplyArgs),
    /// Put back what a run changed, where nobody changed it since
    Undo(UndoArgs),
    /// List users and their sync filters, with state
    List(ListArgs),
    /// Exit with 10 when a matching filter is in another state; for schedulers
    Check(CheckArgs),
    /// List what new users receive, or set its state
    Templates(TemplatesArgs),
    /// List earlier runs, the newest first
    Runs,
    /// Show one run
    Report(ReportArgs),
    /// Do the whole job on an embedded sandbox
    Demo(DemoArgs),
    /// Run the sandbox as a server
    Sandbox(SandboxArgs),
    /// Check the sign-in, privileges and impersonation before any write; writes nothing
    Doctor(DoctorArgs),
    /// Show who is signed in, and how
    Whoami(SignInArgs),
    /// Sign in once, and keep the sign-in for later commands
    Login(SignInArgs),
    /// Delete a kept sign-in
    Logout(SignInArgs),
    /// List the environments of the configuration file, or those of the signed-in user
    Environments(EnvironmentsArgs),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

impl Command {
    /// Whether a plan is shown with everything that is known of it.
    pub(super) const fn shows_details(&self) -> bool {
        match self {
            Self::Deactivate(args) | Self::Reactivate(args) => args.consent.details,
            Self::Plan(args) => args.details,
            Self::Apply(args) => args.run.consent.details,
            Self::Resume(args) => args.consent.details,
            Self::Undo(args) => args.run.consent.details,
            _ => false,
        }
    }
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.as_str()))
        .try_map(|word| word.parse::<Format>())
}

fn sign_ins() -> impl TypedValueParser<Value = SignInKind> {
    PossibleValuesParser::new(SignInKind::ALL.iter().map(|kind| kind.as_str()))
        .try_map(|word| word.parse::<SignInKind>())
}

/// How to print.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// How to print the result
    #[arg(long, global = true, default_value = "table", value_parser = formats())]
    pub(super) format: Format,
    /// Show no progress
    #[arg(long, global = true)]
    pub(super) no_progress: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto)]
    pub(super) color: ColorChoice,
    /// Log more; `-vv` logs every request
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Print only the result and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// The folder of run files
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SYNCFILTERS_STATE_DIR",
        hide_env_values = true,
        value_parser = path_to_type()
    )]
    pub(super) state_dir: Option<PathBuf>,
}

/// A path that is printed in commands, where it has to be typed again.
fn path_to_type() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|path| {
        let text = path.to_str().ok_or("it is no UTF-8")?;
        text_to_type(text).map(PathBuf::from)
    })
}

/// A text that is printed in commands: what cannot be printed cannot be typed.
fn text_to_type(text: &str) -> Result<String, &'static str> {
    if text.chars().any(char::is_control) {
        return Err("it holds a control character");
    }
    Ok(text.to_owned())
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Environment")]
pub(super) struct ConnectionArgs {
    /// The address of the environment (or `SYNCFILTERS_URL`)
    #[arg(long, conflicts_with = "environment")]
    pub(super) url: Option<String>,
    /// An environment of the configuration file (or `SYNCFILTERS_ENVIRONMENT`); repeatable for `deactivate`,
    /// `reactivate`, `plan`, `list`, `check` and `doctor`
    #[arg(long, value_name = "NAME")]
    pub(super) environment: Vec<String>,
    /// The configuration file
    #[arg(
        long,
        value_name = "FILE",
        env = "SYNCFILTERS_CONFIG",
        hide_env_values = true,
        value_parser = path_to_type()
    )]
    pub(super) config: Option<PathBuf>,
    /// Requests at once; default: the server's recommendation
    #[arg(long, value_name = "N")]
    pub(super) concurrency: Option<NonZeroU32>,
    /// Upper limit of requests in five minutes, to leave room for other integrations
    #[arg(long, value_name = "N")]
    pub(super) max_requests_per_5m: Option<NonZeroU32>,
    /// How to sign in (or `SYNCFILTERS_SIGN_IN`); secrets are never given on the command line
    #[arg(long, value_name = "HOW", value_parser = sign_ins())]
    pub(super) sign_in: Option<SignInKind>,
    /// The tenant, by id or domain (or `AZURE_TENANT_ID`); default: the environment's tenant
    #[arg(long)]
    pub(super) tenant: Option<String>,
    /// The client id of the application to sign in with (or `AZURE_CLIENT_ID`)
    #[arg(long, value_name = "ID")]
    pub(super) client_id: Option<String>,
    /// Over how long the server counts its budgets, in milliseconds; for a sandbox that compresses time
    #[arg(long, value_name = "MS", hide = true)]
    pub(super) budget_window: Option<NonZeroU32>,
}

/// How several environments are worked on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Environment")]
pub(super) struct SeveralArgs {
    /// How many environments to work on at once
    #[arg(long, value_name = "N", default_value = "4")]
    pub(super) environments_at_once: NonZeroUsize,
}

fn pause(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|_| {
        let whole = text.trim().parse::<u32>().is_ok();
        let example = if whole { text.trim() } else { "30" };
        format!("a time has a number and a unit, such as `{example}m`, `{example}s` or `1h 30m`")
    })?;
    Duration::try_from(span).map_err(|_| "a time cannot be negative".to_owned())
}

fn failures(text: &str) -> Result<UserLimit, String> {
    match text
        .parse()
        .map_err(|error: BoundError| error.to_string())?
    {
        UserLimit::Users(0) | UserLimit::Percent(0) => {
            Err("it must be 1 or more; 1 stops when the first user has failed".to_owned())
        }
        bound => Ok(bound),
    }
}

/// What has to be agreed to before anything is written.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Safety")]
pub(super) struct ConsentArgs {
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
    /// Accept that items that are no longer synchronised can be deleted from Exchange
    #[arg(long)]
    pub(super) accept_calendar_loss: bool,
    /// Give the name of the environment, where the configuration file says `production = true`; repeatable where
    /// several are worked on
    #[arg(long, value_name = "NAME")]
    pub(super) confirm_environment: Vec<String>,
    /// Continue a run although it was undone since
    #[arg(long)]
    pub(super) after_undo: bool,
    /// Dry run: read what would be changed, and send no change
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Refuse a plan that changes more users than this, or than this share of those selected (or `max-changes`
    /// in the configuration file)
    #[arg(long, value_name = "N|P%")]
    pub(super) max_changes: Option<UserLimit>,
    /// Stop when this number of users, or this share of the wave, has failed; `resume` continues
    #[arg(long, value_name = "N|P%", value_parser = failures)]
    pub(super) stop_after_failures: Option<UserLimit>,
    /// Change users in waves, such as `10,100,rest`, and ask before each next wave
    #[arg(long, value_name = "SIZES")]
    pub(super) wave: Option<Waves>,
    /// Wait between waves, such as `30m`, instead of asking
    #[arg(long, value_name = "TIME", value_parser = pause)]
    pub(super) wave_pause: Option<Duration>,
    /// Show everything that is known of the plan, and not one screen of it
    #[arg(long, help_heading = "Output")]
    pub(super) details: bool,
}

/// What to find out before anything is agreed to.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Impact")]
pub(super) struct ImpactArgs {
    /// Count the future items of each user that no filter selects afterwards; one more request per user
    ///
    /// For `deactivate` only. Also reads system filters, default templates and mailboxes, and warns where they
    /// change the result.
    #[arg(long)]
    pub(super) impact: bool,
    /// The users of another sync engine: shows who would have both engines, or none
    ///
    /// A list as for --users-from.
    #[arg(long, value_name = "FILE", group = LISTS)]
    pub(super) other_engine: Option<String>,
}

/// `deactivate` and `reactivate`.
#[derive(Debug, Args)]
pub(super) struct ChangeArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) several: SeveralArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    #[command(flatten)]
    pub(super) impact: ImpactArgs,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
}

/// `plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// What to plan
    #[arg(value_enum)]
    pub(super) operation: PlanOperation,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) several: SeveralArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    #[command(flatten)]
    pub(super) impact: ImpactArgs,
    /// Keep the plan in this file, and not among the runs
    #[arg(long, value_name = "FILE", help_heading = "Output", value_parser = path_to_type())]
    pub(super) out: Option<PathBuf>,
    /// Show everything that is known of the plan, and not one screen of it
    #[arg(long, help_heading = "Output")]
    pub(super) details: bool,
    /// Exit with 10 when changes are pending
    #[arg(long, help_heading = "Output")]
    pub(super) detailed_exitcode: bool,
}

/// What can be planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanOperation {
    /// Set matching filters to inactive.
    Deactivate,
    /// Set matching filters to active.
    Reactivate,
}

/// `resume` and `undo`, and what `apply` has in common with them.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// The run: its id, the first digits of its id, `latest`, or its file
    #[arg(value_name = "RUN", value_parser = text_to_type)]
    pub(super) run: String,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
}

/// `undo`.
#[derive(Debug, Args)]
pub(super) struct UndoArgs {
    #[command(flatten)]
    pub(super) run: ApplyArgs,
    /// Put back the state of filters that somebody changed since, too, where it is still what the run set
    #[arg(long, help_heading = "Safety")]
    pub(super) include_changed: bool,
}

/// `apply`.
#[derive(Debug, Args)]
pub(super) struct SavedPlanArgs {
    #[command(flatten)]
    pub(super) run: ApplyArgs,
    /// Where the plan no longer fits: show what is different, plan those users anew, and go on
    #[arg(long, help_heading = "Safety")]
    pub(super) replan: bool,
    /// Refuse every plan but the one with this digest, as `plan` showed it
    #[arg(long, value_name = "DIGEST", help_heading = "Safety")]
    pub(super) expect: Option<PlanDigest>,
}

/// `list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) several: SeveralArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
}

/// `check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The state that every matching filter should have
    #[arg(value_enum)]
    pub(super) state: WantedState,
    /// Set filters that are in another state, as a run that `undo` can undo
    ///
    /// Nobody is asked. It changes 30 % of the selected users at most, or ten where that is more, unless
    /// `--max-changes` or the configuration file says otherwise; it exits with 0 when everything is in the
    /// state, 10 when something is still not, 3 when users failed, and 5 when a limit refuses it.
    #[arg(long)]
    pub(super) fix: bool,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) several: SeveralArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
}

/// A state to check for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WantedState {
    /// Synchronised.
    Active,
    /// Not synchronised.
    Inactive,
}

/// `report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The run: its id, the first digits of its id, `latest`, or its file
    #[arg(value_name = "RUN", value_parser = text_to_type)]
    pub(super) run: String,
    /// Write to this file; `-` is standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) output: Option<PathBuf>,
}

/// `doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) several: SeveralArgs,
}

/// `whoami`, `login` and `logout`.
#[derive(Debug, Args)]
pub(super) struct SignInArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// `environments`.
#[derive(Debug, Args)]
pub(super) struct EnvironmentsArgs {
    /// What to list; without it, the environments of the configuration file
    #[arg(value_enum)]
    pub(super) what: Option<WhichEnvironments>,
    /// The cloud to ask
    #[arg(long, value_enum, default_value_t = CloudChoice::Public)]
    pub(super) cloud: CloudChoice,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// Which environments to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WhichEnvironments {
    /// Those of which the signed-in user is a member, from the Global Discovery Service.
    Discover,
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

/// `completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}
