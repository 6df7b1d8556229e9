//! The options that choose users and filters.

use clap::{ArgGroup, Args, ValueEnum};

use crate::rollout::SurveyMode;

/// The group of options that read a list.
pub(super) const LISTS: &str = "lists";
/// The group of options that name users.
const NAMES: &str = "names";
/// The same groups for a plan that is narrowed.
const NARROW_LISTS: &str = "narrow-lists";
const NARROW_NAMES: &str = "narrow-names";

/// Which users, and which of their filters.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Users and filters",
    group(ArgGroup::new(LISTS).multiple(true)),
    group(ArgGroup::new(NAMES).multiple(true))
)]
pub(super) struct ScopeArgs {
    /// Only this user: UPN, e-mail address, DOMAIN\name or id (repeatable)
    #[arg(long, value_name = "USER", group = NAMES)]
    pub(super) user: Vec<String>,
    /// Only the users of this list: a name a line, CSV with a header, or an Excel workbook; `-` is standard input
    ///
    /// Read are UTF-8, UTF-16 and Windows-1252, with commas, semicolons or tabs, and the exports of Microsoft 365,
    /// Entra, Exchange, Dynamics and this tool. Of a workbook (.xlsx) it is the one sheet whose first row has a known
    /// title; rows that Excel hides count, too. A line that is not certain is refused. Where an e-mail address of one user
    /// is the UPN of another, the UPN counts; and an enabled user counts before a disabled one.
    #[arg(long, value_name = "FILE", groups = [LISTS, NAMES])]
    pub(super) users_from: Option<String>,
    /// Only users with this security role, directly or through a team (repeatable)
    ///
    /// The same name in several business units counts as one role. Values of one option are alternatives;
    /// different options all have to hold.
    #[arg(long, value_name = "NAME")]
    pub(super) role: Vec<String>,
    /// Only members of this team (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(super) team: Vec<String>,
    /// Only users of this business unit, by name or id, and its sub-units (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(super) business_unit: Vec<String>,
    /// Without the sub-units of `--business-unit`
    #[arg(long, requires = "business_unit")]
    pub(super) only_this_unit: bool,
    /// Only users for whom this `OData` condition over systemusers holds, such as `title eq 'Agent'` (repeatable)
    #[arg(long = "where", value_name = "ODATA")]
    pub(super) conditions: Vec<String>,
    /// Only users whom this saved view of users shows, by name or id: a system view, or your own (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(super) view: Vec<String>,
    /// Never this user (repeatable)
    #[arg(long, value_name = "USER", group = NAMES)]
    pub(super) exclude_user: Vec<String>,
    /// Never the users of this list, as for `--users-from`; where a name matches several users, none of them
    #[arg(long, value_name = "FILE", groups = [LISTS, NAMES])]
    pub(super) exclude_from: Option<String>,
    /// The title of the column that holds the names, in every list that is given
    #[arg(long, value_name = "NAME", requires = LISTS)]
    pub(super) column: Option<String>,
    /// Skip names that match no user, and list them
    ///
    /// Names of --other-engine are always listed and never refused.
    #[arg(long, requires = NAMES)]
    pub(super) skip_unknown: bool,
    /// Only filters of this type, such as `contact`; `all` for every type (repeatable)
    ///
    /// Default: appointment, recurringappointmentmaster, serviceappointment.
    #[arg(long = "type", value_name = "TYPE")]
    pub(super) types: Vec<String>,
    /// Which kind of filters: Outlook filters are what server-side synchronisation reads
    #[arg(long, value_enum, default_value_t = KindChoice::Outlook)]
    pub(super) kind: KindChoice,
    /// Only filters whose name matches this pattern, such as `My *`
    #[arg(long, value_name = "GLOB")]
    pub(super) name: Option<String>,
    /// How to read the filters; default: impersonation, or administrator where a `trial` has seen it work
    #[arg(long, value_enum)]
    pub(super) survey: Option<SurveyChoice>,
}

/// Which users of a saved plan stay in it.
#[derive(Clone, Debug, Default, Args)]
#[command(
    next_help_heading = "Users",
    group(ArgGroup::new(NARROW_LISTS).multiple(true)),
    group(ArgGroup::new(NARROW_NAMES).multiple(true))
)]
pub(super) struct NarrowArgs {
    /// Take this user out of the plan; repeatable
    ///
    /// The plan has another digest afterwards, and what was agreed to before holds no more. A later `resume` leaves the
    /// user out, too. A name that matches no user of the plan's run is refused.
    #[arg(long, value_name = "USER", group = NARROW_NAMES)]
    pub(super) exclude_user: Vec<String>,
    /// Take the users of this list out of the plan; a list as for `plan --users-from`
    #[arg(long, value_name = "FILE", groups = [NARROW_LISTS, NARROW_NAMES])]
    pub(super) exclude_from: Option<String>,
    /// Take out of the plan everybody who is not in this list, and take back who is
    #[arg(long, value_name = "FILE", groups = [NARROW_LISTS, NARROW_NAMES])]
    pub(super) only_from: Option<String>,
    /// The title of the column that holds the names, in every list that is given
    #[arg(long, value_name = "NAME", requires = NARROW_LISTS)]
    pub(super) column: Option<String>,
    /// Skip names that match no user of the run, and list them
    #[arg(long, requires = NARROW_NAMES)]
    pub(super) skip_unknown: bool,
}

/// How to read the filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SurveyChoice {
    /// As each user, a request for each.
    Impersonation,
    /// As the caller, many users in a request; needs Manage User Synchronization Filters. It is
    /// tried on some users first, and given up where it does not see what they see.
    Administrator,
}

impl From<SurveyChoice> for SurveyMode {
    fn from(choice: SurveyChoice) -> Self {
        match choice {
            SurveyChoice::Impersonation => Self::Impersonation,
            SurveyChoice::Administrator => Self::Administrator,
        }
    }
}

/// Which kinds of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum KindChoice {
    /// Outlook filters: what server-side synchronisation reads.
    Outlook,
    /// Offline filters, of the retired Outlook add-in.
    Offline,
    /// Both.
    Both,
}
