//! Flags that many commands have in common.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::plan::{BoundError, UserLimit, Waves};
use crate::report::Format;
use crate::settings::{KeepKind, SignInKind};

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.as_str()))
        .try_map(|word| word.parse::<Format>())
}

fn sign_ins() -> impl TypedValueParser<Value = SignInKind> {
    PossibleValuesParser::new(SignInKind::ALL.iter().map(|kind| kind.as_str()))
        .try_map(|word| word.parse::<SignInKind>())
}

fn keeps() -> impl TypedValueParser<Value = KeepKind> {
    PossibleValuesParser::new(KeepKind::ALL.iter().map(|kind| kind.as_str()))
        .try_map(|word| word.parse::<KeepKind>())
}

/// How to print.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// How to print the result
    #[arg(long, global = true, value_parser = formats())]
    pub(super) format: Option<Format>,
    /// Print long lists as they are: without it, they go through `PAGER` on a terminal
    #[arg(long, global = true)]
    pub(super) no_pager: bool,
    /// Show no progress
    #[arg(long, global = true)]
    pub(super) no_progress: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto)]
    pub(super) color: ColorChoice,
    /// Log more; `-vv` logs every request
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Log every request to this file as JSON lines, for support; without secrets
    ///
    /// It is private, and goes on where it is there. At 8 MiB it is moved to FILE.1, over the one before it.
    #[arg(long, global = true, value_name = "FILE", value_parser = path_to_type())]
    pub(super) log_file: Option<PathBuf>,
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

/// Parses a path that is printed in commands, where it has to be typed again.
pub(super) fn path_to_type() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|path| {
        let text = path.to_str().ok_or("it is no UTF-8")?;
        text_to_type(text).map(PathBuf::from)
    })
}

/// Checks a text that is printed in commands: characters that cannot be printed cannot be typed.
pub(super) fn text_to_type(text: &str) -> Result<String, &'static str> {
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
    /// Where to keep the sign-in of a person for later commands: `no`, `keyring` (the key store of this system), `file`
    #[arg(long, value_name = "WHERE", value_parser = keeps())]
    pub(super) keep: Option<KeepKind>,
    /// Over how long the server counts its budgets, in milliseconds; for a sandbox that compresses time
    #[arg(long, value_name = "MS", hide = true)]
    pub(super) budget_window: Option<NonZeroU32>,
}

/// Which configuration file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Environment")]
pub(super) struct ConfigArgs {
    /// The configuration file
    #[arg(
        long,
        value_name = "FILE",
        env = "SYNCFILTERS_CONFIG",
        hide_env_values = true,
        value_parser = path_to_type()
    )]
    pub(super) config: Option<PathBuf>,
}

/// How several environments are worked on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Environment")]
pub(super) struct SeveralArgs {
    /// How many environments to work on at once
    #[arg(long, value_name = "N", default_value = "4")]
    pub(super) environments_at_once: NonZeroUsize,
}

pub(super) fn pause(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|_| {
        let whole = text.trim().parse::<u32>().is_ok();
        let example = if whole { text.trim() } else { "30" };
        format!("a time has a number and a unit, such as `{example}m`, `{example}s` or `1h 30m`")
    })?;
    Duration::try_from(span).map_err(|_| "a time cannot be negative".to_owned())
}

/// Parses a time of day to the minute.
fn time_of_day(text: &str) -> Result<jiff::civil::Time, &'static str> {
    jiff::civil::Time::strptime("%H:%M", text).map_err(|_| "a time of day is written `06:00`")
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
    /// Apply or resume a run although it was undone since
    #[arg(long)]
    pub(super) after_undo: bool,
    /// Dry run: read what would be changed, and send no change
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Refuse a plan that changes more users than this, or than this share of those selected (or `max-changes`
    /// in the configuration file)
    #[arg(long, value_name = "N|P%")]
    pub(super) max_changes: Option<UserLimit>,
    /// Stop when this number of users, or this share of the wave, has failed; `resume` does the rest
    #[arg(long, value_name = "N|P%", value_parser = failures)]
    pub(super) stop_after_failures: Option<UserLimit>,
    /// Change users in waves, such as `10,100,rest`, and ask before each next wave
    #[arg(long, value_name = "SIZES")]
    pub(super) wave: Option<Waves>,
    /// Wait between waves, such as `30m`, instead of asking
    #[arg(long, value_name = "TIME", value_parser = pause)]
    pub(super) wave_pause: Option<Duration>,
    /// Stop at this time of day, such as `06:00`; `resume` does the rest
    #[arg(long, value_name = "TIME", value_parser = time_of_day)]
    pub(super) until: Option<jiff::civil::Time>,
    /// Show everything that is known of the plan, and not one screen of it
    #[arg(long, help_heading = "Output")]
    pub(super) details: bool,
}
