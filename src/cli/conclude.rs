//! The results of all environments; for one environment its result alone.

use std::io::Write;

use crate::report::{
    EnvironmentResults, ErrorReport, Format, Overview, StyledWrite, width_of_names, write_overview,
};

use crate::model::Outcome;
use crate::rollout::EndedRun;

use super::App;
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::site::{Ending, EnvironmentRun, EnvironmentStage, write_block_of, write_result};

/// Writes the results of all environments; `plans` says that plans were asked for. Returns the worst exit code.
pub(super) fn conclude(
    app: &App,
    sites: Vec<EnvironmentRun>,
    plans: bool,
) -> Result<Exit, CliError> {
    let mut endings = sites.into_iter().filter_map(|site| match site.stage {
        EnvironmentStage::Ended(ending) => Some((site.name, ending)),
        EnvironmentStage::Planned(_) => None,
    });
    if endings.size_hint().1 == Some(1) {
        return match endings.next() {
            Some((_, ending)) => conclude_one(app, &ending, plans),
            None => Ok(Exit::Done),
        };
    }
    let mut conclusion = Conclusion::new(app)?;
    let mut notes = Vec::new();
    let endings: Vec<_> = endings.collect();
    let width = width_of_names(endings.iter().map(|(name, _)| name.as_str()));
    for (name, ending) in endings {
        let is_block = plans && app.printer.format == Format::Table && !app.details;
        let planned = |run: &&EndedRun| run.outcome == Outcome::Planned;
        match &ending.run {
            Some(run) if is_block && planned(&run) => {
                let out = conclusion.several.without_heading();
                write_block_of(app, (&name, width), run, out)?;
                conclusion.end(ending.line(&name)?, ending.exit)?;
                notes.extend(ending.note.clone());
            }
            Some(_) if is_shown(app, &ending) => {
                conclusion.end(ending.line(&name)?, ending.exit)?;
            }
            Some(run) => {
                let mut out = conclusion.begin(&name, ending.error.as_ref())?;
                write_result(app, run, &mut out, plans)?;
                drop(out);
                conclusion.end(ending.line(&name)?, ending.exit)?;
                notes.extend(ending.note.clone());
            }
            None => conclusion.without_result(&name, &ending)?,
        }
    }
    let exit = conclusion.finish();
    for note in notes {
        app.printer.status_line(&note);
    }
    exit
}

fn is_shown(app: &App, ending: &Ending) -> bool {
    ending.is_shown && app.printer.format == Format::Table
}

/// An error without a run ends the command as usual.
fn conclude_one(app: &App, ending: &Ending, plans: bool) -> Result<Exit, CliError> {
    let Some(run) = &ending.run else {
        return match &ending.error {
            Some(report) => Err(CliError::Reported(report.clone())),
            None => Ok(ending.exit),
        };
    };
    // A refusal changed nothing: there is no result, and the error is the document.
    if let Some(report) = ending.error.as_ref().filter(|_| ending.refused) {
        ending.print_how_to_resume(None);
        return Err(CliError::Reported(report.clone()));
    }
    if !is_shown(app, ending) {
        let mut out = Printer::result();
        write_result(app, run, &mut out, plans)?;
        out.flush().map_err(CliError::Output)?;
    }
    ending.print_status(app, None);
    if let Some(note) = &ending.note {
        app.printer.status_line(note);
    }
    Ok(ending.exit)
}

/// The results of several environments, and the table at the end.
pub(super) struct Conclusion<'a> {
    app: &'a App,
    several: EnvironmentResults<'static>,
    overview: Vec<Overview>,
    exits: Vec<Exit>,
}

impl<'a> Conclusion<'a> {
    pub(super) fn new(app: &'a App) -> Result<Self, CliError> {
        Ok(Self {
            app,
            several: EnvironmentResults::new(Printer::result(), app.printer.format)?,
            overview: Vec::new(),
            exits: Vec::new(),
        })
    }

    /// Returns the writer for the result of an environment.
    pub(super) fn begin(
        &mut self,
        name: &str,
        error: Option<&ErrorReport>,
    ) -> Result<Box<dyn StyledWrite + '_>, CliError> {
        Ok(self.several.begin(name, error)?)
    }

    /// Finishes an environment whose result was written.
    pub(super) fn end(&mut self, line: Overview, exit: Exit) -> Result<(), CliError> {
        self.several.end(line.exit)?;
        self.overview.push(line);
        self.exits.push(exit);
        Ok(())
    }

    /// Adds an environment without a result.
    pub(super) fn without_result(&mut self, name: &str, ending: &Ending) -> Result<(), CliError> {
        let error = ending.error.as_ref();
        self.several.without_result(name, error)?;
        self.end(ending.line(name)?, ending.exit)
    }

    /// Writes the table. Returns the worst exit code.
    pub(super) fn finish(self) -> Result<Exit, CliError> {
        let printer = &self.app.printer;
        let mut out = self.several.finish()?;
        if printer.format == Format::Table {
            writeln!(out).map_err(CliError::Output)?;
            write_overview(&mut out, &self.overview, printer.style())?;
            out.flush().map_err(CliError::Output)?;
        } else {
            let (mut out, style) = printer.status();
            write_overview(&mut out, &self.overview, style)?;
            out.flush().map_err(CliError::Output)?;
        }
        Ok(Exit::worst(self.exits))
    }
}
