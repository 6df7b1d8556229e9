//! `doctor`: from the address to the privileges, one check at a time. It writes nothing to the CRM.

use std::io::Write;
use std::num::NonZeroUsize;

use crate::auth::{self, Http, SignInMethod};
use crate::dataverse::{self, Impersonated, ImpersonationHeader, MailboxMethod, Reader};
use crate::model::{User, UserId};
use crate::settings::Target;

use super::App;
use super::args::DoctorArgs;
use super::checklist::Checklist;
use super::conclude::Conclusion;
use super::connect::connect_with;
use super::error::CliError;
use super::exit::Exit;
use super::places::{Place, places, side_by_side};
use super::printer::Printer;
use super::sign_in::{SignIn, chosen, may_turn_to_a_person};
use super::site::Ending;

const ADDRESS: &str = "address";
const CHALLENGE: &str = "where to sign in";
const TOKEN: &str = "token";
const IDENTITY: &str = "identity";
const VERSION: &str = "version";
const PRIVILEGES: &str = "privileges";
const FILTERS: &str = "sync filters";
const IMPERSONATION: &str = "impersonation";
const CALENDARS: &str = "calendars";
const MAILBOXES: &str = "mailboxes";
const LIMITS: &str = "limits";

const AFTER_SIGN_IN: [&str; 7] = [
    VERSION,
    PRIVILEGES,
    FILTERS,
    IMPERSONATION,
    CALENDARS,
    MAILBOXES,
    LIMITS,
];

/// The privileges that the caller needs itself, and what for.
const NEEDED: [(&str, &str); 3] = [
    (
        "prvActOnBehalfOfAnotherUser",
        "Act on Behalf of Another User, as in the role Delegate",
    ),
    ("prvReadUserQuery", "Read on Saved View"),
    ("prvWriteUserQuery", "Write on Saved View"),
];

/// How many users are tried for the proof of impersonation: some cannot be impersonated.
const TRIES: usize = 10;

/// Checks everything that a run depends on, everywhere: first where a person may be asked, one environment after the
/// other; then all others side by side.
pub(super) async fn doctor(app: &App, args: &DoctorArgs) -> Result<Exit, CliError> {
    let places = places(&args.connection, &app.output)?;
    let mut lists = examine_all(app, &places, args.several.environments_at_once).await;
    if lists.len() == 1 {
        let list = lists.remove(0)?;
        let mut out = Printer::result();
        list.write(&mut out, app.printer.format, app.printer.look())?;
        out.flush().map_err(CliError::Output)?;
        return Ok(exit_of(&list));
    }
    let mut conclusion = Conclusion::new(app)?;
    for (place, list) in places.iter().zip(lists) {
        let name = &*place.name;
        let list = match list {
            Ok(list) => list,
            Err(error) => {
                let ending = Ending::badly(&error);
                ending.say(app, Some(name));
                conclusion.without_result(name, &ending)?;
                continue;
            }
        };
        let mut out = conclusion.begin(name, None)?;
        list.write(&mut out, app.printer.format, app.printer.look())?;
        drop(out);
        let exit = exit_of(&list);
        let word = if list.has_failed() { "failed" } else { "ok" };
        conclusion.end(Ending::well(word, exit).line(name)?, exit)?;
    }
    conclusion.finish()
}

async fn examine_all(
    app: &App,
    places: &[Place],
    at_once: NonZeroUsize,
) -> Vec<Result<Checklist, CliError>> {
    let several = places.len() > 1;
    let examine = |place: &Place| {
        let (name, target) = (place.name.clone(), place.target.clone());
        async move { examine(app, several.then_some(&*name), target).await }
    };
    let mut in_turn = Vec::new();
    for place in places {
        let settled = chosen(&place.target);
        let personal = settled.is_ok_and(|settled| may_turn_to_a_person(&settled.method));
        in_turn.push(if personal {
            Some(examine(place).await)
        } else {
            None
        });
    }
    let work = places.iter().zip(in_turn).map(|(place, done)| async {
        match done {
            Some(done) => done,
            None => examine(place).await,
        }
    });
    side_by_side(at_once, work).await
}

/// How the checks end the command.
fn exit_of(list: &Checklist) -> Exit {
    if list.has_failed() {
        Exit::SignIn
    } else {
        Exit::Done
    }
}

/// Every check of one environment; `name` is said where there are several.
async fn examine(app: &App, name: Option<&str>, target: Target) -> Result<Checklist, CliError> {
    let mut list = Checklist::default();
    list.ok(
        ADDRESS,
        format!("{} ({})", target.environment, target.origin),
    );
    if let Some(reader) = sign_in(app, &mut list, name, target).await? {
        version(&mut list, &reader);
        privileges(&mut list, &reader).await;
        filters(&mut list, &reader).await;
        impersonation(&mut list, &reader).await;
        calendars(&mut list, &reader);
        mailboxes(&mut list, &reader).await;
        limits(&mut list, &reader).await;
    }
    Ok(list)
}

/// From the address to whoever signed in.
async fn sign_in(
    app: &App,
    list: &mut Checklist,
    name: Option<&str>,
    target: Target,
) -> Result<Option<Reader>, CliError> {
    let settled = match chosen(&target) {
        Ok(settled) => settled,
        Err(error) => {
            challenge(list, &target, None).await?;
            list.error(TOKEN, error);
            list.skipped(&[IDENTITY]);
            list.skipped(&AFTER_SIGN_IN);
            return Ok(None);
        }
    };
    challenge(list, &target, Some(&settled.method)).await?;
    let signed_in = async {
        let sign_in = SignIn::open_named(name, &target, &app.interrupted).await?;
        sign_in.first(&app.interrupted).await?;
        Ok::<_, CliError>(sign_in)
    };
    let sign_in = match signed_in.await {
        Ok(sign_in) => sign_in,
        Err(error) => {
            list.error(TOKEN, error);
            list.skipped(&[IDENTITY]);
            list.skipped(&AFTER_SIGN_IN);
            return Ok(None);
        }
    };
    list.ok(TOKEN, format!("from {}", sign_in.signed_in().describe()));
    match connect_with(app, target, sign_in.signed_in()).await {
        Ok(connection) => {
            let reader = connection.reader().clone();
            let identity = reader.identity();
            let (user, organization) = (&identity.caller.user, &identity.organization.name);
            list.ok(IDENTITY, format!("{user} in {organization}"));
            Ok(Some(reader))
        }
        Err(error) => {
            list.error(IDENTITY, error);
            list.skipped(&AFTER_SIGN_IN);
            Ok(None)
        }
    }
}

/// Whether a token comes from elsewhere than the identity provider that the environment names.
const fn names_no_authority(method: &SignInMethod) -> bool {
    matches!(
        method,
        SignInMethod::Given { .. } | SignInMethod::ManagedIdentity { .. } | SignInMethod::Tool { .. }
    )
}

/// Reachability, TLS and the challenge. Where nothing depends on the challenge, its lack is no failure.
async fn challenge(
    list: &mut Checklist,
    target: &Target,
    method: Option<&SignInMethod>,
) -> Result<(), CliError> {
    let needed = !method.is_some_and(names_no_authority);
    let by_windows = matches!(method, Some(SignInMethod::Windows { .. }));
    let http = Http::new().map_err(CliError::Http)?;
    let keys = &target.sign_in;
    let (vouched, tenant) = (keys.authority.as_deref(), keys.tenant.as_deref());
    let found = match auth::challenge(&http, &target.environment).await {
        Ok(challenge) if by_windows && challenge.windows() => {
            Ok("at the server itself, by Windows authentication".to_owned())
        }
        Ok(challenge) => auth::judge(&target.environment, &challenge, vouched, tenant)
            .map(|found| format!("{}, for {}", found.authority, found.resource)),
        Err(error) => Err(error),
    };
    match found {
        Ok(found) => list.ok(CHALLENGE, found),
        Err(error) if needed || error.kind() == "sign-in-unreachable" => {
            list.error(CHALLENGE, error);
        }
        Err(error) => list.warning(
            CHALLENGE,
            error.to_string(),
            "this does not matter while the token comes from elsewhere",
        ),
    }
    Ok(())
}

fn version(list: &mut Checklist, reader: &Reader) {
    let identity = reader.identity();
    let header = match reader.header() {
        ImpersonationHeader::ObjectId => {
            "impersonation by CallerObjectId, or MSCRMCallerID where a user has no Entra object id"
        }
        ImpersonationHeader::UserId => "impersonation by MSCRMCallerID",
    };
    list.ok(VERSION, format!("{}; {header}", identity.version));
}

async fn privileges(list: &mut Checklist, reader: &Reader) {
    let (mut missing, mut unknown) = (Vec::new(), false);
    for (name, what) in NEEDED {
        match reader.holds_privilege(name).await {
            Ok(Some(true)) => {}
            Ok(Some(false)) => missing.push(format!("{what} ({name})")),
            Ok(None) => unknown = true,
            Err(error) => return list.error(PRIVILEGES, error),
        }
    }
    if !missing.is_empty() {
        let missing = missing.join("; ");
        list.failed(
            PRIVILEGES,
            format!("the caller lacks {missing}"),
            "add it to a security role of the caller itself, not of a team",
        );
    } else if unknown {
        list.warning(
            PRIVILEGES,
            "this server does not answer which privileges the caller holds",
            "the checks below show whether they are enough",
        );
    } else {
        let names: Vec<_> = NEEDED.iter().map(|(name, _)| *name).collect();
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
        Err(error) => list.error(FILTERS, error),
    }
}

async fn impersonation(list: &mut Checklist, reader: &Reader) {
    let users = match some_users(reader).await {
        Ok(users) => users,
        Err(error) => return list.error(IMPERSONATION, error),
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
            Err(error) if error.is_fatal() => return list.error(IMPERSONATION, error),
            Err(error) => refused = Some(error),
        }
    }
    match (dropped, refused) {
        (Some(user), _) => list.failed(
            IMPERSONATION,
            format!("not honoured: as {user} the server still takes us for the caller"),
            "check that the caller has the role Delegate directly, and that no gateway removes the header",
        ),
        (None, Some(error)) => list.error(IMPERSONATION, error),
        (None, None) => list.warning(
            IMPERSONATION,
            "there is no other user to try it with",
            "a run proves it again before it changes anything",
        ),
    }
}

/// Whether the server takes us for this user, by one header or the other.
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

/// WhoAmI is not documented to say as whom we act, and a query is asked as well.
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

/// By what the mailboxes of enabled people synchronise; the filters of those by nothing have no effect.
async fn mailboxes(list: &mut Checklist, reader: &Reader) {
    let mut counts = Vec::new();
    for method in MailboxMethod::ALL {
        match reader.mailboxes(method).await {
            Ok(count) => counts.push(count),
            Err(error) if error.is_fatal() => return list.error(MAILBOXES, error),
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
        list.ok(
            MAILBOXES,
            format!(
                "{server} by server-side synchronisation, {outlook} by Dynamics 365 for Outlook (the add-in reads the \
                 same filters), {nothing} by nothing"
            ),
        );
    }
}

async fn limits(list: &mut Checklist, reader: &Reader) {
    match reader.limits().await {
        Ok(limits) => {
            let recommended = limits.recommended.map_or_else(
                || "no recommendation of requests at once".to_owned(),
                |count| format!("{count} requests at once are recommended"),
            );
            let remaining = limits.remaining.map_or_else(String::new, |count| {
                format!("; {count} requests are left of the five-minute budget")
            });
            list.ok(LIMITS, recommended + &remaining);
        }
        Err(error) => list.error(LIMITS, error),
    }
}
