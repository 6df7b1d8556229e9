//! Problems by kind, with hints.

use std::io;

use crate::journal::ProblemGroup;
use crate::model::ProblemKind;

use super::grid::{Column, Grid};
use super::paint::Tone;
use super::text::{clean, number};
use super::writer::{StyledWrite, paint_line};
use super::{Style, hint};

pub(super) const TITLE: &str = "Skipped, left alone or failed";

/// The note of a problem that is over.
pub(super) const OVER: &str = "Is over: it was tried again and done.";

pub(super) const COLUMNS: [Column; 4] = [
    Column::text("Kind", 12, 20),
    Column::number("Users"),
    Column::text("Example", 12, 30),
    Column::text("Hint", 20, 60),
];

/// The tone of a kind: a failure is worse than a row that was skipped or left alone.
pub(super) const fn tone(kind: ProblemKind) -> Tone {
    if is_failure(kind) {
        Tone::Bad
    } else {
        Tone::Warning
    }
}

const fn is_failure(kind: ProblemKind) -> bool {
    !kind.is_left() && !kind.is_skip()
}

/// The kinds with what to do that a summary shows: with two lines each they fit a terminal of 24 lines.
const WITH_HINT: usize = 4;

/// The kinds of some groups in words, such as `3 no-roles, 1 gone`.
pub(super) fn kinds<'g>(groups: impl IntoIterator<Item = &'g ProblemGroup>) -> String {
    let kinds = groups.into_iter();
    let kinds = kinds.map(|group| format!("{} {}", number(group.users), group.kind.as_str()));
    kinds.collect::<Vec<_>>().join(", ")
}

/// The problems as facts on few lines: who failed, each kind with what to do; whose filters were left alone; who was
/// skipped.
pub(super) fn facts(groups: &[ProblemGroup]) -> Vec<((&'static str, String), Tone)> {
    let (failed, others): (Vec<_>, Vec<_>) = groups.iter().partition(|of| is_failure(of.kind));
    let (left, skipped): (Vec<_>, Vec<_>) = others.into_iter().partition(|of| of.kind.is_left());
    let (hinted, more) = failed.split_at(failed.len().min(WITH_HINT));
    let hinted = hinted.iter();
    let hinted = hinted.map(|of| format!("{}: {}", kinds([*of]), hint(of.kind)));
    let mut facts: Vec<_> = hinted.map(|text| (("", text), Tone::Bad)).collect();
    if let Some(((name, _), _)) = facts.first_mut() {
        *name = "Failed";
    }
    let rest = [
        ("", more, Tone::Bad),
        ("Left", &left, Tone::Warning),
        ("Skipped", &skipped, Tone::Warning),
    ];
    let rest = rest.into_iter().filter(|(_, groups, _)| !groups.is_empty());
    facts.extend(rest.map(|(name, groups, tone)| ((name, kinds(groups.iter().copied())), tone)));
    facts
}

/// Writes problems by kind, up to a number of kinds; `where_more` says where the others are shown.
pub(super) fn write_groups(
    out: &mut dyn StyledWrite,
    groups: &[ProblemGroup],
    most: usize,
    where_more: &str,
    style: Style,
) -> io::Result<()> {
    let row = |group: &ProblemGroup| (group_cells(group).to_vec(), tone(group.kind));
    let rows: Vec<_> = groups.iter().take(most).map(row).collect();
    Grid::whole(out, &COLUMNS, &rows, style)?;
    write_more(out, groups.len().saturating_sub(most), where_more)
}

/// A kind of problem as a row.
pub(super) fn group_cells(group: &ProblemGroup) -> [String; 4] {
    [
        group.kind.as_str().to_owned(),
        number(group.users),
        clean(&group.example).into_owned(),
        hint(group.kind).to_owned(),
    ]
}

/// Writes how many more there are, if any, and where they are shown.
pub(super) fn write_more(
    out: &mut dyn StyledWrite,
    more: usize,
    where_more: &str,
) -> io::Result<()> {
    if more == 0 {
        return Ok(());
    }
    let more = number(u64::try_from(more).unwrap_or(u64::MAX));
    let text = format!("… and {more} more: see {where_more}");
    paint_line(out, Tone::Dimmed, &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::PLAIN;

    fn group(kind: ProblemKind, users: u64) -> ProblemGroup {
        ProblemGroup {
            kind,
            users,
            example: "zoë\u{7}@contoso.example".into(),
            message: "no".into(),
        }
    }

    #[test]
    fn what_to_do_is_said_of_those_who_failed_and_everybody_is_counted() {
        let kinds = [
            ProblemKind::NoRoles,
            ProblemKind::NoLicence,
            ProblemKind::Disabled,
            ProblemKind::Gone,
            ProblemKind::NoReadPrivilege,
            ProblemKind::NoWritePrivilege,
            ProblemKind::Throttled,
            ProblemKind::StubUser,
        ];
        let groups: Vec<_> = kinds.iter().map(|kind| group(*kind, 2)).collect();
        let facts = facts(&groups);
        let said: Vec<_> = facts
            .iter()
            .map(|((name, text), _)| (*name, text.split(':').next().unwrap()))
            .collect();
        let expected = [
            ("Failed", "2 no-roles"),
            ("", "2 no-licence"),
            ("", "2 no-read-privilege"),
            ("", "2 no-write-privilege"),
            ("", "2 throttled"),
            ("Left", "2 gone"),
            ("Skipped", "2 disabled, 2 stub-user"),
        ];
        assert_eq!(said, expected);
        assert!(facts[0].0.1.contains(hint(ProblemKind::NoRoles)));
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_where_the_rest_is() {
        let groups = [
            group(ProblemKind::Disabled, 1_200),
            group(ProblemKind::NoRoles, 2),
            group(ProblemKind::Gone, 1),
        ];
        let mut out = Vec::new();
        write_groups(&mut out, &groups, 2, "`syncfilters report 3f2a9c`", PLAIN).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        Kind      Users  Example               Hint
        disabled  1,200  zoë·@contoso.example  Leave it, or enable the user first: a
                                               disabled user cannot be impersonated.
        no-roles      2  zoë·@contoso.example  Give the user a security role, then
                                               resume the run.
        … and 1 more: see `syncfilters report 3f2a9c`
        ");
    }
}
