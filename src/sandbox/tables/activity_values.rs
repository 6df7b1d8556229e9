//! The values of appointments and their parties.

use uuid::Uuid;

use super::values::{number, text, text_or_null, time};
use crate::activities::{self, Party};
use crate::data::{Activity, ActivityKind};
use crate::odata::Value;
use crate::store::Store;

const fn logical_name(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::Appointment => "appointment",
        ActivityKind::Recurring => "recurringappointmentmaster",
        ActivityKind::Service => "serviceappointment",
        ActivityKind::Task => "task",
        ActivityKind::Letter => "letter",
        ActivityKind::Fax => "fax",
        ActivityKind::PhoneCall => "phonecall",
        ActivityKind::Contact => "contact",
    }
}

/// The number in the `ETag`.
pub(super) fn version(activity: &Activity) -> u64 {
    let (owner, number) = (activity.owner as u64, u64::from(activity.number));
    5_000_000 + owner * 1_000 + number * 3
}

pub(super) fn activity(store: &Store, activity: &Activity, column: &str) -> Value {
    let person = || Value::Guid(store.people[activity.owner].id);
    let minutes = |start: jiff::Timestamp, end: jiff::Timestamp| {
        Value::Int((end.as_second() - start.as_second()) / 60)
    };
    match column {
        "activityid" | "contactid" => Value::Guid(activities::id(store, activity)),
        "activitytypecode" => text(logical_name(activity.kind)),
        "subject" => text(activity.subject()),
        "location" => text_or_null(activity.place()),
        "fullname" => text(activity.name()),
        "scheduledstart" | "effectivestartdate" | "patternstartdate" => time(activity.start()),
        "scheduledend" | "effectiveenddate" | "patternenddate" => time(activity.end()),
        "scheduleddurationminutes" => minutes(activity.start(), activity.end()),
        "actualend" if activity.state == 1 => time(activity.end()),
        "isalldayevent" => Value::Bool(false),
        "prioritycode" | "recurrencepatterntype" | "interval" => number(1),
        "patternendtype" => number(3),
        "statecode" => number(activity.state.into()),
        "statuscode" => number(activity.status.into()),
        "instancetypecode" => number(activity.instance.into()),
        "seriesid" if activity.instance == 2 => Value::Guid(series(store, activity)),
        "_ownerid_value" | "_owninguser_value" | "_createdby_value" | "_modifiedby_value" => {
            person()
        }
        "_owningbusinessunit_value" => {
            Value::Guid(store.units[store.people[activity.owner].unit].id)
        }
        "createdon" | "modifiedon" => time(activity.created()),
        "versionnumber" => Value::Int(i64::try_from(version(activity)).unwrap_or(i64::MAX)),
        _ => Value::Null,
    }
}

/// The series of an instance; its row is not stored.
fn series(store: &Store, activity: &Activity) -> Uuid {
    store.calendars.id(activity.owner, activity.number, u8::MAX)
}

pub(super) fn party(store: &Store, party: &Party, column: &str) -> Value {
    match column {
        "activitypartyid" => Value::Guid(party.id(store)),
        "_activityid_value" => Value::Guid(activities::id(store, &party.activity)),
        "_partyid_value" => Value::Guid(store.people[party.person].id),
        "participationtypemask" => number(party.part.into()),
        "addressused" => text_or_null(store.people[party.person].email.as_deref()),
        "scheduledstart" | "scheduledend" | "instancetypecode" | "_ownerid_value"
        | "versionnumber" => activity(store, &party.activity, column),
        _ => Value::Null,
    }
}
