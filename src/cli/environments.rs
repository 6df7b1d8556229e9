//! `environments`: lists and changes those of the configuration file.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::connect::{config_file, process_environment};
use crate::model::EnvironmentUrl;
use crate::model::disclosure::shown_path;
use crate::report::{ErrorClass, ErrorReport, Format, ReportError, clean, csv_cell, write_json};
use crate::settings::{ConfigEditor, ConfigFile, SignInKind, config_path, problems};

use super::App;
use super::connect::given_address;
use super::discover::discover;
use super::environment_args::{AddArgs, EnvironmentsAction, EnvironmentsArgs, NameArgs};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;

#[derive(Debug, Serialize)]
struct Document {
    format: u32,
    environments: Vec<Entry>,
}

/// An environment in a list.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    pub(super) name: String,
    /// `None` where the value is not an address; it may be a secret.
    pub(super) url: Option<String>,
    /// `None` for an environment that was discovered.
    pub(super) sign_in: Option<String>,
    /// Whether it is the default.
    pub(super) default: bool,
}

pub(super) async fn environments(app: &App, args: &EnvironmentsArgs) -> Result<Exit, CliError> {
    let Some(action) = &args.action else {
        let config = args.config.config.as_deref();
        let file = config_file(config)?;
        if file.environments.is_empty() {
            let (path, _) = config_path(config)?;
            for line in how_to_begin(&path) {
                app.printer.status_line(&line);
            }
        }
        return print(app, profiles(&file));
    };
    match action {
        EnvironmentsAction::Discover(args) => discover(app, args).await,
        EnvironmentsAction::Add(args) => add(app, args),
        EnvironmentsAction::Remove(args) => remove(app, args),
        EnvironmentsAction::Default(args) => make_default(app, args),
    }
}

/// Prints environments as the result of the command.
pub(super) fn print(app: &App, entries: Vec<Entry>) -> Result<Exit, CliError> {
    let mut out = Printer::result();
    write(&mut out, app.printer.format, entries)?;
    out.flush().map_err(CliError::Output)?;
    Ok(Exit::Done)
}

fn editor(config: Option<&Path>) -> Result<ConfigEditor, CliError> {
    let (path, _) = config_path(config)?;
    Ok(ConfigEditor::open(&path)?)
}

fn add(app: &App, args: &AddArgs) -> Result<Exit, CliError> {
    let url = given_address(&args.connection)?.ok_or_else(|| {
        CliError::Usage("`environments add` needs the address: give --url URL".into())
    })?;
    let mut editor = editor(args.connection.config.as_deref())?;
    let new = args.profile.profile(&args.connection)?;
    editor.set(&args.name, &url, &new)?;
    let wrong = problems_of(&editor, &args.name)?;
    if !wrong.is_empty() {
        let report = ErrorReport::new(
            "settings",
            ErrorClass::Usage,
            &"the environment is not complete, and nothing was written:",
        );
        return Err(CliError::Reported(report.with_list(&wrong).with_hint(
            "give what is missing as a flag; `syncfilters setup` asks for it",
        )));
    }
    let is_default = write_environment(&mut editor, &args.name, args.default)?;
    print_written(app, &editor, &args.name, is_default);
    print(app, profiles(&editor.file()?))
}

/// The mistakes of one environment before it is written.
fn problems_of(editor: &ConfigEditor, name: &str) -> Result<Vec<String>, CliError> {
    let found = problems(&editor.file()?, process_environment());
    let own = found
        .into_iter()
        .filter(|it| it.environment.as_deref() == Some(name));
    Ok(own.map(|it| it.what).collect())
}

/// Writes the file. The first environment becomes the default. Returns whether this one is the default.
pub(super) fn write_environment(
    editor: &mut ConfigEditor,
    name: &str,
    make_default: bool,
) -> Result<bool, CliError> {
    if make_default || editor.file()?.default_environment.is_none() {
        editor.set_default(name)?;
    }
    editor.save()?;
    Ok(editor.file()?.default_environment.as_deref() == Some(name))
}

/// Prints where an environment was written, and its name.
pub(super) fn print_written(app: &App, editor: &ConfigEditor, name: &str, is_default: bool) {
    let path = shown_path(editor.path(), "the configuration file");
    let meant = if is_default {
        "it is meant where no other is named".to_owned()
    } else {
        format!("`--environment {name}` names it")
    };
    app.printer
        .status_line(&format!("Environment `{name}` is in {path}; {meant}."));
}

fn remove(app: &App, args: &NameArgs) -> Result<Exit, CliError> {
    let mut editor = editor(args.config.config.as_deref())?;
    let was_default = editor.remove(&args.name)?;
    editor.save()?;
    let default = if was_default {
        " It was the default; `syncfilters environments default NAME` chooses another."
    } else {
        ""
    };
    let said = format!("Environment `{}` is removed.{default}", args.name);
    app.printer.status_line(&said);
    print(app, profiles(&editor.file()?))
}

fn make_default(app: &App, args: &NameArgs) -> Result<Exit, CliError> {
    let mut editor = editor(args.config.config.as_deref())?;
    editor.set_default(&args.name)?;
    editor.save()?;
    let said = format!(
        "Environment `{}` is meant where no other is named.",
        args.name
    );
    app.printer.status_line(&said);
    print(app, profiles(&editor.file()?))
}

/// What to do where no environment is known: which file was searched, and what to write into it.
fn how_to_begin(path: &Path) -> Vec<String> {
    let shown = shown_path(path, "the configuration file");
    let found = if path.exists() {
        format!("No environment: {shown} names none. Add these lines to it:")
    } else {
        format!("No environment: there is no file {shown}. Make it with these lines:")
    };
    let lines = [
        found.as_str(),
        "",
        "[environments.contoso]",
        "url = \"https://contoso.crm4.dynamics.com\"",
        "",
        "`syncfilters setup` asks for what is needed, signs in, checks and writes them. Without a file, give --url.",
    ];
    lines.map(str::to_owned).to_vec()
}

fn profiles(file: &ConfigFile) -> Vec<Entry> {
    let default = file.default_environment.as_deref();
    let entry = |(name, profile): (&String, &crate::settings::Profile)| Entry {
        name: name.clone(),
        url: profile
            .url
            .parse()
            .ok()
            .map(|url: EnvironmentUrl| url.to_string()),
        sign_in: Some(profile.sign_in.unwrap_or(SignInKind::Auto).to_string()),
        default: default == Some(name),
    };
    file.environments.iter().map(entry).collect()
}

fn write(out: &mut dyn Write, format: Format, environments: Vec<Entry>) -> Result<(), CliError> {
    if format == Format::Json {
        let document = Document {
            format: 1,
            environments,
        };
        return Ok(write_json(out, &document).map_err(ReportError::from)?);
    }
    if format == Format::Csv {
        return write_csv(out, &environments).map_err(|error| ReportError::from(error).into());
    }
    let shown: Vec<_> = environments
        .iter()
        .map(|entry| (clean(&entry.name), clean(shown_url(entry)), entry))
        .collect();
    let width = |text: &str| text.chars().count();
    let names = shown.iter().map(|(name, _, _)| width(name)).max();
    let urls = shown.iter().map(|(_, url, _)| width(url)).max();
    let (names, urls) = (names.unwrap_or(0), urls.unwrap_or(0));
    for (name, url, entry) in &shown {
        let sign_in = entry.sign_in.as_deref().unwrap_or_default();
        let default = if entry.default { "  (default)" } else { "" };
        let line = format!("{name:<names$}  {url:<urls$}  {sign_in}{default}");
        writeln!(out, "{}", line.trim_end()).map_err(CliError::Output)?;
    }
    Ok(())
}

fn shown_url(entry: &Entry) -> &str {
    entry
        .url
        .as_deref()
        .unwrap_or("(`url` is not the address of an environment)")
}

fn write_csv(out: &mut dyn Write, environments: &[Entry]) -> Result<(), csv::Error> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["name", "url", "sign-in", "default"])?;
    for entry in environments {
        let sign_in = entry.sign_in.as_deref().unwrap_or_default();
        let default = if entry.default { "yes" } else { "no" };
        let (name, url) = (csv_cell(&entry.name), csv_cell(shown_url(entry)));
        csv.write_record([name.as_str(), &url, sign_in, default])?;
    }
    Ok(csv.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_listed_with_their_sign_in_and_the_default() {
        let file = ConfigFile::parse(
            "default-environment = \"b\"\n[environments.a]\nurl = \"https://a.example\"\nsign-in = \"browser\"\n\
             [environments.b]\nurl = \"https://b.example\"\n",
        )
        .unwrap();
        let entries = profiles(&file);
        assert_eq!(entries[0].sign_in.as_deref(), Some("browser"));
        assert_eq!(entries[1].sign_in.as_deref(), Some("auto"));
        let mut out = Vec::new();
        write(&mut out, Format::Table, entries).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "a  https://a.example  browser\nb  https://b.example  auto  (default)\n"
        );
    }

    #[test]
    fn a_spreadsheet_gets_a_line_for_each_and_runs_no_name() {
        let discovered = |name: &str| Entry {
            name: name.into(),
            url: Some("https://a.example".into()),
            sign_in: None,
            default: false,
        };
        let mut out = Vec::new();
        let entries = vec![discovered("Contoso, Ltd."), discovered("=1+1")];
        write(&mut out, Format::Csv, entries).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "name,url,sign-in,default\n\"Contoso, Ltd.\",https://a.example,,no\n'=1+1,https://a.example,,no\n"
        );
    }
}
