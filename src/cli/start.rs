//! From the command line to an exit code.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Once;

use jiff::ZonedDateTime;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::connect::use_state_dir;
use crate::model::Operation;
use crate::model::disclosure::{is_number, shown_path};
use crate::report::{ErrorClass, ErrorReport, Format, clean, terminal, write_error};

use super::app::App;
use super::args::Command;
use super::command_line;
use super::error::CliError;
use super::exit::Exit;
use super::interrupt::DrivenRuns;
use super::log_file::{JsonLines, LogFile};
use super::printer::Printer;
use super::shared_args::OutputArgs;
use super::support::{FOR_SUPPORT, SUPPORT_ONLY, remember};
use super::until::next_time;
use super::{
    candidates, change, check, completions, config, demo, doctor, environments, formats, interrupt,
    list, login, report, resume, runs, sandbox, setup, status, templates, trial, ui, undo, whoami,
};

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        Printer::warn(&format!("error: unexpected internal error: {panic}"));
        Printer::warn(&format!("hint: {FOR_SUPPORT}"));
    }));
    candidates::answer();
    let cli = match command_line::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return wrong_usage(&shown(error)).into(),
    };
    let printer = Printer::new(&cli.output);
    let (command, state_dir) = (cli.command.name(), cli.output.state_dir.clone());
    if let Err(error) = log(&cli.output, command) {
        let report = error.report();
        show_error(&printer, &report);
        return Exit::from(report.class).into();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(run(cli.command, cli.output, &printer));
            // Without waiting for a question that nobody will answer.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(CliError::Unexpected(error.to_string())),
    };
    let exit = result.unwrap_or_else(|error| {
        let report = error.report();
        show_error(&printer, &report);
        remember(state_dir.as_deref(), command, &report);
        report.class.into()
    });
    tracing::info!(target: SUPPORT_ONLY, exit = exit as u64, "the command ends");
    exit.into()
}

async fn run(command: Command, output: OutputArgs, printer: &Printer) -> Result<Exit, CliError> {
    let under_way = DrivenRuns::default();
    let app = App {
        output,
        command: command.name(),
        printer: printer.clone(),
        interrupted: interrupt::listen(under_way.clone()),
        under_way,
        keeps_runs: true,
        details: command.shows_details(),
        said_remote: Once::new(),
        until: command
            .until()
            .map(|time| next_time(time, &ZonedDateTime::now())),
    };
    formats::check(&command, printer.format)?;
    use_state_dir(app.output.state_dir.as_deref());
    match &command {
        Command::Deactivate(args) => change::change(&app, Operation::Deactivate, args).await,
        Command::Reactivate(args) => change::change(&app, Operation::Reactivate, args).await,
        Command::Plan(args) => change::plan(&app, args).await,
        Command::Apply(args) => resume::apply(&app, args).await,
        Command::Resume(args) => resume::resume(&app, args).await,
        Command::Undo(args) => Box::pin(undo::undo(&app, args)).await,
        Command::List(args) => list::list(&app, args).await,
        Command::Check(args) => check::check(&app, args).await,
        Command::Templates(args) => templates::templates(&app, args).await,
        Command::Runs(args) => runs::runs(&app, args).await,
        Command::Status(args) => status::status(&app, args),
        Command::Report(args) => report::report(&app, args),
        Command::Ui(args) => Box::pin(ui::ui(&app, args)).await,
        Command::Demo(args) => demo::demo(&app, args).await,
        Command::Sandbox(args) => sandbox::sandbox(&app, args).await,
        Command::Doctor(args) => doctor::doctor(&app, args).await,
        Command::Trial(args) => Box::pin(trial::trial(&app, args)).await,
        Command::Whoami(args) => whoami::whoami(&app, args).await,
        Command::Login(args) => login::login(&app, args).await,
        Command::Logout(args) => login::logout(&app, args),
        Command::Setup(args) => Box::pin(setup::setup(&app, args)).await,
        Command::Config(args) => config::config(&app, args),
        Command::Environments(args) => environments::environments(&app, args).await,
        Command::Completions(args) => completions::completions(args),
        Command::Man(args) => completions::man(args),
    }
}

fn show_error(printer: &Printer, report: &ErrorReport) {
    printer.error(&report.message, report.hint.as_deref());
    if printer.format == Format::Json {
        write_error_document(&mut Printer::result(), report);
    }
}

fn write_error_document(out: &mut dyn Write, report: &ErrorReport) {
    // Standard error contains it already.
    let _ = write_error(out, report);
    let _ = out.flush();
}

/// The same error with what was typed cleaned, because an error repeats it, including line
/// breaks.
fn shown(error: clap::Error) -> clap::Error {
    let args = std::env::args_os().map(|arg| clean(&arg.to_string_lossy()).into_owned());
    let shown = match command_line::parse_typed(args.map(OsString::from)) {
        Err(cleaned) if cleaned.kind() == error.kind() => cleaned,
        _ => error,
    };
    without_secret(shown)
}

/// The same error without what may be a secret: a value that is neither a number nor a mistyped word, and a word that
/// is neither an option nor a command. The parsers of values do not repeat them in their own messages.
fn without_secret(mut error: clap::Error) -> clap::Error {
    const NOT_SHOWN: &str = "(not shown)";
    let text = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let arg = text(&error, ContextKind::InvalidArg).unwrap_or_default();
    let value = text(&error, ContextKind::InvalidValue).unwrap_or_default();
    // There is a suggestion if it is a mistyped word. Without a value the message says so.
    let mistyped = error.get(ContextKind::SuggestedValue).is_some();
    if !value.is_empty() && !mistyped && !is_number(&value) {
        let hidden = ContextValue::String(NOT_SHOWN.into());
        error.insert(ContextKind::InvalidValue, hidden);
    }
    let hidden = match error.kind() {
        ErrorKind::UnknownArgument if !arg.starts_with('-') => Some(ContextKind::InvalidArg),
        // There is a suggestion if it is a mistyped command.
        ErrorKind::InvalidSubcommand if error.get(ContextKind::SuggestedSubcommand).is_none() => {
            Some(ContextKind::InvalidSubcommand)
        }
        _ => None,
    };
    if let Some(kind) = hidden {
        error.insert(kind, ContextValue::String(NOT_SHOWN.into()));
    }
    error
}

/// Prints help and version, which are not errors, and errors in the requested format.
fn wrong_usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        Printer::help(error);
        return Exit::Done;
    }
    Printer::usage(error);
    if asks_for_json(std::env::args_os()) {
        let report = ErrorReport {
            // The lines are those of the library; what was typed is cleaned.
            message: error.render().to_string().trim().to_owned(),
            ..ErrorReport::new("usage", ErrorClass::Usage, &"")
        };
        write_error_document(&mut Printer::result(), &report);
    }
    Exit::Usage
}

fn asks_for_json(args: impl Iterator<Item = OsString>) -> bool {
    let args: Vec<_> = args.collect();
    let pair = |pair: &[OsString]| pair[0] == "--format" && pair[1] == "json";
    args.windows(2).any(pair) || args.iter().any(|arg| arg == "--format=json")
}

/// Sets up logging: `-v` logs steps, `-vv` every request, as does a log file. No header and no body is ever logged.
fn log(output: &OutputArgs, command: &str) -> Result<(), CliError> {
    let level = match output.verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let file = output.log_file.as_deref().map(open_log).transpose()?;
    if level == LevelFilter::OFF && file.is_none() {
        return Ok(());
    }
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(terminal::log)
        // The log passes through the cleaning writer, which removes colours.
        .with_ansi(false)
        .with_target(false)
        .with_filter(
            Targets::new()
                .with_target("syncfilters", level)
                .with_target(SUPPORT_ONLY, LevelFilter::OFF),
        );
    let all = Targets::new().with_target("syncfilters", LevelFilter::DEBUG);
    tracing_subscriber::registry()
        .with(lines)
        .with(file.map(|file| JsonLines::new(file).with_filter(all)))
        .init();
    tracing::info!(
        target: SUPPORT_ONLY,
        command,
        version = env!("CARGO_PKG_VERSION"),
        system = std::env::consts::OS,
        "the command begins"
    );
    Ok(())
}

fn open_log(path: &Path) -> Result<LogFile, CliError> {
    LogFile::open(path).map_err(|source| CliError::File {
        name: shown_path(path, "the log file"),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use crate::journal::{RunContext, RunRef};
    use crate::report::RunCommand;
    use clap::Parser;

    #[test]
    fn the_command_line_is_sound() {
        command_line::command().debug_assert();
    }

    #[test]
    fn json_is_recognised_before_the_command_line_is_understood() {
        let asks = |args: &[&str]| asks_for_json(args.iter().map(OsString::from));
        assert!(asks(&["x", "--format", "json", "--nonsense"]));
        assert!(asks(&["x", "--format=json"]));
        assert!(!asks(&["x", "--format", "csv"]));
    }

    #[test]
    fn every_command_that_is_printed_about_a_run_is_one() {
        let id = "0123456789ab".parse().unwrap();
        let run = RunRef::elsewhere(&id, Path::new("/tmp/a.run")).with_context(RunContext {
            state_dir: Some("/tmp/state".into()),
            config: Some("/tmp/c.toml".into()),
            url: Some("https://contoso.example".into()),
        });
        for command in RunCommand::ALL {
            let line = command.of(&run);
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
    }
}
