//! `environments`: those of the configuration file, and those of the signed-in user.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::auth::{Challenge, Http, SignInTarget, open};
use crate::connect::{ConnectError, config_file, process_environment};
use crate::dataverse::{self, Channel, Instance, instances};
use crate::model::EnvironmentUrl;
use crate::model::disclosure::shown_path;
use crate::pacing::Pacer;
use crate::report::{Format, ReportError, clean, csv_cell, write_json};
use crate::settings::{Address, ConfigFile, Origin, SignInKind, config_path};

use super::App;
use super::args::{CloudChoice, EnvironmentsArgs};
use super::connect::{connector, only_one};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;

#[derive(Debug, Serialize)]
struct Document {
    format: u32,
    environments: Vec<Entry>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Entry {
    name: String,
    /// `None` where what stands there is no address; it may be a secret.
    url: Option<String>,
    /// `None` for an environment that was discovered.
    sign_in: Option<String>,
    /// Whether it is the one that is meant where none is named.
    default: bool,
}

pub(super) async fn environments(app: &App, args: &EnvironmentsArgs) -> Result<Exit, CliError> {
    let config = args.connection.config.as_deref();
    let entries = match args.what {
        None => profiles(&config_file(config)?),
        Some(_) => discover(app, args).await?,
    };
    if args.what.is_none() && entries.is_empty() {
        let (path, _) = config_path(config)?;
        for line in how_to_begin(&path) {
            app.printer.status_line(&line);
        }
    }
    let mut out = Printer::result();
    write(&mut out, app.printer.format, entries)?;
    out.flush().map_err(CliError::Output)?;
    Ok(Exit::Done)
}

/// What to do where no environment is known: which file was looked for, and what to write into it.
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
        "`syncfilters doctor --environment contoso` then checks it. Without a file, give --url.",
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

/// Asks the Global Discovery Service (Microsoft: "Discover the organizations of a user").
async fn discover(app: &App, args: &EnvironmentsArgs) -> Result<Vec<Entry>, CliError> {
    let (service, authority) = cloud(args.cloud);
    let service = Address::given(service, &Origin::Flag("--cloud"))?;
    let sign_in = only_one(&args.connection)?.sign_in_keys()?;
    let chosen = crate::settings::choose(&sign_in, process_environment())?;
    let place = SignInTarget {
        environment: EnvironmentUrl::clone(&service),
        tenant: sign_in.tenant.clone(),
        authority: None,
        known: Some(Challenge {
            authorization_uri: Some(authority.into()),
            ..Challenge::default()
        }),
    };
    let http = Http::new().map_err(ConnectError::Http)?;
    let prompt = connector(app).prompt;
    let tokens = tokio::select! {
        () = app.interrupted.cancelled() => return Err(dataverse::Error::Interrupted.into()),
        tokens = open(&chosen.method, &place, &http, &prompt) => tokens?,
    };
    let pacer = Pacer::new(crate::pacing::Settings::default());
    let channel = Channel::new(service, tokens, pacer, app.interrupted.clone());
    let found = instances(&channel.map_err(ConnectError::Http)?).await?;
    Ok(found.into_iter().map(Entry::from).collect())
}

impl From<Instance> for Entry {
    fn from(instance: Instance) -> Self {
        Self {
            name: instance.friendly_name,
            url: Some(instance.url),
            sign_in: None,
            default: false,
        }
    }
}

/// The discovery service and the identity provider of a cloud (Microsoft: "Global Discovery Service", "National
/// clouds").
const fn cloud(cloud: CloudChoice) -> (&'static str, &'static str) {
    const PUBLIC: &str = "https://login.microsoftonline.com/organizations/oauth2/authorize";
    const GOVERNMENT: &str = "https://login.microsoftonline.us/organizations/oauth2/authorize";
    const CHINA: &str = "https://login.partner.microsoftonline.cn/organizations/oauth2/authorize";
    match cloud {
        CloudChoice::Public => ("https://globaldisco.crm.dynamics.com", PUBLIC),
        CloudChoice::Gcc => ("https://globaldisco.crm9.dynamics.com", PUBLIC),
        CloudChoice::GccHigh => ("https://globaldisco.crm.microsoftdynamics.us", GOVERNMENT),
        CloudChoice::Dod => ("https://globaldisco.crm.appsplatform.us", GOVERNMENT),
        CloudChoice::China => ("https://globaldisco.crm.dynamics.cn", CHINA),
    }
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
