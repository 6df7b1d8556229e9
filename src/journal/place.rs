//! A run file in the file system.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};

use super::OpenError;
use super::file_facts::{FileFacts, FileIdentity};
use crate::model::shell::path_argument;

/// A regular file with one name, with all links resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundFile {
    path: PathBuf,
    identity: FileIdentity,
    /// Its length in bytes when it was found: SQLite only makes it longer.
    length: u64,
}

impl FoundFile {
    /// Finds the file with this path.
    ///
    /// # Errors
    /// Where there is none, and where it is not a regular file with exactly one name: the lock and the log beside a
    /// file belong to one of its names.
    pub(super) fn at(path: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        let real = real(path).map_err(io)?;
        let about = FileFacts::of(&real).map_err(io)?;
        let refused = |why: &str| OpenError::NotARunFile {
            path: path.to_owned(),
            why: Some(why.to_owned()),
        };
        if !about.is_file {
            return Err(refused("it is no regular file"));
        }
        if about.names > 1 {
            return Err(refused(
                "it has several names (hard links), under each of which it could be used at the same time; copy it, and use the copy",
            ));
        }
        Ok(Self {
            path: real,
            identity: about.identity,
            length: about.length,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this path still leads to this file, it has no other name, and it was not truncated.
    pub(super) fn is_still_there(&self) -> bool {
        let is_it = |about: FileFacts| {
            about.is_file
                && about.identity == self.identity
                && about.names == 1
                && about.length >= self.length
        };
        FileFacts::of(&self.path).is_ok_and(is_it)
    }

    /// Whether both are the same file; false where the file system does not identify files.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.path == other.path
            && self.identity == other.identity
            && self.identity != FileIdentity::default()
    }

    /// The path of a file that SQLite may keep beside this one.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        beside(&self.path, suffix)
    }

    /// The length of such a file in bytes; none where it does not exist.
    pub(super) fn length_beside(&self, suffix: &str) -> Option<u64> {
        let about = std::fs::symlink_metadata(self.beside(suffix));
        about.ok().map(|about| about.len())
    }

    /// Whether SQLite has no file beside this one.
    pub(super) fn has_nothing_beside(&self) -> bool {
        !BESIDE
            .iter()
            .any(|suffix| self.length_beside(suffix).is_some())
    }

    /// Identifies this file under this name: never 0, and different for a copy and for a moved file.
    pub(super) fn mark(&self) -> i64 {
        let FileIdentity { volume, index } = self.identity;
        let mut hash = Context::new(&SHA256);
        hash.update(&volume.to_le_bytes());
        hash.update(&index.to_le_bytes());
        hash.update(self.path.as_os_str().as_encoded_bytes());
        let digest = hash.finish();
        let first = digest.as_ref().iter().take(8);
        let number = first.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // Files that were in use before this number existed contain 1.
        i64::try_from(number >> 1).unwrap_or(i64::MAX).max(2)
    }

    /// The path of the lock of this file, which does not depend on the file's name.
    pub(super) fn lock_path(&self) -> PathBuf {
        let FileIdentity { volume, index } = self.identity;
        let name = match (volume, index) {
            (_, 0) => {
                let name = self.path.file_name().unwrap_or_default().to_string_lossy();
                format!(".{name}.file.lock")
            }
            _ => format!(".{volume:x}-{index:x}.lock"),
        };
        self.path.with_file_name(name)
    }
}

/// Suffixes of the files that SQLite may keep beside a database: its log, the log's index, and its rollback journal.
pub(super) const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A path with all links resolved, in the usual form, which SQLite accepts.
pub(super) fn real(path: &Path) -> io::Result<PathBuf> {
    let real = std::fs::canonicalize(path)?;
    let plain = real.to_str().and_then(without_prefix);
    Ok(plain.map_or(real, PathBuf::from))
}

/// Removes the prefix that Windows adds: `\\?\C:\…` and `\\?\UNC\server\share\…`.
fn without_prefix(real: &str) -> Option<String> {
    let plain = real.strip_prefix(r"\\?\")?;
    match plain.strip_prefix(r"UNC\") {
        Some(share) => Some(format!(r"\\{share}")),
        None => (plain.as_bytes().get(1) == Some(&b':')).then(|| plain.to_owned()),
    }
}

/// Makes a file private that an earlier version made readable for others.
pub(super) fn make_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The file of another owner stays as it is.
        let _ = std::fs::set_permissions(path, PermissionsExt::from_mode(0o600));
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Refuses a folder of run files that other users could write to, because its contents are trusted.
pub(super) fn check_folder(folder: &Path) -> Result<(), OpenError> {
    let about = match std::fs::metadata(folder) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            return Err(OpenError::Io {
                path: folder.to_owned(),
                source,
            });
        }
    };
    // A user who may write to the parent folder can replace this one.
    let around = folder.parent().map(|path| (path, std::fs::metadata(path)));
    match (foreign_rights(&about), around) {
        (Some(found), _) => Err(found.at(folder)),
        (None, Some((path, Ok(about)))) if is_open_to_all(&about) => {
            Err(ForeignRights::MayWrite.at(path))
        }
        (None, _) => Ok(()),
    }
}

/// What other users can do with a folder or file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ForeignRights {
    /// Another user owns it.
    #[cfg_attr(windows, expect(dead_code, reason = "the owner is not known there"))]
    Own,
    /// Other users may write to it.
    MayWrite,
}

impl ForeignRights {
    fn at(self, path: &Path) -> OpenError {
        let (why, remedy) = match self {
            Self::Own => (
                "it belongs to somebody else",
                "name a folder of your own with --state-dir".to_owned(),
            ),
            Self::MayWrite => (
                "others may write to it",
                format!(
                    "take that right from them: `chmod go-w {}`",
                    path_argument(path)
                ),
            ),
        };
        OpenError::OpenToOthers {
            path: path.to_owned(),
            why,
            remedy,
        }
    }
}

/// Refuses a run file in the own store that other users could have written, because its contents are trusted.
pub(super) fn check_file(path: &Path) -> Result<(), OpenError> {
    let Some(found) = std::fs::metadata(path)
        .ok()
        .as_ref()
        .and_then(foreign_rights)
    else {
        return Ok(());
    };
    // Other users cannot reach files in a folder that only its owner may enter.
    let folder = path.parent().and_then(|path| std::fs::metadata(path).ok());
    if folder.is_some_and(|folder| !can_be_entered(&folder)) {
        return Ok(());
    }
    Err(found.at(path))
}

#[cfg(unix)]
fn can_be_entered(about: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o011 != 0
}

#[cfg(not(unix))]
fn can_be_entered(_: &Metadata) -> bool {
    true
}

/// Whether every user may replace files in a folder; not in a sticky one such as `/tmp`.
#[cfg(unix)]
fn is_open_to_all(about: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o1002 == 0o002
}

#[cfg(not(unix))]
fn is_open_to_all(_: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn foreign_rights(about: &Metadata) -> Option<ForeignRights> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Some(ForeignRights::Own);
    }
    let others = about.permissions().mode() & 0o022 != 0;
    others.then_some(ForeignRights::MayWrite)
}

/// On Windows the state folder is in the user's profile, which is closed to others; the standard library cannot
/// read the permissions of another folder.
#[cfg(not(unix))]
fn foreign_rights(_: &Metadata) -> Option<ForeignRights> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_path_of_windows_is_shown_without_its_technical_prefix() {
        for (real, plain) in [
            (r"\\?\C:\Users\a.run", Some(r"C:\Users\a.run")),
            (r"\\?\UNC\files\a$\a.run", Some(r"\\files\a$\a.run")),
            (r"\\?\Volume{0}\a.run", None),
            ("/home/anna/a.run", None),
        ] {
            assert_eq!(without_prefix(real).as_deref(), plain, "{real}");
        }
    }

    #[test]
    fn a_file_is_known_by_one_name_only() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a.run"), "").unwrap();
        symlink(at("a.run"), at("link.run")).unwrap();
        let found = FoundFile::at(&at("link.run")).unwrap();
        assert_eq!(found, FoundFile::at(&at("a.run")).unwrap());
        std::fs::hard_link(at("a.run"), at("b.run")).unwrap();
        let error = FoundFile::at(&at("a.run")).unwrap_err().to_string();
        assert!(error.contains("hard links"), "{error}");
        assert!(FoundFile::at(folder.path()).is_err());
        assert!(FoundFile::at(&at("nothing.run")).is_err());
    }

    #[test]
    fn a_file_is_gone_where_another_has_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.run");
        std::fs::write(&path, "").unwrap();
        let found = FoundFile::at(&path).unwrap();
        assert!(found.is_still_there());
        std::fs::hard_link(&path, folder.path().join("second.run")).unwrap();
        assert!(!found.is_still_there());
        std::fs::remove_file(folder.path().join("second.run")).unwrap();
        assert!(found.is_still_there());
        std::fs::rename(&path, folder.path().join("b.run")).unwrap();
        assert!(!found.is_still_there());
        std::fs::write(&path, "").unwrap();
        assert!(!found.is_still_there());
    }

    #[test]
    fn a_file_of_which_something_was_cut_off_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.run");
        std::fs::write(&path, "0123456789").unwrap();
        let found = FoundFile::at(&path).unwrap();
        std::fs::write(&path, "01234567890").unwrap();
        assert!(found.is_still_there());
        std::fs::write(&path, "0").unwrap();
        assert!(!found.is_still_there());
    }

    #[test]
    fn a_state_folder_that_everybody_may_write_is_refused() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("runs");
        std::fs::create_dir(&folder).unwrap();
        for (mode, good) in [(0o755, true), (0o777, false), (0o1777, true)] {
            std::fs::set_permissions(state.path(), PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(check_folder(&folder).is_ok(), good, "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_others_could_have_written_is_refused_where_they_reach_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.run");
        std::fs::write(&file, "").unwrap();
        for (of_folder, of_file, good) in [
            (0o755, 0o644, true),
            (0o755, 0o666, false),
            (0o750, 0o660, false),
            (0o700, 0o666, true),
        ] {
            std::fs::set_permissions(&file, PermissionsExt::from_mode(of_file)).unwrap();
            std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(of_folder)).unwrap();
            assert_eq!(check_file(&file).is_ok(), good, "{of_folder:o} {of_file:o}");
        }
    }

    #[test]
    fn a_folder_that_others_may_write_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, good) in [(0o700, true), (0o755, true), (0o770, false), (0o702, false)] {
            std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(mode)).unwrap();
            match check_folder(folder.path()) {
                Ok(()) => assert!(good, "{mode:o}"),
                Err(error) => {
                    assert!(!good, "{mode:o}");
                    assert!(
                        matches!(error, OpenError::OpenToOthers { remedy, .. } if remedy.contains("chmod"))
                    );
                }
            }
        }
        assert!(check_folder(&folder.path().join("none")).is_ok());
    }
}
