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
    match kind {
        ProblemKind::Gone | ProblemKind::ChangedSince | ProblemKind::StatusNotRestored => {
            Tone::Warning
        }
        kind if kind.is_skip() => Tone::Warning,
        _ => Tone::Bad,
    }
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
