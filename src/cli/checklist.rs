//! A list of checks, each with its result and what to do about it.

use serde::Serialize;

use crate::report::{Format, Look, ReportError, StyledWrite, Tone, clean, write_json};

use super::error::{CliError, Told};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mark {
    /// All is well.
    Ok,
    /// It works, with a reservation; or it could not be found out.
    Warning,
    /// It does not work.
    Failed,
    /// It could not be checked, because something before it failed.
    Skipped,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    #[serde(rename = "check")]
    name: &'static str,
    result: Mark,
    found: String,
    hint: Option<String>,
}

/// The checks made so far.
#[derive(Debug, Default)]
pub(super) struct Checklist {
    checks: Vec<Check>,
    failed: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    checks: &'a [Check],
}

impl Checklist {
    pub(super) fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.add(check, Mark::Ok, found.into(), None);
    }

    pub(super) fn warning(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(check, Mark::Warning, found.into(), Some(hint.into()));
    }

    pub(super) fn failed(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(check, Mark::Failed, found.into(), Some(hint.into()));
    }

    /// A failure that is an error of ours, with its hint.
    pub(super) fn error(&mut self, check: &'static str, error: impl Into<CliError>) {
        let Told { message, hint, .. } = error.into().told();
        self.add(check, Mark::Failed, message, hint);
    }

    pub(super) fn skipped(&mut self, checks: &[&'static str]) {
        for check in checks {
            let found = "not checked, because of the failure above".to_owned();
            self.add(check, Mark::Skipped, found, None);
        }
    }

    /// Whether any check failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    fn add(&mut self, check: &'static str, result: Mark, found: String, hint: Option<String>) {
        self.failed |= result == Mark::Failed;
        self.checks.push(Check {
            name: check,
            result,
            found,
            hint,
        });
    }

    pub(super) fn write(
        &self,
        out: &mut dyn StyledWrite,
        format: Format,
        _: Look,
    ) -> Result<(), CliError> {
        if format == Format::Json {
            let document = Document {
                format: 1,
                checks: &self.checks,
            };
            return Ok(write_json(out, &document).map_err(ReportError::from)?);
        }
        let widest = self.checks.iter().map(|check| check.name.len()).max();
        let widest = widest.unwrap_or(0);
        for check in &self.checks {
            write_check(out, check, widest).map_err(CliError::Output)?;
        }
        Ok(())
    }
}

fn write_check(out: &mut dyn StyledWrite, check: &Check, widest: usize) -> std::io::Result<()> {
    let (word, tone) = match check.result {
        Mark::Ok => ("ok", Tone::Good),
        Mark::Warning => ("warning", Tone::Odd),
        Mark::Failed => ("failed", Tone::Bad),
        Mark::Skipped => ("skipped", Tone::Quiet),
    };
    let name = check.name;
    out.paint(tone, &format!("{word:<7}"))?;
    // An error of several lines stays in its column.
    for (at, line) in check.found.split('\n').enumerate() {
        if at == 0 {
            writeln!(out, "  {name:<widest$}  {}", clean(line))?;
        } else {
            writeln!(out, "{:9}{:widest$}  {}", "", "", clean(line))?;
        }
    }
    match &check.hint {
        Some(hint) => writeln!(out, "{:9}{:widest$}  hint: {}", "", "", clean(hint)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_says_what_was_found_and_what_to_do() {
        let mut list = Checklist::default();
        list.ok("reach", "it answers");
        assert!(!list.has_failed());
        list.failed("token", "refused", "use another secret");
        list.skipped(&["identity"]);
        assert!(list.has_failed());
        let mut out = Vec::new();
        let look = Look { width: 80 };
        list.write(&mut out, Format::Table, look).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "ok       reach     it answers\n\
             failed   token     refused\n\
             \u{20}                  hint: use another secret\n\
             skipped  identity  not checked, because of the failure above\n"
        );
        let mut out = Vec::new();
        list.write(&mut out, Format::Json, look).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(document["checks"][1]["result"], "failed");
    }
}
