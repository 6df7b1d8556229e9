//! The options of `runs` and `status`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Span;

use super::shared_args::{ConfigArgs, ConnectionArgs, path_to_type, text_to_type};

/// `runs`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct RunsArgs {
    #[command(subcommand)]
    pub(super) command: Option<RunsCommand>,
    #[command(flatten)]
    pub(super) which: WhichRunsArgs,
}

/// `status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) which: WhichRunsArgs,
}

/// The environments whose runs are meant.
#[derive(Debug, Args)]
#[command(next_help_heading = "Environment")]
pub(super) struct WhichRunsArgs {
    /// Only the runs of this environment: its name in the configuration file, or that of its organisation; repeatable
    #[arg(long, value_name = "NAME")]
    pub(super) environment: Vec<String>,
    #[command(flatten)]
    pub(super) file: ConfigArgs,
}

/// What to do with runs besides listing them.
#[derive(Debug, Subcommand)]
pub(super) enum RunsCommand {
    /// Delete the run files of old plans, and of runs that changed nothing or were undone
    Prune(PruneArgs),
    /// Write a run to a file, to go on with it or undo it on another computer
    Export(ExportArgs),
    /// Take a run over from a file that `export` wrote; its address has to be named here
    Import(ImportArgs),
}

/// `runs prune`.
#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// Delete only runs that ended, or were left, before this time, such as `90d` or `6mo`
    #[arg(long, value_name = "TIME", value_parser = age)]
    pub(super) older_than: Span,
    /// Delete runs that can still be undone, too
    #[arg(long)]
    pub(super) include_undoable: bool,
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
}

/// `runs export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The run: its id, the first digits of its id, `latest`, or its file
    #[arg(value_name = "RUN", value_parser = text_to_type)]
    pub(super) run: String,
    /// The file to write; it names people
    #[arg(value_name = "FILE", value_parser = path_to_type())]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) which: WhichRunsArgs,
}

/// `runs import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file
    #[arg(value_name = "FILE", value_parser = path_to_type())]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

fn age(text: &str) -> Result<Span, &'static str> {
    let span: Span = text
        .parse()
        .map_err(|_| "an age has a number and a unit, such as `90d`, `12w` or `6mo`")?;
    if span.is_negative() {
        return Err("an age cannot be negative");
    }
    Ok(span)
}
