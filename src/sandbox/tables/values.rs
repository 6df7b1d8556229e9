//! The values of each column.

use crate::rights::Privilege;
use jiff::Timestamp;
use uuid::Uuid;

use crate::odata::Value;
use crate::rows::{FilterRecord, PersonIndex, UserRecord, ViewRecord, mailbox_twin};
use crate::store::Store;

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(super) fn text_or_null(text: Option<&str>) -> Value {
    text.map_or(Value::Null, self::text)
}

fn id_or_null(id: Option<Uuid>) -> Value {
    id.map_or(Value::Null, Value::Guid)
}

pub(super) fn number(number: i32) -> Value {
    Value::Int(i64::from(number))
}

fn version(version: u64) -> Value {
    Value::Int(i64::try_from(version).unwrap_or(i64::MAX))
}

/// A time in whole seconds, as the service writes it.
pub(super) fn time(moment: Timestamp) -> Value {
    Value::Time(Timestamp::from_second(moment.as_second()).unwrap_or(moment))
}

pub(super) fn user(store: &Store, index: PersonIndex, column: &str) -> Value {
    let person = &store.people[index];
    match column {
        "systemuserid" | "ownerid" => Value::Guid(person.id),
        "fullname" => Value::Text(person.full_name()),
        "firstname" => text(&person.first_name),
        "lastname" => text(&person.last_name),
        "domainname" => text(&person.login),
        "internalemailaddress" | "windowsliveid" => text_or_null(person.email.as_deref()),
        "isdisabled" => Value::Bool(person.disabled),
        "disabledreason" => text_or_null(person.disabled.then_some("Disabled by an administrator")),
        "accessmode" => number(person.access_mode),
        "caltype" => number(0),
        "islicensed" => Value::Bool(person.licensed),
        "userlicensetype" => number(if person.licensed { 3 } else { -1 }),
        "isintegrationuser" => Value::Bool(person.integration),
        "setupuser" => Value::Bool(person.setup),
        "issyncwithdirectory" => {
            Value::Bool(person.object_id.is_some() && person.application_id.is_none())
        }
        "defaultfilterspopulated" => Value::Bool(person.populated),
        "incomingemaildeliverymethod" | "outgoingemaildeliverymethod" => {
            number(if person.populated { 2 } else { 0 })
        }
        "_businessunitid_value" => Value::Guid(store.units[person.unit].id),
        "_defaultmailbox_value" => id_or_null(person.mailbox.map(|_| mailbox_twin(person.id))),
        "organizationid" => Value::Guid(store.organization.id),
        "createdon" | "modifiedon" => time(person.created_on),
        "versionnumber" => version(person.version),
        "azureactivedirectoryobjectid" => id_or_null(person.object_id),
        "applicationid" => id_or_null(person.application_id),
        "applicationiduri" => text_or_null(person.application_id.map(|_| person.login.as_str())),
        "identityid" => Value::Int(i64::try_from(index).unwrap_or(0)),
        "azurestate" | "deletedstate" => number(i32::from(person.deleted)),
        "azuredeletedon" if person.deleted => time(person.created_on),
        "systemmanagedusertype" => number(person.managed_type),
        _ => Value::Null,
    }
}

/// A column of the mailbox of a person.
pub(super) fn mailbox(person: &UserRecord, column: &str) -> Value {
    let Some(mailbox) = person.mailbox else {
        return Value::Null;
    };
    match column {
        "mailboxid" => Value::Guid(mailbox_twin(person.id)),
        "name" => Value::Text(person.full_name()),
        "emailaddress" => text_or_null(person.email.as_deref()),
        "actdeliverymethod" => number(mailbox.delivery.into()),
        "actstatus" => number(mailbox.status.into()),
        "enabledforact" => Value::Bool(mailbox.enabled),
        "_regardingobjectid_value" => Value::Guid(person.id),
        "versionnumber" => version(person.version),
        _ => Value::Null,
    }
}

pub(super) fn filter(store: &Store, filter: &FilterRecord, column: &str) -> Value {
    let person = |index: PersonIndex| Value::Guid(store.people[index].id);
    match column {
        "userqueryid" => Value::Guid(filter.id),
        "name" => text(&filter.name),
        "description" => text_or_null(filter.description.as_deref()),
        "querytype" => number(filter.query_type),
        "returnedtypecode" => text(&filter.table),
        "statecode" => number(filter.state),
        "statuscode" => filter.status.map_or(Value::Null, number),
        "fetchxml" => text(&filter.fetch_xml),
        "_parentqueryid_value" => id_or_null(filter.parent),
        "_ownerid_value" | "_owninguser_value" | "_createdby_value" => person(filter.owner),
        "_owningbusinessunit_value" => Value::Guid(store.units[store.people[filter.owner].unit].id),
        "_modifiedby_value" => person(filter.modified_by),
        "_createdonbehalfby_value" => filter.created_on_behalf.map_or(Value::Null, person),
        "_modifiedonbehalfby_value" => filter.on_behalf.map_or(Value::Null, person),
        "createdon" => time(filter.created_on),
        "modifiedon" => time(filter.modified_on),
        "versionnumber" => version(filter.version),
        _ => Value::Null,
    }
}

pub(super) fn view(store: &Store, view: &ViewRecord, column: &str) -> Value {
    let person = |index: PersonIndex| Value::Guid(store.people[index].id);
    match column {
        "savedqueryid" => Value::Guid(view.id),
        "name" => text(&view.name),
        "querytype" => number(view.query_type),
        "returnedtypecode" => text(&view.table),
        "isdefault" => Value::Bool(view.is_default),
        "statecode" => number(view.state),
        "statuscode" => view.status.map_or(Value::Null, number),
        "fetchxml" => text(&view.fetch_xml),
        "componentstate" => number(0),
        "iscustom" | "isquickfindquery" => Value::Bool(false),
        "ismanaged" => Value::Bool(true),
        "isuserdefined" => Value::Bool(!view.is_default),
        "_organizationid_value" => Value::Guid(store.organization.id),
        "_createdby_value" => person(store.administrator),
        "_modifiedby_value" => person(view.modified_by),
        "_modifiedonbehalfby_value" => view.on_behalf.map_or(Value::Null, person),
        "createdon" | "modifiedon" => time(view.modified_on),
        "versionnumber" => version(view.version),
        _ => Value::Null,
    }
}

pub(super) fn unit(store: &Store, index: usize, column: &str) -> Value {
    let unit = &store.units[index];
    match column {
        "businessunitid" => Value::Guid(unit.id),
        "name" => text(&unit.name),
        "isdisabled" => Value::Bool(false),
        "_parentbusinessunitid_value" => id_or_null(unit.parent.map(|it| store.units[it].id)),
        "_organizationid_value" => Value::Guid(store.organization.id),
        "versionnumber" => version(unit.version),
        _ => Value::Null,
    }
}

pub(super) fn parent_role(store: &Store, index: usize) -> Option<usize> {
    let role = &store.roles[index];
    copy_in(store, role.name, store.units[role.unit].parent?)
}

/// The copy of a role in the root unit.
pub(super) fn root_role(store: &Store, index: usize) -> Option<usize> {
    copy_in(store, store.roles[index].name, 0)
}

fn copy_in(store: &Store, name: &str, unit: usize) -> Option<usize> {
    store
        .roles
        .iter()
        .position(|it| it.unit == unit && it.name == name)
}

pub(super) fn privilege(privilege: Privilege, column: &str) -> Value {
    match column {
        "privilegeid" => Value::Guid(privilege.id()),
        "name" => text(privilege.name()),
        "versionnumber" => version(1),
        _ => Value::Null,
    }
}

pub(super) fn role(store: &Store, index: usize, column: &str) -> Value {
    let role = &store.roles[index];
    match column {
        "roleid" => Value::Guid(role.id),
        "name" => text(role.name),
        "ismanaged" => Value::Bool(false),
        "_businessunitid_value" => Value::Guid(store.units[role.unit].id),
        "_parentroleid_value" => id_or_null(parent_role(store, index).map(|it| store.roles[it].id)),
        "_parentrootroleid_value" => {
            id_or_null(root_role(store, index).map(|it| store.roles[it].id))
        }
        "organizationid" => Value::Guid(store.organization.id),
        "versionnumber" => version(role.version),
        _ => Value::Null,
    }
}

pub(super) fn team(store: &Store, index: usize, column: &str) -> Value {
    let team = &store.teams[index];
    match column {
        "teamid" | "ownerid" => Value::Guid(team.id),
        "name" => text(&team.name),
        "teamtype" => number(0),
        "isdefault" => Value::Bool(false),
        "_businessunitid_value" => Value::Guid(store.units[team.unit].id),
        "organizationid" => Value::Guid(store.organization.id),
        "versionnumber" => version(team.version),
        _ => Value::Null,
    }
}

/// An id for a row that links two others.
fn pair(one: Uuid, other: Uuid) -> Value {
    Value::Guid(Uuid::from_u128(one.as_u128() ^ other.as_u128()))
}

pub(super) fn user_role(store: &Store, user: PersonIndex, role: usize, column: &str) -> Value {
    let (person, role) = (&store.people[user], &store.roles[role]);
    match column {
        "systemuserroleid" => pair(person.id, role.id),
        "systemuserid" => Value::Guid(person.id),
        "roleid" => Value::Guid(role.id),
        "versionnumber" => version(person.version),
        _ => Value::Null,
    }
}

pub(super) fn team_member(store: &Store, user: PersonIndex, team: usize, column: &str) -> Value {
    let (person, team) = (&store.people[user], &store.teams[team]);
    match column {
        "teammembershipid" => pair(person.id, team.id),
        "systemuserid" => Value::Guid(person.id),
        "teamid" => Value::Guid(team.id),
        "versionnumber" => version(person.version),
        _ => Value::Null,
    }
}

pub(super) fn organization(store: &Store, column: &str) -> Value {
    let organization = &store.organization;
    match column {
        "organizationid" => Value::Guid(organization.id),
        "name" => text(organization.name),
        "orgdborgsettings" => text(&organization.settings),
        "languagecode" => number(1033),
        "isdisabled" => Value::Bool(false),
        "versionnumber" => version(organization.version),
        _ => Value::Null,
    }
}
