//! Identifies a file: by facts that stay when it is renamed, and differ when another file takes its name.
//!
//! On Unix nothing is opened for this: closing a descriptor of a SQLite file outside SQLite drops the locks that this
//! process holds on it. On Windows, where locks belong to the handle, a file has to be opened to be identified.

use std::fs::File;
use std::io;
use std::path::Path;

/// Device and inode; on Windows volume and index. Both are 0 where the file system does not provide them, as on some
/// file servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileIdentity {
    pub(super) volume: u64,
    pub(super) index: u64,
}

/// The facts that are used of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileFacts {
    /// Whether it is a regular file, and not a link to one.
    pub(super) is_file: bool,
    /// Its length in bytes.
    pub(super) length: u64,
    pub(super) identity: FileIdentity,
    /// The number of its names (hard links).
    pub(super) names: u64,
}

impl FileFacts {
    /// The facts of the file with this name; a link is not followed.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let about = std::fs::symlink_metadata(path)?;
        let (identity, names) = system::identity(path, &about)?;
        Ok(Self {
            is_file: about.is_file(),
            length: about.len(),
            identity,
            names,
        })
    }
}

/// Whether an open file still has this name.
pub(super) fn has_this_name(file: &File, path: &Path) -> bool {
    let (Ok(here), Ok(named)) = (system::identity_of_open(file), FileFacts::of(path)) else {
        return false;
    };
    here == named.identity
}

#[cfg(unix)]
mod system {
    use std::fs::{File, Metadata};
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use super::FileIdentity;

    fn of(about: &Metadata) -> FileIdentity {
        FileIdentity {
            volume: about.dev(),
            index: about.ino(),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "elsewhere the file is opened")]
    pub(super) fn identity(_: &Path, about: &Metadata) -> io::Result<(FileIdentity, u64)> {
        Ok((of(about), about.nlink()))
    }

    pub(super) fn identity_of_open(file: &File) -> io::Result<FileIdentity> {
        Ok(of(&file.metadata()?))
    }
}

#[cfg(windows)]
mod system {
    use std::fs::{File, Metadata};
    use std::io;
    use std::path::Path;

    use winapi_util::Handle;
    use winapi_util::file::{Information, information};

    use super::FileIdentity;

    fn of(about: &Information) -> FileIdentity {
        FileIdentity {
            volume: about.volume_serial_number(),
            index: about.file_index(),
        }
    }

    pub(super) fn identity(path: &Path, about: &Metadata) -> io::Result<(FileIdentity, u64)> {
        if !about.is_file() {
            return Ok((FileIdentity::default(), 1));
        }
        let about = information(Handle::from_path_any(path)?)?;
        Ok((of(&about), about.number_of_links()))
    }

    pub(super) fn identity_of_open(file: &File) -> io::Result<FileIdentity> {
        Ok(of(&information(file)?))
    }
}
