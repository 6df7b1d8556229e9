//! Labels of options, and names of lookups.

use super::at::At;
use super::row::RowRef;
use crate::data::ActivityKind;
use crate::odata::{Lookup, Row, Value};

/// The label of an option column, or the primary name of a lookup.
pub(super) fn label(row: &RowRef<'_>, column: &str) -> Option<String> {
    if let Some(name) = lookup_name(row, column) {
        return Some(name);
    }
    let number = match row.value(column) {
        Value::Int(number) => number,
        Value::Bool(flag) => return Some(if flag { "Yes" } else { "No" }.to_owned()),
        _ => return None,
    };
    let label = match row.at {
        At::Activity(it) if it.kind == ActivityKind::Contact => option(column, number),
        // Their statuses differ from those of meetings, and have no labels here.
        At::Activity(it) if !it.kind.is_meeting() && column == "statuscode" => None,
        At::Activity(_) | At::Party(_) => activity_option(column, number),
        _ => option(column, number),
    };
    label.map(str::to_owned)
}

fn option(column: &str, number: i64) -> Option<&'static str> {
    Some(match (column, number) {
        ("statecode", 0) | ("statuscode", 1) => "Active",
        ("statecode", 1) | ("statuscode", 2) => "Inactive",
        ("statuscode", 3) => "All",
        ("accessmode", 0) => "Read-Write",
        ("accessmode", 1) => "Administrative",
        ("accessmode", 2) => "Read",
        ("accessmode", 3) => "Support User",
        ("accessmode", 4) => "Non-interactive",
        ("accessmode", 5) => "Delegated Admin",
        ("azurestate", 0) => "Exists",
        ("azurestate" | "deletedstate", 1) => "Soft deleted",
        ("deletedstate", 0) => "Not deleted",
        ("systemmanagedusertype", 0) => "Entra User",
        ("systemmanagedusertype", 1) => "C2 User",
        ("systemmanagedusertype", 2) => "Impersonable Stub User",
        ("componentstate", 0) => "Published",
        ("teamtype", 0) => "Owner",
        ("actdeliverymethod", 0) => "Microsoft Dynamics 365 for Outlook",
        ("actdeliverymethod", 1) => "Server-Side Synchronization",
        ("actstatus", 0) => "Not Run",
        ("actstatus", 1) => "Success",
        ("actstatus", 2) => "Failure",
        ("actdeliverymethod", 2)
        | ("incomingemaildeliverymethod" | "outgoingemaildeliverymethod", 0) => "None",
        ("incomingemaildeliverymethod" | "outgoingemaildeliverymethod", 2) => {
            "Server-Side Synchronization or Email Router"
        }
        _ => return None,
    })
}

/// Options of appointments, whose states differ from those of most tables.
fn activity_option(column: &str, number: i64) -> Option<&'static str> {
    Some(match (column, number) {
        ("statecode", 0) => "Open",
        ("statecode", 1) | ("statuscode", 3 | 8) => "Completed",
        ("statecode", 2) | ("statuscode", 9) => "Canceled",
        ("statecode", 3) => "Scheduled",
        ("statuscode", 1) => "Free",
        ("statuscode", 2) => "Tentative",
        ("statuscode", 4) => "Reserved",
        ("statuscode", 5) => "Busy",
        ("instancetypecode", 0) => "Not Recurring",
        ("instancetypecode", 1) => "Recurring Master",
        ("instancetypecode", 2) => "Recurring Instance",
        ("participationtypemask", 5) => "Required attendee",
        ("participationtypemask", 7) => "Organizer",
        ("participationtypemask", 9) => "Owner",
        ("participationtypemask", 10) => "Resource",
        ("prioritycode", 1) => "Normal",
        _ => return None,
    })
}

fn lookup_name(row: &RowRef<'_>, column: &str) -> Option<String> {
    let property = column.strip_prefix('_')?.strip_suffix("_value")?;
    let end = row.follow(property).into_iter().next()?;
    let store = row.store;
    Some(match end.at {
        At::User(index) | At::Principal(index) | At::Mailbox(index) => {
            store.people[index].full_name()
        }
        At::Unit(index) => store.units[index].name.clone(),
        At::Privilege(privilege) => privilege.name().to_owned(),
        At::Role(index) => store.roles[index].name.to_owned(),
        At::Team(index) => store.teams[index].name.clone(),
        At::View(index) => store.views[index].name.clone(),
        At::Organization => store.organization.name.to_owned(),
        At::Filter(filter) => filter.name.to_string(),
        At::Activity(activity) => activity.subject().to_owned(),
        At::Party(party) => store.people[party.person].full_name(),
        At::Assignment(..) | At::Membership(..) => return None,
    })
}

/// The target of a lookup column.
pub(super) fn lookup(column: &str) -> Option<Lookup> {
    let property = column.strip_prefix('_')?.strip_suffix("_value")?;
    let logical_name = match property {
        "ownerid" | "owninguser" | "createdby" | "createdonbehalfby" | "modifiedby"
        | "modifiedonbehalfby" | "partyid" | "regardingobjectid" => "systemuser",
        "defaultmailbox" => "mailbox",
        "activityid" => "activitypointer",
        "owningteam" => "team",
        "businessunitid" | "owningbusinessunit" | "parentbusinessunitid" => "businessunit",
        "parentroleid" | "parentrootroleid" => "role",
        "organizationid" => "organization",
        "parentqueryid" => "savedquery",
        _ => return None,
    };
    Some(Lookup {
        logical_name: logical_name.to_owned(),
        // These have no navigation property: the template and, in the sandbox, the person of a mailbox.
        navigation: (!matches!(property, "parentqueryid" | "regardingobjectid"))
            .then(|| property.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generate;

    #[test]
    fn options_and_lookups_have_labels() {
        let store = generate(40, 1);
        let filter = store.filters().find(|it| it.state == 1).unwrap();
        let row = RowRef::new(&store, 0, At::Filter(filter));
        assert_eq!(label(&row, "statecode").as_deref(), Some("Inactive"));
        assert_eq!(
            label(&row, "_ownerid_value"),
            Some(store.people[filter.owner].full_name())
        );
        assert_eq!(label(&row, "name"), None);
        assert_eq!(lookup("_ownerid_value").unwrap().logical_name, "systemuser");
        assert_eq!(lookup("_parentqueryid_value").unwrap().navigation, None);
    }
}
