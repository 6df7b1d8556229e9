//! `completions` and `man`.

use std::io::Write;

use crate::model::disclosure::shown_path;

use super::args::{CompletionsArgs, ManArgs};
use super::candidates::registration;
use super::command_line;
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;

pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit, CliError> {
    print(&registration(args.shell)?)
}

/// Prints the page of one command, or all of them, one after the other; or writes each to a separate file.
pub(super) fn man(args: &ManArgs) -> Result<Exit, CliError> {
    let mut command = command_line::without_help(command_line::command());
    command.build();
    if let Some(folder) = &args.output_dir {
        let failed = |source| CliError::File {
            name: shown_path(folder, "the folder"),
            source,
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(command, folder).map_err(failed)?;
        return Ok(Exit::Done);
    }
    let all = std::iter::once(&command).chain(command.get_subcommands());
    let pages: Vec<_> = match &args.command {
        None => all.collect(),
        Some(name) => command.find_subcommand(name).into_iter().collect(),
    };
    if pages.is_empty() {
        let names = command.get_subcommands().map(clap::Command::get_name);
        let names: Vec<_> = names.collect();
        return Err(CliError::Usage(format!(
            "there is no such command; the commands are {}",
            names.join(", ")
        )));
    }
    let mut text = Vec::new();
    for page in pages {
        clap_mangen::Man::new(page.clone())
            .render(&mut text)
            .map_err(CliError::Output)?;
    }
    print(&text)
}

fn print(text: &[u8]) -> Result<Exit, CliError> {
    let mut out = Printer::result();
    out.write_all(text)
        .and_then(|()| out.flush())
        .map_err(CliError::Output)?;
    Ok(Exit::Done)
}
