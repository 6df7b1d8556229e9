//! `setup`: from an address to an environment in the configuration file that `doctor` finds well.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;

use serde::Serialize;
use uuid::Uuid;

use crate::auth::{Authority, Tool};
use crate::connect::{
    AtHand, Check, Checklist, ConnectionOptions, Connector, Layers, NamedEnvironment, Provider,
    chosen, process_environment, uses_provider,
};
use crate::model::disclosure::shown_path;
use crate::model::{Cloud, EnvironmentUrl};
use crate::report::{ErrorClass, ErrorReport, Format, ReportError, write_json};
use crate::settings::{
    Address, ConfigEditor, KeepKind, MICROSOFT_APP, MICROSOFT_APP_NAME, NewProfile, Origin,
    ResolvedTarget, SignInKeys, SignInKind, check_name, config_path,
};

use super::App;
use super::checklist::write_checklist;
use super::connect::{connector, given_address, options};
use super::create_app::NewApp;
use super::environment_args::SetupArgs;
use super::environments::{say_written, write_environment};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::questions::{Choice, Questions};
use super::setup_answers::{missing, repeat_command};

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    environment: &'a str,
    config: String,
    written: bool,
    checks: &'a [Check],
}

/// Whom a person signs in by way of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Application {
    Own,
    Created,
    Microsoft,
}

struct Setup<'a> {
    app: &'a App,
    args: &'a SetupArgs,
    connector: Connector,
    /// None where nobody is there to ask.
    questions: Option<Questions<'a>>,
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

fn nobody_to_ask(missing: &[String]) -> CliError {
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

    /// A host that nobody vouches for gets no password and no code before its name was typed.
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

    /// The application to sign in with. `false` where its commands were shown, and there is nothing more to do.
    async fn application(
        &self,
        (url, provider): (&EnvironmentUrl, &Provider),
        kind: SignInKind,
        keys: &mut SignInKeys,
    ) -> Result<bool, CliError> {
        let new = NewApp {
            kind,
            tenant: tenant_of(provider),
            cloud: Cloud::of(url),
            environment: url,
        };
        let wanted = if self.args.create_app {
            Application::Created
        } else if keys.microsoft_app == Some(true) {
            Application::Microsoft
        } else if keys.client_id.is_some() || !needs_application(kind) {
            return Ok(true);
        } else {
            self.choose_application(new, keys).await?
        };
        match wanted {
            Application::Own => {}
            Application::Microsoft => {
                keys.microsoft_app = Some(true);
                Printer::warn(&format!(
                    "Signing in by way of {MICROSOFT_APP_NAME} ({MICROSOFT_APP}), Microsoft's public client for Dataverse \
                     tools: the consent page and the sign-in logs show this name. Conditional Access of your tenant can \
                     refuse it."
                ));
                return Ok(true);
            }
            Application::Created if self.args.run_az => {
                keys.client_id = Some(self.make(new).await?);
                return Ok(true);
            }
            Application::Created => {
                self.show(&new.text())?;
                if self.questions.is_none() {
                    return Ok(false);
                }
            }
        }
        let needs_uuid = keys.authority.is_none();
        let Some(questions) = &self.questions else {
            return Err(nobody_to_ask(&["--client-id".to_owned()]));
        };
        let read = |answer: &str| {
            if answer.is_empty() || (needs_uuid && Uuid::try_parse(answer).is_err()) {
                return Err(
                    "The id of an application has 32 digits, as in 00000000-0000-0000-0000-000000000000.",
                );
            }
            Ok(answer.to_owned())
        };
        let question = "Id of the application (client id)";
        keys.client_id = Some(questions.ask(question, None, read).await?);
        Ok(true)
    }

    async fn choose_application(
        &self,
        new: NewApp<'_>,
        keys: &SignInKeys,
    ) -> Result<Application, CliError> {
        let Some(questions) = &self.questions else {
            return Err(nobody_to_ask(&["--client-id".to_owned()]));
        };
        let choice = |value, word: &str, meaning: String| Choice {
            value,
            word: word.to_owned(),
            meaning,
        };
        let mut choices = vec![choice(
            Application::Own,
            "own",
            "an application of your organisation; you have its id".into(),
        )];
        if keys.authority.is_none() {
            choices.push(choice(
                Application::Created,
                "create",
                "show the commands that make one".into(),
            ));
        }
        if new.is_for_a_person() && new.cloud == Some(Cloud::Commercial) {
            choices.push(choice(
                Application::Microsoft,
                "microsoft",
                format!("{MICROSOFT_APP_NAME}, Microsoft's; Conditional Access can refuse it"),
            ));
        }
        if choices.len() == 1 {
            return Ok(Application::Own);
        }
        questions
            .choose("Application to sign in with", &choices)
            .await
    }

    async fn make(&self, new: NewApp<'_>) -> Result<String, CliError> {
        if !new.is_for_a_person() {
            return Err(CliError::Usage(
                "--run-az makes applications for browser and device-code; without it the commands for others are shown"
                    .into(),
            ));
        }
        let program = Tool::Azure.find(process_environment().path).ok_or_else(|| {
            CliError::Usage("the Azure CLI, az, is in no folder of PATH; without --run-az the commands are shown".into())
        })?;
        tokio::select! {
            () = self.app.interrupted.cancelled() => Err(CliError::InterruptedAtPrompt),
            id = new.make(&program) => id,
        }
    }

    fn show(&self, lines: &[String]) -> Result<(), CliError> {
        let mut out = Printer::result();
        if self.app.printer.format == Format::Json && self.questions.is_none() {
            let document = serde_json::json!({ "format": 1, "create_app": lines });
            return Ok(write_json(&mut out, &document).map_err(ReportError::from)?);
        }
        for line in lines {
            writeln!(out, "{line}").map_err(CliError::Output)?;
        }
        out.flush().map_err(CliError::Output)
    }

    /// What a method needs besides its application.
    async fn credentials(&self, kind: SignInKind, keys: &mut SignInKeys) -> Result<(), CliError> {
        let Some(questions) = &self.questions else {
            return Ok(());
        };
        if kind == SignInKind::Certificate && keys.certificate.is_none() {
            let question = "Private PEM file with the certificate and its key";
            keys.certificate = Some(questions.ask(question, None, existing).await?);
        }
        let has_account = matches!(
            kind,
            SignInKind::Password | SignInKind::Ntlm | SignInKind::Negotiate
        );
        if has_account && keys.user.is_none() {
            let question = "Account, as user@domain or DOMAIN\\user";
            keys.user = Some(questions.ask(question, None, filled).await?);
        }
        let asked_each_time = "(empty: it is asked for each time)";
        if has_account && keys.password_file.is_none() && keys.password_variable.is_none() {
            let question = format!("Private file with its password {asked_each_time}");
            keys.password_file = questions.ask(&question, None, existing_or_none).await?;
        }
        if kind == SignInKind::ClientSecret
            && keys.client_secret_file.is_none()
            && keys.client_secret_variable.is_none()
        {
            let question = format!("Private file with the client secret {asked_each_time}");
            keys.client_secret_file = questions.ask(&question, None, existing_or_none).await?;
        }
        Ok(())
    }

    async fn keep(&self, kind: SignInKind, keys: &mut SignInKeys) -> Result<(), CliError> {
        let personal = matches!(kind, SignInKind::Browser | SignInKind::DeviceCode);
        let Some(questions) = self.questions.as_ref().filter(|_| personal) else {
            return Ok(());
        };
        if keys.keep.is_some() {
            return Ok(());
        }
        let choice = |value: KeepKind, meaning: &str| Choice {
            value,
            word: value.to_string(),
            meaning: meaning.to_owned(),
        };
        let choices = [
            choice(KeepKind::Keyring, "in the key store of this system"),
            choice(KeepKind::File, "in a private file"),
            choice(KeepKind::No, "nowhere: sign in for each command"),
        ];
        let question = "Where to keep the sign-in for later commands";
        keys.keep = Some(questions.choose(question, &choices).await?);
        Ok(())
    }

    async fn name(&self, url: &EnvironmentUrl) -> Result<String, CliError> {
        if let Some(name) = &self.args.name {
            check_name(name)?;
            return Ok(name.clone());
        }
        let editor = ConfigEditor::open(&self.path()?)?;
        let name = editor.name_for(url)?;
        match &self.questions {
            Some(questions) => {
                let question = "Name of the environment, for --environment";
                let read = |answer: &str| check_name(answer).map(|()| answer.to_owned());
                questions.ask(question, Some(&name), read).await
            }
            None => Ok(name),
        }
    }

    fn path(&self) -> Result<std::path::PathBuf, CliError> {
        Ok(config_path(self.args.connection.config.as_deref())?.0)
    }

    /// The environment as later commands will find it.
    fn target(&self, name: &str, editor: &ConfigEditor) -> Result<ResolvedTarget, CliError> {
        let layers = Layers::of_file(editor.file()?)?;
        let asked = ConnectionOptions {
            url: None,
            sign_in: SignInKeys::default(),
            ..options(&self.args.connection)
        };
        let target = layers.target(&asked, Some(name), None)?;
        Ok(ResolvedTarget {
            origin: Origin::Profile(name.to_owned()),
            ..target
        })
    }

    async fn check_and_write(
        &self,
        name: &str,
        url: &EnvironmentUrl,
        new: &NewProfile,
    ) -> Result<Exit, CliError> {
        let path = self.path()?;
        let mut editor = ConfigEditor::open(&path)?;
        editor.set(name, url, new)?;
        let target = self.target(name, &editor)?;
        let wanted = new.sign_in.sign_in.unwrap_or(SignInKind::Auto);
        let settled = chosen(&target)?;
        if wanted != SignInKind::Auto && settled.method.word() != wanted.as_str() {
            Printer::warn(&format!(
                "A variable of this shell counts more than the environment: commands here sign in by `{}`.",
                settled.method.word()
            ));
        }
        let one = NamedEnvironment {
            name: name.to_owned(),
            target,
        };
        let mut lists = self
            .connector
            .examine_all(&[one], NonZeroUsize::MIN, &[])
            .await;
        let list = lists.remove(0)?;
        self.print_checks(&list)?;
        let write = !list.has_failed() || self.write_anyway().await?;
        if write {
            // Signing in takes minutes, and the file may be another by now.
            let mut editor = ConfigEditor::open(&path)?;
            editor.set(name, url, new)?;
            let is_default = write_environment(&mut editor, name, self.args.default)?;
            say_written(self.app, &editor, name, is_default);
        }
        self.print_document(name, &path, &list, write)?;
        if !list.has_failed() {
            return Ok(Exit::Done);
        }
        if !write {
            let again = repeat_command(name, url, new, &self.args.connection);
            self.app.printer.error(
                "a check failed, and nothing was written",
                Some(&format!(
                    "mend what failed and repeat it without questions: `{again}`; --write-anyway writes the environment \
                     all the same"
                )),
            );
        }
        Ok(Exit::SignIn)
    }

    async fn write_anyway(&self) -> Result<bool, CliError> {
        match &self.questions {
            _ if self.args.write_anyway => Ok(true),
            Some(questions) => {
                questions
                    .is_so("A check failed. Write the environment all the same?")
                    .await
            }
            None => Ok(false),
        }
    }

    fn print_checks(&self, list: &Checklist) -> Result<(), CliError> {
        if self.app.printer.format == Format::Json {
            return Ok(());
        }
        let mut out = Printer::result();
        write_checklist(&mut out, list.checks(), self.app.printer.format)?;
        out.flush().map_err(CliError::Output)
    }

    fn print_document(
        &self,
        environment: &str,
        path: &Path,
        list: &Checklist,
        written: bool,
    ) -> Result<(), CliError> {
        if self.app.printer.format != Format::Json {
            return Ok(());
        }
        let document = Document {
            format: 1,
            environment,
            config: shown_path(path, "the configuration file"),
            written,
            checks: list.checks(),
        };
        let mut out = Printer::result();
        write_json(&mut out, &document).map_err(ReportError::from)?;
        out.flush().map_err(CliError::Output)
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

fn tenant_of(provider: &Provider) -> Option<&str> {
    match provider {
        Provider::Trusted(Authority::Entra { tenant, .. }) if tenant != "organizations" => {
            Some(tenant)
        }
        _ => None,
    }
}

/// Whether a method signs in by way of an application that has to be named.
pub(super) const fn needs_application(kind: SignInKind) -> bool {
    matches!(
        kind,
        SignInKind::ClientSecret
            | SignInKind::Certificate
            | SignInKind::Federation
            | SignInKind::DeviceCode
            | SignInKind::Browser
            | SignInKind::Password
    )
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

fn filled(answer: &str) -> Result<String, &'static str> {
    if answer.is_empty() {
        Err("Type something, or end this with Ctrl-C.")
    } else {
        Ok(answer.to_owned())
    }
}

/// The path of a file, which later commands may find from another folder.
fn existing(answer: &str) -> Result<String, &'static str> {
    if !Path::new(answer).is_file() {
        return Err("There is no such file.");
    }
    let path = std::fs::canonicalize(answer).map_err(|_| "The file cannot be read.")?;
    path.to_str()
        .map(str::to_owned)
        .ok_or("The path of the file is not UTF-8.")
}

fn existing_or_none(answer: &str) -> Result<Option<String>, &'static str> {
    if answer.is_empty() {
        return Ok(None);
    }
    existing(answer).map(Some)
}
