//! The `syncfilters` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    syncfilters::cli::main()
}
