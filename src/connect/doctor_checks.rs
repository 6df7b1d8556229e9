//! The checks that `doctor` makes once it is signed in. They write nothing to the CRM.

use crate::dataverse::{self, Impersonated, ImpersonationHeader, MailboxMethod, Reader};
use crate::model::{User, UserId, number};

use super::Checklist;
use super::privileges::{NeededBy, PrivilegeShortfall, judge, needed};

const VERSION: &str = "version";
const PRIVILEGES: &str = "privileges";
const FILTERS: &str = "sync filters";
const IMPERSONATION: &str = "impersonation";
const CALENDARS: &str = "calendars";
const MAILBOXES: &str = "mailboxes";
const LIMITS: &str = "limits";

/// The names of all checks that need a sign-in, in order.
pub(super) const AFTER_SIGN_IN: [&str; 7] = [
    VERSION,
    PRIVILEGES,
    FILTERS,
    IMPERSONATION,
    CALENDARS,
    MAILBOXES,
    LIMITS,
];

/// How many users are tried for the proof of impersonation, because some cannot be impersonated. Fewer than in a run: a
/// user waits, and a failed check only asks for a closer look.
const TRIES: usize = 10;

/// Makes all of them.
pub(super) async fn after_sign_in(list: &mut Checklist, reader: &Reader, asked: &[NeededBy]) {
    version(list, reader);
    privileges(list, reader, asked).await;
    filters(list, reader).await;
    impersonation(list, reader).await;
    calendars(list, reader);
    mailboxes(list, reader).await;
    limits(list, reader).await;
}

fn version(list: &mut Checklist, reader: &Reader) {
    let identity = reader.identity();
    let header = match reader.header() {
        ImpersonationHeader::ObjectId => {
            "impersonation by CallerObjectId, or MSCRMCallerID where a user has no Entra object id"
        }
        ImpersonationHeader::UserId => "impersonation by MSCRMCallerID",
    };
    let facts = if reader.begins_with_facts() {
        "; what is tried first was found by `trial` within the last 30 days"
    } else {
        ""
    };
    list.ok(VERSION, format!("{}; {header}{facts}", identity.version));
}

async fn privileges(list: &mut Checklist, reader: &Reader, asked: &[NeededBy]) {
    let needed = needed(asked);
    let names: Vec<_> = needed.iter().map(|it| it.name).collect();
    let reaches = match reader.privileges(&names).await {
        Ok(reaches) => reaches,
        Err(error) => return list.error(PRIVILEGES, &error),
    };
    let PrivilegeShortfall {
        missing,
        limited,
        unknown,
    } = judge(&needed, &reaches);
    if !missing.is_empty() {
        list.failed(
            PRIVILEGES,
            format!("the caller lacks {}", missing.join("; ")),
            "add it to a security role of the caller itself, not of a team; SECURITY.md lists what is needed for what",
        );
    } else if !limited.is_empty() {
        list.warning(
            PRIVILEGES,
            limited.join("; "),
            "add it to a security role of the caller where that matters; SECURITY.md lists what is needed for what",
        );
    } else if unknown {
        list.warning(
            PRIVILEGES,
            "this server does not answer which privileges the caller holds",
            "the checks below show whether they are enough",
        );
    } else {
        list.ok(PRIVILEGES, names.join(", "));
    }
}

async fn filters(list: &mut Checklist, reader: &Reader) {
    let asked = async {
        reader.filter_table().await?;
        reader.optimistic_concurrency().await
    };
    match asked.await {
        Ok(Some(true)) => list.ok(
            FILTERS,
            "every column can be read; optimistic concurrency is enabled, so that nobody's change is overwritten",
        ),
        Ok(Some(false)) => list.warning(
            FILTERS,
            "optimistic concurrency is not enabled for them, so that writes use `If-Match: *`",
            "a change that somebody makes during the run can be overwritten; run when nobody else changes filters",
        ),
        Ok(None) => list.warning(
            FILTERS,
            "every column can be read; the server does not say whether optimistic concurrency is enabled",
            "a run tries it, and says so where the server refuses it",
        ),
        Err(error) => list.error(FILTERS, &error),
    }
}

async fn impersonation(list: &mut Checklist, reader: &Reader) {
    let users = match some_users(reader).await {
        Ok(users) => users,
        Err(error) => return list.error(IMPERSONATION, &error),
    };
    let (mut dropped, mut refused) = (None, None);
    for user in &users {
        match acts_as(reader, user).await {
            Ok(true) => {
                let header = match user.object_id {
                    Some(_) => reader.header(),
                    None => ImpersonationHeader::UserId,
                };
                let (header, user) = (header.name(), user.label());
                return list.ok(IMPERSONATION, format!("honoured by {header}, as {user}"));
            }
            Ok(false) => dropped = Some(user.label()),
            Err(error) if error.is_fatal() => return list.error(IMPERSONATION, &error),
            Err(error) => refused = Some(error),
        }
    }
    match (dropped, refused) {
        (Some(user), _) => list.failed(
            IMPERSONATION,
            format!("not honoured: as {user} the server still takes us for the caller"),
            "check that the caller has the role Delegate directly, and that no gateway removes the header",
        ),
        (None, Some(error)) => list.error(IMPERSONATION, &error),
        (None, None) => list.warning(
            IMPERSONATION,
            "there is no other user to try it with",
            "a run proves it again before it changes anything",
        ),
    }
}

/// Whether the server takes the caller for this user, with either header.
async fn acts_as(reader: &Reader, user: &User) -> Result<bool, dataverse::Error> {
    let who = Impersonated::from(user);
    let first = acts_by_header(reader, &who).await?;
    if first || !reader.turn_header(&who) {
        return Ok(first);
    }
    let other = acts_by_header(reader, &who).await.unwrap_or(false);
    if !other {
        reader.turn_header(&who);
    }
    Ok(other)
}

/// WhoAmI is not documented to name the impersonated user, so a query is made as well.
async fn acts_by_header(reader: &Reader, who: &Impersonated) -> Result<bool, dataverse::Error> {
    let user = who.id;
    if reader.who_am_i_as(who).await? == user {
        return Ok(true);
    }
    Ok(reader.current_user_as(who).await? == Some(user))
}

async fn some_users(reader: &Reader) -> Result<Vec<User>, dataverse::Error> {
    let mut pages = reader.users(None);
    let mut users = pages.next().await?.unwrap_or_default();
    let caller = reader.identity().caller.id;
    users.retain(|user| may_be_tried(user, caller));
    users.truncate(TRIES);
    Ok(users)
}

fn may_be_tried(user: &User, caller: UserId) -> bool {
    user.id != caller && crate::plan::ineligible(user).is_none()
}

fn calendars(list: &mut Checklist, reader: &Reader) {
    const SETTING: &str = "DistinctPhysicalAndLogicalDeletesForExchangeSync";
    match reader.identity().organization.distinct_deletes {
        Some(true) => list.ok(
            CALENDARS,
            format!("{SETTING} is on: what is no longer synchronised stays in Exchange"),
        ),
        Some(false) => list.warning(
            CALENDARS,
            format!("{SETTING} is off: what is no longer synchronised can be deleted from Exchange"),
            "set it to true in the organization settings editor (on-premises: the OrgDBOrgSettings tool), never in the \
             column itself; or deactivate with --accept-calendar-loss",
        ),
        None => list.warning(
            CALENDARS,
            format!("{SETTING} cannot be read"),
            "give the caller Read on Organization, or take it for off",
        ),
    }
}

/// Counts the mailboxes of enabled users by synchronisation method. Filters of users without one have no effect.
async fn mailboxes(list: &mut Checklist, reader: &Reader) {
    let mut counts = Vec::new();
    for method in MailboxMethod::ALL {
        match reader.mailboxes(method).await {
            Ok(count) => counts.push(count),
            Err(error) if error.is_fatal() => return list.error(MAILBOXES, &error),
            Err(error) => {
                return list.warning(
                    MAILBOXES,
                    format!("which of them synchronise could not be read: {error}"),
                    "give the caller Read on Mailbox; a plan counts every user until then",
                );
            }
        }
    }
    if let [server, outlook, nothing] = counts[..] {
        let [server, outlook, nothing] = [server, outlook, nothing]
            .map(|users| number(u64::try_from(users).unwrap_or(u64::MAX)));
        list.ok(
            MAILBOXES,
            format!(
                "{server} by server-side synchronisation, {outlook} by Dynamics 365 for Outlook (the add-in reads the \
                 same filters), {nothing} not synchronised"
            ),
        );
    }
}

async fn limits(list: &mut Checklist, reader: &Reader) {
    match reader.limits().await {
        Ok(limits) => {
            let recommended = limits.recommended.map_or_else(
                || "no recommendation of requests at once".to_owned(),
                |count| format!("{} requests at once are recommended", number(count.into())),
            );
            let remaining = limits.remaining.map_or_else(String::new, |count| {
                format!(
                    "; {} requests are left of the five-minute budget",
                    number(count.into())
                )
            });
            list.ok(LIMITS, recommended + &remaining);
        }
        Err(error) => list.error(LIMITS, &error),
    }
}
