//! The impact of a change, in words and tables: warnings, and what users lose.

use std::io::{self, Write};

use crate::journal::{
    CountWithExample, Finding, Impact, ImpactOfType, ImpactOfUser, ImpactRow, Mailboxes,
    NamedFilter, ReadError, RunHeader, UnknownGroup, UserLoss, View,
};

use crate::plan::LossBound;

use super::grid::{self, Column, Grid};
use super::markdown::{escaped, header_row, row};
use super::paint::Tone;
use super::phrases;
use super::text::{clean, count, number};
use super::writer::{StyledWrite, paint_line};
use super::{ReportError, Style};

/// The heading over warnings before a change.
pub(super) const FIRST: &str = "Before you start";
/// The warning where writes cannot require the version that was read.
pub(super) const ANY_VERSION: &str = "This server has no optimistic concurrency for sync filters, so writes use \
    `If-Match: *`: a change that somebody makes between reading and writing is overwritten. Nobody else should change \
    filters during the run.";
/// The name of what users lose.
pub(super) const IMPACT: &str = "Impact";
pub(super) const MOST: &str = "Most affected users";
/// The heading over what is not known.
pub(super) const UNKNOWN: &str = "Not known";
/// The number of users who lose most that are shown: a plan has to fit a screen, and `report` shows all.
pub(super) const SHOWN: u32 = 10;

pub(super) const TYPES: [Column; 4] = [
    Column::text("Type", 12, 26),
    Column::number("Items"),
    Column::number("Users"),
    Column::number("Users not known"),
];
pub(super) const USERS: [Column; 2] = [Column::text("User", 16, 40), Column::number("Items")];
pub(super) const REASONS: [Column; 4] = [
    Column::text("Why", 12, 12),
    Column::number("Users"),
    Column::text("Example", 16, 36),
    Column::text("Message", 20, 60),
];

/// The findings of a run; empty where nothing was asked for and nothing is unusual.
pub(super) struct ImpactReport {
    findings: Vec<Finding>,
    pub(super) impact: Option<Impact>,
    keeps: Option<bool>,
}

impl ImpactReport {
    pub(super) fn read(view: &View<'_>, header: &RunHeader) -> Result<Self, ReadError> {
        Self::of(view, header, view.impact(SHOWN)?)
    }

    /// As [`Self::read`], of what is still ahead, with this number of the users who lose most.
    pub(super) fn read_ahead(
        view: &View<'_>,
        header: &RunHeader,
        most: u32,
    ) -> Result<Self, ReadError> {
        Self::of(view, header, view.impact_ahead(most)?)
    }

    fn of(view: &View<'_>, header: &RunHeader, impact: Option<Impact>) -> Result<Self, ReadError> {
        Ok(Self {
            findings: view.findings()?,
            impact,
            keeps: header.organization.distinct_deletes,
        })
    }

    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The warnings, of one or two sentences each.
    pub(super) fn first(&self) -> Vec<String> {
        let mut said: Vec<_> = self.findings.iter().filter_map(sentence).collect();
        let templates = self.findings.iter().filter_map(|finding| match finding {
            Finding::Template(template) => Some(template.filter_type.as_str()),
            _ => None,
        });
        let templates: Vec<_> = templates.collect();
        if !templates.is_empty() {
            said.push(format!(
                "New users will receive ACTIVE filters: the default templates of {} are active. \
                 `syncfilters templates deactivate --clear-default` keeps that from happening.",
                clean(&templates.join(", "))
            ));
        }
        said
    }

    pub(super) fn meaning(&self) -> &'static str {
        match self.keeps {
            Some(true) => {
                "Items to come that an active filter selects now and none will afterwards. They stay in \
                 Exchange and are only unlinked, because DistinctPhysicalAndLogicalDeletesForExchangeSync is on."
            }
            Some(false) => {
                "Items to come that an active filter selects now and none will afterwards. They can be deleted \
                 from Exchange, because DistinctPhysicalAndLogicalDeletesForExchangeSync is off."
            }
            None => {
                "Items to come that an active filter selects now and none will afterwards. They can be deleted \
                 from Exchange, unless DistinctPhysicalAndLogicalDeletesForExchangeSync is on, which could not be read."
            }
        }
    }
}

/// The whole loss, on one line.
pub(super) fn total_of_impact(impact: &Impact) -> String {
    let bound = impact.bound.words();
    let items = count(impact.items, "coming item");
    let users = count(impact.users, "user");
    let unknown = match impact.unknown_users + impact.not_counted {
        0 => String::new(),
        unknown => format!(" ({} not known)", number(unknown)),
    };
    format!("{bound}{items} of {users}{unknown}")
}

/// The whole loss, in one sentence.
pub(super) fn total(impact: &Impact) -> String {
    let bound = impact.bound.words();
    let lost = count(impact.items, "item");
    let mut said = vec![format!("{bound}{lost} of {}", count(impact.users, "user"))];
    for (users, what) in [
        (impact.unknown_users, "not fully counted"),
        (impact.not_counted, "not counted"),
    ] {
        if users > 0 {
            said.push(format!("{} {what}", count(users, "user")));
        }
    }
    if impact.without_mailbox > 0 {
        let kept = count(impact.without_mailbox, "item");
        said.push(format!(
            "{kept} not included, because the mailbox does not synchronise"
        ));
    }
    said.join("; ")
}

/// The numbers of users by mailbox method.
pub(super) fn mailboxes(of: Mailboxes) -> String {
    format!(
        "{} by server-side synchronisation, {} by Dynamics 365 for Outlook, {} not synchronised",
        number(of.server),
        number(of.outlook),
        number(of.nothing)
    )
}

/// What a user loses: a number, whether it is a bound, and whether something is not known.
pub fn loss_words(loss: &UserLoss) -> String {
    match *loss {
        UserLoss {
            items: 0,
            unknown: true,
            ..
        } => "not known".to_owned(),
        UserLoss {
            items: known,
            bound,
            unknown: true,
        } => {
            let at_least: LossBound = [bound, LossBound::AtLeast].into_iter().collect();
            items(known, at_least)
        }
        UserLoss {
            items: known,
            bound,
            ..
        } => items(known, bound),
    }
}

/// A number, with words that say whether it is a bound.
pub(super) fn items(items: u64, bound: LossBound) -> String {
    let bound = match bound {
        LossBound::Exact => "",
        LossBound::AtMost => "≤ ",
        LossBound::AtLeast => "≥ ",
        LossBound::About => "~ ",
    };
    format!("{bound}{}", number(items))
}

pub(super) fn type_cells(of: &ImpactOfType) -> [String; 4] {
    [
        phrases::short_type(of.filter_type.as_str()).into_owned(),
        items(of.items, of.bound),
        number(of.users),
        number(of.unknown_users),
    ]
}

pub(super) fn user_cells(of: &ImpactOfUser) -> [String; 2] {
    let more = if of.unknown { " + ?" } else { "" };
    [
        clean(&of.user).into_owned(),
        format!("{}{more}", items(of.items, of.bound)),
    ]
}

pub(super) fn reason_cells(group: &UnknownGroup) -> [String; 4] {
    [
        clean(&group.kind).into_owned(),
        number(group.users),
        clean(&group.example).into_owned(),
        clean(&group.message).into_owned(),
    ]
}

/// The loss of one user of one type, as cells.
pub(super) fn row_cells(row: &ImpactRow) -> [String; 2] {
    if !row.synchronises {
        let items = row.items.unwrap_or_default();
        let note = format!("no mailbox that synchronises: none of {}", number(items));
        return ["0".to_owned(), note];
    }
    let note = match (&row.why, row.items) {
        (Some((kind, message)), _) => format!("{kind}: {message}"),
        (None, _) => match row.bound {
            LossBound::Exact => "exactly",
            LossBound::AtMost => "at most",
            LossBound::AtLeast => "at least",
            LossBound::About => "about",
        }
        .to_owned(),
    };
    [row.items.map_or_else(String::new, |n| n.to_string()), note]
}

/// The sentence of a finding; templates share one sentence.
#[expect(clippy::too_many_lines, reason = "one sentence for each finding")]
pub(super) fn sentence(finding: &Finding) -> Option<String> {
    let of = |several: &CountWithExample, one: &str, many: &str, what: &str| {
        let CountWithExample { users, example } = several;
        let (verb, such) = match users {
            1 => (one, ""),
            _ => (many, "such as "),
        };
        format!(
            "{} {verb} {what} ({such}{})",
            count(*users, "user"),
            clean(example)
        )
    };
    let said = match finding {
        Finding::Template(_) => return None,
        Finding::AnyVersion => ANY_VERSION.to_owned(),
        Finding::SystemFilter(NamedFilter { name, filter_type }) => format!(
            "The system filter `{}` is active: what it selects of {} is still synchronised for everybody, \
             whatever the users' own filters say. A customiser can deactivate it.",
            clean(name),
            phrases::short_type(filter_type.as_str())
        ),
        Finding::OrganisationUnknown(why) => format!(
            "The system filters and default templates of the organisation could not be read, so that every number \
             is the most that it can be: {}",
            clean(why)
        ),
        Finding::StaysOn(several) => format!(
            "{}. What that one selects is still synchronised; `syncfilters list` shows it, and without --name it \
             is switched off, too.",
            of(
                several,
                "keeps",
                "keep",
                "another active filter of a type of which one is switched off"
            )
        ),
        Finding::Duplicates(several) => {
            let what = "several filters that were made from one template";
            format!("{}.", of(several, "has", "have", what))
        }
        Finding::NotPopulated(several) => format!(
            "{}. The default ones are created, active, when the user is first synchronised: run again then, or \
             deactivate the templates.",
            of(several, "has", "have", "no filters yet")
        ),
        Finding::NoMailbox(several) => format!(
            "{}. The filters are changed all the same; this has no effect in Exchange, and what they select is not \
             in the total.",
            of(
                several,
                "has",
                "have",
                "no mailbox that synchronises: none, its method is None, or it was never enabled"
            )
        ),
        Finding::OutlookClient(several) => format!(
            "{}. The add-in reads the same filters, so these users are counted like all others; online it was retired \
             in 2020, and the method has no effect there.",
            of(
                several,
                "has",
                "have",
                "a mailbox whose method is Dynamics 365 for Outlook"
            )
        ),
        Finding::MailboxesUnknown(why) => format!(
            "Which mailboxes synchronise could not be read, so that all users are counted: {}",
            clean(why)
        ),
        Finding::BothEngines(several) => {
            let what = "on the other engine's list and still synchronised here";
            let users = of(several, "is", "are", what);
            format!("{users}: both engines on one calendar make duplicates.")
        }
        Finding::NoEngine(several) => {
            let what = "not on the other engine's list and not synchronised here in the end";
            format!("{}: no engine is left.", of(several, "is", "are", what))
        }
        Finding::NotHere { names, examples } => format!(
            "{} of the other engine's list without a user in this run: {}",
            count(*names, "name"),
            some_of(*names, examples)
        ),
        Finding::SkippedNames {
            excludes: true,
            names,
            examples,
        } => format!(
            "{} to be excluded match{} no user, so nobody is left out for {}: {}",
            count(*names, "name"),
            if *names == 1 { "es" } else { "" },
            if *names == 1 { "it" } else { "them" },
            some_of(*names, examples)
        ),
        Finding::SkippedNames {
            names, examples, ..
        } => format!(
            "{} without a user, skipped: {}",
            count(*names, "name"),
            some_of(*names, examples)
        ),
    };
    Some(said)
}

pub(super) fn some_of(names: u64, examples: &[String]) -> String {
    let more = names > u64::try_from(examples.len()).unwrap_or(u64::MAX);
    let more = if more { ", …" } else { "" };
    format!("{}{more}", clean(&examples.join(", ")))
}

/// Writes the warnings, with a line below; nothing where there are none.
pub(super) fn write_first(
    out: &mut dyn StyledWrite,
    impact_report: &ImpactReport,
    style: Style,
) -> Result<(), ReportError> {
    let first = impact_report.first();
    if first.is_empty() {
        return Ok(());
    }
    paint_line(out, Tone::Strong, FIRST)?;
    let columns = [Column::text("", 1, 1), Column::text("", 20, 96)];
    let grid = Grid::streaming(&columns, style);
    for said in first {
        grid.row(out, &["-".to_owned(), said], Tone::Warning)?;
    }
    writeln!(out)?;
    Ok(())
}

/// Writes what users lose, with a line above; nothing where it was not asked for.
pub(super) fn write_impact(
    out: &mut dyn StyledWrite,
    impact_report: &ImpactReport,
    style: Style,
) -> Result<(), ReportError> {
    let Some(impact) = &impact_report.impact else {
        return Ok(());
    };
    writeln!(out)?;
    paint_line(out, Tone::Strong, IMPACT)?;
    grid::paragraph(out, impact_report.meaning(), Tone::Plain, style)?;
    writeln!(out)?;
    let mut facts = vec![("Total", total(impact))];
    facts.extend(impact.mailboxes.map(|of| ("Mailboxes", mailboxes(of))));
    grid::facts(out, &facts, style)?;
    let plain = |cells: Vec<String>| (cells, Tone::Plain);
    if !impact.types.is_empty() {
        writeln!(out)?;
        let rows = impact.types.iter().map(|of| plain(type_cells(of).to_vec()));
        Grid::whole(out, &TYPES, &rows.collect::<Vec<_>>(), style)?;
    }
    if !impact.most.is_empty() {
        writeln!(out)?;
        paint_line(out, Tone::Strong, MOST)?;
        let rows = impact.most.iter().map(|of| plain(user_cells(of).to_vec()));
        Grid::whole(out, &USERS, &rows.collect::<Vec<_>>(), style)?;
    }
    if !impact.unknown.is_empty() {
        writeln!(out)?;
        paint_line(out, Tone::Strong, UNKNOWN)?;
        let rows = impact
            .unknown
            .iter()
            .map(|group| (reason_cells(group).to_vec(), Tone::Warning));
        Grid::whole(out, &REASONS, &rows.collect::<Vec<_>>(), style)?;
    }
    Ok(())
}

/// The same as Markdown, each part with its heading.
pub(super) fn write_markdown(out: &mut dyn Write, impact_report: &ImpactReport) -> io::Result<()> {
    let first = impact_report.first();
    if !first.is_empty() {
        writeln!(out, "\n## {FIRST}\n")?;
        first
            .iter()
            .try_for_each(|said| writeln!(out, "- {}", escaped(said)))?;
    }
    let Some(impact) = &impact_report.impact else {
        return Ok(());
    };
    writeln!(
        out,
        "\n## {IMPACT}\n\n{}\n",
        escaped(impact_report.meaning())
    )?;
    writeln!(out, "Total: {}", escaped(&total(impact)))?;
    if let Some(of) = impact.mailboxes {
        writeln!(out, "\nMailboxes: {}", escaped(&mailboxes(of)))?;
    }
    let types = impact.types.iter().map(|of| type_cells(of).to_vec());
    write_table(out, "By type", &TYPES, types)?;
    let users = impact.most.iter().map(|of| user_cells(of).to_vec());
    write_table(out, MOST, &USERS, users)?;
    let reasons = impact.unknown.iter().map(|of| reason_cells(of).to_vec());
    write_table(out, UNKNOWN, &REASONS, reasons)
}

fn write_table(
    out: &mut dyn Write,
    title: &str,
    columns: &[Column],
    mut rows: impl ExactSizeIterator<Item = Vec<String>>,
) -> io::Result<()> {
    if rows.len() == 0 {
        return Ok(());
    }
    writeln!(out, "\n### {title}\n")?;
    header_row(out, columns)?;
    rows.try_for_each(|cells| row(out, &cells))
}
