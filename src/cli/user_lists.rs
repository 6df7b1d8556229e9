//! Reads files that list users.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::model::disclosure::shown_path;
use crate::plan::{LONGEST_LIST, UserRef, read_user_list};

use super::error::CliError;
use super::printer::Printer;

/// The users of a list; `-` is standard input. `column` is the title of the column with the names, if it is
/// not a known one.
///
/// # Errors
/// Where the file cannot be read, or the list is ambiguous, with its line.
pub(super) fn read_list(path: &str, column: Option<&str>) -> Result<Vec<UserRef>, CliError> {
    let (name, bytes) = if path == "-" {
        ("standard input", read_bounded(io::stdin().lock()))
    } else {
        (path, read_file(path))
    };
    let bytes = bytes.map_err(|source| CliError::File {
        name: if path == "-" {
            name.to_owned()
        } else {
            shown_path(Path::new(path), "the file")
        },
        source,
    })?;
    let list = read_user_list(name, &bytes, column)?;
    if let Some(words) = list.hidden_words(&shown_path(Path::new(name), "the workbook")) {
        Printer::warn(&words);
    }
    Ok(list.users)
}

/// Reads a list, which may come from another program: as standard input, as `<(command)`, or by a named pipe, to which
/// a user who names it also writes.
fn read_file(path: &str) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::other(
            "this is a folder; give the file with the list",
        ));
    }
    read_bounded(file)
}

/// Reads one byte more than the limit, which shows that a list is too long without reading an endless file.
fn read_bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LONGEST_LIST).unwrap_or(u64::MAX);
    from.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
