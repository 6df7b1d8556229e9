//! `environments discover`: the environments of the signed-in user.

use crate::auth::{Challenge, Http, SignInTarget, open};
use crate::connect::{ConnectError, process_environment};
use crate::dataverse::{self, Channel, Instance, instances};
use crate::model::disclosure::shown_path;
use crate::model::{Cloud, EnvironmentUrl, count};
use crate::pacing::Pacer;
use crate::settings::{
    Address, ChoiceError, ConfigEditor, NewProfile, Origin, SignInKeys, check_microsoft_app,
    choose, config_path,
};

use super::App;
use super::connect::{connector, only_one};
use super::environment_args::DiscoverArgs;
use super::environments::{Entry, print};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;

/// Lists them, and writes new ones into the configuration file if that was asked for.
pub(super) async fn discover(app: &App, args: &DiscoverArgs) -> Result<Exit, CliError> {
    let sign_in = only_one(&args.connection)?.sign_in_keys()?;
    let found = ask(app, args.cloud.into(), &sign_in).await?;
    if args.write {
        write(app, args, &found, sign_in)?;
    }
    print(app, found.into_iter().map(Entry::from).collect())
}

/// Asks the Global Discovery Service (Microsoft: "Discover the organizations of a user").
async fn ask(app: &App, cloud: Cloud, sign_in: &SignInKeys) -> Result<Vec<Instance>, CliError> {
    let service = Address::given(cloud.discovery_service(), &Origin::Flag("--cloud"))?;
    let chosen = choose(sign_in, process_environment())?;
    check_microsoft_app(&chosen.method, &service).map_err(ChoiceError::from)?;
    let place = SignInTarget {
        environment: EnvironmentUrl::clone(&service),
        tenant: sign_in.tenant.clone(),
        authority: None,
        known: Some(Challenge {
            authorization_uri: Some(cloud.authorization_uri().into()),
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
    Ok(instances(&channel.map_err(ConnectError::Http)?).await?)
}

/// Writes environments that the file does not have. An invalid address is omitted with a message.
fn write(
    app: &App,
    args: &DiscoverArgs,
    found: &[Instance],
    sign_in: SignInKeys,
) -> Result<(), CliError> {
    let (path, _) = config_path(args.connection.config.as_deref())?;
    let mut editor = ConfigEditor::open(&path)?;
    let written = add_new(&mut editor, found, sign_in)?;
    if written > 0 {
        editor.save()?;
    }
    let shown = shown_path(&path, "the configuration file");
    let environments = count(u64::try_from(written).unwrap_or(u64::MAX), "environment");
    app.printer
        .status_line(&format!("{environments} written to {shown}."));
    Ok(())
}

fn add_new(
    editor: &mut ConfigEditor,
    found: &[Instance],
    sign_in: SignInKeys,
) -> Result<usize, CliError> {
    let new = NewProfile {
        sign_in,
        ..NewProfile::default()
    };
    let mut written = 0;
    for instance in found {
        let Ok(url) = instance.url.parse::<EnvironmentUrl>() else {
            Printer::warn(&format!(
                "Left out, because its address is none: {}",
                instance.friendly_name
            ));
            continue;
        };
        let name = editor.name_for(&url)?;
        if !editor.file()?.environments.contains_key(&name) {
            editor.set(&name, &url, &new)?;
            written += 1;
        }
    }
    Ok(written)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SignInKind;

    #[test]
    fn what_was_discovered_is_written_once_with_the_sign_in_that_was_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let before = "# Ours.\n[environments.main]\nurl = \"https://contoso.crm4.dynamics.com\"\n";
        std::fs::write(&path, before).unwrap();
        let found: Vec<Instance> = serde_json::from_str(
            r#"[{"FriendlyName":"Contoso","Url":"https://contoso.crm4.dynamics.com/"},
                {"FriendlyName":"Test","Url":"https://test.crm4.dynamics.com/"},
                {"FriendlyName":"Test again","Url":"https://test.crm11.dynamics.com/"},
                {"FriendlyName":"Nowhere","Url":"ftp://x"}]"#,
        )
        .unwrap();
        let sign_in = SignInKeys {
            sign_in: Some(SignInKind::AzureCli),
            ..SignInKeys::default()
        };
        let mut editor = ConfigEditor::open(&path).unwrap();
        assert_eq!(add_new(&mut editor, &found, sign_in.clone()).unwrap(), 2);
        assert_eq!(add_new(&mut editor, &found, sign_in.clone()).unwrap(), 0);
        editor.save().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(before), "{text}");
        let file = editor.file().unwrap();
        let names: Vec<_> = file.environments.keys().collect();
        assert_eq!(names, ["main", "test", "test-2"]);
        assert_eq!(file.environments["test-2"].sign_in(), sign_in);
    }
}
