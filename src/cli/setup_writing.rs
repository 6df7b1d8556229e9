//! The end of `setup`: the sign-in is tried, `doctor` checks the environment, and it is written.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;

use serde::Serialize;

use crate::connect::{Check, Checklist, ConnectionOptions, Layers, NamedEnvironment, chosen};
use crate::model::EnvironmentUrl;
use crate::model::disclosure::shown_path;
use crate::report::{Format, ReportError, write_json};
use crate::settings::{ConfigEditor, NewProfile, Origin, ResolvedTarget, SignInKeys, SignInKind};

use super::checklist::write_checklist;
use super::connect::options;
use super::environments::{say_written, write_environment};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::setup::Setup;
use super::setup_answers::repeat_command;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    environment: &'a str,
    config: String,
    written: bool,
    checks: &'a [Check],
}

impl Setup<'_> {
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

    pub(super) async fn check_and_write(
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
