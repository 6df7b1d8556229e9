//! What is shown of a run that is driven from the terminal.

use std::io::Write;

use crate::model::Outcome;
use crate::report::{
    Format, StyledWrite, write_calendar_warning, write_differences, write_document, write_plan,
    write_run, write_summary,
};
use crate::rollout::Differences;

use super::consent::Stakes;
use super::driver::{Closed, Driver};
use super::error::{CliError, how_to_go_on};
use super::exit::Exit;
use super::printer::Printer;

impl Driver<'_> {
    /// Shows how a plan that was made anew differs from the one before.
    pub(super) fn show_differences(&self, differences: &Differences) -> Result<(), CliError> {
        let (mut out, look) = self.printer.talk();
        write_differences(&mut out, differences, look)?;
        out.flush().map_err(CliError::Output)
    }

    /// Shows the plan, to be agreed to.
    pub(super) fn show_plan(&self, stakes: Stakes) -> Result<(), CliError> {
        let run = self.read()?;
        let (mut out, look) = self.printer.talk();
        write_plan(&mut out, &run, look)?;
        writeln!(out).map_err(CliError::Output)?;
        if stakes.calendar_loss {
            write_calendar_warning(&mut out, &run.head, look)?;
            writeln!(out).map_err(CliError::Output)?;
        }
        out.flush().map_err(CliError::Output)
    }

    /// Writes a plan that is kept, as a result.
    pub(super) async fn write_kept_plan(&self, out: &mut dyn StyledWrite) -> Result<(), CliError> {
        let calendar_loss = self.calendar_loss().await?;
        let run = self.read()?;
        match self.printer.format {
            Format::Table => {
                write_plan(out, &run, self.printer.look())?;
                if calendar_loss {
                    writeln!(out).map_err(CliError::Output)?;
                    write_calendar_warning(out, &run.head, self.printer.look())?;
                }
            }
            Format::Json => write_document(out, &run)?,
            format @ (Format::Csv | Format::Markdown | Format::Html) => {
                write_run(out, &run, format, self.printer.look())?;
            }
        }
        Ok(())
    }

    /// Shows how the run ended, or why it was left and how to go on.
    pub(super) fn show_closed(&self, closed: &Closed) -> Result<Exit, CliError> {
        self.show_result()?;
        if let Closed::Stopped(told) = closed {
            self.printer.error(&told.message, told.hint.as_deref());
            Printer::warn(&format!("hint: {}", how_to_go_on(&self.rollout.head().id)));
        }
        Ok(closed.exit())
    }

    /// Shows a dry run, whose plan is kept.
    pub(super) fn show_dry_run(&self) -> Result<Exit, CliError> {
        self.printer
            .say("This was a dry run: no change was sent, and the plan is kept.");
        self.show_result()?;
        Ok(Exit::of_outcome(Outcome::Planned))
    }

    fn show_result(&self) -> Result<(), CliError> {
        let mut out = Printer::result();
        self.write_result(&mut out)?;
        out.flush().map_err(CliError::Output)
    }

    /// Writes what became of the run.
    pub(super) fn write_result(&self, out: &mut dyn StyledWrite) -> Result<(), CliError> {
        let run = self.read()?;
        match self.printer.format {
            Format::Table => write_summary(out, &run, self.printer.look())?,
            Format::Json => write_document(out, &run)?,
            format @ (Format::Csv | Format::Markdown | Format::Html) => {
                write_run(out, &run, format, self.printer.look())?;
            }
        }
        Ok(())
    }
}
