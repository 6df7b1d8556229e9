//! How each of several environments ended, and the results of all of them.

use std::io::Write;

use crate::model::Outcome;
use crate::report::{Failure, Format, Overview, Several, StyledWrite, write_overview};

use crate::cli::App;
use crate::cli::driver::{Closed, Driver};
use crate::cli::error::{CliError, Told, how_to_go_on};
use crate::cli::exit::Exit;
use crate::cli::printer::Printer;

/// How one environment ended.
#[derive(Debug)]
pub(super) struct Ending {
    /// An outcome, or the stable word of an error.
    pub(super) word: String,
    pub(super) exit: Exit,
    pub(super) error: Option<Told>,
}

impl Ending {
    pub(super) fn well(word: &str, exit: Exit) -> Self {
        Self {
            word: word.to_owned(),
            exit,
            error: None,
        }
    }

    /// With an error, which is said at once, with the name of the environment.
    pub(super) fn badly(app: &App, name: &str, error: &CliError) -> Self {
        Self::of_error(app, name, error.told())
    }

    fn of_error(app: &App, name: &str, told: Told) -> Self {
        let message = format!("{name}: {}", told.message);
        app.printer.error(&message, told.hint.as_deref());
        Self {
            word: told.kind.to_owned(),
            exit: told.exit,
            error: Some(told),
        }
    }

    /// As a run was closed; where it was left, it is said why and how to go on.
    pub(super) fn of_run(app: &App, name: &str, driver: &Driver<'_>, closed: Closed) -> Self {
        let exit = closed.exit();
        match closed {
            Closed::Ended(outcome) => Self::well(word(outcome), exit),
            Closed::Stopped(told) => {
                let mut ending = Self::of_error(app, name, told);
                let how = how_to_go_on(&driver.rollout().head().id);
                Printer::warn(&format!("hint: {name}: {how}"));
                ending.exit = exit;
                ending
            }
        }
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Complete => "complete",
        Outcome::Partial => "partial",
        Outcome::Stopped => "stopped",
        Outcome::Planned => "planned",
        Outcome::Nothing => "nothing",
    }
}

/// Its line in the table at the end, without users and run.
pub(super) fn line(name: &str, ending: &Ending) -> Overview {
    Overview {
        environment: name.to_owned(),
        outcome: ending.word.clone(),
        exit: ending.exit as u8,
        ..Overview::default()
    }
}

/// Its line with what became of the users of its run.
pub(super) async fn line_of_run(
    name: &str,
    ending: &Ending,
    driver: &Driver<'_>,
) -> Result<Overview, CliError> {
    let users = driver.rollout().journal().user_totals().await?;
    Ok(Overview {
        users: Some((users.changed, users.failed)),
        run: Some(driver.name_to_type()),
        ..line(name, ending)
    })
}

/// The results of all environments, and the table at the end.
pub(super) struct Conclusion<'a> {
    app: &'a App,
    several: Several<'static>,
    overview: Vec<Overview>,
    exits: Vec<Exit>,
}

impl<'a> Conclusion<'a> {
    pub(super) fn new(app: &'a App) -> Result<Self, CliError> {
        Ok(Self {
            app,
            several: Several::new(Printer::result(), app.printer.format)?,
            overview: Vec::new(),
            exits: Vec::new(),
        })
    }

    /// Where the result of an environment is to be written.
    pub(super) fn begin(
        &mut self,
        name: &str,
        error: Option<&Told>,
    ) -> Result<Box<dyn StyledWrite + '_>, CliError> {
        Ok(self.several.begin(name, error.map(failure))?)
    }

    /// Ends an environment whose result was written.
    pub(super) fn end(&mut self, line: Overview, exit: Exit) -> Result<(), CliError> {
        self.several.end(line.exit)?;
        self.overview.push(line);
        self.exits.push(exit);
        Ok(())
    }

    /// Adds an environment that has no result.
    pub(super) fn without_result(&mut self, name: &str, ending: &Ending) -> Result<(), CliError> {
        let error = ending.error.as_ref().map(failure);
        self.several.without_result(name, error)?;
        self.end(line(name, ending), ending.exit)
    }

    /// Writes the table; the worst exit code counts.
    pub(super) fn finish(self) -> Result<Exit, CliError> {
        let printer = &self.app.printer;
        let mut out = self.several.finish()?;
        if printer.format == Format::Table {
            writeln!(out).map_err(CliError::Output)?;
            write_overview(&mut out, &self.overview, printer.look())?;
            out.flush().map_err(CliError::Output)?;
        } else {
            let (mut out, look) = printer.talk();
            write_overview(&mut out, &self.overview, look)?;
            out.flush().map_err(CliError::Output)?;
        }
        Ok(Exit::worst(self.exits))
    }
}

fn failure(told: &Told) -> Failure<'_> {
    Failure {
        kind: told.kind,
        message: &told.message,
        hint: told.hint.as_deref(),
    }
}
