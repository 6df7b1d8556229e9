//! Which formats each command supports. An unsupported one is refused before anything is read.

use crate::report::{Format, ReportError};

use super::args::Command;
use super::error::CliError;

pub(super) fn of(command: &str) -> &'static [Format] {
    match command {
        // They have no result; an error is still printed as JSON if that is asked for.
        "sandbox"
        | "demo"
        | "login"
        | "logout"
        | "completions"
        | "man"
        | "runs prune"
        | "runs export"
        | "runs import"
        | "environments add"
        | "environments remove"
        | "environments default" => &[Format::Table],
        "config" | "doctor" | "setup" | "ui" | "trial" | "whoami" => &[Format::Table, Format::Json],
        "environments" => &[Format::Table, Format::Json, Format::Csv],
        "list" | "check" => &[
            Format::Table,
            Format::Json,
            Format::Csv,
            Format::Markdown,
            Format::Xlsx,
        ],
        "templates" | "runs" | "status" => {
            &[Format::Table, Format::Json, Format::Csv, Format::Markdown]
        }
        "report" => Format::ALL,
        // A command of a command has the formats of that one.
        inner if inner.contains(' ') => of(inner.split(' ').next().unwrap_or_default()),
        // The result of a run; the last one is for files.
        _ => &[
            Format::Table,
            Format::Json,
            Format::Csv,
            Format::Markdown,
            Format::Html,
        ],
    }
}

/// Refuses a format that the command does not support.
pub(super) fn check(command: &Command, format: Format) -> Result<(), CliError> {
    check_name(command.name(), format)
}

/// As [`check`], for the command with this name.
pub(super) fn check_name(name: &str, format: Format) -> Result<(), CliError> {
    let shown = of(name);
    if shown.contains(&format) || (shown.len() == 1 && format == Format::Json) {
        return Ok(());
    }
    if format == Format::Html && shown.contains(&Format::Markdown) {
        return Err(ReportError::OnlyOneRun.into());
    }
    let others: Vec<_> = shown.iter().map(|format| format.as_str()).collect();
    Err(CliError::Usage(format!(
        "`{name}` is not shown as {format}; choose --format {}",
        others.join(" or ")
    )))
}

#[cfg(test)]
mod tests {
    use super::super::args::Cli;
    use super::*;
    use clap::Parser;

    fn refused(args: &[&str], format: Format) -> Option<String> {
        let cli = Cli::try_parse_from([&["syncfilters"], args].concat()).unwrap();
        let refused = check(&cli.command, format).err();
        refused.map(|error| error.to_string())
    }

    #[test]
    fn a_form_that_a_command_does_not_have_is_refused_and_the_others_are_named() {
        for command in ["doctor", "whoami"] {
            for format in [Format::Csv, Format::Markdown, Format::Html] {
                let why = refused(&[command], format).unwrap();
                assert!(why.ends_with("choose --format table or json"), "{why}");
            }
        }
        let why = refused(&["environments"], Format::Html).unwrap();
        assert!(why.ends_with("table or json or csv"), "{why}");
        for command in ["list", "runs"] {
            assert!(refused(&[command], Format::Html).is_some());
            assert!(refused(&[command], Format::Markdown).is_none());
        }
        for command in [
            &["runs", "prune", "--older-than", "90d"][..],
            &["environments", "remove", "a"],
        ] {
            assert!(refused(command, Format::Csv).is_some(), "{command:?}");
            assert!(refused(command, Format::Json).is_none(), "{command:?}");
        }
        for format in [Format::Table, Format::Json, Format::Csv] {
            assert!(refused(&["environments", "discover"], format).is_none());
        }
        assert!(refused(&["report", "3f2a9c"], Format::Html).is_none());
    }
}
