//! `config check`: mistakes in the configuration file.

use std::io::Write;

use serde::Serialize;

use crate::connect::process_environment;
use crate::model::count;
use crate::model::disclosure::shown_path;
use crate::report::{ErrorClass, ErrorReport, Format, ReportError, write_json};
use crate::settings::{ConfigFile, SettingsProblem, config_path, problems};

use super::App;
use super::environment_args::{ConfigAction, ConfigFileArgs};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;

pub(super) fn config(app: &App, args: &ConfigFileArgs) -> Result<Exit, CliError> {
    let ConfigAction::Check(args) = &args.action;
    let (path, _) = config_path(args.config.as_deref())?;
    let file = ConfigFile::read(&path, true)?;
    let wrong = problems(&file, process_environment());
    let shown = shown_path(&path, "the configuration file");
    let is_json = app.printer.format == Format::Json;
    let total = u64::try_from(file.environments.len()).unwrap_or(u64::MAX);
    if wrong.is_empty() {
        let default = file.default_environment.as_deref();
        let default = default.map_or_else(
            || "no default".to_owned(),
            |name| format!("the default is `{name}`"),
        );
        let environments = count(total, "environment");
        app.printer
            .status_line(&format!("{shown} is valid: {environments}, {default}."));
        if is_json {
            print_document(shown, &file, &wrong, None)?;
        }
        return Ok(Exit::Done);
    }
    let report = report(&shown, &wrong);
    if is_json {
        app.printer.error(&report.message, report.hint.as_deref());
        print_document(shown, &file, &wrong, Some(&report))?;
        return Ok(report.class.into());
    }
    Err(CliError::Reported(report))
}

fn report(shown: &str, wrong: &[SettingsProblem]) -> ErrorReport {
    let lines: Vec<_> = wrong.iter().map(line).collect();
    let found = count(u64::try_from(lines.len()).unwrap_or(u64::MAX), "problem");
    ErrorReport::new("settings", ErrorClass::Usage, &format!("{shown}: {found}:"))
        .with_list(&lines)
        .with_hint("config/README.md explains every key")
}

/// The findings as one document. A file that cannot be read is an error as usual.
#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    file: String,
    valid: bool,
    default: Option<&'a str>,
    environments: Vec<&'a str>,
    problems: &'a [SettingsProblem],
    /// The first problem in the form of all errors, for programs that read those.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ErrorReport>,
}

fn print_document(
    shown: String,
    file: &ConfigFile,
    wrong: &[SettingsProblem],
    error: Option<&ErrorReport>,
) -> Result<(), CliError> {
    let document = Document {
        format: 1,
        file: shown,
        valid: wrong.is_empty(),
        // A wrong default is among the problems, and may be a secret in the wrong place.
        default: file.default_profile().ok().flatten().map(|(name, _)| name),
        environments: file.environments.keys().map(String::as_str).collect(),
        problems: wrong,
        error,
    };
    let mut out = Printer::result();
    write_json(&mut out, &document).map_err(ReportError::from)?;
    out.flush().map_err(CliError::Output)
}

fn line(problem: &SettingsProblem) -> String {
    match &problem.environment {
        Some(name) => format!("environment `{name}`: {}", problem.what),
        None => problem.what.clone(),
    }
}
