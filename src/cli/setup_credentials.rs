//! The other questions of `setup`: files with secrets, where the sign-in is kept, and the name.

use std::path::Path;

use crate::model::EnvironmentUrl;
use crate::settings::{ConfigEditor, KeepKind, SignInKeys, SignInKind};

use super::error::CliError;
use super::questions::Choice;
use super::setup::Setup;

impl Setup<'_> {
    /// Asks for what a method needs besides its application.
    pub(super) async fn credentials(
        &self,
        kind: SignInKind,
        keys: &mut SignInKeys,
    ) -> Result<(), CliError> {
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

    pub(super) async fn keep(
        &self,
        kind: SignInKind,
        keys: &mut SignInKeys,
    ) -> Result<(), CliError> {
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

    pub(super) async fn name(&self, url: &EnvironmentUrl) -> Result<String, CliError> {
        if let Some(name) = &self.args.name {
            return Ok(name.clone());
        }
        let editor = ConfigEditor::open(&self.path()?)?;
        let name = editor.name_for(url)?;
        match &self.questions {
            Some(questions) => {
                let question = "Name of the environment, for --environment";
                let read = |answer: &str| {
                    editor
                        .check_is_free(answer, url)
                        .map(|()| answer.to_owned())
                };
                questions.ask(question, Some(&name), read).await
            }
            None => Ok(name),
        }
    }
}

fn filled(answer: &str) -> Result<String, &'static str> {
    if answer.is_empty() {
        Err("Type something, or end this with Ctrl-C.")
    } else {
        Ok(answer.to_owned())
    }
}

/// The absolute path of a file, because later commands may run in another folder.
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
