//! Reads files that a user named: one may be a device that never ends, or a pipe that nobody writes to.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// The contents of a file.
///
/// # Errors
/// Where it cannot be read, where it is not a regular file, and where it is longer than `longest` bytes; at most one
/// byte more is read.
pub(crate) fn read(path: &Path, longest: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1);
    open(path)?.take(most).read_to_end(&mut bytes)?;
    if bytes.len() > longest {
        let why = format!("it is longer than {} KiB", longest / 1024);
        return Err(io::Error::new(ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// Opens a regular file, also through a link.
///
/// # Errors
/// Where it cannot be opened, and where it is not a regular file: opening a pipe would wait for its writer. A pipe that
/// the shell has opened for this process, `<(command)`, is accepted, because a command writes to it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if is_open_already(path) {
        return File::open(path);
    }
    // Checked before it is opened, because opening a pipe waits for its writer.
    check_regular(&std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Whether the path names a descriptor of this process, as shells write `<(command)`.
fn is_open_already(path: &Path) -> bool {
    let folders = ["/dev/fd", "/proc/self/fd"];
    cfg!(unix)
        && (path == Path::new("/dev/stdin")
            || path
                .parent()
                .is_some_and(|folder| folders.iter().any(|own| folder == Path::new(own))))
}

/// Refuses anything but a regular file.
pub(crate) fn check_regular(about: &std::fs::Metadata) -> io::Result<()> {
    if about.is_dir() {
        return Err(io::Error::other("it is a folder, not a file"));
    }
    if about.is_file() {
        return Ok(());
    }
    Err(io::Error::other(
        "it is a pipe or a device, not a regular file",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_long_or_has_no_end_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(2048).unwrap();
        assert_eq!(read(file.path(), 2048).unwrap().len(), 2048);
        let error = read(file.path(), 1024).unwrap_err();
        assert_eq!(error.to_string(), "it is longer than 1 KiB");
        #[cfg(unix)]
        assert!(read(Path::new("/dev/zero"), 1024).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_the_shell_has_opened_is_read() {
        use std::io::Write;
        use std::os::fd::AsRawFd;

        let (from, mut into) = io::pipe().unwrap();
        into.write_all(b"anna@contoso.example\n").unwrap();
        drop(into);
        let path = format!("/dev/fd/{}", from.as_raw_fd());
        let bytes = read(Path::new(&path), 1024).unwrap();
        assert_eq!(bytes, b"anna@contoso.example\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_a_device_and_a_folder_are_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for path in [&*pipe, &*link, Path::new("/dev/null")] {
            let error = read(path, 1024).unwrap_err();
            assert!(error.to_string().contains("pipe or a device"), "{error}");
        }
        let error = read(folder.path(), 1024).unwrap_err();
        assert!(error.to_string().contains("folder"), "{error}");
    }
}
