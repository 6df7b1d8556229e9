//! The only place that makes files: nobody but their owner may read them.

use std::fs::OpenOptions;

/// Options for a file that nobody but its owner may read. On Windows a file inherits the rights of its folder, and the
/// user's own folder is closed to others.
#[expect(
    clippy::disallowed_methods,
    reason = "everything else makes files with these options"
)]
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
