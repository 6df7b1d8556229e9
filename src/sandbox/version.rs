//! The version of the Web API that the sandbox imitates.

use std::fmt;
use std::str::FromStr;

/// The version of the imitated server.
///
/// It decides which columns exist, which addresses work and which impersonation header is supported
/// (Microsoft: "Web API versions", "Compose HTTP requests and handle errors").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// CRM 2016, on-premises: no object ids, no application users.
    V8_0,
    /// Dynamics 365 (December 2016): object ids are a column, but no header accepts them.
    V8_2,
    /// Online in 2020.
    V9_1,
    /// Online today.
    #[default]
    V9_2,
}

/// A version that the sandbox does not imitate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown version {0:?}; known are 8.0, 8.2, 9.1 and 9.2")]
pub struct UnknownVersion(String);

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 4] = [Self::V8_0, Self::V8_2, Self::V9_1, Self::V9_2];

    /// The version in the address: `9.2`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V8_0 => "8.0",
            Self::V8_2 => "8.2",
            Self::V9_1 => "9.1",
            Self::V9_2 => "9.2",
        }
    }

    /// The answer of `RetrieveVersion`.
    pub(crate) const fn build(self) -> &'static str {
        match self {
            Self::V8_0 => "8.0.1.79",
            Self::V8_2 => "8.2.28.15",
            Self::V9_1 => "9.1.0.25816",
            Self::V9_2 => "9.2.25063.00183",
        }
    }

    /// Whether this is a server of the 8.x line.
    pub(crate) const fn is_8(self) -> bool {
        matches!(self, Self::V8_0 | Self::V8_2)
    }

    /// Whether an address with this segment after `/api/data/` (`v9.2`) is answered.
    ///
    /// In 8.x the minor version in the address does not matter up to the installed one; a 9.x server
    /// answers 9.0 up to its own version, and the 8.x addresses too.
    pub(crate) fn answers(self, segment: &str) -> bool {
        let Some((major, minor)) = segment
            .strip_prefix(['v', 'V'])
            .and_then(|rest| rest.split_once('.'))
        else {
            return false;
        };
        let (Ok(major), Ok(minor)) = (major.parse::<u8>(), minor.parse::<u8>()) else {
            return false;
        };
        match (self, major) {
            (Self::V8_0, 8) => minor == 0,
            (Self::V9_1, 9) => minor <= 1,
            (_, 8) | (Self::V9_2, 9) => minor <= 2,
            _ => false,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let bare = text.trim().trim_start_matches(['v', 'V']);
        Self::ALL
            .into_iter()
            .find(|version| version.as_str() == bare)
            .ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_answers_its_own_line_up_to_its_own_version() {
        assert!(Version::V9_2.answers("v9.0"));
        assert!(Version::V9_2.answers("v9.2"));
        assert!(!Version::V9_1.answers("v9.2"));
        assert!(Version::V8_2.answers("v8.1"));
        assert!(!Version::V8_2.answers("v9.0"));
        assert!(!Version::V8_0.answers("v8.2"));
        assert!(!Version::V9_2.answers("9.2"));
        assert!(!Version::V9_2.answers("v9"));
    }

    #[test]
    fn a_version_reads_back_what_it_writes() {
        for version in Version::ALL {
            assert_eq!(version.to_string().parse(), Ok(version));
        }
        assert!("7.1".parse::<Version>().is_err());
    }
}
