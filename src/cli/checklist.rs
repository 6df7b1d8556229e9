//! The checks of `doctor`, as people and programs read them.

use serde::Serialize;

use crate::connect::{Check, CheckResult};
use crate::report::{Format, ReportError, StyledWrite, Tone, clean, write_json};

use super::error::CliError;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    checks: &'a [Check],
}

/// Writes the checks.
pub(super) fn write_checklist(
    out: &mut dyn StyledWrite,
    checks: &[Check],
    format: Format,
) -> Result<(), CliError> {
    if format == Format::Json {
        let document = Document { format: 1, checks };
        return Ok(write_json(out, &document).map_err(ReportError::from)?);
    }
    let widest = checks.iter().map(|check| check.name.len()).max();
    let widest = widest.unwrap_or(0);
    for check in checks {
        write_check(out, check, widest).map_err(CliError::Output)?;
    }
    Ok(())
}

fn write_check(out: &mut dyn StyledWrite, check: &Check, widest: usize) -> std::io::Result<()> {
    let (word, tone) = match check.result {
        CheckResult::Ok => ("ok", Tone::Good),
        CheckResult::Warning => ("warning", Tone::Warning),
        CheckResult::Failed => ("failed", Tone::Bad),
        CheckResult::Skipped => ("skipped", Tone::Dimmed),
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
        let check = |name, result, found: &str, hint: Option<&str>| Check {
            name,
            result,
            found: found.into(),
            hint: hint.map(str::to_owned),
        };
        let not_checked = "not checked, because of the failure above";
        let checks = [
            check("reach", CheckResult::Ok, "it answers", None),
            check(
                "token",
                CheckResult::Failed,
                "refused",
                Some("use another secret"),
            ),
            check("identity", CheckResult::Skipped, not_checked, None),
        ];
        let mut out = Vec::new();
        write_checklist(&mut out, &checks, Format::Table).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "ok       reach     it answers\n\
             failed   token     refused\n\
             \u{20}                  hint: use another secret\n\
             skipped  identity  not checked, because of the failure above\n"
        );
        let mut out = Vec::new();
        write_checklist(&mut out, &checks, Format::Json).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(document["checks"][1]["result"], "failed");
    }
}
