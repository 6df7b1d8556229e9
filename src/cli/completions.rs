//! `completions` and `man`: made from the same description of the command line as the help.

use std::io::Write;

use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;

/// Prints the completions for a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "syncfilters", &mut text);
    print(&text)
}

/// Prints the manual page of the command, followed by those of its subcommands.
pub(super) fn man() -> Result<Exit, CliError> {
    let mut text = Vec::new();
    let mut command = Cli::command();
    command.build();
    let pages = std::iter::once(&command).chain(command.get_subcommands());
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
