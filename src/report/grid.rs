//! Tables of a limited width, written row by row.

use std::borrow::Cow;
use std::io;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, Row, Table, Width};
use console::measure_text_width;

use super::Style;
use super::paint::Tone;
use super::text::clean;
use super::writer::{StyledWrite, paint_line};

/// Columns of space between two columns.
const GAP: usize = 2;
/// The widest column. Without a terminal, lines go to a file, and messages are cut at some hundred characters,
/// so this cuts nothing.
const WIDEST: usize = 400;
/// The widest line of prose: beyond about 100 characters readers lose the next line.
const READABLE: usize = 100;

#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    /// Whether it is aligned to the right, as numbers are.
    pub(super) right: bool,
    /// The width below which it is not narrowed.
    pub(super) least: usize,
    /// The preferred width where the rows are not known yet.
    pub(super) wish: usize,
}

impl Column {
    /// A column of text.
    pub(super) const fn text(title: &'static str, least: usize, wish: usize) -> Self {
        Self {
            title,
            right: false,
            least,
            wish,
        }
    }

    /// A column of numbers, as wide as its title.
    pub(super) const fn number(title: &'static str) -> Self {
        Self {
            title,
            right: true,
            least: title.len(),
            wish: title.len(),
        }
    }
}

/// A table with fixed widths: rows can be written as they come.
#[derive(Debug)]
pub(super) struct Grid {
    columns: Vec<Column>,
    widths: Vec<usize>,
}

impl Grid {
    /// A table whose rows are not known yet.
    pub(super) fn streaming(columns: &[Column], style: Style) -> Self {
        let wishes: Vec<_> = columns.iter().map(|c| c.wish.max(c.title.len())).collect();
        Self::with_widths(columns, &wishes, &vec![0; columns.len()], style)
    }

    /// A table as wide as its rows, where there is room for them.
    pub(super) fn fitting(columns: &[Column], rows: &[Vec<String>], style: Style) -> Self {
        let mut table = Table::new();
        table.set_header(columns.iter().map(|c| c.title));
        let texts = rows;
        let rows = rows.iter().map(|row| row.iter().map(|cell| clean(cell)));
        table.add_rows(rows);
        let widths = table.column_max_content_widths();
        let widths: Vec<_> = widths.into_iter().map(usize::from).collect();
        let words: Vec<_> = (0..columns.len())
            .map(|at| longest_piece(texts, at))
            .collect();
        Self::with_widths(columns, &widths, &words, style)
    }

    /// Makes no column narrower than the longest unbreakable part of a word in it, where there is room for all of them.
    fn with_widths(columns: &[Column], wishes: &[usize], pieces: &[usize], style: Style) -> Self {
        let gaps = GAP * columns.len().saturating_sub(1);
        let room = style.width.saturating_sub(gaps);
        let least: Vec<_> = columns.iter().map(|c| c.least).collect();
        let whole: Vec<_> = least.iter().zip(pieces).map(|(a, b)| *a.max(b)).collect();
        let fits = whole.iter().sum::<usize>() <= room;
        let least = if fits { &whole } else { &least };
        Self {
            columns: columns.to_vec(),
            widths: share(wishes, least, room),
        }
    }

    pub(super) fn header(&self, out: &mut dyn StyledWrite) -> io::Result<()> {
        let titles: Vec<_> = self.columns.iter().map(|c| c.title.to_owned()).collect();
        self.row(out, &titles, Tone::Strong)
    }

    /// Writes a row, on as many lines as it needs.
    pub(super) fn row(
        &self,
        out: &mut dyn StyledWrite,
        cells: &[String],
        tone: Tone,
    ) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(NOTHING);
        let cells = cells.iter().zip(&self.widths);
        let cells = cells.map(|(cell, width)| broken(&clean(cell), *width));
        table.add_row(Row::from(cells.collect::<Vec<_>>()));
        for (at, column) in self.columns.iter().enumerate() {
            let Some(place) = table.column_mut(at) else {
                continue;
            };
            let gap = if at + 1 < self.columns.len() { GAP } else { 0 };
            place.set_padding((0, narrow(gap)));
            let width = Width::Fixed(narrow(self.widths[at] + gap));
            place.set_constraint(ColumnConstraint::Absolute(width));
            if column.right {
                place.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in table.lines() {
            paint_line(out, tone, line.trim_end())?;
        }
        Ok(())
    }

    pub(super) fn whole(
        out: &mut dyn StyledWrite,
        columns: &[Column],
        rows: &[(Vec<String>, Tone)],
        style: Style,
    ) -> io::Result<()> {
        let cells: Vec<_> = rows.iter().map(|(cells, _)| cells.clone()).collect();
        let grid = Self::fitting(columns, &cells, style);
        grid.header(out)?;
        rows.iter()
            .try_for_each(|(cells, tone)| grid.row(out, cells, *tone))
    }
}

/// The width of the longest part of a word in a column that should not be broken.
fn longest_piece(rows: &[Vec<String>], column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column));
    let pieces = cells.flat_map(|cell| cell.split(|c: char| c == ' ' || JOINTS.contains(&c)));
    // The separator itself is on one of the two lines.
    let widths = pieces.map(|piece| measure_text_width(&clean(piece)) + 1);
    widths.max().unwrap_or(0)
}

/// Characters at which a word may be broken.
const JOINTS: [char; 7] = ['@', '.', '-', '_', '/', ':', ','];

/// A cell whose words are broken where one is wider than the column: before an `@`, and
/// after the separators of an address. Words of other scripts are left to the table, which knows their width.
fn broken(cell: &str, width: usize) -> String {
    let words = cell.split(' ').map(|word| {
        if word.is_ascii() && word.len() > width {
            Cow::Owned(broken_word(word, width.max(1)))
        } else {
            Cow::Borrowed(word)
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn broken_word(word: &str, width: usize) -> String {
    let (mut lines, mut rest) = (Vec::new(), word);
    while rest.len() > width {
        let good = |at: &usize| {
            let (before, after) = rest.split_at(*at);
            after.starts_with('@') || before.ends_with(['.', '-', '_', '/', ':', ','])
        };
        let (line, left) = rest.split_at((1..=width).rev().find(good).unwrap_or(width));
        lines.push(line);
        rest = left;
    }
    lines.push(rest);
    lines.join("\n")
}

fn narrow(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}

/// Widths that fit into a room: the widest column is narrowed first, none below its least width.
fn share(wishes: &[usize], least: &[usize], room: usize) -> Vec<usize> {
    let mut widths: Vec<_> = wishes.iter().map(|w| (*w).clamp(1, WIDEST)).collect();
    while widths.iter().sum::<usize>() > room {
        let pressed = (0..widths.len())
            .filter(|&at| widths[at] > least[at].max(1))
            .max_by_key(|&at| widths[at]);
        match pressed {
            Some(at) => widths[at] -= 1,
            None => break,
        }
    }
    widths
}

/// Writes names with their values; long values take several lines.
pub(super) fn facts(
    out: &mut dyn StyledWrite,
    facts: &[(&'static str, String)],
    style: Style,
) -> io::Result<()> {
    let facts = facts.iter().cloned();
    let plain: Vec<_> = facts.map(|fact| (fact, Tone::Plain)).collect();
    toned_facts(out, &plain, style)
}

/// As [`facts`], each with a tone.
pub(super) fn toned_facts(
    out: &mut dyn StyledWrite,
    facts: &[((&'static str, String), Tone)],
    style: Style,
) -> io::Result<()> {
    let columns = [Column::text("", 12, 12), Column::text("", 20, 400)];
    let rows: Vec<_> = facts
        .iter()
        .map(|((name, value), _)| vec![(*name).to_owned(), value.clone()])
        .collect();
    let grid = Grid::fitting(&columns, &rows, style);
    let mut rows = rows.iter().zip(facts);
    rows.try_for_each(|(row, (_, tone))| grid.row(out, row, *tone))
}

/// Writes a text on as many lines as it needs, none wider than is readable.
pub(super) fn paragraph(
    out: &mut dyn StyledWrite,
    text: &str,
    tone: Tone,
    style: Style,
) -> io::Result<()> {
    let width = style.width.min(READABLE);
    let grid = Grid::streaming(&[Column::text("", 20, width)], Style { width });
    grid.row(out, &[text.to_owned()], tone)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column::text("User", 8, 30),
        Column::number("Users"),
        Column::text("Hint", 10, 40),
    ];

    fn rows() -> Vec<(Vec<String>, Tone)> {
        vec![
            (
                vec![
                    "ada@contoso.example".into(),
                    "12".into(),
                    "Give the user a role.".into(),
                ],
                Tone::Plain,
            ),
            (
                vec!["東京".into(), "1,234".into(), "Leave it.".into()],
                Tone::Plain,
            ),
        ]
    }

    fn written(width: usize) -> String {
        let mut out = Vec::new();
        let style = Style { width };
        Grid::whole(&mut out, &COLUMNS, &rows(), style).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_is_as_wide_as_its_rows_where_there_is_room() {
        insta::assert_snapshot!(written(80), @r"
        User                 Users  Hint
        ada@contoso.example     12  Give the user a role.
        東京                 1,234  Leave it.
        ");
    }

    #[test]
    fn a_table_that_is_too_wide_breaks_its_widest_cells() {
        insta::assert_snapshot!(written(40), @r"
        User              Users  Hint
        ada@contoso.         12  Give the user a
        example                  role.
        東京              1,234  Leave it.
        ");
    }

    #[test]
    fn an_address_is_broken_where_it_has_a_joint_and_keeps_every_letter() {
        for (word, width, lines) in [
            ("ada@contoso.example", 16, "ada@contoso.|example"),
            (
                "maximiliana@contoso.example",
                16,
                "maximiliana|@contoso.example",
            ),
            (
                "https://contoso.crm4.dynamics.com",
                17,
                "https://contoso.|crm4.dynamics.com",
            ),
            ("unbreakable", 4, "unbr|eaka|ble"),
            ("short and long-winded", 8, "short and long-|winded"),
            ("x", 0, "x"),
        ] {
            assert_eq!(broken(word, width).replace('\n', "|"), lines);
        }
    }

    #[test]
    fn the_widest_gives_way_first_and_none_below_its_least() {
        assert_eq!(share(&[10, 30, 5], &[5, 5, 5], 30), [10, 15, 5]);
        assert_eq!(share(&[10, 30, 5], &[10, 20, 5], 10), [10, 20, 5]);
        assert_eq!(share(&[0], &[0], 10), [1]);
    }
}
