//! Every error of every room, as text, hint and exit code.

use std::io;

use crate::auth::SignInError;
use crate::dataverse;
use crate::journal::{JournalError, OpenError};
use crate::model::ProblemKind;
use crate::plan::{CriteriaError, Refusal, UserListError};
use crate::report::{ReportError, one_line};
use crate::rollout::RolloutError;
use crate::settings::{ChoiceError, SettingsError};

use super::exit::Exit;

/// What ends a command early.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error(transparent)]
    Dataverse(#[from] dataverse::Error),
    #[error("the HTTP client cannot be made: {0}")]
    Http(reqwest::Error),
    #[error(transparent)]
    Rollout(#[from] RolloutError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    UserList(#[from] UserListError),
    #[error(transparent)]
    Criteria(#[from] CriteriaError),
    #[error("not every environment that was named can be used (what is wrong: {})", .0.len())]
    Environments(Vec<String>),
    #[error("{path}: {source}")]
    File { path: String, source: io::Error },
    #[error("{0}")]
    Usage(String),
    #[error("the standard output cannot be written: {0}")]
    Output(io::Error),
    #[error("refused: {0}")]
    WouldAsk(String),
    #[error("refused: {}", listed(.0))]
    Refused(Vec<Refusal>),
    /// An error that ended an environment, as it was told.
    #[error("{}", .0.message)]
    Told(Told),
    #[error("refused: a default template cannot be inactive, and these are defaults (number: {}):", .0.len())]
    DefaultTemplates(Vec<String>),
    #[error("no filter was compared: the filters that were chosen are there of none of the users selected ({users}){}",
        if *.unread == 0 { String::new() } else { format!(", of whom {} could not be read", .unread) })]
    NothingCompared { users: u64, unread: u64 },
    #[error("declined; nothing was changed")]
    Declined,
    #[error("interrupted; nothing was changed")]
    InterruptedAtPrompt,
    #[cfg(feature = "sandbox")]
    #[error("the practice organisation cannot be started: {0}")]
    Sandbox(io::Error),
    #[error("{0}")]
    Unexpected(String),
}

/// An error as people and programs are told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// A stable word.
    pub(super) kind: &'static str,
    /// What failed, and why.
    pub(super) message: String,
    /// What to do next.
    pub(super) hint: Option<String>,
    /// The exit code.
    pub(super) exit: Exit,
}

impl From<ChoiceError> for CliError {
    fn from(error: ChoiceError) -> Self {
        match error {
            ChoiceError::Settings(error) => Self::Settings(error),
            ChoiceError::SignIn(error) => Self::SignIn(error),
        }
    }
}

impl CliError {
    /// The same error once more, where it ends several environments.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Declined => Self::Declined,
            Self::InterruptedAtPrompt => Self::InterruptedAtPrompt,
            error => Self::Told(error.told()),
        }
    }

    pub(super) fn told(&self) -> Told {
        let (kind, exit, hint) = self.classify();
        Told {
            kind,
            message: self.message(),
            hint,
            exit,
        }
    }

    /// Errors that are a list say the whole list.
    fn message(&self) -> String {
        // What comes from elsewhere adds no line to those of a list.
        let mut message = one_line(&self.to_string()).into_owned();
        match self {
            Self::Rollout(RolloutError::Selection(mismatches)) => {
                for mismatch in mismatches.iter().take(LISTED) {
                    message.push_str("\n  ");
                    message.push_str(&one_line(&mismatch.to_string()));
                }
                message.push_str(&more(mismatches.len(), LISTED));
            }
            Self::Environments(wrong) => {
                for one in wrong {
                    message.push_str("\n  ");
                    message.push_str(&one_line(one));
                }
            }
            Self::DefaultTemplates(names) => {
                for name in names.iter().take(LISTED) {
                    message.push_str("\n  ");
                    message.push_str(&one_line(name));
                }
                message.push_str(&more(names.len(), LISTED));
            }
            Self::Rollout(RolloutError::Groups(mismatches)) => {
                for mismatch in mismatches.iter().take(LISTED) {
                    message.push_str("\n  ");
                    message.push_str(&one_line(&mismatch.to_string()));
                }
                message.push_str(&more(mismatches.len(), LISTED));
            }
            Self::Rollout(RolloutError::Stale { count, examples }) => {
                for misfit in examples {
                    message.push_str("\n  ");
                    message.push_str(&one_line(&misfit.to_string()));
                }
                let count = usize::try_from(*count).unwrap_or(usize::MAX);
                message.push_str(&more(count, examples.len()));
            }
            _ => {}
        }
        message
    }

    fn classify(&self) -> (&'static str, Exit, Option<String>) {
        match self {
            Self::Settings(error) => ("settings", Exit::Usage, settings_hint(error)),
            Self::SignIn(error) => sign_in_error(error),
            Self::Dataverse(error) => dataverse_error(error),
            Self::Rollout(error) => rollout_error(error),
            Self::Open(error) => open_error(error),
            Self::Journal(error) => journal_error(error),
            Self::Report(ReportError::Journal(error)) => {
                journal_error(error)
            }
            Self::Report(ReportError::OnlyOneRun) => ("usage", Exit::Usage, None),
            Self::Report(_) | Self::Output(_) => ("output", Exit::Unexpected, None),
            Self::UserList(_) | Self::File { .. } | Self::Criteria(_) | Self::Usage(_) => {
                ("usage", Exit::Usage, None)
            }
            Self::Environments(_) => (
                "settings",
                Exit::Usage,
                Some("nothing was asked of any environment; `syncfilters environments` lists those of the configuration file".into()),
            ),
            Self::WouldAsk(_) => ("would-ask", Exit::Refused, None),
            Self::Refused(why) => refusal(why),
            Self::Told(told) => (told.kind, told.exit, told.hint.clone()),
            Self::DefaultTemplates(_) => (
                "default-template",
                Exit::Refused,
                Some(
                    "nothing was changed; with --clear-default they become no defaults in the same step, and new users no longer receive them"
                        .into(),
                ),
            ),
            Self::NothingCompared { .. } => (
                "nothing-compared",
                Exit::Usage,
                Some("check --type, --kind, --name and the options that choose users; `syncfilters list --type all --kind both` shows the filters that there are".into()),
            ),
            Self::Declined => ("declined", Exit::Refused, None),
            Self::InterruptedAtPrompt => ("interrupted", Exit::Interrupted, None),
            #[cfg(feature = "sandbox")]
            Self::Sandbox(_) => ("unexpected", Exit::Unexpected, None),
            Self::Http(_) | Self::Unexpected(_) => {
                ("unexpected", Exit::Unexpected, None)
            }
        }
    }
}

fn listed(why: &[Refusal]) -> String {
    let why: Vec<_> = why.iter().map(ToString::to_string).collect();
    why.join("; ")
}

fn refusal(why: &[Refusal]) -> (&'static str, Exit, Option<String>) {
    let (kind, hint) = match why.first() {
        Some(Refusal::TooManyChanges { .. }) => (
            "too-many-changes",
            "nothing was changed; look at the plan with `syncfilters report`; a higher --max-changes allows it",
        ),
        Some(Refusal::OtherPlan { .. }) => (
            "other-plan",
            "nothing was changed; review this plan with `syncfilters report`, or name the run of the other",
        ),
        Some(Refusal::WrongName { .. }) | None => ("would-ask", "nothing was changed"),
    };
    (kind, Exit::Refused, Some(hint.to_owned()))
}

/// How many entries of a list an error says.
const LISTED: usize = 20;

fn more(count: usize, shown: usize) -> String {
    match count.saturating_sub(shown) {
        0 => String::new(),
        left => format!("\n  … and {left} more"),
    }
}

const EXPIRED_HINT: &str = "sign in again, for exactly this environment; a token in SYNCFILTERS_ACCESS_TOKEN has to be a new one";
const JOURNAL_HINT: &str =
    "check that the disk is not full and that the file can be written; nothing happens unrecorded";
const ADDRESS_HINT: &str = "check that the address is that of a CRM organisation, such as https://contoso.crm4.dynamics.com, \
    and not of a sign-in page or a gateway";

fn settings_hint(error: &SettingsError) -> Option<String> {
    let hint = match error {
        SettingsError::NoEnvironment => {
            "name one with --url or --environment; `syncfilters demo` needs none"
        }
        SettingsError::UnknownProfile { .. } => {
            "environments are named in the configuration file, as [environments.NAME]"
        }
        SettingsError::Invalid { .. } => "config/README.md explains every key",
        SettingsError::MissingKey { .. } => {
            "set it for the environment in the configuration file, or as flag or variable; config/README.md says how"
        }
        SettingsError::OtherAddress { .. } => {
            "nothing was sent; leave out the other address, or name the run that was made there"
        }
        SettingsError::UnconfirmedAddress { run } => {
            return Some(format!(
                "nothing was sent; where that is your environment, add `--url {run}`"
            ));
        }
        SettingsError::SignIn { .. } => "config/README.md lists the ways of signing in",
        SettingsError::NoHome => "name the folder of run files with --state-dir",
        SettingsError::Unreadable { .. } | SettingsError::Url { .. } => return None,
    };
    Some(hint.into())
}

fn sign_in_error(error: &SignInError) -> (&'static str, Exit, Option<String>) {
    let exit = match error {
        SignInError::Unreachable { .. } | SignInError::BadAnswer { .. } => Exit::Unexpected,
        error if error.is_configuration() => Exit::Usage,
        _ => Exit::SignIn,
    };
    (error.kind(), exit, error.hint())
}

fn dataverse_error(error: &dataverse::Error) -> (&'static str, Exit, Option<String>) {
    use dataverse::Error;
    let hint = |text: &str| Some(text.to_owned());
    match error {
        Error::Unauthorized { .. } => ("unauthorized", Exit::SignIn, hint(EXPIRED_HINT)),
        Error::SignIn(error) => sign_in_error(error),
        Error::Refused { fault, .. } if fault.is_impersonation_refused() => {
            ("may-not-impersonate", Exit::Refused, hint(DELEGATE_HINT))
        }
        Error::Refused { fault, .. } => match fault.kind() {
            ProblemKind::NotAMember => ("not-a-member", Exit::SignIn, hint(MEMBER_HINT)),
            kind if fault.status.as_u16() == 403 => {
                (kind.as_str(), Exit::SignIn, hint(crate::report::hint(kind)))
            }
            ProblemKind::Gone => ("no-web-api", Exit::Usage, hint(ADDRESS_HINT)),
            kind => (kind.as_str(), Exit::Unexpected, None),
        },
        Error::Unreachable { .. } => ("unreachable", Exit::Unexpected, hint(UNREACHABLE_HINT)),
        Error::Lost { .. } => ("no-answer", Exit::Unexpected, hint("try again later")),
        Error::Quiet { .. } => ("throttled", Exit::Stopped, hint("try again later")),
        Error::Postponed { .. } => ("throttled", Exit::Stopped, hint(POSTPONED_HINT)),
        Error::Proxy { .. } => ("proxy", Exit::Unexpected, hint(PROXY_HINT)),
        Error::BadAnswer { .. } => ("bad-answer", Exit::Unexpected, hint(ADDRESS_HINT)),
        Error::ForeignUrl { .. } => ("other-server", Exit::Refused, hint(ADDRESS_HINT)),
        Error::Redirected { .. } => ("redirected", Exit::Usage, hint(ADDRESS_HINT)),
        Error::Interrupted => ("interrupted", Exit::Interrupted, None),
    }
}

const DELEGATE_HINT: &str = "give the caller the privilege Act on Behalf of Another User, for example with the Delegate \
    role, directly and not through a team";
const MEMBER_HINT: &str = "the token is for somebody who is no user of this organisation: add the user, or the application \
    user, or get a token of another tenant";
const POSTPONED_HINT: &str = "go on after that time; what was done until now is kept";
const PROXY_HINT: &str = "check HTTPS_PROXY with its user and password, or name the host in NO_PROXY; the proxy was asked, \
    not the environment";
const UNREACHABLE_HINT: &str = "check the address, the network and HTTPS_PROXY";

fn rollout_error(error: &RolloutError) -> (&'static str, Exit, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        RolloutError::Dataverse(error) => dataverse_error(error),
        RolloutError::Journal(error) => journal_error(error),
        RolloutError::Open(error) => open_error(error),
        RolloutError::Selection(_) => ("unknown-user", Exit::Usage, None),
        RolloutError::Groups(_) => ("unknown-group", Exit::Usage, None),
        RolloutError::NotImpersonated { .. } => (
            "not-impersonated",
            Exit::Refused,
            hint(
                "nothing was changed; check that the ids of the users belong to this organisation and that no gateway removes the header",
            ),
        ),
        RolloutError::MayNotImpersonate(_) => {
            ("may-not-impersonate", Exit::Refused, hint(DELEGATE_HINT))
        }
        RolloutError::NotProved { .. } => (
            "not-proved",
            Exit::Refused,
            hint(
                "nothing was changed; look at the problems of the users with `syncfilters report`",
            ),
        ),
        RolloutError::Stale { .. } => (
            "stale-plan",
            Exit::Refused,
            hint(
                "nothing was changed; `syncfilters apply RUN --replan` shows the differences and plans these users anew",
            ),
        ),
        RolloutError::Stopped(_) => ("stopped", Exit::Stopped, None),
        RolloutError::StaleAgreement => ("stale-agreement", Exit::Refused, None),
        RolloutError::UndoNotBegun { undoes } => (
            "undo-not-begun",
            Exit::Usage,
            Some(format!(
                "nothing was changed; begin it again with `syncfilters undo {}`",
                undoes.short()
            )),
        ),
        RolloutError::OtherOrganization { .. } => (
            "other-organisation",
            Exit::Usage,
            hint(
                "nothing was changed; use the address of the organisation that the run belongs to",
            ),
        ),
        RolloutError::Interrupted => ("interrupted", Exit::Interrupted, None),
    }
}

fn journal_error(error: &JournalError) -> (&'static str, Exit, Option<String>) {
    match error {
        JournalError::Unusable { .. } => ("run-file", Exit::Unexpected, Some(JOURNAL_HINT.into())),
        JournalError::RunFileGone { .. } => (
            "run-file-gone",
            Exit::Stopped,
            Some(
                "nothing more was written; put the file back, and go on with `syncfilters resume`"
                    .into(),
            ),
        ),
    }
}

fn open_error(error: &OpenError) -> (&'static str, Exit, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        OpenError::NoSuchRun { .. } => ("no-such-run", Exit::Usage, hint(RUNS_HINT)),
        OpenError::Ambiguous { .. } => ("ambiguous-run", Exit::Usage, hint("give more digits")),
        OpenError::NotARunFile { .. } => ("no-run-file", Exit::Usage, hint(RUNS_HINT)),
        OpenError::Newer { .. } => (
            "newer-run-file",
            Exit::Usage,
            hint("use a newer syncfilters"),
        ),
        OpenError::Busy { .. } => (
            "run-busy",
            Exit::Refused,
            hint("wait until the other process ends, or end it; then try again"),
        ),
        OpenError::LogMissing { .. } => (
            "log-missing",
            Exit::Usage,
            hint(
                "nothing was changed; put the log beside the file, under the name that it had beside the original",
            ),
        ),
        OpenError::OpenToOthers { remedy, .. } => ("open-to-others", Exit::Usage, hint(remedy)),
        OpenError::Exists(_) => ("exists", Exit::Usage, hint("choose another name")),
        OpenError::Io { .. } => ("file", Exit::Usage, None),
        OpenError::Journal(error) => journal_error(error),
    }
}

const RUNS_HINT: &str = "`syncfilters runs` lists the runs";
