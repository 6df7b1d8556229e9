//! Data for support: the last unexpected error, and what to ask for.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bounded_file;
use crate::private_file::make_folder;
use crate::report::{ErrorClass, ErrorReport, write_json};
use crate::settings::state_dir;

const FILE: &str = "last-error.json";
/// The longest stored error that is read, in bytes: more than the longest message and hint have.
const LONGEST: usize = 64 << 10;

/// The hint for an unexpected error; each command works as printed.
pub(super) const FOR_SUPPORT: &str = "for support, repeat it with `--log-file syncfilters.log`, and add what \
     `syncfilters doctor --report syncfilters-report.json` finds in the same environment";

/// The last unexpected error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastError {
    /// The time, in UTC.
    time: Timestamp,
    /// The version of this program.
    version: String,
    /// The command without its arguments.
    command: String,
    kind: String,
    message: String,
}

/// Adds the hint for support to an unexpected error.
pub(super) fn with_support(report: ErrorReport) -> ErrorReport {
    if report.class != ErrorClass::Unexpected || says_so(&report) {
        return report;
    }
    let hint = match &report.hint {
        Some(hint) => format!("{hint}; {FOR_SUPPORT}"),
        None => FOR_SUPPORT.to_owned(),
    };
    report.with_hint(hint)
}

fn says_so(report: &ErrorReport) -> bool {
    let hint = report.hint.as_deref();
    hint.is_some_and(|hint| hint.ends_with(FOR_SUPPORT))
}

/// Stores an unexpected error for `doctor --report`, and logs every error. Failures to store it are ignored.
pub(super) fn remember(asked: Option<&Path>, command: &str, report: &ErrorReport) {
    let (kind, message) = (report.kind, report.message.as_str());
    tracing::error!(target: SUPPORT_ONLY, kind, error = message, "the command ends with an error");
    if report.class != ErrorClass::Unexpected {
        return;
    }
    let Ok(folder) = state_dir(asked) else { return };
    let error = LastError {
        time: Timestamp::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command.to_owned(),
        kind: kind.to_owned(),
        message: message.to_owned(),
    };
    // The error itself was printed; that it could not be stored helps no user.
    let _ = keep(&folder, &error);
}

/// The target of events for the log file only: standard error contains them in other words.
pub(super) const SUPPORT_ONLY: &str = "syncfilters::support";

fn keep(folder: &Path, error: &LastError) -> std::io::Result<()> {
    make_folder(folder)?;
    let mut draft = tempfile::Builder::new()
        .prefix(".last-error-")
        .tempfile_in(folder)?;
    write_json(&mut draft, error)?;
    draft.persist(folder.join(FILE))?;
    Ok(())
}

/// The last stored error; none where there is none that can be read.
pub(super) fn last_error(asked: Option<&Path>) -> Option<LastError> {
    let path = state_dir(asked).ok()?.join(FILE);
    let bytes = bounded_file::read(&path, LONGEST).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unexpected_error_says_what_to_give_to_support_and_only_once() {
        let report = |class| ErrorReport::new("x", class, &"it broke").with_hint("look");
        let unexpected = with_support(report(ErrorClass::Unexpected));
        let hint = unexpected.hint.clone().unwrap();
        assert!(hint.starts_with("look; for support"), "{hint}");
        assert!(hint.contains("--log-file") && hint.contains("doctor --report"));
        assert_eq!(with_support(unexpected.clone()), unexpected);
        let usage = report(ErrorClass::Usage);
        assert_eq!(with_support(usage.clone()), usage);
    }

    #[test]
    fn the_last_unexpected_error_is_kept_privately_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let fail = |class, why: &str| {
            let report = ErrorReport::new("x", class, &why);
            remember(Some(&state), "list", &report);
        };
        assert_eq!(last_error(Some(&state)), None);
        fail(ErrorClass::Unexpected, "first");
        fail(ErrorClass::Unexpected, "second");
        fail(ErrorClass::Usage, "third");
        let kept = last_error(Some(&state)).unwrap();
        assert_eq!(
            (kept.message.as_str(), kept.command.as_str()),
            ("second", "list")
        );
        assert_eq!(std::fs::read_dir(&state).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(state.join(FILE))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
            let mode = std::fs::metadata(&state).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }
}
