//! Whether accounts other than the owner may read a file with a secret.

use std::path::Path;

/// What other accounts may do with a file, as far as it is known.
///
/// On Unix by its mode. On Windows by what the access list grants to a group with more members than this account,
/// such as `Users`; `icacls` reads the list. Where `icacls` fails, nothing is known.
pub(super) fn others_may(path: &Path) -> std::io::Result<Option<&'static str>> {
    system::others_may(path)
}

#[cfg(unix)]
mod system {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    pub(super) fn others_may(path: &Path) -> std::io::Result<Option<&'static str>> {
        Ok(
            match std::fs::metadata(path)?.permissions().mode() & 0o077 {
                0 => None,
                bits if bits & 0o007 != 0 => Some("everybody may use it"),
                _ => Some("its group may use it"),
            },
        )
    }
}

#[cfg(windows)]
mod system {
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use super::access_list;

    /// The longest saved list that is read, in bytes; lists made by hand are far shorter.
    const LONGEST: usize = 1 << 20;

    #[expect(
        clippy::unnecessary_wraps,
        reason = "elsewhere the file itself is asked"
    )]
    pub(super) fn others_may(path: &Path) -> std::io::Result<Option<&'static str>> {
        Ok(saved_list(path).and_then(|list| access_list::others_may(&list)))
    }

    /// The access list as `icacls` saves it: with account ids, and not with names in the system's language.
    fn saved_list(path: &Path) -> Option<String> {
        let system = std::env::var_os("SystemRoot").map(PathBuf::from)?;
        let folder = tempfile::tempdir().ok()?;
        let saved = folder.path().join("rights");
        let status = Command::new(system.join(r"System32\icacls.exe"))
            .arg(path)
            .arg("/save")
            .arg(&saved)
            .arg("/q")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok()?;
        let bytes = crate::bounded_file::read(&saved, LONGEST).ok()?;
        status.success().then(|| access_list::text(&bytes))
    }
}

/// The text form of an access list (Microsoft: "ACE strings", "SID strings", "Security descriptor string format").
#[cfg(any(windows, test))]
mod access_list {
    use encoding_rs::{UTF_8, UTF_16LE};

    /// Decodes what `icacls` saved: UTF-16, with or without a byte order mark.
    pub(super) fn text(bytes: &[u8]) -> String {
        let encoding = if bytes.get(1) == Some(&0) {
            UTF_16LE
        } else {
            UTF_8
        };
        encoding.decode(bytes).0.into_owned()
    }

    /// The rights of the first group with several members that may read.
    pub(super) fn others_may(list: &str) -> Option<&'static str> {
        let line = list.lines().find_map(|line| Some(line.split_once("D:")?.1));
        let entries = line?;
        // The entries for auditing follow those for access.
        let entries = entries.split("S:").next().unwrap_or_default();
        if entries.starts_with("NO_ACCESS_CONTROL") {
            return Some("everybody may use it");
        }
        entries
            .split('(')
            .skip(1)
            .find_map(|entry| of_entry(entry.split(')').next()?))
    }

    fn of_entry(entry: &str) -> Option<&'static str> {
        let mut fields = entry.split(';');
        let mut next = || fields.next();
        let (kind, flags, rights) = (next()?, next()?, next()?);
        let account = fields.nth(2)?;
        let is_granted = matches!(kind, "A" | "XA");
        // Such an entry applies only to files made later in a folder.
        let is_for_others = pairs(flags).any(|flag| flag == "IO");
        if !is_granted || is_for_others || !may_read(rights) {
            return None;
        }
        match account {
            "WD" | "S-1-1-0" => Some("everybody may read it"),
            "AN" | "S-1-5-7" => Some("whoever does not sign in may read it"),
            "AU" | "S-1-5-11" => Some("whoever signs in may read it"),
            "BU" | "S-1-5-32-545" => Some("every user of this machine may read it"),
            "IU" | "S-1-5-4" => Some("whoever signs in at this machine may read it"),
            "NU" | "S-1-5-2" => Some("whoever reaches it over the network may read it"),
            "BG" | "S-1-5-32-546" => Some("guests may read it"),
            account if is_domain_group(account) => Some("every user of the domain may read it"),
            _ => None,
        }
    }

    /// The users (513) and guests (514) of a domain.
    fn is_domain_group(account: &str) -> bool {
        let ends = |end| account.starts_with("S-1-5-21-") && account.ends_with(end);
        matches!(account, "DU" | "DG") || ends("-513") || ends("-514")
    }

    fn may_read(rights: &str) -> bool {
        /// The rights that include reading: read data, generic read, generic all.
        const READ: u32 = 0x1 | 0x8000_0000 | 0x1000_0000;
        match rights.strip_prefix("0x") {
            Some(number) => u32::from_str_radix(number, 16).is_ok_and(|bits| bits & READ != 0),
            None => pairs(rights).any(|right| matches!(right, "FA" | "FR" | "GA" | "GR" | "CC")),
        }
    }

    /// Rights and flags have two letters each.
    fn pairs(text: &str) -> impl Iterator<Item = &str> {
        (0..text.len())
            .step_by(2)
            .filter_map(|at| text.get(at..at + 2))
    }
}

#[cfg(test)]
mod tests {
    use super::access_list::{others_may, text};

    /// As `icacls FILE /save LIST` writes it: the name, then its list.
    fn of(entries: &str) -> Option<&'static str> {
        others_may(&format!("contoso.pem\r\n{entries}\r\n"))
    }

    #[test]
    fn a_file_of_the_own_profile_is_private() {
        let own = "S-1-5-21-1004336348-1177238915-682003330-1001";
        let profile = format!("D:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FA;;;{own})");
        assert_eq!(of(&profile), None);
        assert_eq!(of(&format!("D:PAI(A;;FA;;;{own})")), None);
        assert_eq!(of("O:BAG:SYD:P(A;;FA;;;OW)S:AI(AU;SAFA;0x1;;;WD)"), None);
    }

    #[test]
    fn a_file_that_a_group_of_many_may_read_is_not_private() {
        for (entries, who) in [
            (
                "D:AI(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)",
                "every user of this machine",
            ),
            ("D:(A;;FR;;;WD)", "everybody"),
            ("D:(A;;CCSWRP;;;S-1-5-11)", "whoever signs in"),
            ("D:(A;;GRGX;;;S-1-5-21-1-2-3-513)", "the domain"),
            ("D:(XA;;FA;;;DU;(@User.Title==\"x\"))", "the domain"),
            ("D:NO_ACCESS_CONTROL", "everybody"),
        ] {
            assert!(
                of(entries).is_some_and(|said| said.contains(who)),
                "{entries}"
            );
        }
    }

    #[test]
    fn what_is_denied_or_passed_on_or_does_not_read_grants_nothing() {
        for entries in [
            "D:(D;;FA;;;WD)",
            "D:(A;OICIIO;GR;;;WD)",
            "D:(A;;0x100020;;;BU)",
            "D:(A;;FX;;;BU)",
            "D:",
            "",
            "(((;;",
        ] {
            assert_eq!(of(entries), None, "{entries}");
        }
    }

    #[test]
    fn a_saved_list_is_read_in_both_encodings() {
        let list = "a.pem\r\nD:(A;;FR;;;WD)\r\n";
        let utf_16: Vec<u8> = list.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [&[0xff, 0xfe][..], &utf_16].concat();
        for bytes in [list.as_bytes(), &utf_16, &marked] {
            assert!(others_may(&text(bytes)).is_some(), "{bytes:x?}");
        }
    }
}
