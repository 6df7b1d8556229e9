//! The command line as it is parsed, explained and completed: each command with its options.

use std::ffi::OsString;

use clap::{Arg, CommandFactory, FromArgMatches};

use super::args::Cli;
use super::candidates::with_candidates;
use super::formats;

/// The description from which parsing, help, completions and manual pages are made.
pub(super) fn command() -> clap::Command {
    let described = Cli::command();
    let format = described
        .get_arguments()
        .find(|arg| arg.get_id() == "format")
        .cloned();
    let Some(format) = format else {
        return described;
    };
    let described = described.mut_subcommands(|sub| {
        let name = sub.get_name().to_owned();
        let own = of_command(&format, &name);
        sub.arg(own).mut_subcommands(|inner| {
            let own = of_command(&format, &format!("{name} {}", inner.get_name()));
            inner.arg(own)
        })
    });
    with_candidates(described)
}

/// Without the commands `help`, which need no manual page.
pub(super) fn without_help(command: clap::Command) -> clap::Command {
    command
        .disable_help_subcommand(true)
        .mut_subcommands(without_help)
}

/// The option `--format` of a command, with the formats that it supports.
fn of_command(format: &Arg, name: &str) -> Arg {
    let shown = formats::of(name);
    let words: Vec<_> = shown.iter().map(|it| it.as_str()).collect();
    let help = format!(
        "How to print the result: {} (default: table)",
        words.join(", ")
    );
    let one_only = shown.len() < 2;
    format
        .clone()
        .hide_possible_values(true)
        .hide(one_only)
        .help(help)
}

/// Reads the command line.
pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    parse_by(command(), args)
}

/// Parses as if no variable were set, so that the usage in an error contains only what was typed.
pub(super) fn parse_typed(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    parse_by(without_variables(command()), args)
}

fn without_variables(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| arg.env(None::<&'static str>))
        .mut_subcommands(without_variables)
}

fn parse_by(
    mut command: clap::Command,
    args: impl IntoIterator<Item = OsString>,
) -> Result<Cli, clap::Error> {
    let matches = command.try_get_matches_from_mut(args)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Format;

    fn parsed(args: &[&str]) -> Cli {
        parse(args.iter().map(OsString::from)).unwrap()
    }

    #[test]
    fn a_format_is_taken_before_and_behind_the_command() {
        for args in [
            &["syncfilters", "runs", "--format", "csv"][..],
            &["syncfilters", "--format", "csv", "runs"],
            &["syncfilters", "--format=csv", "report", "3f2a9c"],
        ] {
            assert_eq!(parsed(args).output.format, Some(Format::Csv), "{args:?}");
        }
        assert_eq!(parsed(&["syncfilters", "runs"]).output.format, None);
    }

    #[test]
    fn help_names_the_formats_of_the_command_and_users_before_the_environment() {
        let help = |name: &str| {
            let mut all = command();
            all.build();
            let sub = all.find_subcommand_mut(name).unwrap();
            sub.render_long_help().to_string()
        };
        assert!(help("doctor").contains("result: table, json (default: table)\n"));
        assert!(!help("list").contains("html"));
        assert!(help("report").contains("markdown, html"));
        for name in ["deactivate", "reactivate", "plan", "list", "check"] {
            let help = help(name);
            let at = |heading: &str| help.find(&format!("\n{heading}:\n")).unwrap();
            assert!(at("Users and filters") < at("Environment"), "{name}");
        }
        let apply = help("apply");
        assert!(apply.find("\nUsers:\n").unwrap() < apply.find("\nSafety:\n").unwrap());
        for name in ["sandbox", "demo", "login", "logout", "completions", "man"] {
            assert!(!help(name).contains("--format"), "{name}");
        }
        let mut all = command();
        all.build();
        let runs = all.find_subcommand_mut("runs").unwrap();
        let prune = runs.find_subcommand_mut("prune").unwrap();
        assert!(!prune.render_long_help().to_string().contains("--format"));
        for name in ["deactivate", "apply", "resume", "undo"] {
            let help = help(name);
            let at = |heading: &str| help.find(&format!("\n{heading}:\n")).unwrap();
            assert!(at("Safety") < at("Environment"), "{name}");
        }
    }
}
