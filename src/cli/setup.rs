//! `setup`: from an address to an environment in the configuration file that passes `doctor`.

use crate::auth::Tool;
use crate::connect::{AtHand, Connector, Provider, process_environment, uses_provider};
use crate::model::{Cloud, EnvironmentUrl};
use crate::report::{ErrorClass, ErrorReport};
use crate::settings::{Address, ConfigEditor, SignInKeys, SignInKind, config_path};

use super::App;
use super::connect::{connector, given_address};
use super::environment_args::SetupArgs;
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::questions::{Choice, Questions};
use super::setup_answers::missing;

/// The answers of one `setup`, as far as they were given.
pub(super) struct Setup<'a> {
    pub(super) app: &'a App,
    pub(super) args: &'a SetupArgs,
    pub(super) connector: Connector,
    /// None where there is no user to ask.
    pub(super) questions: Option<Questions<'a>>,
}

/// Sets up an environment.
pub(super) async fn setup(app: &App, args: &SetupArgs) -> Result<Exit, CliError> {
    let connector = connector(app);
    let questions = connector.prompt.is_there().then_some(Questions {
        interrupted: &app.interrupted,
    });
    let given = given_address(&args.connection)?;
    let mut new = args.profile.profile(&args.connection)?;
    if questions.is_none() {
        let missing = missing(given.is_some(), &new.sign_in, args.create_app);
        if !missing.is_empty() {
            return Err(nobody_to_ask(&missing));
        }
    }
    let setup = Setup {
        app,
        args,
        connector,
        questions,
    };
    let url = setup.address(given).await?;
    setup.check_place(&url)?;
    let provider = setup.find_provider(&url, &new.sign_in).await?;
    let kind = setup.method(&provider, &mut new.sign_in).await?;
    setup.trust(&provider, kind, &mut new.sign_in).await?;
    let place = (&url, &provider);
    if !setup.application(place, kind, &mut new.sign_in).await? {
        return Ok(Exit::Done);
    }
    setup.credentials(kind, &mut new.sign_in).await?;
    setup.keep(kind, &mut new.sign_in).await?;
    let name = setup.name(&url).await?;
    if let Some(questions) = setup
        .questions
        .as_ref()
        .filter(|_| new.production.is_none())
    {
        let question = "Is this a production environment, so that its name is asked for before anything is written there?";
        new.production = questions.is_so(question).await?.then_some(true);
    }
    setup.check_and_write(&name, &url, &new).await
}

pub(super) fn nobody_to_ask(missing: &[String]) -> CliError {
    let message = "setup needs more, and nobody is here to ask:";
    let report = ErrorReport::new("missing-answers", ErrorClass::Usage, &message);
    CliError::Reported(report.with_list(missing).with_hint(
        "nothing was written; give these as flags, or run `syncfilters setup` at a terminal",
    ))
}

impl Setup<'_> {
    async fn address(&self, given: Option<Address>) -> Result<EnvironmentUrl, CliError> {
        match (given, &self.questions) {
            (Some(address), _) => Ok(EnvironmentUrl::clone(&address)),
            (None, Some(questions)) => {
                let question = "Address of the environment, as the browser shows it";
                questions
                    .ask(question, None, |answer| answer.parse::<EnvironmentUrl>())
                    .await
            }
            (None, None) => Err(nobody_to_ask(&["--url".to_owned()])),
        }
    }

    async fn find_provider(
        &self,
        url: &EnvironmentUrl,
        keys: &SignInKeys,
    ) -> Result<Provider, CliError> {
        let (vouched, tenant) = (keys.authority.as_deref(), keys.tenant.as_deref());
        let provider = self.connector.find_provider(url, vouched, tenant).await?;
        let cloud = Cloud::of(url).map_or_else(
            || "in no cloud of Microsoft's".to_owned(),
            |cloud| format!("in {cloud}"),
        );
        self.app.printer.status_line(&format!(
            "{url} is {cloud}. Its identity provider is {provider}."
        ));
        Ok(provider)
    }

    async fn method(
        &self,
        provider: &Provider,
        keys: &mut SignInKeys,
    ) -> Result<SignInKind, CliError> {
        let kind = match (keys.sign_in, &self.questions) {
            (Some(kind), _) => kind,
            (None, Some(questions)) => {
                let kinds = provider.methods(at_hand()).into_iter();
                let choices: Vec<_> = kinds
                    .map(|kind| Choice {
                        value: kind,
                        word: kind.to_string(),
                        meaning: meaning(kind).to_owned(),
                    })
                    .collect();
                questions.choose("Sign-in method", &choices).await?
            }
            (None, None) => return Err(nobody_to_ask(&["--sign-in".to_owned()])),
        };
        if !provider.takes(kind) {
            let words = provider.methods(at_hand());
            let words: Vec<_> = words.iter().map(|kind| kind.as_str()).collect();
            return Err(CliError::Usage(format!(
                "sign-in `{kind}` cannot work there: the identity provider is {provider}; possible: {}",
                words.join(", ")
            )));
        }
        keys.sign_in = Some(kind);
        Ok(kind)
    }

    /// Asks the user to type the name of an unknown host, which gets no password and no code before that.
    async fn trust(
        &self,
        provider: &Provider,
        kind: SignInKind,
        keys: &mut SignInKeys,
    ) -> Result<(), CliError> {
        let Provider::Unknown { host, .. } = provider else {
            return Ok(());
        };
        if !uses_provider(kind) {
            return Ok(());
        }
        let Some(questions) = &self.questions else {
            return Err(nobody_to_ask(&[format!(
                "--authority HOST, where you trust {host}, which the environment names as its identity provider"
            )]));
        };
        Printer::warn(&format!(
            "The environment names {host} as its identity provider. Passwords and codes are sent there."
        ));
        let name = host.trim_start_matches("https://").to_owned();
        let typed = |answer: &str| {
            if answer == name || answer == host {
                Ok(())
            } else {
                Err("That is another name. Ctrl-C ends this, and nothing is written.")
            }
        };
        questions
            .ask("Type its name to trust it", None, typed)
            .await?;
        keys.authority = Some(name);
        Ok(())
    }

    /// Whether the environment can be written with the given name. Errors are reported before
    /// a user is asked, or something is made elsewhere.
    fn check_place(&self, url: &EnvironmentUrl) -> Result<(), CliError> {
        let editor = ConfigEditor::open(&self.path()?)?;
        editor.check_writable()?;
        if let Some(name) = &self.args.name {
            editor.check_is_free(name, url)?;
        }
        Ok(())
    }

    pub(super) fn path(&self) -> Result<std::path::PathBuf, CliError> {
        Ok(config_path(self.args.connection.config.as_deref())?.0)
    }
}

fn at_hand() -> AtHand {
    let process = process_environment();
    let finds = |tool: Tool| tool.find(process.path).is_some();
    AtHand {
        azure_cli: finds(Tool::Azure),
        azure_developer_cli: finds(Tool::AzureDeveloper),
        token: (process.variable)("SYNCFILTERS_ACCESS_TOKEN").is_some(),
    }
}

/// Who signs in, in a few words.
const fn meaning(kind: SignInKind) -> &'static str {
    match kind {
        SignInKind::Auto => "what is found on this machine",
        SignInKind::Given => "the token in SYNCFILTERS_ACCESS_TOKEN",
        SignInKind::ClientSecret => "an application with a secret",
        SignInKind::Certificate => "an application with a certificate",
        SignInKind::Federation => {
            "an application, in GitHub Actions, Azure Pipelines or Kubernetes"
        }
        SignInKind::ManagedIdentity => "the managed identity of an Azure machine",
        SignInKind::AzureCli => "whoever signed in to az",
        SignInKind::AzureDeveloperCli => "whoever signed in to azd",
        SignInKind::DeviceCode => "a person, with a code on another device; often blocked",
        SignInKind::Browser => "a person, in the browser of this machine",
        SignInKind::Password => "a service account with its password",
        SignInKind::Ntlm => "a user of Windows, by NTLM",
        SignInKind::Negotiate => "a user of Windows, by Negotiate",
    }
}
