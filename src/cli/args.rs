//! The command line.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::plan::PlanDigest;
use crate::report::{UserChoice, UserClass};

use super::demo_args::DemoArgs;
use super::doctor_args::PurposeArgs;
use super::environment_args::{ConfigFileArgs, EnvironmentsAction, EnvironmentsArgs, SetupArgs};
use super::runs_args::{RunsArgs, RunsCommand, StatusArgs, WhichRunsArgs};
use super::sandbox::SandboxArgs;
use super::scope_args::{LISTS, NarrowArgs, ScopeArgs};
use super::shared_args::{
    ConnectionArgs, ConsentArgs, OutputArgs, SeveralArgs, path_to_type, text_to_type,
};
use super::template_args::TemplatesArgs;
use super::trial_args::TrialArgs;
use super::ui::UiArgs;

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
  syncfilters setup
  syncfilters plan deactivate --url https://contoso.crm4.dynamics.com
  syncfilters deactivate --environment contoso --users-from pilot.csv
  syncfilters resume 3f2
  syncfilters undo 3f2

`syncfilters --help` says more: variables and exit codes.";

const MORE: &str = "\
Examples:
  syncfilters demo                                       the whole job on an embedded sandbox
  syncfilters setup                                      sign in, check, and keep the environment by a name
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
    Resume(ResumeArgs),
    /// Put back what a run changed, where nobody changed it since
    Undo(UndoArgs),
    /// List users and their sync filters, with state
    List(ListArgs),
    /// Exit with 10 when a matching filter is in another state; for schedulers
    Check(CheckArgs),
    /// List what new users receive, or set its state
    Templates(TemplatesArgs),
    /// List earlier runs, the newest first; delete old ones, or move one to another computer
    Runs(RunsArgs),
    /// Show how many users are done and left in each environment, over all runs
    Status(StatusArgs),
    /// Show one run
    Report(ReportArgs),
    /// Open a page on this machine: see, choose, agree, watch, undo, with the same guards
    Ui(Box<UiArgs>),
    /// Do the whole job on an embedded sandbox
    Demo(DemoArgs),
    /// Run the sandbox as a server
    Sandbox(SandboxArgs),
    /// Check the sign-in, privileges and impersonation before any write; writes nothing
    Doctor(DoctorArgs),
    /// Find out on one user's filter what no document says of the server, and put it back
    Trial(TrialArgs),
    /// Set up an environment: find its identity provider, sign in, check, and write it into the configuration file
    ///
    /// What is not given as a flag is asked for; where nobody is there to ask, every flag that is missing is named.
    Setup(Box<SetupArgs>),
    /// Show who is signed in, and how
    Whoami(SignInArgs),
    /// Sign in once, and keep the sign-in for later commands
    Login(SignInArgs),
    /// Delete a kept sign-in
    Logout(SignInArgs),
    /// List the environments of the configuration file or those of the signed-in user; add, remove, choose the default
    Environments(Box<EnvironmentsArgs>),
    /// Check the configuration file
    Config(ConfigFileArgs),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Print a manual page, or write one for each command
    Man(ManArgs),
}

impl Command {
    /// Its name on the command line.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Deactivate(_) => "deactivate",
            Self::Reactivate(_) => "reactivate",
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Resume(_) => "resume",
            Self::Undo(_) => "undo",
            Self::List(_) => "list",
            Self::Check(_) => "check",
            Self::Templates(_) => "templates",
            Self::Runs(args) => match args.command {
                None => "runs",
                Some(RunsCommand::Prune(_)) => "runs prune",
                Some(RunsCommand::Export(_)) => "runs export",
                Some(RunsCommand::Import(_)) => "runs import",
            },
            Self::Status(_) => "status",
            Self::Report(_) => "report",
            Self::Ui(_) => "ui",
            Self::Demo(_) => "demo",
            Self::Sandbox(_) => "sandbox",
            Self::Doctor(_) => "doctor",
            Self::Trial(_) => "trial",
            Self::Setup(_) => "setup",
            Self::Whoami(_) => "whoami",
            Self::Login(_) => "login",
            Self::Logout(_) => "logout",
            Self::Environments(args) => match args.action {
                None | Some(EnvironmentsAction::Discover(_)) => "environments",
                Some(EnvironmentsAction::Add(_)) => "environments add",
                Some(EnvironmentsAction::Remove(_)) => "environments remove",
                Some(EnvironmentsAction::Default(_)) => "environments default",
            },
            Self::Config(_) => "config",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }

    /// Whether a plan is shown with everything that is known of it.
    pub(super) const fn shows_details(&self) -> bool {
        match self {
            Self::Deactivate(args) | Self::Reactivate(args) => args.consent.details,
            Self::Plan(args) => args.details,
            Self::Apply(args) => args.run.consent.details,
            Self::Resume(args) => args.run.consent.details,
            Self::Undo(args) => args.run.consent.details,
            _ => false,
        }
    }

    /// The time of day at which the work is to stop, where one was given.
    pub(super) const fn until(&self) -> Option<jiff::civil::Time> {
        match self {
            Self::Deactivate(args) | Self::Reactivate(args) => args.consent.until,
            Self::Apply(args) => args.run.consent.until,
            Self::Resume(args) => args.run.consent.until,
            Self::Undo(args) => args.run.consent.until,
            Self::Check(args) => args.consent.until,
            _ => None,
        }
    }
}

/// What to find out before anything is agreed to.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Impact")]
pub(super) struct ImpactArgs {
    /// Count the future items of each user that no filter selects afterwards; one more request per user
    ///
    /// For `deactivate` only.
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
    pub(super) scope: ScopeArgs,
    #[command(flatten)]
    pub(super) impact: ImpactArgs,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) several: SeveralArgs,
}

/// `plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// What to plan
    #[arg(value_enum)]
    pub(super) operation: PlanOperation,
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
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) several: SeveralArgs,
}

/// What can be planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanOperation {
    /// Set matching filters to inactive.
    Deactivate,
    /// Set matching filters to active.
    Reactivate,
}

/// What `apply`, `resume` and `undo` have in common.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// The run: its id, the first digits of its id, `latest`, or its file
    #[arg(value_name = "RUN", value_parser = text_to_type, help_heading = None)]
    pub(super) run: String,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
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

/// `resume`.
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    pub(super) narrow: NarrowArgs,
    #[command(flatten)]
    pub(super) run: ApplyArgs,
}

/// `apply`.
#[derive(Debug, Args)]
pub(super) struct SavedPlanArgs {
    #[command(flatten)]
    pub(super) narrow: NarrowArgs,
    #[command(flatten)]
    pub(super) run: ApplyArgs,
    /// Where the plan no longer fits: show what is different, plan those users anew, and apply
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
    pub(super) scope: ScopeArgs,
    /// Write to this file, in the format of its name where --format gives none; `-` is standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) output: Option<PathBuf>,
    /// Show this number of users at most, by name, and say how many are left out
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub(super) limit: Option<NonZeroU64>,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) several: SeveralArgs,
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
    /// Write to this file, in the format of its name where --format gives none; `-` is standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) output: Option<PathBuf>,
    /// Show this number of users at most, by name, and say how many are left out
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub(super) limit: Option<NonZeroU64>,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) several: SeveralArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WantedState {
    /// Synchronised.
    Active,
    /// Not synchronised.
    Inactive,
}

/// Which users of a run a report shows.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Users")]
pub(super) struct UserChoiceArgs {
    /// Show only the users who are `planned`, `changed`, `left`, `left-out`, `unchanged`, `skipped`, `failed`,
    /// `no-filters`, `no-mailbox` or `losing`, or who have a kind of problem such as `no-roles`; repeatable
    ///
    /// Also known are `loss-unknown`, `outlook-client`, `stays-on`, `duplicates`, `not-populated`, `both-engines` and
    /// `no-engine`. Several words, separated by commas, show the users of whom at least one holds. With `--format csv`,
    /// `json` or `xlsx` the result is a list for --users-from.
    #[arg(long, value_name = "WHICH", value_delimiter = ',', value_parser = user_classes(), hide_possible_values = true)]
    pub(super) only: Vec<UserClass>,
    /// Show only this user, by name or id as the run has it, with every change; repeatable
    #[arg(long, value_name = "NAME")]
    pub(super) user: Vec<String>,
    /// Show this number of users at most, and say how many are left out
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<NonZeroU64>,
}

impl UserChoiceArgs {
    pub(super) fn choice(&self) -> UserChoice {
        UserChoice {
            only: self.only.clone(),
            names: self.user.clone(),
            limit: self.limit.map(NonZeroU64::get),
        }
    }
}

fn user_classes() -> impl TypedValueParser<Value = UserClass> {
    PossibleValuesParser::new(UserClass::all().map(UserClass::as_str))
        .try_map(|word| word.parse::<UserClass>())
}

/// `report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The run: its id, the first digits of its id, `latest`, or its file
    #[arg(value_name = "RUN", value_parser = text_to_type)]
    pub(super) run: String,
    #[command(flatten)]
    pub(super) users: UserChoiceArgs,
    /// Write to this file, in the format of its name where --format gives none; `-` is standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) output: Option<PathBuf>,
    /// Show the page in the browser; without --output it is a temporary file
    #[arg(long, help_heading = "Output")]
    pub(super) open: bool,
    #[command(flatten)]
    pub(super) which: WhichRunsArgs,
}

/// `doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub(super) purpose: PurposeArgs,
    /// Also write a report for support to this file: versions, settings without secrets, checks, the last error
    #[arg(long, value_name = "FILE", help_heading = "Output", value_parser = path_to_type())]
    pub(super) report: Option<PathBuf>,
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

/// `completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The command whose page is printed; without it, the pages of all
    #[arg(value_name = "COMMAND", conflicts_with = "output_dir")]
    pub(super) command: Option<String>,
    /// Write a page for each command into this folder, and print nothing
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(super) output_dir: Option<PathBuf>,
}
