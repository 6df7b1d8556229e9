//! A list of checks, each with its result and a hint.

use serde::Serialize;
use tokio::sync::watch;

use crate::report::ErrorReport;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckResult {
    /// Passed.
    Ok,
    /// Usable with a restriction, or not determined.
    Warning,
    /// Not usable.
    Failed,
    /// Not checked, because an earlier check failed.
    Skipped,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The name in output.
    #[serde(rename = "check")]
    pub name: &'static str,
    /// Its result.
    pub result: CheckResult,
    /// What was found, as a sentence.
    pub found: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The checks made so far.
#[derive(Debug, Default)]
pub struct Checklist {
    checks: Vec<Check>,
    failed: bool,
    /// Receives the checks while more are made.
    seen: Option<watch::Sender<Vec<Check>>>,
}

impl Checklist {
    /// A list that sends its checks while more are made.
    pub(super) fn watched(seen: watch::Sender<Vec<Check>>) -> Self {
        Self {
            seen: Some(seen),
            ..Self::default()
        }
    }

    pub(super) fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.add(check, CheckResult::Ok, found.into(), None);
    }

    pub(super) fn warning(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(check, CheckResult::Warning, found.into(), Some(hint.into()));
    }

    pub(super) fn failed(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(check, CheckResult::Failed, found.into(), Some(hint.into()));
    }

    /// Adds a failed check for an error of this program, with its hint.
    pub(super) fn error(&mut self, check: &'static str, error: impl Into<ErrorReport>) {
        let ErrorReport { message, hint, .. } = error.into();
        self.add(check, CheckResult::Failed, message, hint);
    }

    pub(super) fn skipped(&mut self, checks: &[&'static str]) {
        for check in checks {
            let found = "not checked, because of the failure above".to_owned();
            self.add(check, CheckResult::Skipped, found, None);
        }
    }

    /// All checks, in the order in which they were made.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether any check failed.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    fn add(
        &mut self,
        check: &'static str,
        result: CheckResult,
        found: String,
        hint: Option<String>,
    ) {
        self.failed |= result == CheckResult::Failed;
        self.checks.push(Check {
            name: check,
            result,
            found,
            hint,
        });
        if let Some(seen) = &self.seen {
            seen.send_replace(self.checks.clone());
        }
    }
}
