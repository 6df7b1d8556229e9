//! Errors that end a command, and their reports.

use std::fmt::Write as _;
use std::io;

use crate::journal::RunRef;
use crate::model::number;
use crate::plan::Refusal;
use crate::report::{ErrorClass, ErrorReport};

use super::support::with_support;

/// An error that ends a command.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// An error of a module below, or one that ended an environment, as its report.
    #[error("{}", .0.message)]
    Reported(ErrorReport),
    #[error("{name}: {source}")]
    File { name: String, source: io::Error },
    #[error("{0}")]
    Usage(String),
    #[error("the standard output cannot be written: {0}")]
    Output(io::Error),
    #[error("refused: {0}")]
    WouldAsk(String),
    #[error("refused: a default template cannot be inactive. Default templates among those chosen: {}", .0.len())]
    DefaultTemplates(Vec<String>),
    #[error("no filter was compared: {}", nothing_compared(*.users, *.skipped, *.unread))]
    NothingCompared {
        users: u64,
        skipped: u64,
        unread: u64,
    },
    #[error(
        "declined: the answer was not the word that was asked for; this command changed nothing"
    )]
    Declined,
    #[error("interrupted; this command changed nothing")]
    InterruptedAtPrompt,
    #[cfg(feature = "sandbox")]
    #[error("the sandbox cannot be started: {0}")]
    Sandbox(io::Error),
    /// The local page cannot be served.
    #[error("the page cannot be served: {0}")]
    Page(io::Error),
    #[error("{0}")]
    Unexpected(String),
}

/// Why there was nothing to compare, with the numbers.
fn nothing_compared(users: u64, skipped: u64, unread: u64) -> String {
    let mut why = match users {
        0 => return "no user was selected".to_owned(),
        1 => "the selected user has no matching filter".to_owned(),
        _ => format!(
            "none of the {} selected users has a matching filter",
            number(users)
        ),
    };
    for (count, what) in [(skipped, "skipped"), (unread, "not read")] {
        if count > 0 {
            // Writing to a string cannot fail.
            let _ = write!(why, "; {what}: {}", number(count));
        }
    }
    why
}

/// Errors of the modules below become their reports.
impl<E> From<E> for CliError
where
    ErrorReport: for<'a> From<&'a E>,
{
    fn from(error: E) -> Self {
        Self::Reported(ErrorReport::from(&error))
    }
}

impl CliError {
    /// A refused plan, and the run that keeps it.
    pub(super) fn refused(why: &[Refusal], run: Option<&RunRef>) -> Self {
        Self::Reported(ErrorReport::of_refusal(why, run))
    }

    /// A copy of the error, for a second environment.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Declined => Self::Declined,
            Self::InterruptedAtPrompt => Self::InterruptedAtPrompt,
            error => Self::Reported(error.report()),
        }
    }

    /// The report for people and programs.
    pub(super) fn report(&self) -> ErrorReport {
        // A result that cannot be written is not an error of this program, but of its output.
        match self {
            Self::Output(_) => self.plain_report(),
            _ => with_support(self.plain_report()),
        }
    }

    fn plain_report(&self) -> ErrorReport {
        let report = |kind, class| ErrorReport::new(kind, class, self);
        match self {
            Self::Reported(report) => report.clone(),
            Self::File { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                report("usage", ErrorClass::Usage)
                    .with_hint("nothing is written over it; give another name, or move that file away")
            }
            Self::File { .. } | Self::Usage(_) => report("usage", ErrorClass::Usage),
            Self::Output(_) => report("output", ErrorClass::Unexpected),
            Self::WouldAsk(_) => report("would-ask", ErrorClass::Refused),
            Self::DefaultTemplates(names) => report("default-template", ErrorClass::Refused)
                .with_list(names)
                .with_hint(
                    "nothing was changed; --clear-default also clears their default flag, and new users no longer receive them",
                ),
            Self::NothingCompared { .. } => report("nothing-compared", ErrorClass::Usage).with_hint(
                "check --type, --kind, --name and the options that choose users; `syncfilters list --type all --kind both` shows all filters",
            ),
            Self::Declined => report("declined", ErrorClass::Refused),
            Self::InterruptedAtPrompt => report("interrupted", ErrorClass::Interrupted),
            #[cfg(feature = "sandbox")]
            Self::Sandbox(_) => report("unexpected", ErrorClass::Unexpected),
            Self::Page(_) => report("page", ErrorClass::Usage)
                .with_hint("choose another port with --port, or leave it out"),
            Self::Unexpected(_) => report("unexpected", ErrorClass::Unexpected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::ConnectError;

    #[test]
    fn a_check_that_compared_nothing_says_why_with_the_numbers() {
        let said = |users, skipped, unread| nothing_compared(users, skipped, unread);
        assert_eq!(said(0, 0, 0), "no user was selected");
        assert_eq!(said(1, 0, 0), "the selected user has no matching filter");
        assert_eq!(
            said(7, 5, 2),
            "none of the 7 selected users has a matching filter; skipped: 5; not read: 2"
        );
    }

    #[test]
    fn a_list_keeps_its_lines_where_an_error_is_reported_again() {
        let wrong = ConnectError::Environments(vec!["one\nthing".into(), "another".into()]);
        let error = CliError::from(wrong);
        let message = error.report().message;
        assert!(message.ends_with("\n  one thing\n  another"), "{message}");
        assert_eq!(error.again().report(), error.report());
    }
}
