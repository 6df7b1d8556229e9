//! Notes that a plan may be ineffective or surprising, one line each.

use crate::journal::{CountWithExample, Finding, ProblemGroup, RunHeader};
use crate::model::Operation;

use super::impact::some_of;
use super::phrases;
use super::problems::kinds;
use super::text::{clean, count};

/// How important a note is, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// It needs a decision.
    Warning,
    /// It says for whom a change has no or another effect.
    Effect,
    /// It is true of every plan, or explains.
    Explanation,
}

/// A note about a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) weight: Weight,
    pub(super) text: String,
    /// A warning in a few words, for a line with several; else the text.
    pub(super) brief: String,
}

impl Note {
    fn warning(text: impl Into<String>, brief: impl Into<String>) -> Self {
        Self {
            brief: brief.into(),
            ..Self::new(Weight::Warning, text)
        }
    }

    fn effect(text: impl Into<String>) -> Self {
        Self::new(Weight::Effect, text)
    }

    fn explanation(text: impl Into<String>) -> Self {
        Self::new(Weight::Explanation, text)
    }

    fn new(weight: Weight, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            weight,
            brief: text.clone(),
            text,
        }
    }

    /// Whether it needs a decision.
    pub(super) fn warns(&self) -> bool {
        self.weight == Weight::Warning
    }
}

/// Which direction of synchronisation stops and what happens to items in Exchange; nothing where no filter is
/// deactivated. `can_lose` says that items can be deleted from Exchange.
pub(super) fn of_calendars(header: &RunHeader, can_lose: bool) -> Vec<Note> {
    let mut notes = Vec::new();
    if can_lose {
        let setting = match header.organization.distinct_deletes {
            None => "is unknown (default: off)",
            Some(_) => "is off; true keeps them",
        };
        notes.push(Note::warning(
            "Items can be deleted from Exchange. `undo` cannot bring them back.",
            "calendar items can be deleted",
        ));
        notes.push(Note::warning(
            format!("DistinctPhysicalAndLogicalDeletesForExchangeSync {setting}."),
            "DistinctPhysicalAndLogicalDeletesForExchangeSync",
        ));
    }
    if header.operation == Operation::Deactivate {
        if !can_lose {
            let stay =
                "Items stay in Exchange as unlinked copies; another engine can duplicate them.";
            notes.push(Note::explanation(stay));
        }
        notes.push(Note::explanation(
            "Only Dynamics to Exchange stops. What users track in Outlook still comes in.",
        ));
    }
    if header.operation == Operation::Undo && !can_lose {
        notes.push(Note::explanation(
            "`undo` recalls no cancellation and no item that Exchange has deleted.",
        ));
    }
    notes
}

/// The findings about the organisation and its users; those that need a decision come first.
pub(super) fn of_findings(findings: &[Finding]) -> Vec<Note> {
    let mut notes: Vec<_> = findings.iter().filter_map(note).collect();
    let templates = findings
        .iter()
        .filter(|finding| matches!(finding, Finding::Template(_)));
    let templates = u64::try_from(templates.count()).unwrap_or(u64::MAX);
    if templates > 0 {
        let templates = count(templates, "default template");
        notes.push(Note::warning(
            format!("New users will receive active filters: {templates}."),
            "new users receive active filters",
        ));
    }
    notes
}

fn note(finding: &Finding) -> Option<Note> {
    let users = |of: &CountWithExample, one: &str, many: &str| {
        let verb = if of.users == 1 { one } else { many };
        format!("{} {verb}", count(of.users, "user"))
    };
    Some(match finding {
        Finding::Template(_) => return None,
        Finding::AnyVersion => Note::warning(
            "No optimistic concurrency here: nobody else should change filters meanwhile.",
            "no optimistic concurrency",
        ),
        Finding::SystemFilter(filter) => {
            let of = phrases::short_type(filter.filter_type.as_str());
            Note::warning(
                format!(
                    "A system filter goes on synchronising {of} for everybody: {}.",
                    clean(&filter.name)
                ),
                format!("a system filter synchronises {of}"),
            )
        }
        Finding::OrganisationUnknown(_) => Note::warning(
            "System filters and default templates could not be read.",
            "system filters could not be read",
        ),
        Finding::StaysOn(of) => Note::warning(
            format!(
                "{} another active filter of the same type.",
                users(of, "keeps", "keep")
            ),
            format!("{} another active filter", users(of, "keeps", "keep")),
        ),
        Finding::Duplicates(of) => Note::explanation(format!(
            "{} several filters of one template.",
            users(of, "has", "have")
        )),
        Finding::NotPopulated(of) => Note::effect(format!(
            "{} no filters yet and will receive active ones.",
            users(of, "has", "have")
        )),
        Finding::NoMailbox(of) => Note::effect(format!(
            "{} no mailbox that synchronises: no effect in Exchange.",
            users(of, "has", "have")
        )),
        Finding::OutlookClient(of) => Note::effect(format!(
            "{} Dynamics 365 for Outlook, which reads the same filters.",
            users(of, "uses", "use")
        )),
        Finding::MailboxesUnknown(_) => {
            Note::effect("Which mailboxes synchronise could not be read: all users are counted.")
        }
        Finding::BothEngines(of) => Note::warning(
            format!(
                "{} both engines on one calendar, which makes duplicates.",
                users(of, "has", "have")
            ),
            format!("{} both engines", users(of, "has", "have")),
        ),
        Finding::NoEngine(of) => Note::warning(
            format!("{} no engine in the end.", users(of, "has", "have")),
            format!("{} no engine", users(of, "has", "have")),
        ),
        Finding::NotHere { names, examples } => Note::effect(format!(
            "{} of the other engine's list without a user here: {}",
            count(*names, "name"),
            some_of(*names, examples)
        )),
        Finding::SkippedNames {
            excludes: true,
            names,
            examples,
        } => Note::warning(
            format!(
                "{} to be excluded without a user: {}",
                count(*names, "name"),
                some_of(*names, examples)
            ),
            format!("{} to be excluded without a user", count(*names, "name")),
        ),
        Finding::SkippedNames {
            names, examples, ..
        } => Note::effect(format!(
            "{} without a user, skipped: {}",
            count(*names, "name"),
            some_of(*names, examples)
        )),
    })
}

/// The users who are left out, by reason: those who are skipped, and those whose filters could not be read.
pub(super) fn left_out(groups: &[ProblemGroup]) -> [(&'static str, String); 2] {
    let listed = |skips: bool| kinds(groups.iter().filter(|of| of.kind.is_skip() == skips));
    [("Skipped", listed(true)), ("Failed", listed(false))]
}
