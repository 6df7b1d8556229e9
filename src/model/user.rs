//! System users.

use serde::{Deserialize, Serialize};

use super::{ObjectId, UnitId, UserId};

/// `accessmode` of a system user (Microsoft: `systemuser` table reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessMode {
    /// 0: an ordinary user.
    ReadWrite,
    /// 1: administrative.
    Administrative,
    /// 2: read only.
    Read,
    /// 3: Microsoft's support.
    Support,
    /// 4: integrations.
    NonInteractive,
    /// 5: a partner's administrator.
    DelegatedAdmin,
    /// Another number.
    Other(i32),
}

impl From<i32> for AccessMode {
    fn from(code: i32) -> Self {
        match code {
            0 => Self::ReadWrite,
            1 => Self::Administrative,
            2 => Self::Read,
            3 => Self::Support,
            4 => Self::NonInteractive,
            5 => Self::DelegatedAdmin,
            code => Self::Other(code),
        }
    }
}

/// One `systemuser` row, with the columns that decide whether and how to impersonate.
///
/// A column that the server's version lacks has its default value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each mirrors a column of the table, and they are independent"
)]
pub struct User {
    /// `systemuserid`.
    pub id: UserId,
    /// `azureactivedirectoryobjectid`; null on-premises.
    pub object_id: Option<ObjectId>,
    /// `domainname`: the UPN online, `DOMAIN\name` on-premises; may be empty.
    pub login: String,
    /// `fullname`.
    pub full_name: String,
    /// `internalemailaddress`.
    pub email: Option<String>,
    /// `isdisabled`.
    pub disabled: bool,
    /// `accessmode`.
    pub access_mode: AccessMode,
    /// Whether `applicationid` is set.
    pub application: bool,
    /// `isintegrationuser`.
    pub integration: bool,
    /// Whether `systemmanagedusertype` is 2, Impersonable Stub User.
    pub stub: bool,
    /// Whether `azurestate` or `deletedstate` says that the account no longer exists.
    pub deleted: bool,
    /// `defaultfilterspopulated`: false means that the user has no filters yet.
    pub filters_populated: bool,
    /// `_businessunitid_value`: the business unit; every user has one.
    pub unit: Option<UnitId>,
}

impl User {
    /// The name in output: the login, else the full name, else the id.
    pub fn label(&self) -> String {
        [&self.login, &self.full_name]
            .into_iter()
            .find(|name| !name.is_empty())
            .cloned()
            .unwrap_or_else(|| self.id.to_string())
    }
}

/// The user that signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// `systemuserid`.
    pub id: UserId,
    /// The name in output.
    pub user: String,
}
