//! Identifiers. Each has its own type, so that an Entra object id cannot be used where a
//! `systemuserid` is needed: the Web API ignores an id in the wrong header and runs as the caller.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

uuid_id! {
    /// A `systemuserid`: the only id that `MSCRMCallerID` understands.
    UserId
}
uuid_id! {
    /// An Entra object id (`azureactivedirectoryobjectid`): the only id that `CallerObjectId` understands.
    ObjectId
}
uuid_id! {
    /// A `userqueryid`.
    FilterId
}
uuid_id! {
    /// A `businessunitid`.
    UnitId
}

uuid_id! {
    /// A `savedqueryid` of a template.
    TemplateId
}

/// The id of a run: twelve lower-case hexadecimal digits. Any unique prefix names the run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// 48 random bits: among a million runs two have the same id with a probability of 1 in 560.
    pub(super) const DIGITS: usize = 12;
    /// Digits shown. Among a thousand runs two share six digits with a probability of 1 in 33; then more are needed.
    const SHORT: usize = 6;

    /// A new random id. Every digit is random, so that short prefixes distinguish runs.
    pub fn random() -> Self {
        let mut id = Uuid::new_v4().simple().to_string();
        id.truncate(Self::DIGITS);
        Self(id)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first six digits, as people type them.
    pub fn short(&self) -> &str {
        self.0.get(..Self::SHORT).unwrap_or(&self.0)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RunId {
    type Error = RunIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> Self {
        run.0
    }
}

/// A text that is not a run id.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a run id (twelve hexadecimal digits)")]
pub struct RunIdError(String);

impl FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let whole = text.len() == Self::DIGITS;
        if whole && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RunIdError(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_run_id_reads_back() {
        let id = RunId::random();
        assert_eq!(id.as_str().parse::<RunId>().unwrap(), id);
    }

    #[test]
    fn a_run_id_of_another_shape_is_refused() {
        for text in ["", "3f2a", "3F2A9C0D1B7E", "../../etc/pass"] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }
}
