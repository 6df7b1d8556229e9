//! Reading files that somebody named: one may be a device that never ends.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// What is in a file.
///
/// # Errors
/// Where it cannot be read, and where it is longer than so many bytes; no more than one byte over them is read.
pub(crate) fn read(path: &Path, longest: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)?
        .take(most)
        .read_to_end(&mut bytes)?;
    if bytes.len() > longest {
        let why = format!("it is longer than {} KiB", longest / 1024);
        return Err(io::Error::new(ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
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
}
