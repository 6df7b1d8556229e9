//! The impact of a change, for programs.

use serde::Serialize;

use crate::journal::{
    CountWithExample, Finding, Impact, ImpactOfType, ImpactOfUser, ReadError, RunHeader,
    UnknownGroup, View,
};
use crate::model::UserId;

use super::impact::{SHOWN, sentence};

/// A warning.
#[derive(Serialize)]
pub(super) struct First {
    /// The stable word.
    kind: &'static str,
    users: Option<u64>,
    example: Option<String>,
    #[serde(rename = "type")]
    filter_type: Option<String>,
    name: Option<String>,
    message: String,
}

#[derive(Serialize)]
pub(super) struct Lost {
    items: u64,
    /// Whether the true number can be lower.
    at_most: bool,
    /// Whether the true number can be higher.
    at_least: bool,
    users: u64,
    unknown_users: u64,
    not_counted_users: u64,
    /// Items of users whose mailbox does not synchronise; not in `items`.
    without_mailbox_items: u64,
    /// The users to be changed by mailbox method; null where that could not be read.
    mailboxes: Option<ByMailbox>,
    /// Whether Exchange deletes them; null where the setting could not be read.
    deletes: Option<bool>,
    types: Vec<OfType>,
    most: Vec<OfUser>,
    unknown: Vec<Reason>,
}

#[derive(Serialize)]
struct ByMailbox {
    server_side: u64,
    outlook_client: u64,
    nothing: u64,
}

#[derive(Serialize)]
struct OfType {
    #[serde(rename = "type")]
    filter_type: String,
    items: u64,
    at_most: bool,
    at_least: bool,
    users: u64,
    unknown_users: u64,
}

#[derive(Serialize)]
struct OfUser {
    user: String,
    id: UserId,
    items: u64,
    at_most: bool,
    at_least: bool,
    partly_unknown: bool,
}

#[derive(Serialize)]
struct Reason {
    kind: String,
    users: u64,
    example: String,
    message: String,
}

/// All warnings.
pub(super) fn first(view: &View<'_>) -> Result<Vec<First>, ReadError> {
    Ok(view.findings()?.into_iter().map(First::from).collect())
}

/// What users lose; none where that was not asked for.
pub(super) fn lost(view: &View<'_>, header: &RunHeader) -> Result<Option<Lost>, ReadError> {
    let impact = view.impact(SHOWN)?;
    Ok(impact.map(|impact| Lost::of(impact, header.organization.distinct_deletes)))
}

impl From<Finding> for First {
    fn from(finding: Finding) -> Self {
        let message = sentence(&finding).unwrap_or_else(|| {
            "New users will receive an active filter of this default template.".to_owned()
        });
        let kind = finding.as_str();
        let (mut several, mut named) = (None, None);
        match finding {
            Finding::SystemFilter(it) | Finding::Template(it) => named = Some(it),
            Finding::StaysOn(it)
            | Finding::Duplicates(it)
            | Finding::NotPopulated(it)
            | Finding::NoMailbox(it)
            | Finding::OutlookClient(it)
            | Finding::BothEngines(it)
            | Finding::NoEngine(it) => several = Some(it),
            Finding::AnyVersion
            | Finding::OrganisationUnknown(_)
            | Finding::MailboxesUnknown(_)
            | Finding::NotHere { .. }
            | Finding::SkippedNames { .. } => {}
        }
        let (users, example) = several
            .map(|CountWithExample { users, example }| (users, example))
            .unzip();
        let (name, filter_type) = named
            .map(|it| (it.name, it.filter_type.to_string()))
            .unzip();
        Self {
            kind,
            users,
            example,
            filter_type,
            name,
            message,
        }
    }
}

impl Lost {
    fn of(impact: Impact, keeps: Option<bool>) -> Self {
        let Impact {
            types,
            items,
            bound,
            users,
            unknown_users,
            not_counted,
            without_mailbox,
            mailboxes,
            most,
            unknown,
        } = impact;
        Self {
            items,
            at_most: bound.can_be_less(),
            at_least: bound.can_be_more(),
            users,
            unknown_users,
            not_counted_users: not_counted,
            without_mailbox_items: without_mailbox,
            mailboxes: mailboxes.map(|of| ByMailbox {
                server_side: of.server,
                outlook_client: of.outlook,
                nothing: of.nothing,
            }),
            deletes: keeps.map(|keeps| !keeps),
            types: types.into_iter().map(OfType::from).collect(),
            most: most.into_iter().map(OfUser::from).collect(),
            unknown: unknown.into_iter().map(Reason::from).collect(),
        }
    }
}

impl From<ImpactOfType> for OfType {
    fn from(of: ImpactOfType) -> Self {
        Self {
            filter_type: of.filter_type.to_string(),
            items: of.items,
            at_most: of.bound.can_be_less(),
            at_least: of.bound.can_be_more(),
            users: of.users,
            unknown_users: of.unknown_users,
        }
    }
}

impl From<ImpactOfUser> for OfUser {
    fn from(of: ImpactOfUser) -> Self {
        Self {
            user: of.user,
            id: of.id,
            items: of.items,
            at_most: of.bound.can_be_less(),
            at_least: of.bound.can_be_more(),
            partly_unknown: of.unknown,
        }
    }
}

impl From<UnknownGroup> for Reason {
    fn from(group: UnknownGroup) -> Self {
        Self {
            kind: group.kind,
            users: group.users,
            example: group.example,
            message: group.message,
        }
    }
}
