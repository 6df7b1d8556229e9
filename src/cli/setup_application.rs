//! The application of `setup`: an existing one, a new one, or Microsoft's.

use std::io::Write;
use std::path::PathBuf;

use uuid::Uuid;

use crate::auth::{Authority, Tool};
use crate::connect::{Provider, process_environment};
use crate::model::{Cloud, EnvironmentUrl};
use crate::report::{Format, ReportError, write_json};
use crate::settings::{MICROSOFT_APP, MICROSOFT_APP_NAME, SignInKeys, SignInKind};

use super::create_app::NewApp;
use super::error::CliError;
use super::printer::Printer;
use super::questions::Choice;
use super::setup::{Setup, nobody_to_ask};

/// The application through which a user signs in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Application {
    Own,
    Created,
    Microsoft,
}

impl Setup<'_> {
    /// The application for signing in. `false` where its commands were shown, and nothing is left to do.
    pub(super) async fn application(
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
            self.check_create_app(provider, kind)?;
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

    /// Refuses what `--create-app` cannot make, and with `--run-az` everything that would fail after the application
    /// was made.
    fn check_create_app(&self, provider: &Provider, kind: SignInKind) -> Result<(), CliError> {
        if !NewApp::is_one_of_entra(kind) {
            return Err(CliError::Usage(format!(
                "--create-app: sign-in `{kind}` needs no application of Entra ID; leave the flag out"
            )));
        }
        if !is_entra(provider) {
            return Err(CliError::Usage(format!(
                "--create-app makes an application of Entra ID, and the identity provider is {provider}: register it \
                 there, and give its id with --client-id"
            )));
        }
        if self.args.run_az {
            self.find_az(kind)?;
        }
        Ok(())
    }

    /// The path of `az`, where it may make an application.
    fn find_az(&self, kind: SignInKind) -> Result<PathBuf, CliError> {
        let is_for_a_person = matches!(kind, SignInKind::Browser | SignInKind::DeviceCode);
        if !is_for_a_person {
            return Err(CliError::Usage(
                "--run-az makes applications for browser and device-code; without it the commands for others are shown"
                    .into(),
            ));
        }
        if self.questions.is_none() {
            return Err(CliError::Usage(
                "--run-az makes an application for a person, who then signs in at a terminal, and there is none; without it \
                 the commands of az are shown"
                    .into(),
            ));
        }
        Tool::Azure.find(process_environment().path).ok_or_else(|| {
            CliError::Usage("the Azure CLI, az, is in no folder of PATH; without --run-az the commands are shown".into())
        })
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
        if keys.authority.is_none() && NewApp::is_one_of_entra(new.kind) {
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
        let program = self.find_az(new.kind)?;
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
}

fn is_entra(provider: &Provider) -> bool {
    matches!(provider, Provider::Trusted(authority) if !authority.is_ad_fs())
}

fn tenant_of(provider: &Provider) -> Option<&str> {
    match provider {
        Provider::Trusted(Authority::Entra { tenant, .. }) if tenant != "organizations" => {
            Some(tenant)
        }
        _ => None,
    }
}

/// Whether a method needs the id of an application.
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
