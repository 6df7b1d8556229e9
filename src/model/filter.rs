//! Sync filters: `userquery` rows that decide what is synchronised with Exchange.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{FilterId, UserId};

/// The types whose rows Exchange shows as meetings.
///
/// Tables: appointment (4201), recurring appointment (4251), service activity (4214).
pub const CALENDAR_TYPES: [&str; 3] = [
    "appointment",
    "recurringappointmentmaster",
    "serviceappointment",
];

/// A number from the platform that this program does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {code}")]
pub struct UnknownCode {
    /// The column that it came in, for example `statecode`.
    pub what: &'static str,
    /// The value.
    pub code: i32,
}

/// `returnedtypecode`: the logical name of the table whose rows a filter selects.
///
/// A string in the Web API of every version; the type codes belong to the SQL tables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilterType(String);

impl FilterType {
    /// Accepts any logical name, because custom tables can have filters too; it is stored in lower case.
    pub fn new(logical_name: &str) -> Self {
        Self(logical_name.to_ascii_lowercase())
    }

    /// The logical name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FilterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// `querytype` of a sync filter.
///
/// Server-side synchronisation reads the Outlook filters; the offline ones served the retired
/// Outlook add-in (Microsoft: "Configure default sync filters").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilterKind {
    /// 256, `OutlookFilters`.
    Outlook,
    /// 16, `OfflineFilters`.
    Offline,
}

impl FilterKind {
    /// The `querytype`.
    pub const fn code(self) -> i32 {
        match self {
            Self::Outlook => 256,
            Self::Offline => 16,
        }
    }

    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outlook => "outlook",
            Self::Offline => "offline",
        }
    }
}

impl TryFrom<i32> for FilterKind {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        match code {
            256 => Ok(Self::Outlook),
            16 => Ok(Self::Offline),
            code => Err(UnknownCode {
                what: "querytype",
                code,
            }),
        }
    }
}

/// `statecode` of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// 0: what it selects is synchronised.
    Active,
    /// 1: it selects nothing.
    Inactive,
}

impl State {
    /// The `statecode`.
    pub const fn code(self) -> i32 {
        match self {
            Self::Active => 0,
            Self::Inactive => 1,
        }
    }

    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// The status that belongs to the state: 1 for active, 2 for inactive.
    ///
    /// Always sent together with the state, because otherwise the server chooses
    /// (Microsoft: `userquery` table reference, state and status options).
    pub const fn default_status(self) -> Status {
        match self {
            Self::Active => Status(Some(1)),
            Self::Inactive => Status(Some(2)),
        }
    }

    /// The state with the status of [`Self::default_status`].
    pub const fn with_default_status(self) -> StateAndStatus {
        StateAndStatus {
            state: self,
            status: self.default_status(),
        }
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        match code {
            0 => Ok(Self::Active),
            1 => Ok(Self::Inactive),
            code => Err(UnknownCode {
                what: "statecode",
                code,
            }),
        }
    }
}

/// `statuscode`: 1 active, 2 inactive, 3 all, or null in rows that a SQL script has changed.
///
/// Kept as it was read, because undo restores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Status(pub Option<i32>);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(code) => code.fmt(f),
            None => f.write_str("null"),
        }
    }
}

/// State and status, which are always set together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StateAndStatus {
    /// `statecode`.
    pub state: State,
    /// `statuscode`.
    pub status: Status,
}

impl StateAndStatus {
    /// The status, or the state's own where it is null, as the platform does.
    pub fn effective_status(self) -> Option<i32> {
        self.status.0.or(self.state.default_status().0)
    }

    /// Whether both have the same effect: a null status means the state's own.
    pub fn means_the_same_as(self, other: Self) -> bool {
        self.state == other.state && self.effective_status() == other.effective_status()
    }
}

impl fmt::Display for StateAndStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (status {})", self.state.as_str(), self.status)
    }
}

/// Who changed a row last, and when.
///
/// A change made by impersonation carries the impersonated user in `modifiedby` and the real
/// caller in `modifiedonbehalfby` (Microsoft: "Impersonate another user using the Web API").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modification {
    /// `modifiedon`.
    pub on: Option<Timestamp>,
    /// `modifiedby`.
    pub by: Option<UserId>,
    /// `modifiedonbehalfby`; null where nobody was impersonated.
    pub on_behalf: Option<UserId>,
}

impl Modification {
    /// Whether it is complete enough to recognise the same change again.
    pub const fn is_known(self) -> bool {
        self.on.is_some() && self.by.is_some()
    }
}

/// What distinguishes one version of a row from every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowStamp {
    /// State and status.
    pub now: StateAndStatus,
    /// `@odata.etag`; none where the server sent none.
    pub etag: Option<String>,
    /// Who changed it last, and when.
    pub modified: Modification,
}

/// Whether two values of `@odata.etag` name the same version, by the number inside. An empty value names none.
///
/// `None` where either value names no version.
pub fn is_same_version(a: Option<&str>, b: Option<&str>) -> Option<bool> {
    Some(version_number(a?)? == version_number(b?)?)
}

/// `W/"123"` and `"123"` are the same version: a gateway may weaken a validator (RFC 9110, section 8.8.3).
fn version_number(etag: &str) -> Option<&str> {
    let text = etag.trim();
    let text = text.strip_prefix("W/").unwrap_or(text);
    let number = text.trim_matches('"');
    (!number.is_empty()).then_some(number)
}

/// One sync filter as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// `userqueryid`.
    pub id: FilterId,
    /// `_ownerid_value`: checked against the impersonated user for every row.
    pub owner: UserId,
    /// `name`.
    pub name: String,
    /// `returnedtypecode`.
    pub filter_type: FilterType,
    /// `querytype`.
    pub kind: FilterKind,
    /// `statecode` and `statuscode`.
    pub now: StateAndStatus,
    /// `@odata.etag`, for `If-Match`; absent only where the server sent none.
    pub etag: Option<String>,
    /// Who changed it last.
    pub modified: Modification,
    /// `_parentqueryid_value`: the template that it was made from.
    pub template: Option<Uuid>,
    /// `fetchxml`; only where it was asked for, because it is large.
    pub query: Option<String>,
}

impl Filter {
    /// What distinguishes this version of the row from every other.
    pub fn stamp(&self) -> RowStamp {
        RowStamp {
            now: self.now,
            etag: self.etag.clone(),
            modified: self.modified,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_status_means_the_states_own() {
        for state in [State::Active, State::Inactive] {
            let with = |status| StateAndStatus {
                state,
                status: Status(status),
            };
            let own = state.with_default_status();
            assert!(with(None).means_the_same_as(own));
            assert!(!with(Some(3)).means_the_same_as(own));
            assert!(!with(Some(3)).means_the_same_as(with(None)));
        }
        let active = State::Active.with_default_status();
        assert!(!active.means_the_same_as(State::Inactive.with_default_status()));
    }

    #[test]
    fn a_version_is_the_number_inside_and_an_empty_one_is_none() {
        let same = |a, b| is_same_version(Some(a), Some(b));
        assert_eq!(same("W/\"12\"", "\"12\""), Some(true));
        assert_eq!(same("W/\"12\"", "W/\"13\""), Some(false));
        assert_eq!(same("W/\"\"", "W/\"\""), None);
        assert_eq!(is_same_version(None, Some("W/\"1\"")), None);
    }
}
