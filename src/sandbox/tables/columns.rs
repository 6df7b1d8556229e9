//! The columns of each table, with the version in which they first occur.
//!
//! Taken from real `$metadata` of 8.x and 9.1; documented columns that are missing there count as added in 9.2.

use crate::odata::ColumnType::{self, Bool, Guid, Int, Text, Time};
use crate::version::Version::{self, V8_0, V8_2, V9_1, V9_2};

#[derive(Clone, Copy, Debug)]
pub(crate) struct TableColumn {
    pub(crate) name: &'static str,
    pub(crate) kind: ColumnType,
    pub(crate) since: Version,
    pub(crate) writable: bool,
}

pub(super) const fn col(name: &'static str, kind: ColumnType) -> TableColumn {
    since(V8_0, name, kind)
}

pub(super) const fn since(since: Version, name: &'static str, kind: ColumnType) -> TableColumn {
    TableColumn {
        name,
        kind,
        since,
        writable: false,
    }
}

pub(super) const fn write(column: TableColumn) -> TableColumn {
    TableColumn {
        writable: true,
        ..column
    }
}

pub(super) const SYSTEM_USER: &[TableColumn] = &[
    col("systemuserid", Guid),
    col("ownerid", Guid),
    col("fullname", Text),
    col("firstname", Text),
    col("lastname", Text),
    col("domainname", Text),
    col("internalemailaddress", Text),
    col("windowsliveid", Text),
    col("title", Text),
    col("employeeid", Text),
    col("isdisabled", Bool),
    col("disabledreason", Text),
    col("accessmode", Int),
    col("caltype", Int),
    col("islicensed", Bool),
    col("userlicensetype", Int),
    col("isintegrationuser", Bool),
    col("setupuser", Bool),
    col("issyncwithdirectory", Bool),
    col("defaultfilterspopulated", Bool),
    col("incomingemaildeliverymethod", Int),
    col("outgoingemaildeliverymethod", Int),
    col("_businessunitid_value", Guid),
    col("_defaultmailbox_value", Guid),
    col("organizationid", Guid),
    col("createdon", Time),
    col("modifiedon", Time),
    col("versionnumber", Int),
    since(V8_2, "azureactivedirectoryobjectid", Guid),
    since(V8_2, "applicationid", Guid),
    since(V8_2, "applicationiduri", Text),
    since(V9_1, "identityid", Int),
    since(V9_2, "azurestate", Int),
    since(V9_2, "azuredeletedon", Time),
    since(V9_2, "deletedstate", Int),
    since(V9_2, "systemmanagedusertype", Int),
];

pub(super) const USER_QUERY: &[TableColumn] = &[
    write(col("userqueryid", Guid)),
    write(col("name", Text)),
    write(col("description", Text)),
    write(col("querytype", Int)),
    write(col("returnedtypecode", Text)),
    write(col("statecode", Int)),
    write(col("statuscode", Int)),
    write(col("fetchxml", Text)),
    write(col("layoutxml", Text)),
    write(col("columnsetxml", Text)),
    write(col("advancedgroupby", Text)),
    write(col("conditionalformatting", Text)),
    write(since(V9_1, "layoutjson", Text)),
    write(since(V9_1, "offlinesqlquery", Text)),
    col("_parentqueryid_value", Guid),
    col("_ownerid_value", Guid),
    col("_owninguser_value", Guid),
    col("_owningteam_value", Guid),
    col("_owningbusinessunit_value", Guid),
    col("_createdby_value", Guid),
    col("_createdonbehalfby_value", Guid),
    col("_modifiedby_value", Guid),
    col("_modifiedonbehalfby_value", Guid),
    col("createdon", Time),
    col("modifiedon", Time),
    col("versionnumber", Int),
];

pub(super) const SAVED_QUERY: &[TableColumn] = &[
    col("savedqueryid", Guid),
    write(col("name", Text)),
    write(col("description", Text)),
    write(col("querytype", Int)),
    col("returnedtypecode", Text),
    write(col("isdefault", Bool)),
    write(col("statecode", Int)),
    write(col("statuscode", Int)),
    write(col("fetchxml", Text)),
    write(col("layoutxml", Text)),
    write(col("columnsetxml", Text)),
    col("componentstate", Int),
    col("iscustom", Bool),
    col("ismanaged", Bool),
    col("isuserdefined", Bool),
    col("isquickfindquery", Bool),
    col("_organizationid_value", Guid),
    col("_createdby_value", Guid),
    col("_modifiedby_value", Guid),
    col("_modifiedonbehalfby_value", Guid),
    col("createdon", Time),
    col("modifiedon", Time),
    col("versionnumber", Int),
];

pub(super) const BUSINESS_UNIT: &[TableColumn] = &[
    col("businessunitid", Guid),
    col("name", Text),
    col("isdisabled", Bool),
    col("_parentbusinessunitid_value", Guid),
    col("_organizationid_value", Guid),
    col("versionnumber", Int),
];

pub(super) const ROLE: &[TableColumn] = &[
    col("roleid", Guid),
    col("name", Text),
    col("ismanaged", Bool),
    col("_businessunitid_value", Guid),
    col("_parentroleid_value", Guid),
    col("_parentrootroleid_value", Guid),
    col("organizationid", Guid),
    col("versionnumber", Int),
];

pub(super) const TEAM: &[TableColumn] = &[
    col("teamid", Guid),
    col("ownerid", Guid),
    col("name", Text),
    col("teamtype", Int),
    col("isdefault", Bool),
    col("_businessunitid_value", Guid),
    col("organizationid", Guid),
    col("versionnumber", Int),
];

pub(super) const USER_ROLE: &[TableColumn] = &[
    col("systemuserroleid", Guid),
    col("systemuserid", Guid),
    col("roleid", Guid),
    col("versionnumber", Int),
];

pub(super) const TEAM_MEMBERSHIP: &[TableColumn] = &[
    col("teammembershipid", Guid),
    col("systemuserid", Guid),
    col("teamid", Guid),
    col("versionnumber", Int),
];

pub(super) const PRIVILEGE: &[TableColumn] = &[
    col("privilegeid", Guid),
    col("name", Text),
    col("versionnumber", Int),
];

/// Only the columns that say who synchronises appointments (Microsoft: `mailbox` table reference).
pub(super) const MAILBOX: &[TableColumn] = &[
    col("mailboxid", Guid),
    col("name", Text),
    col("emailaddress", Text),
    col("actdeliverymethod", Int),
    col("actstatus", Int),
    col("enabledforact", Bool),
    col("_regardingobjectid_value", Guid),
    col("versionnumber", Int),
];

pub(super) const ORGANIZATION: &[TableColumn] = &[
    col("organizationid", Guid),
    col("name", Text),
    col("orgdborgsettings", Text),
    col("languagecode", Int),
    col("isdisabled", Bool),
    col("versionnumber", Int),
];

pub(super) const PRINCIPAL: &[TableColumn] = &[col("ownerid", Guid), col("versionnumber", Int)];
