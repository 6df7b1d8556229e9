//! Classifies every error of the modules below: its stable word, its meaning, and what to do next.

use crate::auth::SignInError;
use crate::dataverse;
use crate::journal::{JournalError, OpenError, RunContext, RunRef};
use crate::model::{ProblemKind, RunId};
use crate::plan::{CriteriaError, Refusal, UserListError};
use crate::rollout::RolloutError;
use crate::settings::{ChoiceError, SettingsError};

use super::ReportError;
use super::error_report::{ErrorClass, ErrorReport};
use super::run_command::{RunCommand, list_runs};

const EXPIRED_HINT: &str = "sign in again, for exactly this environment; a token in SYNCFILTERS_ACCESS_TOKEN has to be a new one";
const JOURNAL_HINT: &str = "check that the disk is not full and that the file can be written; no change is made without a record";
const NO_LOG_HINT: &str = "name a folder on a disk of this machine with --state-dir (for a plan, with --out); nothing was changed";
const ADDRESS_HINT: &str = "check that the address is that of a CRM organisation, such as https://contoso.crm4.dynamics.com, \
    and not of a sign-in page or a gateway";
const DELEGATE_HINT: &str = "give the caller the privilege Act on Behalf of Another User, for example with the Delegate \
    role, directly and not through a team";
const MEMBER_HINT: &str = "the token is for somebody who is no user of this organisation: add the user, or the application \
    user, or get a token of another tenant";
const POSTPONED_HINT: &str = "try again after that time; what was done before is kept";
const PROXY_HINT: &str = "check HTTPS_PROXY with its user and password, or name the host in NO_PROXY; the proxy was asked, \
    not the environment";
const UNREACHABLE_HINT: &str = "check the address, the network and HTTPS_PROXY";
const NO_ANSWER_HINT: &str =
    "check the address, the network and HTTPS_PROXY; where they are right, try again later";

/// The stable word for a plan that no longer matches the environment.
pub const STALE_PLAN: &str = "stale-plan";

/// The stable word, the class, and what to do next.
type Classified = (&'static str, ErrorClass, Option<String>);

fn report(error: &dyn std::fmt::Display, (kind, class, hint): Classified) -> ErrorReport {
    ErrorReport {
        hint,
        ..ErrorReport::new(kind, class, error)
    }
}

impl From<&SettingsError> for ErrorReport {
    fn from(error: &SettingsError) -> Self {
        report(error, ("settings", ErrorClass::Usage, settings_hint(error)))
    }
}

impl From<&SignInError> for ErrorReport {
    fn from(error: &SignInError) -> Self {
        report(error, sign_in_error(error))
    }
}

impl From<&ChoiceError> for ErrorReport {
    fn from(error: &ChoiceError) -> Self {
        match error {
            ChoiceError::Settings(error) => error.into(),
            ChoiceError::SignIn(error) => error.into(),
        }
    }
}

impl From<&dataverse::Error> for ErrorReport {
    fn from(error: &dataverse::Error) -> Self {
        report(error, dataverse_error(error))
    }
}

impl From<&JournalError> for ErrorReport {
    fn from(error: &JournalError) -> Self {
        report(error, journal_error(error))
    }
}

impl From<&OpenError> for ErrorReport {
    fn from(error: &OpenError) -> Self {
        report(error, open_error(error))
    }
}

impl From<&RolloutError> for ErrorReport {
    fn from(error: &RolloutError) -> Self {
        Self::of_run(error, None)
    }
}

impl ErrorReport {
    /// Why a run stopped, with the next commands; without the run they are not known. Errors with a list
    /// contain the whole list.
    pub fn of_run(error: &RolloutError, run: Option<&RunRef>) -> Self {
        let report = report(error, rollout_error(error, run));
        match error {
            RolloutError::Selection(mismatches) => report.with_list(mismatches),
            RolloutError::Groups(mismatches) => report.with_list(mismatches),
            RolloutError::StaleTemplates(drifted) => report.with_list(drifted),
            RolloutError::Stale { count, examples } => {
                let count = usize::try_from(*count).unwrap_or(usize::MAX);
                report.with_examples(examples, count)
            }
            _ => report,
        }
    }
}

impl From<&ReportError> for ErrorReport {
    fn from(error: &ReportError) -> Self {
        match error {
            ReportError::Journal(error) => Self::from(error),
            ReportError::Read(_) => report(
                error,
                (
                    "run-file",
                    ErrorClass::Unexpected,
                    Some(JOURNAL_HINT.into()),
                ),
            ),
            ReportError::OnlyOneRun
            | ReportError::TemplatesAsHtml
            | ReportError::NoWorkbook
            | ReportError::TemplatesAsWorkbook
            | ReportError::TemplatesHaveNoUsers
            | ReportError::GroupUnknown(..) => Self::new("usage", ErrorClass::Usage, error),
            ReportError::NotInRun(names) => {
                Self::new("usage", ErrorClass::Usage, error).with_list(names)
            }
            ReportError::Io(_) | ReportError::Csv(_) | ReportError::Json(_) => {
                Self::new("output", ErrorClass::Unexpected, error)
            }
        }
    }
}

impl From<&UserListError> for ErrorReport {
    fn from(error: &UserListError) -> Self {
        let hint = error
            .wants_column()
            .then(|| "name the column that holds the names with --column".to_owned());
        report(error, ("usage", ErrorClass::Usage, hint))
    }
}

impl From<&CriteriaError> for ErrorReport {
    fn from(error: &CriteriaError) -> Self {
        Self::new("usage", ErrorClass::Usage, error)
    }
}

impl ErrorReport {
    /// Why a plan is refused. The first reason decides what to do next. Names the run that keeps the plan, where there
    /// is one.
    pub fn of_refusal(why: &[Refusal], run: Option<&RunRef>) -> Self {
        let reasons: Vec<_> = why.iter().map(ToString::to_string).collect();
        let said = format!("refused: {}", reasons.join("; "));
        report(&said, refusal(why, run))
    }
}

fn settings_hint(error: &SettingsError) -> Option<String> {
    let hint = match error {
        SettingsError::NoEnvironment => {
            "name one with --url or --environment, or set one up with `syncfilters setup`; `syncfilters demo` needs none"
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
        SettingsError::SignIn { .. } => "config/README.md lists the sign-in methods",
        SettingsError::NoHome => "name the folder of run files with --state-dir",
        SettingsError::NameTaken { .. } => {
            "choose another name, or remove that environment with `syncfilters environments remove`"
        }
        SettingsError::Unreadable { .. }
        | SettingsError::Unwritable { .. }
        | SettingsError::Name
        | SettingsError::Url { .. } => return None,
    };
    Some(hint.into())
}

fn sign_in_error(error: &SignInError) -> Classified {
    let exit = match error {
        SignInError::Unreachable { .. } | SignInError::BadAnswer { .. } => ErrorClass::Unexpected,
        error if error.is_configuration() => ErrorClass::Usage,
        _ => ErrorClass::SignIn,
    };
    (error.kind(), exit, error.hint())
}

fn dataverse_error(error: &dataverse::Error) -> Classified {
    use dataverse::Error;
    let hint = |text: &str| Some(text.to_owned());
    match error {
        Error::Unauthorized { .. } => ("unauthorized", ErrorClass::SignIn, hint(EXPIRED_HINT)),
        Error::SignIn(error) => sign_in_error(error),
        Error::Refused { fault, .. } if fault.is_impersonation_refused() => (
            "may-not-impersonate",
            ErrorClass::Refused,
            hint(DELEGATE_HINT),
        ),
        Error::Refused { fault, .. } => match fault.kind() {
            ProblemKind::NotAMember => ("not-a-member", ErrorClass::SignIn, hint(MEMBER_HINT)),
            kind if fault.status.as_u16() == 403 => {
                (kind.as_str(), ErrorClass::SignIn, hint(super::hint(kind)))
            }
            ProblemKind::Gone => ("no-web-api", ErrorClass::Usage, hint(ADDRESS_HINT)),
            kind => (kind.as_str(), ErrorClass::Unexpected, None),
        },
        Error::Unreachable { .. } => (
            "unreachable",
            ErrorClass::Unexpected,
            hint(UNREACHABLE_HINT),
        ),
        Error::Lost { .. } => ("no-answer", ErrorClass::Unexpected, hint(NO_ANSWER_HINT)),
        Error::WaitTooLong { .. } => ("throttled", ErrorClass::Stopped, hint("try again later")),
        Error::Postponed { .. } => ("throttled", ErrorClass::Stopped, hint(POSTPONED_HINT)),
        Error::Proxy { .. } => ("proxy", ErrorClass::Unexpected, hint(PROXY_HINT)),
        Error::BadAnswer { .. } => ("bad-answer", ErrorClass::Unexpected, hint(ADDRESS_HINT)),
        Error::ForeignUrl { .. } => ("other-server", ErrorClass::Refused, hint(ADDRESS_HINT)),
        Error::Redirected { .. } => ("redirected", ErrorClass::Usage, hint(ADDRESS_HINT)),
        Error::Interrupted => ("interrupted", ErrorClass::Interrupted, None),
    }
}

fn rollout_error(error: &RolloutError, run: Option<&RunRef>) -> Classified {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        RolloutError::Dataverse(error) => dataverse_error(error),
        RolloutError::Journal(error) => journal_error(error),
        RolloutError::Open(error) => open_error(error),
        RolloutError::Selection(_) => ("unknown-user", ErrorClass::Usage, None),
        RolloutError::Groups(_) => ("unknown-group", ErrorClass::Usage, None),
        RolloutError::NotNarrowed(_) => ("not-a-plan", ErrorClass::Usage, None),
        RolloutError::NotImpersonated { .. } => (
            "not-impersonated",
            ErrorClass::Refused,
            hint(
                "this command changed nothing; check that the users' ids are of this organisation and no gateway removes the header",
            ),
        ),
        RolloutError::MayNotImpersonate(_) => (
            "may-not-impersonate",
            ErrorClass::Refused,
            hint(DELEGATE_HINT),
        ),
        RolloutError::NotProved { .. } => (
            "not-proved",
            ErrorClass::Refused,
            hint("this command changed nothing; `syncfilters doctor` shows what the caller may do"),
        ),
        RolloutError::Stale { .. } | RolloutError::StaleTemplates(_) => (
            STALE_PLAN,
            ErrorClass::Refused,
            run.map(|run| {
                let replan = RunCommand::Apply.of(run);
                format!(
                    "nothing was changed; `{replan} --replan` plans anew what differs, and shows it"
                )
            }),
        ),
        RolloutError::Stopped(_) => ("stopped", ErrorClass::Stopped, None),
        RolloutError::Guards(_) => ("settings", ErrorClass::Usage, None),
        RolloutError::StaleAgreement => ("stale-agreement", ErrorClass::Refused, None),
        RolloutError::UndoNotBegun { undoes } => (
            "undo-not-begun",
            ErrorClass::Usage,
            Some(format!(
                "nothing was changed; begin it again with `{}`",
                RunCommand::Undo.of(&RunRef::stored(undoes))
            )),
        ),
        RolloutError::TemplatesNotPlanned => (
            "templates-not-planned",
            ErrorClass::Usage,
            hint("nothing was changed; give the `syncfilters templates` command again"),
        ),
        RolloutError::NoTrial(_) => (
            "no-trial",
            ErrorClass::Usage,
            hint("name another user with --user"),
        ),
        RolloutError::OtherOrganization { .. } => (
            "other-organisation",
            ErrorClass::Usage,
            hint(
                "this command changed nothing; use the address of the organisation that the run belongs to",
            ),
        ),
        RolloutError::Interrupted => ("interrupted", ErrorClass::Interrupted, None),
    }
}

fn journal_error(error: &JournalError) -> Classified {
    match error {
        JournalError::Unusable { .. } => (
            "run-file",
            ErrorClass::Unexpected,
            Some(JOURNAL_HINT.into()),
        ),
        JournalError::NoLog { .. } => ("run-file", ErrorClass::Usage, Some(NO_LOG_HINT.into())),
        JournalError::RunFileGone { path } => (
            "run-file-gone",
            ErrorClass::Stopped,
            Some(format!(
                "nothing more was written; put the file back, and resume the run with `{}`",
                RunCommand::Resume.of_file(path)
            )),
        ),
    }
}

fn open_error(error: &OpenError) -> Classified {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        OpenError::LatestUnknown { context, .. } => (
            "latest-unknown",
            ErrorClass::Usage,
            Some(format!(
                "name the run by its id; {}",
                how_to_list_runs(context)
            )),
        ),
        OpenError::NoRuns {
            is_of_some: false, ..
        } => (
            "no-such-run",
            ErrorClass::Usage,
            hint("`syncfilters plan deactivate` makes a plan, which is a run"),
        ),
        OpenError::NoSuchRun { context, .. } | OpenError::NoRuns { context, .. } => (
            "no-such-run",
            ErrorClass::Usage,
            Some(how_to_list_runs(context)),
        ),
        OpenError::Ambiguous { .. } => {
            ("ambiguous-run", ErrorClass::Usage, hint("give more digits"))
        }
        OpenError::NotARunFile { .. } => (
            "no-run-file",
            ErrorClass::Usage,
            hint("a run is named by its id, or by the path of the file that was made for it"),
        ),
        OpenError::Newer { .. } => (
            "newer-run-file",
            ErrorClass::Usage,
            hint("use a newer syncfilters"),
        ),
        OpenError::Busy { .. } => (
            "run-busy",
            ErrorClass::Refused,
            hint("wait until the other process ends, or end it; then try again"),
        ),
        OpenError::LogMissing { .. } => (
            "log-missing",
            ErrorClass::Usage,
            hint(
                "nothing was changed; put the log beside the file, under the name that it had beside the original",
            ),
        ),
        OpenError::OpenToOthers { remedy, .. } => {
            ("open-to-others", ErrorClass::Usage, hint(remedy))
        }
        OpenError::Stored { run, undone_by } => (
            "run-stored",
            ErrorClass::Usage,
            Some(how_to_bring_back(run, undone_by.as_ref())),
        ),
        OpenError::Exists(_) => ("exists", ErrorClass::Usage, hint("choose another name")),
        OpenError::Io { .. } => ("file", ErrorClass::Usage, None),
        OpenError::Journal(error) => journal_error(error),
    }
}

/// Advice for a run that was undone elsewhere: this computer lacks the undo, which is a separate run.
fn how_to_bring_back(run: &RunRef, undone_by: Option<&RunId>) -> String {
    let shown = RunCommand::Report.of(run);
    match undone_by {
        Some(by) => format!(
            "run {by} undid it on the other computer: `syncfilters runs export {by} undo.run` there, and \
             `syncfilters runs import undo.run` here; `{shown}` shows the run that is here"
        ),
        None => format!(
            "nothing was changed; a run that undid it elsewhere is a run of its own and is imported by itself; \
             `{shown}` shows the run that is here"
        ),
    }
}

fn how_to_list_runs(context: &RunContext) -> String {
    if context
        .state_dir
        .as_ref()
        .is_some_and(|folder| !folder.exists())
    {
        // A value that is no folder may be a secret, and is not repeated.
        return "check --state-dir: it names no folder".to_owned();
    }
    format!("`{}` lists the runs", list_runs(context))
}

fn refusal(why: &[Refusal], run: Option<&RunRef>) -> Classified {
    let review = run.map_or_else(String::new, |run| {
        format!("; `{}` shows the plan", RunCommand::Report.of(run))
    });
    let (kind, next) = match why.first() {
        Some(Refusal::TooManyChanges { .. }) => {
            ("too-many-changes", "; a higher --max-changes allows it")
        }
        Some(Refusal::OtherPlan { .. }) => ("other-plan", ", or name the run of the other"),
        Some(Refusal::WrongName { .. }) | None => ("would-ask", ""),
    };
    let hint = format!("this command changed nothing{review}{next}");
    (kind, ErrorClass::Refused, Some(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_passes_through_a_module_stays_what_it_was() {
        let lost = || JournalError::Unusable {
            path: "run.sfrun".into(),
            why: "disk full".into(),
        };
        let direct = ErrorReport::from(&lost());
        assert_eq!(direct.class, ErrorClass::Unexpected);
        assert_eq!(ErrorReport::from(&OpenError::from(lost())), direct);
        assert_eq!(ErrorReport::from(&ReportError::from(lost())), direct);
        assert_eq!(ErrorReport::from(&RolloutError::from(lost())), direct);
        let nobody = || SignInError::NoWay {
            looked_for: "the Azure CLI".into(),
        };
        let direct = ErrorReport::from(&nobody());
        let passed = RolloutError::from(dataverse::Error::from(nobody()));
        assert_eq!(ErrorReport::from(&passed), direct);
    }
}
