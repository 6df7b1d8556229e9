//! The checks of `doctor`, for people and programs.

use serde::Serialize;

use crate::connect::{Check, CheckResult};
use crate::report::{Format, ReportError, StyledWrite, Tone, clean, terminal, wrapped, write_json};

use super::error::CliError;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    checks: &'a [Check],
}

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
    // Programs read one check per line.
    let width = terminal::stdout_is_screen()
        .then(terminal::columns)
        .flatten();
    for check in checks {
        write_check(out, check, widest, width).map_err(CliError::Output)?;
    }
    Ok(())
}

fn write_check(
    out: &mut dyn StyledWrite,
    check: &Check,
    widest: usize,
    width: Option<usize>,
) -> std::io::Result<()> {
    let (word, tone) = match check.result {
        CheckResult::Ok => ("ok", Tone::Good),
        CheckResult::Warning => ("warning", Tone::Warning),
        CheckResult::Failed => ("failed", Tone::Bad),
        CheckResult::Skipped => ("skipped", Tone::Dimmed),
    };
    let name = check.name;
    out.paint(tone, &format!("{word:<7}"))?;
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(widest + 11));
    // An error of several lines stays in its column.
    let found = check.found.split('\n');
    let hint = check.hint.as_ref().map(|hint| format!("hint: {hint}"));
    let lines = found.flat_map(|line| wrapped(&clean(line), room));
    let hint = hint.map(|hint| wrapped(&clean(&hint), room));
    for (at, line) in lines.chain(hint.into_iter().flatten()).enumerate() {
        if at == 0 {
            writeln!(out, "  {name:<widest$}  {line}")?;
        } else {
            writeln!(out, "{:9}{:widest$}  {line}", "", "")?;
        }
    }
    Ok(())
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
