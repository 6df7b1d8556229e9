//! The end of `setup`: tries the sign-in, runs `doctor`, and writes the environment.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;

use serde::Serialize;

use crate::connect::{Check, Checklist, ConnectionOptions, Layers, NamedEnvironment, chosen};
use crate::model::EnvironmentUrl;
use crate::model::disclosure::shown_path;
use crate::report::{Format, ReportError, write_json};
use crate::settings::{ConfigEditor, NewProfile, Origin, ResolvedTarget, SignInKeys};

use super::checklist::write_checklist;
use super::connect::options;
use super::environments::{print_written, write_environment};
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
    /// The environment as later commands will find it without overriding variables. Those are reported: the
    /// sign-in that is tried is the one that is written.
    fn target(
        &self,
        name: &str,
        editor: &ConfigEditor,
        written: &SignInKeys,
    ) -> Result<ResolvedTarget, CliError> {
        let layers = Layers::of_file(editor.file()?)?;
        let asked = ConnectionOptions {
            url: None,
            sign_in: SignInKeys::default(),
            ..options(&self.args.connection)
        };
        let target = layers.target(&asked, Some(name), None)?;
        let overridden = overridden(written, &target.sign_in);
        if !overridden.is_empty() {
            Printer::warn(&format!(
                "Variables of this shell count more than the environment for {}: commands here sign in otherwise. The \
                 sign-in of the environment is tried without them.",
                overridden.join(", ")
            ));
        }
        Ok(ResolvedTarget {
            origin: Origin::Profile(name.to_owned()),
            sign_in: layers.sign_in_as_written(written),
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
        let target = self.target(name, &editor, &new.sign_in)?;
        // Settings that cannot sign in anywhere are refused before the environment is asked.
        chosen(&target)?;
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
            // Signing in takes minutes, and the file may have changed.
            let mut editor = ConfigEditor::open(&path)?;
            editor.set(name, url, new)?;
            let is_default = write_environment(&mut editor, name, self.args.default)?;
            print_written(self.app, &editor, name, is_default);
        }
        self.print_document(name, &path, &list, write)?;
        if !list.has_failed() {
            return Ok(Exit::Done);
        }
        if !write {
            let again = repeat_command(name, url, new, (self.args, &self.app.output));
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

/// The keys of an environment that other settings override.
fn overridden(written: &SignInKeys, counting: &SignInKeys) -> Vec<String> {
    let counting = counting.texts();
    let says_otherwise = |key: &str, value: &str| {
        counting
            .iter()
            .any(|(it, other)| it == key && other != value)
    };
    let keys = written.texts().into_iter();
    let keys = keys.filter(|(key, value)| says_otherwise(key, value));
    keys.map(|(key, _)| format!("`{key}`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SignInKind;

    #[test]
    fn a_variable_that_counts_more_is_found_and_one_that_completes_is_none() {
        let written = SignInKeys {
            sign_in: Some(SignInKind::AzureCli),
            tenant: Some("a".into()),
            ..SignInKeys::default()
        };
        let variables = SignInKeys {
            sign_in: Some(SignInKind::Given),
            client_id: Some("b".into()),
            ..SignInKeys::default()
        };
        let counting = variables.or(written.clone());
        assert_eq!(overridden(&written, &counting), ["`sign-in`"]);
        assert!(overridden(&written, &written).is_empty());
    }
}
