//! The command line of `templates`.

use clap::{Args, Subcommand};

use crate::plan::UserLimit;

use super::shared_args::ConnectionArgs;

use super::scope_args::KindChoice;

/// `templates`.
#[derive(Debug, Args)]
pub(super) struct TemplatesArgs {
    /// What to do
    #[command(subcommand)]
    pub(super) action: TemplatesAction,
}

/// What to do with templates.
#[derive(Debug, Subcommand)]
pub(super) enum TemplatesAction {
    /// List the templates, with what is given to new users and in which state
    List(TemplateListArgs),
    /// Set matching templates to active: show, confirm, set, check
    Activate(TemplateActivateArgs),
    /// Set matching templates to inactive: show, confirm, set, check
    ///
    /// New users only are touched: whoever has filters keeps them. New users receive filters from the default
    /// templates, and a default template cannot be inactive: --clear-default also clears the default flag.
    Deactivate(TemplateDeactivateArgs),
}

/// `templates list`.
#[derive(Debug, Args)]
pub(super) struct TemplateListArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) choice: TemplateChoiceArgs,
}

/// `templates activate`.
#[derive(Debug, Args)]
pub(super) struct TemplateActivateArgs {
    #[command(flatten)]
    pub(super) change: TemplateChangeArgs,
    /// Also make them defaults, which new users receive; one for each type and kind
    #[arg(long, requires = "only", help_heading = "Templates")]
    pub(super) default: bool,
    /// Also clear their default flag, so that new users no longer receive them
    #[arg(long, conflicts_with = "default", help_heading = "Templates")]
    pub(super) clear_default: bool,
}

/// `templates deactivate`.
#[derive(Debug, Args)]
pub(super) struct TemplateDeactivateArgs {
    #[command(flatten)]
    pub(super) change: TemplateChangeArgs,
    /// Also clear the default flag of default templates; without it they are refused and nothing is set
    #[arg(long, help_heading = "Templates")]
    pub(super) clear_default: bool,
}

/// What `templates activate` and `templates deactivate` have in common.
#[derive(Debug, Args)]
pub(super) struct TemplateChangeArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) choice: TemplateChoiceArgs,
    /// Do not ask
    #[arg(long, help_heading = "Safety")]
    pub(super) yes: bool,
    /// Give the name of the environment, where the configuration file says `production = true`
    #[arg(long, value_name = "NAME", help_heading = "Safety")]
    pub(super) confirm_environment: Option<String>,
    /// Refuse to set more templates than this, or than this share of those chosen (or `max-changes` in the
    /// configuration file)
    #[arg(long, value_name = "N|P%", help_heading = "Safety")]
    pub(super) max_changes: Option<UserLimit>,
    /// Show what would be set, and set nothing
    #[arg(long, help_heading = "Safety")]
    pub(super) dry_run: bool,
}

/// Which templates.
#[derive(Debug, Args)]
#[command(next_help_heading = "Templates")]
pub(super) struct TemplateChoiceArgs {
    /// Only templates for filters of this type, such as `contact`; `all` for every type (repeatable)
    ///
    /// Default: appointment, recurringappointmentmaster, serviceappointment.
    #[arg(long = "type", value_name = "TYPE")]
    pub(super) types: Vec<String>,
    /// Templates for which kind of filters
    #[arg(long, value_enum, default_value_t = KindChoice::Outlook)]
    pub(super) kind: KindChoice,
    /// Only templates whose name matches this pattern, such as `Appointments*`
    #[arg(long, value_name = "GLOB")]
    pub(super) name: Option<String>,
    /// Exactly these templates, by id (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = id, conflicts_with_all = ["types", "kind", "name"])]
    pub(super) only: Vec<uuid::Uuid>,
}

/// Parses an id. A wrong text is not repeated, not even in part, because it may be a secret in the wrong place.
fn id(text: &str) -> Result<uuid::Uuid, &'static str> {
    text.trim().parse().map_err(
        |_| "an id has 32 hexadecimal digits, such as 00000000-0000-0000-0000-000000000001",
    )
}
