//! Whether a file is on another machine. SQLite's log needs memory that is shared by the processes of one machine, so a
//! run file on a file server works as long as one machine uses it ("Write-Ahead Logging", sqlite.org/wal.html).

use std::path::Path;

use super::place::real;

/// Whether a file, or the folder of a future file, is known to be on another machine. A file system that does not
/// tell, such as one of FUSE, counts as local.
pub fn is_on_another_machine(path: &Path) -> bool {
    let there = path.ancestors().find_map(|path| real(path).ok());
    there.is_some_and(|path| is_share(&path.to_string_lossy()) || is_network_file_system(&path))
}

/// Whether a Windows path, with drive letters resolved, begins with the name of a server.
fn is_share(path: &str) -> bool {
    let Some(name) = path.strip_prefix(r"\\") else {
        return false;
    };
    // `?` and `.` are not servers, but other names of this machine.
    name.starts_with(r"?\UNC\") || !name.starts_with(['?', '.'])
}

#[cfg(target_os = "linux")]
fn is_network_file_system(path: &Path) -> bool {
    /// File system types of `statfs(2)`: NFS, SMB, CIFS, SMB 2, AFS, Coda, NCP, 9P, Ceph and Lustre.
    const NETWORK: [u32; 10] = [
        0x6969,
        0x517b,
        0xff53_4d42,
        0xfe53_4d42,
        0x5346_414f,
        0x7375_7245,
        0x564c,
        0x0102_1997,
        0x00c3_6400,
        0x0bd0_0bd0,
    ];
    let about = rustix::fs::statfs(path);
    // The kernel's numbers have 32 bits, and are signed on some machines.
    about.is_ok_and(|about| {
        NETWORK
            .iter()
            .any(|kind| i64::from(*kind) == about.f_type & 0xffff_ffff)
    })
}

#[cfg(not(target_os = "linux"))]
fn is_network_file_system(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_names_a_server_is_on_another_machine() {
        for path in [
            r"\\files\profiles$\anna\AppData\Roaming\syncfilters\runs",
            r"\\?\UNC\files\profiles$\anna",
            r"\\wsl$\Debian\home",
        ] {
            assert!(is_share(path), "{path}");
        }
        for path in [
            r"C:\Users\anna",
            r"\\?\C:\Users",
            r"\\.\C:\Users",
            "/home/anna",
        ] {
            assert!(!is_share(path), "{path}");
        }
    }

    #[test]
    fn a_folder_of_this_machine_is_not_on_another_even_before_it_is_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_on_another_machine(&folder.path().join("state/runs")));
    }
}
